"""Timetables: the instants at which a program renews, counted from an anchor.

The instants are the anchor and what lies one, two, three ... times the duration after it, each
counted from the anchor itself. So the 31st stays the 31st: in a shorter month it is the last day,
and in the next one the 31st again. Units of the calendar move the wall clock of the time zone,
hours and less are exact. A local time that doesn't exist is the first instant after the gap, and
one that comes twice is the first of the two. Instants that fall together are one.

``shift`` is by how much all of it was moved, in exact milliseconds: a pause that stops the clock
moves each instant by as long as it lasted.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache

import msgspec

from benefit_programs.domain.calendars import Timetable
from benefit_programs.domain.durations import LAST_INSTANT, Span, moved, parse, put_off
from benefit_programs.domain.values import Instant

INSTANTS_MAX = 1_000
"""How many instants a process remembers: many programs renew at the same ones."""


class Place(msgspec.Struct, frozen=True):
    """An instant of a timetable, and how often the duration lies between it and the anchor."""

    index: int
    at: Instant


@lru_cache(maxsize=INSTANTS_MAX)
def instant_at(timetable: Timetable, index: int) -> Instant:
    """The instant with an index, from 0 on; at most the last one of the year 9999."""
    span = parse(timetable.every)
    times = Span(span.months * index, span.days * index, span.milliseconds * index)
    return put_off(moved(timetable.anchor, times, timetable.time_zone), timetable.shift)


def first_after(timetable: Timetable, at: Instant, *, index: int = -1) -> Place | None:
    """The first place after an instant, among those past an index.

    Give the index of the place that was last: if the rules of the zone change and move it, it
    doesn't come a second time. None if the calendar ends before.
    """
    index += 1
    if (found := instant_at(timetable, index)) <= at:
        # Periods are longer than half of the usual length. Only a day that a zone has left out
        # may take one away, and the last instant of the calendar comes again and again.
        usual = parse(timetable.every).usual_milliseconds
        indexes = range(index, index + 2 * (at - found) // usual + 4)
        index += bisect_right(indexes, at, key=lambda each: instant_at(timetable, each))
        found = instant_at(timetable, index)
    return Place(index, found) if found < LAST_INSTANT else None
