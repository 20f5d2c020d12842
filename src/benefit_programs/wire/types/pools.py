"""Pools: live copies of pool definitions, and what can be done with their benefits."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from benefit_programs.domain.benefits import repetitions
from benefit_programs.domain.constraints import (
    Addition,
    Entries,
    Immutable,
    Int32,
    Judged,
    ReadOnly,
    Undocumented,
)
from benefit_programs.domain.details import AlertType, Details
from benefit_programs.domain.entities import PoolOrigin, PoolStatus, RenewalActionType
from benefit_programs.domain.explanations import ProgramDefinitionInfo, ProgramInfo
from benefit_programs.wire.types.common import (
    AdditionalData,
    AlertKey,
    Amount,
    AuditReason,
    BenefitKey,
    BulkActionMetadata,
    BulkSize,
    Count,
    CursorPagingMetadata,
    Description,
    EntityId,
    ExtendedFields,
    ExternalReference,
    FieldMask,
    IdentificationData,
    ItemMetadata,
    ItemReferenceData,
    Namespace,
    Number,
    PoolName,
    ProgramName,
    QueryRequest,
    Revision,
    Timestamp,
    TransactionKey,
)


class RenewalUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """The new values of a pool at its renewal (contract: Update)."""

    details: Annotated[Details, ReadOnly()] | None = None
    display_name: PoolName | None = None
    description: Description | None = None


class PoolRenewalAction(msgspec.Struct, frozen=True, kw_only=True):
    """The pending change for the pool's next renewal."""

    type: Annotated[RenewalActionType, ReadOnly()] | None = None
    update_options: Annotated[RenewalUpdate, ReadOnly()] | None = None
    pool_definition_revision: Annotated[Revision, ReadOnly()] | None = None


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """A pool as it is answered."""

    id: Annotated[EntityId, Immutable(), ReadOnly()] | None = None
    revision: Annotated[Revision, ReadOnly()] | None = None
    created_date: Annotated[Timestamp, ReadOnly()] | None = None
    updated_date: Annotated[Timestamp, ReadOnly()] | None = None
    pool_definition_id: Annotated[EntityId, Immutable(), ReadOnly()] | None = None
    program_definition_id: Annotated[EntityId, Immutable(), ReadOnly()] | None = None
    program_id: Annotated[EntityId, Immutable(), ReadOnly()] | None = None
    status: Annotated[PoolStatus, ReadOnly()] | None = None
    beneficiary: Annotated[IdentificationData, Immutable(), ReadOnly()] | None = None
    details: Details | None = None
    display_name: PoolName | None = None
    namespace: Annotated[Namespace, Immutable(), ReadOnly()] | None = None
    extended_fields: ExtendedFields | None = None
    program_definition: Annotated[ProgramDefinitionInfo, ReadOnly()] | None = None
    program: Annotated[ProgramInfo, ReadOnly()] | None = None
    pool_definition_revision: Annotated[Revision, ReadOnly()] | None = None
    renewal_count: Annotated[Number, ReadOnly()] | None = None
    previous_status: Annotated[PoolStatus, ReadOnly(), Undocumented()] | None = None
    origin: Annotated[PoolOrigin, Immutable(), ReadOnly(), Undocumented()] | None = None
    renewal_action: Annotated[PoolRenewalAction, ReadOnly(), Undocumented()] | None = None
    description: Annotated[Description, Undocumented()] | None = None


class PoolChange(msgspec.Struct, frozen=True, kw_only=True):
    """The changes of a pool."""

    entity: ClassVar[type[msgspec.Struct]] = Pool

    id: EntityId
    revision: Revision
    details: Annotated[Details, Judged(repetitions)] | None = None
    display_name: ProgramName | None = None
    extended_fields: ExtendedFields | None = None
    description: Annotated[Description, Undocumented()] | None = None


