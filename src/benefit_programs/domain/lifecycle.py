"""Actions on a program: pause, resume, end, renew. Contract: Statuses, Renew.

An action changes all pools of the program that have not ended: within its request if they are
few, else in the background, where the program shows what is going on until the last pool is done.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from benefit_programs.domain import happenings
from benefit_programs.domain.cascades import (
    acted_on,
    ask_for_cascades,
    ask_for_cascades_of,
    awaits,
    caught_up,
    has_pending_end,
    is_program_ending,
)
from benefit_programs.domain.command import Command, Context
from benefit_programs.domain.entities import (
    CascadeKind,
    IdempotencyKey,
    JobItem,
    PendingChange,
    Pool,
    PoolOrigin,
    PoolStatus,
    Program,
    ProgramStatus,
    UnfinishedAction,
    UnfinishedCascade,
)
from benefit_programs.domain.errors import (
    AlreadyExecuted,
    InProgress,
    ProgramStatusTransitionNotAllowed,
)
from benefit_programs.domain.jobs import JobKind, ask_to_start_job, done_job, start_job
from benefit_programs.domain.lookups import (
    BEFORE_ALL_IDS,
    CASCADES_OF_PROGRAM_DEFINITION,
    IDEMPOTENCY_KEY,
    LIVE_POOLS_OF_PROGRAM,
    PENDING_CHANGES_OF_PROGRAM_DEFINITION,
    PENDING_END,
    POOLS_OF_PROGRAM_BY_DEFINITION,
    PROGRAM,
    SNAPSHOT,
    UNFINISHED_ACTION,
    WALK_CASCADES,
)
from benefit_programs.domain.opening import Template, open_pool, settled_status
from benefit_programs.domain.pool_changes import save_pool
from benefit_programs.domain.programs import require_program
from benefit_programs.domain.renewal import ask_for_renewal
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import Cascade

POOL_ITEM = "pool"


class Action(msgspec.Struct, frozen=True):
    """What an action does to a program and its pools; a renewal leaves the status as it is."""

    kind: JobKind
    key_operation: str
    slug: str
    allowed: frozenset[ProgramStatus]
    status: ProgramStatus | None = None
    working: ProgramStatus | None = None

    def target(self, program: Program) -> ProgramStatus:
        """The status of the program afterwards."""
        return self.status or settled_status(program)


_LIVING = frozenset({ProgramStatus.ACTIVE, ProgramStatus.PAUSED})

PAUSE = Action(
    JobKind.PAUSE_PROGRAM,
    "PAUSE",
    "paused",
    frozenset({ProgramStatus.ACTIVE}),
    ProgramStatus.PAUSED,
    ProgramStatus.PAUSING,
)
RESUME = Action(
    JobKind.RESUME_PROGRAM,
    "RESUME",
    "resumed",
    frozenset({ProgramStatus.PAUSED}),
    ProgramStatus.ACTIVE,
    ProgramStatus.RESUMING,
)
END = Action(
    JobKind.END_PROGRAM,
    "END",
    "ended",
    _LIVING,
    ProgramStatus.ENDED,
    ProgramStatus.ENDING,
)
RENEW = Action(JobKind.RENEW_PROGRAM, "RENEW", "renewed", _LIVING)

ACTIONS = {action.kind: action for action in (PAUSE, RESUME, END, RENEW)}


class ActOnProgram(Command[str], frozen=True, kw_only=True):
    """Do an action on a program, once per key, and answer with its job."""

    action: Action
    program_id: str
    idempotency_key: str | None = None

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for the program, the key, the pools, and what may not have reached them yet."""
        needs.lock(PROGRAM, self.program_id)
        if self.idempotency_key is not None:
            needs.read(IDEMPOTENCY_KEY, *self._key)
        program = state.loaded(PROGRAM, self.program_id)
        if program is None:
            return
        needs.lock(LIVE_POOLS_OF_PROGRAM, program.id)
        ask_for_program(needs, state, program, self.action)
        if _is_large(state, program, needs.settings):
            ask_to_start_job(needs)
            needs.read(WALK_CASCADES, BEFORE_ALL_IDS)
            pools = _pools_of_additions(state, program, self.action.kind)
        else:
            pools = state.known(LIVE_POOLS_OF_PROGRAM, program.id)
        ask_for_pools(needs, state, pools, self.action)

    def decide(self, state: State, context: Context) -> Changes[str]:
        """Refuse in the contract's order; else change all pools, or start the job that will."""
        program = require_program(state, self.program_id)
        first = self._first_execution(state)
        if first is not None:
            return self._repeated(first)
        if program.target_status is not None:
            raise InProgress
        ending = is_program_ending(state, program.program_definition_id)
        current = ProgramStatus.ENDED if ending else program.status
        if current not in self.action.allowed:
            raise ProgramStatusTransitionNotAllowed(
                current_status=current,
                requested_status=self.action.status or ProgramStatus.ACTIVE,
            )
        job_id = context.new_id()
        changes = Changes(job_id)
        if self.idempotency_key is not None:
            changes.save(self._used_key(job_id, context))
        action = self._begin(state, program, job_id)
        if _is_large(state, program, context.settings):
            self._start(state, changes, context, program, action)
        else:
            pools = _living(state.many(LIVE_POOLS_OF_PROGRAM, program.id))
            items = _reach(state, changes, context, program, action, pools)
            finish_action(changes, context, program, action)
            changes.save(done_job(job_id, self.action.kind, program.id, items, context))
        return changes

    @property
    def _key(self) -> tuple[str, str, str]:
        assert self.idempotency_key is not None
        return self.program_id, self.action.key_operation, self.idempotency_key

    def _first_execution(self, state: State) -> IdempotencyKey | None:
        if self.idempotency_key is None:
            return None
        return state.one(IDEMPOTENCY_KEY, *self._key)

    def _repeated(self, first: IdempotencyKey) -> Changes[str]:
        """What a used key gets: of a renewal its first answer, else a refusal that names it."""
        assert first.result_id is not None
        if self.action is RENEW:
            return Changes(first.result_id)
        raise AlreadyExecuted(idempotency_key=first.idempotency_key, job_id=first.result_id)

    def _used_key(self, job_id: str, context: Context) -> IdempotencyKey:
        subject_id, operation, key = self._key
        return IdempotencyKey(
            subject_id=subject_id,
            operation=operation,
            idempotency_key=key,
            created=context.now,
            result_id=job_id,
        )

    def _begin(self, state: State, program: Program, job_id: str) -> UnfinishedAction:
        """The action; a renewal ends the program if its definition was deleted before."""
        status = self.action.target(program)
        if self.action is RENEW and has_pending_end(state, program.program_definition_id):
            status = ProgramStatus.ENDED
        kind = self.action.kind
        return UnfinishedAction(program_id=program.id, id=job_id, kind=kind, status=status)

    def _start(
        self,
        state: State,
        changes: Changes[str],
        context: Context,
        program: Program,
        action: UnfinishedAction,
    ) -> None:
        """Leave the program's pools to a job, but for what additions have to do with.

        So the job finds all pools that the action is for, and none is opened at its end.
        """
        earlier = tuple(row.id for row in state.many(WALK_CASCADES, BEFORE_ALL_IDS))
        action = replace(action, earlier=earlier)
        pools = _pools_of_additions(state, program, self.action.kind)
        items = _reach(state, changes, context, program, action, pools)
        under_way = replace(
            program,
            status=self.action.working or program.status,
            target_status=action.status,
            revision=program.revision + 1,
            updated=context.now,
            sequence=program.sequence + 1,
        )
        changes.save(under_way, action)
        changes.events.append(happenings.tell(context, under_way, happenings.UPDATED))
        start_job(
            state,
            changes,
            context,
            job_id=action.id,
            kind=self.action.kind,
            subject_id=program.id,
            items=items,
        )


