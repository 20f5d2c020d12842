"""What definitions say of the life of credits, and of late cancellations, in a file for `apply`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.files import APP

if TYPE_CHECKING:
    from tests.cli.conftest import Terminal

ENGINES = ["sqlite"]
"""What commands say doesn't depend on the store."""

LASTING = f"""\
namespace: gym
poolDefinitions:
  - key: tokens
    displayName: Tokens
    creditConfiguration:
      amount: 100
      expiresAfter: P1M
      validOn: TARGET_DATE
      returnsLive: P7D
      lapseAtEnd: true
      rolloverConfiguration: {{enabled: true, percent: 12.5, expiresAfter: P3M}}
    benefits:
      - benefitKey: towel
        providerAppId: {APP}
        price: 2.5
        cancellationTerms:
          - {{before: PT24H, percent: 100}}
          - {{before: PT0S, percent: 50}}
"""


def test_the_life_of_credits_comes_back_as_it_was_written(terminal: Terminal) -> None:
    """A file is applied once; exported and applied again, nothing is left to do."""
    made = terminal.apply(LASTING)
    assert [each["name"] for each in made["steps"]] == ["tokens"]
    (found,) = terminal.json("pool-definitions", "list")["poolDefinitions"]
    assert found["details"]["creditConfiguration"] == {
        "amount": "100",
        "expiresAfter": "P1M",
        "validOn": "TARGET_DATE",
        "returnsLive": "P7D",
        "lapseAtEnd": True,
        "rolloverConfiguration": {"enabled": True, "percent": "12.5", "expiresAfter": "P3M"},
    }
    (benefit,) = found["details"]["benefits"]
    assert benefit["cancellationTerms"] == [
        {"before": "PT24H", "percent": "100"},
        {"before": "PT0S", "percent": "50"},
    ]
    nothing = {"applied": True, "steps": [], "left": []}
    assert terminal.apply(LASTING, "--prune") == nothing
    done = terminal.run("export", "gym")
    assert done.code == 0, done.err
    assert terminal.apply(done.out, "--prune") == nothing


def test_a_changed_life_is_told_before_it_changes(terminal: Terminal) -> None:
    """A plan names each of these fields with its old and its new value, also where it goes."""
    terminal.apply(LASTING)
    changed = (
        LASTING.replace("expiresAfter: P1M", "expiresAfter: P60D")
        .replace("percent: 12.5", "percent: 20")
        .replace("      returnsLive: P7D\n", "")
        .replace("percent: 50", "percent: 25")
    )
    dry = terminal.json("apply", terminal.file(changed), "--dry-run")
    (step,) = dry["steps"]
    told = {each["field"]: (each["old"], each["new"]) for each in step["changes"]}
    assert told == {
        "creditConfiguration.expiresAfter": ("P1M", "P60D"),
        "creditConfiguration.rolloverConfiguration.percent": ("12.5", "20"),
        "creditConfiguration.returnsLive": ("P7D", None),
        "benefits.towel.cancellationTerms[1].percent": ("50", "25"),
    }
    assert terminal.apply(changed)["steps"] == dry["steps"]
    assert terminal.apply(changed)["steps"] == []


def test_a_wrong_life_is_refused_with_its_place(terminal: Terminal) -> None:
    """A duration that is none is refused before anything is done."""
    wrong = LASTING.replace("expiresAfter: P1M", "expiresAfter: a month")
    done = terminal.run("apply", terminal.file(wrong), "--yes")
    assert done.code != 0
    assert "expiresAfter" in done.err
    assert terminal.json("pool-definitions", "list")["poolDefinitions"] == []
