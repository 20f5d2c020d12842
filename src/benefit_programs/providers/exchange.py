"""One question and its answer, over HTTP."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import httpx
import msgspec

from benefit_programs.domain.policies import FailureCode, FailureDetail, Verdict
from benefit_programs.domain.values import Instant
from benefit_programs.outgoing.addresses import Network
from benefit_programs.outgoing.client import open_client
from benefit_programs.providers.questions import Question, encode, sign

PROVIDER_ANSWER_BYTES_MAX = 16_384
"""The longest answer that is read."""

PROVIDER_ANSWER_DEPTH_MAX = 32
"""How deep the data of an answer may nest: it is passed on to the caller of the API."""

PROVIDER_QUESTIONS_AT_ONCE_MAX = 200
"""How many questions one process has under way, each on a connection of its own."""

SIGNATURE_HEADER = "x-benefits-signature"


class AnswerDetails(msgspec.Struct, frozen=True):
    """Why a provider refuses, in its own words."""

    code: str | None = None
    message: str | None = None
    data: dict[str, Any] | None = None


class Answer(msgspec.Struct, frozen=True):
    fulfilled: bool
    details: AnswerDetails | None = None


def open_provider_client(allowed: Iterable[Network] = ()) -> httpx.AsyncClient:
    """A client for ``ask``, which the caller closes."""
    return open_client(allowed, connections_max=PROVIDER_QUESTIONS_AT_ONCE_MAX)


class NoAnswerError(Exception):
    """A provider replied, but not with an answer."""


# What a peer, the network, or free-form data that can't be encoded may cause.
EXCHANGE_ERRORS = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    OSError,
    ValueError,
    OverflowError,
    RecursionError,
)


async def exchange(client: httpx.AsyncClient, question: Question, *, now: Instant) -> Verdict:
    """Ask, however long it takes. Raises NoAnswerError, or one of EXCHANGE_ERRORS."""
    body, seconds = encode(question), now // 1000
    headers = {
        "content-type": "application/json",
        "accept": "application/json",
        # Nothing compressed: a short reply must not unfold into a long one.
        "accept-encoding": "identity",
        SIGNATURE_HEADER: sign(question.provider.secret, seconds, body),
    }
    async with client.stream(
        "POST", question.provider.url, content=body, headers=headers, follow_redirects=False
    ) as response:
        if response.status_code != httpx.codes.OK:
            raise NoAnswerError(f"the policy provider answered with {response.status_code}")
        return _verdict_of(_decode(await _read(response)))


async def _read(response: httpx.Response) -> bytes:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise NoAnswerError("the policy provider's answer is compressed")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > PROVIDER_ANSWER_BYTES_MAX:
            raise NoAnswerError(
                f"the policy provider's answer is longer than {PROVIDER_ANSWER_BYTES_MAX} bytes"
            )
    return bytes(body)


def _decode(body: bytes) -> Answer:
    try:
        answer = msgspec.json.decode(body, type=Answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # The decoder's own words may quote the body.
        raise NoAnswerError("the policy provider's answer can't be read") from None
    if answer.details and _nests_deeper(answer.details.data, PROVIDER_ANSWER_DEPTH_MAX):
        raise NoAnswerError("the policy provider's answer nests too deep")
    return answer


def _nests_deeper(value: object, levels: int) -> bool:
    layer = [value]
    for _ in range(levels):
        layer = [part for whole in layer for part in _parts(whole)]
    return any(_parts(whole) for whole in layer)


def _parts(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _verdict_of(answer: Answer) -> Verdict:
    if answer.fulfilled:
        return Verdict(fulfilled=True)
    details = answer.details or AnswerDetails()
    failure = FailureDetail(
        code=details.code or FailureCode.CUSTOM_POLICY_NOT_FULFILLED,
        message=details.message or "the custom policy is not fulfilled",
        error_data=details.data,
    )
    return Verdict(fulfilled=False, failure=failure)
