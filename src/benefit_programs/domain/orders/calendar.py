"""What happens to programs by itself: renewals, ends, pauses and their ends, each at its instant.

``SettlePrograms`` books the next thing of each program, in the order of their instants, as it would
have been at its instant: whoever is late only books later. It takes programs and pools through the
same actions as callers do. Invariants I24 and I25 (docs/invariants.md).
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.due import NotSettled
from benefit_programs.domain.entities import Order, Program
from benefit_programs.domain.errors import Refusal
from benefit_programs.domain.events import record_updated
from benefit_programs.domain.lookups import (
    BEFORE_ALL_INSTANTS,
    CHANGES_OF_PROGRAM,
    FIRST_DUE_CASCADE,
    LIVE_POOLS_OF_PROGRAM,
    PROGRAM,
)
from benefit_programs.domain.orders.definitions import start_orders
from benefit_programs.domain.orders.log import ask_to_give_numbers
from benefit_programs.domain.orders.programs import (
    END,
    PAUSE,
    RENEW,
    RESUME,
    act,
    ask_to_act,
    order_for,
    require_allowed,
)
from benefit_programs.domain.pool_changes import dated_by
from benefit_programs.domain.program_dates import (
    DateKind,
    ProgramDate,
    dated,
    dates_ahead,
    renewed,
)
from benefit_programs.domain.scheduled_changes import ChangeStatus, ScheduledChange, ended
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import Instant

_ACTIONS = {
    DateKind.RESUME: RESUME,
    DateKind.PAUSE: PAUSE,
    DateKind.END: END,
    DateKind.RENEWAL: RENEW,
}


class SettlePrograms(Command[int], frozen=True, kw_only=True):
    """Book the next thing that has come due of some programs. Answers in how many there was one.

    A cascade with a date that has come begins before.
    """

    program_ids: tuple[str, ...]

    def ask(self, needs: Needs, state: State) -> None:
        needs.read(FIRST_DUE_CASCADE, BEFORE_ALL_INSTANTS)
        for program_id in self.program_ids:
            needs.read(PROGRAM, program_id)
            needs.read(LIVE_POOLS_OF_PROGRAM, program_id)
            program = state.loaded(PROGRAM, program_id)
            if program is not None and is_due(program, needs.now):
                # What is to happen is known once the changes are, so each may be a renewal.
                ask_to_act(needs, state, program, renews=program.next_renewal == program.due)

    def decide(self, state: State, context: Context) -> Changes[int]:
        if any(is_due_cascade(each, context.now) for each in first_cascades(state)):
            raise NotSettled
        changes = Changes(0)
        for program_id in self.program_ids:
            program = state.one(PROGRAM, program_id)
            if program is not None and is_due(program, context.now):
                _settle(state, changes, context, program)
                changes.answer += 1
        return changes


def is_due(program: Program, now: Instant) -> bool:
    return program.due is not None and program.due <= now


def first_cascades(state: State) -> list[ScheduledChange]:
    return state.known(FIRST_DUE_CASCADE, BEFORE_ALL_INSTANTS)


def is_due_cascade(change: ScheduledChange, now: Instant) -> bool:
    return change.due is not None and change.due <= now


def _settle(state: State, changes: Changes[Any], context: Context, program: Program) -> None:
    """Let happen what comes next in a program."""
    waiting = state.many(CHANGES_OF_PROGRAM, program.id)
    ahead = dates_ahead(program, waiting)
    if not ahead:
        # Its status was changed by what doesn't look at dates.
        changes.save(dated(program, waiting))
        return
    date = ahead[0]
    if date.change is not None:
        waiting = [each for each in waiting if each.id != date.change.id]
        try:
            require_allowed(state, program, _ACTIONS[date.kind], date.at)
        except Refusal as refusal:
            over = ended(date.change, ChangeStatus.REFUSED, context.now, reason=refusal.code)
            changes.save(over, dated(program, waiting))
            return
        changes.save(ended(date.change, ChangeStatus.DONE, context.now))
    if date.kind is DateKind.MISSED_RENEWAL:
        after = dated(renewed(program, date.at), waiting)
        record_updated(changes, context, after)
        _date_pools(state, changes, context, after, date.at)
        return
    _act(state, changes, context, program, date, waiting)


def _act(
    state: State,
    changes: Changes[Any],
    context: Context,
    program: Program,
    date: ProgramDate,
    waiting: list[ScheduledChange],
) -> None:
    action = _ACTIONS[date.kind]
    if date.kind is DateKind.RENEWAL:
        program = renewed(program, date.at)
    order = order_for(state, program, action, context.new_id(), at=date.at)
    until = None if date.change is None else date.change.until
    act(state, changes, context, program, order, until=until, waiting=waiting)


def _date_pools(
    state: State, changes: Changes[Any], context: Context, program: Program, at: Instant
) -> None:
    """Tell the pools of a program its next date, unless there are too many of them."""
    pools = state.many(LIVE_POOLS_OF_PROGRAM, program.id)
    if len(pools) <= context.settings.in_request_max:
        changes.save(*(dated_by(pool, program, at) for pool in pools))


class StartCascades(Command[int], frozen=True, kw_only=True):
    """Begin the first cascade whose date has come. Answers whether there was one, as a number."""

    def ask(self, needs: Needs, state: State) -> None:
        ask_to_give_numbers(needs)
        needs.lock(FIRST_DUE_CASCADE, BEFORE_ALL_INSTANTS)

    def decide(self, state: State, context: Context) -> Changes[int]:
        changes = Changes(0)
        for change in first_cascades(state):
            if is_due_cascade(change, context.now) and change.payload is not None:
                orders = [
                    replace(msgspec.convert(each, Order), at=change.date)
                    for each in change.payload["orders"]
                ]
                start_orders(state, changes, context, orders)
                changes.save(ended(change, ChangeStatus.DONE, context.now))
                changes.answer += 1
        return changes


def settling(late: NotSettled) -> Command[int]:
    """What has to be done before a decision can be made."""
    return SettlePrograms(program_ids=late.program_ids) if late.program_ids else StartCascades()
