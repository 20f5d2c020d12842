"""The runner: takes jobs, tenant by tenant, and does them chunk by chunk through the engine.

Every server runs one, and on PostgreSQL ``benefits worker`` runs more of them. A commit that
leaves work wakes the runner of its own process; the others find it when they look next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, TypeVar
from uuid import uuid4

import structlog
from msgspec.structs import replace

from benefit_programs.domain.audit_rows import SERVICE, Actor, PrincipalKind, Who
from benefit_programs.domain.command import Command
from benefit_programs.domain.entities import (
    Agenda,
    Job,
    JobItem,
    JobKind,
    JobStatus,
)
from benefit_programs.domain.erasure import PROGRAM_ENTITY, erasure_of
from benefit_programs.domain.errors import Refusal
from benefit_programs.domain.indexes import Index, Key
from benefit_programs.domain.item_deletion import ITEM_ENTITY, search_of
from benefit_programs.domain.job_commands import (
    ATTEMPTS_MAX,
    SKIPS_IN_A_ROW_MAX,
    Claim,
    ClaimJob,
    FailJob,
    ReleaseJob,
    TidyLog,
)
from benefit_programs.domain.jobs import JOBS
from benefit_programs.domain.lookups import BEFORE_ALL_IDS, CHUNK_SIZE, ORDER_OF_JOB
from benefit_programs.domain.orders.carrier import Walk
from benefit_programs.domain.orders.chunks import Progress, RunChunk, SkipRow, carrier_of
from benefit_programs.domain.orders.erasing import PROGRAMS_STAGE
from benefit_programs.domain.rows import Row
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.store import StoreConflict, StoreTimeout, StoreUnavailable
from benefit_programs.domain.values import SYSTEM, Identity
from benefit_programs.engine.engine import Engine, QueueFull
from benefit_programs.jobs.chunk_sizes import ChunkSizes
from benefit_programs.jobs.due import DueRunner
from benefit_programs.jobs.rounds import Round, Rounds
from benefit_programs.jobs.sweeper import Sweeper
from benefit_programs.jobs.tenants import Tenants, apart
from benefit_programs.storage.agenda import JOBS_DUE, TENANTS_WITH_JOBS
from benefit_programs.storage.all_tenants import AllTenants
from benefit_programs.storage.beneficiaries import programs_of
from benefit_programs.storage.directory import Tenant, UnknownTenant
from benefit_programs.storage.item_finder import ItemFinder
from benefit_programs.storage.reader import ReadableStore, Reader
from benefit_programs.tracing import Kind, Tracer, span_of

Answer = TypeVar("Answer")
R = TypeVar("R", bound=Row)

TURN_CHUNKS = 5
"""How many chunks a tenant's job gets before the next tenant has its turn."""

_NO_SECRET = b""
"""Signs the cursors of a runner's own queries, which nobody ever sees."""

INTERNAL = "INTERNAL"
"""The code of what went wrong on our side, as the API tells it too."""

_log = structlog.get_logger("benefit_programs.jobs")


class JobStore(ReadableStore, Protocol):
    """What runners read beside the engine."""

    batches_max: int

    async def count(self, tenant_id: int, index: Index[Any], key: Key) -> int:
        """How many rows a walk has before it."""
        ...

    async def next_id(self, tenant_id: int, index: Index[Any], key: Key) -> str | None:
        """The id that a walk comes to next, whether or not its row can be read."""
        ...


class _Turn:
    """A job that a runner works on, as its last chunk left it."""

    def __init__(self, claim: Claim, tenant_id: int, settings: TenantSettings) -> None:
        self.job = claim.job
        self.caller = claim.caller
        self.tenant_id = tenant_id
        self.settings = settings

    @property
    def labels(self) -> dict[str, Any]:
        return {"tenant": self.tenant_id, "job": self.job.id, "kind": self.job.kind}


