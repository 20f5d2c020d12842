"""The four actions on programs."""

from __future__ import annotations

from benefit_programs.api.call import Call
from benefit_programs.api.types import programs as wire
from benefit_programs.domain.lifecycle import END, PAUSE, RENEW, RESUME, Action, ActOnProgram


async def pause(call: Call, request: wire.PauseProgramRequest) -> wire.PauseProgramResponse:
    """PauseProgram."""
    return wire.PauseProgramResponse(job_id=await _act(call, PAUSE, request))


async def resume(call: Call, request: wire.ResumeProgramRequest) -> wire.ResumeProgramResponse:
    """ResumeProgram."""
    return wire.ResumeProgramResponse(job_id=await _act(call, RESUME, request))


async def renew(call: Call, request: wire.RenewProgramRequest) -> wire.RenewProgramResponse:
    """RenewProgram."""
    return wire.RenewProgramResponse(job_id=await _act(call, RENEW, request))


async def end(call: Call, request: wire.EndProgramRequest) -> wire.EndProgramResponse:
    """EndProgram: it has no key, since a program ends only once."""
    job_id = await call.execute(ActOnProgram(action=END, program_id=request.program_id))
    return wire.EndProgramResponse(job_id=job_id)


async def _act(call: Call, action: Action, request: wire.ProgramActionRequest) -> str:
    return await call.execute(
        ActOnProgram(
            action=action,
            program_id=request.program_id,
            idempotency_key=request.idempotency_key,
        )
    )
