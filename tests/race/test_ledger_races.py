"""Many callers at once, of one process on SQLite and of two on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.bootstrap import open_database
from benefit_programs.config import Settings
from benefit_programs.storage.verification import Report, verify
from tests.support.calls import Refused, benefit, guid
from tests.support.service import Server
from tests.support.wallet import Wallet, open_wallet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from tests.support.calls import Caller
    from tests.support.databases import Databases

pytestmark = pytest.mark.anyio

CLIENTS = 64
ROUNDS = 1
VERIFICATIONS = 1
DAILY = {
    "type": "POLICY",
    "policyOptions": {
        "type": "RATE_LIMITED",
        "rateLimitedOptions": {"times": 10, "timePeriod": "DAY"},
    },
}


class Crowd:
    """Clients of the servers of one database, each with a connection of its own."""

    def __init__(self, url: str, tenant_id: int, callers: list[Caller]) -> None:
        self.url = url
        self.tenant_id = tenant_id
        self.callers = callers

    async def each(self, work: Callable[[Caller], Awaitable[Any]]) -> list[Any]:
        """Let every client do the same at once; what each got, a refusal's code too."""

        async def one(caller: Caller) -> Any:
            try:
                return await work(caller)
            except Refused as refused:
                return refused

        return list(await asyncio.gather(*(one(caller) for caller in self.callers)))

    async def verify(self) -> Report:
        """Check every invariant of the tenant, beside the servers."""
        async with open_database(Settings(database_url=self.url)) as store:
            return await verify(store, tenant_ids=[self.tenant_id])


@pytest.fixture(scope="module")
def servers(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, list[Server]]]:
    """One server on a SQLite file, two on a PostgreSQL database."""
    url = databases.create()
    folder = tmp_path_factory.mktemp("race")
    numbers = range(1 if url.startswith("sqlite") else 2)
    started = [Server(url, folder / f"log {number}") for number in numbers]
    yield url, started
    for server in started:
        server.stop()
    databases.drop(url)


@pytest.fixture
async def crowd(servers: tuple[str, list[Server]]) -> AsyncIterator[Crowd]:
    url, started = servers
    tenant_id, key = started[0].make_tenant()
    async with AsyncExitStack() as stack:
        connected = [await stack.enter_async_context(each.connect(key)) for each in started]
        callers = [connected[number % len(connected)] for number in range(CLIENTS)]
        crowd = Crowd(url, tenant_id, callers)
        yield crowd
        assert (await crowd.verify()).violations == []


def at(wallet: Wallet, caller: Caller) -> Wallet:
    """The same wallet, as another client sees it."""
    return Wallet(caller, wallet.definition, wallet.program, wallet.pool_id)


def codes(answers: list[Any]) -> Counter[str]:
    return Counter(
        (each.code or "INVALID") if isinstance(each, Refused) else "OK" for each in answers
    )


def giver_back(wallet: Wallet, transaction_id: str) -> Callable[[Caller], Awaitable[str]]:
    """What every other client does to cancel, and the rest to revert."""
    turns = count()

    async def give_back(caller: Caller) -> str:
        own = at(wallet, caller)
        return await (own.cancel if next(turns) % 2 else own.revert)(transaction_id)

    return give_back


async def test_a_balance_is_spent_to_the_last_credit_and_no_further(crowd: Crowd) -> None:
    """64 clients redeem at price 1 until they are refused: of 100 credits exactly 100 are spent."""
    wallet = await open_wallet(crowd.callers[0], benefit("towel", price="1"))

    async def spend(caller: Caller) -> list[str]:
        done: list[str] = []
        while True:
            response = await caller.send("redeemBenefit", wallet.redemption())
            if response.status_code != 200:
                refused = Refused(response)
                assert refused.code == "NOT_ENOUGH_BALANCE"
                assert refused.data["availableBalance"] == "0"
                return done
            done.append(response.json()["transactionId"])

    spent = [each for done in await crowd.each(spend) for each in done]
    assert (len(spent), len(set(spent))) == (100, 100)
    balance = await wallet.balance()
    assert balance["amount"]["available"] == "0"
    assert balance["revision"] == "101"


async def test_one_key_has_one_effect(crowd: Crowd) -> None:
    """64 clients send one key: one redeems, 63 are told of its transaction."""
    wallet = await open_wallet(crowd.callers[0])
    request = wallet.redemption()
    answers = await crowd.each(lambda caller: caller.call("redeemBenefit", request))
    assert codes(answers) == {"OK": 1, "BENEFIT_ALREADY_REDEEMED": CLIENTS - 1}
    (first,) = (each["transactionId"] for each in answers if not isinstance(each, Refused))
    told = {each.data["transactionId"] for each in answers if isinstance(each, Refused)}
    assert told == {first}
    assert await wallet.available() == "90"


