"""Two processes on one PostgreSQL: changes of definitions meet pools that are being opened."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from benefit_programs.domain.entities import Order, Pool, PoolStatus, Snapshot
from benefit_programs.storage.verification import verify_store
from tests.support.databases import PostgresDatabases
from tests.support.inprocess import Service, new_tenant, open_application
from tests.support.lifecycle import act, limit_requests, run_jobs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.anyio

SECONDS_MAX = 30
PROGRAMS = 3
WAITING = (
    "select count(*) from pg_stat_activity"
    " where datname = current_database() and wait_event_type = 'Lock'"
)


@pytest.fixture
def url(postgres_server: PostgresServer) -> Iterator[str]:
    databases = PostgresDatabases(postgres_server)
    url = databases.create()
    yield url
    databases.drop(url)


@pytest.fixture
async def two(url: str) -> AsyncIterator[tuple[Service, Service]]:
    """One tenant's administrator at two processes, whose jobs wait for ``run_jobs``."""
    async with (
        open_application(url, run_jobs=False) as one,
        open_application(url, run_jobs=False) as another,
    ):
        first = await new_tenant(*one)
        yield first, first.elsewhere(*another)
        assert await verify_store(first.store) == []


class Holder:
    """Somebody else's transaction, which holds rows up."""

    def __init__(self, own: asyncpg.Connection[Any], watching: asyncpg.Connection[Any]) -> None:
        self._watching = watching
        self.hold = own.execute

    async def wait_for(self, waiting: int) -> None:
        """Wait until so many others wait for rows."""
        async with asyncio.timeout(SECONDS_MAX):
            while await self._watching.fetchval(WAITING) < waiting:
                pass

    async def wait_for_the_second(self, task: asyncio.Task[Any]) -> None:
        """Wait until this one waits for rows as well, or is done without."""
        waiting = asyncio.create_task(self.wait_for(2))
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()


@asynccontextmanager
async def holder(url: str) -> AsyncIterator[Holder]:
    """Rows are free again at the end of the block."""
    own, watching = await asyncpg.connect(url), await asyncpg.connect(url)
    try:
        async with own.transaction():
            yield Holder(own, watching)
    finally:
        await own.close()
        await watching.close()


async def place(service: Service, verb: str, pool: str, program: str, cascade: str) -> None:
    """Put a pool definition into a program definition."""
    ids = {"poolDefinitionId": pool, "programDefinitionId": program}
    await service.call(f"{verb}ProgramDefinition", {**ids, "cascade": cascade})


async def rename(service: Service, definition_id: str) -> None:
    """Give a pool definition and all of its pools another name."""
    read = await service.call("getPoolDefinition", {"poolDefinitionId": definition_id})
    revision = read["poolDefinition"]["revision"]
    changed = {"id": definition_id, "revision": revision, "displayName": "Gold"}
    await service.call(
        "updatePoolDefinition", {"poolDefinition": changed, "cascade": "IMMEDIATELY"}
    )


async def names(service: Service, definition_id: str) -> list[str | None]:
    """The names of a definition's living pools."""
    snapshots = {row.id: row.display_name for row in await service.rows(Snapshot)}
    return [
        snapshots[row.snapshot_id]
        for row in await service.rows(Pool)
        if row.pool_definition_id == definition_id and row.status is not PoolStatus.ENDED
    ]


