"""One POST to a URL that a tenant has chosen, and what became of it.

http and https are both allowed (urls.py). The host is looked up once per connection, and the
connection goes to an address that was judged (addresses.py). Redirects are never followed. Nothing
that a receiver does or says raises an error here, holds a request for longer than its time, or
takes more room than the limits below.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic

import httpcore
import httpx
import msgspec

from benefit_programs.outgoing.addresses import ForbiddenAddressError, Network
from benefit_programs.outgoing.connections import Connections
from benefit_programs.outgoing.retry_after import RETRY_AFTER_LENGTH_MAX
from benefit_programs.outgoing.shares import Shares
from benefit_programs.outgoing.urls import url_problem

POSTS_AT_ONCE_MAX = 100
"""How many requests a process has under way, each on a connection of its own."""

POSTS_OF_TENANT_AT_ONCE_MAX = 30
"""How many of them are one tenant's: more than one endpoint may have, lest it hold back others."""

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
    """Sends requests to receivers at public addresses, or in the ``allowed`` networks."""

    def __init__(self, *, allowed: Sequence[Network] = ()) -> None:
        self._connections = Connections(allowed, idle_max=IDLE_CONNECTIONS_MAX)
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
        if url_problem(url):
            return Outcome(milliseconds=0, failure=Failure.WRONG_URL)
        request = _build(url, headers, body, connect_seconds_max)
        # In this order a request that waits takes only from the share of its own tenant.
        host = self._hosts.of(str(request.url.origin))
        async with self._tenants.of(tenant), host, self._all:
            return await _send(self._connections, request, seconds_max)

    async def close(self) -> None:
        await self._connections.close()


_HEADERS = {
    "accept": "*/*",
    # Nothing compressed: what is kept of an answer is for people to read.
    "accept-encoding": "identity",
    "user-agent": "benefit-programs",
}


def _build(
    url: str, headers: Mapping[str, str], body: bytes, connect_seconds_max: float
) -> httpcore.Request:
    place = httpx.URL(url)
    own = {"host": place.netloc.decode(), "content-length": str(len(body))}
    return httpcore.Request(
        "POST",
        httpcore.URL(
            scheme=place.raw_scheme, host=place.raw_host, port=place.port, target=place.raw_path
        ),
        headers=tuple({**_HEADERS, **headers, **own}.items()),
        content=body,
        extensions={"timeout": {"connect": connect_seconds_max}},
    )


@dataclass
class _Answer:
    """What has come so far."""

    status: int | None = None
    retry_after: str | None = None
    start: bytes = b""


async def _send(connections: Connections, request: httpcore.Request, seconds_max: float) -> Outcome:
    began, answer = monotonic(), _Answer()
    try:
        async with (
            asyncio.timeout(seconds_max),
            connections.connection(request.url.origin) as connection,
        ):
            failure = await _receive(connection, request, answer)
    except (TimeoutError, httpcore.TimeoutException):
        failure = Failure.TIME_OUT
    except ForbiddenAddressError:
        failure = Failure.REFUSED_ADDRESS
    # ValueError: of a host that no name server can be asked about.
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError, ValueError):
        failure = Failure.CONNECTION
    return Outcome(
        milliseconds=round((monotonic() - began) * 1000),
        failure=failure,
        status=answer.status,
        retry_after=answer.retry_after,
        start=answer.start,
    )


async def _receive(
    connection: httpcore.AsyncHTTPConnection, request: httpcore.Request, answer: _Answer
) -> Failure | None:
    response, read = await connection.handle_async_request(request), 0
    try:
        answer.status = response.status
        answer.retry_after = _retry_after(response.headers)
        if httpx.codes.is_redirect(response.status):
            return Failure.REDIRECT
        async for chunk in response.aiter_stream():
            read += len(chunk)
            answer.start += chunk[: ANSWER_KEPT_BYTES_MAX - len(answer.start)]
            if read > ANSWER_READ_BYTES_MAX:
                return Failure.TOO_LARGE
        return None
    finally:
        await response.aclose()


def _retry_after(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    for name, value in headers:
        if name.lower() == b"retry-after":
            return value[:RETRY_AFTER_LENGTH_MAX].decode("latin-1")
    return None
