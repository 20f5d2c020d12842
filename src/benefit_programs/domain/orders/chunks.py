"""Chunks: how a job carries out an order on many rows, a bounded number of them in each commit.

A chunk is one command, so that what it does and how far it came are one commit: whoever is killed
between two chunks leaves a job that another runner takes up at the row where it stopped.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.due import require_settled
from benefit_programs.domain.entities import (
    Job,
    JobItem,
    JobKind,
    JobStatus,
    Order,
    Pool,
    PoolOrigin,
    PoolStatus,
    Program,
    ProgramStatus,
)
from benefit_programs.domain.events import record_deleted, record_updated
from benefit_programs.domain.item_deletion import ITEM_ENTITY
from benefit_programs.domain.jobs import (
    advanced,
    ask_for_open_page,
    held_job,
    released,
    save_items,
)
from benefit_programs.domain.lookups import (
    BEFORE_ALL_IDS,
    CHANGES_OF_PROGRAM,
    CHUNK_SIZE,
    ITEM,
    JOB,
    ORDER_OF_JOB,
    PROGRAM,
    SNAPSHOT,
    WALK_POOLS_OF_POOL_DEFINITION,
    WALK_POOLS_OF_PROGRAM,
    WALK_POOLS_OF_PROGRAM_DEFINITION,
    WALK_POOLS_TO_OPEN,
    WALK_PROGRAMS_OF_PROGRAM_DEFINITION,
)
from benefit_programs.domain.opening import PROVISIONED, open_pool, settled_status
from benefit_programs.domain.orders.carrier import Carrier, Walk, shortened
from benefit_programs.domain.orders.definitions import ask_to_end_program, end_program
from benefit_programs.domain.orders.erasing import ErasureChunks
from benefit_programs.domain.orders.log import (
    Place,
    ask_for_orders,
    concerns,
    is_ending,
    reached,
)
from benefit_programs.domain.orders.merging import MergeChunks
from benefit_programs.domain.orders.openings import (
    additions,
    ask_for_additions,
    ask_to_open,
    ask_to_serve,
    serve,
    takes_additions,
    template_in,
)
from benefit_programs.domain.orders.play import (
    ask_to_reach,
    reach,
)
from benefit_programs.domain.orders.programs import ACTIONS, POOL_ITEM, finish_action
from benefit_programs.domain.program_dates import dated
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import Cascade

PROGRAM_ITEM = "program"
POOL_DEFINITION_ITEM = "pool_definition"


class Progress(msgspec.Struct, frozen=True):
    """How a job stands after a chunk."""

    job: Job | None = None

    @property
    def is_lost(self) -> bool:
        return self.job is None

    @property
    def is_over(self) -> bool:
        return self.job is None or self.job.status in Job.over


class RunChunk(Command[Progress], frozen=True, kw_only=True):
    """Do the next chunk of a job that this runner has claimed.

    ``total`` is how many things there are to work on, where the runner has counted them; ``size``
    is how many of them the chunk has at the most. The last one of a turn hands the job back.
    """

    about = Job

    job_id: str
    owner: str
    total: int = 0
    size: int = CHUNK_SIZE
    ends_turn: bool = False
    found: tuple[str, ...] = ()
    """The next items of a deletion, which only a query can find."""

    def ask(self, needs: Needs, state: State) -> None:
        needs.lock(JOB, self.job_id)
        needs.read(ORDER_OF_JOB, self.job_id)
        job = state.loaded(JOB, self.job_id)
        if job is not None and job.status not in Job.over:
            ask_for_open_page(needs, job)
            carrier_of(job, state.loaded(ORDER_OF_JOB, job.id), self.found, self.size).ask(
                needs, state
            )

    def decide(self, state: State, context: Context) -> Changes[Progress]:
        job = held_job(state, self.job_id, self.owner)
        if job is None:
            return Changes(Progress())
        changes: Changes[Progress] = Changes(Progress())
        order = state.one(ORDER_OF_JOB, job.id)
        carrier = carrier_of(job, order, self.found, self.size)
        items = carrier.do(state, changes, context)
        if items:
            save_items(state, changes, job, items)
        is_last = carrier.is_last(state)
        is_over = is_last and job.stage + 1 >= carrier.stages
        job = advanced(
            job,
            context,
            success_count=job.success_count + len(items),
            total=max(job.total, self.total, job.done_count + len(items)),
            stage=job.stage + is_last,
            position=None if is_last else carrier.position(state),
        )
        if is_over:
            job = _finished(job)
            if order is not None and order.opened_id is None and order.program_id is None:
                changes.save(reached(order))
        elif self.ends_turn:
            job = released(job)
        changes.save(job)
        changes.answer = Progress(job)
        return changes


class SkipRow(Command[Progress], frozen=True, kw_only=True):
    """Pass by a row that can't be worked on, and add it to the items of the job as failed.

    Counts as a failed attempt. The next row that works clears the attempts.
    """

    job_id: str
    owner: str
    item: JobItem

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for the job and its open page, not for the row."""
        needs.lock(JOB, self.job_id)
        job = state.loaded(JOB, self.job_id)
        if job is not None:
            ask_for_open_page(needs, job)

    def decide(self, state: State, context: Context) -> Changes[Progress]:
        """Count the failure under its code, and move the job's position past the row."""
        job = held_job(state, self.job_id, self.owner)
        if job is None:
            return Changes(Progress())
        changes: Changes[Progress] = Changes(Progress())
        save_items(state, changes, job, [self.item])
        code, errors = str(self.item.error_code), job.errors or {}
        attempts = job.attempts + 1
        job = advanced(
            job,
            context,
            fail_count=job.fail_count + 1,
            total=max(job.total, job.done_count + 1),
            errors=errors | {code: errors.get(code, 0) + 1},
            position=self.item.id,
        )
        job = replace(job, attempts=attempts)
        changes.save(job)
        changes.answer = Progress(job)
        return changes


