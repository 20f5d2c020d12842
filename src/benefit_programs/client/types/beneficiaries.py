"""Beneficiaries: the people who have programs."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from benefit_programs.client.generated.enums import LotOrigin, LotStatus, ReservationStatus
from benefit_programs.client.types.base import Part
from benefit_programs.client.types.identities import Identity
from benefit_programs.client.types.jobs import Job, JobItem
from benefit_programs.client.types.ledger import Balance, Transaction
from benefit_programs.client.types.people import Person
from benefit_programs.client.types.pools import Pool
from benefit_programs.client.types.programs import Program


class Erasure(Part, frozen=True, kw_only=True):
    """The job that erases a beneficiary, and the pseudonym that stands for them from now on."""

    job_id: str
    beneficiary: Identity


class Merge(Part, frozen=True, kw_only=True):
    """The job that gives a beneficiary what a visitor had."""

    job_id: str


class UsedRateLimit(Part, frozen=True, kw_only=True):
    """How often a rate limit of a pool was used, under a date or at an instant if it rolls."""

    pool_id: str
    quota_id: str
    period_start: str | None = None
    used_at: datetime | None = None
    used: int = 0


class KeptLot(Part, frozen=True, kw_only=True):
    """A lot as it is stored, also one that is spent or has lapsed."""

    id: str
    pool_id: str
    created_date: datetime
    origin: LotOrigin
    status: LotStatus
    granted: Decimal
    available: Decimal
    reserved: Decimal
    effective_date: datetime
    expiration_date: datetime | None = None
    display_name: str | None = None
    external_reference: str | None = None
    additional_data: dict[str, Any] | None = None


class KeptReservation(Part, frozen=True, kw_only=True):
    """A reservation as it is stored, also one that is over."""

    id: str
    pool_id: str
    created_date: datetime
    status: ReservationStatus
    count: int
    captured_count: int
    price: Decimal
    expiration_date: datetime
    external_reference: str | None = None


class KeptEvent(Part, frozen=True, kw_only=True):
    """An event as it is stored."""

    id: str
    created_date: datetime
    entity: str
    entity_id: str
    sequence: int
    slug: str
    body: dict[str, Any] = msgspec.field(default_factory=dict)
    transaction_id: str | None = None


class KeptRecord(Part, frozen=True, kw_only=True):
    """One thing that is kept of a beneficiary: one of these fields, or two that belong together."""

    person: Person | None = None
    program: Program | None = None
    pool: Pool | None = None
    balance: Balance | None = None
    """That of the pool."""
    transaction: Transaction | None = None
    used_rate_limit: UsedRateLimit | None = None
    lot: KeptLot | None = None
    reservation: KeptReservation | None = None
    event: KeptEvent | None = None
    job: Job | None = None
    job_items: tuple[JobItem, ...] = ()
    """What the job did with the beneficiary's programs and pools."""
