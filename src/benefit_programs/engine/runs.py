"""Runs of a batch: in one transaction, or one by one where the database refuses that.

Nobody waits long here for a row that somebody else has locked: whoever needs it is handed back,
and the others are answered.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from time import perf_counter
from typing import NamedTuple

import structlog

from benefit_programs.domain.rows import Row
from benefit_programs.domain.state import Wanted
from benefit_programs.domain.store import Store, StoreConflict, StoreLocked, StoreUnavailable
from benefit_programs.domain.values import Instant
from benefit_programs.engine.answers import Answering
from benefit_programs.engine.batch import Again, Failure, Outcome, Submission, first_needs, steps_of
from benefit_programs.engine.ids import new_ids
from benefit_programs.engine.locks import Locks
from benefit_programs.engine.memory import Memory
from benefit_programs.tracing import NOTHING, Span, shared

ATTEMPTS_MAX = 4
"""How often a command is tried alone after the database refused its batch."""

CACHED_TENANTS_MAX = 200

Listener = Callable[[frozenset[type[Row]]], None]
Observer = Callable[[int, float], None]
BeforeLoad = Callable[[Wanted], None]

_log = structlog.get_logger("benefit_programs.engine")


class Waiting(NamedTuple):
    """A command, and who waits for its answer."""

    submission: Submission
    answer: Answering


class LockedOut(NamedTuple):
    """A command that found a row locked, with all rows that it was known to need."""

    waiting: Waiting
    locks: Locks
    error: StoreLocked


class Runs:
    """Runs batches on a store, and answers those who wait."""

    def __init__(self, store: Store, clock: Callable[[], Instant]) -> None:
        self._store = store
        self._clock = clock
        self._ids = new_ids()
        self._ids_of_sandboxes = new_ids()
        """Made from instants that may be far ahead, which others' ids must not wait for."""

        self._memories: OrderedDict[int, Memory] = OrderedDict()
        self.listeners: list[Listener] = []
        self.observers: list[Observer] = []

    async def run(
        self, tenant_id: int, batch: list[Waiting], held: Locks, *, patient: bool = False
    ) -> list[LockedOut]:
        """Do and answer a batch, but for those who are locked out: they are handed back in order.

        ``held`` are rows that others wait for already: who needs one of them is locked out at
        once. The rows of all who are locked out are added to it.
        """
        locked: list[LockedOut] = []
        if held:
            batch = self._without_locked_out(tenant_id, batch, held, locked)
        while batch := [waiting for waiting in batch if not waiting.answer.done()]:
            outcomes: list[Outcome]
            look = _refuser(held) if held else None
            try:
                outcomes = await self._attempt(
                    tenant_id, batch, look, patient=patient, is_first=True
                )
            except StoreUnavailable as error:
                outcomes = [Failure(error)] * len(batch)
            except Exception as error:  # noqa: BLE001 - one's trouble must not be the others'
                if len(batch) > 1 or isinstance(error, StoreConflict | StoreLocked):
                    patient = patient and not isinstance(error, StoreLocked)
                    for waiting in batch:
                        if not waiting.answer.done():
                            outcome = await self._alone(tenant_id, waiting, held, patient=patient)
                            _settle(waiting, outcome, locked)
                    break
                outcomes = [Failure(error)]
            if isinstance(outcomes[0], Again):
                outcomes[0] = await self._alone(tenant_id, batch[0], held, patient=patient)
            for waiting, outcome in zip(batch, outcomes, strict=True):
                _settle(waiting, outcome, locked)
            batch = [
                waiting
                for waiting, outcome in zip(batch, outcomes, strict=True)
                if isinstance(outcome, Again)
            ]
        return locked

    async def _alone(
        self, tenant_id: int, waiting: Waiting, held: Locks, *, patient: bool
    ) -> Outcome:
        """Try a command by itself, so that only the guilty one of a refused batch fails."""
        error: Exception = StoreConflict("the rows it needs kept changing")
        own, refuse = Locks(), _refuser(held)

        def look(wanted: Wanted) -> None:
            own.add(wanted)
            refuse(wanted)

        for _ in range(ATTEMPTS_MAX):
            try:
                (outcome,) = await self._attempt(tenant_id, [waiting], look, patient=patient)
            except StoreConflict as conflict:
                error = conflict
            except StoreLocked as locked:
                held.update(own)
                return LockedOut(waiting, own, locked)
            except Exception as failure:  # noqa: BLE001 - the one who waits must hear of it
                return Failure(failure)
            else:
                if not isinstance(outcome, Again):
                    return outcome
        return Failure(error)

    async def _attempt(
        self,
        tenant_id: int,
        batch: list[Waiting],
        look: BeforeLoad | None,
        *,
        patient: bool,
        is_first: bool = False,
    ) -> list[Outcome]:
        written: set[type[Row]] = set()
        memory = self._memory_of(tenant_id)
        is_sandbox = batch[0].submission.settings.is_sandbox
        steps = steps_of(
            [waiting.submission for waiting in batch],
            now=self._clock(),
            ids=self._ids_of_sandboxes if is_sandbox else self._ids,
            memory=memory,
            written=written,
            before_load=look,
        )
        unheld = is_first and len(batch) == 1 and not patient and memory.is_calm()
        started = perf_counter()
        try:
            with _batch_span(tenant_id, batch):
                outcomes = await self._store.run(tenant_id, steps, patient=patient, unheld=unheld)
        except StoreConflict:
            if unheld:
                memory.note_conflict()
            raise
        # From here on all is durable, so nothing may raise: the listeners get turns of their own.
        loop = asyncio.get_running_loop()
        for observer in self.observers:
            loop.call_soon(observer, len(batch), perf_counter() - started)
        if written:
            types = frozenset(written)
            for listener in self.listeners:
                loop.call_soon(_call, listener, types)
        return outcomes

    def _without_locked_out(
        self, tenant_id: int, batch: list[Waiting], held: Locks, locked: list[LockedOut]
    ) -> list[Waiting]:
        """Sort out those whose first needs tell that they would be locked out."""
        others: list[Waiting] = []
        memory, now = self._memory_of(tenant_id), self._clock()
        for waiting in batch:
            wanted = first_needs(waiting.submission, now=now, memory=memory)
            if held.meet(wanted):
                own = Locks()
                own.add(wanted)
                held.update(own)
                locked.append(LockedOut(waiting, own, StoreLocked(_WAITED_FOR)))
            else:
                others.append(waiting)
        return others

    def _memory_of(self, tenant_id: int) -> Memory:
        memory = self._memories.get(tenant_id)
        if memory is None:
            memory = self._memories[tenant_id] = Memory()
            if len(self._memories) > CACHED_TENANTS_MAX:
                self._memories.popitem(last=False)
        return memory


