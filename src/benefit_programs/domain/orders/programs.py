"""Actions on a program: pause, resume, end, renew. Contract: Statuses, Renew.

An action is an order for all pools of the program: played within its request if they are few, else
by a job, while the program shows what is going on.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import (
    IdempotencyKey,
    JobItem,
    JobKind,
    Order,
    OrderPhase,
    Pool,
    Program,
    ProgramStatus,
)
from benefit_programs.domain.errors import (
    AlreadyExecuted,
    InProgress,
    ProgramStatusTransitionNotAllowed,
)
from benefit_programs.domain.events import record_updated
from benefit_programs.domain.jobs import done_job
from benefit_programs.domain.lookups import (
    IDEMPOTENCY_KEY,
    LIVE_POOLS_OF_PROGRAM,
    ORDERS_OF_PROGRAM,
    POOLS_OF_PROGRAM_BY_DEFINITION,
    PROGRAM,
)
from benefit_programs.domain.opening import settled_status
from benefit_programs.domain.orders.log import (
    ask_to_give_numbers,
    ends_at_renewal,
    is_ending,
    numbered,
    start_order,
)
from benefit_programs.domain.orders.openings import (
    additions,
    ask_for_additions,
    living,
    open_at_renewal,
    open_missing,
)
from benefit_programs.domain.orders.play import (
    ask_for_renewal,
    ask_to_reach,
    reach,
)
from benefit_programs.domain.required import require
from benefit_programs.domain.state import Changes, Needs, State

POOL_ITEM = "pool"


class Action(msgspec.Struct, frozen=True):
    """What an action does to a program and its pools; a renewal leaves the status as it is."""

    kind: JobKind
    key_operation: str
    slug: str
    allowed: frozenset[ProgramStatus]
    status: ProgramStatus | None = None
    working: ProgramStatus | None = None


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
        """Look at the program and its pools, then lock what the action changes.

        An action that needs a number asks for that before it holds the program.
        """
        needs.read(PROGRAM, self.program_id)
        needs.read(LIVE_POOLS_OF_PROGRAM, self.program_id)
        if self.idempotency_key is not None:
            needs.read(IDEMPOTENCY_KEY, *self._key)
        program = state.loaded(PROGRAM, self.program_id)
        if program is None:
            return
        pools = state.many(LIVE_POOLS_OF_PROGRAM, program.id)
        is_large = len(pools) > needs.settings.in_request_max
        if is_large:
            ask_to_give_numbers(needs)
        else:
            needs.lock(LIVE_POOLS_OF_PROGRAM, program.id)
        needs.lock(PROGRAM, program.id)
        needs.read(ORDERS_OF_PROGRAM, program.id)
        added = ask_for_additions(needs, state, program, at_renewal=self.action is RENEW)
        reached = added if is_large else pools
        ask_to_reach(needs, state, reached)
        if self.action is RENEW:
            for pool in reached:
                ask_for_renewal(needs, state, pool)

    def decide(self, state: State, context: Context) -> Changes[str]:
        program = require(state, PROGRAM, self.program_id)
        first = self._first_execution(state)
        if first is not None:
            return self._repeated(first)
        if program.target_status is not None:
            raise InProgress
        current = ProgramStatus.ENDED if is_ending(state, program) else program.status
        if current not in self.action.allowed:
            raise ProgramStatusTransitionNotAllowed(
                current_status=current,
                requested_status=self.action.status or ProgramStatus.ACTIVE,
            )
        job_id = context.new_id()
        changes = Changes(job_id)
        if self.idempotency_key is not None:
            changes.save(self._used_key(job_id, context))
        order = self._order(state, program, job_id)
        pools = state.many(LIVE_POOLS_OF_PROGRAM, program.id)
        if len(pools) > context.settings.in_request_max:
            self._start(state, changes, context, program, order)
        else:
            items = _reach(state, changes, context, program, order, living(pools))
            finish_action(changes, context, program, order)
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
        """The answer to a used key: a renewal's first answer again, else a refusal."""
        assert first.result_id is not None
        if self.action is RENEW:
            return Changes(first.result_id)
        # The program and the action are all that such a request says, and the key is of both.
        raise AlreadyExecuted(
            idempotency_key=first.idempotency_key, job_id=first.result_id, same_request=True
        )

    def _used_key(self, job_id: str, context: Context) -> IdempotencyKey:
        subject_id, operation, key = self._key
        return IdempotencyKey(
            subject_id=subject_id,
            operation=operation,
            idempotency_key=key,
            created=context.now,
            result_id=job_id,
        )

    def _order(self, state: State, program: Program, job_id: str) -> Order:
        """The action; a renewal ends the program if its definition was deleted before."""
        status = self.action.status or settled_status(program)
        if self.action is RENEW and ends_at_renewal(state, program.program_definition_id):
            status = ProgramStatus.ENDED
        return Order(
            number=0,
            kind=self.action.kind,
            phase=OrderPhase.REACHING,
            job_id=job_id,
            program_id=program.id,
            status=status,
        )

    def _start(
        self,
        state: State,
        changes: Changes[str],
        context: Context,
        program: Program,
        order: Order,
    ) -> None:
        """Leave the program's pools to a job, but act at once on those that additions concern.

        So the job finds all pools that the action is for, and opens none at its end.
        """
        agenda, (order,) = numbered(state, [order])
        pools = _of_additions(state, program, renews=self.action is RENEW)
        items = _reach(state, changes, context, program, order, pools)
        under_way = replace(
            program,
            status=self.action.working or program.status,
            target_status=order.status,
        )
        record_updated(changes, context, under_way)
        start_order(changes, context, agenda, order, items)


def _of_additions(state: State, program: Program, *, renews: bool) -> list[Pool]:
    """The living pools that an action must reach before it opens others of their kind."""
    kinds = {order.pool_definition_id for order in additions(state, program, at_renewal=renews)}
    found = [
        pool
        for kind in kinds
        for pool in state.many(POOLS_OF_PROGRAM_BY_DEFINITION, program.id, kind)
    ]
    return living(found)


def _reach(
    state: State,
    changes: Changes[Any],
    context: Context,
    program: Program,
    order: Order,
    pools: list[Pool],
) -> list[JobItem]:
    """Act on pools, and open missing ones: before the action, or as part of a renewal."""
    opened = open_missing(state, changes, context, program)
    acted = [reach(state, changes, context, pool, [order]) for pool in (*pools, *opened)]
    if order.kind is JobKind.RENEW_PROGRAM and order.status is not ProgramStatus.ENDED:
        acted += open_at_renewal(state, changes, context, program, order, acted)
    return [JobItem(id=pool.id, entity=POOL_ITEM) for pool in acted]


def finish_action(changes: Changes[Any], context: Context, program: Program, order: Order) -> None:
    assert order.status is not None
    slugs = [ACTIONS[order.kind].slug]
    if order.status is ProgramStatus.ENDED and order.kind is JobKind.RENEW_PROGRAM:
        slugs.append(END.slug)
    changed = replace(
        program,
        status=order.status,
        target_status=None,
    )
    record_updated(changes, context, changed, *slugs)
