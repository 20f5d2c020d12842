"""Programs with dates, in a service whose clock the test moves and whose runner does nothing."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from benefit_programs.domain.calendars import (
    ProgramTerms,
    RenewalConfiguration,
    WhilePaused,
)
from benefit_programs.domain.entities import JobKind, Pool, Program, ProgramStatus
from benefit_programs.domain.orders.calendar import SettlePrograms
from benefit_programs.domain.orders.programs import ACTIONS, PAUSE, RENEW, ActOnProgram
from benefit_programs.domain.programs import ProvisionProgram
from benefit_programs.domain.settling import SettlePools
from benefit_programs.domain.values import Identity, IdentityType
from tests.support.calls import NAMESPACE, details, guid
from tests.support.clock import DAY, Clock, StillClock
from tests.support.inprocess import new_tenant, open_application
from tests.support.lifecycle import do
from tests.support.wallet import Wallet, add_item

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.calls import Document
    from tests.support.inprocess import Service

BEGIN = int(datetime(2027, 1, 31, 10, tzinfo=UTC).timestamp() * 1000)
"""The 31st of a month, so that months differ."""

DAILY = ProgramTerms(renewal_configuration=RenewalConfiguration(every="P1D"))
MONTHLY = ProgramTerms(renewal_configuration=RenewalConfiguration(every="P1M"))
STOPPING = ProgramTerms(while_paused=WhilePaused.STOP)
MONTHLY_STOPPING = ProgramTerms(
    renewal_configuration=RenewalConfiguration(every="P1M"), while_paused=WhilePaused.STOP
)


@asynccontextmanager
async def open_still(url: str, **settings: Any) -> AsyncIterator[tuple[Service, StillClock]]:
    """A service without a runner, at an instant that only the test changes: first ``BEGIN``."""
    clock = StillClock(BEGIN)
    async with open_application(url, clock=clock, run_jobs=False, **settings) as application:
        yield await new_tenant(*application), clock


async def make_plan(
    service: Service, *benefits: Document, **credit: Any
) -> tuple[Document, Document]:
    """A program definition with one pool definition, whose benefits have an item each.

    Without benefits there is one, ``towel`` at the price of 10.
    """
    plan = await service.create_program_definition()
    definition = await service.create_pool_definition(
        programDefinitionIds=[plan["id"]],
        details=details(*benefits, amount=None, creditConfiguration=credit),
    )
    for each in definition["details"]["benefits"]:
        await add_item(service, each, f"item of {each['benefitKey']}")
    return plan, definition


async def join(
    service: Service, made: tuple[Document, Document], terms: ProgramTerms, **more: Any
) -> Wallet:
    """A program of a plan that begins now, with terms of its own."""
    plan, definition = made
    command = ProvisionProgram(
        beneficiary=Identity(IdentityType.MEMBER, guid()),
        namespace=NAMESPACE,
        external_id=guid(),
        program_definition_id=plan["id"],
        terms=terms,
        **more,
    )
    program = (await do(service, command)).program
    found = await service.call("getProgram", {"programId": program.id})
    (pool,) = await service.pools_of(program.id)
    return Wallet(service, definition, found["program"], pool["id"])


async def open_dated(
    service: Service,
    terms: ProgramTerms,
    *benefits: Document,
    status: ProgramStatus = ProgramStatus.ACTIVE,
    **credit: Any,
) -> Wallet:
    """A program with dates, and the wallet of its only pool."""
    made = await make_plan(service, *benefits, **credit)
    return await join(service, made, terms, status=status)


async def be_on_time(service: Service, wallet: Wallet) -> None:
    """Book what is due of one program now, as a runner that is never late would."""
    program_id = wallet.program["id"]
    while await do(service, SettlePrograms(program_ids=(program_id,))):
        pass
    await do(service, SettlePools(pool_ids=(wallet.pool_id,)))


async def act_until(
    service: Service, wallet: Wallet, kind: JobKind, until: int | None = None
) -> None:
    """Do an action on a program; a pause may end by itself."""
    command = ActOnProgram(action=ACTIONS[kind], program_id=wallet.program["id"], until=until)
    await do(service, command)


async def pause(service: Service, program_id: str, until: int | None = None) -> None:
    """Pause a program, which may then resume by itself."""
    await do(service, ActOnProgram(action=PAUSE, program_id=program_id, until=until))


async def restart(service: Service, program_id: str) -> None:
    """Renew a program, and count its timetable from now on anew."""
    await do(service, ActOnProgram(action=RENEW, program_id=program_id, restarts_timetable=True))


async def program_row(service: Service, program_id: str) -> Program:
    (found,) = [row for row in await service.rows(Program) if row.id == program_id]
    return found


async def pool_row(service: Service, wallet: Wallet) -> Pool:
    """A pool as it is stored."""
    return next(row for row in await service.rows(Pool) if row.id == wallet.pool_id)


async def fill_with_dates(service: Service, clock: Clock) -> None:
    """Leave programs that have renewed late, have ended by themselves, and stand still.

    One that stands still counts its timetable anew.
    """
    made = await make_plan(service, amount="9", expiresAfter="P90D")
    every_day = RenewalConfiguration(every="P1D", cycles=5)
    terms = (
        ProgramTerms(renewal_configuration=every_day),
        ProgramTerms(renewal_configuration=every_day, ends_after="PT30H"),
        MONTHLY_STOPPING,
        MONTHLY_STOPPING,
    )
    renewing, ending, stopping, anew = [await join(service, made, each) for each in terms]
    await act_until(service, anew, JobKind.PAUSE_PROGRAM)
    clock.move(hours=1)
    await join(service, made, ProgramTerms(renewal_configuration=every_day, ends_after="P4D"))
    await join(service, made, ProgramTerms(renewal_configuration=every_day, ends_after="PT40H"))
    clock.move(hours=50)
    assert (await renewing.pool())["renewalCount"] == 2
    assert (await ending.pool())["status"] == "ENDED"
    await act_until(service, stopping, JobKind.PAUSE_PROGRAM, clock() + DAY)
    clock.move(hours=800)
    await restart(service, anew.program["id"])
