"""When a tenant has something due: what runners look at across tenants.

The tenant's agenda of this kind holds an instant before which nothing of the tenant is due. Only
runners move it on, and never further than ``HORIZON`` ahead. So a batch that leaves something due
later than that has only to see that runners know the tenant; it locks nothing.
"""

from __future__ import annotations

from msgspec.structs import replace

from benefit_programs.domain.entities import Agenda, Pool
from benefit_programs.domain.lookups import AGENDA
from benefit_programs.domain.state import Changes, Mode, State, Wanted
from benefit_programs.domain.values import Instant

DUE = "due"
"""The kind of agenda that says from when on something is due."""

HORIZON = 600_000
"""How far ahead runners look, in milliseconds: each tenant is looked at so often at the least."""


def newly_due(state: State) -> Instant | None:
    """The earliest instant that a batch has given a pool, where the one before was later."""
    return min(
        (
            after.due
            for before, after in state.changed(Pool)
            if after.due is not None
            and (before is None or before.due is None or after.due < before.due)
        ),
        default=None,
    )


def wanted_to_note(state: State, now: Instant, due: Instant) -> Wanted:
    """What has to be loaded before ``note_due``, if it isn't yet."""
    mode = Mode.LOCK if due < now + 2 * HORIZON else Mode.READ
    if not state.has(AGENDA, (DUE,), mode):
        return {AGENDA: {(DUE,): mode}}
    if _since(state) is None and not state.has(AGENDA, (DUE,), Mode.LOCK):
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


def _since(state: State) -> Instant | None:
    agenda = state.one(AGENDA, DUE)
    return None if agenda is None else agenda.since


def earliest(*instants: Instant | None) -> Instant | None:
    return min((each for each in instants if each is not None), default=None)
