"""The methods of program definitions."""

from __future__ import annotations

from benefit_programs.api.call import Call
from benefit_programs.api.method import DELETE, GET, MANAGE, PATCH, POST, READ_LIMITED, method
from benefit_programs.domain.calendars import terms_of
from benefit_programs.domain.entities import ProgramDefinition
from benefit_programs.domain.errors import (
    InvalidRevision,
    ProgramDefinitionAlreadyExists,
    ProgramDefinitionNotFound,
)
from benefit_programs.domain.lookups import (
    PROGRAM_DEFINITION,
    PROGRAM_DEFINITION_BY_EXTERNAL_ID,
)
from benefit_programs.domain.pool_definitions import DeleteProgramDefinition
from benefit_programs.domain.program_definitions import (
    CreateProgramDefinition,
    UpdateProgramDefinition,
)
from benefit_programs.storage import specs
from benefit_programs.wire import views
from benefit_programs.wire.types import program_definitions as wire


@method(
    "createProgramDefinition",
    POST,
    "/benefit-programs/v1/program-definitions",
    MANAGE,
    "BENEFIT_PROGRAMS.PROGRAM_DEFINITION_CREATE",
    refuses=(ProgramDefinitionAlreadyExists,),
)
async def create(
    call: Call, request: wire.CreateProgramDefinitionRequest
) -> wire.CreateProgramDefinitionResponse:
    new = request.program_definition
    row = await call.execute(
        CreateProgramDefinition(
            namespace=new.namespace,
            external_id=new.external_id,
            display_name=new.display_name,
            description=new.description,
            extended_fields=new.extended_fields.namespaces if new.extended_fields else None,
            terms=terms_of(new),
        )
    )
    return wire.CreateProgramDefinitionResponse(program_definition=views.program_definition(row))


@method(
    "updateProgramDefinition",
    PATCH,
    "/benefit-programs/v1/program-definitions/{programDefinition.id}",
    MANAGE,
    "BENEFIT_PROGRAMS.PROGRAM_DEFINITION_UPDATE",
    refuses=(ProgramDefinitionNotFound, InvalidRevision),
)
async def update(
    call: Call, request: wire.UpdateProgramDefinitionRequest
) -> wire.UpdateProgramDefinitionResponse:
    change = request.program_definition
    row = await call.execute(
        UpdateProgramDefinition(
            id=change.id, revision=change.revision, updates=call.updates("program_definition")
        )
    )
    return wire.UpdateProgramDefinitionResponse(program_definition=views.program_definition(row))


@method(
    "deleteProgramDefinition",
    DELETE,
    "/benefit-programs/v1/program-definitions/{programDefinitionId}",
    MANAGE,
    "BENEFIT_PROGRAMS.PROGRAM_DEFINITION_DELETE",
    refuses=(ProgramDefinitionNotFound,),
)
async def delete(
    call: Call, request: wire.DeleteProgramDefinitionRequest
) -> wire.DeleteProgramDefinitionResponse:
    await call.execute(
        DeleteProgramDefinition(id=request.program_definition_id, cascade=request.cascade_type)
    )
    return wire.DeleteProgramDefinitionResponse()


@method(
    "getProgramDefinition",
    GET,
    "/benefit-programs/v1/program-definitions/{programDefinitionId}",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.PROGRAM_DEFINITION_READ",
    refuses=(ProgramDefinitionNotFound,),
)
async def get(
    call: Call, request: wire.GetProgramDefinitionRequest
) -> wire.GetProgramDefinitionResponse:
    missing = ProgramDefinitionNotFound(program_definition_id=request.program_definition_id)
    row = await call.get(PROGRAM_DEFINITION, request.program_definition_id, missing=missing)
    return wire.GetProgramDefinitionResponse(program_definition=views.program_definition(row))


@method(
    "getProgramDefinitionByExternalIdAndNamespace",
    GET,
    "/benefit-programs/v1/program-definitions/by-namespace-and-external-id",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.PROGRAM_DEFINITION_READ",
    refuses=(ProgramDefinitionNotFound,),
)
async def get_by_external_id(
    call: Call, request: wire.GetProgramDefinitionByExternalIdAndNamespaceRequest
) -> wire.GetProgramDefinitionByExternalIdAndNamespaceResponse:
    namespace, external_id = request.namespace, request.external_id
    row = await call.get(
        PROGRAM_DEFINITION_BY_EXTERNAL_ID,
        namespace,
        external_id,
        missing=ProgramDefinitionNotFound(external_id=external_id, namespace=namespace),
    )
    return wire.GetProgramDefinitionByExternalIdAndNamespaceResponse(
        program_definition=views.program_definition(row)
    )


@method(
    "queryProgramDefinitions",
    POST,
    "/benefit-programs/v1/program-definitions/query",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.PROGRAM_DEFINITION_READ",
    spec=specs.program_definitions,
)
async def query(
    call: Call, request: wire.QueryProgramDefinitionsRequest
) -> wire.QueryProgramDefinitionsResponse:
    rows, metadata = await call.page(ProgramDefinition, request.query)
    return wire.QueryProgramDefinitionsResponse(
        program_definitions=tuple(map(views.program_definition, rows)), metadata=metadata
    )
