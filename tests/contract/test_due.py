"""What is due happens by itself: soon, once, in turns, and whatever a row or a clock does."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from benefit_programs.domain.due import DUE, HORIZON, BeginTurn
from benefit_programs.domain.entities import Agenda, Lot, Pool, Transaction
from benefit_programs.engine.engine import Engine
from benefit_programs.jobs import due as jobs_due
from benefit_programs.jobs.runner import JobRunner
from benefit_programs.storage.agenda import count_due
from benefit_programs.storage.all_tenants import AllTenants
from tests.support.clock import HOUR, Clock
from tests.support.dated import DAILY, join, make_plan
from tests.support.inprocess import new_tenant, open_application
from tests.support.lifecycle import do, run_jobs
from tests.support.wallet import Wallet, open_another, open_wallet
from tests.support.webhooks import look_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benefit_programs.domain.rows import Row
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

SECONDS_MAX = 20
LATE_MILLISECONDS_MAX = 2_000


@pytest.fixture
async def clock() -> Clock:
    return Clock()


@pytest.fixture
async def idle(database_url: str, clock: Clock) -> AsyncIterator[Service]:
    """A service with a clock that a test moves, where nothing happens by itself."""
    async with open_application(database_url, run_jobs=False, clock=clock) as application:
        yield await new_tenant(*application)


async def open_lasting(service: Service, duration: str = "PT1H") -> Wallet:
    """A wallet whose credits live so long."""
    credit = {"amount": "100", "expiresAfter": duration}
    return await open_wallet(service, creditConfiguration=credit)


async def expiries(service: Service) -> list[Transaction]:
    return [row for row in await service.rows(Transaction) if row.operation == "EXPIRY"]


async def agenda_of(service: Service) -> int:
    (row,) = [row for row in await service.rows(Agenda) if row.kind == DUE]
    assert row.since is not None
    return row.since


async def pool_of(service: Service, wallet: Wallet) -> Pool:
    return next(row for row in await service.rows(Pool) if row.id == wallet.pool_id)


@asynccontextmanager
async def written(service: Service, entity: type[Row]) -> AsyncIterator[None]:
    """Wait at the end of the block until such a row was written by anybody here."""
    done = asyncio.Event()

    def notice(types: frozenset[type[Row]]) -> None:
        if entity in types:
            done.set()

    service.engine.on_commit(notice)
    yield
    async with asyncio.timeout(SECONDS_MAX):
        await done.wait()


async def test_credits_lapse_within_two_seconds(own_service: Service) -> None:
    """Nobody calls and no commit wakes anybody: what expires lapses soon after its instant."""
    wallet = await open_lasting(own_service, "PT1.5S")
    async with written(own_service, Lot):
        pass
    (expiry,) = await expiries(own_service)
    (lot,) = await own_service.rows(Lot)
    assert lot.status == "EXPIRED"
    assert lot.expiration_date == (expiry.details.due or expiry.created)
    assert 0 <= expiry.created - lot.expiration_date <= LATE_MILLISECONDS_MAX
    assert (await pool_of(own_service, wallet)).due is None


async def test_reads_do_not_count_what_has_expired(idle: Service, clock: Clock) -> None:
    """From the very instant on it is gone from every answer, whether or not that is booked."""
    wallet = await open_lasting(idle)
    stored = await pool_of(idle, wallet)
    assert stored.due is not None
    clock.now = stored.due - 20
    assert await shown(idle, wallet) == {"100"}
    clock.now = stored.due
    assert await shown(idle, wallet) == {"0"}
    assert await pool_of(idle, wallet) == stored
    balance = await wallet.balance()
    assert balance["revision"] == str(stored.balance_revision)
    assert balance["lastTransactionId"] == stored.last_transaction_id


async def shown(service: Service, wallet: Wallet) -> set[str]:
    """What all reads together say of the balance."""
    listed = await service.call("listBalances", {"poolIds": [wallet.pool_id]})
    query = {"query": {"filter": {"id": wallet.pool_id}}}
    found = await service.call("queryBalances", query)
    member = await service.as_member(wallet.program["beneficiary"]["memberId"])
    own = await member.call("queryBalances", {"query": {"filter": {}}})
    query = {"query": {"filter": {"poolId": wallet.pool_id}}, "fields": ["BALANCE"]}
    items = await service.call("queryPoolItems", query)
    owner = {"beneficiary": {"memberId": wallet.program["beneficiary"]["memberId"]}}
    kept = (await service.call("exportBeneficiary", owner))["records"]
    kept_balances = [each["balance"] for each in kept if "balance" in each]
    balances = [
        *kept_balances,
        await wallet.balance(),
        *listed["balances"],
        *found["balances"],
        *own["balances"],
    ]
    amounts = {each["amount"]["available"] for each in balances}
    return amounts | {each["balance"]["available"] for each in items["poolItems"]}


async def test_the_agenda_moves_on_to_what_is_due_next(idle: Service, clock: Clock) -> None:
    """After a turn it names the next instant, or one not far ahead where nothing is near."""
    first, second = await open_lasting(idle, "PT1H"), await open_lasting(idle, "PT1H5M")
    dues = [(await pool_of(idle, each)).due for each in (first, second)]
    assert dues[0] is not None
    assert dues[1] is not None
    clock.now = dues[0]
    await run_jobs(idle)
    assert [await each.available() for each in (first, second)] == ["0", "100"]
    assert await agenda_of(idle) == dues[1]
    clock.now = dues[1]
    await run_jobs(idle)
    assert clock.now < await agenda_of(idle) <= clock.now + HORIZON
    assert [await each.available() for each in (first, second)] == ["0", "0"]
    assert len(await expiries(idle)) == 2


async def test_a_wrong_clock_puts_nothing_off(idle: Service, clock: Clock) -> None:
    """An agenda that a clock which was ahead has put off far too long is looked at all the same."""
    wallet = await open_lasting(idle)
    sql = "update agenda set since = $1 where tenant_id = $2 and kind = $3"
    await idle.store.execute(sql, (clock.now + 100 * HOUR, idle.tenant.id, DUE))
    clock.move(hours=2)
    await run_jobs(idle)
    assert len(await expiries(idle)) == 1
    assert (await pool_of(idle, wallet)).due is None


async def test_a_clock_that_is_behind_makes_nothing_early(idle: Service, clock: Clock) -> None:
    """A runner whose clock is behind leaves alone what has expired only by the others' clocks."""
    await open_lasting(idle)
    behind = Clock()
    clock.move(hours=2)
    runner = new_runner(idle, behind)
    runner.start()
    await runner.settle()
    await runner.close()
    assert await expiries(idle) == []
    await run_jobs(idle)
    assert len(await expiries(idle)) == 1


