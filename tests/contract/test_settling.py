"""What comes due in a pool by itself, in the order of its instants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.entities import Pool, Reservation, ReservationStatus
from benefit_programs.domain.settling import SettlePools
from tests.support.clock import HOUR, Clock
from tests.support.histories import CREDIT, Reserve
from tests.support.inprocess import new_tenant, open_application
from tests.support.lifecycle import do
from tests.support.wallet import open_wallet

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

ENGINES = ["sqlite"]


async def test_the_reservation_that_ends_first_lapses_first(database_url: str) -> None:
    """A reservation that was made later and ends sooner doesn't wait for an older one."""
    clock = Clock()
    async with open_application(database_url, clock=clock, run_jobs=False) as application:
        service: Service = await new_tenant(*application)
        wallet = await open_wallet(service)
        ids: list[Any] = []
        for hours in (9, 2):
            until = clock.now + hours * HOUR
            reserve = Reserve(pool_id=wallet.pool_id, count=1, price=10 * CREDIT, until=until)
            ids.append(await do(service, reserve))
        clock.move(3)
        await do(service, SettlePools(pool_ids=(wallet.pool_id,)))
        status = {row.id: row.status for row in await service.rows(Reservation)}
        assert [status[each] for each in ids] == [
            ReservationStatus.OPEN,
            ReservationStatus.LAPSED,
        ]
        (pool,) = await service.rows(Pool)
        assert pool.available == 90 * CREDIT
