"""Connections to hosts, each used again by the next request to the same one."""

from __future__ import annotations

import asyncio
import socket
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from ssl import SSLContext
from time import monotonic
from typing import NamedTuple

import httpx

from benefit_programs.outgoing.addresses import ADDRESS_SECONDS_MAX, Addresses, Network
from benefit_programs.outgoing.client import KEEP_ALIVE_SECONDS
from benefit_programs.outgoing.connection import Connection


class Origin(NamedTuple):
    """The host of a URL, and how it is spoken to."""

    host: str
    port: int
    is_encrypted: bool


class Connections:
    """Connections to addresses that may be reached; at most ``idle_max`` wait for a request."""

    def __init__(self, allowed: Iterable[Network], *, idle_max: int) -> None:
        self._addresses = Addresses(allowed)
        self._idle_max = idle_max
        self._idle: dict[Connection, tuple[Origin, float]] = {}
        """The one that has waited the longest comes first."""
        self._of: defaultdict[Origin, list[Connection]] = defaultdict(list)

    async def take(self, origin: Origin, *, seconds_max: float, until: float) -> Connection:
        """The connection to a host that was given back last, or a new one.

        A new one has so many seconds to be accepted, and as many to be encrypted; ``until`` is the
        loop's time for all of it. Raises
        ForbiddenAddressError, TimeoutError, other OSErrors, and ValueError for a host that no name
        server can be asked about.
        """
        while kept := self._of.get(origin):
            connection = kept[-1]
            since = self._idle[connection][1]
            self._forget(connection)
            if (
                connection.is_open
                and connection.is_quiet
                and since + KEEP_ALIVE_SECONDS > monotonic()
            ):
                return connection
            connection.close()
        async with asyncio.timeout_at(until):
            return await self._open(origin, seconds_max)

    def give_back(self, origin: Origin, connection: Connection) -> None:
        """Keep a connection for another request, if it can take one."""
        if not connection.is_open:
            return
        now = monotonic()
        self._idle[connection] = origin, now
        self._of[origin].append(connection)
        while True:
            oldest, (_, since) = next(iter(self._idle.items()))
            if len(self._idle) <= self._idle_max and since + KEEP_ALIVE_SECONDS > now:
                break
            self._forget(oldest)
            oldest.close()

    def close(self) -> None:
        """Hang up on all that wait, and look up no more names."""
        for connection in [*self._idle]:
            self._forget(connection)
            connection.close()
        self._addresses.close()

    def _forget(self, connection: Connection) -> None:
        place = self._idle.pop(connection, None)
        if place is None:
            return
        of_host = self._of[place[0]]
        of_host.remove(connection)
        if not of_host:
            del self._of[place[0]]

    async def _open(self, origin: Origin, seconds_max: float) -> Connection:
        *others, last = await self._addresses.find(origin.host, origin.port)
        for address in others:
            try:
                accepted = await _connect(
                    address, origin.port, min(seconds_max, ADDRESS_SECONDS_MAX)
                )
            except OSError:
                continue
            return await self._greet(accepted, origin, seconds_max)
        return await self._greet(
            await _connect(last, origin.port, seconds_max), origin, seconds_max
        )

    async def _greet(
        self, accepted: socket.socket, origin: Origin, seconds_max: float
    ) -> Connection:
        """Agree on encryption if there is to be one; the certificate is to name the URL's host."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds_max):
                _, connection = await loop.create_connection(
                    lambda: Connection(loop, accepted, self._forget),
                    sock=accepted,
                    ssl=self._tls if origin.is_encrypted else None,
                    server_hostname=origin.host if origin.is_encrypted else None,
                )
        except BaseException:
            accepted.close()
            raise
        return connection

    @cached_property
    def _tls(self) -> SSLContext:
        tls: SSLContext = httpx.create_ssl_context(trust_env=False)
        tls.set_alpn_protocols(["http/1.1"])
        return tls


async def _connect(address: str, port: int, seconds_max: float) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connecting = socket.socket(family, socket.SOCK_STREAM)
    try:
        connecting.setblocking(False)
        async with asyncio.timeout(seconds_max):
            await asyncio.get_running_loop().sock_connect(connecting, (address, port))
    except BaseException:
        connecting.close()
        raise
    return connecting
