"""Local time of a tenant, as whole numbers.

A local instant is what a wall clock shows, as milliseconds since 1970 without a zone. All of it
is integer arithmetic on top of the zone's offset, so that no instant, however far, is an error:
past the years that a calendar library knows, the offset of the last known day is used.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from benefit_programs.domain.details import RateLimitedPolicy, TimePeriod
from benefit_programs.domain.settings import FirstDayOfWeek

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from benefit_programs.domain.values import Instant, LocalDate

MINUTE = 60_000
DAY = 1_440 * MINUTE
MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_ORDINAL = EPOCH.toordinal()
EPOCH_WEEK_DAY = EPOCH.weekday()
WEEK = 7
LIFETIME_DATE = 0
"""The date under which all uses of a limit for all time are counted: 1970-01-01."""

_WEEK_DAYS = {day: number for number, day in enumerate(FirstDayOfWeek)}
# Two days off both ends of the calendar: no offset leads out of it from there.
DAY_FIRST = date.min.toordinal() - EPOCH_ORDINAL + 2
DAY_LAST = date.max.toordinal() - EPOCH_ORDINAL - 2


def local_time(at: Instant, time_zone: ZoneInfo) -> int:
    """What a wall clock in this zone shows at an instant, in milliseconds since 1970."""
    return at + _offset(_instant_date(at).astimezone(time_zone))


def counted_date(policy: RateLimitedPolicy, at: Instant, time_zone: ZoneInfo) -> LocalDate:
    """The local date under which a use at this instant is counted: one of its period's dates.

    A month and a year count under their first date, and all time under LIFETIME_DATE. A week has a
    count for each of its days, so weeks may begin with another day without losing anything.
    """
    if policy.time_period is TimePeriod.LIFETIME:
        return LIFETIME_DATE
    day = local_time(at, time_zone) // DAY
    if policy.time_period is TimePeriod.MONTH:
        return _first_of_month(day)
    return _first_of_year(day) if policy.time_period is TimePeriod.YEAR else day


def period_dates(
    policy: RateLimitedPolicy, at: Instant, time_zone: ZoneInfo, first_day: FirstDayOfWeek
) -> range:
    """The local dates whose counts together are those of the period that holds ``at``."""
    start = counted_date(policy, at, time_zone)
    if policy.time_period is not TimePeriod.WEEK:
        return range(start, start + 1)
    start -= (start + EPOCH_WEEK_DAY - _WEEK_DAYS[first_day]) % WEEK
    return range(start, start + WEEK)


def period_start(
    policy: RateLimitedPolicy, at: Instant, time_zone: ZoneInfo, first_day: FirstDayOfWeek
) -> Instant:
    """The first instant of the calendar period, in this zone, that holds ``at``.

    It is the same for all instants of the period and never later than any of them: where midnight
    is skipped it is the first instant after the gap, and where midnight comes twice the first one.
    """
    return _day_start(period_dates(policy, at, time_zone, first_day)[0], time_zone)


def _first_of_month(day: LocalDate) -> LocalDate:
    inside = min(max(day, DAY_FIRST), DAY_LAST)
    return inside + 1 - _date(inside).day


def _first_of_year(day: LocalDate) -> LocalDate:
    inside = min(max(day, DAY_FIRST), DAY_LAST)
    return inside + 1 - _date(inside).timetuple().tm_yday


def _date(day: LocalDate) -> date:
    return date.fromordinal(day + EPOCH_ORDINAL)


def _day_start(day: LocalDate, time_zone: ZoneInfo) -> Instant:
    """The first instant at which the wall clock shows this day."""
    midnight = day * DAY
    wall = _instant_date(midnight).replace(tzinfo=time_zone)
    start = midnight - _offset(wall)
    if local_time(start, time_zone) == midnight:
        return start
    return _end_of_gap(midnight, midnight - _offset(wall.replace(fold=1)), start, time_zone)


def _end_of_gap(local: int, before: Instant, after: Instant, time_zone: ZoneInfo) -> Instant:
    """The instant at which a clock change skips a local time that never comes.

    ``before`` shows a time before it, ``after`` one that isn't; the change lies between them.
    """
    while after - before > 1:
        middle = (before + after) // 2
        if local_time(middle, time_zone) < local:
            before = middle
        else:
            after = middle
    return after


def _instant_date(at: Instant) -> datetime:
    return EPOCH + min(max(at, DAY_FIRST * DAY), DAY_LAST * DAY) * MILLISECOND


def _offset(wall: datetime) -> int:
    offset = wall.utcoffset()
    assert offset is not None
    return offset // MILLISECOND
