"""A pause that stops the clock moves all dates by as long as it lasts, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from benefit_programs.domain.calendars import ProgramTerms
from benefit_programs.domain.command import Command
from benefit_programs.domain.entities import Lot
from benefit_programs.domain.lookups import LIVE_POOLS_OF_PROGRAM, PROGRAM
from benefit_programs.domain.program_dates import dated
from benefit_programs.domain.required import require
from benefit_programs.domain.scheduled_changes import ChangeKind, ChangeStatus, ScheduledChange
from benefit_programs.domain.state import Changes, Mode, Needs, State
from benefit_programs.storage.verification import verify_store
from tests.support.clock import DAY, HOUR
from tests.support.dated import (
    DAILY,
    STOPPING,
    open_dated,
    open_still,
    pause,
    program_row,
    restart,
)
from tests.support.lifecycle import act, do, run_jobs

if TYPE_CHECKING:
    from benefit_programs.domain.context import Context
    from tests.support.inprocess import Service
    from tests.support.wallet import Wallet

pytestmark = pytest.mark.anyio

CREDIT: dict[str, Any] = {"amount": "100", "expiresAfter": "PT10H"}


async def open_paused(service: Service, clock: Any) -> tuple[Wallet, str]:
    """A pool whose ten hours stand still after the first, with nothing of it left."""
    wallet = await open_dated(service, STOPPING, **CREDIT)
    spent = await wallet.redeem(count=10)
    clock.move(hours=1)
    await pause(service, wallet.program["id"])
    return wallet, spent


async def test_what_was_spent_comes_back_while_the_clock_stands(database_url: str) -> None:
    """A lot doesn't expire meanwhile, so what returns to it can be spent later."""
    async with open_still(database_url) as (service, clock):
        wallet, spent = await open_paused(service, clock)
        clock.move(hours=50)
        await wallet.cancel(spent)
        await act(service, "resume", wallet.program["id"])
        assert await wallet.available() == "100"


async def test_what_was_spent_comes_back_after_the_pause(database_url: str) -> None:
    """A lot with nothing left moves like others; a second pause moves it again."""
    async with open_still(database_url) as (service, clock):
        wallet, spent = await open_paused(service, clock)
        begin = clock.now - HOUR
        program_id = wallet.program["id"]
        for _ in range(2):
            clock.move(hours=50)
            await act(service, "resume", program_id)
            await pause(service, program_id)
        await act(service, "resume", program_id)
        await wallet.cancel(spent)
        assert await wallet.available() == "100"
        (lot,) = await service.rows(Lot)
        assert lot.expiration_date == begin + 110 * HOUR
        clock.now = begin + 110 * HOUR
        await run_jobs(service)
        assert await wallet.available() == "0"
        assert await verify_store(service.store) == []


async def test_a_lot_can_be_ended_by_hand_while_the_clock_stands(database_url: str) -> None:
    """It hasn't expired, though its date is over that is still to be moved."""
    async with open_still(database_url) as (service, clock):
        wallet = await open_dated(service, STOPPING, **CREDIT)
        await pause(service, wallet.program["id"])
        clock.move(hours=50)
        (lot,) = await service.rows(Lot)
        await service.call("expireLot", {"lotId": lot.id, "idempotencyKey": "one"})
        assert await wallet.available() == "0"


async def test_what_rolls_over_during_a_pause_moves_by_all_of_it(database_url: str) -> None:
    """A renewal by hand gives it five hours, of which none pass before the clock goes on."""
    rollover = {"enabled": True, "expiresAfter": "PT5H"}
    async with open_still(database_url) as (service, clock):
        wallet = await open_dated(
            service, STOPPING, amount="100", expiresAfter="PT9H", rolloverConfiguration=rollover
        )
        program_id = wallet.program["id"]
        await pause(service, program_id)
        clock.move(hours=3)
        await act(service, "renew", program_id)
        clock.move(hours=4)
        await act(service, "resume", program_id)
        ends = [row.expiration_date for row in await service.rows(Lot)]
        assert ends == [clock.now + 5 * HOUR, clock.now + 9 * HOUR]


