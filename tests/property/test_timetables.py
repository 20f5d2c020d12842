"""Whatever a timetable is: its instants are those that another library works out, one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import whenever
from dateutil.relativedelta import relativedelta
from dateutil.tz import datetime_exists
from hypothesis import given, settings
from hypothesis import strategies as st

from benefit_programs.domain.calendars import RENEWAL_HOURS_MIN
from benefit_programs.domain.durations import FIRST_INSTANT, LAST_INSTANT
from benefit_programs.domain.timetables import Place, Timetable, first_after
from benefit_programs.domain.values import DAY

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
SHORTEST = timedelta(hours=RENEWAL_HOURS_MIN)
# Half an hour, midnight left out or twice, days left out or lived twice, changes twice a year for
# Ramadan, offsets with seconds, and none of it.
ZONES = (
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/Monrovia",
    "America/Asuncion",
    "America/Havana",
    "America/Juneau",
    "America/New_York",
    "America/Sao_Paulo",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Asia/Manila",
    "Asia/Pyongyang",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/Dublin",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Pacific/Kwajalein",
    "UTC",
)
YEAR = 366 * DAY
PERIODS = 40
"""How many periods of a timetable are worked out slowly."""

thorough = settings(derandomize=True, max_examples=150)


class Every(NamedTuple):
    """A duration by its units, so that nobody needs to parse it."""

    years: int = 0
    months: int = 0
    weeks: int = 0
    days: int = 0
    hours: int = 0
    minutes: int = 0
    milliseconds: int = 0

    @property
    def text(self) -> str:
        seconds, milliseconds = divmod(self.milliseconds, 1_000)
        return (
            f"P{self.years}Y{self.months}M{self.weeks}W{self.days}D"
            f"T{self.hours}H{self.minutes}M{seconds}.{milliseconds:03}S"
        )

    @property
    def of_the_calendar(self) -> relativedelta:
        return relativedelta(years=self.years, months=self.months, weeks=self.weeks, days=self.days)

    @property
    def exact(self) -> timedelta:
        return timedelta(hours=self.hours, minutes=self.minutes, milliseconds=self.milliseconds)


def to_instant(moment: datetime) -> int:
    return (moment - EPOCH) // MILLISECOND


def local(at: int, zone: ZoneInfo) -> datetime:
    return (EPOCH + timedelta(milliseconds=at)).astimezone(zone).replace(tzinfo=None)


def slow_instant_of(wall: datetime, zone: ZoneInfo) -> int:
    """The first instant at which the zone shows a time, or the first after the gap it is in."""
    first, second = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if datetime_exists(first):
        return to_instant(first)
    # The offset of after the gap leads to before it, and the other way round; halve until there.
    before, after = to_instant(second), to_instant(first)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if local(middle, zone) < wall else (before, middle)
    return after


def slow_instant_at(timetable: Timetable, every: Every, index: int) -> int | None:
    """The instant with an index; None if it lies outside of the calendar."""
    zone, found = ZoneInfo(timetable.time_zone), timetable.anchor
    try:
        if index and every.of_the_calendar:
            wall = local(found, zone) + every.of_the_calendar * index
            found = slow_instant_of(wall, zone)
        found = to_instant(EPOCH + timedelta(milliseconds=found) + every.exact * index)
    except (OverflowError, ValueError):
        return None
    found += timetable.shift
    return found if found < LAST_INSTANT else None


def slow_instants(timetable: Timetable, every: Every, count: int) -> list[int]:
    """Up to so many instants, each once."""
    found = (slow_instant_at(timetable, every, index) for index in range(count))
    return sorted({each for each in found if each is not None})


@cache
def changes(zone: str) -> list[int]:
    """The instants at which the clocks of a zone change, from 1840 to 2060."""
    found, moment = [], whenever.ZonedDateTime(1840, 1, 1, tz=zone)
    while (following := moment.next_transition()) and following.year < 2060:
        moment = following
        found.append(moment.timestamp(unit="millisecond"))
    return found


everies = st.one_of(
    st.integers(1, 14).map(lambda months: Every(months=months)),
    st.integers(1, 40).map(lambda days: Every(days=days)),
    st.integers(1, 6).map(lambda weeks: Every(weeks=weeks)),
    st.integers(1, 100).map(lambda years: Every(years=years)),
    st.integers(1, 50).map(lambda hours: Every(hours=hours)),
    st.tuples(*(st.integers(0, most) for most in (2, 14, 5, 40, 30, 70, 70_000))).map(
        lambda units: Every(*units)
    ),
).filter(lambda every: every.of_the_calendar or every.exact >= SHORTEST)
shifts = st.one_of(st.just(0), st.integers(0, 400 * 86_400_000))


@st.composite
def anchors(draw: st.DrawFn, zone: str, every: Every) -> int:
    """Anywhere, or so that one of the first periods comes close to a change of the clocks."""
    near = changes(zone)
    if not near or draw(st.booleans()):
        return draw(st.integers(-4_000_000_000_000, 8_000_000_000_000))
    change = draw(st.sampled_from(near)) - draw(st.integers(0, 1))
    wall = local(change, ZoneInfo(zone)) - every.of_the_calendar * draw(st.integers(0, 5))
    quarters = st.integers(-8, 8).map(lambda count: count * 900_000)
    aside = draw(quarters | st.integers(-90_000_000, 90_000_000))
    return to_instant(wall.replace(tzinfo=ZoneInfo(zone))) + aside


@st.composite
def timetables(draw: st.DrawFn) -> tuple[Timetable, Every]:
    every, zone = draw(everies), draw(st.sampled_from(ZONES))
    anchor = draw(anchors(zone, every))
    return Timetable(every.text, anchor, zone, shift=draw(shifts)), every


@thorough
@given(timetables())
def test_walking_a_timetable_meets_each_instant_once(drawn: tuple[Timetable, Every]) -> None:
    """From the anchor on, strictly growing, and all of those that slow arithmetic gives."""
    timetable, every = drawn
    expected = slow_instants(timetable, every, PERIODS)
    assert expected[0] == timetable.anchor + timetable.shift
    last, met = Place(-1, expected[0] - 1), []
    for _ in expected:
        found = first_after(timetable, last.at, index=last.index)
        assert found is not None
        met.append(found)
        last = found
    assert [place.at for place in met] == expected
    assert all(one.index < other.index for one, other in pairwise(met))
    assert all(slow_instant_at(timetable, every, it.index) == it.at for it in met)


@thorough
@given(timetables(), st.floats(-1, PERIODS), st.floats(0, 1))
def test_nothing_lies_between_an_instant_and_the_first_after_it(
    drawn: tuple[Timetable, Every], periods: float, share: float
) -> None:
    """The first after any instant is the one that a look at all of them finds, index or none."""
    timetable, every = drawn
    expected = slow_instants(timetable, every, 3 * PERIODS)
    between = expected[1] - expected[0]
    at = expected[0] + round(periods * between)
    for instant in {at, *(each for each in expected[:3] if each <= at)}:
        found = first_after(timetable, instant)
        assert found is not None
        assert found.at == next(each for each in expected if each > instant)
        index = round(share * found.index) - 1
        assert first_after(timetable, instant, index=index) == found


@thorough
@given(timetables(), st.integers(FIRST_INSTANT, LAST_INSTANT - 110 * YEAR))
def test_the_neighbours_of_a_far_instant_are_found(drawn: tuple[Timetable, Every], at: int) -> None:
    """However many periods have passed: the instant before isn't later, and the next one is."""
    timetable, every = drawn
    found = first_after(timetable, at)
    assert found is not None
    assert found.at > at
    assert slow_instant_at(timetable, every, found.index) == found.at
    if found.index:
        before = slow_instant_at(timetable, every, found.index - 1)
        assert before is not None
        assert before <= at
        assert first_after(timetable, at, index=found.index - 1) == found


@thorough
@given(
    everies.filter(lambda every: bool(every.of_the_calendar)),
    # Within two days of the end, the year 9999 is over in some zones, and dateutil knows no other.
    st.integers(2 * DAY, 30 * DAY),
    st.sampled_from(ZONES),
    shifts,
)
def test_timetables_end_with_the_calendar(
    every: Every, before_the_end: int, zone: str, shift: int
) -> None:
    """Each instant up to the last of the year 9999 is met, and after them none."""
    timetable = Timetable(every.text, LAST_INSTANT - before_the_end, zone, shift=shift)
    expected = slow_instants(timetable, every, PERIODS)
    last = Place(-1, timetable.anchor - 1)
    for instant in expected:
        found = first_after(timetable, last.at, index=last.index)
        assert found is not None
        assert found.at == instant
        last = found
    assert first_after(timetable, last.at, index=last.index) is None
    assert first_after(timetable, last.at) is None
    assert first_after(timetable, LAST_INSTANT) is None
