"""Turns: how many requests of a tenant are under way at once beside those of others (ADR 41).

A process works on one request at a time, and goes through all that are ready before it looks at
what has come meanwhile. So a tenant with hundreds of callers would hold up everybody else by the
work for all of them. Beside others a tenant gets so many turns as keep the database busy; its other
requests wait in their order, and cost nobody anything. And its requests begin one at a time:
between two of them the process looks at what has come. A tenant that is alone waits for nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import inf

from benefit_programs.engine.engine import QueueFull

TURNS_MAX = 16
"""How many requests the tenants that ask have under way at once, in equal parts of one or more."""

COMPANY_SECONDS_MAX = 60.0
"""For how long after a request of another tenant a tenant isn't alone."""

WAITING_MAX = 10_000
"""How many requests wait for their turns in one process; past it they are refused at once."""


class Turns:
    """Gives turns to requests. ``elapsed`` is a clock in seconds that never goes back."""

    def __init__(self, *, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._elapsed = elapsed
        self._busy: dict[int, _Tenant] = {}
        """The tenants that have requests under way."""

        self._newest: int | None = None
        self._changed = -inf
        """Which tenant asked last, and when it was another one than before."""

        self.waiting = 0
        """How many requests wait."""

    async def take(self, tenant_id: int) -> Turn:
        """Wait until the tenant has a turn for one more request. Raises QueueFull."""
        if tenant_id != self._newest:
            if self._newest is not None:
                self._changed = self._elapsed()
            self._newest = tenant_id
        tenant = self._busy.get(tenant_id)
        if tenant is None:
            tenant = self._busy[tenant_id] = _Tenant()
        turn = Turn(self, tenant_id)
        if not tenant.waiting and self._may_begin(tenant):
            self._begin(tenant_id, tenant)
        else:
            await self._wait(tenant, turn)
        return turn

    async def _wait(self, tenant: _Tenant, turn: Turn) -> None:
        if self.waiting >= WAITING_MAX:
            raise QueueFull
        given: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        tenant.waiting.append(given)
        self.waiting += 1
        try:
            await given
        except asyncio.CancelledError:
            if not given.cancelled():
                turn.give_back()
            raise

    def end(self, tenant_id: int) -> None:
        """Let those of the tenant go on who wait."""
        tenant = self._busy[tenant_id]
        tenant.under_way -= 1
        self._go_on(tenant_id, tenant)

    def _go_on(self, tenant_id: int, tenant: _Tenant) -> None:
        while tenant.waiting and self._may_begin(tenant):
            given = tenant.waiting.popleft()
            self.waiting -= 1
            if not given.done():
                given.set_result(None)
                self._begin(tenant_id, tenant)
        if not tenant.under_way and not tenant.has_just_begun:
            del self._busy[tenant_id]

    def _may_begin(self, tenant: _Tenant) -> bool:
        return not tenant.has_just_begun and tenant.under_way < self._turns()

    def _begin(self, tenant_id: int, tenant: _Tenant) -> None:
        """Count one more under way.

        Beside others the next one begins once whatever else is ready has gone on: requests that
        wait for nothing would follow one another without a break.
        """
        tenant.under_way += 1
        if self._turns() != inf:
            tenant.has_just_begun = True
            asyncio.get_running_loop().call_soon(self._let_next_begin, tenant_id, tenant)

    def _let_next_begin(self, tenant_id: int, tenant: _Tenant) -> None:
        tenant.has_just_begun = False
        self._go_on(tenant_id, tenant)

    def _turns(self) -> float:
        """How many each tenant has now."""
        if self._elapsed() - self._changed >= COMPANY_SECONDS_MAX:
            return inf
        return max(1, TURNS_MAX // max(2, len(self._busy)))


class Turn:
    """The turn of one request."""

    def __init__(self, turns: Turns, tenant_id: int) -> None:
        self._turns = turns
        self._tenant_id = tenant_id
        self._is_over = False

    def __enter__(self) -> None:
        """It is taken already."""

    def __exit__(self, *_: object) -> None:
        self.give_back()

    def give_back(self) -> None:
        """Let others go on. To give it back again does nothing."""
        if not self._is_over:
            self._is_over = True
            self._turns.end(self._tenant_id)

    @asynccontextmanager
    async def apart(self) -> AsyncIterator[None]:
        """Let others go on while this request waits for somebody outside. Raises QueueFull."""
        self.give_back()
        yield
        await self._turns.take(self._tenant_id)
        self._is_over = False


class _Tenant:
    """What a tenant has under way, and what waits."""

    def __init__(self) -> None:
        self.under_way = 0
        self.has_just_begun = False
        """Whether one began in this turn of the event loop, where others ask too."""

        self.waiting: deque[asyncio.Future[None]] = deque()
