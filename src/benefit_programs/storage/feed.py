"""The feed: a tenant's events in their order, from any place in it on (ADR 23)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from benefit_programs.domain.entities import Event
from benefit_programs.domain.values import Instant
from benefit_programs.storage.positions import EVENTS_FEED, POSTGRES_SETTLED, SQLITE_NEWEST
from benefit_programs.storage.query import Dialect, PostgresDialect
from benefit_programs.storage.rows import CODECS
from benefit_programs.storage.specs import columns_of
from benefit_programs.storage.tables import EVENT_POSITIONS

FEED_ROWS_MAX = 1_000
"""How many stored events one look into the feed reads at most."""


class FeedRow(NamedTuple):
    """A stored event at its position."""

    position: int
    event: Event


class CursorRemoved(Exception):
    """The events right after a position are no longer there."""


class CursorUnknown(Exception):
    """A position that this database hasn't given yet."""


class FeedStore(Protocol):
    dialect: Dialect

    async def fetch(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]: ...


class Feed:
    """Reads the events of tenants in their order."""

    def __init__(self, store: FeedStore) -> None:
        self._store = store
        self._is_postgres = isinstance(store.dialect, PostgresDialect)
        self._after = after_statement(store.dialect)
        self._of_entity = after_statement(store.dialect, of_entity=True)

    async def read_after(
        self, tenant_id: int, position: int, *, limit: int = FEED_ROWS_MAX
    ) -> tuple[list[FeedRow], int]:
        """Up to ``limit`` rows after a position, and the position to go on from.

        No row is ever skipped. It doesn't say that a position was removed: ``require_readable``
        does.
        """
        assert 0 < limit <= FEED_ROWS_MAX, "a look into the feed is bounded"
        settled = await self.settled(tenant_id)
        if settled <= position:
            return [], position
        found = await self._store.fetch(self._after, (tenant_id, position, settled, limit))
        read = CODECS[Event].read
        rows = [FeedRow(row[-1], read(row[:-1])) for row in found]
        return rows, rows[-1].position if len(rows) == limit else settled

    async def of_entity(
        self, tenant_id: int, entity_id: str, position: int, *, limit: int
    ) -> list[FeedRow]:
        """The first rows of one entity after a position."""
        found = await self._store.fetch(
            self._of_entity, (tenant_id, position, await self.settled(tenant_id), limit, entity_id)
        )
        read = CODECS[Event].read
        return [FeedRow(row[-1], read(row[:-1])) for row in found]

    async def position_before(self, tenant_id: int, instant: Instant) -> int:
        """A position before all events since an instant, and before few others."""
        first = f"{instant:012x}"
        rows = await self._store.fetch(
            _FIRST_SINCE, (tenant_id, f"{first[:8]}-{first[8:]}-0000-0000-000000000000")
        )
        return int(rows[0][0]) - 1 if rows[0][0] else await self.settled(tenant_id)

    async def settled(self, tenant_id: int) -> int:
        """The position up to which all events of a tenant are there."""
        if not self._is_postgres:
            ((newest,),) = await self._store.fetch(SQLITE_NEWEST, (tenant_id,))
            return int(newest)
        ((given, held),) = await self._store.fetch(POSTGRES_SETTLED, ())
        return int(given if held is None else min(given, held))

    async def start(self, tenant_id: int) -> int:
        """The position up to which a tenant's events were removed; 0 if none were."""
        dialect = self._store.dialect
        rows = await self._store.fetch(
            f"select removed from feed_starts where tenant_id = {dialect.bare(1)}"
            f" and feed = {dialect.bare(2)}",
            (tenant_id, EVENTS_FEED),
        )
        return int(rows[0][0]) if rows else 0

    async def require_readable(self, tenant_id: int, position: int) -> None:
        """Raise CursorRemoved or CursorUnknown for a position that nobody can go on from."""
        if position < await self.start(tenant_id):
            raise CursorRemoved
        if position and position > await self._given(tenant_id):
            raise CursorUnknown

    async def _given(self, tenant_id: int) -> int:
        if not self._is_postgres:
            return await self.settled(tenant_id)
        ((given,),) = await self._store.fetch(f"select last_value from {EVENT_POSITIONS}", ())
        return int(given)


NEAR_ROWS = 5_000
"""Among how many events since an instant the first in the feed is looked for.

Clocks of several servers may differ, so the first by its id needn't be the first in the feed.
"""

_FIRST_SINCE = f"""
select min(n.position) from (
    select e.position from events e where e.tenant_id = $1 and e.id >= $2
    order by e.id limit {NEAR_ROWS}
) n
"""


def after_statement(dialect: Dialect, *, of_entity: bool = False) -> str:
    """Rows in their order: the tenant, the positions that they are after and up to, how many.

    ``of_entity``: and whose.
    """
    tenant, after, until = dialect.bare(1), dialect.bare(2), dialect.bare(3)
    one = f" and e.entity_id = {dialect.bare(5)}" if of_entity else ""
    return (
        f"select {columns_of(Event, 'e', dialect)}, e.position from events e"
        f" where e.tenant_id = {tenant} and e.position > {after} and e.position <= {until}{one}"
        f" order by e.position limit {dialect.bare(4)}"
    )
