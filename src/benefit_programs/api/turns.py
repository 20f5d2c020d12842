"""Turns: how many requests of a tenant are under way at once beside those of others (ADR 41).

A process works on one request at a time, and goes through all that are ready before it looks at
what has come meanwhile. So a tenant with hundreds of callers would hold up everybody else by the
work for all of them. Beside others a tenant gets so many turns as keep the database busy; its other
requests wait in their order, and cost nobody anything. A tenant that is alone waits for nothing.
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
        if not tenant.waiting and tenant.under_way < self._turns():
            tenant.under_way += 1
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
        """Let those of the tenant go on who wait.

        Beside others only once whatever else is ready has gone on. Else requests that wait for
        nothing would follow one another without a break.
        """
        if self._turns() == inf:
            self._end(tenant_id)
        else:
            asyncio.get_running_loop().call_soon(self._end, tenant_id)

    def _end(self, tenant_id: int) -> None:
        tenant = self._busy[tenant_id]
        tenant.under_way -= 1
        while tenant.waiting and tenant.under_way < self._turns():
            given = tenant.waiting.popleft()
            self.waiting -= 1
            if not given.done():
                given.set_result(None)
                tenant.under_way += 1
        if not tenant.under_way:
            del self._busy[tenant_id]

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
        self.waiting: deque[asyncio.Future[None]] = deque()
