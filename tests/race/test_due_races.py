"""Reads while what has expired is booked: none of them counts it, however they meet."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.support.clock import Clock
from tests.support.inprocess import new_tenant, open_application
from tests.support.lifecycle import run_jobs
from tests.support.wallet import open_another, open_wallet

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

POOLS = 60
READERS = 4


async def test_reads_beside_the_runner_never_count_what_has_expired(database_url: str) -> None:
    """A read that finds a pool as it was and its lots as they are begins again."""
    clock = Clock()
    async with open_application(database_url, run_jobs=False, clock=clock) as application:
        service = await new_tenant(*application)
        credit = {"amount": "100", "expiresAfter": "PT1H"}
        wallet = await open_wallet(service, creditConfiguration=credit)
        for _ in range(POOLS - 1):
            await open_another(service, wallet.definition)
        clock.move(hours=2)
        seen: set[str] = set()
        booking = asyncio.create_task(run_jobs(service))
        readers = (read_until(booking, service, seen) for _ in range(READERS))
        await asyncio.gather(booking, *readers)
        assert seen == {"0"}


async def read_until(booking: asyncio.Task[None], service: Service, seen: set[str]) -> None:
    """Read all balances and the items that they pay for, again and again, until all is booked."""
    while not booking.done():
        listed = await service.call("listBalances", {"cursorPaging": {"limit": 100}})
        seen.update(each["amount"]["available"] for each in listed["balances"])
        query = {"query": {"cursorPaging": {"limit": 100}}, "fields": ["BALANCE"]}
        items = await service.call("queryPoolItems", query)
        seen.update(each["balance"]["available"] for each in items["poolItems"])
