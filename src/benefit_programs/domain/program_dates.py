"""The dates of a program: when it renews, pauses, resumes and ends by itself, and what comes next.

Each function gives the program as it is after something has happened to it. ``dated`` then writes
the dates that follow into the columns that queries and runners look at.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Any, NamedTuple

import whenever
from msgspec.structs import replace

from benefit_programs.domain.calendars import (
    AtEnd,
    Calendar,
    ProgramTerms,
    RenewalConfiguration,
    Timetable,
    WhilePaused,
)
from benefit_programs.domain.durations import LAST_INSTANT, instant_of, later, put_off, zoned
from benefit_programs.domain.entities import Program, ProgramStatus
from benefit_programs.domain.scheduled_changes import ChangeKind, ChangeStatus, ScheduledChange
from benefit_programs.domain.timetables import first_after, instant_at
from benefit_programs.domain.values import DAY, Instant, Updates, earliest

YEARS_LOOKED_AT = 9
"""Within how many years the days of one are used up, if they ever are: one of them is a leap year.

Each new year brings all of its days again.
"""


class DateKind(IntEnum):
    """What happens to a program by itself. At one instant the first of these comes first."""

    RESUME = 0
    PAUSE = 1
    END = 2
    RENEWAL = 3
    MISSED_RENEWAL = 4
    """A cycle begins without a renewal, since the program is paused."""


class ProgramDate(NamedTuple):
    """What happens to a program at an instant; ``change`` is what somebody has scheduled."""

    at: Instant
    kind: DateKind
    change: ScheduledChange | None = None


_KINDS = {
    ChangeKind.PAUSE: DateKind.PAUSE,
    ChangeKind.RESUME: DateKind.RESUME,
    ChangeKind.END: DateKind.END,
}


def dates_ahead(program: Program, changes: Iterable[ScheduledChange] = ()) -> list[ProgramDate]:
    """The next of each thing that happens to a program by itself, in their order."""
    calendar = program.calendar
    if calendar is None or program.status is ProgramStatus.ENDED:
        return []
    found = [
        ProgramDate(each.date, _KINDS[each.kind], each)
        for each in changes
        if each.status is ChangeStatus.WAITING
    ]
    is_paused = calendar.paused_since is not None
    if is_paused and (resumes := resumes_at(calendar)) is not None:
        found.append(ProgramDate(resumes, DateKind.RESUME))
    if not is_paused or calendar.while_paused is WhilePaused.RUN:
        end = earliest(calendar.ends, calendar.last_end)
        if end is not None:
            found.append(ProgramDate(end, DateKind.END))
        if program.next_renewal is not None:
            kind = DateKind.MISSED_RENEWAL if is_paused else DateKind.RENEWAL
            found.append(ProgramDate(program.next_renewal, kind))
    return sorted(found, key=lambda each: each[:2])


def dated(program: Program, changes: Iterable[ScheduledChange] = ()) -> Program:
    """The program with the instant at which something happens to it next."""
    if program.calendar is None:
        return program
    if program.status is ProgramStatus.ENDED:
        return replace(program, due=None, next_renewal=None)
    # What goes on in the background comes to its end first.
    is_busy = program.target_status is not None
    following = [] if is_busy else dates_ahead(program, changes)
    return replace(program, due=following[0].at if following else None)


def begun(program: Program, terms: ProgramTerms | None, now: Instant, time_zone: str) -> Program:
    """A program that begins now, with the dates that its terms give it."""
    if terms is None:
        return program
    renewal = terms.renewal_configuration
    zone = (renewal and renewal.time_zone) or time_zone
    is_paused = ProgramStatus.PAUSED in {program.status, program.target_status}
    calendar = Calendar(
        time_zone=zone,
        timetable=timetable_of(renewal, now, zone) if renewal else None,
        ends=later(now, terms.ends_after, zone) if terms.ends_after else terms.end_date,
        while_paused=terms.while_paused or WhilePaused.RUN,
        paused_days_max=terms.paused_days_max,
        paused_since=now if is_paused else None,
    )
    return in_cycle(replace(program, calendar=calendar), 1, now)


def timetable_of(renewal: RenewalConfiguration, now: Instant, time_zone: str) -> Timetable:
    """The timetable that begins now; its anchor is now, too, unless another one is given."""
    return Timetable(
        every=renewal.every,
        anchor=now if renewal.anchor is None else renewal.anchor,
        time_zone=renewal.time_zone or time_zone,
        cycles=renewal.cycles,
        at_end=renewal.at_end or AtEnd.END,
    )


def with_calendar(program: Program, now: Instant, time_zone: str) -> Program:
    """A program that may be given dates, also where it had none until now."""
    if program.calendar is not None:
        return program
    is_paused = (program.target_status or program.status) is ProgramStatus.PAUSED
    calendar = Calendar(time_zone=time_zone, paused_since=now if is_paused else None)
    return replace(program, calendar=calendar)


def differing(program: Program, updates: Updates) -> dict[str, Any]:
    """What an update says of a program's dates that isn't so already."""
    calendar = program.calendar or Calendar(time_zone="")
    renewal = updates.get("renewal_configuration")
    same = {
        "renewal_configuration": _says(renewal, calendar.timetable),
        "end_date": updates.get("end_date") == program.end_date,
        "while_paused": (updates.get("while_paused") or WhilePaused.RUN) is calendar.while_paused,
        "paused_days_max": updates.get("paused_days_max") == calendar.paused_days_max,
    }
    return {name: value for name, value in updates.items() if not same.get(name, True)}


def changed(program: Program, updates: Updates, now: Instant) -> Program:
    """The program with other terms. Another timetable begins now, with cycle 1."""
    calendar = program.calendar
    assert calendar is not None
    calendar = replace(
        calendar,
        ends=updates.get("end_date", calendar.ends),
        while_paused=updates.get("while_paused", calendar.while_paused) or WhilePaused.RUN,
        paused_days_max=updates.get("paused_days_max", calendar.paused_days_max),
    )
    program = replace(program, calendar=calendar)
    if "renewal_configuration" in updates:
        renewal: RenewalConfiguration | None = updates["renewal_configuration"]
        if renewal is None:
            bare = replace(calendar, timetable=None, cycle=0, cycle_start=0, last_end=None)
            return _until(program, bare, None)
        timetable = timetable_of(renewal, now, calendar.time_zone)
        calendar = replace(calendar, timetable=timetable, time_zone=timetable.time_zone)
        return in_cycle(replace(program, calendar=calendar), 1, now)
    return in_cycle(program, calendar.cycle, calendar.cycle_start, index=calendar.index - 1)


def _says(renewal: RenewalConfiguration | None, timetable: Timetable | None) -> bool:
    """Whether a configuration says no more than a timetable has."""
    if renewal is None or timetable is None:
        return renewal is None and timetable is None
    stated = timetable_of(renewal, timetable.anchor, timetable.time_zone)
    return stated == replace(timetable, shift=0)


def in_cycle(program: Program, number: int, at: Instant, *, index: int = -1) -> Program:
    """The program with a cycle that begins at an instant; the next one begins by the timetable."""
    calendar = program.calendar
    assert calendar is not None
    timetable = calendar.timetable
    if timetable is None:
        return _until(program, calendar, None)
    place = first_after(timetable, at, index=index)
    following = None if place is None else place.at
    is_last = timetable.cycles is not None and number >= timetable.cycles
    ends = is_last and timetable.at_end is AtEnd.END
    calendar = replace(
        calendar,
        index=calendar.index if place is None else place.index,
        cycle=number,
        cycle_start=at,
        last_end=following if ends else None,
    )
    return _until(program, calendar, None if is_last else following)


def renewed(program: Program, at: Instant) -> Program:
    """The program in its next cycle."""
    calendar = program.calendar
    assert calendar is not None
    return in_cycle(program, calendar.cycle + 1, at, index=calendar.index)


def restarted(program: Program, at: Instant) -> Program:
    """The program in the first cycle of its timetable, which is counted from an instant anew.

    If a pause has stopped the clock, it is counted from the end of the pause.
    """
    calendar = program.calendar
    assert calendar is not None
    assert calendar.timetable is not None
    stopped = calendar.paused_since if stops_clock(program) else None
    begin = at if stopped is None else stopped
    timetable = replace(calendar.timetable, anchor=begin, shift=0)
    calendar = replace(calendar, timetable=timetable)
    after = in_cycle(replace(program, calendar=calendar), 1, begin)
    assert after.calendar is not None
    return replace(after, calendar=replace(after.calendar, cycle_start=at))


def paused(program: Program, at: Instant, until: Instant | None = None) -> Program:
    if program.calendar is None:
        return program
    calendar = replace(program.calendar, paused_since=at, paused_until=until)
    return replace(program, calendar=calendar)


def resumed(program: Program, at: Instant) -> Program:
    """The program after a pause; if that has stopped the clock, all dates are as much later."""
    calendar = program.calendar
    if calendar is None or calendar.paused_since is None:
        return program
    since = calendar.paused_since
    year = _year_of(at, calendar.time_zone)
    used = calendar.paused if year == calendar.paused_year else 0
    used += at - max(since, _start_of(year, calendar.time_zone))
    calendar = replace(
        calendar, paused_since=None, paused_until=None, paused_year=year, paused=used
    )
    if calendar.while_paused is WhilePaused.RUN:
        return replace(program, calendar=calendar)
    timetable, by = calendar.timetable, at - since
    calendar = replace(
        calendar,
        timetable=timetable and replace(timetable, shift=timetable.shift + by),
        ends=_moved(calendar.ends, by),
        last_end=_moved(calendar.last_end, by),
    )
    return _until(program, calendar, _moved(program.next_renewal, by))


def has_paused_days(program: Program, at: Instant) -> bool:
    """Whether a program may be paused from an instant on, for any time at all."""
    if program.calendar is None:
        return True
    end = resumes_at(replace(program.calendar, paused_since=at, paused_until=None))
    return end is None or end > at


def stops_clock(program: Program) -> bool:
    """Whether a pause stops the clock of the program's dates."""
    return program.calendar is not None and program.calendar.while_paused is WhilePaused.STOP


