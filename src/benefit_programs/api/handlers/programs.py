"""The methods of programs."""

from __future__ import annotations

from benefit_programs.api import views
from benefit_programs.api.call import Call
from benefit_programs.api.types import programs as wire
from benefit_programs.domain.entities import Program, ProgramStatus
from benefit_programs.domain.errors import ProgramNotFound
from benefit_programs.domain.lookups import PROGRAM, PROGRAM_BY_EXTERNAL_ID
from benefit_programs.domain.programs import ProvisionProgram, UpdateProgram
from benefit_programs.storage import specs
from benefit_programs.storage.rows import CODECS


async def provision(
    call: Call, request: wire.ProvisionProgramRequest
) -> wire.ProvisionProgramResponse:
    """ProvisionProgram."""
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
        )
    )
    return wire.ProvisionProgramResponse(
        job_id=provisioned.job_id, program=views.program(provisioned.program)
    )


async def update(call: Call, request: wire.UpdateProgramRequest) -> wire.UpdateProgramResponse:
    """UpdateProgram."""
    change = request.program
    row = await call.execute(
        UpdateProgram(id=change.id, revision=change.revision, updates=call.updates("program"))
    )
    return wire.UpdateProgramResponse(program=views.program(row))


async def get(call: Call, request: wire.GetProgramRequest) -> wire.GetProgramResponse:
    """GetProgram."""
    row = await call.one(PROGRAM, request.program_id)
    if row is None:
        raise ProgramNotFound(program_id=request.program_id)
    return wire.GetProgramResponse(program=views.program(row))


async def get_by_external_id(
    call: Call, request: wire.GetProgramByExternalIdAndNamespaceRequest
) -> wire.GetProgramByExternalIdAndNamespaceResponse:
    """GetProgramByExternalIdAndNamespace."""
    row = await call.one(PROGRAM_BY_EXTERNAL_ID, request.namespace, request.external_id)
    if row is None:
        raise ProgramNotFound(external_id=request.external_id, namespace=request.namespace)
    return wire.GetProgramByExternalIdAndNamespaceResponse(program=views.program(row))


async def query(call: Call, request: wire.QueryProgramsRequest) -> wire.QueryProgramsResponse:
    """QueryPrograms."""
    found = await call.page(specs.programs(call.services.reader.dialect), request.query)
    read = CODECS[Program].read
    return wire.QueryProgramsResponse(
        programs=tuple(views.program(read(row)) for row in found.rows),
        metadata=views.metadata_of(found.page),
    )
