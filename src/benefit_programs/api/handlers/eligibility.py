"""What may be redeemed, and why something may not. Contract: Eligibility."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from benefit_programs.api.call import Call
from benefit_programs.api.explanations import Names
from benefit_programs.api.method import MANAGE, POST, READ_LIMITED, method
from benefit_programs.api.verdicts import NO_VERDICTS, Candidate, ask_providers, has_providers
from benefit_programs.domain.eligibility import (
    Terms,
    Wish,
    belongs,
    benefit_missing,
    context_of,
    require_active,
    require_affordable,
    require_allowed,
    shares_of,
)
from benefit_programs.domain.entities import Pool, PoolStatus, Snapshot
from benefit_programs.domain.errors import InvalidItemReference, PoolNotFound, Refusal
from benefit_programs.domain.lookups import ITEM_BY_REFERENCE, POOL, QUOTA
from benefit_programs.domain.values import Identity, Instant, ItemReference
from benefit_programs.storage.eligible import pools_holding, provider_app_known
from benefit_programs.storage.rows import CODECS
from benefit_programs.wire.types import eligibility as wire
from benefit_programs.wire.types.common import IdentificationData, ItemReferenceData


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """May this be redeemed from this pool? Without a key: from any of its benefits?"""

    pool_id: str
    wish: Wish
    benefit_key: str | None = None
    additional_data: dict[str, Any] | None = None


@method(
    "checkBenefitEligibility",
    POST,
    "/benefit-programs/v1/pools/check-eligibility",
    MANAGE,
    "BENEFIT_PROGRAMS.POOL_REDEEM",
)
async def check(
    call: Call, request: wire.CheckBenefitEligibilityRequest
) -> wire.CheckBenefitEligibilityResponse:
    question = Question(
        pool_id=request.pool_id,
        wish=_wish(
            call,
            request.item_reference,
            request.count,
            request.target_date,
            free=request.intent is wire.Intent.REALLOCATION,
        ),
        benefit_key=request.benefit_key,
        additional_data=request.additional_data,
    )
    (result,) = await _answer(call, [question], request.namespace, request.beneficiary)
    return wire.CheckBenefitEligibilityResponse(result=result)


@method(
    "bulkCheckBenefitEligibility",
    POST,
    "/benefit-programs/v1/bulk/benefits/check-eligibility",
    MANAGE,
    "BENEFIT_PROGRAMS.POOL_REDEEM",
)
async def bulk_check(
    call: Call, request: wire.BulkCheckBenefitEligibilityRequest
) -> wire.BulkCheckBenefitEligibilityResponse:
    """The answers in the order of the questions."""
    questions = [
        Question(
            pool_id=each.pool_id,
            wish=_wish(call, each.item_reference, each.count, each.target_date),
            benefit_key=each.benefit_key,
            additional_data=each.additional_data,
        )
        for each in request.benefit_selectors
    ]
    results = await _answer(call, questions, request.namespace, request.beneficiary)
    return wire.BulkCheckBenefitEligibilityResponse(
        results=tuple(
            wire.BulkEligibilityCheckResult(benefit_selector=selector, result=result)
            for selector, result in zip(request.benefit_selectors, results, strict=True)
        )
    )


@method(
    "getEligibleBenefits",
    POST,
    "/benefit-programs/v1/pools/eligible-pools",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.POOL_READ",
    refuses=(InvalidItemReference,),
    for_members=True,
)
async def get_eligible(
    call: Call, request: wire.GetEligibleBenefitsRequest
) -> wire.GetEligibleBenefitsResponse:
    """What pays for the item, oldest pool first."""
    wish = _wish(call, request.item_reference, request.count, request.target_date)
    active = (PoolStatus.ACTIVE,)
    found = await _find_candidates(call, request, wish, active, payable=wish.count)
    names = await Names.of_pools(call, (each.pool for each in found))
    judged = await _judge(call, found, names)
    eligible = [
        result.eligible_benefit_options
        for result in judged
        if result.eligible_benefit_options is not None
    ]
    return wire.GetEligibleBenefitsResponse(eligible_benefits=tuple(eligible))


@method(
    "checkBenefitEligibilityByFilter",
    POST,
    "/benefit-programs/v1/pools/check-benefit-eligibility-by-filter",
    MANAGE,
    "benefit_programs:v1:pool:check_benefit_eligibility_by_filter",
    refuses=(InvalidItemReference,),
)
async def check_by_filter(
    call: Call, request: wire.CheckBenefitEligibilityByFilterRequest
) -> wire.CheckBenefitEligibilityByFilterResponse:
    """One result a pool, ended ones too."""
    wish = _wish(call, request.item_reference, request.count, request.target_date)
    selector = request.pool_selector
    statuses = (selector.pool_statuses if selector else None) or tuple(PoolStatus)
    found = await _find_candidates(call, request, wish, statuses)
    names = await Names.of_pools(call, (each.pool for each in found))
    judged = await _judge(call, found, names)
    by_pool: dict[str, list[wire.BenefitResult]] = {}
    for candidate, result in zip(found, judged, strict=True):
        by_pool.setdefault(candidate.pool.id, []).append(result)
    return wire.CheckBenefitEligibilityByFilterResponse(
        results=tuple(
            wire.EligibilityCheckResult(benefit_results=tuple(results))
            for results in by_pool.values()
        )
    )


def _wish(
    call: Call,
    reference: ItemReferenceData,
    count: int | None,
    target_date: Instant | None,
    *,
    free: bool = False,
) -> Wish:
    at = target_date if target_date is not None else call.services.engine.now()
    return Wish(item=reference.reference(), count=count or 1, at=at, free=free)


def _beneficiary(call: Call, given: IdentificationData | None) -> Identity | None:
    """Whose pools to look at: a member's key means that member, whoever is named."""
    if call.principal.is_member:
        return call.principal.caller
    return given.identity() if given else None


