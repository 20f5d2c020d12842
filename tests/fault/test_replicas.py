"""Reads on a real standby that lags or dies: each sees what its caller was answered before."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from structlog.testing import capture_logs

from benefit_programs.api.methods import METHODS
from benefit_programs.api.replicas import CONSISTENT_HEADER
from benefit_programs.client import AdjustBalance, AsyncBenefitPrograms
from benefit_programs.storage import replicas as limits
from benefit_programs.storage.postgres import PostgresStore
from benefit_programs.storage.reader import Reader
from benefit_programs.storage.replicas import PRIMARY, Replicas
from tests.conformance.world import REQUESTS, settle
from tests.support.calls import Caller
from tests.support.clock import DAY
from tests.support.databases import PostgresDatabases
from tests.support.dated import MONTHLY, join, make_plan, open_still
from tests.support.gate import open_gate
from tests.support.inprocess import Service, new_tenant, open_application
from tests.support.looking import LOOK_PAUSE_SECONDS, wait_until
from tests.support.node import PACKAGES, ensure_js_packages, node_executable
from tests.support.postgres import PostgresServer, start_own_postgres
from tests.support.service import Server
from tests.support.wallet import open_wallet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from benefit_programs.storage.replicas import Replica

pytestmark = pytest.mark.anyio

AT_ONCE_SECONDS_MAX = 5
"""Half of what a connection may take that is never answered."""

QUERY = "queryProgramDefinitions"
CALLERS = 3
ROUNDS = 20
ROUNDS_MAX = 150
"""A busy machine may need more of them until the standby was both there and behind."""


class Pair(NamedTuple):
    """A primary and its standby, and a database of the newest schema on both."""

    primary: PostgresServer
    standby: PostgresServer
    url: str

    @property
    def replica_url(self) -> str:
        """The same database on the standby."""
        return self.url.replace(self.primary.place, self.standby.place)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Two servers that the tests of this module share."""
    primary = start_own_postgres(durable=False)
    url = PostgresDatabases(primary).create()
    standby = primary.start_standby()
    yield Pair(primary, standby, url)
    standby.stop()
    primary.stop()


class Replay:
    """What the standby does with the log that it gets."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def pause(self) -> None:
        """Stay where it is from now on."""
        await self._connection.execute("select pg_wal_replay_pause()")
        state = "select pg_get_wal_replay_pause_state()"
        while await self._connection.fetchval(state) != "paused":  # noqa: ASYNC110 - a server's
            await asyncio.sleep(LOOK_PAUSE_SECONDS)

    async def resume(self) -> None:
        await self._connection.execute("select pg_wal_replay_resume()")


@pytest.fixture
async def replay(pair: Pair) -> AsyncIterator[Replay]:
    """The standby's replay, which goes on after the test."""
    connection = await asyncpg.connect(pair.replica_url)
    replay = Replay(connection)
    yield replay
    await replay.resume()
    await connection.close()


def replica_of(service: Service) -> Replica:
    assert service.running.services.replicas is not None
    return service.running.services.replicas.all[0]


async def be_connected(service: Service) -> None:
    await wait_until(lambda: replica_of(service).reader is not None)


@asynccontextmanager
async def open_with_replica(url: str, replica_url: str) -> AsyncIterator[Service]:
    """A service whose replica is there."""
    async with open_application(url, replica_urls=(replica_url,)) as application:
        service = await new_tenant(*application)
        await be_connected(service)
        yield service


@pytest.fixture
async def service(pair: Pair) -> AsyncIterator[Service]:
    """A service with the standby as its replica."""
    async with open_with_replica(pair.url, pair.replica_url) as service:
        yield service


async def outcomes(caller: Caller) -> Counter[str]:
    """What has become of the reads that came to a server's replica."""
    page = (await caller.client.get("/metrics")).text
    found = re.findall(r'benefits_replica_reads_total\{outcome="(\w+)",replica="1"\} (\d+)', page)
    return Counter({outcome: int(number) for outcome, number in found})


async def written(service: Service) -> tuple[str, str]:
    """A new program definition, and the position that its caller holds."""
    response = await service.send(
        "createProgramDefinition",
        {"programDefinition": {"namespace": "gym", "externalId": os.urandom(8).hex()}},
    )
    return response.json()["programDefinition"]["id"], response.headers[CONSISTENT_HEADER]


