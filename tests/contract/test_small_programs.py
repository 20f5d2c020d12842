"""A runner holds small programs as soon as it reads them; what has grown meanwhile, it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benefit_programs.domain.entities import Program
from benefit_programs.domain.orders.calendar import SettlePrograms
from benefit_programs.domain.store import StoreConflict
from tests.support.clock import DAY
from tests.support.dated import MONTHLY, join, make_plan, pool_row
from tests.support.lifecycle import do, limit_requests, run_jobs

if TYPE_CHECKING:
    from tests.support.clock import StillClock
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio


async def test_small_programs_renew_together(dated: tuple[Service, StillClock]) -> None:
    """What is held at once renews as what is looked at first."""
    service, clock = dated
    made = await make_plan(service, amount="100")
    wallets = [await join(service, made, MONTHLY) for _ in range(3)]
    clock.now += 32 * DAY
    ids = tuple(each.program["id"] for each in wallets)
    assert await do(service, SettlePrograms(program_ids=ids, are_small=True)) == 3
    assert await do(service, SettlePrograms(program_ids=ids, are_small=True)) == 0
    assert [(await pool_row(service, each)).renewal_count for each in wallets] == [1, 1, 1]


async def test_a_program_that_has_grown_is_refused_as_small(
    dated: tuple[Service, StillClock],
) -> None:
    """One with more pools than a request changes is left to a job, which needs a number first."""
    service, clock = dated
    wallet = await join(service, await make_plan(service, amount="100"), MONTHLY)
    await limit_requests(service)
    clock.now += 32 * DAY
    settle = SettlePrograms(program_ids=(wallet.program["id"],), are_small=True)
    with pytest.raises(StoreConflict):
        await do(service, settle)
    (before,) = await service.rows(Program)
    assert before.due is not None
    assert before.due <= clock.now
    await run_jobs(service)
    (after,) = await service.rows(Program)
    assert after.due is not None
    assert after.due > clock.now
    assert (await pool_row(service, wallet)).renewal_count == 1
