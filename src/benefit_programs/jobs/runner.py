"""The runner: takes jobs, tenant by tenant, and does them chunk by chunk through the engine.

Every server runs one, and on PostgreSQL ``benefits worker`` runs more of them. A commit that
leaves work wakes the runner of its own process; the others find it when they look next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Protocol, TypeVar
from uuid import uuid4

import structlog

from benefit_programs.domain.chunks import RunChunk, rest_of
from benefit_programs.domain.command import Command
from benefit_programs.domain.entities import Job, JobStatus, Row, Work
from benefit_programs.domain.item_deletion import search_of
from benefit_programs.domain.jobs import JOBS, Claim, ClaimJob, FailJob, JobKind, SweepJobs
from benefit_programs.domain.lookups import BEFORE_ALL_IDS, CASCADE, CHUNK_SIZE
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.state import Index, Key
from benefit_programs.domain.store import StoreTimeout, StoreUnavailable
from benefit_programs.domain.values import Identity, IdentityType
from benefit_programs.engine.engine import Engine, QueueFull
from benefit_programs.storage.directory import Tenant, UnknownTenant
from benefit_programs.storage.item_finder import ItemFinder
from benefit_programs.storage.query import Dialect
from benefit_programs.storage.reader import Reader

Answer = TypeVar("Answer")
R = TypeVar("R", bound=Row)

POLL_SECONDS = 1.0
"""How often a runner looks for work that another process has left."""

TURN_CHUNKS = 5
"""How many chunks a tenant's job gets before the next tenant has its turn."""

SWEEP_SECONDS = 3600.0
"""How often outdated jobs are removed."""

SWEEPS_MAX = 100
"""How many commits of one tenant a sweep makes at the most; the next one goes on."""

SYSTEM = Identity(IdentityType.UNKNOWN, "system")
"""On whose behalf a runner keeps its own books."""

_TENANTS_WITH_WORK = "select tenant_id from work where kind = $1 order by tenant_id"

_NO_SECRET = b""
"""Signs the cursors of a runner's own queries, which nobody ever sees."""

_log = structlog.get_logger("benefit_programs.jobs")