def _batch_span(tenant_id: int, batch: list[Waiting]) -> AbstractContextManager[Span | None]:
    """A span for a batch, if it carries commands of requests that are recorded."""
    carried = [
        here
        for waiting in batch
        if (here := waiting.submission.here) is not None and isinstance(here, Span)
    ]
    if not carried:
        return NOTHING
    # Several commands may be of one request.
    return shared(
        "batch",
        list(dict.fromkeys(carried)),
        {"benefits.tenant_id": tenant_id, "benefits.batch.commands": len(batch)},
    )


_WAITED_FOR = "others wait for a row that it needs"


def _refuser(held: Locks) -> BeforeLoad:
    def refuse(wanted: Wanted) -> None:
        if held.meet(wanted):
            raise StoreLocked(_WAITED_FOR)

    return refuse


def _call(listener: Listener, written: frozenset[type[Row]]) -> None:
    try:
        listener(written)
    except (Exception, asyncio.CancelledError):  # noqa: BLE001 - it must not be the others' trouble
        _log.exception("a listener failed after a commit")


def give_up(batch: Iterable[Waiting]) -> None:
    """Tell those who wait that nobody will answer."""
    for waiting in batch:
        waiting.answer.cancel()


def fail(waiting: Waiting, error: Exception) -> None:
    """Raise an error to who waits, if somebody does."""
    if not waiting.answer.done():
        waiting.answer.set_exception(error)


def _settle(waiting: Waiting, outcome: Outcome, locked: list[LockedOut]) -> None:
    """Pass an outcome on to who waits, unless it is still to come."""
    kind = type(outcome)
    if kind is Failure:
        fail(waiting, outcome.error)
    elif kind is LockedOut:
        locked.append(outcome)
    elif kind is not Again and not waiting.answer.done():
        waiting.answer.set_result(outcome)
