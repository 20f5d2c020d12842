"""What each field of a sandbox's clock holds."""

from __future__ import annotations

from typing import Any

from benefit_programs.wire.types import clock

OF_CLOCK: dict[type[Any], dict[str, str]] = {
    clock.Clock: {
        "date": "What the clock shows.",
        "target_date": "Where it is being set to, if it isn't there yet.",
        "job_id": "The job that goes on with it, if it is much.",
    },
    clock.ClockResponse: {"clock": "The clock as it is now."},
    clock.SetClockRequest: {
        "advance": "By how much to set it forward: an ISO 8601 duration, in the tenant's zone.",
        "date": "What it is to show, not before what it shows now, at most the year 2500.",
    },
}
