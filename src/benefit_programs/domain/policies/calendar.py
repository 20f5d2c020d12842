"""Local time of a tenant, as whole numbers.

A local instant is what a wall clock shows, as milliseconds since 1970 without a zone. All of it
is integer arithmetic on top of the zone's offset, so that no instant, however far, is an error:
past the years that a calendar library knows, the offset of the last known day is used.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from benefit_programs.domain.details import RateLimitedPolicy, TimePeriod

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from benefit_programs.domain.values import Instant, LocalDate

MINUTE = 60_000
DAY = 1_440 * MINUTE
MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_ORDINAL = EPOCH.toordinal()
# Two days off both ends of the calendar: no offset leads out of it from there.
DAY_FIRST = date.min.toordinal() - EPOCH_ORDINAL + 2
DAY_LAST = date.max.toordinal() - EPOCH_ORDINAL - 2


def local_time(at: Instant, time_zone: ZoneInfo) -> int:
    """What a wall clock in this zone shows at an instant, in milliseconds since 1970."""
    return at + _offset(_instant_date(at).astimezone(time_zone))


def period_date(policy: RateLimitedPolicy, at: Instant, time_zone: ZoneInfo) -> LocalDate:
    """The local date that the calendar day or month begins with that holds ``at`` in this zone."""
    day = local_time(at, time_zone) // DAY
    return _month_start(day) if policy.time_period is TimePeriod.MONTH else day


def period_start(policy: RateLimitedPolicy, at: Instant, time_zone: ZoneInfo) -> Instant:
    """The first instant of the calendar day or month, in this zone, that holds ``at``.

    It is the same for all instants of the period and never later than any of them: where midnight
    is skipped it is the first instant after the gap, and where midnight comes twice the first one.
    """
    return _day_start(period_date(policy, at, time_zone), time_zone)


def _month_start(day: LocalDate) -> LocalDate:
    inside = min(max(day, DAY_FIRST), DAY_LAST)
    return inside + 1 - date.fromordinal(inside + EPOCH_ORDINAL).day


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
