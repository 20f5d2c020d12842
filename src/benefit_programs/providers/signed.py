"""One signed question to a provider, and the bytes that it answers with.

The header ``x-benefits-signature: t=<unix seconds>,v1=<hex>`` proves who asks: ``v1`` is the
HMAC-SHA256, keyed with the secret, of the seconds as decimal text, a full stop, and the body's
bytes. A provider compares it in constant time and refuses a ``t`` that is minutes away.

A question that belongs to a trace has the headers ``traceparent`` and ``tracestate``, too.

Administrators register URLs. The service connects to public addresses only, unless the operator
allows networks of their own (the package ``outgoing``). Answers and secrets are never logged.
"""

from __future__ import annotations

import hashlib
import hmac
from contextlib import AbstractContextManager

import httpx

from benefit_programs.domain.values import Instant
from benefit_programs.tracing import Kind, Span, current, part, recorded

SIGNATURE_HEADER = "x-benefits-signature"


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


def sign(secret: str, seconds: int, body: bytes) -> str:
    """The value of the signature header for a body sent at a time in unix seconds."""
    text = f"{seconds}.".encode() + body
    return f"t={seconds},v1={hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()}"


def question_span(name: str) -> AbstractContextManager[Span | None]:
    """What a question takes, with its wait for a turn, as a part of a request that is recorded.

    It has nothing of what is asked or answered, and no address: that is the tenant's.
    """
    return part(name, Kind.CLIENT)


def tell_outcome(span: Span | None, outcome: str, *, has_failed: bool) -> None:
    """Say in a question's span, if it has one, what came of it, as one of a few known words."""
    if span is None:
        return
    span.attributes["benefits.provider.outcome"] = outcome
    if has_failed:
        span.error = outcome


async def post_signed(
    client: httpx.AsyncClient,
    url: str,
    body: bytes,
    *,
    secret: str,
    now: Instant,
    bytes_max: int,
    whom: str,
) -> bytes:
    """What a provider answers, however long it takes; errors call it ``whom``.

    Raises NoAnswerError, or one of EXCHANGE_ERRORS.
    """
    headers = {
        "content-type": "application/json",
        "accept": "application/json",
        # Nothing compressed: a short reply must not unfold into a long one.
        "accept-encoding": "identity",
        SIGNATURE_HEADER: sign(secret, now // 1000, body),
    }
    here = current()
    if here is not None:
        headers |= here.position.headers
    async with client.stream(
        "POST", url, content=body, headers=headers, follow_redirects=False
    ) as response:
        if (span := recorded()) is not None:
            span.attributes["http.response.status_code"] = response.status_code
        if response.status_code != httpx.codes.OK:
            raise NoAnswerError(f"{whom} answered with {response.status_code}")
        if response.headers.get("content-encoding", "identity") != "identity":
            raise NoAnswerError(f"{whom}'s answer is compressed")
        answer = bytearray()
        async for chunk in response.aiter_raw():
            answer += chunk
            if len(answer) > bytes_max:
                raise NoAnswerError(f"{whom}'s answer is longer than {bytes_max} bytes")
        return bytes(answer)
