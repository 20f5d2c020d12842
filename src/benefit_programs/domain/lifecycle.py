"""Actions on a program: pause, resume, end, renew. Contract: Statuses, Renew.

An action changes all pools of the program that have not ended: within its request if they are
few, else in the background, where the program shows what is going on until the last pool is done.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from benefit_programs.domain import happenings
from benefit_programs.domain.cascades import (
    ask_for_cascades,
    ask_for_cascades_of,
    caught_up,
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
    Transaction,
    UnfinishedCascade,
)
from benefit_programs.domain.errors import (
    AlreadyExecuted,
    InProgress,
    ProgramStatusTransitionNotAllowed,
)
from benefit_programs.domain.jobs import JobKind, ask_to_start_job, done_job, start_job
from benefit_programs.domain.lookups import (
    CASCADES_OF_PROGRAM_DEFINITION,
    IDEMPOTENCY_KEY,
    IN_REQUEST_MAX,
    LIVE_POOLS_OF_PROGRAM,
    PENDING_CHANGES_OF_PROGRAM_DEFINITION,
    PENDING_END,
    POOLS_OF_PROGRAM_BY_DEFINITION,
    PROGRAM,
    SNAPSHOT,
)
from benefit_programs.domain.opening import Template, open_pool, settled_status
from benefit_programs.domain.pool_changes import save_pool, with_status
from benefit_programs.domain.programs import require_program
from benefit_programs.domain.renewal import ask_for_renewal, renew_pool
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import Cascade, Instant

POOL_ITEM = "pool"

ADDITION = "ADD"
"""The operation of the keys that tell which programs were given a pool before their turn."""


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

POOL_STATUS = {
    ProgramStatus.ACTIVE: PoolStatus.ACTIVE,
    ProgramStatus.PAUSED: PoolStatus.PAUSED,
    ProgramStatus.ENDED: PoolStatus.ENDED,
}


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
        pools = state.known(LIVE_POOLS_OF_PROGRAM, program.id)
        ask_for_program(needs, state, program, self.action)
        if len(pools) > IN_REQUEST_MAX:
            ask_to_start_job(needs)
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
        pools = state.many(LIVE_POOLS_OF_PROGRAM, program.id)
        if len(pools) > IN_REQUEST_MAX:
            self._start(state, changes, context, program, job_id)
        else:
            items = self._act(state, changes, context, program, pools)
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

    def _start(
        self,
        state: State,
        changes: Changes[str],
        context: Context,
        program: Program,
        job_id: str,
    ) -> None:
        under_way = replace(
            program,
            status=self.action.working or program.status,
            target_status=self.action.target(program),
            revision=program.revision + 1,
            updated=context.now,
            sequence=program.sequence + 1,
        )
        changes.save(under_way)
        changes.events.append(happenings.tell(context, under_way, happenings.UPDATED))
        kind = self.action.kind
        start_job(state, changes, context, job_id=job_id, kind=kind, subject_id=program.id)

    def _act(
        self,
        state: State,
        changes: Changes[str],
        context: Context,
        program: Program,
        pools: list[Pool],
    ) -> list[JobItem]:
        acted = [
            act_on_pool(state, changes, context, pool, self.action, program, context.now)
            for pool in pools
        ]
        if self.action is RENEW:
            acted += [
                act_on_pool(state, changes, context, pool, RENEW, program, context.now)
                for pool in open_unfinished(state, changes, context, program)
            ]
        acted += finish_action(state, changes, context, program, self.action, acted, context.now)
        return [JobItem(id=pool.id, entity=POOL_ITEM) for pool in acted]


def ask_for_pools(needs: Needs, state: State, pools: list[Pool], action: Action) -> None:
    """Ask for what an action on these pools reads."""
    ask_for_cascades(needs, state, pools)
    if action is RENEW:
        for pool in pools:
            ask_for_renewal(needs, pool)


def ask_for_program(needs: Needs, state: State, program: Program, action: Action) -> None:
    """Ask for what the program's definition has in store for it."""
    definition_id = program.program_definition_id
    if definition_id is None:
        return
    needs.read(CASCADES_OF_PROGRAM_DEFINITION, definition_id)
    needs.read(PENDING_END, definition_id)
    if action is RENEW:
        needs.read(PENDING_CHANGES_OF_PROGRAM_DEFINITION, definition_id)
        rows: list[PendingChange | UnfinishedCascade] = []
        rows += _unfinished_additions(state, program)
        rows += _pending_additions(state, program)
        for row in rows:
            assert row.snapshot_id is not None
            assert row.pool_definition_id is not None
            needs.read(SNAPSHOT, row.snapshot_id)
            needs.read(POOLS_OF_PROGRAM_BY_DEFINITION, program.id, row.pool_definition_id)
            ask_for_cascades_of(needs, state, row.pool_definition_id)
        for cascade in _unfinished_additions(state, program):
            needs.read(IDEMPOTENCY_KEY, program.id, ADDITION, cascade.id)


