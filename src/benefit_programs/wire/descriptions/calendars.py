"""What the fields about dates of programs hold. See ``descriptions``."""

from __future__ import annotations

from typing import Any

from benefit_programs.domain import calendar_errors
from benefit_programs.domain.calendars import RenewalConfiguration
from benefit_programs.wire.descriptions.calendar_fields import OF_DEFINITION, OF_PROGRAM
from benefit_programs.wire.types import calendars, program_definitions, programs

OF_CALENDARS: dict[type[Any], dict[str, str]] = {
    RenewalConfiguration: {
        "anchor": (
            "The instant that the renewals are counted from: it, and what lies once, twice, ..."
            " `every` after it. Default: when the program is provisioned."
        ),
        "at_end": "What becomes of it after its last cycle: it ends, or stays. Default: END.",
        "cycles": "How many cycles there are, the first one included. Absent: no end of them.",
        "every": "How long a cycle is: P1M, P2W, P1Y. At least an hour.",
        "time_zone": (
            "The IANA name of the time zone whose days, months and years count. Default: the"
            " tenant's when the program is provisioned."
        ),
    },
    calendar_errors.EndDatePassed: {
        "end_date": "The `endDate` of the program definition.",
    },
    calendar_errors.ProgramDatesFixed: {
        "fields": "The fields that can't be changed now.",
    },
    calendars.Cycle: {
        "end_date": "When it ends: the next renewal, or the end of the program. Absent: open.",
        "number": "The number of the cycle: 1 for the first one.",
        "start_date": "When it began.",
    },
    calendars.CreditsAtRenewal: {
        "amount": "The credits that come. Absent if the pool ends.",
        "balance_cap": "The largest amount of unused credits that rolls over. Absent: no cap.",
        "ends_pool": "Whether the pool ends with this renewal. Absent: it doesn't.",
        "expiration_date": "When these credits expire. Absent: never.",
        "percent": "What share of the unused credits rolls over, in percent. Absent: 100.",
        "rolls_over": "Whether unused credits roll over.",
    },
    calendars.TimetableDate: {
        "credits": (
            "What the renewal does to the credits of each pool, as things are now. Absent if"
            " nothing renews, or if the program has more than 20 pools."
        ),
        "cycle_number": "The cycle that the program is in then. Absent if it has no timetable.",
        "date": "When it happens.",
        "kind": "What happens.",
        "local_date": "The same on the wall clock of the time zone, with its offset.",
        "reason": "Why then, in words.",
        "scheduled_change_id": "The scheduled change that it comes from. Absent: none.",
    },
    calendars.GetProgramTimetableRequest: {"limit": "How many instants. Default: 24."},
    calendars.PreviewTimetableRequest: {
        **OF_DEFINITION,
        "from_date": "When the program would be provisioned. Default: now.",
        "limit": "How many instants. Default: 24.",
    },
    calendars.TimetableResponse: {
        "dates": "What happens, in its order. Empty if nothing does.",
        "time_zone": "The IANA name of the program's time zone.",
    },
    program_definitions.ProgramDefinition: OF_DEFINITION,
    program_definitions.NewProgramDefinition: OF_DEFINITION,
    program_definitions.ProgramDefinitionChange: OF_DEFINITION,
    programs.ProgramChange: {
        **OF_PROGRAM,
        "end_date": "When it ends by itself. Null: never.",
        "renewal_configuration": (
            "When it renews by itself. A changed one begins a new timetable now, with cycle 1."
            " Null: never."
        ),
    },
    programs.RenewProgramRequest: {
        "restart_timetable": (
            "Whether the timetable begins anew, counted from now, with cycle 1. Default: false."
        ),
    },
}
