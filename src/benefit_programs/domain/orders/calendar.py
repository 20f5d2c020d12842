"""What happens to programs by itself: renewals, ends, pauses and their ends, each at its instant.

``SettlePrograms`` books the next thing of each program, in the order of their instants, as it would
have been at its instant: whoever is late only books later. It takes programs and pools through the
same actions as callers do. Invariants I24 and I25 (docs/invariants.md).
"""

from __future__ import annotations

from typing import Any

from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.due import (
    ask_for_cascades,
    require_begun,
)
from benefit_programs.domain.entities import Program
from benefit_programs.domain.errors import Refusal
from benefit_programs.domain.events import record_updated
from benefit_programs.domain.lookups import (
    CHANGES_OF_PROGRAM,
    LIVE_POOLS_OF_PROGRAM,
    PROGRAM,
)
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
from benefit_programs.domain.pool_dates import date_pools, save_dates
from benefit_programs.domain.program_dates import (
    DateKind,
    ProgramDate,
    dated,
    dates_ahead,
    renewed,
)
from benefit_programs.domain.scheduled_changes import ChangeStatus, ScheduledChange, ended
from benefit_programs.domain.state import Changes, Needs, NotLoaded, State
from benefit_programs.domain.values import Instant

_ACTIONS = {
    DateKind.RESUME: RESUME,
    DateKind.PAUSE: PAUSE,
    DateKind.END: END,
    DateKind.RENEWAL: RENEW,
}


class SettlePrograms(Command[int], frozen=True, kw_only=True):
    """Book the next thing that has come due of some programs. Answers in how many there was one.

    A cascade with a date that has come begins before. Programs that ``are_small``, as far as is
    known, are held as soon as they are read.
    """

    about = Program

    program_ids: tuple[str, ...]
    are_small: bool = False

    def ask(self, needs: Needs, state: State) -> None:
        ask_for_cascades(needs)
        ask = needs.lock if self.are_small else needs.read
        for program_id in self.program_ids:
            ask(PROGRAM, program_id)
            ask(LIVE_POOLS_OF_PROGRAM, program_id)
            program = state.loaded(PROGRAM, program_id)
            if program is not None and is_due(program, needs.now):
                # What is to happen is known once the changes are, so each may be a renewal.
                ask_to_act(needs, state, program, renews=program.next_renewal == program.due)

    def decide(self, state: State, context: Context) -> Changes[int]:
        require_begun(state, context)
        changes = Changes(0)
        for program_id in self.program_ids:
            program = state.one(PROGRAM, program_id)
            if program is not None and is_due(program, context.now):
                if self.are_small:
                    _require_small(state, context, program)
                _settle(state, changes, context, program)
                changes.answer += 1
        return changes


def is_due(program: Program, now: Instant) -> bool:
    return program.due is not None and program.due <= now


def _require_small(state: State, context: Context, program: Program) -> None:
    """Raise NotLoaded for a program that has grown: it was held before its order has a number."""
    if len(state.many(LIVE_POOLS_OF_PROGRAM, program.id)) > context.settings.in_request_max:
        raise NotLoaded(program.id)


def _settle(state: State, changes: Changes[Any], context: Context, program: Program) -> None:
    """Let happen what comes next in a program."""
    waiting = state.many(CHANGES_OF_PROGRAM, program.id)
    ahead = dates_ahead(program, waiting)
    if not ahead:
        # Its status was changed by what doesn't look at dates.
        save_dates(state, changes, context, program, waiting)
        return
    date = ahead[0]
    if date.change is not None:
        waiting = [each for each in waiting if each.id != date.change.id]
        try:
            require_allowed(state, program, _ACTIONS[date.kind], date.at)
        except Refusal as refusal:
            over = ended(date.change, ChangeStatus.REFUSED, context.now, reason=refusal.code)
            changes.save(over)
            save_dates(state, changes, context, program, waiting, date.at)
            return
        changes.save(ended(date.change, ChangeStatus.DONE, context.now))
    if date.kind is DateKind.MISSED_RENEWAL:
        after = dated(renewed(program, date.at), waiting)
        record_updated(changes, context, after)
        date_pools(state, changes, context, after, date.at)
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
    order = order_for(state, program, action, at=date.at)
    until = None if date.change is None else date.change.until
    act(state, changes, context, program, order, until=until, waiting=waiting)
