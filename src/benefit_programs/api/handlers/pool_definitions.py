"""The methods of pool definitions."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeVar

from benefit_programs.api.call import (
    Call,
    EntryResult,
    bulk_answer,
    execute_each,
    updates_of,
)
from benefit_programs.api.method import DELETE, GET, MANAGE, PATCH, POST, READ_LIMITED, method
from benefit_programs.domain.entities import PoolDefinition, ProgramDefinition
from benefit_programs.domain.errors import (
    InvalidRevision,
    PoolDefinitionNotFound,
    ProgramDefinitionNotFound,
)
from benefit_programs.domain.lookups import (
    ASSIGNMENTS_OF_POOL_DEFINITION,
    ASSIGNMENTS_OF_PROGRAM_DEFINITION,
    POOL_DEFINITION,
    PROGRAM_DEFINITION,
)
from benefit_programs.domain.pool_definitions import (
    AddToProgramDefinition,
    CreatePoolDefinition,
    DeletePoolDefinition,
    DescribedPoolDefinition,
    RemoveFromProgramDefinition,
    UpdatePoolDefinition,
)
from benefit_programs.storage import specs
from benefit_programs.wire import views
from benefit_programs.wire.types import pool_definitions as wire

B = TypeVar("B", bound=wire.BulkCreatePoolDefinitionsResponse)


def _create_command(
    new: wire.NewPoolDefinition,
    request: wire.CreatePoolDefinitionRequest | wire.BulkCreatePoolDefinitionsRequest,
    path: str,
) -> CreatePoolDefinition:
    return CreatePoolDefinition(
        namespace=new.namespace,
        details=new.details,
        cascade=request.cascade,
        cascade_date=request.cascade_date,
        display_name=new.display_name,
        description=new.description,
        program_definition_ids=new.program_definition_ids or (),
        extended_fields=new.extended_fields.namespaces if new.extended_fields else None,
        path=path,
    )


def _update_command(
    change: wire.PoolDefinitionChange,
    updates: dict[str, Any],
    request: wire.UpdatePoolDefinitionRequest | wire.BulkUpdatePoolDefinitionsRequest,
    path: str = "poolDefinition",
) -> UpdatePoolDefinition:
    return UpdatePoolDefinition(
        id=change.id,
        revision=change.revision,
        updates=updates,
        cascade=request.cascade,
        cascade_date=request.cascade_date,
        path=path,
    )


def _delete_command(
    definition_id: str,
    request: wire.DeletePoolDefinitionRequest | wire.BulkDeletePoolDefinitionsRequest,
) -> DeletePoolDefinition:
    return DeletePoolDefinition(
        id=definition_id, cascade=request.cascade, cascade_date=request.cascade_date
    )


@method(
    "createPoolDefinition",
    POST,
    "/benefit-programs/v1/pool-definitions",
    MANAGE,
    "BENEFIT_PROGRAMS.POOL_DEFINITION_CREATE",
    refuses=(ProgramDefinitionNotFound,),
)
async def create(
    call: Call, request: wire.CreatePoolDefinitionRequest
) -> wire.CreatePoolDefinitionResponse:
    described = await call.execute(
        _create_command(request.pool_definition, request, "poolDefinition")
    )
    return wire.CreatePoolDefinitionResponse(pool_definition=views.pool_definition(described))


@method(
    "bulkCreatePoolDefinitions",
    POST,
    "/benefit-programs/v1/bulk/pool-definitions/create",
    MANAGE,
    "BENEFIT_PROGRAMS.POOL_DEFINITION_CREATE",
    refuses=(ProgramDefinitionNotFound,),
)
async def bulk_create(
    call: Call, request: wire.BulkCreatePoolDefinitionsRequest
) -> wire.BulkCreatePoolDefinitionsResponse:
    results = await execute_each(
        call,
        lambda index, entry: _create_command(entry.value, request, f"poolDefinitions[{index}]"),
        _id_of,
    )
    return _answer(
        wire.BulkCreatePoolDefinitionsResponse, results, return_entity=request.return_entity
    )


@method(
    "updatePoolDefinition",
    PATCH,
    "/benefit-programs/v1/pool-definitions/{poolDefinition.id}",
    MANAGE,
    "BENEFIT_PROGRAMS.POOL_DEFINITION_UPDATE",
    refuses=(ProgramDefinitionNotFound, PoolDefinitionNotFound, InvalidRevision),
)
async def update(
    call: Call, request: wire.UpdatePoolDefinitionRequest
) -> wire.UpdatePoolDefinitionResponse:
    described = await call.execute(
        _update_command(request.pool_definition, call.updates("pool_definition"), request)
    )
    return wire.UpdatePoolDefinitionResponse(pool_definition=views.pool_definition(described))


@method(
    "bulkUpdatePoolDefinitions",
    POST,
    "/benefit-programs/v1/bulk/pool-definitions/update",
    MANAGE,
    "BENEFIT_PROGRAMS.POOL_DEFINITION_UPDATE",
    refuses=(ProgramDefinitionNotFound, PoolDefinitionNotFound, InvalidRevision),
)
async def bulk_update(
    call: Call, request: wire.BulkUpdatePoolDefinitionsRequest
) -> wire.BulkUpdatePoolDefinitionsResponse:
    results = await execute_each(
        call,
        lambda index, entry: _update_command(
            entry.value.pool_definition,
            updates_of(entry, "pool_definition"),
            request,
            f"poolDefinitions[{index}].poolDefinition",
        ),
        lambda entry, _: entry.value.pool_definition.id,
    )
    return _answer(
        wire.BulkUpdatePoolDefinitionsResponse, results, return_entity=request.return_entity
    )


@method(
    "deletePoolDefinition",
    DELETE,
    "/benefit-programs/v1/pool-definitions/{poolDefinitionId}",
    MANAGE,
    "BENEFIT_PROGRAMS.POOL_DEFINITION_DELETE",
    refuses=(PoolDefinitionNotFound,),
)
async def delete(
    call: Call, request: wire.DeletePoolDefinitionRequest
) -> wire.DeletePoolDefinitionResponse:
    await call.execute(_delete_command(request.pool_definition_id, request))
    return wire.DeletePoolDefinitionResponse()


@method(
    "bulkDeletePoolDefinitions",
    POST,
    "/benefit-programs/v1/bulk/pool-definitions/delete",
    MANAGE,
    "BENEFIT_PROGRAMS.POOL_DEFINITION_DELETE",
    refuses=(PoolDefinitionNotFound,),
)
async def bulk_delete(
    call: Call, request: wire.BulkDeletePoolDefinitionsRequest
) -> wire.BulkDeletePoolDefinitionsResponse:
    results = await execute_each(
        call,
        lambda _, entry: _delete_command(entry.value, request),
        lambda entry, _: entry.value,
    )
    return _answer(wire.BulkDeletePoolDefinitionsResponse, results)


@method(
    "getPoolDefinition",
    GET,
    "/benefit-programs/v1/pool-definitions/{poolDefinitionId}",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.POOL_DEFINITION_READ",
    refuses=(PoolDefinitionNotFound,),
)
async def get(call: Call, request: wire.GetPoolDefinitionRequest) -> wire.GetPoolDefinitionResponse:
    missing = PoolDefinitionNotFound(pool_definition_id=request.pool_definition_id)
    row = await call.get(POOL_DEFINITION, request.pool_definition_id, missing=missing)
    (described,) = await _describe(call, [row])
    return wire.GetPoolDefinitionResponse(pool_definition=views.pool_definition(described))


@method(
    "queryPoolDefinitions",
    POST,
    "/benefit-programs/v1/pool-definitions/query",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.POOL_DEFINITION_READ",
    spec=specs.pool_definitions,
)
async def query(
    call: Call, request: wire.QueryPoolDefinitionsRequest
) -> wire.QueryPoolDefinitionsResponse:
    rows, metadata = await call.page(PoolDefinition, request.query)
    described = await _describe(call, rows)
    return wire.QueryPoolDefinitionsResponse(
        pool_definitions=tuple(map(views.pool_definition, described)), metadata=metadata
    )


@method(
    "addPoolDefinitionToProgramDefinition",
    POST,
    "/benefit-programs/v1/pool-definitions/program-definition/assign",
    MANAGE,
    "BENEFIT_PROGRAMS.POOL_DEFINITION_UPDATE",
    refuses=(ProgramDefinitionNotFound, PoolDefinitionNotFound),
)
async def add_to_program_definition(
    call: Call, request: wire.AddPoolDefinitionToProgramDefinitionRequest
) -> wire.AddPoolDefinitionToProgramDefinitionResponse:
    described = await call.execute(
        AddToProgramDefinition(
            pool_definition_id=request.pool_definition_id,
            program_definition_id=request.program_definition_id,
            cascade=request.cascade,
            cascade_date=request.cascade_date,
        )
    )
    return wire.AddPoolDefinitionToProgramDefinitionResponse(
        pool_definition=views.pool_definition(described)
    )


@method(
    "removePoolDefinitionFromProgramDefinition",
    POST,
    "/benefit-programs/v1/pool-definitions/program-definition/remove",
    MANAGE,
    "BENEFIT_PROGRAMS.POOL_DEFINITION_UPDATE",
    refuses=(ProgramDefinitionNotFound, PoolDefinitionNotFound),
)
async def remove_from_program_definition(
    call: Call, request: wire.RemovePoolDefinitionFromProgramDefinitionRequest
) -> wire.RemovePoolDefinitionFromProgramDefinitionResponse:
    described = await call.execute(
        RemoveFromProgramDefinition(
            pool_definition_id=request.pool_definition_id,
            program_definition_id=request.program_definition_id,
            cascade=request.cascade,
            cascade_date=request.cascade_date,
        )
    )
    return wire.RemovePoolDefinitionFromProgramDefinitionResponse(
        pool_definition=views.pool_definition(described)
    )


@method(
    "findPoolDefinitionsByProgramDefinition",
    POST,
    "/benefit-programs/v1/pool-definitions/find-pool-definitions-by-program-definition",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.POOL_DEFINITION_READ",
    refuses=(ProgramDefinitionNotFound,),
)
async def find_by_program_definition(
    call: Call, request: wire.FindPoolDefinitionsByProgramDefinitionRequest
) -> wire.FindPoolDefinitionsByProgramDefinitionResponse:
    """Those of the namespace, oldest first."""
    missing = ProgramDefinitionNotFound(program_definition_id=request.program_definition_id)
    await call.get(PROGRAM_DEFINITION, request.program_definition_id, missing=missing)
    places = await call.many(ASSIGNMENTS_OF_PROGRAM_DEFINITION, [(request.program_definition_id,)])
    rows = await call.many(POOL_DEFINITION, [(place.pool_definition_id,) for place in places])
    rows = [row for row in rows if row.namespace == request.namespace]
    described = await _describe(call, sorted(rows, key=lambda row: row.id))
    return wire.FindPoolDefinitionsByProgramDefinitionResponse(
        pool_definitions=tuple(map(views.pool_definition, described))
    )


async def _describe(call: Call, rows: list[PoolDefinition]) -> list[DescribedPoolDefinition]:
    """Pool definitions with their snapshots and program definitions, in a few statements."""
    joined = await program_definitions_of(call, [row.id for row in rows])
    snapshots = await call.snapshots([row.snapshot_id for row in rows])
    return [
        DescribedPoolDefinition(row, snapshots[row.snapshot_id], tuple(joined[row.id]))
        for row in rows
    ]


async def program_definitions_of(
    call: Call, pool_definition_ids: Collection[str]
) -> dict[str, list[ProgramDefinition]]:
    """The program definitions of each pool definition, in its own order."""
    places = await call.many(
        ASSIGNMENTS_OF_POOL_DEFINITION, [(each,) for each in sorted(pool_definition_ids)]
    )
    found = await call.by_id(PROGRAM_DEFINITION, (each.program_definition_id for each in places))
    joined: dict[str, list[ProgramDefinition]] = {each: [] for each in pool_definition_ids}
    for place in sorted(places, key=lambda place: place.ordinal):
        if place.program_definition_id in found:
            joined[place.pool_definition_id].append(found[place.program_definition_id])
    return joined


def _id_of(_: Any, answer: DescribedPoolDefinition | None) -> str | None:
    return answer.definition.id if answer else None


def _answer(
    response: type[B], results: list[EntryResult], *, return_entity: bool | None = False
) -> B:
    view = views.pool_definition if return_entity else None
    return bulk_answer(response, wire.BulkPoolDefinitionResult, results, view)
