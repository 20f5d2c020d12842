"""Durations: the calendar of a zone, its gaps and repeated hours, and what is no duration."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benefit_programs.domain.constraints import Duration
from benefit_programs.domain.durations import (
    FIRST_INSTANT,
    LAST_INSTANT,
    earlier,
    later,
    parse,
)
from benefit_programs.wire.codec import instant_text
from benefit_programs.wire.codec.formats import Violated, duration_reader, read_instant

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
ZONES = (BERLIN, NEW_YORK, LORD_HOWE, "Pacific/Apia", "Asia/Kathmandu", "UTC")
read_duration = duration_reader(Duration())
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

LATER = [
    ("2026-01-31T10:00:00Z", "P1M", "UTC", "2026-02-28T10:00:00Z"),
    ("2024-01-31T10:00:00Z", "P1M", "UTC", "2024-02-29T10:00:00Z"),
    ("2026-01-31T10:00:00Z", "P2M", "UTC", "2026-03-31T10:00:00Z"),
    ("2026-01-31T10:00:00Z", "P1M1D", "UTC", "2026-03-01T10:00:00Z"),
    ("2024-02-29T10:00:00Z", "P1Y", "UTC", "2025-02-28T10:00:00Z"),
    ("2024-02-29T10:00:00Z", "P4Y", "UTC", "2028-02-29T10:00:00Z"),
    ("2026-01-01T00:00:00Z", "P1Y2M10DT2H30M", "UTC", "2027-03-11T02:30:00Z"),
    ("2026-01-01T00:00:00Z", "P1W", "UTC", "2026-01-08T00:00:00Z"),
    ("2026-01-01T00:00:00Z", "PT0.5S", "UTC", "2026-01-01T00:00:00.500Z"),
    # The local day decides: in Berlin it is already 1 February.
    ("2026-01-31T23:30:00Z", "P1M", BERLIN, "2026-02-28T23:30:00Z"),
    # Days keep the time of the wall clock, hours don't.
    ("2026-03-28T11:00:00Z", "P1D", BERLIN, "2026-03-29T10:00:00Z"),
    ("2026-03-28T11:00:00Z", "PT24H", BERLIN, "2026-03-29T11:00:00Z"),
    # 02:30 doesn't exist: the first instant after the gap.
    ("2026-03-28T01:30:00Z", "P1D", BERLIN, "2026-03-29T01:00:00Z"),
    ("2026-03-28T01:00:00Z", "P1D", BERLIN, "2026-03-29T01:00:00Z"),
    ("2026-03-28T00:59:59.999Z", "P1D", BERLIN, "2026-03-29T00:59:59.999Z"),
    # 02:30 comes twice: the first.
    ("2026-10-24T00:30:00Z", "P1D", BERLIN, "2026-10-25T00:30:00Z"),
    ("2026-03-07T07:30:00Z", "P1D", NEW_YORK, "2026-03-08T07:00:00Z"),
    ("2026-10-31T05:30:00Z", "P1D", NEW_YORK, "2026-11-01T05:30:00Z"),
    # Half an hour of a gap, and half an hour twice.
    ("2026-10-02T15:45:00Z", "P1D", LORD_HOWE, "2026-10-03T15:30:00Z"),
    ("2026-04-03T14:45:00Z", "P1D", LORD_HOWE, "2026-04-04T14:45:00Z"),
    # A whole day of a gap: 30 December 2011 was left out.
    ("2011-11-30T22:00:00Z", "P1M", "Pacific/Apia", "2011-12-30T10:00:00Z"),
    ("2011-12-29T22:00:00Z", "P1D", "Pacific/Apia", "2011-12-30T10:00:00Z"),
]


@pytest.mark.parametrize(("at", "duration", "zone", "expected"), LATER)
def test_later_goes_by_the_wall_clock(at: str, duration: str, zone: str, expected: str) -> None:
    """Calendar units keep the wall clock's time; exact ones are added after them."""
    assert instant_text(later(read_instant(at), duration, zone)) == instant_text(
        read_instant(expected)
    )


EARLIER = [
    ("2026-03-31T10:00:00Z", "P1M", "UTC", "2026-02-28T10:00:00Z"),
    ("2024-02-29T10:00:00Z", "P1Y", "UTC", "2023-02-28T10:00:00Z"),
    ("2026-03-30T00:30:00Z", "P1D", BERLIN, "2026-03-29T01:00:00Z"),
    ("2026-10-26T01:30:00Z", "P1D", BERLIN, "2026-10-25T00:30:00Z"),
    ("2026-10-26T01:30:00Z", "P1DT1H", BERLIN, "2026-10-24T23:30:00Z"),
]


@pytest.mark.parametrize(("at", "duration", "zone", "expected"), EARLIER)
def test_earlier_goes_by_the_wall_clock(at: str, duration: str, zone: str, expected: str) -> None:
    """Going back follows the same rules."""
    assert earlier(read_instant(at), duration, zone) == read_instant(expected)


