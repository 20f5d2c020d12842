"""Changes with a date while several servers are at them: each is done once, or not at all."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from benefit_programs.domain.calendars import ProgramTerms, RenewalConfiguration
from benefit_programs.domain.entities import Pool, PoolOrigin, Program
from benefit_programs.domain.scheduled_changes import ScheduledChange
from benefit_programs.storage.schema import migrate
from benefit_programs.storage.verification import verify_store
from tests.contract.test_scheduled_changes import DAY, START, iso, open_gym, schedule
from tests.support.calls import details
from tests.support.clock import StillClock
from tests.support.inprocess import Service, new_tenant, open_application
from tests.support.lifecycle import act, run_jobs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

PROGRAMS = 12
MONTHLY = ProgramTerms(renewal_configuration=RenewalConfiguration(every="P1M"))


@asynccontextmanager
async def two_servers(url: str) -> AsyncIterator[tuple[Service, ...]]:
    """One tenant at two servers of a database, each with a clock of its own."""
    await migrate(url)
    first, second = StillClock(START), StillClock(START)
    async with (
        open_application(url, run_jobs=False, clock=first) as one,
        open_application(url, run_jobs=False, clock=second) as another,
    ):
        service = await new_tenant(*one)
        yield service, service.elsewhere(*another), first, second  # type: ignore[misc]


async def test_a_withdrawal_and_a_runner_never_both_win(postgres_url: str) -> None:
    """A server whose clock is behind withdraws while another does what is due: one of the two."""
    async with two_servers(postgres_url) as (service, other, clock, behind):
        gym = await open_gym(service)
        programs = [await gym.join() for _ in range(PROGRAMS)]
        ends = [await schedule(service, each, "END", START + DAY) for each in programs]
        clock.now, behind.now = START + DAY, START + DAY - 1
        running = asyncio.create_task(run_jobs(service))
        requests = [{"scheduledChangeId": each["id"]} for each in ends]
        for request in requests:
            response = await other.send("withdrawScheduledChange", request)
            assert response.status_code in {200, 428}, response.text
        await running
        changes = {row.program_id: row.status for row in await service.rows(ScheduledChange)}
        states = {row.id: row.status for row in await service.rows(Program)}
        assert set(changes.values()) <= {"DONE", "WITHDRAWN"}
        for program in programs:
            assert (changes[program] == "DONE") is (states[program] == "ENDED")
        assert await verify_store(service.store) == []


async def test_two_runners_and_callers_do_each_thing_once(postgres_url: str) -> None:
    """Renewals, pauses and cascades of months, booked by two servers and by callers at once."""
    async with two_servers(postgres_url) as (service, other, clock, second):
        gym = await open_gym(service)
        programs = [await gym.join(MONTHLY) for _ in range(PROGRAMS)]
        pack = await service.create_pool_definition(details=details(amount="7"))
        for each in programs:
            pause = START + 40 * DAY
            await schedule(service, each, "PAUSE", pause, untilDate=iso(pause + 30 * DAY))
        await gym.update("20", "IMMEDIATELY", cascadeDate=iso(START + 33 * DAY))
        await gym.place("add", pack["id"], "IMMEDIATELY", cascadeDate=iso(START + 35 * DAY))
        await gym.place("remove", pack["id"], "NEXT_RENEWAL", cascadeDate=iso(START + 100 * DAY))
        clock.now = second.now = START + 125 * DAY
        await asyncio.gather(
            run_jobs(service),
            run_jobs(other),
            *(
                act(other if odd % 2 else service, "pause", each)
                for odd, each in enumerate(programs)
            ),
        )
        counts = {
            (row.origin, row.status, row.renewal_count, row.pool_definition_revision)
            for row in await service.rows(Pool)
        }
        # The second renewal falls into the pause, and the pack ends with the fourth.
        assert counts == {
            (PoolOrigin.PROVISION, "PAUSED", 3, 2),
            (PoolOrigin.CASCADE, "ENDED", 1, 3),
        }
        assert len(await service.rows(Pool)) == 2 * PROGRAMS
        assert await verify_store(service.store) == []
