"""FIXED_INTERVAL: a half-open interval of the day, or of the week. Contract: Policies.

What the wall clock of the tenant's zone shows is compared, nothing else. So at a clock change an
interval may be shorter or longer than usual: what is skipped never comes, what is repeated counts
both times.

What may be missing, and what it means:

- no hour and no minute: 00:00 to begin with, 24:00 to end with;
- an hour without a minute: the full hour; a minute without an hour: the first hour of the day;
- both weekdays: one stretch from the first day's beginning to the last day's end (Monday 09:00 to
  Friday 17:00 holds the nights between); it wraps the week's end if need be;
- ``fromWeekDay`` alone: the daily interval that begins on that day, and on no other;
- ``toWeekDay`` alone: the daily interval that ends on that day, and on no other;
- the same beginning and end: the whole day, or the whole week if both weekdays are given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benefit_programs.domain.details import FixedIntervalPolicy, WeekDay
from benefit_programs.domain.policies.calendar import MINUTE, local_time

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from benefit_programs.domain.values import Instant

DAY_MINUTES = 1_440
WEEK_MINUTES = 7 * DAY_MINUTES
WEEK_DAYS = tuple(day for day in WeekDay if day is not WeekDay.UNKNOWN)
# 1970-01-01 was a Thursday, and a week begins on Monday.
EPOCH_MINUTE = WEEK_DAYS.index(WeekDay.THURSDAY) * DAY_MINUTES


class Window(NamedTuple):
    """A stretch of a cycle (a day or a week), in minutes: from 1 to all of the cycle long."""

    start: int
    length: int
    cycle: int


def contains(interval: FixedIntervalPolicy, *, at: Instant, time_zone: ZoneInfo) -> bool:
    """Whether an instant lies in the interval, as wall clocks in this zone show it."""
    start, length, cycle = window_of(interval)
    return (minute_of_week(at, time_zone) - start) % cycle < length


def minute_of_week(at: Instant, time_zone: ZoneInfo) -> int:
    """Whole minutes since Monday 00:00 on the wall clock."""
    return (local_time(at, time_zone) // MINUTE + EPOCH_MINUTE) % WEEK_MINUTES


def window_of(interval: FixedIntervalPolicy) -> Window:
    """Where the interval lies in its day or its week."""
    start = _minute(interval.from_hour, interval.from_minute, missing=0)
    end = _minute(interval.to_hour, interval.to_minute, missing=DAY_MINUTES)
    first, last = _day(interval.from_week_day), _day(interval.to_week_day)
    if first is None and last is None:
        return Window(start, _length(start, end, DAY_MINUTES), DAY_MINUTES)
    if first is not None and last is not None:
        return Window(first + start, _length(first + start, last + end, WEEK_MINUTES), WEEK_MINUTES)
    length = _length(start, end, DAY_MINUTES)
    opening = first + start if first is not None else (last or 0) + end - length
    return Window(opening % WEEK_MINUTES, length, WEEK_MINUTES)


def describe_interval(interval: FixedIntervalPolicy) -> str:
    """The interval in words, such as "Friday 18:00 to Monday 08:00"."""
    start, length, cycle = window_of(interval)
    if length == cycle:
        return "any time"
    weekly = cycle == WEEK_MINUTES
    # An end at midnight is the end of a day rather than the beginning of the next.
    last = (start + length - 1) % cycle
    return f"{_clock(start, 0, weekly=weekly)} to {_clock(last, 1, weekly=weekly)}"


def describe_minute(minute: int) -> str:
    """A minute of the week in words, such as "Monday 08:00"."""
    return _clock(minute, 0, weekly=True)


def _clock(minute: int, later: int, *, weekly: bool) -> str:
    hour, rest = divmod(minute % DAY_MINUTES + later, 60)
    name = WEEK_DAYS[minute // DAY_MINUTES].title() + " " if weekly else ""
    return f"{name}{hour:02}:{rest:02}"


def _minute(hour: int | None, minute: int | None, *, missing: int) -> int:
    if hour is None and minute is None:
        return missing
    return (hour or 0) * 60 + (minute or 0)


def _day(day: WeekDay | None) -> int | None:
    return None if day in (None, WeekDay.UNKNOWN) else WEEK_DAYS.index(day) * DAY_MINUTES


def _length(start: int, end: int, cycle: int) -> int:
    return (end - start) % cycle or cycle
