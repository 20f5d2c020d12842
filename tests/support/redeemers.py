"""Members who go on redeeming whatever else happens, and look at each answer."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.support.calls import Refused, guid

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from random import Random

    from tests.support.calls import Document
    from tests.support.crowd import Crowd
    from tests.support.fleet import Fleet

REDEEMERS = 3
POOLS_OF_EACH = 20
PAUSE_SECONDS = 0.05
"""Without it they would take the processor from the jobs that they are there to meet."""


class Redeemer:
    """One of them: redeems from pools that nobody else redeems from, one after the other."""

    def __init__(self, fleet: Fleet, crowd: Crowd, pool_ids: Sequence[str]) -> None:
        self.transactions: list[str] = []
        self._fleet = fleet
        self._crowd = crowd
        self._pool_ids = pool_ids
        self._last_seen: dict[str, tuple[int, int]] = {}
        self._is_stopped = False

    def stop(self) -> None:
        """Come to an end after the redemption under way."""
        self._is_stopped = True

    async def run(self, chance: Random) -> None:
        """Redeem until stopped."""
        while not self._is_stopped:
            pool_id = chance.choice(self._pool_ids)
            await self._look_at(pool_id)
            await self._redeem(pool_id)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _redeem(self, pool_id: str) -> None:
        """Redeem once. An answer that was lost is asked for again, with the same key."""
        try:
            request = self._crowd.redemption(pool_id, guid())
            answer = await self._fleet.call("redeemBenefit", request)
        except Refused as refused:
            if refused.code != "BENEFIT_ALREADY_REDEEMED":
                raise
            answer = refused.data
        self.transactions.append(answer["transactionId"])

    async def _look_at(self, pool_id: str) -> None:
        """A pool is as it was before a change or as it is after it, and never goes back."""
        pool: Document = (await self._fleet.call("getPool", {"poolId": pool_id}))["pool"]
        (benefit,) = pool["details"]["benefits"]
        before = (pool["poolDefinitionRevision"], pool.get("displayName"), benefit["price"])
        assert before in {("1", None, "1"), ("2", "Gold", "2")}, before
        seen = (int(pool["poolDefinitionRevision"]), int(pool["renewalCount"]))
        assert seen >= self._last_seen.get(pool_id, seen)
        self._last_seen[pool_id] = seen


@asynccontextmanager
async def redeeming(
    fleet: Fleet, crowd: Crowd, pool_ids: Sequence[str], chance: Random
) -> AsyncIterator[list[Redeemer]]:
    """Let members redeem from some of the pools inside the block."""
    chosen = chance.sample(list(pool_ids), min(len(pool_ids), REDEEMERS * POOLS_OF_EACH))
    redeemers = [Redeemer(fleet, crowd, chosen[number::REDEEMERS]) for number in range(REDEEMERS)]
    tasks = [asyncio.create_task(each.run(chance)) for each in redeemers]
    try:
        yield redeemers
    finally:
        for each in redeemers:
            each.stop()
        await asyncio.gather(*tasks)
