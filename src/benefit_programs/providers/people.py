"""Providers of people: a tenant's own directory, asked for names that the service doesn't have.

A tenant registers one URL and a signing secret. It is asked with a POST, whose body is a JSON
object, either for those whom a text finds:

    {"tenantId": "...", "text": "ada lov", "limit": 20}

or for who some beneficiaries are, at most 100:

    {"tenantId": "...", "beneficiaries": [{"identityType": "MEMBER", "memberId": "..."}]}

It is signed (``signed``). The provider answers 200 with a JSON object; only ``beneficiary`` and
``displayName`` must be there, and who isn't known is left out:

    {"people": [{
        "beneficiary": {"memberId": "..."},
        "displayName": "...", "email": "...", "phone": "..."
    }]}

Anything else (another status, a redirect, no JSON, too long, too late, no connection) is no answer.
Then callers get ids without names. Who reads the answer checks each person by itself.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import msgspec
import structlog

from benefit_programs.domain.people.provided import PeopleProviderFailure
from benefit_programs.domain.values import Identity, Instant
from benefit_programs.outgoing.addresses import ForbiddenAddressError
from benefit_programs.outgoing.shares import Shares
from benefit_programs.outgoing.urls import url_problem
from benefit_programs.providers.identities import identity_document
from benefit_programs.providers.room import Room
from benefit_programs.providers.signed import (
    EXCHANGE_ERRORS,
    NoAnswerError,
    post_signed,
    question_span,
    tell_outcome,
)

PEOPLE_PROVIDER_SECONDS_MAX = 2.0
"""How long a provider of people may take, from the question to the end of the answer."""

PEOPLE_PROVIDER_PAUSE_SECONDS = 15.0
"""For how long a provider that took too long isn't asked: nobody waits for it again and again."""

PEOPLE_ANSWER_BYTES_MAX = 524_288
"""The longest answer that is read: more than 100 people with the longest texts have."""

PEOPLE_QUESTIONS_OF_TENANT_AT_ONCE_MAX = 10
"""How many of a tenant's questions are about people: names leave room for policies."""

PAUSES_MAX = 10_000
"""How many silent providers a process remembers."""

_ANSWERED = "ANSWERED"

_WHOM = "the provider of people"

log = structlog.get_logger(__name__)


class PeopleProvider(msgspec.Struct, frozen=True):
    """Where a tenant's people are asked for, and what the questions are signed with.

    Raises ValueError unless the URL is an absolute http or https one without user information
    and the secret holds something. Its text form doesn't show the secret.
    """

    url: str
    secret: str

    def __post_init__(self) -> None:
        if problem := url_problem(self.url):
            raise ValueError(f"the URL of {_WHOM} {problem}")
        if not self.secret:
            raise ValueError(f"the secret of {_WHOM} is not empty")

    def __repr__(self) -> str:
        return f"PeopleProvider(url={self.url!r})"


class PeopleQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Who a text finds, at most ``limit``; or, without a text, who some beneficiaries are."""

    tenant_id: str
    text: str | None = None
    limit: int = 0
    beneficiaries: tuple[Identity, ...] = ()

    def encode(self) -> bytes:
        """The body of the request."""
        asked: dict[str, Any] = {"text": self.text, "limit": self.limit}
        if self.text is None:
            asked = {"beneficiaries": [identity_document(each) for each in self.beneficiaries]}
        content = {"tenantId": self.tenant_id, **asked}
        return json.dumps(content, separators=(",", ":")).encode()


class PeopleFailed(Exception):
    """There is no answer. The message says why, without any of the provider's own words."""

    def __init__(self, code: PeopleProviderFailure, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class _Answer(msgspec.Struct, frozen=True):
    people: list[Any]


class PeopleProviders:
    """Asks providers of people in a room that they share with those of policies.

    ``elapsed`` is a clock in seconds that never goes back.
    """

    def __init__(
        self,
        room: Room,
        *,
        seconds_max: float = PEOPLE_PROVIDER_SECONDS_MAX,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._room = room
        self._seconds_max = seconds_max
        self._elapsed = elapsed
        self._shares = Shares(PEOPLE_QUESTIONS_OF_TENANT_AT_ONCE_MAX)
        self._silent: dict[tuple[str, PeopleProvider], float] = {}
        """Until when a tenant's provider isn't asked; the one that was silent first comes first."""

    async def ask(
        self,
        question: PeopleQuestion,
        provider: PeopleProvider,
        *,
        now: Instant,
        apart: AbstractAsyncContextManager[None],
    ) -> list[Any]:
        """The people of the answer as JSON, of whatever shape they are. Raises PeopleFailed.

        ``apart`` is entered while the provider is asked. Never call it in a transaction.
        """
        asked = question.tenant_id, provider
        if self._is_silent(asked):
            raise PeopleFailed(
                PeopleProviderFailure.PROVIDER_TIMEOUT,
                f"{_WHOM} took too long a moment ago, and is not asked yet",
            )
        async with apart:
            try:
                return await self._ask_traced(question, provider, now=now)
            except PeopleFailed as failure:
                if failure.code is PeopleProviderFailure.PROVIDER_TIMEOUT:
                    self._remember_silence(asked)
                log.warning(
                    "people_provider_failed",
                    tenant=question.tenant_id,
                    code=str(failure.code),
                    reason=failure.message,
                )
                raise

    async def _ask_traced(
        self, question: PeopleQuestion, provider: PeopleProvider, *, now: Instant
    ) -> list[Any]:
        with question_span("ask provider of people") as span:
            try:
                people = await self._ask(question, provider, now=now)
            except PeopleFailed as failure:
                tell_outcome(span, failure.code, has_failed=True)
                raise
            tell_outcome(span, _ANSWERED, has_failed=False)
        return people

    async def _ask(
        self, question: PeopleQuestion, provider: PeopleProvider, *, now: Instant
    ) -> list[Any]:
        tenant, client = question.tenant_id, self._room.client
        try:
            async with (
                asyncio.timeout(self._seconds_max),
                self._shares.of(tenant),
                self._room.turns.turn(tenant),
            ):
                answer = await post_signed(
                    client,
                    provider.url,
                    question.encode(),
                    secret=provider.secret,
                    now=now,
                    bytes_max=PEOPLE_ANSWER_BYTES_MAX,
                    whom=_WHOM,
                )
        except (TimeoutError, httpx.TimeoutException):
            raise PeopleFailed(
                PeopleProviderFailure.PROVIDER_TIMEOUT, f"{_WHOM} took too long"
            ) from None
        except NoAnswerError as error:
            raise _failed(str(error)) from None
        except ForbiddenAddressError:
            raise _failed(f"the address of {_WHOM} is not allowed") from None
        except EXCHANGE_ERRORS as error:
            raise _failed(f"{_WHOM} could not be asked ({type(error).__name__})") from None
        return _people_of(answer)

    def _is_silent(self, asked: tuple[str, PeopleProvider]) -> bool:
        until = self._silent.get(asked)
        return until is not None and self._elapsed() < until

    def _remember_silence(self, asked: tuple[str, PeopleProvider]) -> None:
        now = self._elapsed()
        self._silent.pop(asked, None)
        self._silent[asked] = now + PEOPLE_PROVIDER_PAUSE_SECONDS
        while True:
            oldest, until = next(iter(self._silent.items()))
            if until > now and len(self._silent) <= PAUSES_MAX:
                break
            del self._silent[oldest]


def _people_of(answer: bytes) -> list[Any]:
    try:
        return msgspec.json.decode(answer, type=_Answer).people
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # The decoder's own words may quote the answer.
        raise _failed(f"the answer of {_WHOM} can't be read") from None


def _failed(message: str) -> PeopleFailed:
    return PeopleFailed(PeopleProviderFailure.PROVIDER_FAILED, message)
