"""A reader of the feed beside many writers: one process on SQLite, two on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import AsyncExitStack
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from benefit_programs.bootstrap import open_database
from benefit_programs.config import Settings
from benefit_programs.domain.event_rows import Event
from benefit_programs.storage.feed import Feed, FeedRow
from benefit_programs.storage.rows import CODECS
from benefit_programs.storage.specs import columns_of
from tests.support.calls import benefit
from tests.support.databases import run_apart
from tests.support.service import Server
from tests.support.wallet import Wallet, open_wallet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.calls import Caller
    from tests.support.databases import Databases

pytestmark = pytest.mark.anyio

WRITERS = 64
WALLETS = 8
REDEMPTIONS = 6


LATE_COMMITS = """
create function commit_late() returns trigger language plpgsql as $$ begin
    if random() < 0.1 then perform pg_sleep(random() * 0.02); end if;
    return null;
end $$;
create constraint trigger commit_late after insert on events deferrable initially deferred
    for each row execute function commit_late();
"""
"""Makes some batches commit later than others that have written after them."""


@pytest.fixture(scope="module")
def servers(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, list[Server]]]:
    """One server on a SQLite file, two on a PostgreSQL database."""
    url = databases.create()
    folder = tmp_path_factory.mktemp("feed")
    numbers = range(1 if url.startswith("sqlite") else 2)
    started = [Server(url, folder / f"log {number}") for number in numbers]
    if not url.startswith("sqlite"):
        run_apart(commit_late(url))
    yield url, started
    for server in started:
        server.stop()
    databases.drop(url)


async def commit_late(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(LATE_COMMITS)
    finally:
        await connection.close()


async def write(caller: Caller, wallet: Wallet) -> None:
    own = Wallet(caller, wallet.definition, wallet.program, wallet.pool_id)
    for number in range(REDEMPTIONS):
        spent = await own.redeem()
        if number % 3 == 0:
            await own.cancel(spent)


async def read_until(feed: Feed, tenant_id: int, done: asyncio.Event, limit: int) -> list[FeedRow]:
    """One pass through the feed, that goes on until nobody writes and nothing is left."""
    position, found = 0, list[FeedRow]()
    while True:
        was_done = done.is_set()
        rows, position = await feed.read_after(tenant_id, position, limit=limit)
        found += rows
        if was_done and not rows:
            return found


def require_order(rows: list[FeedRow]) -> None:
    """Fail unless positions rise, and with them the numbers of each entity and each balance."""
    assert all(one.position < next_.position for one, next_ in pairwise(rows))
    numbers: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for _, event in rows:
        numbers[event.entity, event.entity_id].append(event.sequence)
    for found in numbers.values():
        assert found == sorted(found)


async def test_a_pass_beside_64_writers_sees_every_event_once(
    servers: tuple[str, list[Server]],
) -> None:
    """No row that commits late is skipped, none comes twice, and entities keep their order."""
    url, started = servers
    key = started[0].make_key()
    async with AsyncExitStack() as stack:
        callers = [await stack.enter_async_context(each.connect(key)) for each in started]
        store = await stack.enter_async_context(open_database(Settings(database_url=url)))
        towel = benefit("towel", price="1")
        wallets = [await open_wallet(callers[0], towel, amount="1000") for _ in range(WALLETS)]
        ((tenant_id,),) = await store.fetch("select max(tenant_id) from events", ())
        feed, done = Feed(store), asyncio.Event()
        passes = [
            asyncio.create_task(read_until(feed, tenant_id, done, limit)) for limit in (7, 1_000)
        ]
        await asyncio.gather(
            *(
                write(callers[number % len(callers)], wallets[number % WALLETS])
                for number in range(WRITERS)
            )
        )
        done.set()
        for rows in await asyncio.gather(*passes):
            require_order(rows)
            assert [row.event.id for row in rows] == await ids_by_position(store, tenant_id)


async def ids_by_position(store: Any, tenant_id: int) -> list[str]:
    """The ids of all events of a tenant, as they are stored."""
    columns = columns_of(Event, "e", store.dialect)
    sql = f"select {columns} from events e where tenant_id = $1 order by position"
    read = CODECS[Event].read
    return [read(values).id for values in await store.fetch(sql, (tenant_id,))]