def _finished(job: Job) -> Job:
    """The job after its last chunk. What it had to know is forgotten: it may be about a person."""
    return replace(
        job, status=JobStatus.FINISHED, total=job.done_count, lease_owner=None, payload=None
    )


class _OrderForPools(Carrier):
    """An order that is for pools of a definition, or an action on a program."""

    def __init__(self, job: Job, order: Order | None, size: int) -> None:
        super().__init__(job, size)
        self.order = order

    @property
    def walk(self) -> Walk | None:
        if self.order is None:
            return None
        return self.along(WALK_POOLS_OF_POOL_DEFINITION, POOL_ITEM, self.order.pool_definition_id)

    def do(self, state: State, changes: Changes[Any], context: Context) -> list[JobItem]:
        rows = self.rows(state)
        require_settled(rows, context)
        return [
            JobItem(id=pool.id, entity=POOL_ITEM)
            for pool in rows
            if pool.status is not PoolStatus.ENDED and self._reach(state, changes, context, pool)
        ]

    def _reach(
        self,
        state: State,
        changes: Changes[Any],
        context: Context,
        pool: Pool,
        program: Program | None = None,
    ) -> bool:
        assert self.order is not None
        reach(state, changes, context, pool, up_to=self.order.number, program=program)
        return concerns(self.order, pool)


class _Action(_OrderForPools):
    # So many pools don't know the dates of their program, which has none while this goes on.

    @property
    def walk(self) -> Walk | None:
        return self.along(WALK_POOLS_OF_PROGRAM, POOL_ITEM, self.job.subject_id)

    def ask_for_rows(self, needs: Needs, state: State, rows: list[Pool]) -> None:
        needs.lock(PROGRAM, self.job.subject_id)
        needs.read(CHANGES_OF_PROGRAM, self.job.subject_id)
        ask_to_reach(needs, state, rows)

    def do(self, state: State, changes: Changes[Any], context: Context) -> list[JobItem]:
        program, order = state.one(PROGRAM, self.job.subject_id), self.order
        if program is None or order is None:
            return []
        ahead = [pool for pool in self.rows(state) if pool.order_number < order.number]
        items = [
            JobItem(id=pool.id, entity=POOL_ITEM)
            for pool in ahead
            if self._reach(state, changes, context, pool, program)
        ]
        if self.is_last(state):
            finish_action(state, changes, context, program, order)
            changes.delete(order)
        return items


