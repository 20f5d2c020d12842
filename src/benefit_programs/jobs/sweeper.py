"""The sweeper: removes what tenants no longer keep, some rows in each commit.

It goes round all tenants once an hour, and at once again while something is left to remove.
Beside live traffic it works a tenth of the time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import structlog

from benefit_programs.domain.command import Command
from benefit_programs.domain.job_commands import SweepJobs
from benefit_programs.domain.lookups import BEFORE_ALL_IDS, CHUNK_SIZE, ERASURE_CHUNK_SIZE
from benefit_programs.domain.removals import AUDIT, EVENTS, RemoveOldest, days_kept
from benefit_programs.domain.store import StoreTimeout, StoreUnavailable
from benefit_programs.domain.values import DAY, SYSTEM
from benefit_programs.domain.webhooks.deliveries import SweepDeliveries
from benefit_programs.engine.engine import Engine, QueueFull
from benefit_programs.jobs.chunk_sizes import ChunkSizes
from benefit_programs.jobs.tenants import Tenants, apart
from benefit_programs.storage.directory import Tenant
from benefit_programs.storage.feed import Feed

Answer = TypeVar("Answer")

SWEEP_SECONDS = 3600.0
"""How often the sweeper goes round."""

SWEEP_AGAIN_SECONDS = 60.0
"""After how long it goes round again if the database was away."""

SWEEPS_MAX = 100
"""How many commits of a kind one tenant gets before the next one has its turn."""

EVENTS_PER_ROW = ERASURE_CHUNK_SIZE // CHUNK_SIZE
"""How many events or audit entries are removed where a job would change one pool."""

HELD_BACK_DAYS_MAX = 30
"""For how many days beyond their retention events stay that a webhook endpoint still needs."""

RESTS_PER_CHUNK = 9
"""How many times as long as a chunk took the sweeper then rests, if others use the engine."""

_log = structlog.get_logger("benefit_programs.jobs")


class Sweeper:
    """Removes what is outdated until it is closed, in chunks as large as ``sizes`` say."""

    def __init__(
        self,
        engine: Engine,
        feed: Feed,
        tenants: Tenants,
        sizes: ChunkSizes,
    ) -> None:
        self._engine = engine
        self._feed = feed
        self._tenants = tenants
        self._sizes = sizes
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Finish the chunk under way, and stop."""
        self._closing.set()
        if self._task is not None:
            await asyncio.wait((self._task,))

    async def sweep(self, tenant: Tenant) -> bool:
        """Remove what a tenant no longer keeps; whether that is all."""
        now, days = self._engine.now(), tenant.settings.delivery_retention_days
        await self._walk(tenant, lambda position: SweepJobs(position=position))
        await self._walk(
            tenant, lambda position: SweepDeliveries(before=now - days * DAY, position=position)
        )
        is_done = await self._remove_entries(tenant)
        return await self._remove_events(tenant) and is_done

    async def _run(self) -> None:
        while not self._closing.is_set():
            pause = SWEEP_SECONDS
            try:
                if not await self._go_round():
                    continue
            except (QueueFull, StoreTimeout, StoreUnavailable) as error:
                _log.warning("sweeping has to wait", reason=str(error) or type(error).__name__)
                pause = SWEEP_AGAIN_SECONDS
            except Exception:  # noqa: BLE001 - whatever it was, the next round may do better
                _log.exception("the sweeper failed, and goes on")
            await self._rest(pause)

    async def _go_round(self) -> bool:
        """Give each tenant a turn; whether all of them are done."""
        is_done = True
        for tenant in await self._tenants.tenants():
            if self._closing.is_set():
                break
            with apart(tenant.id):
                is_done &= await self.sweep(tenant)
        return is_done

    async def _walk(
        self, tenant: Tenant, command_from: Callable[[str], Command[str | None]]
    ) -> None:
        """Let a command look at rows in their order, and say from where on to look next."""
        position: str | None = BEFORE_ALL_IDS
        for _ in range(SWEEPS_MAX):
            if position is None or self._closing.is_set():
                break
            position = await self._execute(command_from(position), tenant)

    async def _remove_events(self, tenant: Tenant) -> bool:
        """Remove events that no endpoint needs any more; whether that is all."""
        days = days_kept(EVENTS, tenant.settings)
        if days is None:
            return True
        limit = self._engine.now() - days * DAY
        needed_from = await self._feed.needed_from(tenant.id, limit - HELD_BACK_DAYS_MAX * DAY)

        async def oldest(size: int) -> RemoveOldest | None:
            found = await self._feed.outdated(tenant.id, limit, needed_from=needed_from, limit=size)
            if found is None:
                return None
            return RemoveOldest(kind=EVENTS, upto=found.upto, position=found.position, size=size)

        return await self._remove(tenant, oldest)

    async def _remove_entries(self, tenant: Tenant) -> bool:
        """Remove audit entries; whether that is all."""

        async def oldest(size: int) -> RemoveOldest:
            return RemoveOldest(kind=AUDIT, size=size)

        return await self._remove(tenant, oldest)

    async def _remove(
        self, tenant: Tenant, oldest: Callable[[int], Awaitable[RemoveOldest | None]]
    ) -> bool:
        """Do what ``oldest`` says for a size, again and again; whether nothing is left."""
        clock = asyncio.get_running_loop().time
        for _ in range(SWEEPS_MAX):
            if self._closing.is_set():
                break
            rows, started = self._sizes.next(), clock()
            command = await oldest(rows * EVENTS_PER_ROW)
            if command is None or not await self._execute(command, tenant):
                return True
            if rows < CHUNK_SIZE:
                await self._rest((clock() - started) * RESTS_PER_CHUNK)
        return False

    async def _execute(self, command: Command[Answer], tenant: Tenant) -> Answer:
        self._sizes.own += 1
        return await self._engine.execute(
            command, tenant_id=tenant.id, caller=SYSTEM, settings=tenant.settings
        )

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)
