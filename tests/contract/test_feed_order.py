"""The feed on PostgreSQL, where batches commit in another order than they write (ADR 23)."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.state import State
from benefit_programs.storage import postgres_batches
from benefit_programs.storage.postgres_batches import COPIED_ROWS_MIN
from tests.contract.test_events import all_events, kinds, position
from tests.support.calls import guid
from tests.support.citus import CITUS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.inprocess import Service

ON_POSTGRES_EVERY_DAY = True
pytestmark = pytest.mark.anyio

ENGINES = ["postgres", *CITUS]


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def write_events(connection: Any, tenant_id: int, count: int) -> None:
    """Write events, as a batch does, in the connection's transaction."""
    state = State()
    state.events = [
        Event(
            id=guid(),
            created=0,
            entity="program",
            entity_id=guid(),
            sequence=1,
            slug="none",
            body={},
        )
        for _ in range(count)
    ]
    await postgres_batches._write(connection, tenant_id, state)


async def require_waited_for(service: Service, url: str, count: int) -> None:
    """Let another event commit before so many that were written first."""
    async with connected(url) as connection:
        late = connection.transaction()
        await late.start()
        await write_events(connection, service.tenant.id, count)
        await service.create_program_definition()
        assert await all_events(service) == []
        before = await position(service)
        await late.rollback()
    answer = await service.call("listEvents", {"paging": {"cursor": before}})
    assert kinds(answer["events"]) == ["program_definition created"]


async def test_a_row_that_commits_late_is_waited_for(
    own_service: Service, database_url: str
) -> None:
    """What was written after it is in the feed only when it is, too, or when it never will be."""
    await require_waited_for(own_service, database_url, 1)


async def test_rows_that_are_copied_in_are_waited_for(
    own_service: Service, database_url: str
) -> None:
    """So it is with as many rows as a batch copies in."""
    await require_waited_for(own_service, database_url, COPIED_ROWS_MIN)


async def test_who_has_only_read_holds_nobody_back(own_service: Service, database_url: str) -> None:
    """A long transaction that has written no event doesn't stop the feed."""
    async with connected(database_url) as connection, connection.transaction():
        await connection.execute("update tenants set name = name")
        await own_service.create_program_definition()
        assert kinds(await all_events(own_service)) == ["program_definition created"]