def _is_large(state: State, program: Program, settings: TenantSettings) -> bool:
    return len(state.known(LIVE_POOLS_OF_PROGRAM, program.id)) > settings.in_request_max


def _living(pools: Iterable[Pool]) -> list[Pool]:
    return [pool for pool in pools if pool.status is not PoolStatus.ENDED]


def _reach(
    state: State,
    changes: Changes[Any],
    context: Context,
    program: Program,
    action: UnfinishedAction,
    pools: list[Pool],
) -> list[JobItem]:
    """Act on pools, and open those that additions bring: at once, or with a renewal."""
    opened = open_unfinished(state, changes, context, program)
    acted = [act_on_pool(state, changes, context, pool, action) for pool in (*pools, *opened)]
    if action.kind == JobKind.RENEW_PROGRAM and action.status is not ProgramStatus.ENDED:
        acted += open_pending(state, changes, context, program, action, acted)
    return [JobItem(id=pool.id, entity=POOL_ITEM) for pool in acted]


def ask_for_pools(needs: Needs, state: State, pools: list[Pool], action: Action) -> None:
    """Ask for what an action on these pools reads."""
    ask_for_cascades(needs, state, pools)
    if action is RENEW:
        for pool in pools:
            ask_for_renewal(needs, pool)


def ask_for_program(needs: Needs, state: State, program: Program, action: Action) -> None:
    """Ask for what the program's definition has in store for it."""
    needs.read(UNFINISHED_ACTION, program.id)
    definition_id = program.program_definition_id
    if definition_id is None:
        return
    needs.read(CASCADES_OF_PROGRAM_DEFINITION, definition_id)
    needs.read(PENDING_END, definition_id)
    if action is RENEW:
        # Shared, so that a change of what is opened here comes before it or finds it opened.
        needs.share(PENDING_CHANGES_OF_PROGRAM_DEFINITION, definition_id)
    for row in _additions(state, program, action.kind):
        assert row.snapshot_id is not None
        assert row.pool_definition_id is not None
        needs.read(SNAPSHOT, row.snapshot_id)
        needs.lock(POOLS_OF_PROGRAM_BY_DEFINITION, program.id, row.pool_definition_id)
        ask_for_cascades_of(needs, state, row.pool_definition_id)


