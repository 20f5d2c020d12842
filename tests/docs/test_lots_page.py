"""The worked example of the page about lots, done by a real service."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.calls import benefit, guid
from tests.support.wallet import open_wallet

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).resolve().parents[2] / "docs" / "concepts" / "lots.md"
ROW = re.compile(r"^\| (\w+) \| (\d+) \| (.+?) \| (\d+) \| (\d+) \| (\d+) \|$", re.MULTILINE)
ENDS = {"in 7 days": {"expiresAfter": "P7D"}, "in a year": {"expiresAfter": "P1Y"}}


async def test_the_figures_are_those_of_the_service(service: Service) -> None:
    """Each lot gives what the table says, and has left what it says."""
    rows = ROW.findall(PAGE.read_text("utf-8"))
    names: dict[str, str] = {}
    standard = next(before for name, _, _, before, _, _ in rows if name == "Standard")
    wallet = await open_wallet(service, benefit("class", price="1"), amount=standard)
    for name, priority, end, before, _, _ in rows:
        if name == "Standard":
            names[wallet.pool_id] = name
            continue
        request: dict[str, Any] = {"poolId": wallet.pool_id, "idempotencyKey": guid()}
        request |= {"amount": before, "priority": int(priority), **ENDS[end]}
        names[(await service.call("grantCredits", request))["lot"]["id"]] = name
    count = sum(int(drawn) for *_, drawn, _ in rows)
    redeemed = await wallet.transaction(await wallet.redeem(count=count))
    drawn = {names[each["lotId"]]: each["amount"] for each in redeemed["lots"]}
    left = {
        names[id_]: (await service.call("getLot", {"lotId": id_}))["lot"]["available"]
        for id_ in names
    }
    assert drawn == {name: amount for name, *_, amount, _ in rows}
    assert left == {name: rest for name, *_, rest in rows}
    assert len(rows) == len(names) == 3
