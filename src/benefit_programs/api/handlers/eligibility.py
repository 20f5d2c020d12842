"""What may be redeemed, and why something may not. Contract: Eligibility."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import Iterable, Sequence
from typing import Any

from benefit_programs.api.call import Call
from benefit_programs.api.explanations import Names
from benefit_programs.api.method import MANAGE, POST, READ_LIMITED, method
from benefit_programs.api.verdicts import ask_providers
from benefit_programs.domain.eligibility import (
    Candidate,
    EligibilityCheck,
    Moment,
    RequestedItem,
    assess,
    context_of,
)
from benefit_programs.domain.entities import Pool, PoolStatus
from benefit_programs.domain.errors import Invalid, InvalidItemReference, Refusal
from benefit_programs.domain.indexes import Index
from benefit_programs.domain.lookups import POOL
from benefit_programs.domain.rows import Row
from benefit_programs.domain.values import Identity, Instant, ItemReference
from benefit_programs.storage.eligible import (
    ELIGIBLE_OF_BENEFICIARY_MAX,
    pools_holding,
    provider_app_known,
)
from benefit_programs.storage.loading import load_state
from benefit_programs.storage.rows import CODECS
from benefit_programs.wire.types import eligibility as wire
from benefit_programs.wire.types.common import IdentificationData, ItemReferenceData

_TOO_MANY = Invalid.because(
    "beneficiary",
    f"has over {ELIGIBLE_OF_BENEFICIARY_MAX} benefits with the item: ask for fewer pool statuses",
    rule_name="too_many_benefits",
)

GIVE_WAY_EVERY = 10
"""After how many pools an answer about many lets others use the event loop."""


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
    is_free = request.intent is wire.Intent.REALLOCATION
    asked = _check(call, request, request, is_free=is_free)
    (results,) = await _answer(call, [asked])
    return wire.CheckBenefitEligibilityResponse(result=_result(results))


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
    answers = await _answer(
        call, [_check(call, request, each) for each in request.benefit_selectors]
    )
    return wire.BulkCheckBenefitEligibilityResponse(
        results=tuple(
            wire.BulkEligibilityCheckResult(benefit_selector=selector, result=_result(results))
            for selector, results in zip(request.benefit_selectors, answers, strict=True)
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
    found = await _find(call, request, (PoolStatus.ACTIVE,), payable=request.count or 1)
    eligible = [
        result.eligible_benefit_options
        for _, result in found
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
    selector = request.pool_selector
    statuses = (selector.pool_statuses if selector else None) or tuple(PoolStatus)
    by_pool: dict[str, list[wire.BenefitResult]] = {}
    for pool_id, result in await _find(call, request, statuses):
        by_pool.setdefault(pool_id, []).append(result)
    return wire.CheckBenefitEligibilityByFilterResponse(
        results=tuple(_result(results) for results in by_pool.values())
    )


def _check(
    call: Call,
    request: wire.CheckBenefitEligibilityRequest | wire.BulkCheckBenefitEligibilityRequest,
    selector: wire.CheckBenefitEligibilityRequest | wire.BenefitSelector,
    *,
    is_free: bool = False,
) -> EligibilityCheck:
    return EligibilityCheck(
        pool_id=selector.pool_id,
        namespace=request.namespace,
        beneficiary=request.beneficiary.identity() if request.beneficiary else None,
        requested=_requested(
            call, selector.item_reference, selector.count, selector.target_date, is_free=is_free
        ),
        benefit_key=selector.benefit_key,
        additional_data=selector.additional_data,
    )


def _requested(
    call: Call,
    reference: ItemReferenceData,
    count: int | None,
    target_date: Instant | None,
    **known: bool,
) -> RequestedItem:
    at = target_date if target_date is not None else call.now
    return RequestedItem(reference=reference.reference(), count=count or 1, at=at, **known)


def _beneficiary(call: Call, given: IdentificationData | None) -> Identity | None:
    """Whose pools to look at: a member's key means that member, whoever is named."""
    if call.principal.is_member:
        return call.principal.caller
    return given.identity() if given else None


async def _find(
    call: Call,
    request: wire.GetEligibleBenefitsRequest | wire.CheckBenefitEligibilityByFilterRequest,
    statuses: tuple[PoolStatus, ...],
    *,
    payable: int = 0,
) -> list[tuple[str, wire.BenefitResult]]:
    """What becomes of each benefit of the namespace's pools that holds the item, by pool id."""
    reader, namespace = call.services.reader, request.namespace
    beneficiary = _beneficiary(call, request.beneficiary)
    requested = _requested(
        call, request.item_reference, request.count, request.target_date, is_held=True
    )
    holding = pools_holding(
        reader.dialect,
        tenant_id=call.tenant_id,
        namespace=namespace,
        item=requested.reference,
        beneficiary=beneficiary,
        statuses=statuses,
        payable=payable,
        now=call.now,
    )
    read = CODECS[Pool].read
    rows = [(read(row[:-1]), row[-1]) for row in await reader.fetch(holding)]
    if not rows:
        await require_known_app(call, namespace, requested.reference)
    if beneficiary is not None and len(rows) > ELIGIBLE_OF_BENEFICIARY_MAX:
        raise _TOO_MANY
    checks = [
        EligibilityCheck(
            pool_id=pool.id,
            namespace=namespace,
            requested=requested,
            benefit_key=benefit_key,
            additional_data=request.additional_data,
        )
        for pool, benefit_key in rows
    ]
    answers = await _answer(call, checks, known=[(POOL, [pool for pool, _ in rows])])
    return [
        (each.pool_id, result)
        for each, results in zip(checks, answers, strict=True)
        for result in results
    ]


async def require_known_app(call: Call, namespace: str, item: ItemReference) -> None:
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
    checks: Sequence[EligibilityCheck],
    *,
    known: Iterable[tuple[Index[Any], Iterable[Row]]] = (),
) -> list[list[wire.BenefitResult]]:
    """Answer checks of single pools, with a few statements for all of them."""
    services = call.services
    moment = Moment(call.now, call.principal.settings)
    state = await load_state(
        services.reader,
        call.tenant_id,
        checks,
        now=moment.now,
        settings=moment.settings,
        known=known,
    )
    pools = (state.loaded(POOL, each.pool_id) for each in checks)
    names = Names.loaded(state, (each for each in pools if each is not None))
    found = [each.candidates(state, moment) for each in checks]
    verdicts = iter(await ask_providers(call, [each for some in found for each in some]))
    answers = []
    for position, some in enumerate(found, 1):
        answers.append(
            [_benefit_result(assess(state, each, moment, next(verdicts)), names) for each in some]
        )
        if position % GIVE_WAY_EVERY == 0:
            await sleep(0)
    return answers


def _benefit_result(answer: Candidate | Refusal, names: Names) -> wire.BenefitResult:
    if isinstance(answer, Refusal):
        return wire.BenefitResult.of(names.explain(answer))
    pool, benefit = answer.pool, answer.benefit
    context = names.add_to(context_of(pool, answer.snapshot, benefit))
    return wire.BenefitResult.of(
        wire.EligibleBenefit(
            pool_id=pool.id,
            benefit_key=benefit.benefit_key,
            item_reference=ItemReferenceData.of(answer.requested.reference),
            price=benefit.price or 0,
            pool_info=context.pool_info,
            benefit_info=context.benefit_info,
            program_info=context.program_info,
            program_definition_info=context.program_definition_info,
        )
    )


def _result(results: Sequence[wire.BenefitResult]) -> wire.EligibilityCheckResult:
    return wire.EligibilityCheckResult(benefit_results=tuple(results))