def act_on_pool(
    state: State,
    changes: Changes[Any],
    context: Context,
    before: Pool,
    action: UnfinishedAction,
) -> Pool:
    """Bring one pool up to the action with what was answered before, then do the action."""
    after, transactions = acted_on(state, context, before, action)
    return save_pool(changes, context, before, after, transactions)


def finish_action(
    changes: Changes[Any], context: Context, program: Program, action: UnfinishedAction
) -> None:
    """Write the program as it is after an action."""
    slugs = [happenings.UPDATED, ACTIONS[JobKind(action.kind)].slug]
    if action.status is ProgramStatus.ENDED and action.kind == JobKind.RENEW_PROGRAM:
        slugs.append(END.slug)
    changed = replace(
        program,
        status=action.status,
        target_status=None,
        revision=program.revision + 1,
        updated=context.now,
        sequence=program.sequence + len(slugs),
    )
    changes.save(changed)
    changes.events.append(happenings.tell(context, changed, "+".join(slugs)))


def open_pending(
    state: State,
    changes: Changes[Any],
    context: Context,
    program: Program,
    action: UnfinishedAction,
    acted: list[Pool],
) -> list[Pool]:
    """Open the pools that a program gets when it renews, as far as it has none of the kind."""
    return [
        _open(state, changes, context, program, row, action)
        for row in _pending_additions(state, program)
        if not _has_pool(state, program, row.pool_definition_id, acted)
    ]


def open_unfinished(
    state: State, changes: Changes[Any], context: Context, program: Program
) -> list[Pool]:
    """Open the pools that a background cascade gives the program but hasn't come to yet."""
    opened: list[Pool] = []
    for cascade in _unfinished_additions(state, program):
        if is_missing(state, context, program, cascade, opened):
            opened.append(_open(state, changes, context, program, cascade))
    return opened


def is_missing(
    state: State,
    context: Context,
    program: Program,
    cascade: UnfinishedCascade,
    opened: Iterable[Pool] = (),
) -> bool:
    """Whether a program still has to get the pool of a background cascade.

    A pool that has been through the cascade lived then, whatever has become of it, or was opened by
    it. One that hasn't may end with what was answered before, though it lives yet.
    """
    definition_id = cascade.pool_definition_id
    assert definition_id is not None
    stored = state.many(POOLS_OF_PROGRAM_BY_DEFINITION, program.id, definition_id)
    pools = [*stored, *(pool for pool in opened if pool.pool_definition_id == definition_id)]
    if any(pool.cascades >= cascade.number for pool in pools):
        return False
    return not _living(caught_up(state, context, pool, up_to=cascade).pool for pool in pools)


def _has_pool(state: State, program: Program, pool_definition_id: str, acted: list[Pool]) -> bool:
    stored = state.many(POOLS_OF_PROGRAM_BY_DEFINITION, program.id, pool_definition_id)
    pools = {pool.id: pool for pool in (*stored, *acted)}
    return any(pool.pool_definition_id == pool_definition_id for pool in _living(pools.values()))


def _pools_of_additions(state: State, program: Program, kind: JobKind) -> list[Pool]:
    """The living pools that an action must reach before it opens others of their kind."""
    found = {
        pool.id: pool
        for row in _additions(state, program, kind)
        for pool in state.known(POOLS_OF_PROGRAM_BY_DEFINITION, program.id, row.pool_definition_id)
    }
    return _living(found.values())


def _additions(
    state: State, program: Program, kind: JobKind
) -> list[UnfinishedCascade | PendingChange]:
    """What an action has to open, unless the program has it already."""
    pending = _pending_additions(state, program) if kind is JobKind.RENEW_PROGRAM else []
    return [*_unfinished_additions(state, program), *pending]


def _unfinished_additions(state: State, program: Program) -> list[UnfinishedCascade]:
    definition_id = program.program_definition_id
    if definition_id is None:
        return []
    return [
        each
        for each in state.known(CASCADES_OF_PROGRAM_DEFINITION, definition_id)
        if each.kind is CascadeKind.ADD
        and each.cascade is Cascade.IMMEDIATELY
        and awaits(program, each)
    ]


def _pending_additions(state: State, program: Program) -> list[PendingChange]:
    definition_id = program.program_definition_id
    if definition_id is None:
        return []
    rows = state.known(PENDING_CHANGES_OF_PROGRAM_DEFINITION, definition_id)
    return [row for row in rows if row.kind is CascadeKind.ADD]


def _open(
    state: State,
    changes: Changes[Any],
    context: Context,
    program: Program,
    row: PendingChange | UnfinishedCascade,
    action: UnfinishedAction | None = None,
) -> Pool:
    return open_pool(
        changes,
        context,
        program=program,
        template=template_in(state, row),
        origin=PoolOrigin.CASCADE,
        action=action,
    )


def template_in(state: State, row: PendingChange | UnfinishedCascade) -> Template:
    """The pool definition as it was when it was added."""
    assert row.pool_definition_id is not None
    snapshot = state.one(SNAPSHOT, row.snapshot_id)
    assert snapshot is not None
    number = row.number if isinstance(row, UnfinishedCascade) else row.cascades
    return Template(row.pool_definition_id, row.revision, snapshot, number)
