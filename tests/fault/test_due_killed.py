"""Many lots expire at one instant while whoever books that is killed and members redeem."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from benefit_programs.domain.values import CREDIT
from benefit_programs.engine.engine import read_clock
from tests.support.books import Books
from tests.support.calls import Refused, guid
from tests.support.crowd import AMOUNT, Crowd, gather_crowd, let_expire
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
LOOKS_MAX = 100_000

SIZES = pytest.mark.parametrize(
    ("pools", "kills", "ahead"),
    [
        pytest.param(1_000, 3, 10_000, marks=pytest.mark.timeout(300), id="small"),
        pytest.param(
            100_000, 20, 30_000, marks=[pytest.mark.full, pytest.mark.timeout(3_600)], id="full"
        ),
    ],
)
"""How many lots, how often there is killing, and how many milliseconds ahead they expire."""


class Members:
    """Members who redeem from pools of their own until these have nothing left."""

    def __init__(self, fleet: Fleet, crowd: Crowd, pool_ids: list[str]) -> None:
        self.told: list[str] = []
        self._fleet = fleet
        self._crowd = crowd
        self._pool_ids = pool_ids

    async def run(self, chance: Random) -> None:
        """Redeem from a pool at random; leave it alone once it is empty."""
        while self._pool_ids:
            pool_id = chance.choice(self._pool_ids)
            try:
                request = self._crowd.redemption(pool_id, guid())
                answer = await self._fleet.call("redeemBenefit", request)
                self.told.append(answer["transactionId"])
            except Refused as refused:
                if refused.code == "BENEFIT_ALREADY_REDEEMED":
                    self.told.append(refused.data["transactionId"])
                    continue
                if refused.code != "NOT_ENOUGH_BALANCE":
                    raise
                self._pool_ids.remove(pool_id)
            await asyncio.sleep(PAUSE_SECONDS)


async def wait_until_booked(books: Books, instant: int) -> None:
    """Wait until nothing is due any more that has expired at an instant."""
    for _ in range(LOOKS_MAX):
        if read_clock() > instant and await left_of(books) == 0:
            return
        await asyncio.sleep(LOOK_PAUSE_SECONDS)
    raise AssertionError("what is due isn't booked")


async def left_of(books: Books) -> int:
    ((left,),) = await books.read("select count(*) from pools where tenant_id = $1 and due > 0")
    return int(left)


async def kill_meanwhile(
    fleet: Fleet, books: Books, *, pools: int, kills: int, chance: Random
) -> int:
    """Kill all or the workers at random places of the way; how often that was done."""
    places = sorted(chance.sample(range(pools // 20, pools), kills), reverse=True)
    done = 0
    for _ in range(LOOKS_MAX):
        left = await left_of(books)
        if not left or not places:
            break
        if left <= places[0]:
            places.pop(0)
            done += 1
            await fleet.kill(chance.choice((Death.ALL, Death.ALL, Death.WORKERS)), chance)
        else:
            await asyncio.sleep(LOOK_PAUSE_SECONDS)
    return done


@SIZES
async def test_each_lot_lapses_once_at_its_instant(
    databases: Databases, pools: int, kills: int, ahead: int, tmp_path: Path
) -> None:
    """Whoever is killed, and whoever redeems up to that instant."""
    url, chance = databases.create(), random.Random(7)
    crowd = run_apart(gather_crowd(url, programs=pools, expires_after="P1D"))
    instant = read_clock() + ahead
    await let_expire(url, instant)
    books = Books(url)
    pool_ids = chance.sample(await books.ids("pools"), 60)
    workers = 0 if url.startswith("sqlite") else WORKERS
    async with Fleet(url, tmp_path, workers=workers) as fleet:
        members = [Members(fleet, crowd, pool_ids[n::REDEEMERS]) for n in range(REDEEMERS)]
        tasks = [asyncio.create_task(each.run(chance)) for each in members]
        killed = await kill_meanwhile(fleet, books, pools=pools, kills=kills, chance=chance)
        await asyncio.gather(*tasks)
        await wait_until_booked(books, instant)
    assert killed
    told = sorted(each for member in members for each in member.told)
    assert told == await books.ids("transactions", "operation = 'REDEEM'")
    assert await books.group("lots", "status", "available", "expiration_date") == [
        ("EXPIRED", 0, instant, pools)
    ]
    assert await books.group("pools", "available", "in_lots", "due") == [(0, 0, None, pools)]
    sql = (
        "select operation, count(*), count(distinct pool_id), min(created), max(created)"
        " from transactions where tenant_id = $1 and operation in ('EXPIRY', 'REDEEM')"
        " group by operation order by operation"
    )
    (_, *lapsed, first_lapse, _), (*_, last_redemption) = await books.read(sql)
    assert lapsed == [pools, pools]
    assert last_redemption < instant <= first_lapse
    sql = "select sum(amount) from transactions where tenant_id = $1 and operation <> 'PROVISION'"
    assert await books.read(sql) == [(pools * int(AMOUNT) * CREDIT,)]
    books.verify()
    databases.drop(url)
