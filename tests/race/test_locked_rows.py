"""A row that somebody outside has locked stops only those who need it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from benefit_programs.storage.verification import verify_store
from tests.support.audit import audit
from tests.support.calls import Refused
from tests.support.databases import PostgresDatabases
from tests.support.inprocess import Service, new_tenant, open_application
from tests.support.wallet import Wallet, open_another, open_wallet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.anyio

ANSWER_SECONDS_MAX = 4
"""Less than the 5 seconds for which whoever needs a locked row waits for it."""

CALLERS = 8


@pytest.fixture
async def on_postgres(postgres_server: PostgresServer) -> AsyncIterator[tuple[Service, str]]:
    """A tenant of a service of the test's own on PostgreSQL, and the database's URL."""
    databases = PostgresDatabases(postgres_server)
    url = databases.create()
    async with open_application(url) as application:
        service = await new_tenant(*application)
        yield service, url
        await audit(service)
        assert await verify_store(service.store) == []
    databases.drop(url)


@asynccontextmanager
async def locked(url: str, wallet: Wallet) -> AsyncIterator[Any]:
    """Lock the row of a wallet's pool, as somebody with psql might; leave the block early."""
    other = await asyncpg.connect(url)
    try:
        async with other.transaction():
            row = await other.fetch("select 1 from pools where id = $1 for update", wallet.pool_id)
            assert row
            yield other
    finally:
        await other.close()


async def has_waiter(connection: Any) -> None:
    """Return once somebody waits for a row that this connection has locked."""
    waiting = (
        "select count(*) from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid))"
    )
    async with asyncio.timeout(ANSWER_SECONDS_MAX):
        while not await connection.fetchval(waiting):
            """The statement shows what is, and it takes its time."""


async def redeem_all(wallets: list[Wallet]) -> None:
    """Redeem from each at once, and fail if that takes as long as a lock is waited for."""
    async with asyncio.timeout(ANSWER_SECONDS_MAX):
        await asyncio.gather(*(wallet.redeem() for wallet in wallets))


async def test_a_locked_row_stops_no_other_tenant(on_postgres: tuple[Service, str]) -> None:
    """While one tenant's redemption waits, those of other tenants are answered."""
    service, url = on_postgres
    kept = await open_wallet(service)
    others = [await open_wallet(await service.another_tenant()) for _ in range(CALLERS)]
    async with locked(url, kept) as other:
        waits = asyncio.create_task(kept.redeem())
        await has_waiter(other)
        for _ in range(3):
            await redeem_all(others)
        assert not waits.done()
    await waits
    assert await kept.available() == "90"


async def test_a_locked_row_stops_no_other_pool(on_postgres: tuple[Service, str]) -> None:
    """In the same tenant those who need the row wait, in order, and the others are answered."""
    service, url = on_postgres
    kept = await open_wallet(service)
    others = [await open_another(service, kept.definition) for _ in range(CALLERS)]
    async with locked(url, kept) as other:
        together = [asyncio.create_task(each.redeem()) for each in (kept, *others, kept)]
        await has_waiter(other)
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            await asyncio.gather(*together[1:-1])
        for _ in range(3):
            late = asyncio.create_task(kept.redeem())
            together.append(late)
            await redeem_all(others)
        waiting = [each for each in together if not each.done()]
        assert len(waiting) == 2 + 3
    await asyncio.gather(*waiting)
    assert await kept.available() == "50"
    assert {await each.available() for each in others} == {"60"}


async def test_who_waits_for_a_locked_row_is_told_in_the_end(
    on_postgres: tuple[Service, str],
) -> None:
    """A row that stays locked is answered with 503, to all who need it at the same time."""
    service, url = on_postgres
    kept = await open_wallet(service)
    async with locked(url, kept):
        answers = await asyncio.gather(*(kept.redeem() for _ in range(3)), return_exceptions=True)
    refused = [each for each in answers if isinstance(each, Refused)]
    assert [(each.status, each.code) for each in refused] == [(503, "STATEMENT_TIMEOUT")] * 3
    await kept.redeem()
    assert await kept.available() == "90"
