"""The six methods of program definitions."""

from __future__ import annotations

from benefit_programs.api import views
from benefit_programs.api.call import Call
from benefit_programs.api.types import program_definitions as wire
from benefit_programs.domain.entities import ProgramDefinition
from benefit_programs.domain.errors import ProgramDefinitionNotFound
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
from benefit_programs.storage.rows import CODECS


async def create(
    call: Call, request: wire.CreateProgramDefinitionRequest
) -> wire.CreateProgramDefinitionResponse:
    """CreateProgramDefinition."""
    new = request.program_definition
    row = await call.execute(
        CreateProgramDefinition(
            namespace=new.namespace,
            external_id=new.external_id,
            display_name=new.display_name,
            description=new.description,
            extended_fields=new.extended_fields.namespaces if new.extended_fields else None,
        )
    )
    return wire.CreateProgramDefinitionResponse(program_definition=views.program_definition(row))


async def update(
    call: Call, request: wire.UpdateProgramDefinitionRequest
) -> wire.UpdateProgramDefinitionResponse:
    """UpdateProgramDefinition."""
    change = request.program_definition
    row = await call.execute(
        UpdateProgramDefinition(
            id=change.id, revision=change.revision, updates=call.updates("program_definition")
        )
    )
    return wire.UpdateProgramDefinitionResponse(program_definition=views.program_definition(row))


async def delete(
    call: Call, request: wire.DeleteProgramDefinitionRequest
) -> wire.DeleteProgramDefinitionResponse:
    """DeleteProgramDefinition."""
    await call.execute(
        DeleteProgramDefinition(id=request.program_definition_id, cascade=request.cascade_type)
    )
    return wire.DeleteProgramDefinitionResponse()


async def get(
    call: Call, request: wire.GetProgramDefinitionRequest
) -> wire.GetProgramDefinitionResponse:
    """GetProgramDefinition."""
    row = await call.one(PROGRAM_DEFINITION, request.program_definition_id)
    if row is None:
        raise ProgramDefinitionNotFound(program_definition_id=request.program_definition_id)
    return wire.GetProgramDefinitionResponse(program_definition=views.program_definition(row))


async def get_by_external_id(
    call: Call, request: wire.GetProgramDefinitionByExternalIdAndNamespaceRequest
) -> wire.GetProgramDefinitionByExternalIdAndNamespaceResponse:
    """GetProgramDefinitionByExternalIdAndNamespace."""
    key = (request.namespace, request.external_id)
    row = await call.one(PROGRAM_DEFINITION_BY_EXTERNAL_ID, *key)
    if row is None:
        raise ProgramDefinitionNotFound(
            external_id=request.external_id, namespace=request.namespace
        )
    return wire.GetProgramDefinitionByExternalIdAndNamespaceResponse(
        program_definition=views.program_definition(row)
    )


async def query(
    call: Call, request: wire.QueryProgramDefinitionsRequest
) -> wire.QueryProgramDefinitionsResponse:
    """QueryProgramDefinitions."""
    spec = specs.program_definitions(call.services.reader.dialect)
    found = await call.page(spec, request.query)
    read = CODECS[ProgramDefinition].read
    return wire.QueryProgramDefinitionsResponse(
        program_definitions=tuple(views.program_definition(read(row)) for row in found.rows),
        metadata=views.metadata_of(found.page),
    )
