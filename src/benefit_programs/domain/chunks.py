"""Chunks: how a job works through many rows, a bounded number of them in each commit.

A chunk is one command, so that what it does and how far it came are one commit: whoever is killed
between two chunks leaves a job that another runner takes up at the row where it stopped.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from benefit_programs.domain import happenings
from benefit_programs.domain.cascades import (
    ask_for_cascades,
    awaits,
    caught_up,
    concerns,
)
from benefit_programs.domain.command import Command, Context
from benefit_programs.domain.entities import (
    Job,
    JobItem,
    JobStatus,
    Pool,
    PoolOrigin,
    PoolStatus,
    Program,
    ProgramStatus,
    Row,
    UnfinishedCascade,
)
from benefit_programs.domain.item_deletion import ITEM_ENTITY
from benefit_programs.domain.items import remove_item
from benefit_programs.domain.jobs import (
    JobKind,
    advanced,
    ask_for_open_page,
    held_job,
    save_items,
)
from benefit_programs.domain.lifecycle import (
    ACTIONS,
    POOL_ITEM,
    act_on_pool,
    ask_for_pools,
    finish_action,
    is_missing,
    template_in,
)
from benefit_programs.domain.lookups import (
    BEFORE_ALL_IDS,
    CASCADE,
    CHUNK_SIZE,
    ITEM,
    JOB,
    POOLS_OF_PROGRAM_BY_DEFINITION,
    PROGRAM,
    SNAPSHOT,
    UNFINISHED_ACTION,
    UNOPENED_POOL,
    WALK_POOLS_OF_POOL_DEFINITION,
    WALK_POOLS_OF_PROGRAM,
    WALK_POOLS_OF_PROGRAM_DEFINITION,
    WALK_PROGRAMS_OF_PROGRAM_DEFINITION,
    WALK_UNOPENED_POOLS_OF_POOL_DEFINITION,
    WALK_UNOPENED_POOLS_OF_PROGRAM,
)
from benefit_programs.domain.opening import open_pool, settled_status
from benefit_programs.domain.pool_changes import save_pool
from benefit_programs.domain.spreading import end_pool_with_program, end_program
from benefit_programs.domain.state import Changes, Index, Key, Needs, State
from benefit_programs.domain.unopened import ask_to_open, open_unopened
from benefit_programs.domain.values import Cascade

PROGRAM_ITEM = "program"
POOL_DEFINITION_ITEM = "pool_definition"
PROVISIONED_LATER = "updated+provisioned"


class Step(NamedTuple):
    """What a chunk did: the things it worked on, how far it came, and whether that was all."""

    items: list[JobItem]
    position: str
    is_last: bool


class Walk(msgspec.Struct, frozen=True):
    """The rows that a stage of a job goes through; ``entity`` is what its items call them."""

    index: Index[Any]
    key: Key
    entity: str

    def rows(self, state: State) -> list[Any]:
        """The next rows, in the order of their ids."""
        return state.known(self.index, *self.key)[: self.index.limit]

    def ask(self, needs: Needs) -> None:
        """Ask for the next rows, to be changed."""
        needs.lock(self.index, *self.key)

    def step(self, items: list[JobItem], rows: Sequence[Row]) -> Step:
        """How far the walk has come with these rows."""
        assert self.index.after is not None
        last = getattr(rows[-1], self.index.after) if rows else self.key[-1]
        return Step(items, last, len(rows) < (self.index.limit or 0))


class Progress(msgspec.Struct, frozen=True):
    """How a job stands after a chunk."""

    job: Job | None = None

    @property
    def is_lost(self) -> bool:
        """Whether the job is another runner's by now."""
        return self.job is None

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do for this runner."""
        return self.job is None or self.job.status in Job.over


class RunChunk(Command[Progress], frozen=True, kw_only=True):
    """Do the next chunk of a job that this runner has claimed.

    ``total`` is how many things there are to work on, where the runner has counted them; ``size``
    is how many of them the chunk has at the most.
    """

    job_id: str
    owner: str
    total: int = 0
    size: int = CHUNK_SIZE
    found: tuple[str, ...] = ()
    """The next items of a deletion, which only a query can find."""

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for the job, then for its next rows, then for what these need.

        Whoever changes a definition waits for the chunks of its cascades: after the last of them
        it must find the pools that the job has opened, and no cascade.
        """
        needs.lock(CASCADE, self.job_id)
        needs.lock(JOB, self.job_id)
        job = state.loaded(JOB, self.job_id)
        if job is not None:
            ask_for_open_page(needs, job)
            self._work(job).ask(needs, state, job)

    def decide(self, state: State, context: Context) -> Changes[Progress]:
        """Do the rows, and move the job's position past them."""
        job = held_job(state, self.job_id, self.owner)
        if job is None:
            return Changes(Progress())
        changes: Changes[Progress] = Changes(Progress())
        work = self._work(job)
        step = work.do(state, changes, context, job)
        if step.items:
            save_items(state, changes, job, step.items)
        is_over = step.is_last and job.stage + 1 >= work.stages(state, job)
        job = advanced(
            job,
            context,
            success_count=job.success_count + len(step.items),
            total=max(job.total, self.total, job.done_count + len(step.items)),
            stage=job.stage + step.is_last,
            position=None if step.is_last else step.position,
        )
        if is_over:
            job = _finished(job)
            cascade = state.one(CASCADE, job.id)
            changes.delete(*([cascade] if cascade else []))
        changes.save(job)
        changes.answer = Progress(job)
        return changes

    def _work(self, job: Job) -> _Work:
        return work_of(job, self.found, size=self.size)


