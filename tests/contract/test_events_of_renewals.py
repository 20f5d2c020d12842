"""What happens by itself as a pool is renewed is told like any other time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benefit_programs.domain.entities import (
    Operation,
    Transaction,
)
from benefit_programs.domain.event_rows import Event
from benefit_programs.storage.verification import verify_store
from tests.support.audit import audit
from tests.support.clock import HOUR, Clock
from tests.support.commands import submit
from tests.support.inprocess import new_tenant, open_application
from tests.support.lifecycle import act
from tests.support.lots import Hold
from tests.support.wallet import open_wallet

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio


async def lapse_at_renewal(service: Service, clock: Clock, amount: str) -> str:
    """Let a reservation lapse that only the renewal of its program notices; give the pool."""
    rollover = {"rolloverConfiguration": {"enabled": True}}
    wallet = await open_wallet(service, creditConfiguration={"amount": "100", **rollover})
    like = await wallet.redeem()
    await submit(service, Hold(like=like, count=2, expiration_date=clock.now + HOUR))
    pool = await wallet.pool()
    details = pool["details"] | {"creditConfiguration": {"amount": amount, **rollover}}
    change = {"id": pool["id"], "revision": pool["revision"], "details": details}
    await service.call("updatePool", {"pool": change})
    clock.move(hours=2)
    await act(service, "renew", wallet.program["id"])
    return wallet.pool_id


@pytest.mark.parametrize("amount", ["50", "0"])
async def test_a_reservation_that_lapses_at_a_renewal_is_told(
    database_url: str, amount: str
) -> None:
    """The pool has its event of the release before that of the renewal, whatever else it brings."""
    clock = Clock()
    async with open_application(database_url, clock=clock) as application:
        service = await new_tenant(*application)
        pool_id = await lapse_at_renewal(service, clock, amount)
        events = [
            each
            for each in await service.rows(Event)
            if (each.entity, each.entity_id) == ("pool", pool_id)
        ]
        assert [each.slug for each in events][-2:] == [
            "benefit_reservation_canceled",
            "updated+renewed",
        ]
        last = [each.operation for each in await service.rows(Transaction)][-1]
        assert last is (Operation.RELEASE if amount == "0" else Operation.RENEWAL)
        await audit(service)
        assert await verify_store(service.store) == []
