"""Redeem, reallocate, cancel."""

from __future__ import annotations

from msgspec.structs import replace

from benefit_programs.api.call import Call
from benefit_programs.api.explanations import explain
from benefit_programs.api.method import MANAGE, POST, method
from benefit_programs.api.verdicts import NO_VERDICTS, Candidate, ask_providers, has_providers
from benefit_programs.domain.eligibility import Verdicts, Wish
from benefit_programs.domain.errors import (
    AlreadyExecuted,
    BenefitAlreadyRedeemed,
    BenefitNotFound,
    ChainOperationInProgress,
    NotEnoughBalance,
    NotLatestTransaction,
    PolicyExpressionEvaluatedToFalse,
    PoolNotActive,
    PoolNotFound,
    RedemptionAlreadyCanceled,
    Refusal,
    TransactionNotCancelable,
    TransactionNotFound,
    TransactionNotReallocatable,
)
from benefit_programs.domain.lookups import POOL, TRANSACTION
from benefit_programs.domain.redemptions import (
    CancelRedemption,
    ReallocateBenefit,
    RedeemBenefit,
)
from benefit_programs.domain.values import Instant, ItemReference
from benefit_programs.wire.types import pools as wire

_CHAIN = (
    TransactionNotFound,
    AlreadyExecuted,
    ChainOperationInProgress,
    NotLatestTransaction,
    RedemptionAlreadyCanceled,
)


@method(
    "redeemBenefit",
    POST,
    "/benefit-programs/v1/benefits/redeem",
    MANAGE,
    "BENEFIT_PROGRAMS.POOL_REDEEM",
    refuses=(
        PoolNotFound,
        BenefitNotFound,
        BenefitAlreadyRedeemed,
        NotEnoughBalance,
        PolicyExpressionEvaluatedToFalse,
        PoolNotActive,
    ),
)
async def redeem(call: Call, request: wire.RedeemBenefitRequest) -> wire.RedeemBenefitResponse:
    command = RedeemBenefit(
        pool_id=request.pool_id,
        namespace=request.namespace,
        benefit_key=request.benefit_key,
        item=request.item_reference.reference(),
        idempotency_key=request.idempotency_key,
        count=request.count or 1,
        target_date=request.target_date,
        beneficiary=request.beneficiary.identity() if request.beneficiary else None,
        additional_data=request.additional_data,
    )
    if has_providers(call):
        verdicts = await _verdicts(
            call,
            command.pool_id,
            command.benefit_key,
            command.item,
            command.count,
            command.target_date,
            command.additional_data,
        )
        command = replace(command, verdicts=verdicts)
    try:
        redeemed = await call.execute(command)
    except Refusal as refusal:
        raise await explain(call, refusal) from None
    return wire.RedeemBenefitResponse(transaction_id=redeemed.transaction.id)


@method(
    "reallocateBenefit",
    POST,
    "/benefit-programs/v1/benefits/reallocate",
    MANAGE,
    "benefit_programs:v1:pool:reallocate_benefit",
    refuses=(
        PoolNotFound,
        *_CHAIN,
        TransactionNotReallocatable,
        PoolNotActive,
        PolicyExpressionEvaluatedToFalse,
    ),
)
async def reallocate(
    call: Call, request: wire.ReallocateBenefitRequest
) -> wire.ReallocateBenefitResponse:
    command = ReallocateBenefit(
        transaction_id=request.transaction_id,
        target_date=request.target_date,
        idempotency_key=request.idempotency_key,
        namespace=request.namespace,
        beneficiary=request.beneficiary.identity(),
    )
    if has_providers(call):
        command = replace(command, verdicts=await _verdicts_of_move(call, request))
    try:
        redeemed = await call.execute(command)
    except Refusal as refusal:
        raise await explain(call, refusal) from None
    return wire.ReallocateBenefitResponse(transaction_id=redeemed.transaction.id)


@method(
    "cancelRedemption",
    POST,
    "/benefit-programs/v1/benefits/cancel-redemption",
    MANAGE,
    "benefit_programs:v1:pool:cancel_redemption",
    refuses=(*_CHAIN, TransactionNotCancelable),
)
async def cancel(
    call: Call, request: wire.CancelRedemptionRequest
) -> wire.CancelRedemptionResponse:
    redeemed = await call.execute(
        CancelRedemption(
            transaction_id=request.transaction_id, idempotency_key=request.idempotency_key
        )
    )
    return wire.CancelRedemptionResponse(transaction_id=redeemed.transaction.id)


async def _verdicts(
    call: Call,
    pool_id: str,
    benefit_key: str,
    item: ItemReference,
    count: int,
    target_date: Instant | None,
    additional_data: dict[str, object] | None,
) -> Verdicts:
    pool = await call.one(POOL, pool_id)
    if pool is None:
        return NO_VERDICTS
    snapshots = await call.services.reader.snapshots(call.tenant_id, [pool.snapshot_id])
    snapshot = snapshots[pool.snapshot_id]
    benefit = snapshot.details.benefit(benefit_key)
    if benefit is None:
        return NO_VERDICTS
    wish = Wish(item=item, count=count, at=target_date or call.services.engine.now())
    candidate = Candidate(pool, snapshot, benefit, wish, additional_data)
    (verdicts,) = await ask_providers(call, [candidate])
    return verdicts


async def _verdicts_of_move(call: Call, request: wire.ReallocateBenefitRequest) -> Verdicts:
    transaction = await call.one(TRANSACTION, request.transaction_id)
    item = transaction.details.item if transaction else None
    if transaction is None or item is None:
        return NO_VERDICTS
    return await _verdicts(
        call,
        transaction.pool_id,
        transaction.details.benefit_key or "",
        ItemReference(item.external_id, item.provider_app_id, item.category),
        transaction.details.item_count or 1,
        request.target_date,
        None,
    )
