"""What policy providers say, asked before a command goes to the engine, never in a transaction."""

from __future__ import annotations

from collections.abc import Iterable

from benefit_programs.api.call import Call
from benefit_programs.domain.details import Benefit
from benefit_programs.domain.eligibility import Verdicts, Wish, expression_of
from benefit_programs.domain.entities import Pool, Snapshot
from benefit_programs.engine.providers import (
    PolicyProvider,
    Question,
    RedemptionFacts,
    questions_about,
    verdicts_by_key,
)

NO_VERDICTS: Verdicts = {}


class Candidate:
    """A benefit of a pool that somebody would like to redeem."""

    __slots__ = ("benefit", "pool", "snapshot", "wish")

    def __init__(self, pool: Pool, snapshot: Snapshot, benefit: Benefit, wish: Wish) -> None:
        self.pool = pool
        self.snapshot = snapshot
        self.benefit = benefit
        self.wish = wish


def has_providers(call: Call) -> bool:
    """Whether the tenant has anyone to ask at all."""
    return bool(call.principal.settings.policy_providers)


async def ask_providers(
    call: Call,
    candidates: Iterable[Candidate],
    additional_data: dict[str, object] | None,
) -> list[Verdicts]:
    """The verdicts for each candidate; all providers are asked side by side."""
    candidates = list(candidates)
    providers = {
        each.app_id: PolicyProvider(each.app_id, each.url, each.secret)
        for each in call.principal.settings.policy_providers
    }
    asked = [_questions(call, each, providers, additional_data) for each in candidates]
    flat = [question for questions in asked for question in questions]
    if not flat:
        return [NO_VERDICTS] * len(candidates)
    services = call.services
    verdicts = iter(await services.providers.ask(flat, now=services.engine.now()))
    return [verdicts_by_key(questions, [next(verdicts) for _ in questions]) for questions in asked]


def _questions(
    call: Call,
    candidate: Candidate,
    providers: dict[str, PolicyProvider],
    additional_data: dict[str, object] | None,
) -> tuple[Question, ...]:
    pool, wish = candidate.pool, candidate.wish
    expression = expression_of(candidate.snapshot.details, candidate.benefit)
    facts = RedemptionFacts(
        tenant_id=call.principal.site_id,
        namespace=pool.namespace,
        pool_id=pool.id,
        benefit_key=candidate.benefit.benefit_key,
        item_reference=wish.item,
        count=wish.count,
        target_date=wish.at,
        beneficiary=pool.beneficiary,
        additional_data=additional_data,
    )
    return questions_about(expression, providers, facts)