class SkipRow(Command[Progress], frozen=True, kw_only=True):
    """Pass by a row that can't be worked on, and tell of it among the items of the job.

    It counts as an attempt that failed, until a row can be worked on again.
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
    return replace(
        job,
        status=JobStatus.FINISHED,
        total=job.done_count,
        lease_owner=None,
        lease_until=None,
    )


@cache
def _shortened(index: Index[Any], size: int) -> Index[Any]:
    """A walk through the same rows, in shorter steps."""
    return Index(index.entity, *index.columns, after=index.after, limit=size, live=index.live)


class _Work(ABC):
    """What the chunks of one kind of job do."""

    def __init__(self, *, size: int) -> None:
        self._size = size

    def along(self, index: Index[Any], entity: str, *key: Any) -> Walk:
        """A walk through rows, with as many in each chunk as there shall be."""
        is_long = index.limit is not None and index.limit > self._size
        return Walk(_shortened(index, self._size) if is_long else index, key, entity)

    @abstractmethod
    def ask(self, needs: Needs, state: State, job: Job) -> None:
        """Ask for the next rows and for what they need."""

    @abstractmethod
    def do(self, state: State, changes: Changes[Any], context: Context, job: Job) -> Step:
        """Work on the next rows."""

    def stages(self, state: State, job: Job) -> int:
        """How many walks the job has."""
        return 1


class _PoolCascade(_Work):
    """An update of pools, their end, or a mark that is taken back.

    First it goes through the pools that there are, then through those that programs have yet to
    get, which it opens: so no pool is left that was asked for before the cascade.
    """

    def walk(self, cascade: UnfinishedCascade, job: Job) -> Walk:
        """The rows before it."""
        key = (cascade.pool_definition_id, job.position or BEFORE_ALL_IDS)
        if job.stage:
            return self.along(WALK_UNOPENED_POOLS_OF_POOL_DEFINITION, PROGRAM_ITEM, *key)
        return self.along(WALK_POOLS_OF_POOL_DEFINITION, POOL_ITEM, *key)

    def stages(self, state: State, job: Job) -> int:
        return 2

    def ask(self, needs: Needs, state: State, job: Job) -> None:
        cascade = state.loaded(CASCADE, job.id)
        if cascade is None:
            return
        walk = self.walk(cascade, job)
        walk.ask(needs)
        if job.stage:
            ask_to_open(needs, state, walk.rows(state))
        else:
            ask_for_cascades(needs, state, walk.rows(state))

    def do(self, state: State, changes: Changes[Any], context: Context, job: Job) -> Step:
        cascade = _cascade_of(state, job)
        walk = self.walk(cascade, job)
        rows = walk.rows(state)
        if job.stage:
            reached = [open_unopened(state, changes, context, row) for row in rows]
        else:
            reached = [self._reach(state, changes, context, cascade, pool) for pool in rows]
        concerned = [pool for pool in reached if pool is not None and concerns(cascade, pool)]
        return walk.step([JobItem(id=pool.id, entity=POOL_ITEM) for pool in concerned], rows)

    @staticmethod
    def _reach(
        state: State,
        changes: Changes[Any],
        context: Context,
        cascade: UnfinishedCascade,
        pool: Pool,
    ) -> Pool | None:
        if pool.status is PoolStatus.ENDED:
            return None
        after, transactions = caught_up(state, context, pool, up_to=cascade)
        return save_pool(changes, context, pool, after, transactions)


class _Addition(_Work):
    """A pool for each program of a program definition."""

    def walk(self, cascade: UnfinishedCascade, job: Job) -> Walk:
        """The rows before it."""
        key = (cascade.program_definition_id, job.position or BEFORE_ALL_IDS)
        return self.along(WALK_PROGRAMS_OF_PROGRAM_DEFINITION, PROGRAM_ITEM, *key)

    def ask(self, needs: Needs, state: State, job: Job) -> None:
        cascade = state.loaded(CASCADE, job.id)
        if cascade is None:
            return
        walk = self.walk(cascade, job)
        walk.ask(needs)
        needs.read(SNAPSHOT, cascade.snapshot_id)
        pools: list[Pool] = []
        for program in walk.rows(state):
            key = (program.id, cascade.pool_definition_id)
            needs.lock(POOLS_OF_PROGRAM_BY_DEFINITION, *key)
            needs.lock(UNOPENED_POOL, *key)
            ask_to_open(needs, state, state.known(UNOPENED_POOL, *key))
            needs.read(UNFINISHED_ACTION, program.id)
            pools += state.known(POOLS_OF_PROGRAM_BY_DEFINITION, *key)
        ask_for_cascades(needs, state, pools)

    def do(self, state: State, changes: Changes[Any], context: Context, job: Job) -> Step:
        cascade = _cascade_of(state, job)
        walk, items = self.walk(cascade, job), []
        rows = walk.rows(state)
        for program in rows:
            if settled_status(program) is not ProgramStatus.ENDED and awaits(program, cascade):
                self._serve(state, changes, context, cascade, program)
                items.append(JobItem(id=program.id, entity=PROGRAM_ITEM))
        return walk.step(items, rows)

    @staticmethod
    def _serve(
        state: State,
        changes: Changes[Any],
        context: Context,
        cascade: UnfinishedCascade,
        program: Program,
    ) -> None:
        key = (program.id, cascade.pool_definition_id)
        unopened = state.one(UNOPENED_POOL, *key)
        if unopened is not None:
            open_unopened(state, changes, context, unopened)
            return
        for pool in state.many(POOLS_OF_PROGRAM_BY_DEFINITION, *key):
            if pool.status is not PoolStatus.ENDED:
                after, transactions = caught_up(state, context, pool, up_to=cascade)
                save_pool(changes, context, pool, after, transactions)
        if is_missing(state, context, program, cascade):
            open_pool(
                changes,
                context,
                program=program,
                template=template_in(state, cascade),
                origin=PoolOrigin.CASCADE,
                action=state.one(UNFINISHED_ACTION, program.id),
            )


class _ProgramsEnd(_Work):
    """The end of a program definition's programs: first all their pools, then they themselves."""

    def walk(self, cascade: UnfinishedCascade, job: Job) -> Walk:
        """The rows before it."""
        key = (cascade.program_definition_id, job.position or BEFORE_ALL_IDS)
        if job.stage:
            return self.along(WALK_PROGRAMS_OF_PROGRAM_DEFINITION, PROGRAM_ITEM, *key)
        return self.along(WALK_POOLS_OF_PROGRAM_DEFINITION, POOL_ITEM, *key)

    def stages(self, state: State, job: Job) -> int:
        return 2 if _cascade_of(state, job).cascade is Cascade.IMMEDIATELY else 1

    def ask(self, needs: Needs, state: State, job: Job) -> None:
        cascade = state.loaded(CASCADE, job.id)
        if cascade is None:
            return
        walk = self.walk(cascade, job)
        walk.ask(needs)
        if job.stage == 0:
            ask_for_cascades(needs, state, walk.rows(state))
            return
        for program in walk.rows(state):
            needs.read(UNFINISHED_ACTION, program.id)

    def do(self, state: State, changes: Changes[Any], context: Context, job: Job) -> Step:
        cascade = _cascade_of(state, job)
        walk = self.walk(cascade, job)
        rows = walk.rows(state)
        if job.stage:
            for program in rows:
                end_program(state, changes, context, program)
            return walk.step([JobItem(id=row.id, entity=PROGRAM_ITEM) for row in rows], rows)
        for pool in rows:
            end_pool_with_program(state, changes, context, pool, cascade.cascade)
        return walk.step([JobItem(id=row.id, entity=POOL_ITEM) for row in rows], rows)


