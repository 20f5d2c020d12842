"""Timetables: their instants, written down, and what becomes of them when a zone's rules change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import pytest
import whenever

from benefit_programs.domain.durations import FIRST_INSTANT, HOUR, LAST_INSTANT
from benefit_programs.domain.timetables import Place, Timetable, first_after, instant_at
from benefit_programs.domain.values import DAY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
ASUNCION, BEIRUT, CAIRO = "America/Asuncion", "Asia/Beirut", "Africa/Cairo"
HAVANA, AZORES, APIA = "America/Havana", "Atlantic/Azores", "Pacific/Apia"
KATHMANDU = "Asia/Kathmandu"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(milliseconds=1)


def shown(at: int, zone: str) -> str:
    """What clocks of the zone show, with the offset; milliseconds only if there are any."""
    local = (EPOCH + timedelta(milliseconds=at)).astimezone(ZoneInfo(zone))
    return local.isoformat(timespec="milliseconds").replace(".000", "")


def walk(timetable: Timetable, after: int, count: int) -> list[Place]:
    """Go from each instant to the next, as a program does."""
    places: list[Place] = []
    while len(places) < count:
        last = places[-1] if places else Place(-1, after)
        found = first_after(timetable, last.at, index=last.index)
        assert found is not None
        places.append(found)
    return places


class Case(NamedTuple):
    """The instants of a timetable from its anchor on, which is the first of them."""

    zone: str
    every: str
    expected: list[str]


FROM_THE_ANCHOR = {
    "the 31st of each month, to February of a leap year and of a common one": Case(
        BERLIN,
        "P1M",
        [
            "2023-12-31T09:00:00+01:00",
            "2024-01-31T09:00:00+01:00",
            "2024-02-29T09:00:00+01:00",
            "2024-03-31T09:00:00+02:00",
            "2024-04-30T09:00:00+02:00",
            "2024-05-31T09:00:00+02:00",
            "2024-06-30T09:00:00+02:00",
            "2024-07-31T09:00:00+02:00",
            "2024-08-31T09:00:00+02:00",
            "2024-09-30T09:00:00+02:00",
            "2024-10-31T09:00:00+01:00",
            "2024-11-30T09:00:00+01:00",
            "2024-12-31T09:00:00+01:00",
            "2025-01-31T09:00:00+01:00",
            "2025-02-28T09:00:00+01:00",
            "2025-03-31T09:00:00+02:00",
        ],
    ),
    "the local day decides: the 31st in Berlin, the 30th in UTC": Case(
        BERLIN,
        "P1M",
        [
            "2026-01-31T00:30:00+01:00",
            "2026-02-28T00:30:00+01:00",
            "2026-03-31T00:30:00+02:00",
            "2026-04-30T00:30:00+02:00",
        ],
    ),
    "each quarter from 30 November": Case(
        "UTC",
        "P3M",
        [
            "2027-11-30T00:00:00+00:00",
            "2028-02-29T00:00:00+00:00",
            "2028-05-30T00:00:00+00:00",
            "2028-08-30T00:00:00+00:00",
            "2028-11-30T00:00:00+00:00",
            "2029-02-28T00:00:00+00:00",
        ],
    ),
    "29 February each year": Case(
        BERLIN,
        "P1Y",
        [
            "2020-02-29T12:00:00+01:00",
            "2021-02-28T12:00:00+01:00",
            "2022-02-28T12:00:00+01:00",
            "2023-02-28T12:00:00+01:00",
            "2024-02-29T12:00:00+01:00",
            "2025-02-28T12:00:00+01:00",
        ],
    ),
    "29 February each four years, and 2100 is no leap year": Case(
        "UTC",
        "P4Y",
        [
            "2092-02-29T12:00:00+00:00",
            "2096-02-29T12:00:00+00:00",
            "2100-02-28T12:00:00+00:00",
            "2104-02-29T12:00:00+00:00",
        ],
    ),
    "weekly over spring in Berlin, in the hour left out": Case(
        BERLIN,
        "P1W",
        [
            "2024-03-17T02:30:00+01:00",
            "2024-03-24T02:30:00+01:00",
            "2024-03-31T03:00:00+02:00",
            "2024-04-07T02:30:00+02:00",
        ],
    ),
    "weekly over autumn in Berlin, in the hour that comes twice": Case(
        BERLIN,
        "P1W",
        [
            "2024-10-20T02:30:00+02:00",
            "2024-10-27T02:30:00+02:00",
            "2024-11-03T02:30:00+01:00",
        ],
    ),
    "weekly over spring in New York": Case(
        NEW_YORK,
        "P1W",
        [
            "2024-03-03T02:15:00-05:00",
            "2024-03-10T03:00:00-04:00",
            "2024-03-17T02:15:00-04:00",
        ],
    ),
    "weekly over autumn in New York": Case(
        NEW_YORK,
        "P1W",
        [
            "2024-10-27T01:15:00-04:00",
            "2024-11-03T01:15:00-04:00",
            "2024-11-10T01:15:00-05:00",
        ],
    ),
    "weekly over spring of Lord Howe, where half an hour is left out": Case(
        LORD_HOWE,
        "P1W",
        [
            "2024-09-29T02:15:00+10:30",
            "2024-10-06T02:30:00+11:00",
            "2024-10-13T02:15:00+11:00",
        ],
    ),
    "weekly over autumn of Lord Howe, where half an hour comes twice": Case(
        LORD_HOWE,
        "P1W",
        [
            "2024-03-31T01:45:00+11:00",
            "2024-04-07T01:45:00+11:00",
            "2024-04-14T01:45:00+10:30",
        ],
    ),
    "no midnight in Asuncion": Case(
        ASUNCION,
        "P1D",
        [
            "2022-10-01T00:00:00-04:00",
            "2022-10-02T01:00:00-03:00",
            "2022-10-03T00:00:00-03:00",
        ],
    ),
    "no midnight in Beirut": Case(
        BEIRUT,
        "P1M",
        [
            "2022-02-27T00:00:00+02:00",
            "2022-03-27T01:00:00+03:00",
            "2022-04-27T00:00:00+03:00",
        ],
    ),
    "no midnight in Cairo": Case(
        CAIRO,
        "P1D",
        [
            "2014-05-15T00:00:00+02:00",
            "2014-05-16T01:00:00+03:00",
            "2014-05-17T00:00:00+03:00",
        ],
    ),
    "Cairo leaves midnight out a second time in the year": Case(
        CAIRO,
        "P1M",
        [
            "2014-07-01T00:00:00+02:00",
            "2014-08-01T01:00:00+03:00",
            "2014-09-01T00:00:00+03:00",
            "2014-10-01T00:00:00+02:00",
        ],
    ),
    "midnight twice in Havana": Case(
        HAVANA,
        "P1D",
        [
            "2024-11-02T00:00:00-04:00",
            "2024-11-03T00:00:00-04:00",
            "2024-11-04T00:00:00-05:00",
        ],
    ),
    "midnight twice on the Azores": Case(
        AZORES,
        "P1W",
        [
            "2024-10-20T00:30:00+00:00",
            "2024-10-27T00:30:00+00:00",
            "2024-11-03T00:30:00-01:00",
        ],
    ),
    "an anchor at the second midnight counts by the wall clock": Case(
        HAVANA,
        "P1D",
        [
            "2024-11-03T00:00:00-05:00",
            "2024-11-04T00:00:00-05:00",
        ],
    ),
    "Apia has no 30 December 2011, at midnight: two days begin at once": Case(
        APIA,
        "P1D",
        [
            "2011-12-28T00:00:00-10:00",
            "2011-12-29T00:00:00-10:00",
            "2011-12-31T00:00:00+14:00",
            "2012-01-01T00:00:00+14:00",
        ],
    ),
    "Apia has no 30 December 2011, at ten: the first instant after it": Case(
        APIA,
        "P1D",
        [
            "2011-12-29T10:00:00-10:00",
            "2011-12-31T00:00:00+14:00",
            "2011-12-31T10:00:00+14:00",
            "2012-01-01T10:00:00+14:00",
        ],
    ),
    "Apia, on the 30th of each month": Case(
        APIA,
        "P1M",
        [
            "2011-11-30T10:00:00-10:00",
            "2011-12-31T00:00:00+14:00",
            "2012-01-30T10:00:00+14:00",
        ],
    ),
    "a day is a day of the wall clock": Case(
        BERLIN,
        "P1D",
        [
            "2024-03-30T12:00:00+01:00",
            "2024-03-31T12:00:00+02:00",
            "2024-04-01T12:00:00+02:00",
        ],
    ),
    "24 hours are exact": Case(
        BERLIN,
        "PT24H",
        [
            "2024-03-30T12:00:00+01:00",
            "2024-03-31T13:00:00+02:00",
            "2024-04-01T13:00:00+02:00",
        ],
    ),
    "an hour is exact in the hour that comes twice": Case(
        BERLIN,
        "PT1H",
        [
            "2024-10-27T01:30:00+02:00",
            "2024-10-27T02:30:00+02:00",
            "2024-10-27T02:30:00+01:00",
            "2024-10-27T03:30:00+01:00",
        ],
    ),
    "milliseconds of the anchor stay, but not those of a time left out": Case(
        BERLIN,
        "P1D",
        [
            "2024-03-30T02:59:59.999+01:00",
            "2024-03-31T03:00:00+02:00",
            "2024-04-01T02:59:59.999+02:00",
        ],
    ),
    "milliseconds of the duration add up": Case(
        "UTC",
        "PT1H0.4S",
        [
            "2024-12-31T22:59:59.123+00:00",
            "2024-12-31T23:59:59.523+00:00",
            "2025-01-01T00:59:59.923+00:00",
            "2025-01-01T02:00:00.323+00:00",
        ],
    ),
    "months first, then as many days": Case(
        "UTC",
        "P1M1D",
        [
            "2025-01-31T10:00:00+00:00",
            "2025-03-01T10:00:00+00:00",
            "2025-04-02T10:00:00+00:00",
            "2025-05-03T10:00:00+00:00",
            "2025-06-04T10:00:00+00:00",
            "2025-07-05T10:00:00+00:00",
        ],
    ),
    "days first, then as many exact hours": Case(
        BERLIN,
        "P1DT1H",
        [
            "2024-03-30T02:30:00+01:00",
            "2024-03-31T04:00:00+02:00",
            "2024-04-01T04:30:00+02:00",
            "2024-04-02T05:30:00+02:00",
        ],
    ),
    "centuries": Case(
        "UTC",
        "P100Y",
        [
            "2000-02-29T00:00:00+00:00",
            "2100-02-28T00:00:00+00:00",
            "2200-02-28T00:00:00+00:00",
            "2300-02-28T00:00:00+00:00",
            "2400-02-29T00:00:00+00:00",
        ],
    ),
}


def anchored(case: Case) -> Timetable:
    return Timetable(every=case.every, anchor=instant(case.expected[0]), time_zone=case.zone)


@pytest.mark.parametrize("case", FROM_THE_ANCHOR.values(), ids=FROM_THE_ANCHOR)
def test_instants_are_counted_from_the_anchor(case: Case) -> None:
    """The anchor is the first instant; the others are these."""
    timetable = anchored(case)
    places = walk(timetable, timetable.anchor - 1, len(case.expected))
    assert case.expected == [shown(place.at, case.zone) for place in places]
    assert [instant_at(timetable, place.index) for place in places] == [it.at for it in places]


@pytest.mark.parametrize("case", FROM_THE_ANCHOR.values(), ids=FROM_THE_ANCHOR)
def test_the_first_after_an_instant_is_never_that_instant(case: Case) -> None:
    """Each instant is the first after the millisecond before it, and not the first after itself."""
    timetable = anchored(case)
    for text, following in zip(case.expected, case.expected[1:], strict=False):
        before = first_after(timetable, instant(text) - 1)
        after = first_after(timetable, instant(text))
        assert before is not None
        assert after is not None
        assert (text, following) == (shown(before.at, case.zone), shown(after.at, case.zone))


def test_instants_that_fall_together_are_one() -> None:
    """Of two days that begin at once, the first gives the instant, and the second is passed."""
    timetable = Timetable("P1D", instant("2011-12-28T00:00:00-10:00"), APIA)
    both = instant_at(timetable, 2)
    assert both == instant_at(timetable, 3)
    assert [place.index for place in walk(timetable, timetable.anchor - 1, 4)] == [0, 1, 2, 4]
    following = Place(4, instant("2012-01-01T00:00:00+14:00"))
    assert [first_after(timetable, both, index=index) for index in range(4)] == [following] * 4


@pytest.mark.parametrize(
    ("at", "index", "expected"),
    [
        ("1600-01-01T00:00:00+00:00", 0, "2020-01-31T08:00:00+05:45"),
        ("2020-01-31T07:59:59.999+05:45", 0, "2020-01-31T08:00:00+05:45"),
        ("2020-01-31T08:00:00+05:45", 1, "2020-02-29T08:00:00+05:45"),
        ("2026-11-28T12:00:00+00:00", 82, "2026-11-30T08:00:00+05:45"),
        ("2060-03-01T00:00:00+05:45", 482, "2060-03-31T08:00:00+05:45"),
        ("9999-10-31T23:00:00+00:00", 95_758, "9999-11-30T08:00:00+05:45"),
    ],
)
def test_an_anchor_may_lie_in_the_future_or_in_the_past(at: str, index: int, expected: str) -> None:
    """Before the anchor, the anchor comes first; long after it, the periods since count."""
    timetable = Timetable("P1M", instant("2020-01-31T08:00:00+05:45"), KATHMANDU)
    found = first_after(timetable, instant(at))
    assert found is not None
    assert (index, expected) == (found.index, shown(found.at, KATHMANDU))


def test_the_shortest_periods_are_found_years_later() -> None:
    """Hour after hour for thirty years, which had eight leap days."""
    timetable = Timetable("PT1H", instant("1995-01-01T00:00:00.007+00:00"), BERLIN)
    found = first_after(timetable, instant("2025-01-01T00:00:00+00:00"))
    assert found == Place((30 * 365 + 8) * 24, instant("2025-01-01T00:00:00.007+00:00"))


@pytest.mark.parametrize(
    ("shift", "expected"),
    [
        # A day and a half: over the clock change, the wall clock shows something else.
        (36 * HOUR, ["2024-02-01T21:00:00+01:00", "2024-03-01T21:00:00+01:00"]),
        (60 * DAY, ["2024-03-31T10:00:00+02:00", "2024-04-29T10:00:00+02:00"]),
        (1, ["2024-01-31T09:00:00.001+01:00", "2024-02-29T09:00:00.001+01:00"]),
    ],
)
def test_a_shift_moves_each_instant_exactly(shift: int, expected: list[str]) -> None:
    """All of it moves by the same milliseconds, the 31st and the wall clock no longer matter."""
    still = Timetable("P1M", instant("2024-01-31T09:00:00+01:00"), BERLIN)
    moved = Timetable(still.every, still.anchor, still.time_zone, shift=shift)
    places = walk(moved, moved.anchor + shift - 1, 40)
    assert expected == [shown(place.at, BERLIN) for place in places[:2]]
    assert places == [Place(it.index, it.at + shift) for it in walk(still, still.anchor - 1, 40)]


@pytest.mark.parametrize("zone", ["UTC", BERLIN, NEW_YORK, APIA, "Pacific/Pago_Pago"])
@pytest.mark.parametrize("every", ["PT1H", "P1D", "P1W", "P1M", "P1Y", "P100Y", "P1M1DT1H"])
def test_a_timetable_ends_with_the_calendar(zone: str, every: str) -> None:
    """After the last instant of the year 9999 nothing follows, wherever the timetable begins."""
    long_ago = Timetable(every, instant("2026-01-31T10:00:00+00:00"), zone)
    assert first_after(long_ago, LAST_INSTANT) is None
    assert first_after(long_ago, LAST_INSTANT - 1) is None
    assert first_after(long_ago, instant("2026-01-31T10:00:00+00:00"), index=10**9) is None
    late = Timetable(every, instant("9999-12-31T10:00:00+00:00"), zone)
    assert first_after(late, late.anchor - 1) == Place(0, late.anchor)
    last = instant("9999-12-31T23:00:00+00:00")
    assert first_after(late, last) is None
    following = Place(1, late.anchor + HOUR) if every == "PT1H" else None
    assert first_after(late, late.anchor) == following


def test_the_last_instants_before_the_end_are_found() -> None:
    """The last month of the calendar renews like any other."""
    timetable = Timetable("P1M", instant("2026-01-31T10:00:00+05:45"), KATHMANDU)
    last = instant("9999-12-31T10:00:00+05:45")
    found = first_after(timetable, last - 1)
    assert found == Place((9999 - 2026) * 12 + 11, last)
    assert first_after(timetable, last) is None


def test_a_timetable_may_begin_with_the_calendar() -> None:
    """An anchor in the year 1 is nothing special."""
    timetable = Timetable("P1Y", FIRST_INSTANT, "UTC")
    found = first_after(timetable, instant("2025-12-31T23:59:59.999+00:00"))
    assert found == Place(2025, instant("2026-01-01T00:00:00+00:00"))


@pytest.mark.parametrize("every", ["PT1H", "P1D", "P1W", "P1M", "P1M1D", "P1Y", "P100Y"])
def test_the_index_of_the_last_instant_changes_nothing_but_the_time_it_takes(every: str) -> None:
    """Whoever knows how far a timetable has come finds what one finds who doesn't."""
    timetable = Timetable(every, instant("1990-01-31T00:00:00+01:00"), BERLIN)
    at = instant("2190-06-15T00:00:00+02:00")
    found = first_after(timetable, at)
    assert found is not None
    for index in {-1, 0, found.index // 2, found.index - 1}:
        assert first_after(timetable, at, index=index) == found


def test_an_index_that_has_been_comes_never_again() -> None:
    """What was promised for later and came early, say by hand, is not found a second time."""
    timetable = Timetable("P1M", instant("2024-01-31T00:00:00+01:00"), BERLIN)
    early = instant("2024-03-30T12:00:00+01:00")
    assert first_after(timetable, early) == Place(2, instant("2024-03-31T00:00:00+01:00"))
    assert first_after(timetable, early, index=2) == Place(3, instant("2024-04-30T00:00:00+02:00"))


MOVED = "Atlantis/Capital"
"""A zone that only the databases of the next tests know, each with the rules of another."""


@pytest.fixture
def use_rules_of(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Give a function after which the zone has the rules of the one that it names."""

    def use(zone: str) -> None:
        database = tmp_path / zone.replace("/", "+")
        rules = files("tzdata").joinpath("zoneinfo", *zone.split("/")).read_bytes()
        (database / MOVED).parent.mkdir(parents=True, exist_ok=True)
        (database / MOVED).write_bytes(rules)
        whenever.reset_tzpath([database])
        forget()

    def forget() -> None:
        """Forget what a process remembers as long as it lives, and with it its rules."""
        whenever.clear_tzcache(only_keys=[MOVED])
        instant_at.cache_clear()

    yield use
    whenever.reset_tzpath()
    forget()


ISTANBUL, SEOUL, PYONGYANG, PAGO_PAGO = (
    "Europe/Istanbul",
    "Asia/Seoul",
    "Asia/Pyongyang",
    "Pacific/Pago_Pago",
)


class Change(NamedTuple):
    """A change of rules after something was promised by the old ones."""

    old: str
    new: str
    every: str
    anchor: str
    promised: str
    """By the old rules."""
    moved: str
    """The same period by the new rules."""
    expected: str
    """The instant that follows the promised one."""


CHANGES = {
    "an hour earlier": Change(
        BERLIN,
        ISTANBUL,
        "P1M",
        "2010-01-15T00:00:00+01:00",
        "2024-01-15T00:00:00+01:00",
        "2024-01-15T01:00:00+03:00",
        "2024-02-15T01:00:00+03:00",
    ),
    "an hour later: the promised one must not come again": Change(
        ISTANBUL,
        BERLIN,
        "P1M",
        "2010-01-15T00:00:00+02:00",
        "2024-01-15T00:00:00+03:00",
        "2024-01-14T23:00:00+01:00",
        "2024-02-14T23:00:00+01:00",
    ),
    "to another month": Change(
        BERLIN,
        ISTANBUL,
        "P1M",
        "2010-01-31T23:30:00+01:00",
        "2025-04-30T23:30:00+02:00",
        "2025-05-01T00:30:00+03:00",
        "2025-06-01T00:30:00+03:00",
    ),
    "half an hour later, for three years": Change(
        SEOUL,
        PYONGYANG,
        "P1D",
        "2010-01-15T00:00:00+09:00",
        "2016-01-15T00:00:00+09:00",
        "2016-01-15T00:00:00+08:30",
        "2016-01-16T00:00:00+08:30",
    ),
    "a day earlier: the next is at the promised instant, the one after it follows": Change(
        PAGO_PAGO,
        APIA,
        "P1D",
        "2009-01-15T00:00:00-11:00",
        "2024-01-15T00:00:00-11:00",
        "2024-01-15T00:00:00+13:00",
        "2024-01-17T00:00:00+13:00",
    ),
    "a day later": Change(
        APIA,
        PAGO_PAGO,
        "P1D",
        "2009-01-15T00:00:00-11:00",
        "2024-01-15T00:00:00+13:00",
        "2024-01-15T00:00:00-11:00",
        "2024-01-16T00:00:00-11:00",
    ),
    "exact hours know no rules": Change(
        BERLIN,
        ISTANBUL,
        "PT24H",
        "2010-01-15T00:00:00+01:00",
        "2024-01-15T00:00:00+01:00",
        "2024-01-15T02:00:00+03:00",
        "2024-01-16T02:00:00+03:00",
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_was_promised_stays_when_the_rules_change(
    use_rules_of: Callable[[str], None], change: Change
) -> None:
    """The period after a promised one is the next by the rules of the day; none comes twice."""
    timetable = Timetable(change.every, instant(change.anchor), MOVED)
    use_rules_of(change.old)
    promised = first_after(timetable, instant(change.promised) - 1)
    assert promised is not None
    assert change.promised == shown(promised.at, change.old)
    use_rules_of(change.new)
    assert change.moved == shown(instant_at(timetable, promised.index), change.new)
    following = first_after(timetable, promised.at, index=promised.index)
    assert following is not None
    assert change.expected == shown(following.at, change.new)
    assert following.index > promised.index


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_no_period_comes_twice_however_often_the_rules_change(
    use_rules_of: Callable[[str], None], change: Change
) -> None:
    """With other rules at each step, instants and indexes still grow."""
    timetable = Timetable(change.every, instant(change.anchor), MOVED)
    last = Place(-1, instant(change.promised) - 10 * DAY)
    for rules in (change.old, change.new) * 10:
        use_rules_of(rules)
        found = first_after(timetable, last.at, index=last.index)
        assert found is not None
        assert found.index > last.index
        assert found.at > last.at
        assert found.at == instant_at(timetable, found.index)
        last = found
