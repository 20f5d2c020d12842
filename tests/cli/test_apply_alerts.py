"""Alerts of definitions in a file for `apply`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.files import APP

if TYPE_CHECKING:
    from tests.cli.conftest import Terminal

ENGINES = ["sqlite"]
"""What commands say doesn't depend on the store."""

WATCHED = f"""\
namespace: gym
poolDefinitions:
  - key: tokens
    displayName: Tokens
    creditConfiguration:
      amount: 100
    benefits:
      - benefitKey: towel
        providerAppId: {APP}
        price: 2.5
    alerts:
      - alertKey: low
        balanceBelowOptions: {{percent: 12.5}}
      - alertKey: renews
        type: RENEWAL_DUE
        renewalDueOptions: {{within: P3D}}
"""


def test_alerts_come_back_as_they_were_written(terminal: Terminal) -> None:
    """A file is applied once; exported and applied again, nothing is left to do."""
    terminal.apply(WATCHED)
    (found,) = terminal.json("pool-definitions", "list")["poolDefinitions"]
    assert found["details"]["alerts"] == [
        {"alertKey": "low", "balanceBelowOptions": {"percent": "12.5"}},
        {"alertKey": "renews", "type": "RENEWAL_DUE", "renewalDueOptions": {"within": "P3D"}},
    ]
    nothing = {"applied": True, "steps": [], "left": []}
    assert terminal.apply(WATCHED, "--prune") == nothing
    done = terminal.run("export", "gym")
    assert done.code == 0, done.err
    assert terminal.apply(done.out, "--prune") == nothing


def test_a_changed_alert_is_told_before_it_changes(terminal: Terminal) -> None:
    """A plan names what changes; alerts that the file doesn't have any more go."""
    terminal.apply(WATCHED)
    changed = WATCHED.replace("percent: 12.5", "percent: 20")
    (step,) = terminal.apply(changed)["steps"]
    assert [(each["old"], each["new"]) for each in step["changes"]] == [("12.5", "20")]
    terminal.apply(WATCHED[: WATCHED.index("    alerts:")])
    (found,) = terminal.json("pool-definitions", "list")["poolDefinitions"]
    assert "alerts" not in found["details"]


def test_a_wrong_alert_is_refused_with_its_place(terminal: Terminal) -> None:
    """A key that comes twice is refused before anything is done."""
    wrong = WATCHED.replace("alertKey: renews", "alertKey: low")
    done = terminal.run("apply", terminal.file(wrong), "--yes")
    assert done.code != 0
    assert "alerts[1].alertKey" in done.err
    assert terminal.json("pool-definitions", "list")["poolDefinitions"] == []
