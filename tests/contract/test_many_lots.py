"""Redemptions from pools with many lots: however many pay, they are spent in the burn order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benefit_programs.domain.entities import Lot, LotStatus
from benefit_programs.domain.lookups import LOTS_TO_BURN, MORE_LOTS_TO_BURN
from tests.support.calls import benefit, guid
from tests.support.wallet import open_wallet

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

FEW, MANY = LOTS_TO_BURN.limit or 0, MORE_LOTS_TO_BURN.limit or 0
LOTS = MANY + 5


@pytest.mark.parametrize("counts", [(1, FEW), (FEW + 1, 1), (MANY, 2), (MANY + 1, 2)])
async def test_lots_are_spent_in_their_order(service: Service, counts: tuple[int, ...]) -> None:
    """The first lots are spent, as many as it takes, and none behind them."""
    credits_ = {"amount": "1", "expiresAfter": "P1Y"}
    wallet = await open_wallet(service, benefit("towel", price="1"), creditConfiguration=credits_)
    for _ in range(LOTS - 1):
        change = {
            "poolId": wallet.pool_id,
            "idempotencyKey": guid(),
            "type": "ADJUST",
            "adjustOptions": {"value": "1"},
        }
        await service.call("changeBalance", change)
    for count in counts:
        await service.call("redeemBenefit", wallet.redemption(count=count))
    lots = sorted(await service.rows(Lot), key=lambda lot: lot.rank)
    spent = sum(counts)
    assert [lot.status for lot in lots] == (
        [LotStatus.SPENT] * spent + [LotStatus.LIVE] * (LOTS - spent)
    )
    assert (await wallet.balance())["amount"]["available"] == str(LOTS - spent)
