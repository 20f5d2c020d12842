"""The room in which a process asks providers of all kinds: one client, so many questions at once.

Each tenant has only its share of it, so a silent provider leaves room for others.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

import httpx

from benefit_programs.outgoing.addresses import Network
from benefit_programs.outgoing.client import open_client
from benefit_programs.outgoing.shares import Shares

PROVIDER_QUESTIONS_AT_ONCE_MAX = 200
"""How many questions one process has under way, each on a connection of its own."""

PROVIDER_QUESTIONS_OF_TENANT_AT_ONCE_MAX = 40
"""How many questions of one tenant are under way: a silent provider leaves room for others."""


def open_provider_client(allowed: Iterable[Network] = ()) -> httpx.AsyncClient:
    """A client for questions, which the caller closes."""
    return open_client(allowed, connections_max=PROVIDER_QUESTIONS_AT_ONCE_MAX)


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


class Room:
    """One client, opened by the first question, and the turns of those who ask.

    Providers are at public addresses, or in the ``allowed`` networks.
    """

    def __init__(self, *, allowed: Sequence[Network] = ()) -> None:
        self._allowed = allowed
        self._client: httpx.AsyncClient | None = None
        self.turns = Turns()

    @property
    def client(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = open_provider_client(self._allowed)
        return self._client

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()
