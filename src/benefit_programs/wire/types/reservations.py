"""Reservations: credits that are held for items, to be spent or given back later."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from benefit_programs.domain.constraints import Addition, Entries, OneOf, ReadOnly
from benefit_programs.domain.entities import ReservationStatus
from benefit_programs.domain.settings import ReservationDuration
from benefit_programs.wire.types.common import (
    Amount,
    AuditReason,
    BenefitKey,
    BulkActionMetadata,
    BulkSize,
    Count,
    CursorPagingMetadata,
    EntityId,
    ExternalReference,
    IdentificationData,
    ItemMetadata,
    ItemReferenceData,
    Namespace,
    Number,
    QueryRequest,
    Timestamp,
    TransactionKey,
)
from benefit_programs.wire.types.pools import (
    PoolProvisioned,
    RedeemBenefitRequest,
    RedeemBenefitResponse,
    RedemptionDetails,
)


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """A reservation as it is answered."""

    id: Annotated[EntityId, ReadOnly()] | None = None
    created_date: Annotated[Timestamp, ReadOnly()] | None = None
    updated_date: Annotated[Timestamp, ReadOnly()] | None = None
    status: Annotated[ReservationStatus, ReadOnly()] | None = None
    pool_id: Annotated[EntityId, ReadOnly()] | None = None
    program_id: Annotated[EntityId, ReadOnly()] | None = None
    program_definition_id: Annotated[EntityId, ReadOnly()] | None = None
    pool_definition_id: Annotated[EntityId, ReadOnly()] | None = None
    namespace: Annotated[Namespace, ReadOnly()] | None = None
    beneficiary: Annotated[IdentificationData, ReadOnly()] | None = None
    benefit_key: Annotated[BenefitKey, ReadOnly()] | None = None
    item_reference: Annotated[ItemReferenceData, ReadOnly()] | None = None
    count: Annotated[Count, ReadOnly()] | None = None
    captured_count: Annotated[Number, ReadOnly()] | None = None
    held_count: Annotated[Number, ReadOnly()] | None = None
    held: Annotated[Amount, ReadOnly()] | None = None
    price: Annotated[Amount, ReadOnly()] | None = None
    target_date: Annotated[Timestamp, ReadOnly()] | None = None
    expiration_date: Annotated[Timestamp, ReadOnly()] | None = None
    external_reference: Annotated[ExternalReference, ReadOnly()] | None = None


class BenefitReserved(PoolProvisioned, frozen=True, kw_only=True):
    """Event: credits were set aside for an item."""

    redemption_details: RedemptionDetails | None = None


class BenefitReservationReleased(PoolProvisioned, frozen=True, kw_only=True):
    """Event: reserved credits were spent."""

    transaction_id: EntityId | None = None
    reservation_id: Annotated[EntityId, Addition()] | None = None


class BenefitReservationCanceled(BenefitReservationReleased, frozen=True, kw_only=True):
    """Event: reserved credits came back."""


class ReserveBenefitRequest(RedeemBenefitRequest, frozen=True, kw_only=True):
    """Set credits of a pool aside for an item."""

    one_of: ClassVar[OneOf] = OneOf(("expiration_date", "expires_after"), required=False)

    expiration_date: Annotated[Timestamp, Addition()] | None = None
    expires_after: Annotated[ReservationDuration, Addition()] | None = None
    external_reference: Annotated[ExternalReference, Addition()] | None = None


class ReserveBenefitResponse(RedeemBenefitResponse, frozen=True, kw_only=True):
    """The transaction that set the credits aside. Its id is that of the reservation."""


class CancelBenefitReservationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Give back all that a reservation holds."""

    transaction_id: EntityId
    idempotency_key: TransactionKey
    reason: Annotated[AuditReason, Addition()] | None = None


class CancelBenefitReservationResponse(RedeemBenefitResponse, frozen=True, kw_only=True):
    """The transaction that gives the credits back."""


class CaptureBenefitReservationRequest(CancelBenefitReservationRequest, frozen=True, kw_only=True):
    """Spend what a reservation holds, or a part of it."""

    count: Count | None = None
    keep_rest: bool | None = None


class CaptureBenefitReservationResponse(RedeemBenefitResponse, frozen=True, kw_only=True):
    """The transaction that spends the credits: a redemption like any other from then on."""


class BulkReserveBenefitsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Reserve several benefits."""

    reservations: Annotated[tuple[ReserveBenefitRequest, ...], BulkSize, Entries()]


class BulkCaptureBenefitReservationsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Capture several reservations."""

    reservations: Annotated[tuple[CaptureBenefitReservationRequest, ...], BulkSize, Entries()]


class BulkCancelBenefitReservationsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Cancel several reservations."""

    reservations: Annotated[tuple[CancelBenefitReservationRequest, ...], BulkSize, Entries()]


class BulkReservationResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one entry, with the id of its reservation and the new transaction."""

    item_metadata: ItemMetadata | None = None
    item: RedeemBenefitResponse | None = None


class BulkReservationsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The result of each entry."""

    results: Annotated[tuple[BulkReservationResult, ...], BulkSize] | None = None
    bulk_action_metadata: BulkActionMetadata | None = None


class GetReservationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read a reservation."""

    reservation_id: EntityId


class GetReservationResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The reservation."""

    reservation: Reservation | None = None


class QueryReservationsRequest(QueryRequest, frozen=True, kw_only=True):
    """Find reservations."""


class QueryReservationsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of reservations."""

    reservations: tuple[Reservation, ...] | None = None
    metadata: CursorPagingMetadata | None = None
