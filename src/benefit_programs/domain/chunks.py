"""Chunks: how a job works through many rows, a bounded number of them in each commit.

A chunk is one command, so that what it does and how far it came are one commit: whoever is killed
between two chunks leaves a job that another runner takes up at the row where it stopped.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from benefit_programs.domain import happenings
from benefit_programs.domain.cascades import (
    ask_for_cascades,
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
    LEASE_MILLISECONDS,
    JobKind,
    ask_for_open_page,
    save_items,
)
from benefit_programs.domain.lifecycle import (
    ACTIONS,
    ADDITION,
    POOL_ITEM,
    RENEW,
    act_on_pool,
    ask_for_pools,
    ask_for_program,
    finish_action,
    is_missing,
    template_in,
)
from benefit_programs.domain.lookups import (
    BEFORE_ALL_IDS,
    CASCADE,
    CHUNK_SIZE,
    IDEMPOTENCY_KEY,
    ITEM,
    JOB,
    POOL_DEFINITION,
    POOLS_OF_PROGRAM_BY_DEFINITION,
    PROGRAM,
    SNAPSHOT,
    WALK_ASSIGNMENTS_OF_PROGRAM_DEFINITION,
    WALK_POOLS_OF_POOL_DEFINITION,
    WALK_POOLS_OF_PROGRAM,
    WALK_POOLS_OF_PROGRAM_DEFINITION,
    WALK_PROGRAMS_OF_PROGRAM_DEFINITION,
)
from benefit_programs.domain.opening import open_pool, settled_status, template_of
from benefit_programs.domain.pool_changes import save_pool
from benefit_programs.domain.spreading import end_program, ended_with_program
from benefit_programs.domain.state import Changes, Index, Key, Needs, State
from benefit_programs.domain.values import Cascade

PROGRAM_ITEM = "program"
PROVISIONED_LATER = "updated+provisioned"


class Step(NamedTuple):
    """What a chunk did: the things it worked on, how far it came, and whether that was all."""

    items: list[JobItem]
    position: str
    is_last: bool


class Walk(msgspec.Struct, frozen=True):
    """The rows that a stage of a job goes through."""

    index: Index[Any]
    key: Key

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
    """How a job stands after a chunk; ``is_lost`` if it is another runner's by now."""

    is_over: bool = False
    is_lost: bool = False


class RunChunk(Command[Progress], frozen=True, kw_only=True):
    """Do the next chunk of a job that this runner has claimed.

    ``total`` is how many things there are to work on, where the runner has counted them.
    """

    job_id: str
    owner: str
    total: int = 0
    found: tuple[str, ...] = ()
    """The next items of a deletion, which only a query can find."""

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for the job, then for its next rows, then for what these need."""
        needs.lock(JOB, self.job_id)
        job = state.loaded(JOB, self.job_id)
        if job is not None:
            ask_for_open_page(needs, job)
            needs.read(CASCADE, job.id)
            work_of(job, self.found).ask(needs, state, job)

    def decide(self, state: State, context: Context) -> Changes[Progress]:
        """Do the rows, and move the job's position past them."""
        job = state.one(JOB, self.job_id)
        if job is None or job.lease_owner != self.owner or job.status in Job.over:
            return Changes(Progress(is_lost=True))
        changes: Changes[Progress] = Changes(Progress())
        work = work_of(job, self.found)
        step = work.do(state, changes, context, job)
        if step.items:
            save_items(state, changes, job, step.items)
        is_over = step.is_last and job.stage + 1 >= work.stages(state, job)
        changes.answer = Progress(is_over=is_over)
        job = self._advanced(job, context, step)
        if is_over:
            job = _finished(job)
            cascade = state.one(CASCADE, job.id)
            changes.delete(*([cascade] if cascade else []))
        changes.save(job)
        return changes

    def _advanced(self, job: Job, context: Context, step: Step) -> Job:
        done = job.success_count + len(step.items)
        return replace(
            job,
            updated=context.now,
            status=JobStatus.PROCESSING,
            success_count=done,
            total=max(job.total, self.total, done),
            stage=job.stage + step.is_last,
            position=None if step.is_last else step.position,
            lease_until=context.now + LEASE_MILLISECONDS,
            attempts=0,
            retry_at=None,
            reason=None,
        )


def _finished(job: Job) -> Job:
    return replace(
        job,
        status=JobStatus.FINISHED,
        total=job.success_count,
        lease_owner=None,
        lease_until=None,
    )


