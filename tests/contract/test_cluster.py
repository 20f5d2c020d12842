"""A database that is distributed by tenant over a Citus cluster, if there is one to test with.

What the API promises is tested there by the same tests as elsewhere, as a third engine.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import pytest

from benefit_programs.storage import schema
from benefit_programs.storage.all_tenants import NODES_SECONDS
from benefit_programs.storage.distribution import CannotDistribute, distribute_tables
from benefit_programs.storage.schema import REVISIONS, distribute, migrate
from benefit_programs.storage.tables import TABLES
from benefit_programs.storage.verification import verify
from tests.conformance.world import REQUESTS, settle
from tests.support.citus import CITUS, CITUS_URL_VARIABLE, CitusDatabases
from tests.support.databases import ask
from tests.support.inprocess import new_tenant, open_application
from tests.support.lifecycle import act, job_of, limit_requests, new_program, open_idle
from tests.support.looking import LOOK_PAUSE_SECONDS
from tests.support.serving import run_benefits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.inprocess import Service

if not CITUS:
    pytest.skip(f"{CITUS_URL_VARIABLE} names no cluster", allow_module_level=True)

pytestmark = pytest.mark.anyio

DATABASE = 3
"""The exit code of a database that can't be used."""

DISTRIBUTED = """
select logicalrelid::text, column_to_column_name(logicalrelid, partkey), colocationid
from pg_dist_partition where partmethod = 'h'
"""
NODE_OF_TENANT = """
select p.groupid from pg_dist_placement p
where p.shardid = get_shard_id_for_distribution_column('agenda', $1::bigint)
"""
MOVE_NODE = "update pg_dist_node set nodeport = nodeport + $1 where groupid = $2"
"""In the database of a test alone, a node is then where nobody answers."""

NOWHERE = -9000

APART = """
select create_distributed_table('items', 'tenant_id', colocate_with => 'none', shard_count => 3)
"""


@pytest.fixture(scope="module")
def cluster() -> CitusDatabases:
    return CitusDatabases()


@pytest.fixture
def empty_url(cluster: CitusDatabases) -> Iterator[str]:
    """Name a database of the test's own, with nothing in it."""
    url = cluster.create_empty()
    yield url
    cluster.drop(url)


@pytest.fixture
def distributed_url(cluster: CitusDatabases) -> Iterator[str]:
    """The same with the newest schema, distributed."""
    url = cluster.create()
    yield url
    cluster.drop(url)


async def distributed_by(url: str) -> dict[str, tuple[str, int]]:
    """By what each table is distributed, and with which others."""
    return {name: (column, group) for name, column, group in await ask(url, DISTRIBUTED)}


async def test_distributing_again_changes_nothing(empty_url: str) -> None:
    """All tables of tenants are distributed by tenant and colocated, however often it is asked."""
    command = ("migrate", "--distribute", "--database-url", empty_url)
    first = await asyncio.to_thread(run_benefits, *command)
    assert (first.returncode, first.stderr) == (0, "")
    assert f"Distributed {len(TABLES)} tables by tenant.\n" in first.stdout
    before = await distributed_by(empty_url)
    assert before.keys() == {table.name for table in TABLES.values()}
    assert {column for column, _ in before.values()} == {"tenant_id"}
    assert len({group for _, group in before.values()}) == 1
    again = await asyncio.to_thread(run_benefits, *command)
    assert again.stdout == f"Nothing to do: the schema has revision {REVISIONS[-1]}.\n"
    assert await distributed_by(empty_url) == before


async def test_rows_go_with_their_tables(empty_url: str) -> None:
    """What a database holds is there after it was distributed, and nothing of it twice."""
    await migrate(empty_url)
    async with open_application(empty_url) as application:
        service = await new_tenant(*application)
        world = await settle(service)
        before = await verify(service.store)
    await distribute(empty_url)
    (left,) = await ask(empty_url, "select pg_relation_size('pools')")
    assert left[0] == 0
    async with open_application(empty_url) as (running, client):
        service.running, service.client = running, client
        after = await verify(service.store)
        assert after.is_sound
        assert after.contents == before.contents
        await service.call("redeemBenefit", REQUESTS["redeemBenefit"](world))


