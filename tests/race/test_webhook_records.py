"""What a relay reads while a record of deliveries is not committed yet."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg
import pytest

from tests.support.calls import benefit
from tests.support.citus import CITUS
from tests.support.inprocess import new_tenant, open_application
from tests.support.receiver import Receiver
from tests.support.wallet import open_wallet
from tests.support.webhooks import REDEEMED, create_endpoint, delivered_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

ENGINES = ["postgres", *CITUS]
"""On SQLite nobody can hold back a record alone."""

HOLD = "select from webhook_progress where tenant_id = $1 and endpoint_id = $2 for update"


@asynccontextmanager
async def records_held(url: str, tenant_id: int, endpoint_id: str) -> AsyncIterator[None]:
    """Let no record of an endpoint's deliveries be written inside the block."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute(HOLD, tenant_id, endpoint_id)
            yield
    finally:
        await connection.close()


async def test_what_is_being_recorded_is_not_sent_again(database_url: str) -> None:
    """A resend is made once, also if its record has to wait while others look for work."""
    one, other = Receiver(), Receiver()
    async with (
        open_application(database_url) as application,
        one.running(),
        other.running(),
    ):
        service = await new_tenant(*application)
        endpoint = await create_endpoint(service, one, eventTypes=[REDEEMED])
        wallet = await open_wallet(service, benefit("towel", price="1"))
        await wallet.redeem()
        (row,) = await delivered_until(service, endpoint, 1, status="DELIVERED")
        async with records_held(database_url, service.tenant.id, endpoint["id"]):
            await service.call("resendWebhookDelivery", {"webhookDeliveryId": row["id"]})
            await one.until(lambda: len(one.taken) == 2)
            for passes in range(1, 4):
                tenant = await new_tenant(*application)
                await create_endpoint(tenant, other)
                await other.until(lambda passes=passes: len(other.taken) == passes)
        await delivered_until(service, endpoint, 2, status="DELIVERED")
        assert len(one.received) == 2
