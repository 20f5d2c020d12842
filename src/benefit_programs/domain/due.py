"""When a tenant has something due: what runners look at across tenants.

The tenant's agenda of this kind holds an instant before which nothing of the tenant is due. Only
runners move it on, and never further than ``HORIZON`` ahead. It is an instant of real time, also
where a tenant has a clock of its own. So a batch that leaves something due
later than that has only to see that runners know the tenant; it locks nothing.

A runner begins its turn at a tenant by a lease, in a row of its own, so that others leave its part
to it: the first rows that are due, or those behind the parts of others. It ends the turn by moving
the agenda to what is due next. If it dies, the lease ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from benefit_programs.domain.clocks import THE_CLOCK
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import Agenda, Pool, Program
from benefit_programs.domain.lookups import (
    AGENDA,
    BEFORE_ALL_INSTANTS,
    CLOCK,
    FIRST_DUE,
    FIRST_DUE_CASCADE,
)
from benefit_programs.domain.pool_items import PoolItem
from benefit_programs.domain.scheduled_changes import ScheduledChange
from benefit_programs.domain.state import Changes, Mode, Needs, State, Wanted
from benefit_programs.domain.values import Instant, earliest

DUE = "due"
"""The kind of agenda that says from when on something is due."""

TURNS_MAX = 4
"""How many runners may have their turns at one tenant side by side."""

TURNS = ("turn", *(f"turn-{number}" for number in range(2, TURNS_MAX + 1)))
"""The kinds of agenda that say until when a runner has its turn with a part of what is due."""

HORIZON = 600_000
"""How far ahead runners look, in milliseconds: each tenant is looked at so often at the least."""

LATEST = 2 * HORIZON
"""How far ahead an agenda may lie. Further ahead a wrong clock has put it: it counts as due."""

LEASE = 1_000
"""For how long a tenant is left to the runner that began a turn, in milliseconds."""


class NotSettled(Exception):
    """Something has happened to programs that isn't booked yet, and comes before a decision.

    The engine books it and decides anew. Without programs it is a cascade with a date that begins.
    """

    def __init__(self, program_ids: tuple[str, ...] = ()) -> None:
        super().__init__("something has come due")
        self.program_ids = program_ids


def ask_for_cascades(needs: Needs) -> None:
    """Ask for the first cascade with a date, which may have to begin before anything else."""
    needs.read(FIRST_DUE_CASCADE, BEFORE_ALL_INSTANTS)


def due_cascades(state: State, now: Instant) -> list[ScheduledChange]:
    """The first cascade whose date has come, and that hasn't begun; none if there is none."""
    first = state.many(FIRST_DUE_CASCADE, BEFORE_ALL_INSTANTS)
    return [each for each in first if each.due is not None and each.due <= now]


def require_begun(state: State, context: Context) -> None:
    """Raise NotSettled if a cascade whose date has come has to begin first."""
    if due_cascades(state, context.now) and not context.is_late:
        raise NotSettled


Dated = Program | Pool | PoolItem
"""What tells when something comes due in a program."""


def late_programs(rows: Iterable[Dated], now: Callable[[], Instant]) -> tuple[str, ...]:
    """The ids of the programs of these rows in which something has come due.

    The clock is read only if there are any in which something will ever be.
    """
    dates = [
        (each.id if isinstance(each, Program) else each.program_id, due)
        for each in rows
        if (due := _due_of(each)) is not None
    ]
    if not dates:
        return ()
    at = now()
    return tuple(dict.fromkeys(program_id for program_id, due in dates if due <= at))


def _due_of(row: Dated) -> Instant | None:
    return row.due if isinstance(row, Program) else row.program_due


def require_settled(rows: Iterable[Pool | Program | None], context: Context) -> None:
    """Raise NotSettled if something has come due in these programs, or in those of these pools."""
    if context.is_late:
        return
    dated = [each for each in rows if each is not None and _due_of(each) is not None]
    if dated and (late := late_programs(dated, lambda: context.now)):
        raise NotSettled(late)


