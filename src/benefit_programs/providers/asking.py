"""Many questions: each asked once, a bounded number at a time, in one bounded time."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from itertools import islice

import httpx
import structlog

from benefit_programs.domain.details import PolicyExpression
from benefit_programs.domain.policies import CustomPolicyKey, FailureCode, FailureDetail, Verdict
from benefit_programs.domain.values import Instant
from benefit_programs.outgoing.addresses import ForbiddenAddressError
from benefit_programs.providers.exchange import exchange
from benefit_programs.providers.questions import (
    PolicyProvider,
    Question,
    RedemptionFacts,
    questions_about,
)
from benefit_programs.providers.room import Room, Turns
from benefit_programs.providers.signed import (
    EXCHANGE_ERRORS,
    NoAnswerError,
    question_span,
    tell_outcome,
)

PROVIDER_SECONDS_FOR_ALL = 2.0
"""How long all the providers of a request may take together."""

PROVIDER_QUESTIONS_MAX = 200
"""How many different questions one request may ask; what hangs on the others is refused."""

GIVE_WAY_EVERY = 10
"""After how many redemptions their questions let others use the event loop."""

QuestionKey = tuple[CustomPolicyKey, object]
"""What a question is about: equal ones are asked once."""

Subject = tuple[PolicyExpression | None, RedemptionFacts]
"""A redemption, and the expression that binds its benefit."""

_FULFILLED, _REFUSED = "FULFILLED", "REFUSED"

log = structlog.get_logger(__name__)


class PolicyProviders:
    """Asks the providers of custom policies in a room."""

    def __init__(self, room: Room, *, seconds_for_all: float = PROVIDER_SECONDS_FOR_ALL) -> None:
        self._room = room
        self._seconds_for_all = seconds_for_all

    async def ask(
        self,
        subjects: Sequence[Subject],
        providers: Mapping[str, PolicyProvider],
        *,
        now: Instant,
        apart: AbstractAsyncContextManager[None],
    ) -> list[dict[CustomPolicyKey, Verdict]]:
        """The verdicts on each redemption, in the form that ``judge`` takes.

        Providers are named by their app ids; apps without one are not asked about. ``apart`` is
        entered while providers are asked, if any is.
        """
        until = asyncio.get_running_loop().time() + self._seconds_for_all
        questions: dict[QuestionKey, Question] = {}
        asked: list[dict[CustomPolicyKey, QuestionKey]] = []
        for position, (expression, facts) in enumerate(subjects):
            if position % GIVE_WAY_EVERY == GIVE_WAY_EVERY - 1:
                await asyncio.sleep(0)
            about, keys = _about(facts), {}
            for each in questions_about(expression, providers, facts):
                keys[each.key] = each.key, about
                questions.setdefault(keys[each.key], each)
            asked.append(keys)
        chosen = dict(islice(questions.items(), PROVIDER_QUESTIONS_MAX))
        verdicts: dict[QuestionKey, Verdict] = {}
        if chosen:
            async with apart:
                given = await ask(
                    self._room.client,
                    tuple(chosen.values()),
                    now=now,
                    until=until,
                    turns=self._room.turns,
                )
            verdicts = dict(zip(chosen, given, strict=True))
        return [
            {key: verdicts.get(same, _TOO_MANY) for key, same in each.items()} for each in asked
        ]


def _about(facts: RedemptionFacts) -> object:
    """What is the same for equal facts of one request."""
    try:
        data = json.dumps(facts.additional_data, sort_keys=True)
    except (RecursionError, ValueError):
        return id(facts)
    return (
        facts.pool_id,
        facts.benefit_key,
        facts.item_reference,
        facts.count,
        facts.target_date,
        data,
    )


async def ask(
    client: httpx.AsyncClient,
    questions: Sequence[Question],
    *,
    now: Instant,
    until: float,
    turns: Turns,
) -> tuple[Verdict, ...]:
    """Ask side by side until an instant of the loop's clock; answer in the order of the questions.

    A provider that fails gives an undecided verdict with PROVIDER_TIMEOUT or PROVIDER_FAILED, and
    leaves the others alone; nothing is raised but a cancellation of the caller. Never call it in a
    transaction.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_ask_one(client, each, now=now, until=until, turns=turns))
            for each in questions
        ]
    verdicts = tuple(task.result() for task in tasks)
    _log_failures(questions, verdicts)
    return verdicts


async def _ask_one(
    client: httpx.AsyncClient, question: Question, *, now: Instant, until: float, turns: Turns
) -> Verdict:
    with question_span("ask policy provider") as span:
        verdict = await _verdict(client, question, now=now, until=until, turns=turns)
        if span is not None:
            span.attributes["benefits.app_id"] = question.provider.app_id
        tell_outcome(span, _outcome(verdict), has_failed=verdict.fulfilled is None)
    return verdict


def _outcome(verdict: Verdict) -> str:
    """A verdict in a word of ours: a refusal's code is the provider's."""
    if verdict.fulfilled is None:
        assert verdict.failure is not None, "what is undecided says why"
        return verdict.failure.code
    return _FULFILLED if verdict.fulfilled else _REFUSED


async def _verdict(
    client: httpx.AsyncClient, question: Question, *, now: Instant, until: float, turns: Turns
) -> Verdict:
    try:
        async with asyncio.timeout_at(until), turns.turn(question.facts.tenant_id):
            return await exchange(client, question, now=now)
    except (TimeoutError, httpx.TimeoutException):
        return _failed("the policy provider took too long", FailureCode.PROVIDER_TIMEOUT)
    except NoAnswerError as error:
        return _failed(str(error))
    except ForbiddenAddressError:
        return _failed("the policy provider's address is not allowed")
    except EXCHANGE_ERRORS as error:
        return _failed(f"the policy provider could not be asked ({type(error).__name__})")


def _failed(reason: str, code: FailureCode = FailureCode.PROVIDER_FAILED) -> Verdict:
    return Verdict(fulfilled=None, failure=FailureDetail(code=code, message=reason))


_TOO_MANY = _failed(
    f"one request asks policy providers at most {PROVIDER_QUESTIONS_MAX} different questions"
)


def _log_failures(questions: Sequence[Question], verdicts: Sequence[Verdict]) -> None:
    """One line for all questions of a request that failed alike."""
    failures = Counter(
        (
            question.facts.tenant_id,
            question.provider.app_id,
            verdict.failure.code,
            verdict.failure.message,
        )
        for question, verdict in zip(questions, verdicts, strict=True)
        if verdict.fulfilled is None and verdict.failure is not None
    )
    for (tenant, app_id, code, reason), count in failures.items():
        log.warning(
            "policy_provider_failed",
            tenant=tenant,
            app_id=app_id,
            code=str(code),
            reason=reason,
            questions=count,
        )
