"""The page of the day: what was redeemed, given back and missed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from benefit_programs.domain.directory import Role
from tests.support.calls import benefit
from tests.support.console import Browser
from tests.support.wallet import open_wallet

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio


async def test_a_day_is_counted_by_items(service: Service) -> None:
    """Redemptions, returns, and who canceled too late; another day has none of them."""
    late = [{"before": "PT24H", "percent": "100"}]
    wallet = await open_wallet(
        service,
        benefit("yoga", price="1", displayName="Yoga", cancellationTerms=late),
        benefit("sauna", price="2", displayName="Sauna"),
    )
    await wallet.redeem("yoga", count=3)
    await wallet.cancel(await wallet.redeem("yoga"))
    await wallet.cancel(await wallet.redeem("sauna", count=2))
    await wallet.adjust("5")
    visitor = Browser(service)
    await visitor.sign_in(Role.FRONT_DESK)
    html = (await visitor.get("/today")).text
    rows = re.findall(r'<tr><th scope="row">(\w+)</th>(.*?)</tr>', html)
    counts = {name: re.findall(r"(\d*)(?:</strong>)?</td>", cells) for name, cells in rows}
    assert counts == {"Yoga": ["4", "", "1"], "Sauna": ["2", "2", ""]}
    assert "Nothing was redeemed on this day." in (await visitor.get("/today?day=2026-01-01")).text
    assert (await visitor.get("/today?day=soon")).status_code == 400
    assert (await visitor.get("/today/nobody")).status_code == 404