async def _find_candidates(
    call: Call,
    request: wire.GetEligibleBenefitsRequest | wire.CheckBenefitEligibilityByFilterRequest,
    wish: Wish,
    statuses: tuple[PoolStatus, ...],
    *,
    payable: int = 0,
) -> list[Candidate]:
    """The pools of the namespace with their benefits that hold the item."""
    reader, namespace = call.services.reader, request.namespace
    holding = pools_holding(
        reader.dialect,
        tenant_id=call.tenant_id,
        namespace=namespace,
        item=wish.item,
        beneficiary=_beneficiary(call, request.beneficiary),
        statuses=statuses,
        payable=payable,
    )
    read = CODECS[Pool].read
    rows = [(read(row[:-1]), row[-1]) for row in await reader.fetch(holding)]
    if not rows:
        await _require_known_app(call, namespace, wish.item)
    snapshots = await reader.snapshots(call.tenant_id, [pool.snapshot_id for pool, _ in rows])
    return [
        Candidate(pool, snapshot, benefit, wish, request.additional_data)
        for pool, benefit_key in rows
        for snapshot in (snapshots[pool.snapshot_id],)
        for benefit in (snapshot.details.benefit(benefit_key),)
        if benefit is not None
    ]


async def _require_known_app(call: Call, namespace: str, item: ItemReference) -> None:
    """Refuse an app that no benefit of the namespace has; an item that nothing holds is none."""
    reader = call.services.reader
    known = provider_app_known(
        reader.dialect,
        tenant_id=call.tenant_id,
        namespace=namespace,
        provider_app_id=item.provider_app_id,
    )
    if not await reader.fetch(known):
        raise InvalidItemReference(item_reference=item)


async def _answer(
    call: Call,
    questions: Sequence[Question],
    namespace: str,
    beneficiary: IdentificationData | None,
) -> list[wire.EligibilityCheckResult]:
    """Answer questions about single pools, with a few statements for all of them."""
    whose = beneficiary.identity() if beneficiary else None
    rows = await call.many(POOL, [(each.pool_id,) for each in questions])
    pools = {row.id: row for row in rows if belongs(row, namespace=namespace, beneficiary=whose)}
    snapshots = await call.services.reader.snapshots(
        call.tenant_id, [pool.snapshot_id for pool in pools.values()]
    )
    names = await Names.of_pools(call, pools.values())
    asked = await _that_hold(call, [_candidates(each, pools, snapshots) for each in questions])
    judged = iter(await _judge(call, [each for some in asked for each in some], names))
    return [
        _result(
            [next(judged) for _ in candidates] or [_nothing_held(question, pools, snapshots, names)]
        )
        for question, candidates in zip(questions, asked, strict=True)
    ]


