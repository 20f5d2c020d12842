"""The eleven methods of pool definitions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from benefit_programs.api import views
from benefit_programs.api.call import Call, EntryResult, count_results, execute_each, updates_of
from benefit_programs.api.codec import Decoded
from benefit_programs.api.types import pool_definitions as wire
from benefit_programs.domain.entities import PoolDefinition, ProgramDefinition
from benefit_programs.domain.errors import PoolDefinitionNotFound, ProgramDefinitionNotFound
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
from benefit_programs.domain.values import Cascade
from benefit_programs.storage import specs
from benefit_programs.storage.rows import CODECS


def _create_command(
    new: wire.NewPoolDefinition, cascade: Cascade | None, path: str
) -> CreatePoolDefinition:
    return CreatePoolDefinition(
        namespace=new.namespace,
        details=new.details,
        cascade=cascade,
        display_name=new.display_name,
        description=new.description,
        program_definition_ids=new.program_definition_ids or (),
        extended_fields=new.extended_fields.namespaces if new.extended_fields else None,
        path=path,
    )


async def create(
    call: Call, request: wire.CreatePoolDefinitionRequest
) -> wire.CreatePoolDefinitionResponse:
    """CreatePoolDefinition."""
    described = await call.execute(
        _create_command(request.pool_definition, request.cascade, "poolDefinition")
    )
    return wire.CreatePoolDefinitionResponse(pool_definition=views.pool_definition(described))


async def bulk_create(
    call: Call, request: wire.BulkCreatePoolDefinitionsRequest
) -> wire.BulkCreatePoolDefinitionsResponse:
    """BulkCreatePoolDefinitions."""
    assert call.bulk is not None
    results = await execute_each(
        call,
        call.bulk.entries,
        lambda index, entry: _create_command(
            entry.value, request.cascade, f"poolDefinitions[{index}]"
        ),
        _id_of,
    )
    return wire.BulkCreatePoolDefinitionsResponse(
        results=_results(results, return_entity=request.return_entity),
        bulk_action_metadata=count_results(results),
    )


async def update(
    call: Call, request: wire.UpdatePoolDefinitionRequest
) -> wire.UpdatePoolDefinitionResponse:
    """UpdatePoolDefinition."""
    change = request.pool_definition
    described = await call.execute(
        UpdatePoolDefinition(
            id=change.id,
            revision=change.revision,
            updates=call.updates("pool_definition"),
            cascade=request.cascade,
        )
    )
    return wire.UpdatePoolDefinitionResponse(pool_definition=views.pool_definition(described))


async def bulk_update(
    call: Call, request: wire.BulkUpdatePoolDefinitionsRequest
) -> wire.BulkUpdatePoolDefinitionsResponse:
    """BulkUpdatePoolDefinitions."""
    assert call.bulk is not None

    def command_of(index: int, entry: Decoded[wire.MaskedPoolDefinition]) -> UpdatePoolDefinition:
        change = entry.value.pool_definition
        return UpdatePoolDefinition(
            id=change.id,
            revision=change.revision,
            updates=updates_of(entry, "pool_definition"),
            cascade=request.cascade,
            path=f"poolDefinitions[{index}].poolDefinition",
        )

    results = await execute_each(
        call, call.bulk.entries, command_of, lambda entry, _: entry.value.pool_definition.id
    )
    return wire.BulkUpdatePoolDefinitionsResponse(
        results=_results(results, return_entity=request.return_entity),
        bulk_action_metadata=count_results(results),
    )


async def delete(
    call: Call, request: wire.DeletePoolDefinitionRequest
) -> wire.DeletePoolDefinitionResponse:
    """DeletePoolDefinition."""
    await call.execute(DeletePoolDefinition(id=request.pool_definition_id, cascade=request.cascade))
    return wire.DeletePoolDefinitionResponse()


async def bulk_delete(
    call: Call, request: wire.BulkDeletePoolDefinitionsRequest
) -> wire.BulkDeletePoolDefinitionsResponse:
    """BulkDeletePoolDefinitions."""
    assert call.bulk is not None
    results = await execute_each(
        call,
        call.bulk.entries,
        lambda _, entry: DeletePoolDefinition(id=entry.value, cascade=request.cascade),
        lambda entry, _: entry.value,
    )
    return wire.BulkDeletePoolDefinitionsResponse(
        results=_results(results, return_entity=False),
        bulk_action_metadata=count_results(results),
    )


async def get(call: Call, request: wire.GetPoolDefinitionRequest) -> wire.GetPoolDefinitionResponse:
    """GetPoolDefinition."""
    row = await call.one(POOL_DEFINITION, request.pool_definition_id)
    if row is None:
        raise PoolDefinitionNotFound(pool_definition_id=request.pool_definition_id)
    (described,) = await _describe(call, [row])
    return wire.GetPoolDefinitionResponse(pool_definition=views.pool_definition(described))


async def query(
    call: Call, request: wire.QueryPoolDefinitionsRequest
) -> wire.QueryPoolDefinitionsResponse:
    """QueryPoolDefinitions."""
    found = await call.page(specs.pool_definitions(call.services.reader.dialect), request.query)
    read = CODECS[PoolDefinition].read
    described = await _describe(call, [read(row) for row in found.rows])
    return wire.QueryPoolDefinitionsResponse(
        pool_definitions=tuple(views.pool_definition(each) for each in described),
        metadata=views.metadata_of(found.page),
    )


async def add_to_program_definition(
    call: Call, request: wire.AddPoolDefinitionToProgramDefinitionRequest
) -> wire.AddPoolDefinitionToProgramDefinitionResponse:
    """AddPoolDefinitionToProgramDefinition."""
    described = await call.execute(
        AddToProgramDefinition(
            pool_definition_id=request.pool_definition_id,
            program_definition_id=request.program_definition_id,
            cascade=request.cascade,
        )
    )
    return wire.AddPoolDefinitionToProgramDefinitionResponse(
        pool_definition=views.pool_definition(described)
    )


async def remove_from_program_definition(
    call: Call, request: wire.RemovePoolDefinitionFromProgramDefinitionRequest
) -> wire.RemovePoolDefinitionFromProgramDefinitionResponse:
    """RemovePoolDefinitionFromProgramDefinition."""
    described = await call.execute(
        RemoveFromProgramDefinition(
            pool_definition_id=request.pool_definition_id,
            program_definition_id=request.program_definition_id,
            cascade=request.cascade,
        )
    )
    return wire.RemovePoolDefinitionFromProgramDefinitionResponse(
        pool_definition=views.pool_definition(described)
    )


async def find_by_program_definition(
    call: Call, request: wire.FindPoolDefinitionsByProgramDefinitionRequest
) -> wire.FindPoolDefinitionsByProgramDefinitionResponse:
    """findPoolDefinitionsByProgramDefinition: those of the namespace, oldest first."""
    if await call.one(PROGRAM_DEFINITION, request.program_definition_id) is None:
        raise ProgramDefinitionNotFound(program_definition_id=request.program_definition_id)
    places = await call.many(ASSIGNMENTS_OF_PROGRAM_DEFINITION, [(request.program_definition_id,)])
    rows = await call.many(POOL_DEFINITION, [(place.pool_definition_id,) for place in places])
    rows = [row for row in rows if row.namespace == request.namespace]
    described = await _describe(call, sorted(rows, key=lambda row: row.id))
    return wire.FindPoolDefinitionsByProgramDefinitionResponse(
        pool_definitions=tuple(views.pool_definition(each) for each in described)
    )


async def _describe(call: Call, rows: list[PoolDefinition]) -> list[DescribedPoolDefinition]:
    """Pool definitions with their snapshots and program definitions, in a few statements."""
    joined = await program_definitions_of(call, [row.id for row in rows])
    snapshots = await call.services.reader.snapshots(
        call.tenant_id, [row.snapshot_id for row in rows]
    )
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
    rows = await call.many(PROGRAM_DEFINITION, [(each.program_definition_id,) for each in places])
    found = {row.id: row for row in rows}
    joined: dict[str, list[ProgramDefinition]] = {each: [] for each in pool_definition_ids}
    for place in sorted(places, key=lambda place: place.ordinal):
        if place.program_definition_id in found:
            joined[place.pool_definition_id].append(found[place.program_definition_id])
    return joined


def _id_of(_: Any, answer: DescribedPoolDefinition | None) -> str | None:
    return answer.definition.id if answer else None


def _results(
    results: Sequence[EntryResult], *, return_entity: bool | None
) -> tuple[wire.BulkPoolDefinitionResult, ...]:
    return tuple(
        wire.BulkPoolDefinitionResult(
            item_metadata=result.metadata,
            item=(
                views.pool_definition(result.answer) if return_entity and result.answer else None
            ),
        )
        for result in results
    )
