"""Changes with a date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from benefit_programs.client.asynchronous.queries import AsyncQuery, begin
from benefit_programs.client.asynchronous.session import AsyncMethods
from benefit_programs.client.core.queries import Plan
from benefit_programs.client.core.wire import document, reads_field, reads_rows
from benefit_programs.client.generated.filters import ScheduledChangeFilter, ScheduledChangeSort
from benefit_programs.client.types.scheduled_changes import ScheduledChange

AsyncScheduledChangeQuery: TypeAlias = AsyncQuery[
    ScheduledChange, ScheduledChangeFilter, ScheduledChangeSort
]

_ENTITY = reads_field("scheduledChange", ScheduledChange)
_ROWS = reads_rows("scheduledChanges", ScheduledChange)


class AsyncScheduledChanges(AsyncMethods):
    """What waits for its date: changes of programs, and cascades of definitions."""

    async def get(self, scheduled_change_id: str) -> ScheduledChange:
        """Read a change with a date.

        Raises:
            ScheduledChangeNotFound: There is no such change.
        """
        fields = document(scheduled_change_id=scheduled_change_id)
        return await self._session.call("getScheduledChange", _ENTITY, fields)

    async def withdraw(
        self, scheduled_change_id: str, *, reason: str | None = None
    ) -> ScheduledChange:
        """Withdraw a change that waits for its date.

        Raises:
            ScheduledChangeNotFound: There is no such change.
            ScheduledChangeOver: It was done, refused or withdrawn before.
            InProgress: Its date has come, and what comes before it is still going on.
        """
        fields = document(scheduled_change_id=scheduled_change_id, reason=reason)
        return await self._session.call("withdrawScheduledChange", _ENTITY, fields)

    def query(
        self,
        filter: ScheduledChangeFilter | None = None,  # noqa: A002 - the contract's own word
        *,
        sort: Sequence[ScheduledChangeSort] = (),
    ) -> AsyncScheduledChangeQuery:
        """Find changes with a date. The next one comes first, unless they are sorted otherwise."""
        return begin(self._session, Plan(name="queryScheduledChanges", read=_ROWS), filter, sort)
