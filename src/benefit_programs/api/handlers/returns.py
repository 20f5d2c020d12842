"""Cancel by reference, move to another pool, redeem by whichever pools pay."""

from __future__ import annotations

from asyncio import gather
from collections.abc import Iterable, Sequence

from benefit_programs.api.call import Call
from benefit_programs.api.errors import NoEligibleBenefit, application_error
from benefit_programs.api.explanations import Names, explain
from benefit_programs.api.handlers.eligibility import require_known_app
from benefit_programs.api.method import MANAGE, POST, method
from benefit_programs.api.verdicts import with_verdicts, with_verdicts_of_each
from benefit_programs.domain.entities import Pool, PoolStatus
from benefit_programs.domain.errors import (
    AlreadyExecuted,
    BenefitNotFound,
    EligibleAlreadyRedeemed,
    Invalid,
    InvalidItemReference,
    NotEnoughBalance,
    NotLatestTransaction,
    PolicyExpressionEvaluatedToFalse,
    PoolNotActive,
    PoolNotFound,
    RedemptionAlreadyCanceled,
    Refusal,
    TooManyReferenced,
    TransactionNotFound,
    TransactionNotMovable,
)
from benefit_programs.domain.moving import MoveRedemption
from benefit_programs.domain.paying import PAYING_POOLS_MAX, RedeemEligible
from benefit_programs.domain.references import (
    REFERENCED_MAX,
    BeginCancellation,
    CancellationStatus,
    CancelReferenced,
    ReferencedCancellation,
)
from benefit_programs.storage.eligible import pools_holding
from benefit_programs.storage.referenced import transactions_referenced
from benefit_programs.storage.rows import CODECS
from benefit_programs.wire.types import returns as wire
from benefit_programs.wire.types.common import ApplicationError
from benefit_programs.wire.types.eligibility import BenefitResult

_MAY_PAY = tuple(each for each in PoolStatus if each is not PoolStatus.ENDED)

_TOO_MANY = Invalid.because(
    "beneficiary",
    f"has over {PAYING_POOLS_MAX} pools that hold the item: redeem from one of them",
    rule_name="too_many_pools",
)


@method(
    "cancelByReference",
    POST,
    "/benefit-programs/v1/benefits/cancel-by-reference",
    MANAGE,
    "benefit_programs:v1:pool:cancel_redemption",
    refuses=(AlreadyExecuted, TooManyReferenced),
    is_addition=True,
)
async def cancel_by_reference(
    call: Call, request: wire.CancelByReferenceRequest
) -> wire.CancelByReferenceResponse:
    override = bool(request.override)
    begin = BeginCancellation(
        namespace=request.namespace,
        external_reference=request.external_reference,
        idempotency_key=request.idempotency_key,
        override=override,
    )
    rows = await _referenced(call, request, until=await call.execute(begin))
    commands = [
        CancelReferenced(
            pool_id=pool_id,
            transaction_ids=tuple(each for each, its_pool in rows if its_pool == pool_id),
            idempotency_key=request.idempotency_key,
            override=override,
        )
        for pool_id in dict.fromkeys(pool_id for _, pool_id in rows)
    ]
    outcomes = [
        each
        for command, outcome in zip(
            commands,
            await gather(*map(call.execute, commands), return_exceptions=True),
            strict=True,
        )
        for each in _shown(command, outcome)
    ]
    results = sorted(outcomes, key=lambda each: each.transaction_id or "")
    return wire.CancelByReferenceResponse(results=tuple(results))


async def _referenced(
    call: Call, request: wire.CancelByReferenceRequest, *, until: int
) -> list[tuple[str, str]]:
    reader = call.services.reader
    statement = transactions_referenced(
        reader.dialect,
        tenant_id=call.tenant_id,
        namespace=request.namespace,
        external_reference=request.external_reference,
        until=until,
        limit=REFERENCED_MAX + 1,
    )
    rows = [(str(row[0]), str(row[1])) for row in await reader.fetch(statement)]
    if len(rows) > REFERENCED_MAX:
        raise TooManyReferenced(maximum=REFERENCED_MAX)
    return rows


