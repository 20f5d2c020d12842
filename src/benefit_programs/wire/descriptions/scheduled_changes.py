"""What each field of changes with a date holds."""

from __future__ import annotations

from typing import Any

from benefit_programs.domain import calendar_errors
from benefit_programs.wire.types import scheduled_changes

_CHANGE = "The id of the change with a date."

OF_SCHEDULED_CHANGES: dict[type[Any], dict[str, str]] = {
    calendar_errors.PausedDaysUsedUp: {
        "paused_days_max": "How many days of a year the program may be paused.",
        "program_id": "The id of the program.",
    },
    calendar_errors.ScheduledChangeNotFound: {"scheduled_change_id": "The id that no change has."},
    calendar_errors.ScheduledChangeOver: {
        "scheduled_change_id": _CHANGE,
        "change_status": "DONE, REFUSED or WITHDRAWN.",
    },
    calendar_errors.TooManyScheduledChanges: {
        "maximum": "How many changes of one program or pool definition may wait."
    },
    scheduled_changes.ScheduledChange: {
        "cascade_type": (
            "What a CASCADE does at its date: IMMEDIATELY it reaches pools and programs,"
            " NEXT_RENEWAL it marks them."
        ),
        "created_date": "When it was asked for.",
        "date": "When it happens.",
        "id": _CHANGE,
        "kind": (
            "PAUSE, RESUME or END of a program, or CASCADE: a changed definition reaches what was"
            " made from it before."
        ),
        "pool_definition_id": "The pool definition of a CASCADE. Absent if it has none.",
        "program_definition_id": (
            "The program definition of a CASCADE. Absent if it concerns none, or several."
        ),
        "program_id": "The program that changes. Absent for a CASCADE.",
        "reason": "The code of what has refused it. Absent unless it was REFUSED.",
        "status": (
            "WAITING until its date, then DONE, or REFUSED if it couldn't be done; WITHDRAWN if"
            " somebody took it back, or the program ended before."
        ),
        "until_date": "When a PAUSE ends by itself. Absent: when somebody resumes the program.",
        "updated_date": "When it last changed.",
    },
    scheduled_changes.ScheduleProgramChangeRequest: {
        "date": "When it happens: later than now.",
        "kind": "What happens.",
        "program_id": "The program that changes.",
        "until_date": (
            "When a PAUSE ends by itself: later than `date`. Absent: when somebody resumes the"
            " program."
        ),
    },
    scheduled_changes.ScheduleProgramChangeResponse: {"scheduled_change": "The change."},
    scheduled_changes.GetScheduledChangeRequest: {"scheduled_change_id": "The change to read."},
    scheduled_changes.WithdrawScheduledChangeRequest: {
        "scheduled_change_id": "The change to withdraw."
    },
    scheduled_changes.QueryScheduledChangesResponse: {
        "scheduled_changes": "The changes of this page."
    },
}
