"""Lots: credits of a pool that came together and share one fate."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from benefit_programs.client.generated.enums import LotOrigin, LotStatus
from benefit_programs.client.types.base import Part
from benefit_programs.client.types.identities import Identity
from benefit_programs.client.types.ledger import Balance


class Lot(Part, frozen=True, kw_only=True):
    """Credits of one pool that share one fate. The standard lot of a pool has the pool's id."""

    id: str
    revision: int
    created_date: datetime
    updated_date: datetime
    pool_id: str
    program_id: str
    namespace: str
    beneficiary: Identity
    origin: LotOrigin
    status: LotStatus
    effective_date: datetime
    priority: int = 100
    available: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)
    granted: Decimal | None = None
    expiration_date: datetime | None = None
    is_standard: bool = False
    kept_at_renewal: bool = False
    display_name: str | None = None
    external_reference: str | None = None
    additional_data: dict[str, Any] | None = None


class ChangedLot(Part, frozen=True, kw_only=True):
    """A lot after a grant or its end, and the balance of its pool.

    There is no transaction if no credits came or went.
    """

    lot: Lot
    balance: Balance
    transaction_id: str | None = None
