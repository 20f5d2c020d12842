"""Refusals of what concerns the dates of programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from benefit_programs.domain.constraints import InstantText
from benefit_programs.domain.entities import ProgramStatus
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
    status: str


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


@dataclass(kw_only=True, eq=False)
class EndDatePassed(Refusal):
    """The end of the program definition's programs has passed: give the program another endDate."""

    code: ClassVar[str] = "END_DATE_PASSED"

    program_definition_id: str
    end_date: Annotated[int, InstantText()]


@dataclass(kw_only=True, eq=False)
class ProgramDatesFixed(Refusal):
    """These dates can't be changed now: the program has ended, or is paused."""

    code: ClassVar[str] = "PROGRAM_DATES_FIXED"

    fields: tuple[str, ...]
    current_status: ProgramStatus