class _Addition(_OrderForPools):
    """A pool for each program of a program definition."""

    @property
    def walk(self) -> Walk | None:
        if self.order is None:
            return None
        plan_id = self.order.program_definition_id
        return self.along(WALK_PROGRAMS_OF_PROGRAM_DEFINITION, PROGRAM_ITEM, plan_id)

    def is_held(self, needs: Needs, state: State) -> bool:
        assert self.order is not None
        opened_ids = [str(self.order.pool_definition_id)]
        return ask_to_open(needs, state, self.order.program_definition_id, opened_ids)

    def ask_for_rows(self, needs: Needs, state: State, rows: list[Program]) -> None:
        assert self.order is not None
        for program in rows:
            ask_to_serve(needs, state, program, self.order)

    def do(self, state: State, changes: Changes[Any], context: Context) -> list[JobItem]:
        order = self.order
        assert order is not None
        programs = [
            program
            for program in self.rows(state)
            if program.order_number < order.number and takes_additions(program)
        ]
        require_settled(programs, context)
        for program in programs:
            serve(state, changes, context, program, order)
        return [JobItem(id=program.id, entity=PROGRAM_ITEM) for program in programs]


class _ProgramsEnd(_OrderForPools):
    """The end of a program definition's programs: first all their pools, then they themselves."""

    @property
    def stages(self) -> int:  # type: ignore[override]
        is_at_once = self.order is not None and self.order.cascade is Cascade.IMMEDIATELY
        return 2 if is_at_once else 1

    @property
    def walk(self) -> Walk | None:
        if self.order is None:
            return None
        plan_id = self.order.program_definition_id
        if self.job.stage:
            return self.along(WALK_PROGRAMS_OF_PROGRAM_DEFINITION, PROGRAM_ITEM, plan_id)
        return self.along(WALK_POOLS_OF_PROGRAM_DEFINITION, POOL_ITEM, plan_id)

    def ask_for_rows(self, needs: Needs, state: State, rows: list[Any]) -> None:
        if not self.job.stage:
            ask_to_reach(needs, state, rows)
            return
        for program in rows:
            ask_to_end_program(needs, state, program)

    def do(self, state: State, changes: Changes[Any], context: Context) -> list[JobItem]:
        if not self.job.stage:
            return super().do(state, changes, context)
        programs = self.rows(state)
        require_settled(programs, context)
        for program in programs:
            end_program(state, changes, context, program)
        return [JobItem(id=program.id, entity=PROGRAM_ITEM) for program in programs]


