"""Events reach a receiver that fails at random, while whoever delivers is killed meanwhile."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.contract.test_events import all_events
from tests.support.calls import Refused, benefit
from tests.support.fleet import Death, Fleet
from tests.support.receiver import Behaviour, Receiver
from tests.support.wallet import open_wallet
from tests.support.webhooks import (
    DELIVERING,
    create_endpoint,
    look_until,
    progress_of,
    require_all,
)

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from tests.support.receiver import Received
    from tests.support.wallet import Wallet

pytestmark = [
    pytest.mark.anyio,
    # Who connects to a server that is killed just then may leave its socket to the collector.
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"
    ),
]

SEED = 1
DEATHS = (Death.ALL, Death.WORKERS, Death.SERVER)
WRITERS = 8
FAILURES = 0.04
"""The share of requests that fail, and also of those that are late."""

LATE_SECONDS_MAX = 0.3
DEAD_SECONDS = 0.5
SECONDS_MAX = 120
FULL_SECONDS_MAX = 1_800


class Size(NamedTuple):
    """How many redemptions each writer makes, and how often who is killed."""

    redemptions: int
    kills: int


SIZES = [
    pytest.param(Size(60, 2), marks=pytest.mark.timeout(SECONDS_MAX), id="small"),
    pytest.param(
        Size(2_000, 30),
        marks=[pytest.mark.full, pytest.mark.timeout(FULL_SECONDS_MAX)],
        id="full",
    ),
]


class Unreliable(Receiver):
    """Fails and is late at random, until it is ``calm``."""

    def __init__(self, chance: Random) -> None:
        super().__init__()
        self.behave = self._behave
        self.is_calm = False
        self._chance = chance

    def _behave(self, _: Received) -> Behaviour:
        if self.is_calm or self._chance.random() > 2 * FAILURES:
            return Behaviour()
        return self._chance.choice(
            [
                Behaviour(status=500),
                Behaviour(hangs_up=True),
                Behaviour(breaks_off=True),
                *3 * [Behaviour(waits_for=self._late())],
            ]
        )

    def _late(self) -> asyncio.Event:
        event = asyncio.Event()
        delay = self._chance.uniform(0, LATE_SECONDS_MAX)
        asyncio.get_running_loop().call_later(delay, event.set)
        return event

    async def die_for_a_while(self) -> None:
        """Be dead, and come back."""
        self.die()
        back = asyncio.Event()
        asyncio.get_running_loop().call_later(DEAD_SECONDS, back.set)
        await back.wait()
        await self.come_back()


@pytest.mark.parametrize("size", SIZES)
async def test_every_event_arrives_whoever_dies(
    database_url: str, tmp_path: Path, size: Size
) -> None:
    """Each is taken at least once, in the order of its entity; what comes twice has the same id."""
    chance = random.Random(SEED)
    receiver, workers = Unreliable(chance), 0 if database_url.startswith("sqlite") else 1
    fleet = Fleet(database_url, tmp_path, workers=workers, **DELIVERING)
    async with receiver.running(), fleet:
        endpoint = await create_endpoint(fleet.caller, receiver)
        towel = benefit("towel", price="1")
        wallets = [await open_wallet(fleet.caller, towel, amount="100000") for _ in range(WRITERS)]
        writers = [asyncio.create_task(write(fleet, each, size.redemptions)) for each in wallets]
        for number in range(size.kills):
            goal = len(receiver.taken) + chance.randrange(1, 3 * WRITERS * size.redemptions // 6)
            await receiver.until(lambda goal=goal: len(receiver.taken) >= goal)
            await fleet.kill(DEATHS[number % len(DEATHS)], chance)
            await receiver.die_for_a_while()
        await asyncio.gather(*writers)
        receiver.is_calm = True
        await look_until(
            lambda: progress_of(fleet.caller, endpoint),
            lambda each: not each["hasMore"] and not int(each.get("pendingCount", 0)),
        )
        require_all(receiver, await all_events(fleet.caller))


async def write(fleet: Fleet, wallet: Wallet, count: int) -> None:
    """Redeem so often; an answer that was lost is asked for again, with the same key."""
    for _ in range(count):
        try:
            await fleet.call("redeemBenefit", wallet.redemption())
        except Refused as refused:
            if refused.code != "BENEFIT_ALREADY_REDEEMED":
                raise
