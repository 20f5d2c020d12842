"""One question and its answer, over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec

from benefit_programs.domain.policies import FailureCode, FailureDetail, Verdict
from benefit_programs.domain.values import Instant
from benefit_programs.providers.questions import Question, encode
from benefit_programs.providers.signed import NoAnswerError, post_signed

PROVIDER_ANSWER_BYTES_MAX = 16_384
"""The longest answer that is read."""

PROVIDER_ANSWER_DEPTH_MAX = 32
"""How deep the data of an answer may nest: it is passed on to the caller of the API."""


class AnswerDetails(msgspec.Struct, frozen=True):
    """Why a provider refuses, in its own words."""

    code: str | None = None
    message: str | None = None
    data: dict[str, Any] | None = None


class Answer(msgspec.Struct, frozen=True):
    fulfilled: bool
    details: AnswerDetails | None = None


async def exchange(client: httpx.AsyncClient, question: Question, *, now: Instant) -> Verdict:
    """Ask, however long it takes. Raises NoAnswerError, or one of EXCHANGE_ERRORS."""
    answer = await post_signed(
        client,
        question.provider.url,
        encode(question),
        secret=question.provider.secret,
        now=now,
        bytes_max=PROVIDER_ANSWER_BYTES_MAX,
        whom="the policy provider",
    )
    return _verdict_of(_decode(answer))


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
