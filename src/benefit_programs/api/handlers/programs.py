"""The methods of programs."""

from __future__ import annotations

from benefit_programs.api.call import Call
from benefit_programs.api.method import GET, MANAGE, PATCH, POST, READ_LIMITED, method
from benefit_programs.domain.calendar_errors import EndDatePassed, ProgramDatesFixed
from benefit_programs.domain.calendars import terms_of
from benefit_programs.domain.entities import Program, ProgramStatus
from benefit_programs.domain.errors import (
    AlreadyExecuted,
    InProgress,
    InvalidRevision,
    PoolDefinitionNotFound,
    ProgramAlreadyExists,
    ProgramDefinitionNotFound,
    ProgramNotFound,
    ProgramStatusTransitionNotAllowed,
)
from benefit_programs.domain.lookups import PROGRAM, PROGRAM_BY_EXTERNAL_ID
from benefit_programs.domain.orders.programs import END, PAUSE, RENEW, RESUME, Action, ActOnProgram
from benefit_programs.domain.programs import ProvisionProgram, UpdateProgram
from benefit_programs.storage import specs
from benefit_programs.wire import views
from benefit_programs.wire.types import programs as wire

_STATUS = (InProgress, ProgramStatusTransitionNotAllowed)


@method(
    "provisionProgram",
    POST,
    "/benefit-programs/v1/programs/provision",
    MANAGE,
    "BENEFIT_PROGRAMS.PROGRAM_PROVISION",
    refuses=(
        ProgramDefinitionNotFound,
        PoolDefinitionNotFound,
        InProgress,
        ProgramAlreadyExists,
        EndDatePassed,
    ),
)
async def provision(
    call: Call, request: wire.ProvisionProgramRequest
) -> wire.ProvisionProgramResponse:
    lookup = request.pool_definition_lookup_id
    provisioned = await call.execute(
        ProvisionProgram(
            beneficiary=request.beneficiary.identity(),
            namespace=request.namespace,
            external_id=request.external_program_id,
            status=ProgramStatus(request.program_status or ProgramStatus.ACTIVE),
            display_name=request.display_name,
            program_definition_id=lookup.program_definition_id,
            pool_definition_id=lookup.pool_definition_id,
            terms=terms_of(request),
        )
    )
    return wire.ProvisionProgramResponse(
        job_id=provisioned.job_id, program=views.program(provisioned.program)
    )


@method(
    "renewProgram",
    POST,
    "/benefit-programs/v1/programs/renew",
    MANAGE,
    "BENEFIT_PROGRAMS.PROGRAM_RENEW",
    refuses=(ProgramNotFound, *_STATUS),
)
async def renew(call: Call, request: wire.RenewProgramRequest) -> wire.RenewProgramResponse:
    restarts = bool(request.restart_timetable)
    return wire.RenewProgramResponse(job_id=await _act(call, RENEW, request, restarts=restarts))


@method(
    "pauseProgram",
    POST,
    "/benefit-programs/v1/programs/pause",
    MANAGE,
    "BENEFIT_PROGRAMS.PROGRAM_PAUSE",
    refuses=(ProgramNotFound, AlreadyExecuted, *_STATUS),
)
async def pause(call: Call, request: wire.PauseProgramRequest) -> wire.PauseProgramResponse:
    return wire.PauseProgramResponse(job_id=await _act(call, PAUSE, request))


@method(
    "resumeProgram",
    POST,
    "/benefit-programs/v1/programs/resume",
    MANAGE,
    "BENEFIT_PROGRAMS.PROGRAM_RESUME",
    refuses=(ProgramNotFound, AlreadyExecuted, *_STATUS),
)
async def resume(call: Call, request: wire.ResumeProgramRequest) -> wire.ResumeProgramResponse:
    return wire.ResumeProgramResponse(job_id=await _act(call, RESUME, request))


async def _act(
    call: Call, action: Action, request: wire.ProgramActionRequest, *, restarts: bool = False
) -> str:
    return await call.execute(
        ActOnProgram(
            action=action,
            program_id=request.program_id,
            idempotency_key=request.idempotency_key,
            restarts_timetable=restarts,
        )
    )


@method(
    "endProgram",
    POST,
    "/benefit-programs/v1/programs/end",
    MANAGE,
    "BENEFIT_PROGRAMS.PROGRAM_END",
    refuses=(ProgramNotFound, *_STATUS),
)
async def end(call: Call, request: wire.EndProgramRequest) -> wire.EndProgramResponse:
    """It has no key, since a program ends only once."""
    job_id = await call.execute(ActOnProgram(action=END, program_id=request.program_id))
    return wire.EndProgramResponse(job_id=job_id)


@method(
    "updateProgram",
    PATCH,
    "/benefit-programs/v1/programs/{program.id}",
    MANAGE,
    "BENEFIT_PROGRAMS.PROGRAM_UPDATE",
    refuses=(ProgramNotFound, InvalidRevision, InProgress, ProgramDatesFixed),
)
async def update(call: Call, request: wire.UpdateProgramRequest) -> wire.UpdateProgramResponse:
    change = request.program
    row = await call.execute(
        UpdateProgram(id=change.id, revision=change.revision, updates=call.updates("program"))
    )
    return wire.UpdateProgramResponse(program=views.program(row))


@method(
    "getProgram",
    GET,
    "/benefit-programs/v1/programs/{programId}",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.PROGRAM_READ",
    refuses=(ProgramNotFound,),
)
async def get(call: Call, request: wire.GetProgramRequest) -> wire.GetProgramResponse:
    missing = ProgramNotFound(program_id=request.program_id)
    row = await call.get(PROGRAM, request.program_id, missing=missing)
    return wire.GetProgramResponse(program=views.program(row))


@method(
    "queryPrograms",
    POST,
    "/benefit-programs/v1/programs/query",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.PROGRAM_READ",
    spec=specs.programs,
)
async def query(call: Call, request: wire.QueryProgramsRequest) -> wire.QueryProgramsResponse:
    rows, metadata = await call.page(Program, request.query)
    return wire.QueryProgramsResponse(programs=tuple(map(views.program, rows)), metadata=metadata)


@method(
    "getProgramByExternalIdAndNamespace",
    GET,
    "/benefit-programs/v1/programs/by-namespace-and-external-id",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.PROGRAM_READ",
    refuses=(ProgramNotFound,),
)
async def get_by_external_id(
    call: Call, request: wire.GetProgramByExternalIdAndNamespaceRequest
) -> wire.GetProgramByExternalIdAndNamespaceResponse:
    namespace, external_id = request.namespace, request.external_id
    missing = ProgramNotFound(external_id=external_id, namespace=namespace)
    row = await call.get(PROGRAM_BY_EXTERNAL_ID, namespace, external_id, missing=missing)
    return wire.GetProgramByExternalIdAndNamespaceResponse(program=views.program(row))
