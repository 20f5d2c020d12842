"""The removal of old events, and how far it has come. See docs/how-to/run-in-production.md."""

from __future__ import annotations

from itertools import takewhile

from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import (
    Removal,
)
from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.indexes import Index
from benefit_programs.domain.lookups import BEFORE_ALL_IDS, REMOVAL, WALK_EVENTS
from benefit_programs.domain.orders.carrier import shortened
from benefit_programs.domain.state import Changes, Mode, Needs, State
from benefit_programs.domain.values import DAY

EVENTS = "events"
"""The kind of removal that events have."""


class RemoveEvents(Command[bool], frozen=True, kw_only=True):
    """Remove the oldest events that the tenant no longer keeps, and say how far that has come.

    Those up to the id ``upto`` are removed, none of which is behind ``position`` in the feed.
    Answers whether all of them are gone.
    """

    upto: str
    position: int
    size: int

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for the events behind those that are gone, so that no dead rows are passed."""
        needs.lock(REMOVAL, EVENTS)
        if state.has(REMOVAL, (EVENTS,), Mode.LOCK):
            needs.read(self._walk, _removed_upto(state))

    def decide(self, state: State, context: Context) -> Changes[bool]:
        days = context.settings.event_retention_days
        limit = context.real_now - days * DAY
        events = state.many(self._walk, _removed_upto(state))
        gone = list(takewhile(lambda each: each.created < limit and each.id <= self.upto, events))
        changes = Changes(answer=bool(gone) and gone[-1].id == self.upto)
        if gone and days:
            before = state.one(REMOVAL, EVENTS)
            changes.delete(*gone)
            changes.save(
                Removal(
                    kind=EVENTS,
                    upto=gone[-1].id,
                    created=gone[-1].created,
                    position=max(self.position, before.position if before else 0),
                )
            )
        return changes

    @property
    def _walk(self) -> Index[Event]:
        return shortened(WALK_EVENTS, self.size)


def _removed_upto(state: State) -> str:
    removal = state.one(REMOVAL, EVENTS)
    return removal.upto if removal else BEFORE_ALL_IDS
