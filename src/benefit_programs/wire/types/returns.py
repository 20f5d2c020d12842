"""What goes beside redemptions: many at once, cancel by reference, move, pay by whichever pools."""

from __future__ import annotations

from typing import Annotated

import msgspec

from benefit_programs.domain.constraints import Entries, Size
from benefit_programs.domain.explanations import PaidRedemption
from benefit_programs.domain.references import REFERENCED_MAX, CancellationStatus
from benefit_programs.wire.types.common import (
    AdditionalData,
    Amount,
    ApplicationError,
    AuditReason,
    BenefitKey,
    BulkActionMetadata,
    BulkSize,
    Count,
    EntityId,
    ExternalReference,
    IdentificationData,
    ItemMetadata,
    ItemReferenceData,
    Namespace,
    Timestamp,
    TransactionKey,
)
from benefit_programs.wire.types.pools import RedeemBenefitRequest, RedeemBenefitResponse


class CancelByReferenceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Cancel all redemptions and reservations with an external reference, pool by pool.

    If the call is interrupted, repeat it with the same key: it goes on where it was.
    """

    namespace: Namespace
    external_reference: ExternalReference
    idempotency_key: TransactionKey
    override: bool | None = None
    reason: AuditReason | None = None


class ReferencedCancellation(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one redemption or reservation."""

    transaction_id: EntityId | None = None
    pool_id: EntityId | None = None
    status: CancellationStatus | None = None
    cancellation_transaction_id: EntityId | None = None
    returned: Amount | None = None
    forfeited: Amount | None = None
    error: ApplicationError | None = None


class CancelByReferenceResponse(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each, the oldest first."""

    results: Annotated[tuple[ReferencedCancellation, ...], Size(maximum=REFERENCED_MAX)] | None = (
        None
    )


class MoveRedemptionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Let another pool of the same beneficiary pay for a redemption."""

    transaction_id: EntityId
    pool_id: EntityId
    idempotency_key: TransactionKey
    benefit_key: BenefitKey | None = None
    reason: AuditReason | None = None


class MoveRedemptionResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The new redemption, and the cancellation of the old one."""

    transaction_id: EntityId | None = None
    cancellation_transaction_id: EntityId | None = None
    returned: Amount | None = None


class RedeemEligibleRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Redeem an item from whichever pool of a beneficiary pays for it.

    The first benefit pays that can, in this order: credits that expire soonest (never comes last),
    then the oldest pool, then the order of benefits in their definition.
    """

    item_reference: ItemReferenceData
    namespace: Namespace
    beneficiary: IdentificationData
    idempotency_key: TransactionKey
    count: Count | None = None
    target_date: Timestamp | None = None
    additional_data: AdditionalData | None = None
    external_reference: ExternalReference | None = None
    split: bool | None = None
    reason: AuditReason | None = None


class RedeemEligibleResponse(msgspec.Struct, frozen=True, kw_only=True):
    """What each benefit has paid, in their order; one, unless the items were split."""

    redemptions: tuple[PaidRedemption, ...] | None = None


class BulkRedeemBenefitsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Redeem several benefits."""

    redemptions: Annotated[tuple[RedeemBenefitRequest, ...], BulkSize, Entries()]


class BulkRedemptionResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one entry."""

    item_metadata: ItemMetadata | None = None
    item: RedeemBenefitResponse | None = None


class BulkRedeemBenefitsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The result of each entry."""

    results: Annotated[tuple[BulkRedemptionResult, ...], BulkSize] | None = None
    bulk_action_metadata: BulkActionMetadata | None = None
