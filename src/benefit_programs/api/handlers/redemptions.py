"""Redeem, reallocate, cancel."""

from __future__ import annotations

from benefit_programs.api.call import Call
from benefit_programs.api.explanations import explain
from benefit_programs.api.method import MANAGE, POST, method
from benefit_programs.api.verdicts import with_verdicts
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
from benefit_programs.domain.redemptions import (
    CancelRedemption,
    ReallocateBenefit,
    RedeemBenefit,
)
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
        external_reference=request.external_reference,
    )
    return wire.RedeemBenefitResponse(transaction_id=await _redeem(call, command))


async def _redeem(call: Call, command: RedeemBenefit | ReallocateBenefit) -> str:
    try:
        redeemed = await call.execute(await with_verdicts(call, command))
    except Refusal as refusal:
        raise await explain(call, refusal) from None
    return redeemed.transaction.id


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
    return wire.ReallocateBenefitResponse(transaction_id=await _redeem(call, command))


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
    canceled = await call.execute(
        CancelRedemption(
            transaction_id=request.transaction_id,
            idempotency_key=request.idempotency_key,
            total_count=request.total_count,
            override=bool(request.override),
        )
    )
    transaction_id = canceled.transaction.id if canceled.transaction else None
    is_plain = request.total_count is None and request.override is None
    if is_plain and not canceled.forfeited:
        return wire.CancelRedemptionResponse(transaction_id=transaction_id)
    return wire.CancelRedemptionResponse(
        transaction_id=transaction_id,
        total_count=canceled.total_count,
        returned=canceled.returned,
        forfeited=canceled.forfeited,
    )
