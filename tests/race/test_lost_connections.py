"""Connections that PostgreSQL ends again and again while the service is at work."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import asyncpg
import pytest
from structlog.testing import capture_logs

from benefit_programs.storage.verification import verify_store
from tests.support.audit import audit
from tests.support.calls import Caller
from tests.support.databases import PostgresDatabases
from tests.support.inprocess import Service, new_tenant, open_application
from tests.support.wallet import Wallet, open_another, open_wallet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.calls import Document
    from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.anyio

TERMINATIONS = 40
ANSWERS_BETWEEN = 15
WALLETS = 6
UNAVAILABLE = 503
END_ALL_OTHERS = (
    "select count(pg_terminate_backend(pid)) from pg_stat_activity"
    " where datname = current_database() and pid <> pg_backend_pid()"
)


@pytest.fixture
async def on_postgres(postgres_server: PostgresServer) -> AsyncIterator[tuple[Service, str]]:
    """A tenant of a service of the test's own on PostgreSQL, and the database's URL."""
    databases = PostgresDatabases(postgres_server)
    url = databases.create()
    async with open_application(url) as application:
        yield await new_tenant(*application), url
    databases.drop(url)


class Load:
    """Callers who ask for everything, and how often they got which answer."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.is_over = False
        self._more = asyncio.Condition()

    async def ask(self, caller: Caller, name: str, request: Document) -> int:
        """The status of an answer."""
        status = (await caller.send(name, request)).status_code
        async with self._more:
            self.statuses[status] += 1
            self._more.notify_all()
        return status

    async def repeat(self, caller: Caller, name: str, request: Document) -> None:
        """Ask until it is over."""
        while not self.is_over:
            await self.ask(caller, name, request)

    async def redeem(self, wallet: Wallet) -> int:
        """Redeem until it is over, each time until it is done; how often it was."""
        done = 0
        while not self.is_over:
            request = wallet.redemption()
            while await self.ask(wallet.caller, "redeemBenefit", request) == UNAVAILABLE:
                """Nobody can know whether it was done: the same key tells."""
            done += 1
        return done

    async def wait_for(self, answers: int) -> None:
        """Return after so many more answers."""
        wanted = self.statuses.total() + answers
        async with self._more:
            await self._more.wait_for(lambda: self.statuses.total() >= wanted)


def reads_of(wallet: Wallet) -> list[tuple[str, Document]]:
    """A look-up, a query and a question."""
    return [
        ("getPool", {"poolId": wallet.pool_id}),
        ("queryPools", {"query": {"filter": {"id": wallet.pool_id}}}),
        ("checkBenefitEligibility", wallet.question()),
    ]


async def test_every_answer_says_that_the_database_is_away(
    on_postgres: tuple[Service, str],
) -> None:
    """Whatever a connection is lost in is done or 503; afterwards the books are in order."""
    service, url = on_postgres
    first = await open_wallet(service, amount="100000")
    others = [await open_another(service, first.definition) for _ in range(WALLETS - 1)]
    wallets, load = [first, *others], Load()
    stranger = Caller(service.client, "a-key-that-nobody-has")
    administrator = await asyncpg.connect(url)
    with capture_logs() as lines:
        redeeming = [asyncio.create_task(load.redeem(wallet)) for wallet in wallets]
        reading = [
            asyncio.create_task(load.repeat(service, *read))
            for wallet in wallets
            for read in reads_of(wallet)
        ]
        asking = asyncio.create_task(load.repeat(stranger, "queryPools", {}))
        for _ in range(TERMINATIONS):
            await load.wait_for(ANSWERS_BETWEEN)
            service.running.services.authenticator.forget()
            await administrator.execute(END_ALL_OTHERS)
        load.is_over = True
        done = await asyncio.gather(*redeeming)
        await asyncio.gather(*reading, asking)
    await administrator.close()
    assert set(load.statuses) <= {200, 401, 409, UNAVAILABLE}, load.statuses
    assert load.statuses[UNAVAILABLE]
    assert [line for line in lines if line["log_level"] == "error"] == []
    for wallet, times in zip(wallets, done, strict=True):
        assert await wallet.available() == str(100_000 - 10 * times)
    await audit(service)
    assert await verify_store(service.store) == []
