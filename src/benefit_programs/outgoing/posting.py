"""One POST to a URL that a tenant has chosen, and what became of it.

http and https are both allowed (urls.py). The host is looked up once per connection, and the
connection goes to an address that was judged (addresses.py). Redirects are never followed. Nothing
that a receiver does or says raises an error here, holds a request for longer than its time, or
takes more room than the limits below.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic

import httpx
import msgspec

from benefit_programs.outgoing.addresses import ForbiddenAddressError, Network
from benefit_programs.outgoing.client import open_client
from benefit_programs.outgoing.retry_after import RETRY_AFTER_LENGTH_MAX
from benefit_programs.outgoing.shares import Shares

POSTS_AT_ONCE_MAX = 100
"""How many requests a process has under way, each on a connection of its own."""

POSTS_OF_TENANT_AT_ONCE_MAX = 10
"""How many of them are one tenant's."""

POSTS_TO_HOST_AT_ONCE_MAX = 20
"""How many of them go to one host and port, so also how many connections to it are kept."""

IDLE_CONNECTIONS_MAX = 50
"""How many connections without a request are kept."""

POST_SECONDS_DEFAULT = 15.0
"""How long a request takes at most, from the look-up of the host to the end of the answer."""

POST_CONNECT_SECONDS_DEFAULT = 5.0
"""How long a connection takes at most to be accepted, and then its encryption to be agreed on."""

ANSWER_READ_BYTES_MAX = 65_536
"""How much of an answer is read; a longer one is a failure."""

ANSWER_KEPT_BYTES_MAX = 1_024
"""How much of it is kept."""


class Failure(StrEnum):
    """Why a request failed, in words that a log may show."""

    WRONG_URL = "wrong url"
    REFUSED_ADDRESS = "refused address"
    CONNECTION = "connection"
    TIME_OUT = "time-out"
    REDIRECT = "redirect"
    TOO_LARGE = "too large"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a request. ``failure`` is None if an answer came, whatever its status.

    ``status``, ``retry_after`` (as it was sent) and ``start`` (the answer's first bytes) are what
    had come before a failure.
    """

    milliseconds: int
    failure: Failure | None = None
    status: int | None = None
    retry_after: str | None = None
    start: bytes = b""

    @property
    def is_success(self) -> bool:
        """Whether the receiver has taken what was sent."""
        return self.failure is None and httpx.codes.is_success(self.status or 0)


class Outgoing:
    """Sends requests through one client, which is opened by the first of them.

    Receivers are at public addresses, or in the ``allowed`` networks.
    """

    def __init__(self, *, allowed: Sequence[Network] = ()) -> None:
        self._allowed = allowed
        self._client: httpx.AsyncClient | None = None
        self._all = asyncio.Semaphore(POSTS_AT_ONCE_MAX)
        self._tenants = Shares(POSTS_OF_TENANT_AT_ONCE_MAX)
        self._hosts = Shares(POSTS_TO_HOST_AT_ONCE_MAX)

    async def post(
        self,
        url: str,
        *,
        tenant: str,
        headers: Mapping[str, str],
        body: bytes,
        seconds_max: float = POST_SECONDS_DEFAULT,
        connect_seconds_max: float = POST_CONNECT_SECONDS_DEFAULT,
    ) -> Outcome:
        """Send a body once, when it is the tenant's turn; the time counts from then on.

        Never call it in a transaction. Raises nothing but the caller's cancellation.
        """
        try:
            place = httpx.URL(url)
        except httpx.InvalidURL:
            return Outcome(milliseconds=0, failure=Failure.WRONG_URL)
        if self._client is None:
            self._client = open_client(
                self._allowed, connections_max=POSTS_AT_ONCE_MAX, idle_max=IDLE_CONNECTIONS_MAX
            )
        request = self._client.build_request(
            "POST",
            place,
            # Nothing compressed: a short answer must not unfold into a long one.
            headers={**headers, "accept-encoding": "identity"},
            content=body,
            timeout=httpx.Timeout(None, connect=connect_seconds_max),
        )
        # In this order a request that waits takes only from the share of its own tenant.
        host = self._hosts.of(f"{place.host}:{place.port}")
        async with self._tenants.of(tenant), host, self._all:
            return await _send(self._client, request, seconds_max)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()


@dataclass
class _Answer:
    """What has come so far."""

    status: int | None = None
    retry_after: str | None = None
    start: bytes = b""


async def _send(client: httpx.AsyncClient, request: httpx.Request, seconds_max: float) -> Outcome:
    began, answer = monotonic(), _Answer()
    try:
        async with asyncio.timeout(seconds_max):
            failure = await _receive(client, request, answer)
    except (TimeoutError, httpx.TimeoutException):
        failure = Failure.TIME_OUT
    except ForbiddenAddressError:
        failure = Failure.REFUSED_ADDRESS
    except httpx.UnsupportedProtocol:
        failure = Failure.WRONG_URL
    # ValueError: of a host that no name server can be asked about.
    except (httpx.HTTPError, httpx.StreamError, OSError, ValueError):
        failure = Failure.CONNECTION
    return Outcome(
        milliseconds=round((monotonic() - began) * 1000),
        failure=failure,
        status=answer.status,
        retry_after=answer.retry_after,
        start=answer.start,
    )


async def _receive(
    client: httpx.AsyncClient, request: httpx.Request, answer: _Answer
) -> Failure | None:
    response, read = await client.send(request, stream=True), 0
    try:
        answer.status = response.status_code
        answer.retry_after = (
            response.headers.get("retry-after", "")[:RETRY_AFTER_LENGTH_MAX] or None
        )
        if httpx.codes.is_redirect(response.status_code):
            return Failure.REDIRECT
        async for chunk in response.aiter_raw():
            read += len(chunk)
            answer.start += chunk[: ANSWER_KEPT_BYTES_MAX - len(answer.start)]
            if read > ANSWER_READ_BYTES_MAX:
                return Failure.TOO_LARGE
        return None
    finally:
        await response.aclose()