async def found(service: Service, definition: str, position: str | None = None) -> httpx.Response:
    """The answer to a read with a position, which must find a definition."""
    headers = {} if position is None else {"x_wix_consistent": position}
    response = await service.send(QUERY, {"query": {"filter": {"id": definition}}}, **headers)
    assert [each["id"] for each in response.json()["programDefinitions"]] == [definition]
    return response


async def test_replica_answers_who_tells_what_it_was_told(service: Service) -> None:
    """It answers once it has come as far, and leaves its caller the position."""
    definition, position = await written(service)
    await wait_until(lambda: replica_of(service)._reached >= position)
    response = await found(service, definition, position)
    assert CONSISTENT_HEADER not in response.headers
    assert await outcomes(service) == {"answered": 1}


async def test_primary_answers_who_tells_nothing_or_nonsense(service: Service) -> None:
    """What isn't a position is none: the answer comes from the primary, with a real one."""
    definition, position = await written(service)
    for nonsense in (None, "", "primary", "0" * 23, position.lower() + "x", "9" * 5_000):
        response = await found(service, definition, nonsense)
        assert response.headers[CONSISTENT_HEADER] >= position
    assert await outcomes(service) == {}


async def test_position_that_never_comes_is_not_waited_for_long(service: Service) -> None:
    """Nobody may hang for a position of the future: the primary answers, and says its own."""
    definition, position = await written(service)
    started = monotonic()
    response = await found(service, definition, "F" * 24)
    assert monotonic() - started < 5
    assert position <= response.headers[CONSISTENT_HEADER] < "F" * 24
    assert await outcomes(service) == {"behind": 1}


async def test_read_waits_for_a_replica_that_is_nearly_there(
    service: Service, replay: Replay
) -> None:
    """A replica that comes as far while a read waits answers it."""
    await replay.pause()
    definition, position = await written(service)
    reading = asyncio.create_task(replica_of(service).reaches(position))
    await replay.resume()
    await reading
    await wait_until(lambda: replica_of(service)._reached >= position)
    await found(service, definition, position)
    assert (await outcomes(service))["answered"] == 1


async def test_who_holds_an_old_position_sees_what_this_process_has_written(
    service: Service, replay: Replay
) -> None:
    """Another client of the same tenant, or answers out of order, don't make a write disappear."""
    _, old = await written(service)
    await wait_until(lambda: replica_of(service)._reached >= old)
    await replay.pause()
    definition, _ = await written(service)
    await found(service, definition, old)
    assert await outcomes(service) == {"behind": 1}


async def test_refused_write_tells_how_far_the_primary_is(service: Service) -> None:
    """A refusal may tell of an earlier write, so it has a position as well."""
    _, position = await written(service)
    response = await service.send("createProgramDefinition", {})
    assert response.status_code == 400
    assert response.headers[CONSISTENT_HEADER] >= position


async def test_who_asks_too_often_costs_the_primary_no_question(pair: Pair) -> None:
    """A refusal for that tells of nothing that was written, and moves no position on."""
    limit = {"requests_per_second": 1, "requests_at_once": 1, "replica_urls": (pair.replica_url,)}
    async with open_application(pair.url, **limit) as application:
        service = await new_tenant(*application)
        responses = [await service.send("createProgramDefinition", {}) for _ in range(10)]
        refused = [each for each in responses if each.status_code == 429]
        assert refused
        assert not any(CONSISTENT_HEADER in each.headers for each in refused)


