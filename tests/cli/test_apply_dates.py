"""When programs renew and end, in a file for `apply`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Terminal

ENGINES = ["sqlite"]
"""What commands say doesn't depend on the store."""

DATED = """\
namespace: gym
programDefinitions:
  - externalId: gold
    displayName: Gold
    renewalConfiguration:
      every: P1M
      anchor: 2027-01-01T00:00:00+01:00
      timeZone: Europe/Berlin
      cycles: 12
      atEnd: STAY
    endsAfter: P3Y
    whilePaused: STOP
    pausedDaysMax: 30
  - externalId: trial
    endDate: 2099-01-01T00:00:00Z
"""
NOTHING = {"applied": True, "steps": [], "left": []}


def test_dates_come_back_as_they_were_written(terminal: Terminal) -> None:
    """A file is applied once; exported and applied again, nothing is left to do."""
    made = terminal.apply(DATED)
    assert [each["name"] for each in made["steps"]] == ["gold", "trial"]
    found = terminal.json("program-definitions", "list")["programDefinitions"]
    gold, trial = sorted(found, key=lambda each: each["externalId"])
    assert gold["renewalConfiguration"] == {
        "every": "P1M",
        "anchor": "2026-12-31T23:00:00.000Z",
        "timeZone": "Europe/Berlin",
        "cycles": 12,
        "atEnd": "STAY",
    }
    names = ("endsAfter", "whilePaused", "pausedDaysMax")
    assert [gold[name] for name in names] == ["P3Y", "STOP", 30]
    assert trial["endDate"] == "2099-01-01T00:00:00.000Z"
    assert terminal.apply(DATED, "--prune") == NOTHING
    done = terminal.run("export", "gym")
    assert done.code == 0, done.err
    assert terminal.apply(done.out, "--prune") == NOTHING


def test_changed_dates_are_told_before_they_change(terminal: Terminal) -> None:
    """A plan names each of these fields with its old and its new value, also where it goes."""
    terminal.apply(DATED)
    changed = (
        DATED.replace("every: P1M", "every: P3M")
        .replace("      cycles: 12\n", "")
        .replace("endsAfter: P3Y", "endDate: 2098-01-01T00:00:00Z")
        .replace("    pausedDaysMax: 30\n", "")
    )
    dry = terminal.json("apply", terminal.file(changed), "--dry-run")
    (step,) = dry["steps"]
    told = {each["field"]: (each["old"], each["new"]) for each in step["changes"]}
    assert told == {
        "renewalConfiguration.every": ("P1M", "P3M"),
        "renewalConfiguration.cycles": (12, None),
        "endsAfter": ("P3Y", None),
        "endDate": (None, "2098-01-01T00:00:00.000Z"),
        "pausedDaysMax": (30, None),
    }
    assert terminal.apply(changed)["steps"] == dry["steps"]
    assert terminal.apply(changed) == NOTHING
    bare = "namespace: gym\nprogramDefinitions:\n  - externalId: gold\n  - externalId: trial\n"
    terminal.apply(bare)
    assert terminal.apply(bare) == NOTHING


def test_wrong_dates_are_refused_with_their_place(terminal: Terminal) -> None:
    """Times that are none, zones that nobody knows and two ends are refused before anything."""
    wrong = (
        DATED.replace("every: P1M", "every: PT1M")
        .replace("Europe/Berlin", "Europe/Atlantis")
        .replace("    whilePaused: STOP", "    endDate: 2099-01-01T00:00:00Z")
    )
    done = terminal.run("apply", terminal.file(wrong), "--yes")
    assert done.code != 0
    path = "programDefinitions[0]"
    for name in ("renewalConfiguration.every", "renewalConfiguration.timeZone", "endsAfter"):
        assert f"{path}.{name}" in done.err
    assert terminal.json("program-definitions", "list")["programDefinitions"] == []