def _until(program: Program, calendar: Calendar, next_renewal: Instant | None) -> Program:
    """The program with its next renewal, unless it ends before or then."""
    end = earliest(calendar.ends, calendar.last_end)
    if end is not None and next_renewal is not None and end <= next_renewal:
        next_renewal = None
    end = earliest(end, None if next_renewal is None else _end_of_cycles(calendar))
    return replace(program, calendar=calendar, next_renewal=next_renewal, end_date=end)


def _end_of_cycles(calendar: Calendar) -> Instant | None:
    """When the last cycle will be over, as far as it can be known before it has begun."""
    timetable = calendar.timetable
    if timetable is None or timetable.cycles is None or timetable.at_end is AtEnd.STAY:
        return None
    end = instant_at(timetable, calendar.index + timetable.cycles - calendar.cycle)
    return end if end < LAST_INSTANT else None


def _moved(at: Instant | None, by: int) -> Instant | None:
    return None if at is None else put_off(at, by)


# Pauses and the days of a year.


def resumes_at(calendar: Calendar) -> Instant | None:
    """When a paused program resumes by itself: as it was said, or when its days are used up."""
    return earliest(calendar.paused_until, days_end(calendar))


def days_end(calendar: Calendar) -> Instant | None:
    """When the pause that is on has used up the days of its calendar year, if it ever does."""
    since, days = calendar.paused_since, calendar.paused_days_max
    if since is None or days is None:
        return None
    first = _year_of(since, calendar.time_zone)
    left = days * DAY - (calendar.paused if first == calendar.paused_year else 0)
    for year in range(first, first + YEARS_LOOKED_AT):
        new_year = _start_of(year + 1, calendar.time_zone)
        if since + left < new_year:
            return since + max(left, 0)
        since, left = new_year, days * DAY
    return None


def _year_of(at: Instant, time_zone: str) -> int:
    return zoned(at, time_zone).year


def _start_of(year: int, time_zone: str) -> Instant:
    """The first instant of a year. No year comes after the last of the calendar."""
    if year > whenever.Date.MAX.year:
        return LAST_INSTANT + 1
    return instant_of(whenever.PlainDateTime(year, 1, 1), time_zone)