async def test_what_others_have_distributed_is_refused(empty_url: str) -> None:
    """A table that is distributed by something else is named, and nothing is changed."""
    await migrate(empty_url)
    await ask(empty_url, "select create_reference_table('pools')")
    with pytest.raises(CannotDistribute, match=r"The table pools is distributed, but not by"):
        await distribute(empty_url)
    assert await distributed_by(empty_url) == {}


async def test_a_worker_is_refused(cluster: CitusDatabases, distributed_url: str) -> None:
    """Servers work with the coordinator; who names a worker is told so in one line."""
    name = distributed_url.rpartition("/")[2]
    worker = cluster.at(cluster.nodes[-1], name)
    refused = await asyncio.to_thread(run_benefits, "migrate", "--database-url", worker)
    assert refused.returncode == DATABASE
    assert refused.stderr.count("\n") == 1
    assert "This node is a worker" in refused.stderr


async def test_later_migrations_run_on_distributed_tables(empty_url: str) -> None:
    """The newest migration applies to a database that was distributed before it."""
    _, script = schema._write_script("postgresql", None)
    older = script.partition(f"-- Running upgrade {REVISIONS[-2]} -> {REVISIONS[-1]}")[0]
    connection = await asyncpg.connect(empty_url)
    async with connection.transaction():
        await connection.execute(older)
        before = await distribute_tables(connection)
    await connection.close()
    assert await migrate(empty_url) == [REVISIONS[-1]]
    assert (await distributed_by(empty_url)).keys() == {table.name for table in TABLES.values()}
    assert len(before) <= len(TABLES)
    async with open_application(empty_url) as application:
        service = await new_tenant(*application)
        await settle(service)
        assert (await verify(service.store)).is_sound


async def test_what_a_cluster_cannot_run_is_told_in_one_line(distributed_url: str) -> None:
    """An error of class 0A, here of a join that nodes can't make, has no traceback."""
    named = ("--database-url", distributed_url)
    await asyncio.to_thread(run_benefits, "tenants", "create", "Gym", *named)
    await ask(distributed_url, "select undistribute_table('items')")
    await ask(distributed_url, APART)
    refused = await asyncio.to_thread(run_benefits, "verify", *named)
    assert refused.returncode == DATABASE
    assert refused.stderr.startswith("benefits: The database can't be used: ")
    assert refused.stderr.count("\n") == 1


async def on_two_nodes(service: Service) -> tuple[Service, Service]:
    """Two tenants whose rows are on different nodes."""
    store, nodes = service.store, {}
    for _ in range(64):
        ((node,),) = await store.fetch(NODE_OF_TENANT, (service.tenant.id,))
        nodes.setdefault(node, service)
        if len(nodes) > 1:
            one, other, *_ = nodes.values()
            return one, other
        service = await service.another_tenant()
    raise AssertionError


async def job_for(service: Service) -> str:
    """A job that isn't done before the runner of jobs works."""
    program_id = await new_program(service)
    await limit_requests(service)
    return await act(service, "pause", program_id)


async def until_done(service: Service, job_id: str) -> None:
    async with asyncio.timeout(4 * NODES_SECONDS):
        while (await job_of(service, job_id))["status"] != "FINISHED":  # noqa: ASYNC110
            await asyncio.sleep(LOOK_PAUSE_SECONDS)


async def test_a_lost_node_holds_back_its_own_tenants_only(distributed_url: str) -> None:
    """Jobs and requests of others go on; its own are refused, and go on as it is back."""
    async with open_idle(distributed_url) as service:
        one, other = await on_two_nodes(service)
        jobs = {each: await job_for(each) for each in (one, other)}
        ((node,),) = await service.store.fetch(NODE_OF_TENANT, (other.tenant.id,))
        await ask(distributed_url, MOVE_NODE, NOWHERE, node)
        service.running.runner.start()
        service.running.relay.start()
        await until_done(one, jobs[one])
        refused = await other.send("getAsyncJob", {"jobId": jobs[other]})
        assert refused.status_code == 503
        page = await service.client.get("/metrics")
        assert "benefits_database_up 1.0" in page.text
        await ask(distributed_url, MOVE_NODE, -NOWHERE, node)
        await until_done(other, jobs[other])
        assert (await verify(service.store)).is_sound