def _shown(
    command: CancelReferenced, outcome: tuple[ReferencedCancellation, ...] | BaseException
) -> list[wire.ReferencedCancellation]:
    """What became of the transactions of one pool. What may be tried again is raised."""
    if isinstance(outcome, Refusal):
        error = ApplicationError(**application_error(outcome))
        return [
            wire.ReferencedCancellation(
                transaction_id=each,
                pool_id=command.pool_id,
                status=CancellationStatus.FAILED,
                error=error,
            )
            for each in command.transaction_ids
        ]
    if isinstance(outcome, BaseException):
        raise outcome
    return [
        wire.ReferencedCancellation(
            transaction_id=each.transaction_id,
            pool_id=each.pool_id,
            status=each.status,
            cancellation_transaction_id=each.cancellation.id if each.cancellation else None,
            returned=each.returned,
            forfeited=each.forfeited,
        )
        for each in outcome
    ]


@method(
    "moveRedemption",
    POST,
    "/benefit-programs/v1/benefits/move-redemption",
    MANAGE,
    "BENEFIT_PROGRAMS.POOL_REDEEM",
    "benefit_programs:v1:pool:cancel_redemption",
    refuses=(
        TransactionNotFound,
        AlreadyExecuted,
        TransactionNotMovable,
        RedemptionAlreadyCanceled,
        NotLatestTransaction,
        PoolNotFound,
        PoolNotActive,
        BenefitNotFound,
        PolicyExpressionEvaluatedToFalse,
        NotEnoughBalance,
    ),
    is_addition=True,
)
async def move(call: Call, request: wire.MoveRedemptionRequest) -> wire.MoveRedemptionResponse:
    command = MoveRedemption(
        transaction_id=request.transaction_id,
        pool_id=request.pool_id,
        idempotency_key=request.idempotency_key,
        benefit_key=request.benefit_key,
    )
    try:
        moved = await call.execute(await with_verdicts(call, command))
    except Refusal as refusal:
        raise await explain(call, refusal) from None
    return wire.MoveRedemptionResponse(
        transaction_id=moved.redemption.id,
        cancellation_transaction_id=moved.cancellation.id,
        returned=moved.returned,
    )


@method(
    "redeemEligible",
    POST,
    "/benefit-programs/v1/benefits/redeem-eligible",
    MANAGE,
    "BENEFIT_PROGRAMS.POOL_REDEEM",
    refuses=(EligibleAlreadyRedeemed, InvalidItemReference, NoEligibleBenefit),
    is_addition=True,
)
async def redeem_eligible(
    call: Call, request: wire.RedeemEligibleRequest
) -> wire.RedeemEligibleResponse:
    command = RedeemEligible(
        pool_ids=await _pools_holding(call, request),
        namespace=request.namespace,
        beneficiary=request.beneficiary.identity(),
        item=request.item_reference.reference(),
        idempotency_key=request.idempotency_key,
        count=request.count or 1,
        target_date=request.target_date,
        additional_data=request.additional_data,
        external_reference=request.external_reference,
        split=bool(request.split),
    )
    paid = await call.execute(await with_verdicts_of_each(call, command))
    if paid.redemptions:
        return wire.RedeemEligibleResponse(redemptions=paid.redemptions)
    if not command.pool_ids:
        await require_known_app(call, request.namespace, command.item)
    raise NoEligibleBenefit(benefit_results=await _results(call, paid.refusals))


async def _pools_holding(call: Call, request: wire.RedeemEligibleRequest) -> tuple[str, ...]:
    """The pools that may pay. Whether one does is judged when all of them are locked."""
    reader = call.services.reader
    holding = pools_holding(
        reader.dialect,
        tenant_id=call.tenant_id,
        namespace=request.namespace,
        item=request.item_reference.reference(),
        beneficiary=request.beneficiary.identity(),
        statuses=_MAY_PAY,
    )
    read = CODECS[Pool].read
    ids = dict.fromkeys(read(row[:-1]).id for row in await reader.fetch(holding))
    if len(ids) > PAYING_POOLS_MAX:
        raise _TOO_MANY
    return tuple(ids)


async def _results(call: Call, refusals: Sequence[Refusal]) -> tuple[BenefitResult, ...]:
    """Why benefits don't pay, in the words of the answers about eligibility."""
    names = await Names.of(call, *_owners(refusals))
    return tuple(BenefitResult.of(names.explain(each)) for each in refusals)


def _owners(refusals: Iterable[Refusal]) -> tuple[list[str | None], list[str | None]]:
    """The ids of the programs and definitions that refusals are about."""
    contexts = [each for each in (getattr(one, "context", None) for one in refusals) if each]
    return (
        [each.program_info.id for each in contexts if each.program_info],
        [each.program_definition_info.id for each in contexts if each.program_definition_info],
    )
