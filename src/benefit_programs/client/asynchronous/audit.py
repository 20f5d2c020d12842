"""The audit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from benefit_programs.client.asynchronous.queries import AsyncQuery, begin
from benefit_programs.client.asynchronous.session import AsyncMethods
from benefit_programs.client.core.queries import Plan
from benefit_programs.client.core.wire import reads_rows
from benefit_programs.client.generated.filters import AuditEntryFilter, AuditEntrySort
from benefit_programs.client.types.audit import AuditEntry

AsyncAuditEntryQuery: TypeAlias = AsyncQuery[AuditEntry, AuditEntryFilter, AuditEntrySort]

_ROWS = reads_rows("auditEntries", AuditEntry)


class AsyncAudit(AsyncMethods):
    """Who changed what, when and why."""

    def query(
        self,
        filter: AuditEntryFilter | None = None,  # noqa: A002 - the contract's own word
        *,
        sort: Sequence[AuditEntrySort] = (),
    ) -> AsyncAuditEntryQuery:
        """Find changes, the newest first. A pool or program also finds those of transactions."""
        return begin(self._session, Plan(name="queryAuditEntries", read=_ROWS), filter, sort)