class _Work(ABC):
    """What the chunks of one kind of job do."""

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
    """An update of pools, their end, or a mark that is taken back."""

    @staticmethod
    def walk(cascade: UnfinishedCascade, job: Job) -> Walk:
        """The rows before it."""
        key = (cascade.pool_definition_id, job.position or BEFORE_ALL_IDS)
        return Walk(WALK_POOLS_OF_POOL_DEFINITION, key)

    def ask(self, needs: Needs, state: State, job: Job) -> None:
        cascade = state.loaded(CASCADE, job.id)
        if cascade is not None:
            walk = self.walk(cascade, job)
            walk.ask(needs)
            ask_for_cascades(needs, state, walk.rows(state))

    def do(self, state: State, changes: Changes[Any], context: Context, job: Job) -> Step:
        cascade = _cascade_of(state, job)
        walk, items = self.walk(cascade, job), []
        rows = walk.rows(state)
        for pool in rows:
            if pool.status is not PoolStatus.ENDED:
                after = caught_up(state, pool, up_to=cascade.number)
                save_pool(changes, context, pool, after)
                if concerns(cascade, pool):
                    items.append(JobItem(id=pool.id, entity=POOL_ITEM))
        return walk.step(items, rows)


class _Addition(_Work):
    """A pool for each program of a program definition."""

    @staticmethod
    def walk(cascade: UnfinishedCascade, job: Job) -> Walk:
        """The rows before it."""
        key = (cascade.program_definition_id, job.position or BEFORE_ALL_IDS)
        return Walk(WALK_PROGRAMS_OF_PROGRAM_DEFINITION, key)

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
            needs.read(IDEMPOTENCY_KEY, program.id, ADDITION, cascade.id)
            pools += state.known(POOLS_OF_PROGRAM_BY_DEFINITION, *key)
        ask_for_cascades(needs, state, pools)

    def do(self, state: State, changes: Changes[Any], context: Context, job: Job) -> Step:
        cascade = _cascade_of(state, job)
        walk, items = self.walk(cascade, job), []
        rows = walk.rows(state)
        for program in rows:
            if settled_status(program) is not ProgramStatus.ENDED:
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
        if is_missing(state, program, cascade):
            open_pool(
                changes,
                context,
                program=program,
                template=template_in(state, cascade),
                origin=PoolOrigin.CASCADE,
            )
            return
        key = (program.id, cascade.pool_definition_id)
        for pool in state.many(POOLS_OF_PROGRAM_BY_DEFINITION, *key):
            if pool.status is not PoolStatus.ENDED:
                after = caught_up(state, pool, up_to=cascade.number)
                save_pool(changes, context, pool, after)


class _ProgramsEnd(_Work):
    """The end of a program definition's programs: first all their pools, then they themselves."""

    @staticmethod
    def walk(cascade: UnfinishedCascade, job: Job) -> Walk:
        """The rows before it."""
        indexes = (WALK_POOLS_OF_PROGRAM_DEFINITION, WALK_PROGRAMS_OF_PROGRAM_DEFINITION)
        key = (cascade.program_definition_id, job.position or BEFORE_ALL_IDS)
        return Walk(indexes[job.stage], key)

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

    def do(self, state: State, changes: Changes[Any], context: Context, job: Job) -> Step:
        cascade = _cascade_of(state, job)
        walk = self.walk(cascade, job)
        rows = walk.rows(state)
        if job.stage:
            for program in rows:
                end_program(changes, context, program)
            return walk.step([JobItem(id=row.id, entity=PROGRAM_ITEM) for row in rows], rows)
        for pool in rows:
            after = ended_with_program(caught_up(state, pool), cascade.cascade)
            save_pool(changes, context, pool, after)
        return walk.step([JobItem(id=row.id, entity=POOL_ITEM) for row in rows], rows)


class _Action(_Work):
    """An action on a program with very many pools."""

    @staticmethod
    def walk(job: Job) -> Walk:
        """The rows before it."""
        return Walk(WALK_POOLS_OF_PROGRAM, (job.subject_id, job.position or BEFORE_ALL_IDS))

    def ask(self, needs: Needs, state: State, job: Job) -> None:
        action, walk = ACTIONS[JobKind(job.kind)], self.walk(job)
        needs.lock(PROGRAM, job.subject_id)
        walk.ask(needs)
        program = state.loaded(PROGRAM, job.subject_id)
        if program is not None:
            ask_for_program(needs, state, program, action)
        ask_for_pools(needs, state, walk.rows(state), action)

    def do(self, state: State, changes: Changes[Any], context: Context, job: Job) -> Step:
        action, walk = ACTIONS[JobKind(job.kind)], self.walk(job)
        program = state.one(PROGRAM, job.subject_id)
        if program is None or program.target_status is None:
            return Step([], BEFORE_ALL_IDS, is_last=True)
        rows = walk.rows(state)
        pools = [pool for pool in rows if not (action is RENEW and self._is_new(pool, job))]
        acted = [
            act_on_pool(state, changes, context, pool, action, program, job.created)
            for pool in pools
        ]
        step = walk.step([], rows)
        if step.is_last:
            acted += finish_action(state, changes, context, program, action, acted, job.created)
        return step._replace(items=[JobItem(id=pool.id, entity=POOL_ITEM) for pool in acted])

    @staticmethod
    def _is_new(pool: Pool, job: Job) -> bool:
        """Whether a cascade has opened the pool while the renewal was under way."""
        return pool.origin is PoolOrigin.CASCADE and pool.created >= job.created