async def test_a_change_reaches_the_pools_of_a_jobs_last_chunk(
    url: str, two: tuple[Service, Service]
) -> None:
    """A job that ends while a change of its definition is under way leaves no pool behind it."""
    server, worker = two
    definition, elsewhere = [await server.create_program_definition() for _ in range(2)]
    for _ in range(PROGRAMS):
        await server.provision(program_definition=definition)
    pools = await server.create_pool_definition()
    await place(server, "addPoolDefinitionTo", pools["id"], elsewhere["id"], "NEXT_RENEWAL")
    await limit_requests(server)
    await place(server, "addPoolDefinitionTo", pools["id"], definition["id"], "IMMEDIATELY")
    await limit_requests(server, 100)
    assert [order.kind for order in await server.rows(Order) if not order.stands] == ["ADD_POOLS"]
    async with holder(url) as other:
        await other.hold("select 1 from agenda for update")
        change = asyncio.create_task(rename(server, pools["id"]))
        await other.wait_for(1)
        jobs = asyncio.create_task(run_jobs(worker))
        await other.wait_for_the_second(jobs)
    await asyncio.gather(change, jobs)
    await run_jobs(worker)
    assert await names(server, pools["id"]) == ["Gold"] * PROGRAMS


async def test_a_change_reaches_the_pool_that_a_renewal_opens(
    url: str, two: tuple[Service, Service]
) -> None:
    """A change that meets a renewal comes before it or after it, for a pending pool as well."""
    one, another = two
    definition = await one.create_program_definition()
    pools = await one.create_pool_definition(programDefinitionIds=[definition["id"]])
    program = (await one.provision(program_definition=definition))["program"]
    await place(one, "removePoolDefinitionFrom", pools["id"], definition["id"], "IMMEDIATELY")
    await place(one, "addPoolDefinitionTo", pools["id"], definition["id"], "NEXT_RENEWAL")
    async with holder(url) as other:
        await other.hold("select 1 from pools for update")
        renewal = asyncio.create_task(act(one, "renew", program["id"]))
        await other.wait_for(1)
        change = asyncio.create_task(rename(another, pools["id"]))
        await other.wait_for_the_second(change)
    await asyncio.gather(renewal, change)
    assert await names(one, pools["id"]) == ["Gold"]


async def test_a_pool_definition_leaves_no_program_definition_that_is_just_provisioned(
    url: str, two: tuple[Service, Service]
) -> None:
    """A program has what its definition had before an update or after it, not a bit of each."""
    one, another = two
    definition = await one.create_program_definition()
    stays, goes = [
        await one.create_pool_definition(programDefinitionIds=[definition["id"]]) for _ in range(2)
    ]
    change = {"id": goes["id"], "revision": "1", "programDefinitionIds": [], "displayName": "Gold"}
    update = {"poolDefinition": change, "cascade": "FUTURE_PROVISIONS"}
    async with holder(url) as other:
        await other.hold(f"select 1 from pool_definitions where id = '{stays['id']}' for update")
        provision = asyncio.create_task(one.provision(program_definition=definition))
        await other.wait_for(1)
        updating = asyncio.create_task(another.call("updatePoolDefinition", update))
        await other.wait_for_the_second(updating)
    program = (await provision)["program"]
    await updating
    pools = await one.pools_of(program["id"])
    revisions = {pool["poolDefinitionId"]: pool["poolDefinitionRevision"] for pool in pools}
    assert revisions == {stays["id"]: "1", goes["id"]: "1"}


async def test_a_pool_definition_deleted_meanwhile_fails_no_provision(
    url: str, two: tuple[Service, Service]
) -> None:
    """Who provisions a program definition hears nothing of a pool definition that is just going."""
    one, another = two
    definition = await one.create_program_definition()
    stays, goes = [
        await one.create_pool_definition(programDefinitionIds=[definition["id"]]) for _ in range(2)
    ]
    async with holder(url) as other:
        await other.hold(f"select 1 from pool_definitions where id = '{stays['id']}' for update")
        provision = asyncio.create_task(one.provision(program_definition=definition))
        await other.wait_for(1)
        gone = {"poolDefinitionId": goes["id"], "cascade": "IMMEDIATELY"}
        await another.call("deletePoolDefinition", gone)
    program = (await provision)["program"]
    pools = await one.pools_of(program["id"])
    assert [pool["poolDefinitionId"] for pool in pools] == [stays["id"]]
