"""Connections to hosts, each used again by the next request to the same one.

The pool of the HTTP library looks at every connection that it has, several times for each request.
That makes a request with 20 connections four times as dear.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import cached_property
from ssl import SSLContext
from time import monotonic

import httpcore
import httpx

from benefit_programs.outgoing.addresses import JudgedNetwork, Network
from benefit_programs.outgoing.client import KEEP_ALIVE_SECONDS


class Connections:
    """Connections to addresses that may be reached; at most ``idle_max`` wait for a request."""

    def __init__(self, allowed: Iterable[Network], *, idle_max: int) -> None:
        self._network = JudgedNetwork(allowed)
        self._idle_max = idle_max
        self._idle: deque[tuple[float, httpcore.AsyncHTTPConnection]] = deque()

    @asynccontextmanager
    async def connection(
        self, origin: httpcore.Origin
    ) -> AsyncIterator[httpcore.AsyncHTTPConnection]:
        """A connection for one request; kept if it can take another one afterwards."""
        connection = await self._take(origin) or httpcore.AsyncHTTPConnection(
            origin, ssl_context=self._tls, network_backend=self._network
        )
        try:
            yield connection
        finally:
            if connection.is_available():
                await self._keep(connection)
            else:
                await connection.aclose()

    async def close(self) -> None:
        while self._idle:
            await self._idle.popleft()[1].aclose()
        self._network.close()

    async def _take(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection | None:
        """The connection to a host that was kept last, if its host still holds it."""
        for kept in reversed(self._idle):
            if kept[1].can_handle_request(origin):
                self._idle.remove(kept)
                if not kept[1].has_expired():
                    return kept[1]
                await kept[1].aclose()
                return None
        return None

    async def _keep(self, connection: httpcore.AsyncHTTPConnection) -> None:
        now = monotonic()
        self._idle.append((now, connection))
        while len(self._idle) > self._idle_max or self._idle[0][0] < now - KEEP_ALIVE_SECONDS:
            await self._idle.popleft()[1].aclose()

    @cached_property
    def _tls(self) -> SSLContext:
        tls: SSLContext = httpx.create_ssl_context(trust_env=False)
        return tls