class _Provision(Carrier):
    """The pools of a program whose definition has very many of them.

    The chunk that opens the last of them also ends the provisioning. Until then an order is there
    which says that pools are to come, and what is asked for meanwhile is kept for them.
    """

    @property
    def walk(self) -> Walk:
        """A walk with one row more than are opened: it tells whether these are the last."""
        key = (self.job.id, self.job.position or BEFORE_ALL_IDS)
        return Walk(shortened(WALK_POOLS_TO_OPEN, self._size + 1), key, POOL_DEFINITION_ITEM)

    def rows(self, state: State) -> list[Order]:
        most = self.walk.index.limit
        assert most is not None
        return self.walk.rows(state)[: most - 1]

    def is_last(self, state: State) -> bool:
        return self.walk.is_last(self.walk.rows(state))

    def ask(self, needs: Needs, state: State) -> None:
        needs.read(PROGRAM, self.job.subject_id)
        needs.read(self.walk.index, *self.walk.key)
        program, rows = state.loaded(PROGRAM, self.job.subject_id), self.rows(state)
        if program is None:
            return
        plan_id = program.program_definition_id
        if not ask_to_open(needs, state, plan_id, [str(row.opened_id) for row in rows]):
            return
        needs.lock(PROGRAM, program.id)
        needs.read(CHANGES_OF_PROGRAM, program.id)
        for row in rows:
            needs.read(SNAPSHOT, row.snapshot_id)
            ask_for_orders(needs, state, Place(str(row.opened_id), program.id, plan_id))
        if self.is_last(state):
            ask_for_additions(needs, state, program)

    def do(self, state: State, changes: Changes[Any], context: Context) -> list[JobItem]:
        program, rows = state.one(PROGRAM, self.job.subject_id), self.rows(state)
        changes.delete(*rows)
        if program is None or program.status is not ProgramStatus.PROVISIONING:
            return []
        to_open = [] if is_ending(state, program) else rows
        opened = [_open(state, changes, context, program, order) for order in to_open]
        if self.is_last(state):
            _finish_provisioning(state, changes, context, program, opened)
        return [JobItem(id=pool.id, entity=POOL_ITEM) for pool in opened]


def _open(
    state: State, changes: Changes[Any], context: Context, program: Program, order: Order
) -> Pool:
    """Open a pool by the definition that the order names, and play later orders on it."""
    template, origin = template_in(state, order, program.order_number), PoolOrigin.PROVISION
    pool = open_pool(changes, context, program=program, template=template, origin=origin)
    return reach(state, changes, context, pool)


def _finish_provisioning(
    state: State,
    changes: Changes[Any],
    context: Context,
    program: Program,
    opened: list[Pool],
) -> None:
    """Write a program that has its pools, and open what was added meanwhile."""
    ready = replace(program, status=settled_status(program), target_status=None)
    ready = dated(ready, state.many(CHANGES_OF_PROGRAM, program.id))
    ready = record_updated(changes, context, ready, PROVISIONED)
    has_now = list(opened)
    for order in additions(state, program):
        has_now += serve(state, changes, context, ready, order, has_now)


class _ItemDeletion(Carrier):
    """The end of items that a filter has found."""

    def __init__(self, job: Job, found: tuple[str, ...], size: int) -> None:
        super().__init__(job, size)
        self._found = found

    def is_last(self, state: State) -> bool:
        return len(self._found) < self._size

    def position(self, state: State) -> str:
        return self._found[-1]

    def ask(self, needs: Needs, state: State) -> None:
        for item_id in self._found:
            needs.lock(ITEM, item_id)

    def do(self, state: State, changes: Changes[Any], context: Context) -> list[JobItem]:
        found = [state.one(ITEM, item_id) for item_id in self._found]
        items = [item for item in found if item is not None]
        for item in items:
            record_deleted(changes, context, item)
        return [JobItem(id=item.id, entity=ITEM_ENTITY) for item in items]


_CARRIERS: dict[JobKind, type[_OrderForPools]] = {
    JobKind.UPDATE_POOLS: _OrderForPools,
    JobKind.END_POOLS: _OrderForPools,
    JobKind.KEEP_POOLS: _OrderForPools,
    JobKind.ADD_POOLS: _Addition,
    JobKind.END_PROGRAMS: _ProgramsEnd,
    **dict.fromkeys(ACTIONS, _Action),
}


def carrier_of(
    job: Job, order: Order | None, found: tuple[str, ...] = (), size: int = CHUNK_SIZE
) -> Carrier:
    """What the chunks of a job do."""
    kind = JobKind(job.kind)
    if kind is JobKind.DELETE_ITEMS:
        return _ItemDeletion(job, found, size)
    if kind is JobKind.ERASE_BENEFICIARY:
        return ErasureChunks(job, found, size)
    if kind is JobKind.MERGE_BENEFICIARY:
        return MergeChunks(job, size)
    if kind is JobKind.PROVISION_PROGRAM:
        return _Provision(job, size)
    return _CARRIERS[kind](job, order, size)