def act_on_pool(
    state: State,
    changes: Changes[Any],
    context: Context,
    before: Pool,
    action: Action,
    program: Program,
    asked: Instant,
) -> Pool:
    """Bring one pool up to date with its definition, then do an action that was asked for then."""
    pool = caught_up(state, before)
    transactions: list[Transaction] = []
    if action is not RENEW:
        pool = with_status(pool, POOL_STATUS[action.target(program)])
    elif ends_with_renewal(state, program, asked):
        pool = with_status(pool, PoolStatus.ENDED)
    elif pool.status is not PoolStatus.ENDED:
        pool, transactions = renew_pool(state, context, pool)
    return save_pool(changes, context, before, pool, transactions)


def finish_action(
    state: State,
    changes: Changes[Any],
    context: Context,
    program: Program,
    action: Action,
    acted: list[Pool],
    asked: Instant,
) -> list[Pool]:
    """Write the program as it is after an action, and open the pools that its renewal brings.

    ``acted`` are pools that the same command has changed.
    """
    slugs, status = [happenings.UPDATED, action.slug], action.target(program)
    opened: list[Pool] = []
    if action is RENEW and ends_with_renewal(state, program, asked):
        slugs.append(END.slug)
        status = ProgramStatus.ENDED
    elif action is RENEW:
        opened = open_pending(state, changes, context, program, acted)
    changed = replace(
        program,
        status=status,
        target_status=None,
        revision=program.revision + 1,
        updated=context.now,
        sequence=program.sequence + len(slugs),
    )
    changes.save(changed)
    changes.events.append(happenings.tell(context, changed, "+".join(slugs)))
    return opened


def ends_with_renewal(state: State, program: Program, asked: Instant) -> bool:
    """Whether the program's definition was deleted, for it to end at a renewal asked for now."""
    definition_id = program.program_definition_id
    pending = None if definition_id is None else state.one(PENDING_END, definition_id)
    return pending is not None and pending.created <= asked


def open_pending(
    state: State,
    changes: Changes[Any],
    context: Context,
    program: Program,
    acted: list[Pool],
) -> list[Pool]:
    """Open the pools that a program gets when it renews, as far as it has none of the kind."""
    return [
        _open(state, changes, context, program, row)
        for row in _pending_additions(state, program)
        if not _has_pool(state, program, row.pool_definition_id, acted)
    ]


def open_unfinished(
    state: State, changes: Changes[Any], context: Context, program: Program
) -> list[Pool]:
    """Open the pools that a background cascade gives the program but hasn't come to yet.

    A key tells the cascade that it was done, even if a later cascade has ended the pool by then.
    """
    opened = []
    for cascade in _unfinished_additions(state, program):
        if is_missing(state, program, cascade):
            pool = _open(state, changes, context, program, cascade)
            opened.append(pool)
            changes.save(
                IdempotencyKey(
                    subject_id=program.id,
                    operation=ADDITION,
                    idempotency_key=cascade.id,
                    created=context.now,
                    result_id=pool.id,
                )
            )
    return opened


def is_missing(state: State, program: Program, cascade: UnfinishedCascade) -> bool:
    """Whether a program still has to get the pool of a background cascade."""
    assert cascade.pool_definition_id is not None
    return not _has_pool(state, program, cascade.pool_definition_id, []) and not state.one(
        IDEMPOTENCY_KEY, program.id, ADDITION, cascade.id
    )


def _has_pool(state: State, program: Program, pool_definition_id: str, acted: list[Pool]) -> bool:
    stored = state.many(POOLS_OF_PROGRAM_BY_DEFINITION, program.id, pool_definition_id)
    pools = {pool.id: pool for pool in (*stored, *acted)}
    return any(
        pool.pool_definition_id == pool_definition_id and pool.status is not PoolStatus.ENDED
        for pool in pools.values()
    )


def _unfinished_additions(state: State, program: Program) -> list[UnfinishedCascade]:
    definition_id = program.program_definition_id
    if definition_id is None:
        return []
    return [
        each
        for each in state.known(CASCADES_OF_PROGRAM_DEFINITION, definition_id)
        if each.kind is CascadeKind.ADD and each.cascade is Cascade.IMMEDIATELY
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
) -> Pool:
    template = template_in(state, row)
    origin = PoolOrigin.CASCADE
    return open_pool(changes, context, program=program, template=template, origin=origin)


def template_in(state: State, row: PendingChange | UnfinishedCascade) -> Template:
    """The pool definition as it was when it was added."""
    assert row.pool_definition_id is not None
    snapshot = state.one(SNAPSHOT, row.snapshot_id)
    assert snapshot is not None
    number = row.number if isinstance(row, UnfinishedCascade) else row.cascades
    return Template(row.pool_definition_id, row.revision, snapshot, number)
