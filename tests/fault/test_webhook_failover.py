"""Two servers on one database: when the one that delivers is gone, the other one goes on."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.contract.test_events import all_events
from tests.support.books import Books
from tests.support.calls import Caller, benefit
from tests.support.databases import PostgresDatabases
from tests.support.receiver import Receiver
from tests.support.service import FIRST_KEY
from tests.support.serving import ServerProcess
from tests.support.wallet import Wallet, open_wallet
from tests.support.webhooks import (
    DELIVERING,
    create_endpoint,
    look_until,
    progress_of,
    require_all,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.calls import Document
    from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.anyio

TAKE_OVER_SECONDS_MAX = 12
WALLETS = 4


class Pair(AsyncExitStack):
    """Two servers, of which the first delivers to a receiver; both take requests."""

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__()
        self.receiver = Receiver()
        self.books = Books(url)
        self.wallets: list[Wallet] = []
        self.first: Caller
        self.second: Caller
        self._variables = {
            "BENEFITS_DATABASE_URL": url,
            "BENEFITS_BOOTSTRAP_API_KEY": FIRST_KEY,
            **DELIVERING,
        }
        self._folder = folder
        self._servers: list[ServerProcess] = []

    @property
    def delivering(self) -> ServerProcess:
        return self._servers[0]

    async def begin(self) -> Document:
        """Start one server, let it deliver, and only then start the other; the endpoint."""
        await self.enter_async_context(self.receiver.running())
        first = self.first = await self._start()
        endpoint = await create_endpoint(first, self.receiver)
        towel = benefit("towel", price="1")
        opened = [await open_wallet(first, towel, amount="100000") for _ in range(WALLETS)]
        await self.receiver.until(lambda: self.receiver.taken)
        self.second = await self._start()
        self.wallets = [
            Wallet(self.second, each.definition, each.program, each.pool_id) for each in opened
        ]
        return endpoint

    async def _start(self) -> Caller:
        log = self._folder / f"log {len(self._servers)}"
        server = ServerProcess(["--log-format", "json"], log, **self._variables)
        self._servers.append(server)
        self.callback(server.stop, signal.SIGKILL)
        client = httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False)
        return Caller(await self.enter_async_context(client), FIRST_KEY)

    async def redeem(self) -> None:
        """Redeem once from each wallet, through the second server."""
        await asyncio.gather(*(each.redeem() for each in self.wallets))

    async def owner(self) -> str | None:
        """Which relay has the endpoint."""
        ((owner,),) = await self.books.read(
            "select lease_owner from webhook_progress where tenant_id = $1"
        )
        return owner  # type: ignore[no-any-return]

    async def take_over(self) -> None:
        """Redeem through the second server until the events of it are delivered, by it."""
        before, count = await self.owner(), len(self.receiver.taken)
        assert before is not None
        async with asyncio.timeout(TAKE_OVER_SECONDS_MAX):
            await self.redeem()
            await self.receiver.until(lambda: len(self.receiver.taken) > count)
        assert await self.owner() not in {before, None}

    async def finish(self, endpoint: Document) -> None:
        """Everything comes, and the database is sound."""
        await self.redeem()
        await look_until(
            lambda: progress_of(self.second, endpoint),
            lambda each: not each["hasMore"] and not int(each.get("pendingCount", 0)),
        )
        require_all(self.receiver, await all_events(self.second))
        await asyncio.to_thread(self.books.verify)


@pytest.fixture
def pair(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Pair]:
    databases = PostgresDatabases(postgres_server)
    url = databases.create()
    yield Pair(url, tmp_path)
    databases.drop(url)


async def test_the_other_server_takes_over_within_seconds(pair: Pair) -> None:
    """When the one that delivers is killed, nothing is lost."""
    async with pair:
        endpoint = await pair.begin()
        await pair.redeem()
        pair.delivering.stop(signal.SIGKILL)
        await pair.take_over()
        await pair.finish(endpoint)


async def test_a_server_that_stood_still_spoils_nothing(pair: Pair) -> None:
    """When it goes on it finds that it has lost the endpoint, and what it records is refused."""
    async with pair:
        endpoint = await pair.begin()
        await pair.redeem()
        pair.delivering.process.send_signal(signal.SIGSTOP)
        await pair.take_over()
        owner = await pair.owner()
        position = int((await progress_of(pair.second, endpoint))["cursor"])
        pair.delivering.process.send_signal(signal.SIGCONT)
        await pair.first.call("getWebhookEndpoint", {"webhookEndpointId": endpoint["id"]})
        await pair.finish(endpoint)
        assert await pair.owner() in {owner, None}
        assert int((await progress_of(pair.second, endpoint))["cursor"]) > position