def new_runner(service: Service, clock: Clock) -> JobRunner:
    engine = Engine(service.store, clock=clock)
    return JobRunner(engine, service.store, service.running.services.directory)


async def test_a_pool_that_fails_keeps_no_other_waiting(idle: Service, clock: Clock) -> None:
    """It is passed by and tried again later; what is behind it lapses in time."""
    broken = await open_lasting(idle, "PT1H")
    sound = await open_another(idle, broken.definition)
    sql = "update lots set available = $1 where tenant_id = $2 and pool_id = $3"
    await idle.store.execute(sql, (2 * 10**9, idle.tenant.id, broken.pool_id))
    clock.move(hours=2)
    await run_jobs(idle)
    assert [each.pool_id for each in await expiries(idle)] == [sound.pool_id]
    later = await open_another(idle, broken.definition)
    clock.move(hours=2)
    await run_jobs(idle)
    assert [each.pool_id for each in await expiries(idle)] == [sound.pool_id, later.pool_id]
    await idle.store.execute(sql, (10**6, idle.tenant.id, broken.pool_id))
    idle.running.runner._due._troubles.clear()
    await run_jobs(idle)
    assert len(await expiries(idle)) == 3


async def test_much_of_one_tenant_does_not_hold_up_another(
    idle: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tenants take turns: a single lot is booked before the many of another tenant are done."""
    monkeypatch.setattr(jobs_due, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(jobs_due, "TENANTS_AT_ONCE_MAX", 1)
    monkeypatch.setattr(jobs_due, "WIDE_CHUNK_SIZE", 100)
    many = await open_lasting(idle, "PT1H")
    for _ in range(120):
        await open_another(idle, many.definition)
    other = await idle.another_tenant()
    await open_lasting(other, "PT1H")
    clock.move(hours=2)
    runner = new_runner(idle, clock)
    runner.start()
    await runner.settle()
    await runner.close()
    (booked,) = await expiries(other)
    all_booked = await expiries(idle)
    assert len(all_booked) == 121
    assert booked.created < max(each.created for each in all_booked)


async def test_a_turn_belongs_to_one_runner(idle: Service, clock: Clock) -> None:
    """Of two runners at the same tenant one waits; each lot lapses once."""
    first = await open_lasting(idle, "PT1H")
    for _ in range(150):
        await open_another(idle, first.definition)
    clock.move(hours=2)
    runners = [new_runner(idle, clock) for _ in range(2)]
    for each in runners:
        each.start()
    await asyncio.gather(*(each.settle() for each in runners))
    await asyncio.gather(*(each.close() for each in runners))
    booked = await expiries(idle)
    assert len({each.pool_id for each in booked}) == len(booked) == 151


async def test_another_runner_goes_on_behind_the_first(
    idle: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one has its turn with what was due first, another does what comes behind that."""
    monkeypatch.setattr(jobs_due, "TURN_ROWS_MAX", 5)
    first = await open_lasting(idle, "PT1H")
    wallets = [first, *[await open_another(idle, first.definition) for _ in range(11)]]
    clock.move(hours=2)
    assert await do(idle, BeginTurn())
    runner = new_runner(idle, clock)
    runner.start()
    booked = await look_until(lambda: expiries(idle), lambda found: len(found) >= 7)
    await runner.close()
    assert [each.pool_id for each in booked] == [each.pool_id for each in wallets[5:]]


async def test_runners_that_share_a_tenant_renew_in_order(
    idle: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each renewal of each program is booked once, the earlier ones first."""
    monkeypatch.setattr(jobs_due, "TURN_ROWS_MAX", 2)
    monkeypatch.setattr(jobs_due, "WIDE_CHUNK_SIZE", 2)
    plan = await make_plan(idle, amount="10")
    for _ in range(9):
        await join(idle, plan, DAILY)
    clock.move(hours=24 * 3 + 1)
    runners = [new_runner(idle, clock) for _ in range(3)]
    for each in runners:
        each.start()
    await asyncio.gather(*(each.settle() for each in runners))
    await asyncio.gather(*(each.close() for each in runners))
    renewals: dict[str, list[int]] = {}
    for row in sorted(await idle.rows(Transaction), key=lambda row: row.balance_revision):
        if row.operation == "RENEWAL":
            assert row.details.due is not None
            renewals.setdefault(row.pool_id, []).append(row.details.due)
    assert len(renewals) == 9
    for dues in renewals.values():
        assert len(dues) == 3
        assert dues == sorted(set(dues))


async def test_how_much_is_due_and_how_late_is_told(idle: Service, clock: Clock) -> None:
    """The metrics count what isn't booked yet, and how long ago the first of it was due."""
    wallet, tenants = await open_lasting(idle, "PT1H"), AllTenants(idle.store)
    await open_another(idle, wallet.definition)
    assert await count_due(tenants, now=clock.now) == (0, 0)
    due = (await pool_of(idle, wallet)).due
    assert due is not None
    assert await count_due(tenants, now=due + 5_000) == (2, 5.0)
