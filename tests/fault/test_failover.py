"""A primary that dies or is demoted while it is used, and the standby that takes over."""

from __future__ import annotations

import asyncio
import socket
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg
import httpx
import pytest

from benefit_programs.client import AsyncBenefitPrograms, ItemReference
from benefit_programs.domain.store import StoreUnavailable
from benefit_programs.storage import hosts as limits
from benefit_programs.storage.hosts import Hosts
from benefit_programs.storage.postgres import PostgresStore
from tests.support.calls import NAMESPACE
from tests.support.databases import PostgresDatabases
from tests.support.gate import open_gate
from tests.support.looking import LOOK_PAUSE_SECONDS, wait_until
from tests.support.postgres import PostgresServer, start_own_postgres
from tests.support.service import Server
from tests.support.serving import run_benefits
from tests.support.wallet import open_wallet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.wallet import Wallet

pytestmark = pytest.mark.anyio

REDEEMERS = 6
ENOUGH = 5
"""How many redemptions each of them makes before the crash, and after it."""

RETRIES = 30

IN_STEP = "select count(*) from pg_stat_replication where sync_state = 'sync'"
ADD_SECRET = "insert into secrets (name, value) values ($1, '00')"


class Pair(NamedTuple):
    """A primary, a standby that its commits wait for, and a URL that names both."""

    primary: PostgresServer
    standby: PostgresServer
    url: str

    @property
    def hosts_url(self) -> str:
        """The standby first: the order says nothing."""
        both = f"{self.standby.place},{self.primary.place}"
        return self.url.replace(self.primary.place, both)


async def be_in_step(url: str) -> None:
    """Have commits of a server wait for its standby from now on."""
    connection = await asyncpg.connect(url)
    await connection.execute("alter system set synchronous_standby_names = '*'")
    await connection.execute("select pg_reload_conf()")
    while not await connection.fetchval(IN_STEP):  # noqa: ASYNC110 - a server's state
        await asyncio.sleep(LOOK_PAUSE_SECONDS)
    await connection.close()


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two servers of the test's own."""
    primary = start_own_postgres(durable=False, synchronous_commit="on")
    url = PostgresDatabases(primary).create()
    standby = primary.start_standby()
    asyncio.run(be_in_step(url))
    yield Pair(primary, standby, url)
    standby.stop()
    primary.stop()


class Redeemer:
    """Redeems again and again from one wallet, and remembers what was answered."""

    def __init__(self, client: AsyncBenefitPrograms, wallet: Wallet) -> None:
        self.answered: list[str] = []
        self._client = client
        self._wallet = wallet

    async def redeem_until(self, stop: asyncio.Event) -> None:
        """Go on. The client repeats what was not answered, with the same key."""
        reference = self._wallet.reference()
        while not stop.is_set():
            done = await self._client.pools.redeem(
                self._wallet.pool_id,
                benefit_key=self._wallet.benefit()["benefitKey"],
                item_reference=ItemReference(
                    external_id=reference["externalId"],
                    provider_app_id=reference["providerAppId"],
                ),
                namespace=NAMESPACE,
            )
            self.answered.append(done.transaction_id)


async def test_nothing_answered_is_lost_when_a_standby_takes_over(
    pair: Pair, tmp_path: Path
) -> None:
    """After `kill -9` of the primary the service goes on by itself, and each redemption is once."""
    server = Server(pair.hosts_url, tmp_path / "log")
    statuses: set[int] = set()

    async def note(response: httpx.Response) -> None:
        statuses.add(response.status_code)
        assert response.status_code != 503 or response.headers["retry-after"] == "1"

    try:
        async with (
            server.connect() as caller,
            httpx.AsyncClient(event_hooks={"response": [note]}, trust_env=False) as http,
        ):
            client = AsyncBenefitPrograms(
                server.url, server.key, http_client=http, max_retries=RETRIES
            )
            wallets = [await open_wallet(caller, amount="10000") for _ in range(REDEEMERS)]
            redeemers = [Redeemer(client, wallet) for wallet in wallets]
            stop = asyncio.Event()
            going_on = asyncio.gather(*(each.redeem_until(stop) for each in redeemers))
            await wait_until(lambda: all(len(each.answered) >= ENOUGH for each in redeemers))
            pair.primary.kill()
            await asyncio.to_thread(pair.standby.promote)
            enough = [len(each.answered) + ENOUGH for each in redeemers]
            await wait_until(
                lambda: all(
                    len(each.answered) >= number
                    for each, number in zip(redeemers, enough, strict=True)
                )
            )
            stop.set()
            await going_on
            for redeemer, wallet in zip(redeemers, wallets, strict=True):
                rows = await wallet.transactions()
                redeemed = [row["id"] for row in rows if row["target"] == "EXTERNAL"]
                assert sorted(redeemed) == sorted(redeemer.answered)
    finally:
        server.stop()
    # Who asks again for what was done when its answer was lost is told so: 409.
    assert statuses <= {200, 409, 503}
    verified = run_benefits("verify", BENEFITS_DATABASE_URL=pair.hosts_url)
    assert verified.returncode == 0, verified.stdout