def _candidates(
    question: Question, pools: Mapping[str, Pool], snapshots: Mapping[str, Snapshot]
) -> list[Candidate]:
    """The benefits that a question is about, whether or not they hold its item."""
    pool = pools.get(question.pool_id)
    if pool is None:
        return []
    snapshot = snapshots[pool.snapshot_id]
    return [
        Candidate(pool, snapshot, benefit, question.wish, question.additional_data)
        for benefit in snapshot.details.benefits or ()
        if question.benefit_key in (None, benefit.benefit_key)
    ]


async def _that_hold(call: Call, asked: list[list[Candidate]]) -> list[list[Candidate]]:
    """Of the benefits of each question those that hold its item, found in one statement."""
    keys = [_item_key(each) for some in asked for each in some]
    held = {
        (row.external_id, row.provider_app_id, row.category, row.item_set_id)
        for row in await call.many(ITEM_BY_REFERENCE, keys)
    }
    return [[each for each in some if _item_key(each) in held] for some in asked]


def _item_key(candidate: Candidate) -> tuple[str, str, str, str | None]:
    """The key under which the benefit's item set has the item, if it holds it."""
    item = candidate.wish.item
    return item.external_id, item.provider_app_id, item.category, candidate.benefit.item_set_id


def _nothing_held(
    question: Question,
    pools: Mapping[str, Pool],
    snapshots: Mapping[str, Snapshot],
    names: Names,
) -> wire.BenefitResult:
    """The answer where no benefit holds the item: the pool's status comes first."""
    pool = pools.get(question.pool_id)
    if pool is None:
        return wire.BenefitResult.of(PoolNotFound(pool_id=question.pool_id))
    snapshot = snapshots[pool.snapshot_id]
    try:
        require_active(pool, snapshot, snapshot.details.benefit(question.benefit_key or ""))
    except Refusal as refusal:
        return wire.BenefitResult.of(names.explain(refusal))
    missing = benefit_missing(pool, snapshot, question.benefit_key)
    return wire.BenefitResult.of(names.explain(missing))


async def _judge(call: Call, candidates: list[Candidate], names: Names) -> list[wire.BenefitResult]:
    """Judge candidates as a redemption would, in its order of checks."""
    if has_providers(call):
        verdicts = await ask_providers(call, candidates)
    else:
        verdicts = [NO_VERDICTS] * len(candidates)
    used = await _quotas(call, candidates)
    settings = call.principal.settings
    return [
        _judge_one(candidate, Terms(settings, said), names, used)
        for candidate, said in zip(candidates, verdicts, strict=True)
    ]


async def _quotas(call: Call, candidates: list[Candidate]) -> dict[tuple[str, str, Instant], int]:
    time_zone = Terms(call.principal.settings).time_zone
    keys = [
        (each.pool.id, share.quota_id, share.period_start)
        for each in candidates
        for share in shares_of(each.snapshot.details, each.benefit, each.wish, time_zone)
    ]
    rows = await call.many(QUOTA, keys)
    return {(row.pool_id, row.quota_id, row.period_start): row.used for row in rows}


def _judge_one(
    candidate: Candidate,
    terms: Terms,
    names: Names,
    used: dict[tuple[str, str, Instant], int],
) -> wire.BenefitResult:
    pool, snapshot, benefit, wish, _ = candidate
    try:
        require_active(pool, snapshot, benefit)
        require_allowed(
            pool,
            snapshot,
            benefit,
            wish,
            terms,
            lambda quota_id, start: used.get((pool.id, quota_id, start), 0),
        )
        require_affordable(pool, snapshot, benefit, wish)
    except Refusal as refusal:
        return wire.BenefitResult.of(names.explain(refusal))
    context = names.tell(context_of(pool, snapshot, benefit))
    return wire.BenefitResult.of(
        wire.EligibleBenefit(
            pool_id=pool.id,
            benefit_key=benefit.benefit_key,
            item_reference=ItemReferenceData.of(wish.item),
            price=benefit.price or 0,
            pool_info=context.pool_info,
            benefit_info=context.benefit_info,
            program_info=context.program_info,
            program_definition_info=context.program_definition_info,
        )
    )


def _result(results: Sequence[wire.BenefitResult]) -> wire.EligibilityCheckResult:
    return wire.EligibilityCheckResult(benefit_results=tuple(results))