async def test_a_change_is_made_once_per_key(crowd: Crowd) -> None:
    """64 clients send one change, another that changes nothing: each is done once."""
    wallet = await open_wallet(crowd.callers[0])
    for options in ({"adjustOptions": {"value": "5"}}, {"adjustOptions": {"value": "0"}}):
        request = wallet.change(**options)
        responses = await asyncio.gather(
            *(caller.send("changeBalance", request) for caller in crowd.callers)
        )
        statuses = Counter(response.status_code for response in responses)
        assert statuses == {200: 1, 409: CLIENTS - 1}
    assert await wallet.available() == "105"


async def test_a_limit_lets_through_as_many_as_it_says(crowd: Crowd) -> None:
    """64 clients on a limit of 10 a day: exactly 10 redeem."""
    wallet = await open_wallet(
        crowd.callers[0], benefit("towel", price="1", policyExpression=DAILY)
    )
    when = "2030-05-02T10:00:00Z"
    answers = await crowd.each(lambda caller: at(wallet, caller).redeem(targetDate=when))
    refused = CLIENTS - 10
    assert codes(answers) == {"OK": 10, "POLICY_EXPRESSION_EVALUATED_TO_FALSE": refused}
    assert await wallet.available() == "90"


async def test_a_redemption_is_given_back_once(crowd: Crowd) -> None:
    """Clients cancel, revert and move one redemption at once: it is given back once."""
    for _ in range(ROUNDS):
        wallet = await open_wallet(crowd.callers[0])
        first = await wallet.redeem()

        answers = await crowd.each(giver_back(wallet, first))
        told = codes(answers)
        assert told["OK"] == 1
        assert told.keys() <= {"OK", "REDEMPTION_ALREADY_CANCELED", "CHANGE_ALREADY_REVERTED"}
        (done,) = (each for each in answers if not isinstance(each, Refused))
        named = {
            each.data.get("cancellationTransactionId") or each.data.get("revertedTransactionId")
            for each in answers
            if isinstance(each, Refused)
        }
        assert named == {done}
        assert await wallet.available() == "100"


async def test_a_redemption_is_moved_along_one_line(crowd: Crowd) -> None:
    """64 clients move one redemption at once: one wins, the others are told which is the newest."""
    wallet = await open_wallet(crowd.callers[0])
    first = await wallet.redeem()
    answers = await crowd.each(
        lambda caller: at(wallet, caller).reallocate(first, "2030-05-02T10:00:00Z")
    )
    assert codes(answers) == {"OK": 1, "NOT_LATEST_TRANSACTION": CLIENTS - 1}
    (moved,) = (each for each in answers if not isinstance(each, Refused))
    assert {each.data["latestTransactionId"] for each in answers if each is not moved} == {moved}


async def test_a_program_is_provisioned_once(crowd: Crowd) -> None:
    """64 clients provision one external id: one makes the program, the others are refused."""
    wallet = await open_wallet(crowd.callers[0])
    external_id = guid()
    answers = await crowd.each(
        lambda caller: caller.provision(
            pool_definition=wallet.definition, externalProgramId=external_id
        )
    )
    told = codes(answers)
    assert told["OK"] == 1
    assert told.keys() <= {"OK", "PROGRAM_ALREADY_EXISTS", "IN_PROGRESS"}


async def test_changes_in_all_directions_add_up(crowd: Crowd) -> None:
    """64 clients add, take, redeem and give back on two pools: nothing is lost or made."""
    wallets = [
        await open_wallet(crowd.callers[0], benefit("towel", price="0.3333")) for _ in range(2)
    ]
    turns = iter(range(ROUNDS * CLIENTS))

    async def work(caller: Caller) -> None:
        for _ in range(ROUNDS):
            wallet = at(wallets[next(turns) % 2], caller)
            added = (await wallet.adjust("0.0007"))["transactionId"]
            first = await wallet.redeem()
            await wallet.cancel(await wallet.reallocate(first, "2030-05-02T10:00:00Z"))
            await wallet.revert(added)
            await wallet.adjust("0.0001")

    assert codes(await crowd.each(work)) == {"OK": CLIENTS}
    balances = [Decimal(await wallet.available()) for wallet in wallets]
    assert sum(balances) == 200 + ROUNDS * CLIENTS * Decimal("0.0001")


async def test_verifying_beside_writers_gives_no_false_alarm(crowd: Crowd) -> None:
    """While clients go on writing, every verification finds every invariant kept."""
    wallet = await open_wallet(
        crowd.callers[0], benefit("towel", price="1", policyExpression=DAILY)
    )
    checked = asyncio.Event()

    async def write(caller: Caller) -> int:
        own, done = at(wallet, caller), 0
        while not checked.is_set():
            await own.cancel(await own.redeem(targetDate="2030-05-02T10:00:00Z"))
            await own.adjust("1")
            done += 1
        return done

    writers = [asyncio.ensure_future(write(caller)) for caller in crowd.callers[:8]]
    reports = [await crowd.verify() for _ in range(VERIFICATIONS)]
    checked.set()
    assert sum(await asyncio.gather(*writers)) > 0
    assert [report.violations for report in reports] == [[]] * VERIFICATIONS