class _Action(_Work):
    """An action on a program with very many pools."""

    def walk(self, job: Job) -> Walk:
        """The rows before it."""
        key = (job.subject_id, job.position or BEFORE_ALL_IDS)
        return self.along(WALK_POOLS_OF_PROGRAM, POOL_ITEM, *key)

    def ask(self, needs: Needs, state: State, job: Job) -> None:
        needs.lock(PROGRAM, job.subject_id)
        needs.read(UNFINISHED_ACTION, job.subject_id)
        walk = self.walk(job)
        walk.ask(needs)
        ask_for_pools(needs, state, walk.rows(state), ACTIONS[JobKind(job.kind)])

    def do(self, state: State, changes: Changes[Any], context: Context, job: Job) -> Step:
        program = state.one(PROGRAM, job.subject_id)
        action = state.one(UNFINISHED_ACTION, job.subject_id)
        if program is None or action is None:
            return Step([], BEFORE_ALL_IDS, is_last=True)
        walk = self.walk(job)
        rows = walk.rows(state)
        ahead = [pool for pool in rows if pool.action_id != action.id]
        acted = [act_on_pool(state, changes, context, pool, action) for pool in ahead]
        step = walk.step([JobItem(id=pool.id, entity=POOL_ITEM) for pool in acted], rows)
        if step.is_last:
            finish_action(changes, context, program, action)
            changes.delete(action)
        return step