async def test_what_was_granted_in_a_pause_rolls_over_in_it(database_url: str) -> None:
    """No time passes for a lot that came while the clock stood: its five hours come afterwards."""
    rollover = {"enabled": True, "expiresAfter": "PT5H"}
    async with open_still(database_url) as (service, clock):
        wallet = await open_dated(service, STOPPING, amount="0", rolloverConfiguration=rollover)
        program_id = wallet.program["id"]
        await pause(service, program_id)
        clock.move(hours=3)
        grant = {"poolId": wallet.pool_id, "amount": "7", "keptAtRenewal": False}
        ends = {"expiresAfter": "PT8H", "idempotencyKey": "granted"}
        await service.call("grantCredits", grant | ends)
        clock.move(hours=1)
        await act(service, "renew", program_id)
        clock.move(hours=4)
        await act(service, "resume", program_id)
        (lot,) = [row for row in await service.rows(Lot) if row.available]
        assert lot.expiration_date == clock.now + 5 * HOUR
        assert await verify_store(service.store) == []


async def test_a_timetable_that_was_restarted_moves_by_the_rest_of_the_pause(
    database_url: str,
) -> None:
    """Its first cycle is a whole one."""
    terms = msgspec.structs.replace(DAILY, while_paused=STOPPING.while_paused)
    async with open_still(database_url) as (service, clock):
        wallet = await open_dated(service, terms, amount="100")
        program_id = wallet.program["id"]
        await pause(service, program_id)
        clock.move(hours=50)
        await restart(service, program_id)
        clock.move(hours=5)
        await act(service, "resume", program_id)
        assert (await program_row(service, program_id)).next_renewal == clock.now + DAY


class PlanPause(Command[None], frozen=True, kw_only=True):
    """Let a program pause at an instant to come, until another one."""

    program_id: str
    date: int
    until: int

    def ask(self, needs: Needs, state: State) -> None:
        if not state.has(PROGRAM, (self.program_id,), Mode.LOCK):
            needs.lock(PROGRAM, self.program_id)
        needs.lock(LIVE_POOLS_OF_PROGRAM, self.program_id)

    def decide(self, state: State, context: Context) -> Changes[None]:
        changes: Changes[None] = Changes(None)
        planned = ScheduledChange(
            id=context.new_id(),
            created=context.now,
            updated=context.now,
            kind=ChangeKind.PAUSE,
            status=ChangeStatus.WAITING,
            date=self.date,
            program_id=self.program_id,
            until=self.until,
        )
        program = dated(require(state, PROGRAM, self.program_id), [planned])
        changes.save(planned, program)
        for pool in state.many(LIVE_POOLS_OF_PROGRAM, self.program_id):
            changes.save(msgspec.structs.replace(pool, program_due=program.due))
        return changes


async def test_a_lot_of_a_late_renewal_moves_by_all_of_a_late_pause(database_url: str) -> None:
    """However late both are booked, and though the lot is made after the pause."""
    terms = msgspec.structs.replace(DAILY, while_paused=STOPPING.while_paused)
    async with open_still(database_url) as (service, clock):
        wallet = await open_dated(service, terms, amount="100", expiresAfter="P30D")
        begin = clock.now
        plan = PlanPause(
            program_id=wallet.program["id"], date=begin + 30 * HOUR, until=begin + 50 * HOUR
        )
        await do(service, plan)
        clock.now = begin + 60 * HOUR
        await run_jobs(service)
        _, lot, *_ = await service.rows(Lot)
        assert (lot.origin, lot.expiration_date) == ("RENEWAL", begin + 31 * DAY + 20 * HOUR)


async def test_days_of_a_usual_year_are_used_up_in_a_leap_year(database_url: str) -> None:
    """A pause of up to 365 days a year ends on the last day of 2028."""
    async with open_still(database_url) as (service, clock):
        clock.now = _utc(2026, 6, 1)
        wallet = await open_dated(service, ProgramTerms(paused_days_max=365), amount="100")
        await pause(service, wallet.program["id"])
        assert (await program_row(service, wallet.program["id"])).due == _utc(2028, 12, 31)


def _utc(*date: int) -> int:
    return int(datetime(*date, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type, misc]
