"""Turns: how many requests of a tenant are under way at once beside those of others (ADR 41).

A process works on one request at a time, and goes through all that are ready before it looks at
what has come meanwhile. So a tenant with hundreds of callers would hold up everybody else by the
work for all of them. Beside others a tenant gets so many turns as keep the database busy; its other
requests wait in their order, and cost nobody anything. And its requests begin one at a time:
between two of them the process looks at what has come. A tenant that is alone waits for nothing.

While a commit of one tenant is flushed by a thread, few requests of others begin, and then one at a
time with a rest after each: the thread needs a core, and the interpreter to go on.
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

BEGUN_BESIDE_FLUSH_MAX = 4
"""How many requests of a tenant begin one after the other while another one's commit is flushed."""

REST_SECONDS = 0.001
"""How long the next one waits then, unless the commit ends before. uvloop counts milliseconds."""

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

        self._flushing: int | None = None
        """The tenant whose commit is flushed."""

        self._begun_beside: dict[int, int] = {}
        """How many requests of others have begun meanwhile, by tenant."""

        self._resting: dict[int, asyncio.TimerHandle] = {}
        """The tenants whose next requests wait for the end of that commit, or of their rest."""

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

    def note_flush(self, tenant_id: int | None) -> None:
        """Hear whose commit is flushed from now on, or that it has ended.

        Whoever it answers goes on before those who have rested.
        """
        self._flushing = tenant_id
        self._begun_beside.clear()
        if tenant_id is None and self._resting:
            loop, ended = asyncio.get_running_loop(), self._resting
            self._resting = {}
            for each, rest in ended.items():
                rest.cancel()
                loop.call_soon(self._let_next_begin, each, self._busy[each])

    def _begin(self, tenant_id: int, tenant: _Tenant) -> None:
        """Count one more under way.

        Beside others the next one begins once whatever else is ready has gone on: requests that
        wait for nothing would follow one another without a break.
        """
        tenant.under_way += 1
        if self._turns() == inf:
            return
        tenant.has_just_begun = True
        loop = asyncio.get_running_loop()
        if self._is_to_rest(tenant_id):
            self._resting[tenant_id] = loop.call_later(REST_SECONDS, self._end_rest, tenant_id)
        else:
            loop.call_soon(self._let_next_begin, tenant_id, tenant)

    def _is_to_rest(self, tenant_id: int) -> bool:
        """Whether a tenant has begun enough beside a commit of another one."""
        if self._flushing is None or self._flushing == tenant_id:
            return False
        begun = self._begun_beside[tenant_id] = self._begun_beside.get(tenant_id, 0) + 1
        return begun >= BEGUN_BESIDE_FLUSH_MAX

    def _end_rest(self, tenant_id: int) -> None:
        del self._resting[tenant_id]
        self._let_next_begin(tenant_id, self._busy[tenant_id])

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
