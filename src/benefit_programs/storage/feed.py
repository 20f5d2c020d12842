"""The feed: a tenant's events in their order, from any place in it on (ADR 23)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from benefit_programs.domain.erasure import CLOCKS_APART_MILLISECONDS_MAX
from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.indexes import Index, Key
from benefit_programs.domain.lookups import BEFORE_ALL_IDS, REMOVAL
from benefit_programs.domain.removals import EVENTS
from benefit_programs.domain.rows import Row
from benefit_programs.domain.values import Instant
from benefit_programs.storage.positions import POSTGRES_SETTLED, SQLITE_NEWEST
from benefit_programs.storage.query import Dialect, PostgresDialect
from benefit_programs.storage.rows import CODECS
from benefit_programs.storage.specs import columns_of
from benefit_programs.storage.tables import EVENT_POSITIONS

R = TypeVar("R", bound=Row)

FEED_ROWS_MAX = 1_000
"""How many stored events one look into the feed reads at most."""


class FeedRow(NamedTuple):
    """A stored event at its position."""

    position: int
    event: Event


class Outdated(NamedTuple):
    """Events that may be removed: up to which id, and the largest position that one of them has."""

    upto: str
    position: int


class CursorRemoved(Exception):
    """The events right after a position are no longer there."""


class CursorUnknown(Exception):
    """A position that this database hasn't given yet."""


class FeedStore(Protocol):
    dialect: Dialect

    async def fetch(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]: ...

    async def look_up(self, tenant_id: int, index: Index[R], keys: Iterable[Key]) -> list[R]: ...


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
        rows = await self._store.fetch(_FIRST_SINCE, (tenant_id, id_floor(instant)))
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
        removals = await self._store.look_up(tenant_id, REMOVAL, [(EVENTS,)])
        return removals[0].position if removals else 0

    async def outdated(
        self, tenant_id: int, before: Instant, *, needed_from: str | None, limit: int
    ) -> Outdated | None:
        """The oldest events that were made before an instant and that nobody needs, if any."""
        removals = await self._store.look_up(tenant_id, REMOVAL, [(EVENTS,)])
        upto = removals[0].upto if removals else BEFORE_ALL_IDS
        rows = await self._store.fetch(
            _OUTDATED, (tenant_id, upto, before, needed_from or AFTER_ALL_IDS, limit)
        )
        return Outdated(*rows[0]) if rows else None

    async def needed_from(self, tenant_id: int, earliest: Instant) -> str | None:
        """Where the ids begin of events that an endpoint still has to be told of.

        None if there are none, or if the first was made before ``earliest``.
        """
        rows = await self._store.fetch(_NEEDED, (tenant_id,))
        if not rows or rows[0][0] < earliest:
            return None
        return id_floor(rows[0][0] - CLOCKS_APART_MILLISECONDS_MAX)

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


_NEEDED = """
select e.created from events e where e.tenant_id = $1 and e.position > (
    select min(p.position) from webhook_progress p
    join webhook_endpoints w on w.tenant_id = p.tenant_id and w.id = p.endpoint_id
    where p.tenant_id = $1 and w.status <> 'INACTIVE'
) order by e.position limit 1
"""

AFTER_ALL_IDS = "ffffffff-ffff-ffff-ffff-ffffffffffff"

_OUTDATED = """
select cast(n.id as text), n.last from (
    select o.id, max(o.position) over () as last from (
        select id, position from events
        where tenant_id = $1 and id > $2 and created < $3 and id < $4 order by id limit $5
    ) o
) n order by n.id desc limit 1
"""


def id_floor(instant: Instant) -> str:
    """What is before all ids that were made since an instant."""
    digits = f"{max(instant, 0):012x}"
    return f"{digits[:8]}-{digits[8:]}-0000-0000-000000000000"


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
