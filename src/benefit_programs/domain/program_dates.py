"""The dates of a program: when it renews, pauses, resumes and ends by itself, and what comes next.

Each function gives the program as it is after something has happened to it. ``dated`` then writes
the dates that follow into the columns that queries and runners look at.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

import whenever
from msgspec.structs import replace

from benefit_programs.domain.calendars import (
    AtEnd,
    Calendar,
    ProgramTerms,
    Timetable,
    WhilePaused,
)
from benefit_programs.domain.durations import instant_of, later
from benefit_programs.domain.entities import Program, ProgramStatus
from benefit_programs.domain.scheduled_changes import ChangeKind, ChangeStatus, ScheduledChange
from benefit_programs.domain.timetables import first_after
from benefit_programs.domain.values import DAY, Instant

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


def dates_ahead(
    program: Program,
    changes: Iterable[ScheduledChange] = (),
    *,
    status: ProgramStatus | None = None,
) -> list[ProgramDate]:
    """The next of each thing that happens to a program by itself, in their order.

    With ``status`` it is looked at as if it had that one.
    """
    status, calendar = status or program.status, program.calendar
    if calendar is None or status is ProgramStatus.ENDED:
        return []
    found = [
        ProgramDate(each.date, _KINDS[each.kind], each)
        for each in changes
        if each.status is ChangeStatus.WAITING
    ]
    is_paused = calendar.paused_since is not None
    if is_paused and (resumes := _resumes_at(calendar)) is not None:
        found.append(ProgramDate(resumes, DateKind.RESUME))
    if not is_paused or calendar.while_paused is WhilePaused.RUN:
        if program.end_date is not None:
            found.append(ProgramDate(program.end_date, DateKind.END))
        if program.next_renewal is not None:
            kind = DateKind.MISSED_RENEWAL if is_paused else DateKind.RENEWAL
            found.append(ProgramDate(program.next_renewal, kind))
    return sorted(found, key=lambda each: each[:2])


def dated(program: Program, changes: Iterable[ScheduledChange] = ()) -> Program:
    """The program with the instant at which something happens to it next."""
    if program.calendar is None:
        return program
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
        ends=later(now, terms.ends_after, zone) if terms.ends_after else terms.end_date,
        while_paused=terms.while_paused or WhilePaused.RUN,
        paused_days_max=terms.paused_days_max,
        paused_since=now if is_paused else None,
    )
    if renewal is not None:
        timetable = Timetable(
            every=renewal.every,
            anchor=now if renewal.anchor is None else renewal.anchor,
            time_zone=zone,
            cycles=renewal.cycles,
            at_end=renewal.at_end or AtEnd.END,
        )
        calendar = replace(calendar, timetable=timetable)
    return in_cycle(replace(program, calendar=calendar), 1, now)


def in_cycle(program: Program, number: int, at: Instant, *, index: int = 0) -> Program:
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
        index=calendar.index if place is None else place.number,
        cycle=number,
        cycle_start=at,
        last_end=following if ends else None,
    )
    return _until(program, calendar, None if is_last else following)


def renewed(program: Program, at: Instant) -> Program:
    """The program in its next cycle."""
    calendar = program.calendar
    assert calendar is not None
    return in_cycle(program, calendar.cycle + 1, at, index=calendar.index + 1)


def restarted(program: Program, at: Instant) -> Program:
    """The program in the first cycle of its timetable, which is counted from an instant anew."""
    calendar = program.calendar
    if calendar is None or calendar.timetable is None:
        return program
    timetable = replace(calendar.timetable, anchor=at, shift=0)
    return in_cycle(replace(program, calendar=replace(calendar, timetable=timetable)), 1, at)


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
    timetable = calendar.timetable
    # A timetable may have been started anew meanwhile.
    by = at - max(since, calendar.cycle_start)
    calendar = replace(
        calendar,
        timetable=timetable and replace(timetable, shift=timetable.shift + by),
        ends=_moved(calendar.ends, at - since),
        last_end=_moved(calendar.last_end, by),
    )
    return _until(program, calendar, _moved(program.next_renewal, by))


def has_paused_days(program: Program, at: Instant) -> bool:
    """Whether a program may be paused from an instant on, for any time at all."""
    if program.calendar is None:
        return True
    end = _resumes_at(replace(program.calendar, paused_since=at, paused_until=None))
    return end is None or end > at


def stops_clock(program: Program) -> bool:
    """Whether a pause stops the clock of the program's dates."""
    return program.calendar is not None and program.calendar.while_paused is WhilePaused.STOP


def _until(program: Program, calendar: Calendar, next_renewal: Instant | None) -> Program:
    ends = [each for each in (calendar.ends, calendar.last_end) if each is not None]
    return replace(
        program, calendar=calendar, next_renewal=next_renewal, end_date=min(ends, default=None)
    )


def _moved(at: Instant | None, by: int) -> Instant | None:
    return None if at is None else at + by


# Pauses and the days of a year.


def _resumes_at(calendar: Calendar) -> Instant | None:
    """When a paused program resumes by itself: as it was said, or when its days are used up."""
    ends = [each for each in (calendar.paused_until, _days_end(calendar)) if each is not None]
    return min(ends, default=None)


def _days_end(calendar: Calendar) -> Instant | None:
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
    return whenever.Instant.from_timestamp(at, unit="millisecond").to_tz(time_zone).year


def _start_of(year: int, time_zone: str) -> Instant:
    return instant_of(whenever.PlainDateTime(year, 1, 1), time_zone)
