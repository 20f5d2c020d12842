"""What a new connection to PostgreSQL asks for: our rows, and nothing of the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benefit_programs.api.methods import METHODS
from benefit_programs.storage.verification import verify_store
from tests.conformance.world import REQUESTS, settle
from tests.support.databases import PostgresDatabases, ask
from tests.support.inprocess import new_tenant, open_application
from tests.support.postgres import PostgresServer, start_own_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.anyio

TYPES = "pg_type"


@pytest.fixture
def readable_server(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    """A server whose log can be read: the shared one, unless it is somebody else's."""
    if postgres_server.is_own:
        yield postgres_server
        return
    own = start_own_postgres(durable=False)
    yield own
    own.stop()


async def test_no_type_is_looked_up(readable_server: PostgresServer) -> None:
    """No method, nor ``benefits verify``, has the driver ask the server for the types of lists."""
    databases = PostgresDatabases(readable_server)
    url = databases.create()
    name = url.rpartition("/")[2]
    await ask(url, f"alter database \"{name}\" set log_statement = 'all'")
    before = len(readable_server.log())
    async with open_application(url) as (running, client):
        service = await new_tenant(running, client)
        world = await settle(service)
        # In this order, what updates and reads comes before what deletes.
        for method in sorted(REQUESTS.keys() & METHODS.keys(), reverse=True):
            await service.send(method, REQUESTS[method](world))
        assert await verify_store(service.store) == []
    written = readable_server.log()[before:]
    assert "any($2::uuid[])" in written
    assert TYPES not in written
    # Whoever connects without our types asks for them: so the log would show it.
    await ask(url, "select $1::uuid[]", [])
    assert TYPES in readable_server.log()[before:]
    databases.drop(url)