class MaskedPool(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a bulk request."""

    pool: PoolChange
    field_mask: FieldMask | None = None


class PoolProvisioned(msgspec.Struct, frozen=True, kw_only=True):
    """Event: a pool was opened."""

    pool: Pool | None = None


class PoolRenewed(PoolProvisioned, frozen=True, kw_only=True):
    """Event: a new cycle of the pool began."""


class PoolPaused(PoolProvisioned, frozen=True, kw_only=True):
    """Event: the pool was paused."""


class PoolResumed(PoolProvisioned, frozen=True, kw_only=True):
    """Event: the pool was resumed."""


class PoolEnded(PoolProvisioned, frozen=True, kw_only=True):
    """Event: the pool ended."""


class CancellationDetails(msgspec.Struct, frozen=True, kw_only=True):
    """The canceled redemption."""

    transaction_id: EntityId | None = None
    previous_transaction_id: EntityId | None = None
    item_reference: ItemReferenceData | None = None
    item_count: Count | None = None
    idempotency_key: TransactionKey | None = None
    beneficiary: IdentificationData | None = None


class ReallocationDetails(CancellationDetails, frozen=True, kw_only=True):
    """The redemption that was moved to another date."""

    target_date: Timestamp | None = None
    previous_target_date: Timestamp | None = None


class RedemptionDetails(msgspec.Struct, frozen=True, kw_only=True):
    """The redemption."""

    transaction_id: EntityId | None = None
    item_reference: ItemReferenceData | None = None
    item_count: Count | None = None
    target_date: Timestamp | None = None
    idempotency_key: TransactionKey | None = None
    additional_data: AdditionalData | None = None
    beneficiary: IdentificationData | None = None


class BenefitRedeemed(PoolProvisioned, frozen=True, kw_only=True):
    """Event: credits were spent on an item."""

    redemption_details: RedemptionDetails | None = None


class BenefitReallocated(PoolProvisioned, frozen=True, kw_only=True):
    """Event: a redemption was moved to another date."""

    reallocation_details: ReallocationDetails | None = None


class RedemptionCanceled(PoolProvisioned, frozen=True, kw_only=True):
    """Event: the credits of a redemption were given back."""

    cancellation_details: CancellationDetails | None = None


class AlertDetails(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that began to hold, and what it tells of."""

    alert_key: AlertKey | None = None
    type: AlertType | None = None
    crossed_date: Timestamp | None = None
    available: Amount | None = None
    date: Timestamp | None = None
    amount: Amount | None = None
    lot_id: EntityId | None = None
    reservation_id: EntityId | None = None


class PoolAlert(PoolProvisioned, frozen=True, kw_only=True):
    """Event: an alert of the pool's details began to hold."""

    alert_details: AlertDetails | None = None


class GetPoolRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read a pool."""

    pool_id: EntityId


class GetPoolResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The pool."""

    pool: Pool | None = None


class UpdatePoolRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Change a pool."""

    pool: PoolChange
    field_mask: Annotated[FieldMask, Undocumented()] | None = None
    reason: Annotated[AuditReason, Addition()] | None = None


class UpdatePoolResponse(GetPoolResponse, frozen=True, kw_only=True):
    """The changed pool."""


class QueryPoolsRequest(QueryRequest, frozen=True, kw_only=True):
    """Find pools."""


class QueryPoolsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of pools."""

    pools: tuple[Pool, ...] | None = None
    metadata: CursorPagingMetadata | None = None


class BulkUpdatePoolsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Change pools."""

    pools: Annotated[tuple[MaskedPool, ...], BulkSize, Entries()]
    return_entity: bool | None = None


class BulkPoolResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one entry."""

    item_metadata: ItemMetadata | None = None
    item: Pool | None = None


class BulkUpdatePoolsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The result of each entry."""

    results: Annotated[tuple[BulkPoolResult, ...], BulkSize] | None = None
    bulk_action_metadata: BulkActionMetadata | None = None


class RedeemBenefitRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Spend credits of a pool on an item."""

    pool_id: EntityId
    item_reference: ItemReferenceData
    benefit_key: BenefitKey
    idempotency_key: TransactionKey
    namespace: Namespace
    count: Count | None = None
    target_date: Timestamp | None = None
    additional_data: AdditionalData | None = None
    beneficiary: IdentificationData | None = None
    external_reference: Annotated[ExternalReference, Addition()] | None = None
    reason: Annotated[AuditReason, Addition()] | None = None


class RedeemBenefitResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The new transaction."""

    transaction_id: EntityId | None = None


class ReallocateBenefitRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Move a redemption to another date."""

    transaction_id: EntityId
    target_date: Timestamp
    idempotency_key: TransactionKey
    beneficiary: IdentificationData
    namespace: Namespace
    reason: Annotated[AuditReason, Addition()] | None = None


class ReallocateBenefitResponse(RedeemBenefitResponse, frozen=True, kw_only=True):
    """The transaction that supersedes the one that was moved."""


class CancelRedemptionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Cancel a redemption, and give its credits back."""

    transaction_id: EntityId
    idempotency_key: TransactionKey
    total_count: Annotated[int, Int32(minimum=0), Addition()] | None = None
    override: Annotated[bool, Addition()] | None = None
    reason: Annotated[AuditReason, Addition()] | None = None


class CancelRedemptionResponse(RedeemBenefitResponse, frozen=True, kw_only=True):
    """The transaction that gives the credits back.

    How many items are canceled and what came back is told if the request names a total or
    overrides the terms, or if not all came back.
    """

    total_count: Annotated[int, Int32(), Addition()] | None = None
    returned: Annotated[Amount, Addition()] | None = None
    forfeited: Annotated[Amount, Addition()] | None = None