class _Provision(_Work):
    """The pools of a program whose definition has very many of them."""

    @staticmethod
    def walk(program: Program, job: Job) -> Walk:
        """The rows before it."""
        key = (program.program_definition_id, job.position or BEFORE_ALL_IDS)
        return Walk(WALK_ASSIGNMENTS_OF_PROGRAM_DEFINITION, key)

    def ask(self, needs: Needs, state: State, job: Job) -> None:
        program = state.loaded(PROGRAM, job.subject_id)
        needs.lock(PROGRAM, job.subject_id)
        if program is None:
            return
        walk = self.walk(program, job)
        needs.read(walk.index, *walk.key)
        for place in walk.rows(state):
            needs.share(POOL_DEFINITION, place.pool_definition_id)
            needs.read(POOLS_OF_PROGRAM_BY_DEFINITION, program.id, place.pool_definition_id)
            definition = state.loaded(POOL_DEFINITION, place.pool_definition_id)
            if definition is not None:
                needs.read(SNAPSHOT, definition.snapshot_id)

    def do(self, state: State, changes: Changes[Any], context: Context, job: Job) -> Step:
        program = state.one(PROGRAM, job.subject_id)
        if program is None or program.status is not ProgramStatus.PROVISIONING:
            return Step([], BEFORE_ALL_IDS, is_last=True)
        walk, items = self.walk(program, job), []
        rows = walk.rows(state)
        for place in rows:
            pool = self._open(state, changes, context, program, place.pool_definition_id)
            if pool is not None:
                items.append(JobItem(id=pool.id, entity=POOL_ITEM))
        step = walk.step(items, rows)
        if step.is_last:
            _finish_provisioning(changes, context, program)
        return step

    @staticmethod
    def _open(
        state: State,
        changes: Changes[Any],
        context: Context,
        program: Program,
        pool_definition_id: str,
    ) -> Pool | None:
        """The pool of a definition that is still there, unless a cascade has opened it already."""
        definition = state.one(POOL_DEFINITION, pool_definition_id)
        if definition is None or any(
            pool.status is not PoolStatus.ENDED
            for pool in state.many(POOLS_OF_PROGRAM_BY_DEFINITION, program.id, pool_definition_id)
        ):
            return None
        snapshot = state.one(SNAPSHOT, definition.snapshot_id)
        assert snapshot is not None
        return open_pool(
            changes,
            context,
            program=program,
            template=template_of(definition, snapshot),
            origin=PoolOrigin.PROVISION,
        )


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

    def __init__(self, found: tuple[str, ...]) -> None:
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
        return Step(told, position, len(self._found) < CHUNK_SIZE)


_ACTION = _Action()
_WORK: dict[JobKind, _Work] = {
    JobKind.PROVISION_PROGRAM: _Provision(),
    JobKind.UPDATE_POOLS: _PoolCascade(),
    JobKind.END_POOLS: _PoolCascade(),
    JobKind.KEEP_POOLS: _PoolCascade(),
    JobKind.ADD_POOLS: _Addition(),
    JobKind.END_PROGRAMS: _ProgramsEnd(),
    **dict.fromkeys(ACTIONS, _ACTION),
}


def work_of(job: Job, found: tuple[str, ...] = ()) -> _Work:
    """What the chunks of a job do."""
    if job.kind == JobKind.DELETE_ITEMS:
        return _ItemDeletion(found)
    return _WORK[JobKind(job.kind)]


def rest_of(job: Job, cascade: UnfinishedCascade | None) -> Walk | None:
    """The rows that a job has before it, for a runner to count; None where nobody counts them."""
    work = work_of(job)
    if isinstance(work, _Action):
        return work.walk(job)
    if isinstance(work, _PoolCascade | _Addition | _ProgramsEnd) and cascade is not None:
        return work.walk(cascade, job)
    return None
