"""A program with dates, and the wallet of its only pool."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from benefit_programs.domain.calendars import ProgramTerms, RenewalConfiguration, WhilePaused
from benefit_programs.domain.entities import Program, ProgramStatus
from benefit_programs.domain.orders.programs import PAUSE, RENEW, ActOnProgram
from benefit_programs.domain.programs import ProvisionProgram
from benefit_programs.domain.values import Identity, IdentityType
from tests.support.calls import NAMESPACE, details, guid
from tests.support.clock import StillClock
from tests.support.inprocess import new_tenant, open_application
from tests.support.lifecycle import do, pool_rows
from tests.support.wallet import Wallet, add_item

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.calls import Document
    from tests.support.inprocess import Service

DAILY = ProgramTerms(renewal_configuration=RenewalConfiguration(every="P1D"))
STOPPING = ProgramTerms(while_paused=WhilePaused.STOP)


@asynccontextmanager
async def open_still(url: str) -> AsyncIterator[tuple[Service, StillClock]]:
    """A service without a runner, at an instant that only the test changes."""
    clock = StillClock()
    async with open_application(url, clock=clock, run_jobs=False) as application:
        yield await new_tenant(*application), clock


async def open_dated(
    service: Service,
    terms: ProgramTerms,
    *benefits: Document,
    status: ProgramStatus = ProgramStatus.ACTIVE,
    **credit: Any,
) -> Wallet:
    """Without benefits there is one, ``towel`` at the price of 10."""
    plan = await service.create_program_definition()
    definition = await service.create_pool_definition(
        programDefinitionIds=[plan["id"]],
        details=details(*benefits, amount=None, creditConfiguration=credit),
    )
    for each in definition["details"]["benefits"]:
        await add_item(service, each, f"item of {each['benefitKey']}")
    command = ProvisionProgram(
        beneficiary=Identity(IdentityType.MEMBER, guid()),
        namespace=NAMESPACE,
        external_id=guid(),
        program_definition_id=plan["id"],
        status=status,
        terms=terms,
    )
    program_id = (await do(service, command)).program.id
    (pool,) = await pool_rows(service, program_id)
    answer = await service.call("getProgram", {"programId": program_id})
    return Wallet(service, definition, answer["program"], pool.id)


async def pause(service: Service, program_id: str, until: int | None = None) -> None:
    """Pause a program, which then resumes by itself."""
    command = ActOnProgram(action=PAUSE, program_id=program_id, idempotency_key=guid(), until=until)
    await do(service, command)


async def restart(service: Service, program_id: str) -> None:
    """Renew a program, and count its timetable from now on anew."""
    command = ActOnProgram(
        action=RENEW, program_id=program_id, idempotency_key=guid(), restarts_timetable=True
    )
    await do(service, command)


async def program_row(service: Service, program_id: str) -> Program:
    (found,) = [row for row in await service.rows(Program) if row.id == program_id]
    return found
