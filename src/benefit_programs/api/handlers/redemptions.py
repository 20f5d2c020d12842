"""Redeem, one by one and in bulk, reallocate, cancel."""

from __future__ import annotations

from typing import Any

from benefit_programs.api.call import Call, bulk_answer, execute_each
from benefit_programs.api.explanations import explain, explain_each
from benefit_programs.api.method import MANAGE, POST, method
from benefit_programs.api.verdicts import each_with_verdicts, with_verdicts
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
    Redeemed,
)
from benefit_programs.wire.types import pools as wire
from benefit_programs.wire.types import returns

_REDEEMING = (
    PoolNotFound,
    BenefitNotFound,
    BenefitAlreadyRedeemed,
    NotEnoughBalance,
    PolicyExpressionEvaluatedToFalse,
    PoolNotActive,
)
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
    refuses=_REDEEMING,
)
async def redeem(call: Call, request: wire.RedeemBenefitRequest) -> wire.RedeemBenefitResponse:
    redeemed = await _redeem(call, _to_redeem(request))
    return _transaction(redeemed)


@method(
    "bulkRedeemBenefits",
    POST,
    "/benefit-programs/v1/bulk/benefits/redeem",
    MANAGE,
    "BENEFIT_PROGRAMS.POOL_REDEEM",
    refuses=_REDEEMING,
    is_addition=True,
)
async def bulk_redeem(
    call: Call, _: returns.BulkRedeemBenefitsRequest
) -> returns.BulkRedeemBenefitsResponse:
    results = await execute_each(
        call,
        lambda _, entry: _to_redeem(entry.value),
        lambda _, redeemed: redeemed and redeemed.transaction.id,
        prepare=each_with_verdicts,
        explain=explain_each,
    )
    return bulk_answer(
        returns.BulkRedeemBenefitsResponse, returns.BulkRedemptionResult, results, _transaction
    )


async def _redeem(call: Call, command: Any) -> Redeemed:
    try:
        return await call.execute(await with_verdicts(call, command))
    except Refusal as refusal:
        raise await explain(call, refusal) from None


def _to_redeem(request: wire.RedeemBenefitRequest) -> RedeemBenefit:
    return RedeemBenefit(
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


def _transaction(redeemed: Redeemed) -> wire.RedeemBenefitResponse:
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
    reallocated = await _redeem(call, command)
    return wire.ReallocateBenefitResponse(transaction_id=reallocated.transaction.id)


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
