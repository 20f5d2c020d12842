"""Reservations: credits that are held for items, to be spent or given back later."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from benefit_programs.client.generated.enums import ReservationStatus
from benefit_programs.client.types.base import Part
from benefit_programs.client.types.common import ItemReference
from benefit_programs.client.types.identities import Identity
from benefit_programs.client.types.pools import NewRedemption


class Reservation(Part, frozen=True, kw_only=True):
    """Credits of a pool that are held for items until a date. Its id is its transaction's."""

    id: str
    created_date: datetime
    updated_date: datetime
    status: ReservationStatus
    pool_id: str
    program_id: str
    namespace: str
    beneficiary: Identity
    benefit_key: str
    item_reference: ItemReference
    count: int
    expiration_date: datetime
    captured_count: int = 0
    held_count: int = 0
    held: Decimal = Decimal(0)
    price: Decimal = Decimal(0)
    target_date: datetime | None = None
    external_reference: str | None = None
    program_definition_id: str | None = None
    pool_definition_id: str | None = None


class NewReservation(NewRedemption, frozen=True, kw_only=True):
    """What to reserve, of many. Give each its own key, so that it is reserved once."""

    expiration_date: datetime | None = None
    expires_after: str | None = None


class ReservationCancel(Part, frozen=True, kw_only=True):
    """One reservation to cancel, of many."""

    transaction_id: str
    idempotency_key: str
    reason: str | None = None


class ReservationCapture(ReservationCancel, frozen=True, kw_only=True):
    """One reservation to capture, of many."""

    count: int | None = None
    keep_rest: bool | None = None
