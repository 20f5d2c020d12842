"""One POST to a URL that a tenant has chosen, and what became of it.

http and https are both allowed (urls.py). The host is looked up once per connection, and the
connection goes to an address that was judged (addresses.py). Redirects are never followed. Nothing
that a receiver does or says raises an error here, holds a request for longer than its time, or
takes more room than the limits below.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import lru_cache
from time import monotonic
from typing import NamedTuple

import httpx
import msgspec

from benefit_programs.outgoing.addresses import ForbiddenAddressError, Network
from benefit_programs.outgoing.connection import Answer, Failure
from benefit_programs.outgoing.connections import Connections, Origin
from benefit_programs.outgoing.shares import Shares
from benefit_programs.outgoing.urls import url_problem

POSTS_AT_ONCE_MAX = 256
"""How many requests a process has under way, each on a connection of its own."""

POSTS_OF_TENANT_AT_ONCE_MAX = 128
"""How many of them are one tenant's: more than one endpoint may have, lest it hold back others."""

POSTS_TO_HOST_AT_ONCE_MAX = 192
"""How many of them go to one host and port, so also how many connections to it are kept."""

IDLE_CONNECTIONS_MAX = 128
"""How many connections without a request are kept."""

POST_SECONDS_DEFAULT = 15.0
"""How long a request takes at most, from the look-up of the host to the end of the answer."""

POST_CONNECT_SECONDS_DEFAULT = 5.0
"""How long a connection takes at most to be accepted, and then its encryption to be agreed on."""

TARGETS_MAX = 1_000
"""How many URLs a process remembers with what its requests to them begin with."""


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
        target = _target(url)
        if target is None:
            return Outcome(milliseconds=0, failure=Failure.WRONG_URL)
        request = _request(target, headers, body)
        # In this order a request that waits takes only from the share of its own tenant.
        async with self._tenants.of(tenant), self._hosts.of(target.host), self._all:
            return await self._send(target.origin, request, seconds_max, connect_seconds_max)

    async def close(self) -> None:
        self._connections.close()

    async def _send(
        self, origin: Origin, request: bytes, seconds_max: float, connect_seconds_max: float
    ) -> Outcome:
        began, answer = monotonic(), Answer()
        until = asyncio.get_running_loop().time() + seconds_max
        try:
            connection = await self._connections.take(
                origin, seconds_max=connect_seconds_max, until=until
            )
            await connection.post(request, answer, until=until)
            self._connections.give_back(origin, connection)
        except TimeoutError:
            answer.failure = Failure.TIME_OUT
        except ForbiddenAddressError:
            answer.failure = Failure.REFUSED_ADDRESS
        # ValueError: of a host that no name server can be asked about.
        except (OSError, ValueError):
            answer.failure = Failure.CONNECTION
        return Outcome(
            milliseconds=round((monotonic() - began) * 1000),
            failure=answer.failure,
            status=answer.status,
            retry_after=answer.retry_after,
            start=answer.start,
        )


class _Target(NamedTuple):
    """Where a URL leads, and what every request there begins with."""

    origin: Origin
    host: str
    start: str


_HEADERS = (
    "accept: */*\r\n"
    # Nothing compressed: what is kept of an answer is for people to read.
    "accept-encoding: identity\r\n"
    "user-agent: benefit-programs\r\n"
)


@lru_cache(TARGETS_MAX)
def _target(url: str) -> _Target | None:
    if url_problem(url):
        return None
    place = httpx.URL(url)
    is_encrypted, name = place.scheme == "https", place.netloc.decode()
    origin = Origin(
        place.raw_host.decode(), place.port or (443 if is_encrypted else 80), is_encrypted
    )
    start = f"POST {place.raw_path.decode()} HTTP/1.1\r\nhost: {name}\r\n{_HEADERS}"
    return _Target(origin, f"{origin.host} {origin.port}", start)


def _request(target: _Target, headers: Mapping[str, str], body: bytes) -> bytes:
    assert all(map(str.isprintable, headers.values())), "a header ends where its line does"
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    return f"{target.start}{lines}content-length: {len(body)}\r\n\r\n".encode() + body
