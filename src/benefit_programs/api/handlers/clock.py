"""The clock of a sandbox: tenants for tests, whose time is set forward."""

from __future__ import annotations

from benefit_programs.api.call import Call
from benefit_programs.api.method import GET, MANAGE, POST, method
from benefit_programs.domain.clock_commands import LeaveClockToJob, SetClock
from benefit_programs.domain.clock_errors import ClockIsMoving, NotASandbox
from benefit_programs.domain.clocks import Clock
from benefit_programs.engine.clock import move_clock
from benefit_programs.wire.types import clock as wire

IN_REQUEST_SECONDS_MAX = 5.0
"""How long a request works on what is due until the clock is set; a job does the rest."""


@method(
    "getClock",
    GET,
    "/benefit-programs/v1/clock",
    MANAGE,
    "BENEFIT_PROGRAMS.CLOCK_READ",
    refuses=(NotASandbox,),
    is_addition=True,
)
async def get(call: Call, _: wire.GetClockRequest) -> wire.ClockResponse:
    _require_sandbox(call)
    return _shown(call, call.clock)


@method(
    "setClock",
    POST,
    "/benefit-programs/v1/clock",
    MANAGE,
    "BENEFIT_PROGRAMS.CLOCK_UPDATE",
    refuses=(NotASandbox, ClockIsMoving),
    is_addition=True,
)
async def set_forward(call: Call, request: wire.SetClockRequest) -> wire.ClockResponse:
    _require_sandbox(call)
    await call.execute(SetClock(date=request.date, advance=request.advance))
    settings, engine = call.principal.settings, call.services.engine
    if not await move_clock(engine, call.tenant_id, settings, seconds=IN_REQUEST_SECONDS_MAX):
        clock = await call.execute(LeaveClockToJob())
        return _shown(call, clock)
    return _shown(call, await call.services.reader.clock(call.tenant_id))


def _require_sandbox(call: Call) -> None:
    if not call.principal.settings.is_sandbox:
        raise NotASandbox


def _shown(call: Call, clock: Clock | None) -> wire.ClockResponse:
    real = call.services.engine.now()
    if clock is None:
        return wire.ClockResponse(clock=wire.Clock(date=real))
    return wire.ClockResponse(
        clock=wire.Clock(date=clock.now(real), target_date=clock.until, job_id=clock.job_id)
    )