class JobRunner:
    """Does jobs until it is closed. ``alone``: no other runner can work on this database."""

    def __init__(
        self,
        engine: Engine,
        store: JobStore,
        tenants: Tenants,
        *,
        alone: bool = False,
        tracer: Tracer | None = None,
    ) -> None:
        self.on_end: Callable[[str], object] | None = None
        """Called as a job has ended here, with the outcome: done or failed."""

        self._engine = engine
        self._store = store
        self._all = AllTenants(store)
        reader = Reader(store, _NO_SECRET)
        self._items = ItemFinder(reader)
        self._tenants = tenants
        self._alone = alone
        self._tracer = tracer
        self._sizes = ChunkSizes(engine, asyncio.get_running_loop().time)
        self._owner = str(uuid4())

        self._rounds = Rounds(self._go_round, what="jobs")
        self._sweeper = Sweeper(engine, reader.feed, tenants, self._sizes)
        self._due = DueRunner(engine, store, tenants, self._sizes, alone=alone)
        engine.on_commit(self._notice)

    @property
    def is_started(self) -> bool:
        return self._rounds.is_started

    def start(self) -> None:
        self._rounds.start()
        self._due.start()
        self._sweeper.start()

    async def close(self) -> None:
        """Finish the chunks under way, and stop."""
        await asyncio.gather(self._rounds.close(), self._due.close(), self._sweeper.close())

    async def settle(self) -> None:
        """Wait until no tenant has work left, and nothing is due: each may bring the other."""
        await self._rounds.settle()
        await self._due.settle()
        while await self._tenants_with_work():
            await self._rounds.settle()
            await self._due.settle()

    def _notice(self, written: frozenset[type[Row]]) -> None:
        if Agenda in written:
            self._rounds.wake()

    async def _go_round(self) -> Round:
        """Give each tenant that has work one turn."""
        tenants = await self._tenants_with_work()
        is_busy = False
        for tenant_id in tenants:
            if self._is_closing:
                break
            with apart(tenant_id):
                is_busy |= await self._take_turn(tenant_id)
        return Round(is_busy=is_busy, is_settled=not tenants)

    @property
    def _is_closing(self) -> bool:
        return self._rounds.is_closing

    async def _tenants_with_work(self) -> list[int]:
        return [row[0] for row in await self._all.fetch(TENANTS_WITH_JOBS, (JOBS,))]

    async def _take_turn(self, tenant_id: int) -> bool:
        try:
            settings = await self._tenants.settings(tenant_id)
        except UnknownTenant:
            return False
        candidates = await self._candidates(tenant_id)
        if not candidates:
            return await self._execute(TidyLog(), tenant_id, settings, SYSTEM)
        command = ClaimJob(owner=self._owner, alone=self._alone, candidates=candidates)
        claim = await self._execute(command, tenant_id, settings, SYSTEM)
        if claim is None:
            return False
        turn = _Turn(claim, tenant_id, settings)
        try:
            await self._work(turn)
        except (QueueFull, StoreUnavailable):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the job must not be tried for ever
            await self._fail(turn, error)
        return True

    async def _candidates(self, tenant_id: int) -> tuple[str, ...]:
        parameters = (tenant_id, self._engine.now(), int(self._alone))
        return tuple(row[0] for row in await self._store.fetch(JOBS_DUE, parameters))

    async def _work(self, turn: _Turn) -> None:
        total = await self._count(turn)
        progress = Progress(turn.job)
        for left in reversed(range(TURN_CHUNKS)):
            try:
                progress = await self._run_chunk(
                    turn, total=total, size=self._sizes.next(), ends_turn=not left
                )
            except (QueueFull, StoreUnavailable):
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, other rows can be worked on
                _log.warning("chunk failed", **turn.labels, reason=str(error), exc_info=error)
                progress = await self._run_row_by_row(turn)
            if progress.is_over or self._is_closing:
                break
        if progress.is_over:
            _log.info("job lost" if progress.is_lost else "job done", **turn.labels)
            if not progress.is_lost:
                self._tell_end("done")
        elif turn.job.lease_owner is not None:
            await self._hand_back(turn)

    async def _run_row_by_row(self, turn: _Turn) -> Progress:
        """Work on the rows of a chunk one by one, and pass by those that can't be worked on."""
        progress = Progress(turn.job)
        for _ in range(CHUNK_SIZE):
            row = await self._next_row(turn)
            try:
                progress = await self._run_chunk(turn, size=1)
            except (QueueFull, StoreUnavailable):
                raise
            except Exception as error:
                if row is None or not _may_skip(turn.job, error):
                    raise
                progress = await self._skip(turn, row, error)
            if progress.is_over or self._is_closing:
                break
        return progress

    async def _run_chunk(
        self, turn: _Turn, *, size: int, total: int = 0, ends_turn: bool = False
    ) -> Progress:
        with span_of(self._tracer, "job chunk", Kind.CONSUMER) as span:
            done = turn.job.done_count
            progress = await self._do_chunk(turn, size=size, total=total, ends_turn=ends_turn)
            if span is not None:
                span.attributes = {
                    "benefits.tenant_id": turn.tenant_id,
                    "benefits.job.id": turn.job.id,
                    "benefits.job.kind": turn.job.kind,
                    "benefits.job.chunk.done": turn.job.done_count - done,
                }
        return progress

    async def _do_chunk(self, turn: _Turn, *, size: int, total: int, ends_turn: bool) -> Progress:
        chunk = RunChunk(
            job_id=turn.job.id,
            owner=self._owner,
            total=total,
            size=size,
            ends_turn=ends_turn,
            found=await self._find(turn, limit=size),
        )
        actor = Actor(Who(PrincipalKind.JOB, turn.job.id), turn.job.kind)
        progress = await self._execute(chunk, turn.tenant_id, turn.settings, turn.caller, actor)
        turn.job = progress.job or turn.job
        return progress

    async def _skip(self, turn: _Turn, row: JobItem, error: Exception) -> Progress:
        """Pass by a row that can't be worked on, and record why."""
        _log.error("row skipped", **turn.labels, row=row.id, entity=row.entity, exc_info=error)
        code, description = INTERNAL, _reason(error)
        if isinstance(error, Refusal):
            code, description = error.code, error.description
        item = replace(row, error_code=code, error_description=description)
        command = SkipRow(job_id=turn.job.id, owner=self._owner, item=item)
        progress = await self._execute(command, turn.tenant_id, turn.settings, SYSTEM)
        turn.job = progress.job or turn.job
        return progress

    async def _next_row(self, turn: _Turn) -> JobItem | None:
        """The row that a job comes to next, by its id alone: it may not even be readable."""
        if (entity := _found_by_query(turn.job)) is not None:
            found = await self._find(turn, limit=1)
            return JobItem(id=found[0], entity=entity) if found else None
        walk = await self._rest(turn)
        row_id = walk and await self._store.next_id(turn.tenant_id, walk.index, walk.key)
        return JobItem(id=row_id, entity=walk.entity) if walk and row_id else None

    async def _find(self, turn: _Turn, *, limit: int) -> tuple[str, ...]:
        position = turn.job.position or BEFORE_ALL_IDS
        if turn.job.kind == JobKind.ERASE_BENEFICIARY and turn.job.stage == PROGRAMS_STAGE:
            identity = erasure_of(turn.job.payload).identity
            return await programs_of(self._store, turn.tenant_id, identity, position, limit=limit)
        if turn.job.kind != JobKind.DELETE_ITEMS:
            return ()
        search, ids = search_of(turn.job.payload), turn.settings.id_mode
        return await self._items.after(turn.tenant_id, search, position, limit=limit, ids=ids)

    async def _count(self, turn: _Turn) -> int:
        """How many rows a job has ahead, if that isn't known yet and can be counted in time."""
        if turn.job.stage or turn.job.position is not None:
            return 0
        walk = await self._rest(turn)
        with suppress(StoreTimeout):
            return await self._store.count(turn.tenant_id, walk.index, walk.key) if walk else 0
        return 0

    async def _rest(self, turn: _Turn) -> Walk | None:
        orders = await self._store.look_up(turn.tenant_id, ORDER_OF_JOB, [(turn.job.id,)])
        return carrier_of(turn.job, next(iter(orders), None)).walk

    async def _hand_back(self, turn: _Turn) -> None:
        command = ReleaseJob(job_id=turn.job.id, owner=self._owner)
        with suppress(QueueFull, StoreConflict, StoreTimeout, StoreUnavailable):
            await self._execute(command, turn.tenant_id, turn.settings, SYSTEM)

    async def _fail(self, turn: _Turn, error: Exception) -> None:
        reason = _reason(error)
        _log.warning("job has to wait", **turn.labels, reason=reason, exc_info=error)
        failure = FailJob(job_id=turn.job.id, owner=self._owner, reason=reason)
        status = await self._execute(failure, turn.tenant_id, turn.settings, SYSTEM)
        if status is JobStatus.FAILED:
            _log.error("job failed", **turn.labels, reason=reason)
            self._tell_end("failed")

    def _tell_end(self, outcome: str) -> None:
        if self.on_end is not None:
            self.on_end(outcome)

    async def sweep(self, tenant: Tenant) -> None:
        """Remove what a tenant no longer keeps, as far as one turn goes."""
        await self._sweeper.sweep(tenant)

    async def _execute(
        self,
        command: Command[Answer],
        tenant_id: int,
        settings: TenantSettings,
        caller: Identity,
        actor: Actor = SERVICE,
    ) -> Answer:
        self._sizes.own += 1
        return await self._engine.execute(
            command, tenant_id=tenant_id, caller=caller, settings=settings, actor=actor
        )


def _found_by_query(job: Job) -> str | None:
    """What a query finds for the chunks of a job at its stage; None if they walk themselves."""
    if job.kind == JobKind.DELETE_ITEMS:
        return ITEM_ENTITY
    if job.kind == JobKind.ERASE_BENEFICIARY and job.stage == PROGRAMS_STAGE:
        return PROGRAM_ENTITY
    return None


def _may_skip(job: Job, error: Exception) -> bool:
    """Whether to pass by a row: at once on its own error, after some attempts if it is held up."""
    is_held_up = isinstance(error, StoreConflict | StoreTimeout)
    least = ATTEMPTS_MAX - 1 if is_held_up else 0
    return least <= job.attempts < SKIPS_IN_A_ROW_MAX


def _reason(error: Exception) -> str:
    """What callers may read: the kind of our own error, and nothing that a database said."""
    if isinstance(error, Refusal):
        return f"{error.code}: {error.description}"
    if isinstance(error, StoreConflict | StoreTimeout):
        return "somebody else held rows that the job needs, or the database took too long"
    return f"an error of the service, {type(error).__name__}; its log tells more"
