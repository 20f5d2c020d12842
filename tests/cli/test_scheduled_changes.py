"""``benefits scheduled-changes``, and the options with dates of other commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.files import APP

if TYPE_CHECKING:
    from tests.cli.conftest import Terminal

CLUB = f"""\
namespace: season
programDefinitions:
  - externalId: plan
poolDefinitions:
  - key: classes
    programDefinitions: [plan]
    creditConfiguration: {{amount: 10}}
    benefits: [{{benefitKey: class, providerAppId: {APP}, price: 1}}]
"""
SUMMER, AUTUMN = "2090-07-01T00:00:00.000Z", "2090-09-01T00:00:00.000Z"


def test_changes_wait_are_listed_and_withdrawn(terminal: Terminal) -> None:
    """A pause, a resumption and an end with dates; a pause that begins now may end by itself."""
    terminal.apply(CLUB)
    options = ("--definition", "plan", "--member", APP)
    provisioned = terminal.json("programs", "provision", "season", "ada", *options)
    program = provisioned["program"]["id"]
    pause = terminal.json("programs", "pause", program, "--date", SUMMER, "--until", AUTUMN)
    terminal.json("programs", "resume", program, "--date", AUTUMN)
    terminal.json("programs", "end", program, "--date", AUTUMN, "--yes")
    changes = terminal.json("scheduled-changes", "list", "--program-id", program)
    kinds = [each["kind"] for each in changes["scheduledChanges"]]
    assert kinds == ["PAUSE", "RESUME", "END"]
    change = pause["scheduledChange"]["id"]
    assert terminal.json("scheduled-changes", "show", change)["untilDate"] == AUTUMN
    assert terminal.json("scheduled-changes", "withdraw", change)["status"] == "WITHDRAWN"
    paused = terminal.json("programs", "pause", program, "--until", SUMMER)
    assert paused["program"]["status"] == "PAUSED"
    waiting = terminal.json("scheduled-changes", "list", "--status", "WAITING", "--kind", "END")
    assert len(waiting["scheduledChanges"]) == 1


def test_a_deletion_waits_for_its_date(terminal: Terminal) -> None:
    """The definition is gone, and its programs end at the date."""
    terminal.apply(CLUB)
    chosen = ("--namespace", "season", "--cascade", "IMMEDIATELY", "--cascade-date", SUMMER)
    terminal.json("program-definitions", "delete", "plan", *chosen, "--yes")
    (change,) = terminal.json("scheduled-changes", "list")["scheduledChanges"]
    assert (change["kind"], change["date"]) == ("CASCADE", SUMMER)
