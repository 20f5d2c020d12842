"""The clock of a sandbox, set by one process and gone by in others."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from benefit_programs.domain.entities import Operation, Transaction
from benefit_programs.storage.schema import migrate
from benefit_programs.storage.verification import verify_store
from tests.support.calls import Caller, Refused
from tests.support.inprocess import new_tenant, open_application
from tests.support.sandboxes import (
    START,
    advance,
    booked,
    new_membership,
    read_clock,
    set_clock,
)
from tests.support.wallet import open_wallet

if TYPE_CHECKING:
    from tests.support.wallet import Wallet

pytestmark = pytest.mark.anyio

MEMBERSHIPS = 3
MONTHS = 6
OK = 200
AT_ONCE = 1_000
"""Within how many milliseconds two processes may decide in another order than they began in."""


async def test_clock_that_was_set_counts_everywhere_at_once(postgres_url: str) -> None:
    """For what is read, decided and made by another process, as soon as the answer is there."""
    await migrate(postgres_url)
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(open_application(postgres_url))
        _, client = await stack.enter_async_context(open_application(postgres_url))
        service = await new_tenant(*first, is_sandbox=True)
        other = Caller(client, service.key)
        await other.call("queryPrograms", {"query": {}})
        await set_clock(service, START)
        for day in range(1, 10):
            shown = (await advance(service, "P1D"))["date"]
            assert (await read_clock(other))["date"] >= shown
            made = await other.create_program_definition()
            assert made["createdDate"] >= shown
            assert made["createdDate"][:10] == f"2040-02-{day:02}"


async def test_nobody_is_late_while_two_processes_move_it(postgres_url: str) -> None:
    """Members redeem at both, and what was booked later is dated later."""
    await migrate(postgres_url)
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(open_application(postgres_url))
        _, client = await stack.enter_async_context(open_application(postgres_url))
        service = await new_tenant(*first, is_sandbox=True)
        callers = (service, Caller(client, service.key))
        await set_clock(service, START)
        wallet = await open_wallet(service, creditConfiguration={"amount": "10000"})
        for _ in range(MEMBERSHIPS):
            await new_membership(service)
        moving = asyncio.gather(*(move(each) for each in callers))
        await asyncio.gather(*(redeem_until(moving, wallet, each) for each in callers))
        require_order(await booked(service))
        assert await verify_store(service.store, tenant_ids=[service.tenant.id]) == []


async def move(caller: Caller) -> None:
    """Advance by a month again and again, in turns with whoever does so too."""
    done = 0
    while done < MONTHS:
        response = await caller.send("setClock", {"advance": "P31D"})
        done += response.status_code == OK
        assert response.status_code == OK or Refused(response).code == "CLOCK_IS_MOVING"


async def redeem_until(moving: asyncio.Future[list[None]], wallet: Wallet, caller: Caller) -> None:
    while not moving.done():
        await caller.call("redeemBenefit", wallet.redemption(count=1))
    await moving


def require_order(found: list[Transaction]) -> None:
    """Fail unless in each pool what was booked later is dated later, and nothing was late."""
    renewals = [each for each in found if each.operation is Operation.RENEWAL]
    assert len(renewals) == MEMBERSHIPS * 2 * MONTHS
    assert [each for each in found if each.details and each.details.due] == []
    for before, after in pairwise(found):
        if before.pool_id == after.pool_id:
            assert before.created <= after.created + AT_ONCE
