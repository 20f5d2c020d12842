"""Whatever befalls a pool: its alerts tell each crossing once, late as if they had been on time."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.calendars import ProgramTerms, RenewalConfiguration, WhilePaused
from benefit_programs.domain.entities import (
    Lot,
    LotStatus,
    Pool,
    Program,
    Reservation,
    ReservationStatus,
)
from benefit_programs.wire.codec import instant_text
from tests.support.alerts import (
    below,
    ending,
    expiring,
    lapsing,
    open_with_terms,
    renewing,
    told,
)
from tests.support.calls import guid
from tests.support.clock import DAY, HOUR, StillClock
from tests.support.holds import reserve
from tests.support.inprocess import new_tenant, open_application
from tests.support.lifecycle import act, run_jobs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.databases import Databases
    from tests.support.inprocess import Service
    from tests.support.wallet import Wallet

pytestmark = pytest.mark.anyio

SEEDS = range(4)
SEEDS_FULL = range(4, 100)
STEPS = 30
EXPIRING, LAPSING, RENEWING, ENDING = (5 * HOUR, 3 * HOUR, 9 * HOUR, 30 * HOUR)
LOW = 75 * 10_000
CREDITS_FOR_TWO = 20 * 10_000
ALERTS = (
    below(amount="75"),
    expiring("PT5H"),
    lapsing("PT3H"),
    renewing("PT9H"),
    ending("PT30H"),
)
TERMS = ProgramTerms(
    renewal_configuration=RenewalConfiguration(every="PT20H", cycles=6),
    while_paused=WhilePaused.STOP,
)


@pytest.fixture(scope="module")
async def opened(databases: Databases) -> AsyncIterator[tuple[Any, StillClock]]:
    url, clock = databases.create(), StillClock()
    async with open_application(url, clock=clock, run_jobs=False) as application:
        yield application, clock
    databases.drop(url)


Step = tuple[str, int, int]
"""What is done, a number that says more of it, and how many hours pass then."""


class Life:
    """What befalls one pool, and what begins to hold of it meanwhile."""

    def __init__(self, service: Service, clock: StillClock, wallet: Wallet) -> None:
        self.service, self.clock, self.wallet = service, clock, wallet
        self.start = clock.now
        self.holds: set[tuple[str, str]] = set()
        self.expected: list[tuple[str, str]] = []
        self.spent: list[str] = []
        self.held: list[str] = []

    async def pool(self) -> Pool:
        rows = await self.service.rows(Pool)
        return next(row for row in rows if row.id == self.wallet.pool_id)

    async def choose(self, rng: random.Random) -> str:
        """Something that is possible now, if all is booked."""
        pool = await self.pool()
        possible = ["pass"]
        if pool.status != "ENDED":
            possible.append("resume" if pool.status == "PAUSED" else "pause")
        if pool.status == "ACTIVE":
            possible += ["grant", "grant"]
            possible += ["redeem", "redeem", "reserve"] if pool.available >= CREDITS_FOR_TWO else []
        if self.spent:
            possible.append("cancel")
        return rng.choice(possible)

    async def do(self, what: str, number: int) -> None:
        match what:
            case "grant":
                request = {
                    "poolId": self.wallet.pool_id,
                    "amount": "20",
                    "idempotencyKey": guid(),
                    "expirationDate": self.later(number),
                    "priority": 1 + number % 3 * 99,
                }
                await self.service.call("grantCredits", request)
            case "redeem":
                self.spent.append(await self.wallet.redeem(count=2))
            case "cancel":
                await self.wallet.cancel(self.spent.pop(number % len(self.spent)))
            case "reserve":
                await reserve(self.wallet, count=2, expirationDate=self.later(number % 12))
            case "pause" | "resume":
                await act(self.service, what, self.wallet.program["id"])

    def later(self, hours: int) -> str:
        return instant_text(self.clock.now + (1 + hours) * HOUR)

    async def judge(self) -> None:
        """Note what holds by now, and didn't before: the rule, read from what is stored."""
        pool = await self.pool()
        if pool.status == "ENDED":
            return
        found = {("low", "")} if pool.available < LOW else set()
        clock = self.clock.now if pool.stopped is None else pool.stopped
        for lot in await self.service.rows(Lot):
            is_left = lot.pool_id == pool.id and lot.status is LotStatus.LIVE and lot.available
            if is_left and lot.expiration_date and lot.expiration_date - EXPIRING <= clock:
                found.add(("expiring", lot.id))
        for row in await self.service.rows(Reservation):
            is_open = row.pool_id == pool.id and row.status is ReservationStatus.OPEN
            if is_open and row.expiration_date - LAPSING <= clock:
                found.add(("lapsing", row.id))
        found |= await self.of_program(pool)
        now = instant_text(self.clock.now)
        self.expected += [(key, now) for key, _ in found - self.holds]
        self.holds = found

    async def of_program(self, pool: Pool) -> set[tuple[str, str]]:
        if pool.stopped is not None:
            return {each for each in self.holds if each[0] in {"renewing", "ending"}}
        rows = await self.service.rows(Program)
        program = next(row for row in rows if row.id == pool.program_id)
        assert program.calendar is not None
        found = set()
        if program.next_renewal and program.next_renewal - RENEWING <= self.clock.now:
            found.add(("renewing", str(program.calendar.cycle)))
        if program.end_date and program.end_date - ENDING <= self.clock.now:
            found.add(("ending", ""))
        return found

    async def told(self) -> list[tuple[str, str]]:
        found = await told(self.service, self.wallet.pool_id)
        return [(each["alertKey"], each["crossedDate"]) for each in found]


async def begin(opened: tuple[Any, StillClock]) -> Life:
    """A new life, which begins in the morning of a day after all that was before."""
    application, clock = opened
    service = await new_tenant(*application)
    return Life(service, clock, await open_with_terms(service, TERMS, *ALERTS))


async def live(life: Life, rng: random.Random) -> list[Step]:
    """A life by chance, with a runner that comes by each hour; what befell it."""
    steps: list[Step] = []
    await life.judge()
    for _ in range(STEPS):
        what, number = await life.choose(rng), rng.randrange(40)
        hours = rng.choice((0, 1, 1, 3, 11))
        steps.append((what, number, hours))
        await life.do(what, number)
        for passes in (False, *(True for _ in range(hours))):
            life.clock.now += HOUR * passes
            await run_jobs(life.service)
            await life.judge()
    return steps


async def live_again(life: Life, steps: list[Step]) -> None:
    """The same, where a runner comes by only in the end."""
    for what, number, hours in steps:
        await life.do(what, number)
        life.clock.now += HOUR * hours
    await run_jobs(life.service)


@pytest.mark.parametrize(
    "seed", [*SEEDS, *(pytest.param(each, marks=pytest.mark.full) for each in SEEDS_FULL)]
)
async def test_alerts_tell_each_crossing_once(opened: tuple[Any, StillClock], seed: int) -> None:
    """What is told is what begins to hold, hour by hour; and the same if all is booked late."""
    clock = opened[1]
    start = clock.now = (clock.now // DAY + 2) * DAY
    life = await begin(opened)
    steps = await live(life, random.Random(seed))
    on_time = await life.told()
    assert sorted(on_time) == sorted(life.expected)
    end, clock.now = clock.now, start
    again = await begin(opened)
    await live_again(again, steps)
    assert clock.now == end
    assert sorted(await again.told()) == sorted(on_time)