async def test_demoted_primary_is_left_for_the_one_that_takes_writes(pair: Pair) -> None:
    """Connections to a server that became read-only are dropped, and the writable one is found."""
    store = await PostgresStore.open(pair.hosts_url, connections_max=5)
    await store.execute(ADD_SECRET, ("before",))
    connection = await asyncpg.connect(pair.url)
    await connection.execute("alter system set default_transaction_read_only = on")
    await connection.execute("select pg_reload_conf()")
    await connection.close()

    async def write_on() -> None:
        for number in range(1_000):
            await store.execute(ADD_SECRET, (f"meanwhile {number}",))

    with pytest.raises(StoreUnavailable):
        await write_on()
    with pytest.raises(StoreUnavailable) as failed:
        await PostgresStore.open(pair.hosts_url)
    servers = (pair.standby, pair.primary)
    assert str(failed.value) == "; ".join(f"{each.place}: takes no writes" for each in servers)
    await asyncio.to_thread(pair.standby.promote)
    await store.execute(ADD_SECRET, ("after",))
    assert ("before",) in await store.fetch("select name from secrets", ())
    (port,) = await store.fetch("select inet_server_port()", ())
    assert port == (int(pair.standby.place.rpartition(":")[2]),)
    await store.close()


async def test_host_that_says_nothing_is_passed_over(postgres_url: str) -> None:
    """A machine that takes connections and never answers doesn't keep anybody from the next."""
    place = postgres_url.rpartition("@")[2].partition("/")[0]
    async with open_gate(place) as gate:
        gate.silence()
        store = await PostgresStore.open(postgres_url.replace(place, f"{gate.place},{place}"))
        started = monotonic()
        await asyncio.gather(*(store.fetch("select 1", ()) for _ in range(10)))
        assert monotonic() - started < 10
        await store.close()


async def test_host_that_another_connection_found_is_tried_too(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which host was it last may change while a connection looks; it still asks each of them."""
    place = postgres_url.rpartition("@")[2].partition("/")[0]
    async with open_gate(place) as gate:
        gate.silence()
        hosts = Hosts(postgres_url.replace(place, f"{gate.place},{place}"))
        slow = asyncio.create_task(hosts.connect())
        await wait_until(lambda: bool(gate._ways))
        monkeypatch.setattr(limits, "HOST_SECONDS_MAX", 0.1)
        quick = await hosts.connect()
        await gate.shut()
        for connection in (quick, await slow):
            await connection.close()


async def test_commit_that_no_standby_confirms_is_not_called_done() -> None:
    """PostgreSQL calls a commit done whose wait for the standby it ends; the store never does."""
    server = start_own_postgres(durable=False, synchronous_commit="on")
    try:
        url = PostgresDatabases(server).create()
        administrator = await asyncpg.connect(url)
        await administrator.execute("alter system set synchronous_standby_names = 'nobody'")
        await administrator.execute("select pg_reload_conf()")
        store = await PostgresStore.open(url, statement_seconds=0.3)
        with pytest.raises(StoreUnavailable, match="may wait for a standby"):
            await store.execute(ADD_SECRET, ("unconfirmed",))
        await administrator.execute("alter system reset synchronous_standby_names")
        await administrator.execute("select pg_reload_conf()")
        await administrator.close()
        await store.execute(ADD_SECRET, ("confirmed",))
        await store.close()
    finally:
        server.stop()


async def test_machine_that_is_gone_is_noticed(postgres_url: str) -> None:
    """The system ends a connection whose other side acknowledges nothing for five seconds."""
    store = await PostgresStore.open(postgres_url, connections_max=1)
    async with store._connection(store._keyed) as connection:
        line: Any = connection._transport.get_extra_info("socket")
        assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 5_000
    await store.close()
