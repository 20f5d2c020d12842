"""Calendars: when programs renew and end, and what happens next."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec

from benefit_programs.domain.calendars import (
    PAUSED_DAYS_MAX,
    RenewalConfiguration,
    WhilePaused,
)
from benefit_programs.domain.constraints import Addition, Duration, Int32, OneOf
from benefit_programs.domain.outlook import DATES_MAX
from benefit_programs.wire.types.common import Amount, EntityId, Number, Timestamp

EitherEnd = OneOf(("end_date", "ends_after"), required=False)
"""A program ends at a date or after a time, not both."""

Renewals = Annotated[RenewalConfiguration, Addition()]
EndDate = Annotated[Timestamp, Addition()]
EndsAfter = Annotated[str, Duration(), Addition()]
Pausing = Annotated[WhilePaused, Addition()]
PausedDaysMax = Annotated[int, Int32(minimum=1, maximum=PAUSED_DAYS_MAX), Addition()]
DateLimit = Annotated[int, Int32(minimum=1, maximum=DATES_MAX)]


class Cycle(msgspec.Struct, frozen=True, kw_only=True):
    """The current cycle of a program. It has no end if nothing says when it ends."""

    number: Number | None = None
    start_date: Timestamp | None = None
    end_date: Timestamp | None = None


class TimetableKind(StrEnum):
    """What happens to a program by itself."""

    RESUME = "RESUME"
    PAUSE = "PAUSE"
    END = "END"
    RENEWAL = "RENEWAL"
    MISSED_RENEWAL = "MISSED_RENEWAL"
    """A cycle begins without a renewal, since the program is paused."""


class CreditsAtRenewal(msgspec.Struct, frozen=True, kw_only=True):
    """What a renewal does to the credits of a pool, as things are now."""

    pool_id: EntityId | None = None
    amount: Amount | None = None
    expiration_date: Timestamp | None = None
    rolls_over: bool | None = None
    balance_cap: Amount | None = None
    percent: Amount | None = None
    ends_pool: bool | None = None


class TimetableDate(msgspec.Struct, frozen=True, kw_only=True):
    """What happens at one instant, and why."""

    date: Timestamp | None = None
    local_date: str | None = None
    kind: TimetableKind | None = None
    cycle_number: Number | None = None
    reason: str | None = None
    scheduled_change_id: EntityId | None = None
    credits: tuple[CreditsAtRenewal, ...] | None = None


class GetProgramTimetableRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read what happens to a program by itself: the next instants in their order."""

    program_id: EntityId
    limit: DateLimit | None = None


class PreviewTimetableRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read what would happen to a program that is provisioned with these terms."""

    one_of: ClassVar[OneOf] = EitherEnd

    renewal_configuration: RenewalConfiguration | None = None
    end_date: Timestamp | None = None
    ends_after: Annotated[str, Duration()] | None = None
    while_paused: WhilePaused | None = None
    paused_days_max: Annotated[int, Int32(minimum=1, maximum=PAUSED_DAYS_MAX)] | None = None
    from_date: Timestamp | None = None
    limit: DateLimit | None = None


class TimetableResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The next instants, in the time zone of the program."""

    time_zone: str | None = None
    dates: tuple[TimetableDate, ...] | None = None
