"""Many callers of two servers while renewals are due: each is booked once, and sums are exact."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from benefit_programs.domain.entities import Pool, Program, Transaction
from benefit_programs.domain.values import CREDIT
from benefit_programs.storage.schema import migrate
from benefit_programs.storage.verification import verify_store
from tests.support.calls import Refused, benefit
from tests.support.clock import HOUR, StillClock
from tests.support.dated import DAILY, open_dated
from tests.support.inprocess import Service, new_tenant, open_application
from tests.support.lifecycle import act, run_jobs
from tests.support.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Coroutine

pytestmark = pytest.mark.anyio

CALLERS = 64
CALLS_EACH = 4
DAYS = 5
ACTIONS = ("pause", "resume", "renew")
AMOUNT = 1_000


@pytest.mark.timeout(180)
@pytest.mark.parametrize("ahead", [0, HOUR])
async def test_two_servers_book_each_renewal_once(postgres_url: str, ahead: int) -> None:
    """Also if the clock of one is ahead of the other's by an hour."""
    await migrate(postgres_url)
    clocks = StillClock(), StillClock()
    async with AsyncExitStack() as stack:
        opened = [
            await stack.enter_async_context(
                open_application(postgres_url, clock=clock, run_jobs=False)
            )
            for clock in clocks
        ]
        one = await new_tenant(*opened[0])
        other = one.elsewhere(*opened[1])
        wallet = await open_dated(one, DAILY, benefit("towel", price="1"), amount=str(AMOUNT))
        clocks[1].now = clocks[0].now
        for clock in clocks:
            clock.move(hours=24 * DAYS)
        clocks[1].now += ahead
        by_hand, redeemed = await meet(wallet, one, other)
        await asyncio.gather(run_jobs(one), run_jobs(other))
        await require_books(one, by_hand, redeemed)
        assert await verify_store(one.store) == []


async def meet(wallet: Wallet, *services: Service) -> tuple[int, int]:
    """Let all callers come at one time; how often they have renewed, and redeemed."""
    program_id: str = wallet.program["id"]
    renewals = redemptions = 0

    async def call(number: int) -> None:
        nonlocal renewals, redemptions
        service = services[number % len(services)]
        own = Wallet(service, wallet.definition, wallet.program, wallet.pool_id)
        for turn in range(CALLS_EACH):
            if number % 8:
                was_done = await done(own.redeem())
                redemptions += was_done
                continue
            action = ACTIONS[(number + turn) % len(ACTIONS)]
            was_done = await done(act(service, action, program_id))
            renewals += was_done and action == "renew"

    await asyncio.gather(*map(call, range(CALLERS)))
    return renewals, redemptions


async def done(work: Coroutine[object, object, str]) -> bool:
    """Whether it was done; a program that is paused refuses some things, an active one others."""
    try:
        await work
    except Refused as refused:
        allowed = {"POOL_NOT_ACTIVE", "PROGRAM_STATUS_TRANSITION_NOT_ALLOWED"}
        if refused.code not in allowed:
            raise
        return False
    return True


async def require_books(service: Service, by_hand: int, redeemed: int) -> None:
    """Each cycle began once, and what is there is what came less what went."""
    (program,), (pool,) = await service.rows(Program), await service.rows(Pool)
    assert program.calendar is not None
    assert program.calendar.cycle == 1 + DAYS
    slugs = await service.slugs_of(program.id)
    assert slugs.count("updated+renewed") == by_hand + DAYS
    assert pool.renewal_count == by_hand + DAYS
    rows = await service.rows(Transaction)
    sums = {
        operation: sum(row.amount for row in rows if row.operation == operation)
        for operation in ("PROVISION", "RENEWAL", "REDEEM", "EXPIRY")
    }
    assert sums["REDEEM"] == redeemed * CREDIT
    assert sums["RENEWAL"] == (by_hand + DAYS) * AMOUNT * CREDIT
    came = sums["PROVISION"] + sums["RENEWAL"]
    assert pool.available == came - sums["REDEEM"] - sums["EXPIRY"]
    due = [row.details.due for row in rows if row.operation == "RENEWAL" and row.details.due]
    assert len(due) == len(set(due)) in (DAYS - 1, DAYS)
