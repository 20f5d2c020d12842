"""Actions on a program: pause, resume, end, renew. Contract: Statuses, Renew.

An action is an order for all pools of the program: played within its request if they are few, else
by a job, while the program shows what is going on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.calendar_errors import PausedDaysUsedUp
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.due import (
    ask_for_cascades,
    require_begun,
    require_settled,
)
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
    Invalid,
    ProgramStatusTransitionNotAllowed,
)
from benefit_programs.domain.events import record_updated
from benefit_programs.domain.jobs import done_job
from benefit_programs.domain.lookups import (
    CHANGES_OF_PROGRAM,
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
    ask_to_reach,
    reach,
)
from benefit_programs.domain.orders.waiting import with_end
from benefit_programs.domain.program_dates import (
    dated,
    has_paused_days,
    paused,
    restarted,
    resumed,
    stops_clock,
    with_calendar,
)
from benefit_programs.domain.required import require, require_ahead
from benefit_programs.domain.scheduled_changes import ScheduledChange
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import Instant

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
    """Do an action on a program, once per key, and answer with its job.

    A pause may end by itself, ``until`` an instant. A renewal may restart the timetable.
    """

    about = Program

    action: Action
    program_id: str
    idempotency_key: str | None = None
    until: Instant | None = None
    restarts_timetable: bool = False

    def ask(self, needs: Needs, state: State) -> None:
        """Look at the program and its pools, then lock what the action changes."""
        needs.read(PROGRAM, self.program_id)
        needs.read(LIVE_POOLS_OF_PROGRAM, self.program_id)
        ask_for_cascades(needs)
        if self.idempotency_key is not None:
            needs.read(IDEMPOTENCY_KEY, *self._key)
        program = state.loaded(PROGRAM, self.program_id)
        if program is not None:
            ask_to_act(needs, state, program, renews=self.action is RENEW)

    def decide(self, state: State, context: Context) -> Changes[str]:
        program = require(state, PROGRAM, self.program_id)
        first = self._first_execution(state)
        if first is not None:
            return self._repeated(first)
        if self.until is not None:
            require_ahead(self.until, context.now, "untilDate")
            program = with_calendar(program, context.now, context.settings.time_zone)
        require_begun(state, context)
        require_settled((program,), context)
        require_allowed(state, program, self.action, context.now)
        job_id = context.new_id()
        changes = Changes(job_id)
        if self.idempotency_key is not None:
            changes.save(self._used_key(job_id, context))
        if self.restarts_timetable:
            program = _restarted(program, context.now)
        order = order_for(state, program, self.action, job_id)
        items = act(state, changes, context, program, order, until=self.until)
        if items is not None:
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
        # Beside the program and the action, which the key is of, a pause may say when it ends.
        raise AlreadyExecuted(
            idempotency_key=first.idempotency_key,
            job_id=first.result_id,
            same_request=first.request_hash == self.until,
        )

    def _used_key(self, job_id: str, context: Context) -> IdempotencyKey:
        subject_id, operation, key = self._key
        return IdempotencyKey(
            subject_id=subject_id,
            operation=operation,
            idempotency_key=key,
            created=context.now,
            result_id=job_id,
            request_hash=self.until,
        )


def _restarted(program: Program, now: Instant) -> Program:
    if program.calendar is None or program.calendar.timetable is None:
        raise Invalid.because(
            "restartTimetable", "the program has no timetable", rule_name="has_a_timetable"
        )
    return restarted(program, now)


def ask_to_act(needs: Needs, state: State, program: Program, *, renews: bool) -> None:
    """Ask for what an action on a program changes, once its living pools were read.

    An action that needs a number asks for that before it holds the program.
    """
    pools = state.known(LIVE_POOLS_OF_PROGRAM, program.id)
    is_large = len(pools) > needs.settings.in_request_max
    if is_large:
        ask_to_give_numbers(needs)
    else:
        needs.lock(LIVE_POOLS_OF_PROGRAM, program.id)
    needs.lock(PROGRAM, program.id)
    needs.read(ORDERS_OF_PROGRAM, program.id)
    if program.calendar is not None:
        needs.read(CHANGES_OF_PROGRAM, program.id)
    added = ask_for_additions(needs, state, program, at_renewal=renews)
    reached = added if is_large else pools
    ask_to_reach(needs, state, reached, renews=renews)


def require_allowed(state: State, program: Program, action: Action, now: Instant) -> None:
    """Raise what refuses an action on a program as it is now."""
    if program.target_status is not None:
        raise InProgress
    current = ProgramStatus.ENDED if is_ending(state, program, now) else program.status
    if current not in action.allowed:
        raise ProgramStatusTransitionNotAllowed(
            current_status=current,
            requested_status=action.status or ProgramStatus.ACTIVE,
        )
    if action is PAUSE and not has_paused_days(program, now):
        assert program.calendar is not None
        raise PausedDaysUsedUp(
            program_id=program.id, paused_days_max=program.calendar.paused_days_max
        )


def order_for(
    state: State,
    program: Program,
    action: Action,
    job_id: str | None = None,
    *,
    at: Instant | None = None,
) -> Order:
    """The action; a renewal ends the program if its definition was deleted before.

    Without a job it gets one if it has to.
    """
    status = action.status or settled_status(program)
    if action is RENEW and ends_at_renewal(state, program.program_definition_id, at):
        status = ProgramStatus.ENDED
    return Order(
        number=0,
        kind=action.kind,
        phase=OrderPhase.REACHING,
        job_id=job_id,
        program_id=program.id,
        status=status,
        at=at,
        stops_clock=(action is PAUSE and stops_clock(program)) or None,
    )


def act(
    state: State,
    changes: Changes[Any],
    context: Context,
    program: Program,
    order: Order,
    *,
    until: Instant | None = None,
    waiting: Sequence[ScheduledChange] | None = None,
) -> list[JobItem] | None:
    """Take a program and its pools through an action; the pools, unless a job goes on with them.

    ``waiting`` are the changes that wait for their date, if they aren't those that are stored.
    """
    at = context.now if order.at is None else order.at
    if order.kind is JobKind.PAUSE_PROGRAM:
        program = paused(program, at, until)
    elif order.kind is JobKind.RESUME_PROGRAM:
        program = resumed(program, at)
    pools = state.many(LIVE_POOLS_OF_PROGRAM, program.id)
    if len(pools) > context.settings.in_request_max:
        _start(state, changes, context, program, order)
        return None
    after = finished(state, changes, context, program, order, waiting)
    items = _reach(state, changes, context, program, after, order, living(pools))
    _record(changes, context, after, order)
    return items


def _start(
    state: State, changes: Changes[Any], context: Context, program: Program, order: Order
) -> None:
    """Leave the program's pools to a job, but act at once on those that additions concern.

    So the job finds all pools that the action is for, and opens none at its end.
    """
    if order.job_id is None:
        order = replace(order, job_id=context.new_id())
    agenda, (order,) = numbered(state, [order])
    pools = _of_additions(state, program, renews=order.kind is JobKind.RENEW_PROGRAM)
    under_way = dated(
        replace(
            program,
            status=ACTIONS[order.kind].working or program.status,
            target_status=order.status,
        )
    )
    items = _reach(state, changes, context, program, under_way, order, pools)
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
    before: Program,
    after: Program,
    order: Order,
    pools: list[Pool],
) -> list[JobItem]:
    """Act on pools, and open missing ones: before the action, or as part of a renewal."""
    opened = open_missing(state, changes, context, before, until=order.at)
    acted = [
        reach(state, changes, context, pool, [order], program=after) for pool in (*pools, *opened)
    ]
    if order.kind is JobKind.RENEW_PROGRAM and order.status is not ProgramStatus.ENDED:
        acted += open_at_renewal(state, changes, context, after, order, acted)
    return [JobItem(id=pool.id, entity=POOL_ITEM) for pool in acted]


def finish_action(
    state: State, changes: Changes[Any], context: Context, program: Program, order: Order
) -> None:
    """Write a program whose pools have all been through an action."""
    _record(changes, context, finished(state, changes, context, program, order), order)


def finished(
    state: State,
    changes: Changes[Any],
    context: Context,
    program: Program,
    order: Order,
    waiting: Sequence[ScheduledChange] | None = None,
) -> Program:
    """The program after an action, with the date of what comes next."""
    assert order.status is not None
    if waiting is None:
        waiting = state.known(CHANGES_OF_PROGRAM, program.id)
    if order.status is ProgramStatus.ENDED:
        return with_end(changes, program, waiting, context.now)
    return dated(replace(program, status=order.status, target_status=None), waiting)


def _record(changes: Changes[Any], context: Context, program: Program, order: Order) -> None:
    slugs = [ACTIONS[order.kind].slug]
    if order.status is ProgramStatus.ENDED and order.kind is JobKind.RENEW_PROGRAM:
        slugs.append(END.slug)
    record_updated(changes, context, program, *slugs)
