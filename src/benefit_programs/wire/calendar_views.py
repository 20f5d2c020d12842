"""What answers show of the dates of programs; of programs without dates nothing."""

from __future__ import annotations

from typing import Any

from benefit_programs.domain.calendars import TERMS, Calendar, ProgramTerms
from benefit_programs.domain.entities import Program
from benefit_programs.domain.outlook import CreditsAtRenewal, Outlook, OutlookDate
from benefit_programs.domain.program_dates import resumes_at
from benefit_programs.domain.values import earliest
from benefit_programs.wire.types import calendars as wire


def terms(stated: ProgramTerms | None) -> dict[str, Any]:
    """The fields of a program definition that say what dates its programs get."""
    return {} if stated is None else {name: getattr(stated, name) for name in TERMS}


def dates(row: Program) -> dict[str, Any]:
    """The fields of a program that are about its dates."""
    calendar = row.calendar
    if calendar is None:
        return {}
    return {
        "renewal_configuration": calendar.timetable and calendar.timetable.configuration,
        "end_date": row.end_date,
        "while_paused": calendar.while_paused,
        "paused_days_max": calendar.paused_days_max,
        "next_renewal_date": row.next_renewal,
        "cycle": _cycle(row, calendar),
        "paused_since_date": calendar.paused_since,
        "paused_until_date": resumes_at(calendar) if calendar.paused_since is not None else None,
    }


def dates_ahead(row: Program) -> dict[str, Any]:
    """The fields that say what comes next."""
    names = ("next_renewal_date", "cycle", "end_date", "paused_until_date")
    return {name: value for name, value in dates(row).items() if name in names}


def _cycle(row: Program, calendar: Calendar) -> wire.Cycle | None:
    if calendar.timetable is None:
        return None
    return wire.Cycle(
        number=calendar.cycle,
        start_date=calendar.cycle_start,
        end_date=earliest(row.next_renewal, row.end_date),
    )


def timetable(outlook: Outlook) -> wire.TimetableResponse:
    return wire.TimetableResponse(
        time_zone=outlook.time_zone, dates=tuple(map(_date, outlook.dates))
    )


def _date(date: OutlookDate) -> wire.TimetableDate:
    return wire.TimetableDate(
        date=date.at,
        local_date=date.local,
        kind=wire.TimetableKind[date.kind.name],
        cycle_number=date.cycle or None,
        reason=date.reason,
        scheduled_change_id=date.change_id,
        credits=tuple(map(_credits, date.credits)) or None,
    )


def _credits(brought: CreditsAtRenewal) -> wire.CreditsAtRenewal:
    return wire.CreditsAtRenewal(
        pool_id=brought.pool_id,
        amount=brought.amount,
        expiration_date=brought.expiration_date,
        rolls_over=brought.rolls_over,
        balance_cap=brought.balance_cap,
        percent=brought.percent,
        ends_pool=brought.ends_pool or None,
    )
