"""The dates of a program, as a file states them: its calendar, how far it has come, what waits.

What a row doesn't state isn't so, whatever the program definition says. So a program comes back as
it was, also if it is paused, or late.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.calendars import (
    PAUSED_DAYS_MAX,
    Calendar,
    ProgramTerms,
    RenewalConfiguration,
    Timetable,
    WhilePaused,
)
from benefit_programs.domain.constraints import (
    Duration,
    InstantText,
    Int32,
    Size,
    TimeZone,
)
from benefit_programs.domain.context import Context
from benefit_programs.domain.durations import parse
from benefit_programs.domain.entities import Program, ProgramStatus
from benefit_programs.domain.errors import Invalid
from benefit_programs.domain.program_dates import begun, in_cycle, timetable_of
from benefit_programs.domain.scheduled_changes import (
    CHANGES_OF_PROGRAM_MAX,
    ChangeKind,
    ChangeStatus,
    ProgramChangeKind,
    ScheduledChange,
)
from benefit_programs.domain.timetables import first_after, instant_at
from benefit_programs.domain.values import Instant, earliest

YEAR_MIN, YEAR_MAX = 1970, 9999


class StatedChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change that waits for its date; a pause may say when it ends."""

    kind: ProgramChangeKind
    date: Annotated[Instant, InstantText()]
    until_date: Annotated[Instant, InstantText()] | None = None


class StatedDates(msgspec.Struct, frozen=True, kw_only=True):
    """All dates of a program.

    Its current cycle ends ``cycle_end`` times ``every`` after the anchor. Pauses have moved the
    timetable by ``moved_by``, and used ``paused`` of the days of the ``paused_year``.
    """

    time_zone: Annotated[str, TimeZone()] | None = None
    renewal_configuration: RenewalConfiguration | None = None
    cycle: Annotated[int, Int32(minimum=1)] | None = None
    cycle_start_date: Annotated[Instant, InstantText()] | None = None
    cycle_end: Annotated[int, Int32(minimum=0)] | None = None
    moved_by: Annotated[str, Duration(zero=True, is_fixed=True)] | None = None
    end_date: Annotated[Instant, InstantText()] | None = None
    while_paused: WhilePaused | None = None
    paused_days_max: Annotated[int, Int32(minimum=1, maximum=PAUSED_DAYS_MAX)] | None = None
    paused_since_date: Annotated[Instant, InstantText()] | None = None
    paused_until_date: Annotated[Instant, InstantText()] | None = None
    paused_year: Annotated[int, Int32(minimum=YEAR_MIN, maximum=YEAR_MAX)] | None = None
    paused: Annotated[str, Duration(zero=True, is_fixed=True)] | None = None
    changes: Annotated[tuple[StatedChange, ...], Size(maximum=CHANGES_OF_PROGRAM_MAX)] | None = None

    def as_of(self, now: Instant) -> Instant:
        """The instant up to which all that happens by itself has happened."""
        is_stopped = self.while_paused is WhilePaused.STOP
        timetable, end = self.timetable(now, "UTC"), self.cycle_end
        found = earliest(
            now,
            self.end_date,
            self.paused_since_date if is_stopped else None,
            self.paused_until_date,
            None if timetable is None or end is None else instant_at(timetable, end),
            *(each.date for each in self.changes or ()),
        )
        assert found is not None
        return found

    def timetable(self, now: Instant, time_zone: str) -> Timetable | None:
        if self.renewal_configuration is None:
            return None
        return replace(
            timetable_of(self.renewal_configuration, now, self.time_zone or time_zone),
            shift=_milliseconds(self.moved_by),
        )

    def waiting(self, program: Program, context: Context) -> list[ScheduledChange]:
        """The changes of a program that wait for their dates."""
        return [
            ScheduledChange(
                id=context.new_id(),
                created=context.now,
                updated=context.now,
                kind=ChangeKind(each.kind),
                status=ChangeStatus.WAITING,
                date=each.date,
                program_id=program.id,
                until=each.until_date,
            )
            for each in self.changes or ()
        ]


def stated_dates(program: Program, changes: Iterable[ScheduledChange]) -> StatedDates:
    """The dates of a program as a file states them: of one that has none, nothing."""
    calendar = program.calendar
    if calendar is None:
        return StatedDates()
    timetable = calendar.timetable
    dates = StatedDates(
        time_zone=calendar.time_zone,
        end_date=calendar.ends,
        while_paused=calendar.while_paused,
        paused_days_max=calendar.paused_days_max,
        paused_since_date=calendar.paused_since,
        paused_until_date=calendar.paused_until,
        paused_year=calendar.paused_year or None,
        paused=_duration(calendar.paused),
        changes=_stated(changes) or None,
    )
    if timetable is None:
        return dates
    return replace(
        dates,
        renewal_configuration=timetable.configuration,
        cycle=calendar.cycle,
        cycle_start_date=calendar.cycle_start,
        cycle_end=calendar.index,
        moved_by=_duration(timetable.shift),
    )


