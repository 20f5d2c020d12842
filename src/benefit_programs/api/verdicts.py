"""What policy providers say, asked before a command goes to the engine, never in a transaction."""

from __future__ import annotations

from asyncio import gather
from collections.abc import Sequence
from typing import Any, TypeVar

from msgspec.structs import replace

from benefit_programs.api.call import Call
from benefit_programs.domain.eligibility import NO_VERDICTS, Candidate, Moment, Verdicts
from benefit_programs.domain.errors import Refusal
from benefit_programs.domain.moving import MoveRedemption
from benefit_programs.domain.paying import RedeemEligible
from benefit_programs.domain.redemptions import ReallocateBenefit, RedeemBenefit
from benefit_programs.domain.reservations import ReserveBenefit
from benefit_programs.providers.asking import Subject
from benefit_programs.providers.questions import PolicyProvider, RedemptionFacts

Asking = TypeVar(
    "Asking", bound=RedeemBenefit | ReserveBenefit | ReallocateBenefit | MoveRedemption
)


async def with_verdicts(call: Call, command: Asking) -> Asking:
    """The command with what providers say of it.

    Nobody is asked if a check fails that comes before its policy: then that refusal is raised.
    """
    settings = call.principal.settings
    if not settings.policy_providers:
        return command
    now = call.now
    state = await call.load(
        (command,), now=now, enough=lambda state: not command.may_ask_providers(state)
    )
    if not command.may_ask_providers(state):
        return command
    (verdicts,) = await ask_providers(call, [command.candidate(state, Moment(now, settings))])
    return replace(command, verdicts=verdicts)


async def each_with_verdicts(call: Call, commands: Sequence[Any]) -> Sequence[Any]:
    """Each command with what providers say of it, or the error that came of asking."""
    if not call.principal.settings.policy_providers:
        return commands
    asked = (with_verdicts(call, each) for each in commands)
    return await gather(*asked, return_exceptions=True)


async def with_verdicts_of_each(call: Call, command: RedeemEligible) -> RedeemEligible:
    """The command with what providers say of each benefit that may pay."""
    settings = call.principal.settings
    if not settings.policy_providers:
        return command
    moment = Moment(call.now, settings)
    state = await call.load((command,), now=moment.now)
    found = command.candidates(state, moment)
    verdicts = zip(found, await ask_providers(call, found), strict=True)
    return replace(
        command,
        verdicts={
            (each.pool.id, each.benefit.benefit_key): said
            for each, said in verdicts
            if isinstance(each, Candidate)
        },
    )


async def ask_providers(call: Call, candidates: Sequence[Candidate | Refusal]) -> list[Verdicts]:
    """The verdicts on each candidate; nobody is asked about what is refused already."""
    settings = call.principal.settings
    if not settings.policy_providers:
        return [NO_VERDICTS] * len(candidates)
    providers = {
        each.app_id: PolicyProvider(each.app_id, each.url, each.secret)
        for each in settings.policy_providers
    }
    subjects = [_subject(call, each) for each in candidates if isinstance(each, Candidate)]
    real_now = call.services.engine.now()
    asking = call.services.providers.ask(subjects, providers, now=real_now, apart=call.turn.apart())
    given = iter(await asking)
    return [next(given) if isinstance(each, Candidate) else NO_VERDICTS for each in candidates]


def _subject(call: Call, candidate: Candidate) -> Subject:
    pool, requested = candidate.pool, candidate.requested
    return candidate.policy, RedemptionFacts(
        tenant_id=call.principal.site_id,
        namespace=pool.namespace,
        pool_id=pool.id,
        benefit_key=candidate.benefit.benefit_key,
        item_reference=requested.reference,
        count=requested.count,
        target_date=requested.at,
        beneficiary=pool.beneficiary,
        additional_data=candidate.additional_data,
    )
