"""The one way in for every write: queue, batch, load, decide, store, commit, answer.

A batch is whatever is waiting when the tenant's previous commit ends, and whoever is answered by
that and comes back at once: nobody waits for a timer. Alone, a command goes at once; under load,
batches grow by themselves up to what the store takes. A batch has the commands of one tenant, and a
tenant has one batch at a time. As many tenants as the store takes are served side by side, and take
turns.

Whoever needs a row that somebody outside has locked waits apart, and the tenant's others go on.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from contextvars import Context
from typing import Any, TypeVar

from benefit_programs.domain.audit_rows import CALENDAR, SERVICE, Actor
from benefit_programs.domain.command import Command
from benefit_programs.domain.due import NotSettled
from benefit_programs.domain.lookups import CHUNK_SIZE
from benefit_programs.domain.orders.calendar import SettlePrograms
from benefit_programs.domain.orders.cascades import StartCascades
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.store import Store
from benefit_programs.domain.values import SYSTEM, Identity, Instant
from benefit_programs.engine.answers import Answers, Part
from benefit_programs.engine.batch import Submission
from benefit_programs.engine.locks import Locks
from benefit_programs.engine.runs import Listener, LockedOut, Observer, Runs, Waiting, fail, give_up
from benefit_programs.tracing import current

Answer = TypeVar("Answer")
T = TypeVar("T")

QUEUE_LENGTH_MAX = 10_000
"""How many commands may wait in one process; past it they are refused at once."""

SETTLING_MAX = 1_000
"""How many things that have come due are booked, one after the other, before a command goes on."""

QUIET_TURNS_MAX = 10
"""How many turns of the event loop in a row may bring no command before the next batch begins."""


class QueueFull(Exception):
    """More commands wait than the process takes; the caller should try again later."""


class _Apart:
    """Commands of one tenant that wait for locked rows, in their order."""

    def __init__(self) -> None:
        self.queue: deque[LockedOut] = deque()
        self.batch: list[Waiting] = []
        """The batch under way, which is no longer in the queue."""

        self.held = Locks()
        """What they need: who needs that too comes after them."""

    def hold_for_queue(self) -> None:
        """Hold only what those need who are in the queue."""
        self.held.clear()
        for each in self.queue:
            self.held.update(each.locks)


def read_clock() -> Instant:
    """Now, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Engine:
    """Takes commands, and runs them in batches on a store."""

    def __init__(self, store: Store, *, clock: Callable[[], Instant] = read_clock) -> None:
        self._store = store
        self._clock = clock
        self._runs = Runs(store, clock)
        self._queues: OrderedDict[int, deque[Waiting]] = OrderedDict()
        """What waits for tenants that wait for their turn."""

        self._at_work: dict[int, deque[Waiting]] = {}
        """What waits behind the batches under way."""

        self._apart: dict[int, _Apart] = {}
        self._patience = asyncio.Semaphore(store.patient_batches_max)
        self._length = 0
        self._tasks: set[asyncio.Task[None]] = set()
        """What runs batches, while there are any."""

        self._patient_tasks: set[asyncio.Task[None]] = set()
        """What runs the batches of those who wait apart."""

        self._closing = False
        self.submitted = 0
        """How many commands have come so far."""

    def on_commit(self, listener: Listener) -> None:
        """Call the listener after each commit, with the types of the rows that it has written.

        It is called before the callers go on. If it fails, the log tells, and nobody else notices.
        """
        self._runs.listeners.append(listener)

    def on_batch(self, observer: Observer) -> None:
        """Call the observer after each batch, with the number of its commands and its seconds."""
        self._runs.observers.append(observer)

    @property
    def queue_length(self) -> int:
        """How many commands wait for a batch."""
        return self._length

    async def execute(
        self,
        command: Command[Answer],
        *,
        tenant_id: int,
        caller: Identity,
        settings: TenantSettings,
        actor: Actor = SERVICE,
    ) -> Answer:
        """Do a command and give its answer, once it is durable.

        ``caller`` is whom the ``actor`` stands for.

        What has come due before is booked first. If that goes on elsewhere, or takes very long, the
        command doesn't wait for it.

        Raises the command's refusal, QueueFull, StoreTimeout or StoreUnavailable.
        """
        here = current()
        submission = Submission(command, caller, settings, actor=actor, here=here)
        answer: asyncio.Future[Answer]
        for _ in range(SETTLING_MAX):
            answer = self._submit(submission, tenant_id)
            try:
                return await answer
            except NotSettled as late:
                if not await self._settle(late.program_ids, tenant_id, settings):
                    break
        late_one = Submission(command, caller, settings, is_late=True, actor=actor, here=here)
        answer = self._submit(late_one, tenant_id)
        return await answer

    async def execute_each(
        self,
        commands: Sequence[tuple[Command[Answer], Actor]],
        *,
        tenant_id: int,
        caller: Identity,
        settings: TenantSettings,
    ) -> list[Answer | BaseException]:
        """Do commands in their order, each by itself and by its actor, as ``execute`` does one.

        What became of each is its answer, or what ``execute`` would have raised. All are told
        once the last one is done: so they cost less than as many calls.
        """
        if not commands:
            return []
        here, answers = current(), Answers(len(commands))
        for number, (command, actor) in enumerate(commands):
            submission = Submission(command, caller, settings, actor=actor, here=here)
            try:
                self._put(Waiting(submission, Part(answers, number)), tenant_id)
            except QueueFull as error:
                answers.take(number, error)
        await answers.all
        outcomes = answers.outcomes
        late = [number for number, each in enumerate(outcomes) if isinstance(each, NotSettled)]
        again = (
            self.execute(
                commands[number][0],
                tenant_id=tenant_id,
                caller=caller,
                settings=settings,
                actor=commands[number][1],
            )
            for number in late
        )
        for number, outcome in zip(
            late, await asyncio.gather(*again, return_exceptions=True), strict=True
        ):
            outcomes[number] = outcome
        return outcomes

    async def catch_up(
        self, program_ids: Sequence[str], *, tenant_id: int, settings: TenantSettings
    ) -> None:
        """Book all that has come due in programs, but for what jobs do. Raises as ``execute``."""
        for start in range(0, len(program_ids), CHUNK_SIZE):
            chunk = tuple(program_ids[start : start + CHUNK_SIZE])
            for _ in range(SETTLING_MAX):
                if not await self._settle(chunk, tenant_id, settings):
                    break

    async def _settle(
        self, program_ids: tuple[str, ...], tenant_id: int, settings: TenantSettings
    ) -> bool:
        """Book what has come due next in programs, or else the first cascade; whether to go on."""
        first = SettlePrograms(program_ids=program_ids) if program_ids else StartCascades()
        done = await self.execute(
            first, tenant_id=tenant_id, caller=SYSTEM, settings=settings, actor=CALENDAR
        )
        # A cascade that another process has begun meanwhile holds nobody up any more.
        return done > 0 or not program_ids

    def submit(
        self,
        command: Command[Answer],
        *,
        tenant_id: int,
        caller: Identity,
        settings: TenantSettings,
        actor: Actor = SERVICE,
    ) -> asyncio.Future[Answer]:
        """Put a command into the queue; commands of one tenant are decided in their order here.

        The future raises what ``execute`` raises, but QueueFull is raised at once, and NotSettled
        if something has to be booked first.
        """
        submission = Submission(command, caller, settings, actor=actor, here=current())
        return self._submit(submission, tenant_id)

    def _submit(self, submission: Submission, tenant_id: int) -> asyncio.Future[Any]:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._put(Waiting(submission, answer), tenant_id)
        return answer

    def _put(self, waiting: Waiting, tenant_id: int) -> None:
        if self._length >= QUEUE_LENGTH_MAX or self._closing:
            raise QueueFull
        queue = self._at_work.get(tenant_id)
        if queue is None:
            queue = self._queues.get(tenant_id)
        if queue is None:
            queue = self._queues[tenant_id] = deque()
            self._start()
        queue.append(waiting)
        self._length += 1
        self.submitted += 1

    async def execute_together(
        self,
        commands: Sequence[Command[Answer]],
        *,
        tenant_id: int,
        caller: Identity,
        settings: TenantSettings,
        actor: Actor = SERVICE,
    ) -> list[Answer | Exception]:
        """Do many commands in a batch of their own; tell of each its answer, or what it raised.

        For commands of which none waits for another: the batch has no place in the queue, and who
        has several of them under way has them done side by side. It is as large as it is given, and
        waits patiently for locked rows. What each raises is what the future of ``submit`` does.
        """
        here, answers = current(), Answers(len(commands))
        batch = [
            Waiting(
                Submission(command, caller, settings, actor=actor, here=here),
                Part(answers, number),
            )
            for number, command in enumerate(commands)
        ]
        self.submitted += len(batch)
        try:
            for each in await self._runs.run(tenant_id, batch, Locks(), patient=True):
                fail(each.waiting, each.error)
        finally:
            give_up(batch)
        return answers.outcomes

    def now(self) -> Instant:
        """The instant that a command would be decided at."""
        return self._clock()

    async def close(self) -> None:
        """Take no more commands, and finish those that wait."""
        self._closing = True
        while tasks := self._tasks | self._patient_tasks:
            await asyncio.wait(tasks)

    def _start(self) -> None:
        """Have one more tenant served, if the store takes another batch."""
        if sum(not each.done() for each in self._tasks) < self._store.batches_max:
            # It goes on for others: it must not be in the trace of who came first.
            task = asyncio.get_running_loop().create_task(self._work(), context=Context())
            self._tasks.add(task)
            task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        """Go on with what came at the last moment.

        Leave nobody waiting where the last of the tasks that would answer them was cancelled.
        """
        self._tasks.discard(task)
        if not self._queues:
            return
        if not task.cancelled():
            self._start()
        elif not self._tasks:
            for queue in self._queues.values():
                give_up(queue)
                self._length -= len(queue)
            self._queues.clear()

    async def _work(self) -> None:
        while self._queues:
            tenant_id, queue = self._queues.popitem(last=False)
            self._at_work[tenant_id] = queue
            batch = _take(queue, self._store.batch_size_max)
            self._length -= len(batch)
            try:
                await self._run(tenant_id, batch)
                await self._pause(queue, len(batch))
            finally:
                give_up(batch)
                del self._at_work[tenant_id]
                if queue:
                    self._queues[tenant_id] = queue

    async def _pause(self, queue: deque[Waiting], answered: int) -> None:
        """Let a few who were just answered go on before a longer batch of others begins.

        Who else waits comes before those who may ask again, and meanwhile these come by themselves.
        """
        others = next(iter(self._queues.values()), None)
        if others is not None and answered < len(others):
            await asyncio.sleep(0)
        elif others is None and answered > 1:
            await self._gather(queue, answered)

    async def _gather(self, queue: deque[Waiting], answered: int) -> None:
        """Let those who were just answered ask again, so that one batch does for all.

        Else two halves of the callers take turns, with twice as many batches. What it takes is a
        few turns of the event loop, which has the answers to send anyway.
        """
        expected, quiet_turns = min(len(queue) + answered, self._store.batch_size_max), 0
        while len(queue) < expected and quiet_turns < QUIET_TURNS_MAX:
            before = len(queue)
            await asyncio.sleep(0)
            quiet_turns = 0 if len(queue) > before else quiet_turns + 1

    async def _run(self, tenant_id: int, batch: list[Waiting]) -> None:
        apart = self._apart.get(tenant_id) or _Apart()
        locked = await self._runs.run(tenant_id, batch, apart.held)
        if locked:
            self._set_apart(tenant_id, locked)
            # They are not answered with the rest, nor given up with it.
            left = {id(each.waiting) for each in locked}
            batch[:] = [waiting for waiting in batch if id(waiting) not in left]

    def _set_apart(self, tenant_id: int, locked: list[LockedOut]) -> None:
        apart = self._apart.get(tenant_id)
        if apart is None:
            apart = self._apart[tenant_id] = _Apart()
            self._start_apart(tenant_id, apart)
        apart.queue.extend(locked)
        self._length += len(locked)
        for each in locked:
            apart.held.update(each.locks)

    def _start_apart(self, tenant_id: int, apart: _Apart) -> None:
        work = self._work_apart(tenant_id, apart)
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self._patient_tasks.add(task)
        task.add_done_callback(lambda task: self._end_apart(tenant_id, apart, task))

    def _end_apart(self, tenant_id: int, apart: _Apart, task: asyncio.Task[None]) -> None:
        """Go on with who came at the last moment, or leave nobody waiting."""
        self._patient_tasks.discard(task)
        if apart.queue and not task.cancelled():
            self._start_apart(tenant_id, apart)
            return
        del self._apart[tenant_id]
        give_up(apart.batch)
        give_up(each.waiting for each in apart.queue)
        self._length -= len(apart.queue)

    async def _work_apart(self, tenant_id: int, apart: _Apart) -> None:
        """Run those who wait apart, patiently, until all are answered."""
        async with self._patience:
            while apart.queue:
                apart.batch = [
                    each.waiting for each in _take(apart.queue, self._store.batch_size_max)
                ]
                self._length -= len(apart.batch)
                for each in await self._runs.run(tenant_id, apart.batch, Locks(), patient=True):
                    fail(each.waiting, each.error)
                apart.batch = []
                apart.hold_for_queue()


def _take(queue: deque[T], size_max: int) -> list[T]:
    """The first of those who wait, as many as fit into a batch."""
    return [queue.popleft() for _ in range(min(len(queue), size_max))]