class _Provision(_Work):
    """The pools of a program whose definition has very many of them."""

    def walk(self, job: Job) -> Walk:
        """The rows before it."""
        key = (job.subject_id, job.position or BEFORE_ALL_IDS)
        return self.along(WALK_UNOPENED_POOLS_OF_PROGRAM, POOL_DEFINITION_ITEM, *key)

    def ask(self, needs: Needs, state: State, job: Job) -> None:
        needs.lock(PROGRAM, job.subject_id)
        walk = self.walk(job)
        walk.ask(needs)
        ask_to_open(needs, state, walk.rows(state))

    def do(self, state: State, changes: Changes[Any], context: Context, job: Job) -> Step:
        walk = self.walk(job)
        rows = walk.rows(state)
        opened = [open_unopened(state, changes, context, row) for row in rows]
        items = [JobItem(id=pool.id, entity=POOL_ITEM) for pool in opened if pool is not None]
        step = walk.step(items, rows)
        program = state.one(PROGRAM, job.subject_id)
        if step.is_last and program is not None and program.status is ProgramStatus.PROVISIONING:
            _finish_provisioning(changes, context, program)
        return step


def _finish_provisioning(changes: Changes[Any], context: Context, program: Program) -> None:
    ready = replace(
        program,
        status=settled_status(program),
        target_status=None,
        revision=program.revision + 1,
        updated=context.now,
        sequence=program.sequence + 2,
    )
    changes.save(ready)
    changes.events.append(happenings.tell(context, ready, PROVISIONED_LATER))


def _cascade_of(state: State, job: Job) -> UnfinishedCascade:
    cascade = state.one(CASCADE, job.id)
    assert cascade is not None, "a cascade is there as long as its job works"
    return cascade


class _ItemDeletion(_Work):
    """The end of items that a filter has found."""

    def __init__(self, found: tuple[str, ...], *, size: int) -> None:
        super().__init__(size=size)
        self._found = found

    def ask(self, needs: Needs, state: State, job: Job) -> None:
        for item_id in self._found:
            needs.lock(ITEM, item_id)

    def do(self, state: State, changes: Changes[Any], context: Context, job: Job) -> Step:
        found = [state.one(ITEM, item_id) for item_id in self._found]
        items = [item for item in found if item is not None]
        for item in items:
            remove_item(changes, context, item)
        position = self._found[-1] if self._found else job.position or BEFORE_ALL_IDS
        told = [JobItem(id=item.id, entity=ITEM_ENTITY) for item in items]
        return Step(told, position, len(self._found) < self._size)


_WORK: dict[JobKind, type[_Work]] = {
    JobKind.PROVISION_PROGRAM: _Provision,
    JobKind.UPDATE_POOLS: _PoolCascade,
    JobKind.END_POOLS: _PoolCascade,
    JobKind.KEEP_POOLS: _PoolCascade,
    JobKind.ADD_POOLS: _Addition,
    JobKind.END_PROGRAMS: _ProgramsEnd,
    **dict.fromkeys(ACTIONS, _Action),
}


def work_of(job: Job, found: tuple[str, ...] = (), *, size: int = CHUNK_SIZE) -> _Work:
    """What the chunks of a job do."""
    if job.kind == JobKind.DELETE_ITEMS:
        return _ItemDeletion(found, size=size)
    return _WORK[JobKind(job.kind)](size=size)


def rest_of(job: Job, cascade: UnfinishedCascade | None = None) -> Walk | None:
    """The rows that a job has before it; None where only a query finds them.

    The walk of a cascade goes by its row.
    """
    work = work_of(job)
    if isinstance(work, _Action | _Provision):
        return work.walk(job)
    if isinstance(work, _PoolCascade | _Addition | _ProgramsEnd) and cascade is not None:
        return work.walk(cascade, job)
    return None
