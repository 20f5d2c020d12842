"""What policy providers say, asked before a command goes to the engine, never in a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from benefit_programs.api.call import Call
from benefit_programs.domain.details import Benefit
from benefit_programs.domain.eligibility import Verdicts, Wish
from benefit_programs.domain.entities import Pool, Snapshot
from benefit_programs.domain.policies import policy_of
from benefit_programs.engine.providers import (
    PolicyProvider,
    Question,
    RedemptionFacts,
    questions_about,
    verdicts_by_key,
)

NO_VERDICTS: Verdicts = {}


class Candidate(NamedTuple):
    """A benefit of a pool that somebody would like to redeem, and what they say of it."""

    pool: Pool
    snapshot: Snapshot
    benefit: Benefit
    wish: Wish
    additional_data: dict[str, Any] | None = None


def has_providers(call: Call) -> bool:
    """Whether the tenant has anyone to ask at all."""
    return bool(call.principal.settings.policy_providers)


async def ask_providers(call: Call, candidates: Sequence[Candidate]) -> list[Verdicts]:
    """The verdicts for each candidate; all providers are asked side by side."""
    providers = {
        each.app_id: PolicyProvider(each.app_id, each.url, each.secret)
        for each in call.principal.settings.policy_providers
    }
    asked = [_questions(call, each, providers) for each in candidates]
    flat = [question for questions in asked for question in questions]
    if not flat:
        return [NO_VERDICTS] * len(candidates)
    services = call.services
    verdicts = iter(await services.providers.ask(flat, now=services.engine.now()))
    return [verdicts_by_key(questions, [next(verdicts) for _ in questions]) for questions in asked]


def _questions(
    call: Call, candidate: Candidate, providers: dict[str, PolicyProvider]
) -> tuple[Question, ...]:
    pool, wish = candidate.pool, candidate.wish
    expression = policy_of(candidate.snapshot.details, candidate.benefit)
    facts = RedemptionFacts(
        tenant_id=call.principal.site_id,
        namespace=pool.namespace,
        pool_id=pool.id,
        benefit_key=candidate.benefit.benefit_key,
        item_reference=wish.item,
        count=wish.count,
        target_date=wish.at,
        beneficiary=pool.beneficiary,
        additional_data=candidate.additional_data,
    )
    return questions_about(expression, providers, facts)
