"""Whatever has befallen a pool: its statements close, and say what was read at the time."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.entities import Transaction
from benefit_programs.domain.settling import SettlePools
from benefit_programs.domain.statements import figures_of, moment_of, moved_by
from benefit_programs.wire.codec import amount_text, instant_text
from tests.support.clock import Clock
from tests.support.histories import History
from tests.support.inprocess import new_tenant, open_application

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.calls import Document
    from tests.support.databases import Databases
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

STEPS = 30
SEEDS = range(8)
SEEDS_FULL = range(8, 200)
CUTS = 6
IN = ("provisioned", "renewed", "granted", "adjusted", "returned")
OUT = ("redeemed", "reserved", "lapsed")


@pytest.fixture(scope="module")
async def opened(databases: Databases) -> AsyncIterator[tuple[Any, Clock]]:
    """A service whose clock the test moves, and whose runner does nothing."""
    url, clock = databases.create(), Clock()
    async with open_application(url, clock=clock, run_jobs=False) as application:
        yield application, clock
    databases.drop(url)


async def statement(service: Service, pool_id: str, **asked: Any) -> Document:
    """All pages of a statement as one; those after the first bring rows alone."""
    whole: Document = {}
    request = {"poolId": pool_id, "byLot": "true", "cursorPaging": {"limit": 7}, **asked}
    for _ in range(1_000):
        page = await service.call("getStatement", request)
        assert ("summary" in page) is not bool(whole)
        whole = whole or {**page["summary"], "rows": []}
        whole["rows"] += page["rows"]
        if not page["metadata"]["hasNext"]:
            return whole
        cursor = page["metadata"]["cursors"]["next"]
        request = {"poolId": pool_id, "cursorPaging": {"limit": 7, "cursor": cursor}}
    raise AssertionError("the pages don't end")


def change(figures: Document) -> Decimal:
    added = sum((Decimal(figures[each]) for each in IN), Decimal(0))
    return added - sum((Decimal(figures[each]) for each in OUT), Decimal(0))


def require_closed(found: Document) -> None:
    """Fail unless a statement closes: in all, row by row, and by lot."""
    opening, closing = found["opening"], found["closing"]
    assert Decimal(opening["available"]) + change(found["figures"]) == Decimal(closing["available"])
    reserved = Decimal(closing["reserved"]) - Decimal(opening["reserved"])
    assert Decimal(found["figures"]["reserved"]) == reserved
    available, held = Decimal(opening["available"]), Decimal(opening["reserved"])
    for row in found["rows"]:
        available += Decimal(row["amount"])
        held += Decimal(row["reservedAmount"])
        assert (available, held) == (
            Decimal(row["availableAfter"]),
            Decimal(row["reservedAfter"]),
        )
    assert (available, held) == (Decimal(closing["available"]), Decimal(closing["reserved"]))
    assert found["transactionCount"] == len(found["rows"])
    require_lots(found)


def require_lots(found: Document) -> None:
    for lot in found["lots"]:
        closing = Decimal(lot["opening"]) + change(lot["figures"]) + Decimal(lot["moved"])
        assert closing == Decimal(lot["closing"]) >= 0 <= Decimal(lot["opening"])
    for side in ("opening", "closing"):
        total = sum((Decimal(lot[side]) for lot in found["lots"]), Decimal(0))
        assert total == Decimal(found[side]["available"])
    assert sum((Decimal(lot["moved"]) for lot in found["lots"]), Decimal(0)) == 0
    for name in (*IN, *OUT):
        total = sum((Decimal(lot["figures"][name]) for lot in found["lots"]), Decimal(0))
        assert total == Decimal(found["figures"][name])


LATER = ("id", "expirationDate")
"""What a lot gets when it is booked, and a term that a rollover may change."""


def as_seen(found: Document) -> Document:
    """What was at an instant, whatever came to its lots since."""
    lots = [{name: lot[name] for name in lot if name not in LATER} for lot in found["lots"]]
    return {**found, "lots": sorted(lots, key=str)}


@pytest.mark.parametrize("seed", SEEDS)
async def test_statements_close(opened: tuple[Any, Clock], seed: int) -> None:
    """Any two cuts, in all and by lot; what was read at a time is what was there then."""
    await _try(opened, seed)


@pytest.mark.full
@pytest.mark.parametrize("seed", SEEDS_FULL)
async def test_many_statements_close(opened: tuple[Any, Clock], seed: int) -> None:
    """The same for many more histories."""
    await _try(opened, seed)


async def _try(opened: tuple[Any, Clock], seed: int) -> None:
    application, clock = opened
    service = await new_tenant(*application)
    history = await History.begin(service, clock, seed)
    pool_id = history.wallet.pool_id
    seen: list[tuple[int, Document]] = []
    for _ in range(STEPS):
        await history.step()
        at = clock.now
        asked = {"poolId": pool_id, "date": instant_text(at)}
        seen.append((at, as_seen(await service.call("getBalanceAsOf", asked))))
        require_closed(await statement(service, pool_id))
    await history.do(SettlePools(pool_ids=(pool_id,)))
    for at, then in seen:
        asked = {"poolId": pool_id, "date": instant_text(at)}
        assert as_seen(await service.call("getBalanceAsOf", asked)) == then
    await _require_cuts(service, history, [at for at, _ in seen])


async def _require_cuts(service: Service, history: History, instants: list[int]) -> None:
    """Fail unless statements between any two instants are the slow sums of transactions."""
    pool_id = history.wallet.pool_id
    booked = [each for each in await service.rows(Transaction) if each.pool_id == pool_id]
    edges = [moment_of(each) for each in booked] + instants
    for _ in range(CUTS):
        since, to = sorted(history.chance.sample(edges, 2))
        found = await statement(
            service, pool_id, fromDate=instant_text(since), toDate=instant_text(to)
        )
        require_closed(found)
        inside = [each for each in booked if since <= moment_of(each) < to]
        slow = figures_of(moved_by(each) for each in inside)
        assert found["figures"] == {name: amount_text(getattr(slow, name)) for name in (*IN, *OUT)}
        assert {row["transactionId"] for row in found["rows"]} == {each.id for each in inside}