async def test_what_a_process_forgets_is_asked_of_everybody(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the last write of a tenant is forgotten, or its position unknown, nobody reads less."""
    monkeypatch.setattr(limits, "TENANTS_WRITTEN_MAX", 2)
    store = await PostgresStore.open(postgres_url)
    async with Replicas.open(store, (), like=Reader(store, b"secret")) as replicas:
        earliest = await replicas.position()
        assert replicas.required(1, "0" * 24) <= earliest
        for tenant, position in enumerate(("A" * 24, "B" * 24, "C" * 24)):
            replicas.wrote(tenant, position)
        required = [replicas.required(tenant, earliest) for tenant in range(4)]
        assert required == ["A" * 24, "B" * 24, "C" * 24, "A" * 24]
        await store.close()
        assert await replicas.position() == PRIMARY
        replicas.wrote(2, PRIMARY)
        assert replicas.required(2, "F" * 24) == PRIMARY
        replicas.wrote(2, "D" * 24)
        assert replicas.required(2, earliest) == "D" * 24


async def test_what_is_due_is_booked_by_the_primary_and_seen(pair: Pair) -> None:
    """A late read on a replica has the primary book what is due, and shows it as booked."""
    async with open_still(pair.url, replica_urls=(pair.replica_url,)) as (service, clock):
        await be_connected(service)
        wallet = await join(service, await make_plan(service, amount="100"), MONTHLY)
        await wallet.redeem(count=3)
        clock.now += 32 * DAY
        _, position = await written(service)
        await wait_until(lambda: replica_of(service)._reached >= position)
        request = {"poolId": wallet.pool_id}
        late = await service.send("getBalance", request, x_wix_consistent=position)
        assert late.json()["balance"]["amount"]["available"] == "100"
        booked = late.headers[CONSISTENT_HEADER]
        assert await outcomes(service) == {"due": 1}
        await wait_until(lambda: replica_of(service)._reached >= booked)
        again = await service.send("getBalance", request, x_wix_consistent=booked)
        assert again.json() == late.json()
        assert await outcomes(service) == {"due": 1, "answered": 1}


@pytest.mark.parametrize("way", ["shut", "silent"])
async def test_replica_that_is_away_is_no_trouble(pair: Pair, way: str) -> None:
    """Reads go on, the service stays ready, the log tells once, and the replica is used again."""
    async with AsyncExitStack() as stack:
        gate = await stack.enter_async_context(open_gate(pair.standby.place))
        replica_url = pair.replica_url.replace(pair.standby.place, gate.place)
        lines = stack.enter_context(capture_logs())
        service = await stack.enter_async_context(open_with_replica(pair.url, replica_url))
        definition, position = await written(service)
        await wait_until(lambda: replica_of(service)._reached >= position)
        if way == "silent":
            gate.silence()
            # Some of them wait for new connections, which never come.
            reading = asyncio.gather(*(found(service, definition, position) for _ in range(5)))
            await wait_until(lambda: replica_of(service).reader is None)
            async with asyncio.timeout(AT_ONCE_SECONDS_MAX):
                await reading
            await gate.shut()
        else:
            await gate.shut()
            await found(service, definition, position)
        await wait_until(lambda: replica_of(service).reader is None)
        await found(service, definition, position)
        assert (await service.client.get("/readyz")).status_code == 200
        await gate.open()
        await be_connected(service)
        await wait_until(lambda: replica_of(service)._reached >= position)
        response = await found(service, definition, position)
        assert CONSISTENT_HEADER not in response.headers
        told = [line["event"] for line in lines if "away" in line["event"]]
        assert told == [f"the replica {gate.place} is away"]
        assert (await outcomes(service))["away"] >= 1


async def test_only_a_standby_of_the_same_database_is_a_replica(pair: Pair) -> None:
    """The primary itself, and another database of the standby, are never read from."""
    other = urlsplit(pair.replica_url)._replace(path="/postgres").geturl()
    for url, reason in ((pair.url, "no standby"), (other, "another database")):
        with capture_logs() as lines:
            async with open_application(pair.url, replica_urls=(url,)) as application:
                service = await new_tenant(*application)
                definition, position = await written(service)
                await wait_until(lambda: any("away" in line["event"] for line in lines))
                await found(service, definition, position)
        (line,) = [line for line in lines if "away" in line["event"]]
        assert reason in line["reason"]


@pytest.mark.full
async def test_servers_behind_one_address_are_noticed(pair: Pair) -> None:
    """How far one is says nothing about another, so an address that leads to two is not used."""
    third = pair.primary.start_standby()
    try:
        async with open_gate(pair.standby.place) as gate:
            replica_url = pair.replica_url.replace(pair.standby.place, gate.place)
            with capture_logs() as lines:
                async with open_with_replica(pair.url, replica_url) as service:
                    definition, position = await written(service)
                    await wait_until(lambda: replica_of(service)._reached >= position)
                    gate._behind = ("127.0.0.1", int(third.place.rpartition(":")[2]))
                    store = replica_of(service)._store
                    reads = [found(service, definition, position) for _ in range(20)]
                    await asyncio.gather(*reads)
                    await wait_until(lambda: replica_of(service)._store is not store)
        assert any("several servers" in line.get("reason", "") for line in lines)
    finally:
        third.stop()


async def test_every_read_gets_the_same_from_replica_and_primary(service: Service) -> None:
    """All methods that replicas answer find there what the primary has."""
    world = await settle(service)
    await service.running.runner.settle()
    names = [name for name, method in METHODS.items() if method.is_for_replicas]
    _, position = await written(service)
    await wait_until(lambda: replica_of(service)._reached >= position)
    for name in names:
        here = await service.send(name, REQUESTS[name](world))
        there = await service.send(name, REQUESTS[name](world), x_wix_consistent=position)
        assert here.status_code == there.status_code == 200
        assert CONSISTENT_HEADER in here.headers, name
        assert CONSISTENT_HEADER not in there.headers, name
        assert _timeless(here) == _timeless(there), name
    assert await outcomes(service) == {"answered": len(names)}


def _timeless(answer: httpx.Response) -> str:
    """An answer without instants: some are those at which it was made."""
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "", answer.text)


class _Turns(httpx.AsyncBaseTransport):
    """Sends each request to the next of several servers."""

    def __init__(self, running: list[Any]) -> None:
        self._all = [httpx.ASGITransport(each.application) for each in running]
        self._number = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One after the other."""
        self._number += 1
        return await self._all[self._number % len(self._all)].handle_async_request(request)


@asynccontextmanager
async def lagging(replay: Replay, chance: Random) -> AsyncIterator[None]:
    """The standby stops and goes on at random meanwhile."""

    async def lag() -> None:
        while True:
            await replay.pause()
            await asyncio.sleep(chance.uniform(0, 0.1))
            await replay.resume()
            await asyncio.sleep(chance.uniform(0.05, 0.3))

    task = asyncio.create_task(lag())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait((task,))


async def test_python_client_reads_what_it_has_written_under_random_lag(
    pair: Pair, replay: Replay
) -> None:
    """Whichever of two servers answers, and however far the standby is, no write is missing."""
    chance = Random(16)
    async with (
        open_with_replica(pair.url, pair.replica_url) as service,
        open_application(pair.url, replica_urls=(pair.replica_url,)) as (other, other_client),
        httpx.AsyncClient(transport=_Turns([service.running, other])) as http,
    ):
        wallets = [await open_wallet(service) for _ in range(CALLERS)]

        async def counted() -> Counter[str]:
            return await outcomes(service) + await outcomes(Caller(other_client, None))

        async def use(pool_id: str) -> None:
            client = AsyncBenefitPrograms("http://x.test", service.key or "", http_client=http)
            for number in range(ROUNDS_MAX):
                if number >= ROUNDS and {"answered", "behind"} <= set(await counted()):
                    break
                changed = await client.balances.change(pool_id, AdjustBalance(value=1))
                found = await client.balances.get(pool_id)
                assert found.available == changed.balance.available, number

        async with lagging(replay, chance):
            await asyncio.gather(*(use(wallet.pool_id) for wallet in wallets))
        assert {"answered", "behind"} <= set(await counted())


@pytest.mark.full
async def test_official_sdk_reads_what_it_has_written_under_random_lag(
    pair: Pair, replay: Replay, tmp_path: Path
) -> None:
    """A client of the SDK repeats the position, whichever of two server processes answers."""
    ensure_js_packages()
    variables = {"BENEFITS_REPLICA_URLS": pair.replica_url}
    servers = [Server(pair.url, tmp_path / f"log{number}", **variables) for number in range(2)]
    try:
        urls = ",".join(server.url for server in servers)
        key = await asyncio.to_thread(servers[0].make_key)
        async with lagging(replay, Random(17)):
            script = await asyncio.create_subprocess_exec(
                node_executable(),
                "replicas.mjs",
                cwd=PACKAGES,
                env=os.environ | {"BENEFITS_URLS": urls, "BENEFITS_API_KEY": key},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            said, _ = await script.communicate()
        assert script.returncode == 0, said.decode()
        counted: Counter[str] = Counter()
        for server in servers:
            async with server.connect() as caller:
                counted += await outcomes(caller)
        assert {"answered", "behind"} <= set(counted)
    finally:
        for server in servers:
            server.stop()
