"""Beneficiaries: the people who have programs."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from benefit_programs.domain.constraints import FreeForm
from benefit_programs.domain.entities import LotOrigin, LotStatus, ReservationStatus
from benefit_programs.wire.types.async_jobs import Job, JobItem
from benefit_programs.wire.types.balances import Balance
from benefit_programs.wire.types.common import (
    Amount,
    AuditReason,
    CursorPaging,
    CursorPagingMetadata,
    EntityId,
    IdentificationData,
    Number,
    Timestamp,
)
from benefit_programs.wire.types.people import Person
from benefit_programs.wire.types.pools import Pool
from benefit_programs.wire.types.programs import Program
from benefit_programs.wire.types.transactions import Transaction


class EraseBeneficiaryRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Remove all that is personal about a beneficiary: names, free text, the identity itself.

    Their programs end. The identity becomes a pseudonym, always the same for the same person, and
    the books stay as they are. A job does it; to ask again does no harm.
    """

    beneficiary: IdentificationData


class EraseBeneficiaryResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The job, and the pseudonym that replaces the identity."""

    job_id: EntityId | None = None
    beneficiary: IdentificationData | None = None


class MergeBeneficiaryRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Give all that an anonymous visitor has to the member that the visitor turned out to be.

    Programs and pools with their balances, transactions and used rate limits become the
    beneficiary's. It is done within the request, or by a job if it is much. To ask again does no
    harm.
    """

    visitor: IdentificationData
    beneficiary: IdentificationData
    reason: AuditReason | None = None


class MergeBeneficiaryResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The job that did it, or does it."""

    job_id: EntityId | None = None


class UsedRateLimit(msgspec.Struct, frozen=True, kw_only=True):
    """How often a rate limit of a pool was used in one period, or at one instant if it rolls."""

    pool_id: EntityId | None = None
    quota_id: EntityId | None = None
    period_start: str | None = None
    used_at: Timestamp | None = None
    used: Number | None = None


class KeptLot(msgspec.Struct, frozen=True, kw_only=True):
    """A lot as it is stored, also one that is spent or has lapsed."""

    id: EntityId | None = None
    pool_id: EntityId | None = None
    created_date: Timestamp | None = None
    origin: LotOrigin | None = None
    status: LotStatus | None = None
    granted: Amount | None = None
    available: Amount | None = None
    reserved: Amount | None = None
    effective_date: Timestamp | None = None
    expiration_date: Timestamp | None = None
    display_name: str | None = None
    external_reference: str | None = None
    additional_data: Annotated[dict[str, Any], FreeForm()] | None = None


class KeptReservation(msgspec.Struct, frozen=True, kw_only=True):
    """A reservation as it is stored, also one that is over."""

    id: EntityId | None = None
    pool_id: EntityId | None = None
    created_date: Timestamp | None = None
    status: ReservationStatus | None = None
    count: Number | None = None
    captured_count: Number | None = None
    price: Amount | None = None
    expiration_date: Timestamp | None = None
    external_reference: str | None = None


class KeptEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it is stored."""

    id: EntityId | None = None
    created_date: Timestamp | None = None
    entity: str | None = None
    entity_id: EntityId | None = None
    sequence: Number | None = None
    slug: str | None = None
    body: Annotated[dict[str, Any], FreeForm()] | None = None
    transaction_id: EntityId | None = None


class KeptRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is kept of a beneficiary: one of these fields, or two that belong together.

    A pool has its balance beside it, a job those of its items that name the beneficiary's programs
    and pools.
    """

    person: Person | None = None
    program: Program | None = None
    pool: Pool | None = None
    balance: Balance | None = None
    transaction: Transaction | None = None
    used_rate_limit: UsedRateLimit | None = None
    lot: KeptLot | None = None
    reservation: KeptReservation | None = None
    event: KeptEvent | None = None
    job: Job | None = None
    job_items: tuple[JobItem, ...] | None = None


class ExportBeneficiaryRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read all that is kept of a beneficiary, page by page.

    Who it is comes first, then programs, pools with their balances, transactions, used rate limits,
    lots, reservations, events, and what jobs did with them. A page may have few records or none,
    although more follow.
    """

    beneficiary: IdentificationData
    cursor_paging: CursorPaging | None = None


class ExportBeneficiaryResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of what is kept of a beneficiary."""

    records: tuple[KeptRecord, ...] | None = None
    metadata: CursorPagingMetadata | None = None