class JobStore(Protocol):
    """What a runner reads beside the engine."""

    dialect: Dialect

    async def fetch(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a statement."""
        ...

    async def look_up(self, tenant_id: int, index: Index[R], keys: Iterable[Key]) -> list[R]:
        """The rows that an index has under these keys."""
        ...

    async def count(self, tenant_id: int, index: Index[Any], key: Key) -> int:
        """How many rows a walk has before it."""
        ...


class Tenants(Protocol):
    """Where a runner learns of tenants."""

    async def tenants(self) -> list[Tenant]:
        """All of them."""
        ...

    async def settings(self, tenant_id: int) -> TenantSettings:
        """The settings of one. Raises UnknownTenant."""
        ...


class JobRunner:
    """Does jobs until it is closed. ``alone``: no other runner can work on this database."""

    def __init__(
        self, engine: Engine, store: JobStore, tenants: Tenants, *, alone: bool = False
    ) -> None:
        self._engine = engine
        self._store = store
        self._items = ItemFinder(Reader(store, _NO_SECRET))
        self._tenants = tenants
        self._alone = alone
        self._owner = str(uuid4())
        self._wakened = asyncio.Event()
        self._closing = False
        self._waiting: list[asyncio.Future[None]] = []
        self._task: asyncio.Task[None] | None = None
        self._next_sweep = 0.0
        engine.on_commit(self._notice)

    def start(self) -> None:
        """Begin to look for work."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Finish the chunk under way, and stop."""
        self._closing = True
        self.wake()
        if self._task is not None:
            await self._task
        for each in self._waiting:
            each.cancel()

    def wake(self) -> None:
        """Look for work now."""
        self._wakened.set()

    async def settle(self) -> None:
        """Wait until no tenant has work left."""
        settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(settled)
        self.wake()
        await settled

    def _notice(self, written: frozenset[type[Row]]) -> None:
        if Work in written:
            self.wake()

    async def _run(self) -> None:
        while not self._closing:
            self._wakened.clear()
            try:
                is_busy = await self._pass()
            except (QueueFull, StoreTimeout, StoreUnavailable) as error:
                _log.warning("jobs have to wait", reason=str(error) or type(error).__name__)
                is_busy = False
            except Exception:  # noqa: BLE001 - whatever it was, other jobs can go on
                _log.exception("the runner failed, and goes on")
                is_busy = False
            if not is_busy and not self._closing:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wakened.wait(), POLL_SECONDS)

    async def _pass(self) -> bool:
        """Give each tenant that has work one turn; whether anything was done."""
        waiting, self._waiting = self._waiting, []
        tenants = await self._tenants_with_work()
        if not tenants:
            await self._sweep()
            for each in waiting:
                each.set_result(None)
            return False
        self._waiting += waiting
        is_busy = False
        for tenant_id in tenants:
            if self._closing:
                break
            is_busy |= await self._take_turn(tenant_id)
        return is_busy

    async def _tenants_with_work(self) -> list[int]:
        return [row[0] for row in await self._store.fetch(_TENANTS_WITH_WORK, (JOBS,))]

    async def _take_turn(self, tenant_id: int) -> bool:
        try:
            settings = await self._tenants.settings(tenant_id)
        except UnknownTenant:
            return False
        claim = await self._execute(
            ClaimJob(owner=self._owner, alone=self._alone), tenant_id, settings, SYSTEM
        )
        if claim is None:
            return False
        try:
            await self._work(claim, tenant_id, settings)
        except (QueueFull, StoreUnavailable):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the job must not be tried for ever
            await self._fail(claim.job, tenant_id, settings, error)
        return True

    async def _work(self, claim: Claim, tenant_id: int, settings: TenantSettings) -> None:
        total = await self._count(tenant_id, claim.job)
        position = claim.job.position or BEFORE_ALL_IDS
        for _ in range(TURN_CHUNKS):
            found = await self._find(claim.job, position, tenant_id, settings)
            position = found[-1] if found else position
            chunk = RunChunk(job_id=claim.job.id, owner=self._owner, total=total, found=found)
            progress = await self._execute(chunk, tenant_id, settings, claim.caller)
            if progress.is_over:
                _log.info("job done", tenant=tenant_id, job=claim.job.id, kind=claim.job.kind)
            if progress.is_over or progress.is_lost or self._closing:
                break

    async def _find(
        self, job: Job, position: str, tenant_id: int, settings: TenantSettings
    ) -> tuple[str, ...]:
        """What a job works on next, where that takes a query to find."""
        if job.kind != JobKind.DELETE_ITEMS:
            return ()
        search, ids = search_of(job.payload), settings.id_mode
        return await self._items.after(tenant_id, search, position, limit=CHUNK_SIZE, ids=ids)

    async def _count(self, tenant_id: int, job: Job) -> int:
        """How much a job has before it, where that isn't known yet."""
        if job.total or job.position is not None:
            return 0
        cascades = await self._store.look_up(tenant_id, CASCADE, [(job.id,)])
        walk = rest_of(job, cascades[0] if cascades else None)
        return await self._store.count(tenant_id, walk.index, walk.key) if walk else 0

    async def _fail(
        self, job: Job, tenant_id: int, settings: TenantSettings, error: Exception
    ) -> None:
        reason = f"{type(error).__name__}: {error}"
        _log.warning("chunk failed", tenant=tenant_id, job=job.id, kind=job.kind, reason=reason)
        failure = FailJob(job_id=job.id, owner=self._owner, reason=reason)
        if await self._execute(failure, tenant_id, settings, SYSTEM) is JobStatus.FAILED:
            _log.error("job failed", tenant=tenant_id, job=job.id, kind=job.kind, reason=reason)

    async def _sweep(self) -> None:
        """Remove outdated jobs of all tenants, now and then, when nothing else is to do."""
        now = asyncio.get_running_loop().time()
        if now < self._next_sweep:
            return
        self._next_sweep = now + SWEEP_SECONDS
        for tenant in await self._tenants.tenants():
            await self.sweep(tenant)

    async def sweep(self, tenant: Tenant) -> None:
        """Remove the jobs of a tenant that ended longer ago than it keeps them."""
        position: str | None = BEFORE_ALL_IDS
        for _ in range(SWEEPS_MAX):
            if position is None or self._closing:
                break
            command = SweepJobs(position=position)
            position = await self._execute(command, tenant.id, tenant.settings, SYSTEM)

    async def _execute(
        self,
        command: Command[Answer],
        tenant_id: int,
        settings: TenantSettings,
        caller: Identity,
    ) -> Answer:
        return await self._engine.execute(
            command, tenant_id=tenant_id, caller=caller, settings=settings
        )
