"""What comes due in a pool happens in the order of its instants, whatever came first into it."""

from __future__ import annotations

import pytest

from benefit_programs.domain.entities import Operation, Reservation, Transaction
from benefit_programs.storage.verification import verify_store
from tests.support.clock import HOUR, Clock
from tests.support.commands import submit
from tests.support.inprocess import new_tenant, open_application
from tests.support.lots import Hold
from tests.support.wallet import open_wallet

ON_POSTGRES_EVERY_DAY = True
pytestmark = pytest.mark.anyio


async def test_a_later_reservation_that_ends_sooner_lapses_first(database_url: str) -> None:
    """Of several reservations those that are due lapse, also behind one that lasts longer."""
    clock = Clock()
    async with open_application(database_url, clock=clock, run_jobs=False) as application:
        service = await new_tenant(*application)
        wallet = await open_wallet(service)
        like = await wallet.redeem()
        for hours in (9, 8, 1, 2):
            until = clock.now + hours * HOUR
            await submit(service, Hold(like=like, count=1, expiration_date=until))
        clock.move(hours=3)
        await wallet.redeem()
        lapsed = [
            each.details.due
            for each in await service.rows(Transaction)
            if each.operation is Operation.RELEASE
        ]
        ends = sorted(each.expiration_date for each in await service.rows(Reservation))
        assert lapsed == ends[:2]
        assert await verify_store(service.store) == []
