"""The periods that a statement is divided into: days, weeks or months of a time zone."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import whenever

from benefit_programs.domain.durations import instant_of, zoned
from benefit_programs.domain.values import Instant

PERIODS_MAX = 400
"""How many periods a statement may have."""


class Interval(StrEnum):
    """How long the periods of a statement are, in the tenant's time zone."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


def edges(since: Instant, to: Instant, by: Interval, time_zone: str) -> Iterator[Instant]:
    """The beginnings of the periods of a time: its own, and all that are between."""
    yield since
    day = zoned(since, time_zone).date()
    if by is Interval.WEEK:
        day = day.subtract(days=day.day_of_week().value - 1)
    elif by is Interval.MONTH:
        day = day.replace(day=1)
    while (start := instant_of(day.at(whenever.Time()), time_zone)) < to:
        if start > since:
            yield start
        day = day.add(**_STEPS[by])


_STEPS = {Interval.DAY: {"days": 1}, Interval.WEEK: {"days": 7}, Interval.MONTH: {"months": 1}}
