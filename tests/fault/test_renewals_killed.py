"""Many programs renew at one midnight while whoever does that is killed and members redeem."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from benefit_programs.domain.values import CREDIT, DAY
from benefit_programs.engine.engine import read_clock
from tests.support.books import Books
from tests.support.calls import Refused, guid
from tests.support.crowd import AMOUNT, Crowd, gather_crowd, let_renew
from tests.support.databases import run_apart
from tests.support.fleet import Death, Fleet
from tests.support.looking import LOOK_PAUSE_SECONDS
from tests.support.redeemers import PAUSE_SECONDS

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from tests.support.databases import Databases

pytestmark = [
    pytest.mark.anyio,
    # Who connects to a server that is killed just then may leave its socket to the collector.
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"
    ),
]

WORKERS = 2
REDEEMERS = 3
REDEEMED_POOLS = 60
LOOKS_MAX = 1_000_000
MANY = {"sqlite": 100_000, "postgresql": 1_000_000}
FULL = [pytest.mark.full, pytest.mark.timeout(7_200)]

SIZES = pytest.mark.parametrize(
    ("programs", "kills", "ahead"),
    [
        pytest.param(1_000, 3, 5_000, marks=pytest.mark.timeout(300), id="small"),
        pytest.param(MANY, 20, 30_000, marks=FULL, id="full"),
    ],
)
"""How many programs, how often there is killing, and how many milliseconds ahead they renew."""

LEFT = "select count(*) from programs where tenant_id = $1 and due <= $2"

OUT_OF_ORDER = """
select count(*) from transactions a join transactions b
on b.tenant_id = a.tenant_id and b.pool_id = a.pool_id
and b.balance_revision = a.balance_revision + 1
where a.tenant_id = $1 and a.operation = 'RENEWAL' and b.created < $2
"""
"""How many transactions stand behind a renewal, but were booked before its instant."""


class Members:
    """Members who redeem from pools at random for as long as anything is due."""

    def __init__(self, fleet: Fleet, crowd: Crowd, pool_ids: list[str]) -> None:
        self.told: list[str] = []
        self.is_over = asyncio.Event()
        self._fleet = fleet
        self._crowd = crowd
        self._pool_ids = pool_ids

    async def run(self, chance: Random) -> None:
        while not self.is_over.is_set():
            request = self._crowd.redemption(chance.choice(self._pool_ids), guid())
            try:
                answer = await self._fleet.call("redeemBenefit", request)
            except Refused as refused:
                # A server that was killed had done it, and its answer was lost.
                if refused.code != "BENEFIT_ALREADY_REDEEMED":
                    raise
                answer = refused.data
            self.told.append(answer["transactionId"])
            await asyncio.sleep(PAUSE_SECONDS)


async def kill_meanwhile(
    fleet: Fleet, books: Books, instant: int, places: list[int], chance: Random
) -> int:
    """Kill all or the workers when so many programs are left; how often that was done."""
    done = 0
    for _ in range(LOOKS_MAX):
        ((left,),) = await books.read(LEFT, instant)
        if read_clock() > instant and not left:
            return done
        if places and read_clock() > instant and left <= places[0]:
            places.pop(0)
            done += 1
            await fleet.kill(chance.choice((Death.ALL, Death.ALL, Death.WORKERS)), chance)
        else:
            await asyncio.sleep(LOOK_PAUSE_SECONDS)
    raise AssertionError("what is due isn't booked")


def size_of(programs: int | dict[str, int], url: str) -> int:
    return programs if isinstance(programs, int) else programs[url.partition(":")[0]]


@SIZES
async def test_each_program_renews_once_at_its_instant(
    databases: Databases, programs: int | dict[str, int], kills: int, ahead: int, tmp_path: Path
) -> None:
    """Whoever is killed, and whoever redeems meanwhile."""
    url, chance = databases.create(), random.Random(11)
    number = size_of(programs, url)
    crowd = run_apart(gather_crowd(url, programs=number))
    instant = read_clock() + ahead
    await let_renew(url, instant)
    books = Books(url)
    pool_ids = chance.sample(await books.ids("pools"), REDEEMED_POOLS)
    workers = 0 if url.startswith("sqlite") else WORKERS
    places = sorted(chance.sample(range(number // 20, number), kills), reverse=True)
    async with Fleet(url, tmp_path, workers=workers) as fleet:
        members = [Members(fleet, crowd, pool_ids[n::REDEEMERS]) for n in range(REDEEMERS)]
        tasks = [asyncio.create_task(each.run(chance)) for each in members]
        killed = await kill_meanwhile(fleet, books, instant, places, chance)
        for each in members:
            each.is_over.set()
        await asyncio.gather(*tasks)
    assert killed
    told = sorted(each for member in members for each in member.told)
    assert told == await books.ids("transactions", "operation = 'REDEEM'")
    await require_renewals(books, number, times=1)
    assert await books.read(OUT_OF_ORDER, instant) == [(0,)]
    databases.drop(url)


@pytest.mark.parametrize(
    "programs",
    [
        pytest.param(200, id="small", marks=pytest.mark.timeout(300)),
        pytest.param(100_000, id="full", marks=FULL),
    ],
)
async def test_three_days_without_a_server_are_made_up(
    databases: Databases, programs: int, tmp_path: Path
) -> None:
    """Each program renews three times, at the instants of these days."""
    url, chance = databases.create(), random.Random(12)
    run_apart(gather_crowd(url, programs=programs))
    first = read_clock() - 3 * DAY + DAY // 2
    await let_renew(url, first, every="P1D")
    books = Books(url)
    workers = 0 if url.startswith("sqlite") else WORKERS
    async with Fleet(url, tmp_path, workers=workers) as fleet:
        await kill_meanwhile(fleet, books, first + 2 * DAY, [], chance)
    await require_renewals(books, programs, times=3)
    due = "cast(details -> 'due' as text)" if workers else "json_extract(details, '$.due')"
    rows = await books.read(
        f"select cast({due} as text), count(*) from transactions where tenant_id = $1"
        " and operation = 'RENEWAL' group by 1 order by 1"
    )
    assert rows == [(str(first + day * DAY), programs) for day in range(3)]
    databases.drop(url)


async def require_renewals(books: Books, programs: int, *, times: int) -> None:
    """Every program and its pool have renewed so often, and all that was left lapsed each time."""
    slugs = await books.read(
        "select slug, count(*), count(distinct entity_id) from events where tenant_id = $1"
        " and entity in ('program', 'pool') and slug like '%renewed' group by entity, slug"
    )
    assert slugs == [("updated+renewed", times * programs, programs)] * 2
    sql = (
        "select operation, count(*), count(distinct pool_id) from transactions"
        " where tenant_id = $1 and operation in ('EXPIRY', 'RENEWAL')"
        " group by operation order by operation"
    )
    assert await books.read(sql) == [
        (operation, times * programs, programs) for operation in ("EXPIRY", "RENEWAL")
    ]
    assert await books.group("pools", "renewal_count") == [(times, programs)]
    sql = "select sum(amount) from transactions where tenant_id = $1 and operation = 'RENEWAL'"
    assert await books.read(sql) == [(times * programs * int(AMOUNT) * CREDIT,)]
    books.verify()
