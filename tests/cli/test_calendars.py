"""Programs with dates, from the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.files import APP

if TYPE_CHECKING:
    from tests.cli.conftest import Terminal

TERMS = ("--every", "P1M", "--cycles", "3", "--time-zone", "Europe/Berlin")


def test_terms_are_tried_saved_and_followed(terminal: Terminal) -> None:
    """Preview, definition, program, changes and timetable."""
    begin = ("--begin", "2027-01-31T10:00:00Z")
    shown = terminal.json("program-definitions", "timetable", *TERMS, *begin)
    assert [each["localDate"] for each in shown["dates"]] == [
        "2027-02-28T11:00:00+01:00",
        "2027-03-31T11:00:00+02:00",
        "2027-04-30T11:00:00+02:00",
    ]
    table = terminal.run("program-definitions", "timetable", *TERMS, *begin).out
    assert "the last of 3 cycles is over" in table
    made = terminal.json(
        "program-definitions", "create", "club", "gold", *TERMS, "--while-paused", "STOP"
    )
    assert made["renewalConfiguration"] == {
        "every": "P1M",
        "timeZone": "Europe/Berlin",
        "cycles": 3,
    }
    options = ("--definition", "gold", "--member", APP, "--ends-after", "P2M")
    program = terminal.json("programs", "provision", "club", "ada", *options)["program"]
    assert (program["cycle"]["number"], program["whilePaused"]) == (1, "STOP")
    named = ("ada", "--namespace", "club")
    dates = terminal.json("programs", "timetable", *named)["dates"]
    assert [each["kind"] for each in dates] == ["RENEWAL", "END"]
    assert len(terminal.json("programs", "timetable", *named, "--limit", "1")["dates"]) == 1
    weekly = terminal.json("programs", "update", *named, "--every", "P1W", "--never-ends")
    assert "endDate" not in weekly
    assert terminal.json("programs", "timetable", *named)["dates"][23]["cycleNumber"] == 25
    again = terminal.json("programs", "renew", *named, "--restart-timetable")["program"]
    assert again["cycle"]["startDate"] > weekly["cycle"]["startDate"]
    ended = terminal.json(
        "programs", "update", *named, "--never-renews", "--end-date", "2099-01-01T00:00:00Z"
    )
    assert (ended["endDate"], "cycle" in ended) == ("2099-01-01T00:00:00.000Z", False)


def test_options_that_make_no_sense_are_refused(terminal: Terminal) -> None:
    """Each says what is missing or too much."""
    create = ("program-definitions", "create", "club", "silver")
    for options, why in (
        (("--cycles", "3"), "--cycles needs --every"),
        (("--end-date", "soon"), "--end-date: must be a date and time"),
    ):
        done = terminal.run(*create, *options)
        assert (done.code, why in done.err) == (2, True)
    done = terminal.run(*create, "--ends-after", "P1Y", "--end-date", "2099-01-01T00:00:00Z")
    assert done.code != 0
    assert "endsAfter" in done.err
    update = ("programs", "update", "ada", "--namespace", "club")
    for options, why in (
        ((), "change what?"),
        (("--never-ends", "--end-date", "2099-01-01T00:00:00Z"), "contradict each other"),
        (("--never-renews", "--every", "P1M"), "contradict each other"),
    ):
        done = terminal.run(*update, *options)
        assert (done.code, why in done.err) == (2, True)