@pytest.mark.parametrize("zone", ZONES)
def test_time_ends_with_the_year_9999(zone: str) -> None:
    """What would lie outside of the calendar is its last or its first instant."""
    near_end, near_start = LAST_INSTANT - 3_600_000, FIRST_INSTANT + 3_600_000
    assert later(near_end, "P1D", zone) == LAST_INSTANT
    assert later(near_end, "PT2H", zone) == LAST_INSTANT
    assert later(near_end, "PT30M", zone) == near_end + 1_800_000
    assert later(near_end, "P100Y", zone) == LAST_INSTANT
    assert earlier(near_start, "P1M", zone) == FIRST_INSTANT
    assert earlier(near_end, "P1D", zone) == near_end - 86_400_000


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("P30D", "P30D"),
        ("p1m", "P1M"),
        ("PT12H", "PT12H"),
        ("P1Y2M10DT2H30M", "P1Y2M10DT2H30M"),
        ("P1W", "P1W"),
        ("PT0.001S", "PT0.001S"),
        ("P0DT1S", "P0DT1S"),
        ("P100Y", "P100Y"),
        ("P1200M", "P1200M"),
        ("P36524D", "P36524D"),
    ],
)
def test_durations_are_kept_as_given(raw: str, text: str) -> None:
    """A duration stays as it was written, in upper case."""
    assert read_duration(raw) == text


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        ("", "FORMAT"),
        ("P", "FORMAT"),
        ("PT", "FORMAT"),
        ("P1DT", "FORMAT"),
        ("1D", "FORMAT"),
        ("P1H", "FORMAT"),
        ("P1D2M", "FORMAT"),
        ("-P1D", "FORMAT"),
        ("+P1D", "FORMAT"),
        ("P-1D", "FORMAT"),
        ("P1.5D", "FORMAT"),
        ("PT1.5H", "FORMAT"),
        ("PT1,5S", "FORMAT"),
        ("PT0.0001S", "FORMAT"),
        (" P1D", "FORMAT"),
        ("P٣D", "FORMAT"),
        ("P1D\0", "FORMAT"),
        ("P10000Y", "FORMAT"),
        ("P" + "0" * 100 + "1D", "FORMAT"),
        (None, "FORMAT"),
        (30, "FORMAT"),
        ("P0D", "MIN"),
        ("P0Y0M0DT0H0M0.000S", "MIN"),
        ("P100YT0.001S", "MAX"),
        ("P1201M", "MAX"),
        ("P36525D", "MAX"),
        ("P9999Y", "MAX"),
    ],
)
def test_what_is_no_duration_is_refused(raw: object, rule: str) -> None:
    """Signs, fractions, nothing at all and more than 100 years are refused, each by its rule."""
    with pytest.raises(Violated) as refused:
        read_duration(raw)
    (violation,) = refused.value.violations
    assert violation.violated_rule == rule


@pytest.mark.parametrize(
    ("raw", "is_taken"), [("P1W2DT3H", True), ("P0MT1H", True), ("P1M", False), ("P1YT1H", False)]
)
def test_a_fixed_length_has_no_years_or_months(raw: str, *, is_taken: bool) -> None:
    """Where each duration must be as long as any other of its text, months and years aren't."""
    read = duration_reader(Duration(is_fixed=True))
    if is_taken:
        assert read(raw) == raw
    else:
        with pytest.raises(Violated) as refused:
            read(raw)
        (violation,) = refused.value.violations
        assert violation.rule_name == "duration_has_a_fixed_length"


# A second opinion on the calendar, from the standard library and slowly.


def slow_date(day: date, months: int, days: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last)) + timedelta(days=days)


def slow_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """Walk through the instants at which the zone might show the time, to the first that does."""
    guess = wall.replace(tzinfo=UTC) - timedelta(hours=26)
    shown = guess.astimezone(zone).replace(tzinfo=None)
    while shown < wall:
        # Never past a clock change: half an hour is the smallest there is, at a whole quarter.
        quarter = timedelta(minutes=15) - timedelta(
            minutes=guess.minute % 15, seconds=guess.second, microseconds=guess.microsecond
        )
        guess += min(quarter, max(wall - shown, timedelta(milliseconds=1)))
        shown = guess.astimezone(zone).replace(tzinfo=None)
    return guess


def slowly_moved(at: int, duration: str, zone_name: str, direction: int) -> int:
    span, zone = parse(duration), ZoneInfo(zone_name)
    moved = EPOCH + timedelta(milliseconds=at)
    if span.months or span.days:
        wall = moved.astimezone(zone).replace(tzinfo=None)
        day = slow_date(wall.date(), direction * span.months, direction * span.days)
        moved = slow_instant(datetime.combine(day, wall.time()), zone)
    moved += direction * timedelta(milliseconds=span.milliseconds)
    return (moved - EPOCH) // timedelta(milliseconds=1)


# Around clock changes, so that most days lead into a gap or a repeated hour.
INSTANTS = st.one_of(
    st.integers(read_instant("1980-01-01T00:00:00Z"), read_instant("2036-12-31T00:00:00Z")),
    st.builds(
        lambda change, minutes: read_instant(change) + minutes * 60_000,
        st.sampled_from(["2026-03-28T01:00:00Z", "2026-10-24T00:00:00Z", "2026-03-07T07:00:00Z"]),
        st.integers(-2_000, 2_000),
    ),
)
DURATIONS = st.builds(
    "P{}Y{}M{}W{}DT{}H{}M{}.{:03}S".format,
    *(st.integers(0, most) for most in (3, 20, 5, 40, 30, 70, 70, 999)),
)


@given(INSTANTS, DURATIONS, st.sampled_from(ZONES), st.sampled_from([1, -1]))
def test_durations_agree_with_slow_arithmetic(
    at: int, duration: str, zone: str, direction: int
) -> None:
    """Later and earlier give what a walk over the zone's instants gives."""
    move = later if direction > 0 else earlier
    assert move(at, duration, zone) == slowly_moved(at, duration, zone, direction)


@given(INSTANTS, st.integers(1, 60), st.sampled_from(["D", "W", "M"]), st.sampled_from(ZONES))
def test_whole_units_agree_with_slow_arithmetic(at: int, count: int, unit: str, zone: str) -> None:
    """The same for a single unit, which often ends in a gap or a repeated hour."""
    assert later(at, f"P{count}{unit}", zone) == slowly_moved(at, f"P{count}{unit}", zone, 1)