def newly_due(state: State) -> Instant | None:
    """The earliest instant that a batch has given a row, where the one before was later."""
    return min(
        (
            after.due
            for index in FIRST_DUE
            for before, after in state.changed(index.entity)
            if after.due is not None
            and (before is None or before.due is None or after.due < before.due)
        ),
        default=None,
    )


def is_far(due: Instant, now: Instant) -> bool:
    """Whether this is so late that it is enough if runners know the tenant."""
    return due >= now + LATEST


def is_stored_on_agenda(state: State) -> bool:
    """Whether runners know the tenant, once that was loaded. If so, they always will."""
    return _since(state) is not None and not any(state.changed(Agenda))


def wanted_to_note(state: State, now: Instant, due: Instant) -> Wanted:
    """What has to be loaded before ``note_due``, if it isn't yet."""
    mode = Mode.READ if is_far(due, now) else Mode.LOCK
    if not state.has(AGENDA, (DUE,), mode):
        return {AGENDA: {(DUE,): mode}}
    since = _since(state)
    if (since is None or due < since) and not state.has(AGENDA, (DUE,), Mode.LOCK):
        return {AGENDA: {(DUE,): Mode.LOCK}}
    return {}


def note_due(state: State, now: Instant, due: Instant) -> None:
    """See to it that a runner comes by when this is due."""
    since = _since(state)
    if since is None or due < since:
        agenda = state.one(AGENDA, DUE) or Agenda(kind=DUE, newest_order=0)
        changes = Changes(None)
        changes.save(replace(agenda, since=min(due, now + HORIZON)))
        state.apply(changes)


def is_on_agenda(since: Instant, now: Instant) -> bool:
    """Whether a runner has to look at a tenant with this on its agenda."""
    return since <= now or since > now + LATEST


def is_leased(until: Instant | None, now: Instant) -> bool:
    """Whether another runner has its turn. A lease of a clock that is far ahead doesn't count."""
    return until is not None and now < until <= now + 2 * LEASE


class BeginTurn(Command[bool], frozen=True, kw_only=True):
    """Leave a part of a tenant's due rows to one runner for a moment; whether it is this one."""

    turn: str = TURNS[0]

    def ask(self, needs: Needs, state: State) -> None:
        needs.lock(AGENDA, self.turn)

    def decide(self, state: State, context: Context) -> Changes[bool]:
        turn = state.one(AGENDA, self.turn) or Agenda(kind=self.turn, newest_order=0)
        if is_leased(turn.since, context.real_now):
            return Changes(answer=False)
        changes = Changes(answer=True)
        changes.save(replace(turn, since=context.real_now + LEASE))
        return changes


class EndTurn(Command[None], frozen=True, kw_only=True):
    """Move a tenant's agenda to what is due next, however much of it is due already.

    That is read once the agenda is locked. So whoever has left something due before is seen, and
    whoever does so later finds the agenda as it is now.
    """

    turn: str = TURNS[0]

    def ask(self, needs: Needs, state: State) -> None:
        needs.lock(AGENDA, DUE)
        needs.lock(AGENDA, self.turn)
        if state.has(AGENDA, (DUE,), Mode.LOCK):
            for index in FIRST_DUE:
                needs.read(index, BEFORE_ALL_INSTANTS)

    def decide(self, state: State, context: Context) -> Changes[None]:
        changes: Changes[None] = Changes(None)
        agenda, turn = state.one(AGENDA, DUE), state.one(AGENDA, self.turn)
        first = (row.due for index in FIRST_DUE for row in state.many(index, BEFORE_ALL_INSTANTS))
        since = earliest(context.now + HORIZON, *first)
        assert since is not None
        since = context.real_now if _is_moving(state) else since - context.ahead
        if agenda is not None and agenda.since != since:
            changes.save(replace(agenda, since=since))
        if turn is not None and turn.since is not None:
            changes.save(replace(turn, since=None))
        return changes


def _is_moving(state: State) -> bool:
    """Whether a clock is being set forward: then runners come by at once."""
    clock = state.loaded(CLOCK, THE_CLOCK)
    return clock is not None and clock.is_moving


def _since(state: State) -> Instant | None:
    agenda = state.one(AGENDA, DUE)
    return None if agenda is None else agenda.since
