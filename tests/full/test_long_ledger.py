"""Runs that take minutes: a large ledger is verified in pages, and a crowd goes on and on."""

from __future__ import annotations

import asyncio
import random
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from benefit_programs.storage.verification import verify
from tests.support.calls import benefit
from tests.support.wallet import open_another, open_wallet

if TYPE_CHECKING:
    from tests.support.calls import Document
    from tests.support.inprocess import Service
    from tests.support.wallet import Wallet

pytestmark = [pytest.mark.full, pytest.mark.anyio, pytest.mark.timeout(1800)]

POOLS = 1_200
ROUNDS = 20
CLIENTS = 32
MEGABYTES_MAX = 50


async def test_a_large_ledger_is_verified_in_little_memory(own_service: Service) -> None:
    """Tens of thousands of transactions over many pages are sound, and are never all in memory."""
    first = await open_wallet(own_service, benefit("towel", price="0.3333"))
    wallets = [first]
    wallets += [await open_another(own_service, first.definition) for _ in range(POOLS - 1)]

    async def work(own: list[Wallet]) -> None:
        for wallet in own:
            for _ in range(ROUNDS):
                redeemed = await wallet.redeem()
                await wallet.adjust("0.0001")
            await wallet.cancel(redeemed)

    await asyncio.gather(*(work(wallets[number::CLIENTS]) for number in range(CLIENTS)))
    tracemalloc.start()
    report = await verify(own_service.store)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert report.violations == []
    assert peak < MEGABYTES_MAX * 2**20


async def test_a_crowd_on_few_pools_keeps_every_invariant(own_service: Service) -> None:
    """Thousands of redemptions, moves, cancellations and reverts on three pools add up."""
    expression: Document = {
        "type": "POLICY",
        "policyOptions": {
            "type": "RATE_LIMITED",
            "rateLimitedOptions": {"times": 40, "timePeriod": "DAY"},
        },
    }
    first = await open_wallet(
        own_service, benefit("towel", price="0.1", policyExpression=expression), amount="1000"
    )
    wallets = [first] + [await open_another(own_service, first.definition) for _ in range(2)]

    async def work(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(150):
            wallet = chance.choice(wallets)
            day = f"2030-05-{chance.randint(1, 28):02d}T12:00:00Z"
            sent = await wallet.caller.send("redeemBenefit", wallet.redemption(targetDate=day))
            if sent.status_code != 200:
                continue
            redeemed = sent.json()["transactionId"]
            other = f"2030-06-{chance.randint(1, 28):02d}T12:00:00Z"
            moved = await wallet.caller.send("reallocateBenefit", wallet.move(redeemed, other))
            newest = moved.json()["transactionId"] if moved.status_code == 200 else redeemed
            if chance.random() < 0.4:
                await wallet.cancel(newest)
            elif chance.random() < 0.4:
                await wallet.revert(redeemed)

    await asyncio.gather(*(work(seed) for seed in range(CLIENTS)))
    assert (await verify(own_service.store)).violations == []
