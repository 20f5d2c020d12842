"""The removal of old events and audit entries, and how far it has come.

See docs/how-to/run-in-production.md.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from benefit_programs.domain.audit_rows import AuditEntry
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.event_rows import Event, Removal
from benefit_programs.domain.indexes import Index
from benefit_programs.domain.lookups import BEFORE_ALL_IDS, REMOVAL, WALK_AUDIT, WALK_EVENTS
from benefit_programs.domain.orders.carrier import shortened
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.state import Changes, Mode, Needs, State
from benefit_programs.domain.values import DAY

AUDIT = "audit"
"""The kind of removal that audit entries have."""

EVENTS = "events"
"""The kind of removal that events have."""

_WALKS: dict[str, Index[Any]] = {AUDIT: WALK_AUDIT, EVENTS: WALK_EVENTS}


class RemoveOldest(Command[bool], frozen=True, kw_only=True):
    """Remove the oldest rows of a ``kind`` that the tenant no longer keeps, at most ``size``.

    Of events those up to the id ``upto``, none of which is behind ``position`` in the feed.
    Answers whether there may be more.
    """

    kind: str
    size: int
    upto: str | None = None
    position: int = 0

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for the rows behind those that are gone, so that no dead rows are passed."""
        needs.lock(REMOVAL, self.kind)
        if state.has(REMOVAL, (self.kind,), Mode.LOCK):
            needs.read(self._walk, self._removed_upto(state))

    def decide(self, state: State, context: Context) -> Changes[bool]:
        days = days_kept(self.kind, context.settings)
        rows = state.many(self._walk, self._removed_upto(state))
        if days is None:
            return Changes(answer=False)
        limit = context.real_now - days * DAY
        gone = list(takewhile(lambda each: self._is_old(each, limit), rows))
        changes = Changes(answer=len(gone) == self.size)
        if gone:
            before = state.one(REMOVAL, self.kind)
            changes.delete(*gone)
            changes.save(
                Removal(
                    kind=self.kind,
                    upto=gone[-1].id,
                    created=gone[-1].created,
                    position=max(self.position, before.position if before else 0),
                )
            )
        return changes

    def _is_old(self, row: AuditEntry | Event, limit: int) -> bool:
        return row.created < limit and (self.upto is None or row.id <= self.upto)

    @property
    def _walk(self) -> Index[Any]:
        return shortened(_WALKS[self.kind], self.size)

    def _removed_upto(self, state: State) -> str:
        removal = state.one(REMOVAL, self.kind)
        return removal.upto if removal else BEFORE_ALL_IDS


def days_kept(kind: str, settings: TenantSettings) -> int | None:
    """How long a tenant keeps rows of a kind; None if for ever. 0 days are none of the audit."""
    if kind == AUDIT:
        return settings.audit_retention_days
    return settings.event_retention_days or None
