"""The connections of the PostgreSQL store: all are there, or none, and what is lost with them."""

from __future__ import annotations

import asyncio
from secrets import token_hex
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from benefit_programs.domain.store import (
    NodeUnavailable,
    StatementUnsupported,
    StoreUnavailable,
)
from benefit_programs.storage.postgres import PostgresStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

ROLE = f"benefits_test_{token_hex(4)}"
PASSWORD = "of-a-test"
OTHERS = "select count(*) from pg_stat_activity where usename = $1"


@pytest.fixture
async def administrator(postgres_url: str) -> AsyncIterator[Any]:
    """A connection that has made a role which may have one connection, and drops it."""
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(f"create role {ROLE} login password '{PASSWORD}' connection limit 1")
    yield connection
    await connection.execute(f"drop role {ROLE}")
    await connection.close()


async def test_store_that_cannot_open_all_connections_keeps_none(
    administrator: Any, postgres_url: str
) -> None:
    """Where the server allows too few connections, those that were opened are closed again."""
    place = urlsplit(postgres_url)
    limited = place._replace(netloc=f"{ROLE}:{PASSWORD}@{place.netloc.rpartition('@')[2]}")
    with pytest.raises(StoreUnavailable, match="too many connections"):
        await PostgresStore.open(limited.geturl())
    async with asyncio.timeout(10):
        while await administrator.fetchval(OTHERS, ROLE):
            """The server notices that a connection is closed as soon as it looks."""


async def test_server_that_takes_no_writes_is_unavailable(
    administrator: Any, postgres_url: str
) -> None:
    """A server that became a standby is as good as none: later, or elsewhere, it may go on."""
    name = urlsplit(postgres_url).path.removeprefix("/")
    await administrator.execute("create table things (id int)")
    await administrator.execute(f"alter database {name} set default_transaction_read_only = on")
    store = await PostgresStore.open(postgres_url, connections_max=1)
    with pytest.raises(StoreUnavailable, match="read-only"):
        await store.execute("insert into things values ($1)", (1,))
    with pytest.raises(StoreUnavailable, match="read-only"):
        await store.probe()
    await administrator.execute(f"alter database {name} set default_transaction_read_only = off")
    await store.probe()
    await store.close()


async def test_only_commits_of_batches_are_measured(postgres_url: str) -> None:
    """Behind a pooler a read is a transaction too, and nothing that had to become durable."""
    store = await PostgresStore.open(postgres_url, connections_max=1, has_pooler=True)
    commits: list[float] = []
    store.on_commit = commits.append
    await store.fetch("select 1", ())
    await store.fetch_quick("select 1", ())
    await store.execute("create table things (id int)", ())
    await asyncio.sleep(0)
    assert commits == []
    await store.run(1, (step for step in ()))
    await asyncio.sleep(0)
    assert len(commits) == 1
    await store.close()


RAISE = "do $$ begin raise exception 'as told' using errcode = '{state}'; end $$"


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("08006", NodeUnavailable),
        ("08001", NodeUnavailable),
        ("57P01", NodeUnavailable),
        ("53100", StoreUnavailable),
        ("0A000", StatementUnsupported),
    ],
)
async def test_errors_of_a_cluster_are_told_apart(
    postgres_url: str, state: str, expected: type[Exception]
) -> None:
    """A node that can't be reached behind a connection that stands isn't the whole database."""
    store = await PostgresStore.open(postgres_url, connections_max=1)
    with pytest.raises(expected, match="as told") as raised:
        await store.execute(RAISE.format(state=state), ())
    assert type(raised.value) is expected
    await store.close()


ERRORS = [
    AttributeError("the driver's own"),
    asyncpg.InternalClientError("the driver's own"),
    asyncpg.ConnectionDoesNotExistError("closed in the middle of operation"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_whatever_a_lost_connection_fails_with_is_unavailable(
    postgres_url: str, error: Exception
) -> None:
    """The driver has many ways to fail on a connection that was ended; they mean the same."""
    store = await PostgresStore.open(postgres_url, connections_max=1)
    administrator = await asyncpg.connect(postgres_url)

    async def lose() -> None:
        async with store._connection(store._keyed) as connection:
            ended = asyncio.Event()
            connection.add_termination_listener(lambda _: ended.set())
            pid = connection.get_server_pid()
            await administrator.execute("select pg_terminate_backend($1)", pid)
            await ended.wait()
            raise error

    with pytest.raises(StoreUnavailable):
        await lose()
    assert await store.fetch_quick("select 1", ()) == [(1,)]
    await administrator.close()
    await store.close()


async def test_mistake_on_a_sound_connection_is_one(postgres_url: str) -> None:
    """What isn't the connection's fault isn't told as if it were."""
    store = await PostgresStore.open(postgres_url, connections_max=1)
    with pytest.raises(AttributeError):
        async with store._connection(store._keyed):
            raise AttributeError("ours")
    await store.close()
