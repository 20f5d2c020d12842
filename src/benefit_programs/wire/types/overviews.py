"""What a member has, in one answer."""

from __future__ import annotations

import msgspec

from benefit_programs.domain.entities import PoolStatus, ProgramStatus
from benefit_programs.domain.explanations import BalanceAmount
from benefit_programs.wire.types.calendars import Cycle
from benefit_programs.wire.types.common import (
    Amount,
    BenefitKey,
    EntityId,
    ExternalId,
    IdentificationData,
    Namespace,
    Number,
    PoolName,
    ProgramName,
    Timestamp,
)
from benefit_programs.wire.types.lots import Lot
from benefit_programs.wire.types.people import Person


class GetOverviewRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read all that a beneficiary has: programs that haven't ended, pools, credits, benefits.

    A member's key is answered for that member, whoever is named.
    """

    beneficiary: IdentificationData
    namespace: Namespace | None = None


class OverviewBenefit(msgspec.Struct, frozen=True, kw_only=True):
    """A benefit, and for how many items the credits are enough."""

    benefit_key: BenefitKey | None = None
    display_name: str | None = None
    price: Amount | None = None
    is_usable: bool | None = None
    payable_count: Number | None = None


class OverviewReservation(msgspec.Struct, frozen=True, kw_only=True):
    """Credits that are set aside for items until a date."""

    id: EntityId | None = None
    count: Number | None = None
    amount: Amount | None = None
    expiration_date: Timestamp | None = None
    external_reference: str | None = None


class NextExpiry(msgspec.Struct, frozen=True, kw_only=True):
    """When credits end next, and how many."""

    date: Timestamp | None = None
    amount: Amount | None = None


class OverviewPool(msgspec.Struct, frozen=True, kw_only=True):
    """A pool as it is now."""

    id: EntityId | None = None
    display_name: PoolName | None = None
    status: PoolStatus | None = None
    unit_display_name: str | None = None
    amount: BalanceAmount | None = None
    benefits: tuple[OverviewBenefit, ...] | None = None
    lots: tuple[Lot, ...] | None = None
    reservations: tuple[OverviewReservation, ...] | None = None
    next_expiry: NextExpiry | None = None


class OverviewProgram(msgspec.Struct, frozen=True, kw_only=True):
    """A program that hasn't ended, with its pools, the oldest first."""

    id: EntityId | None = None
    external_id: ExternalId | None = None
    display_name: ProgramName | None = None
    namespace: Namespace | None = None
    status: ProgramStatus | None = None
    next_renewal_date: Timestamp | None = None
    cycle: Cycle | None = None
    end_date: Timestamp | None = None
    paused_until_date: Timestamp | None = None
    pools: tuple[OverviewPool, ...] | None = None


class GetOverviewResponse(msgspec.Struct, frozen=True, kw_only=True):
    """What the beneficiary has, the oldest program first."""

    beneficiary: IdentificationData | None = None
    person: Person | None = None
    date: Timestamp | None = None
    programs: tuple[OverviewProgram, ...] | None = None
    has_more: bool | None = None