def with_stated_dates(program: Program, dates: StatedDates, now: Instant, zone: str) -> Program:
    """A program with exactly these dates. Raises Invalid for those that can't be."""
    if dates == StatedDates():
        return program
    is_paused = program.status is ProgramStatus.PAUSED
    _require_sense(dates, now, is_paused=is_paused)
    timetable = dates.timetable(now, zone)
    since = now if dates.paused_since_date is None else dates.paused_since_date
    calendar = Calendar(
        time_zone=dates.time_zone or (timetable.time_zone if timetable else zone),
        timetable=timetable,
        ends=dates.end_date,
        while_paused=dates.while_paused or WhilePaused.RUN,
        paused_days_max=dates.paused_days_max,
        paused_since=since if is_paused else None,
        paused_until=dates.paused_until_date,
        paused_year=dates.paused_year or 0,
        paused=_milliseconds(dates.paused),
    )
    begin = now if dates.cycle_start_date is None else dates.cycle_start_date
    before, index = begin, -1
    if timetable is not None and dates.cycle_end is not None:
        # A cycle that began anew while the clock stood may begin after its end.
        index = dates.cycle_end - 1
        before = min(begin, instant_at(timetable, dates.cycle_end) - 1)
    after = in_cycle(replace(program, calendar=calendar), dates.cycle or 1, before, index=index)
    assert after.calendar is not None
    if timetable is None:
        return after
    return replace(after, calendar=replace(after.calendar, cycle_start=begin))


def with_next_renewal(
    program: Program, terms: ProgramTerms | None, at: Instant, now: Instant, zone: str
) -> Program:
    """A program that comes from elsewhere, with the terms of its definition: it renews next then.

    A timetable without an anchor is counted from there; another one must have this instant.
    """
    if terms is None or terms.renewal_configuration is None:
        raise _wrong("nextRenewalDate", "the definition has no timetable", "timetable")
    if at <= now:
        raise _wrong("nextRenewalDate", "must be later than now", "in_the_future")
    begins = begun(program, terms, now, zone)
    assert begins.calendar is not None
    assert begins.calendar.timetable is not None
    timetable = begins.calendar.timetable
    if terms.renewal_configuration.anchor is None:
        timetable = replace(timetable, anchor=at)
    place = first_after(timetable, at - 1)
    if place is None or place.at != at:
        raise _wrong("nextRenewalDate", "is no instant of the timetable", "instant_of_timetable")
    calendar = replace(begins.calendar, timetable=timetable)
    return in_cycle(replace(begins, calendar=calendar), 1, now, index=place.index - 1)


def _require_sense(dates: StatedDates, now: Instant, *, is_paused: bool) -> None:
    renewal = dates.renewal_configuration
    of_cycles = (dates.cycle, dates.cycle_start_date, dates.cycle_end, dates.moved_by)
    if renewal is None and any(each is not None for each in of_cycles):
        raise _wrong("dates.renewalConfiguration", "is missing: it has cycles", "timetable")
    if renewal is not None and renewal.cycles is not None and (dates.cycle or 1) > renewal.cycles:
        raise _wrong("dates.cycle", "must be one of the cycles", "cycle_of_timetable")
    if dates.cycle_start_date is not None and dates.cycle_start_date > now:
        raise _wrong("dates.cycleStartDate", "must not be in the future", "cycle_has_begun")
    for name in ("paused_since_date", "paused_until_date"):
        if not is_paused and getattr(dates, name) is not None:
            path = "pausedSinceDate" if name == "paused_since_date" else "pausedUntilDate"
            raise _wrong(f"dates.{path}", "is only for a PAUSED program", "paused")
    if dates.paused_since_date is not None and dates.paused_since_date > now:
        raise _wrong("dates.pausedSinceDate", "must not be in the future", "pause_has_begun")


def _wrong(path: str, description: str, rule_name: str) -> Invalid:
    return Invalid.because(path, description, rule_name=rule_name)


def _stated(changes: Iterable[ScheduledChange]) -> tuple[StatedChange, ...]:
    """The waiting changes in the order of their dates."""
    found = [
        StatedChange(kind=ProgramChangeKind(each.kind), date=each.date, until_date=each.until)
        for each in sorted(changes, key=lambda each: (each.date, each.id))
        if each.status is ChangeStatus.WAITING
    ]
    return tuple(found)


def _duration(milliseconds: int) -> str | None:
    """An exact time as a file states it; nothing for none."""
    if not milliseconds:
        return None
    seconds, rest = divmod(milliseconds, 1000)
    return f"PT{seconds}.{rest:03}S" if rest else f"PT{seconds}S"


def _milliseconds(duration: str | None) -> int:
    return 0 if duration is None else parse(duration).usual_milliseconds
