"""The removal of audit entries that a tenant no longer keeps."""

from __future__ import annotations

from itertools import takewhile

from benefit_programs.domain.audit_rows import AuditEntry
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.event_rows import Removal
from benefit_programs.domain.indexes import Index
from benefit_programs.domain.lookups import BEFORE_ALL_IDS, REMOVAL, WALK_AUDIT
from benefit_programs.domain.orders.carrier import shortened
from benefit_programs.domain.state import Changes, Mode, Needs, State
from benefit_programs.domain.values import DAY

AUDIT = "audit"
"""The kind of removal that audit entries have."""


class RemoveEntries(Command[bool], frozen=True, kw_only=True):
    """Remove the oldest audit entries, at most ``size``. Answers whether there may be more."""

    size: int

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for the entries behind those that are gone, so that no dead rows are passed."""
        needs.lock(REMOVAL, AUDIT)
        if state.has(REMOVAL, (AUDIT,), Mode.LOCK):
            needs.read(self._walk, _removed_upto(state))

    def decide(self, state: State, context: Context) -> Changes[bool]:
        limit = context.real_now - context.settings.audit_retention_days * DAY
        entries = state.many(self._walk, _removed_upto(state))
        gone = list(takewhile(lambda each: each.created < limit, entries))
        changes = Changes(answer=len(gone) == self.size)
        if gone:
            last = gone[-1]
            changes.delete(*gone)
            changes.save(Removal(kind=AUDIT, upto=last.id, created=last.created, position=0))
        return changes

    @property
    def _walk(self) -> Index[AuditEntry]:
        return shortened(WALK_AUDIT, self.size)


def _removed_upto(state: State) -> str:
    removal = state.one(REMOVAL, AUDIT)
    return removal.upto if removal else BEFORE_ALL_IDS
