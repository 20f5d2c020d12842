"""The one way in for every write: queue, batch, load, decide, store, commit, answer.

A batch is whatever is waiting when the previous commit ends, and whoever is answered by that and
comes back at once: nobody waits for a timer. Alone, a command goes at once; under load, batches
grow by themselves up to ``BATCH_SIZE_MAX``. A batch has the commands of one tenant; tenants take
turns.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

import structlog

from benefit_programs.domain.command import Command
from benefit_programs.domain.rows import Row
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.store import Store, StoreConflict, StoreUnavailable
from benefit_programs.domain.values import Identity, Instant
from benefit_programs.engine.batch import Again, Failure, Outcome, Submission, steps_of
from benefit_programs.engine.ids import IdSource
from benefit_programs.engine.snapshots import SnapshotCache

Answer = TypeVar("Answer")

BATCH_SIZE_MAX = 64
QUEUE_LENGTH_MAX = 10_000
"""How many commands may wait in one process; past it they are refused at once."""

QUIET_TURNS_MAX = 10
"""How many turns of the event loop in a row may bring no command before the next batch begins."""

ATTEMPTS_MAX = 4
"""How often a command is tried alone after the database refused its batch."""

CACHED_TENANTS_MAX = 200

Listener = Callable[[frozenset[type[Row]]], None]

_log = structlog.get_logger("benefit_programs.engine")


class QueueFull(Exception):
    """More commands wait than the process takes; the caller should try again later."""


class _Waiting(NamedTuple):
    submission: Submission
    answer: asyncio.Future[Any]


def read_clock() -> Instant:
    """Now, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Engine:
    """Takes commands, and runs them in batches on a store."""

    def __init__(self, store: Store, *, clock: Callable[[], Instant] = read_clock) -> None:
        self._store = store
        self._clock = clock
        self._ids = IdSource()
        self._queues: OrderedDict[int, deque[_Waiting]] = OrderedDict()
        self._length = 0
        self._snapshots: OrderedDict[int, SnapshotCache] = OrderedDict()
        self._task: asyncio.Task[None] | None = None
        """What runs batches, while there are any."""

        self._closing = False
        self._listeners: list[Listener] = []
        self.submitted = 0
        """How many commands have come so far."""

    def on_commit(self, listener: Listener) -> None:
        """Call the listener after each commit, with the types of the rows that it has written.

        It is called before the callers go on. If it fails, the log tells, and nobody else notices.
        """
        self._listeners.append(listener)

    async def execute(
        self,
        command: Command[Answer],
        *,
        tenant_id: int,
        caller: Identity,
        settings: TenantSettings,
    ) -> Answer:
        """Do a command and give its answer, once it is durable.

        Raises the command's refusal, QueueFull, StoreTimeout or StoreUnavailable.
        """
        return await self.submit(command, tenant_id=tenant_id, caller=caller, settings=settings)

    def submit(
        self,
        command: Command[Answer],
        *,
        tenant_id: int,
        caller: Identity,
        settings: TenantSettings,
    ) -> asyncio.Future[Answer]:
        """Put a command into the queue; commands of one tenant are decided in their order here.

        The future raises what ``execute`` raises, but QueueFull is raised at once.
        """
        if self._length >= QUEUE_LENGTH_MAX or self._closing:
            raise QueueFull
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(Submission(command, caller, settings), answer)
        self._queues.setdefault(tenant_id, deque()).append(waiting)
        self._length += 1
        self.submitted += 1
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work())
            self._task.add_done_callback(self._stop)
        return answer

    def now(self) -> Instant:
        """The instant that a command would be decided at."""
        return self._clock()

    async def close(self) -> None:
        """Take no more commands, and finish those that wait."""
        self._closing = True
        if self._task is not None:
            await asyncio.wait((self._task,))

    async def _work(self) -> None:
        while self._queues:
            tenant_id, batch = self._next_batch()
            try:
                await self._run(tenant_id, batch)
            finally:
                _give_up(batch)
            if len(batch) > 1:
                await self._gather(len(batch))

    def _stop(self, task: asyncio.Task[None]) -> None:
        """Leave nobody waiting where the task that would answer them was cancelled."""
        if self._task is not task:
            return
        self._task = None
        for queue in self._queues.values():
            _give_up(queue)
        self._queues.clear()
        self._length = 0

    async def _gather(self, answered: int) -> None:
        """Let those who were just answered ask again, so that one batch does for all.

        Else two halves of the callers take turns, with twice as many batches. What it takes is a
        few turns of the event loop, which has the answers to send anyway.
        """
        expected, quiet_turns = self.submitted + answered, 0
        while self.submitted < expected and quiet_turns < QUIET_TURNS_MAX:
            if self._length >= BATCH_SIZE_MAX:
                break
            before = self.submitted
            await asyncio.sleep(0)
            quiet_turns = 0 if self.submitted > before else quiet_turns + 1

    def _next_batch(self) -> tuple[int, list[_Waiting]]:
        """The commands that wait longest for the tenant whose turn it is."""
        tenant_id, queue = self._queues.popitem(last=False)
        batch = [queue.popleft() for _ in range(min(len(queue), BATCH_SIZE_MAX))]
        if queue:
            self._queues[tenant_id] = queue
        self._length -= len(batch)
        return tenant_id, batch

    async def _run(self, tenant_id: int, batch: list[_Waiting]) -> None:
        while batch := [waiting for waiting in batch if not waiting.answer.done()]:
            outcomes: list[Outcome]
            try:
                outcomes = await self._attempt(tenant_id, batch)
            except StoreUnavailable as error:
                outcomes = [Failure(error)] * len(batch)
            except Exception as error:  # noqa: BLE001 - one's trouble must not be the others'
                if len(batch) > 1 or isinstance(error, StoreConflict):
                    for waiting in batch:
                        if not waiting.answer.done():
                            _answer(waiting, await self._run_alone(tenant_id, waiting))
                    return
                outcomes = [Failure(error)]
            if isinstance(outcomes[0], Again):
                outcomes[0] = await self._run_alone(tenant_id, batch[0])
            for waiting, outcome in zip(batch, outcomes, strict=True):
                if not isinstance(outcome, Again):
                    _answer(waiting, outcome)

    async def _run_alone(self, tenant_id: int, waiting: _Waiting) -> Outcome:
        """Try a command by itself, so that only the guilty one of a refused batch fails."""
        error: Exception = StoreConflict("the rows it needs kept changing")
        for _ in range(ATTEMPTS_MAX):
            try:
                (outcome,) = await self._attempt(tenant_id, [waiting])
            except StoreConflict as conflict:
                error = conflict
            except Exception as failure:  # noqa: BLE001 - the one who waits must hear of it
                return Failure(failure)
            else:
                if not isinstance(outcome, Again):
                    return outcome
        return Failure(error)

    async def _attempt(self, tenant_id: int, batch: list[_Waiting]) -> list[Outcome]:
        written: set[type[Row]] = set()
        steps = steps_of(
            [waiting.submission for waiting in batch],
            now=self._clock(),
            ids=self._ids,
            snapshots=self._snapshots_of(tenant_id),
            written=written,
        )
        outcomes = await self._store.run(tenant_id, steps)
        # From here on all is durable, so nothing may raise: the listeners get turns of their own.
        if written:
            loop, types = asyncio.get_running_loop(), frozenset(written)
            for listener in self._listeners:
                loop.call_soon(_call, listener, types)
        return outcomes

    def _snapshots_of(self, tenant_id: int) -> SnapshotCache:
        cache = self._snapshots.get(tenant_id)
        if cache is None:
            cache = self._snapshots[tenant_id] = SnapshotCache()
            if len(self._snapshots) > CACHED_TENANTS_MAX:
                self._snapshots.popitem(last=False)
        return cache


def _call(listener: Listener, written: frozenset[type[Row]]) -> None:
    try:
        listener(written)
    except (Exception, asyncio.CancelledError):  # noqa: BLE001 - it must not be the others' trouble
        _log.exception("a listener failed after a commit")


def _give_up(batch: Iterable[_Waiting]) -> None:
    for waiting in batch:
        waiting.answer.cancel()


def _answer(waiting: _Waiting, outcome: Outcome) -> None:
    if waiting.answer.done():
        return
    if isinstance(outcome, Failure):
        waiting.answer.set_exception(outcome.error)
    else:
        waiting.answer.set_result(outcome)
