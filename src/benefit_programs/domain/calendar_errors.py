"""Refusals of what concerns the dates of programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from benefit_programs.domain.errors import NotFound, Refusal


@dataclass(kw_only=True, eq=False)
class ScheduledChangeNotFound(NotFound):
    """No change with a date has this id."""

    code: ClassVar[str] = "SCHEDULED_CHANGE_NOT_FOUND"

    scheduled_change_id: str


@dataclass(kw_only=True, eq=False)
class ScheduledChangeOver(Refusal):
    """The change no longer waits: it was done, refused or withdrawn."""

    code: ClassVar[str] = "SCHEDULED_CHANGE_OVER"

    scheduled_change_id: str
    change_status: str


@dataclass(kw_only=True, eq=False)
class TooManyScheduledChanges(Refusal):
    """As many changes wait for their dates as may."""

    code: ClassVar[str] = "TOO_MANY_SCHEDULED_CHANGES"

    maximum: int


@dataclass(kw_only=True, eq=False)
class PausedDaysUsedUp(Refusal):
    """The program was paused for as many days of this year as its terms allow."""

    code: ClassVar[str] = "PAUSED_DAYS_USED_UP"

    program_id: str
    paused_days_max: int | None
