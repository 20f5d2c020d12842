"""The cycles of a program's timetable, as rate limits count in them. Contract: none; an addition.

A cycle is named by its first instant, without the time by which pauses have moved it. So a pause
that stops the clock keeps what was used, and a timetable that begins anew counts anew. A renewal by
hand that leaves the timetable alone leaves the counts alone too.
"""

from __future__ import annotations

from benefit_programs.domain.calendars import Calendar
from benefit_programs.domain.durations import LAST_INSTANT
from benefit_programs.domain.policies.facts import ALL_TIME, Cycle
from benefit_programs.domain.timetables import first_after, instant_at
from benefit_programs.domain.values import Instant


def cycle_at(calendar: Calendar | None, at: Instant) -> Cycle:
    """The cycle of a program that holds an instant.

    All that comes before the first instant of the timetable is one, and so is all time without one.
    """
    timetable = calendar.timetable if calendar else None
    if calendar is None or timetable is None:
        return ALL_TIME
    following = first_after(timetable, at)
    indexes = [] if following is None else [following.index - 1]
    if timetable.cycles is not None:
        indexes.append(calendar.index - 1 + timetable.cycles - calendar.cycle)
    if not indexes:
        return Cycle(LAST_INSTANT, None)
    index = min(indexes)
    begin = calendar.cycle_start
    if index < 0:
        return Cycle(ALL_TIME.key, begin if begin <= at else None)
    start = instant_at(timetable, index)
    # A program may have begun in the midst of a period.
    return Cycle(start - timetable.shift, begin if start < begin <= at else start)
