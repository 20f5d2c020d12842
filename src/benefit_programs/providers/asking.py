"""Many questions: each asked once, a bounded number at a time, in one bounded time."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import islice

import httpx
import structlog

from benefit_programs.domain.details import PolicyExpression
from benefit_programs.domain.policies import CustomPolicyKey, FailureCode, FailureDetail, Verdict
from benefit_programs.domain.values import Instant
from benefit_programs.outgoing.addresses import ForbiddenAddressError, Network
from benefit_programs.outgoing.shares import Shares
from benefit_programs.providers.exchange import (
    EXCHANGE_ERRORS,
    PROVIDER_QUESTIONS_AT_ONCE_MAX,
    NoAnswerError,
    exchange,
    open_provider_client,
)
from benefit_programs.providers.questions import (
    PolicyProvider,
    Question,
    RedemptionFacts,
    questions_about,
)

PROVIDER_SECONDS_FOR_ALL = 2.0
"""How long all the providers of a request may take together."""

PROVIDER_QUESTIONS_MAX = 200
"""How many different questions one request may ask; what hangs on the others is refused."""

PROVIDER_QUESTIONS_OF_TENANT_AT_ONCE_MAX = 40
"""How many questions of one tenant are under way: a silent provider leaves room for others."""

GIVE_WAY_EVERY = 10
"""After how many redemptions their questions let others use the event loop."""

QuestionKey = tuple[CustomPolicyKey, object]
"""What a question is about: equal ones are asked once."""

Subject = tuple[PolicyExpression | None, RedemptionFacts]
"""A redemption, and the expression that binds its benefit."""

log = structlog.get_logger(__name__)


class Turns:
    """Who may ask now: a bounded number in all, and of each tenant only its share."""

    def __init__(
        self,
        at_once: int = PROVIDER_QUESTIONS_AT_ONCE_MAX,
        of_tenant: int = PROVIDER_QUESTIONS_OF_TENANT_AT_ONCE_MAX,
    ) -> None:
        self._all = asyncio.Semaphore(at_once)
        self._shares = Shares(of_tenant)

    @asynccontextmanager
    async def turn(self, tenant: str) -> AsyncIterator[None]:
        """Wait until one more question of the tenant may be asked."""
        async with self._shares.of(tenant), self._all:
            yield


class PolicyProviders:
    """Asks providers through one client, which is opened by the first question.

    They are at public addresses, or in the ``allowed`` networks.
    """

    def __init__(
        self,
        *,
        allowed: Sequence[Network] = (),
        seconds_for_all: float = PROVIDER_SECONDS_FOR_ALL,
    ) -> None:
        self._allowed = allowed
        self._client: httpx.AsyncClient | None = None
        self._turns = Turns()
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
                given = await self._ask(tuple(chosen.values()), now=now, until=until)
            verdicts = dict(zip(chosen, given, strict=True))
        return [
            {key: verdicts.get(same, _TOO_MANY) for key, same in each.items()} for each in asked
        ]

    async def _ask(
        self, questions: Sequence[Question], *, now: Instant, until: float
    ) -> tuple[Verdict, ...]:
        if self._client is None:
            self._client = open_provider_client(self._allowed)
        return await ask(self._client, questions, now=now, until=until, turns=self._turns)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()


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
