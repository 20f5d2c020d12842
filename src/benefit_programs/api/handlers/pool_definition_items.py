"""The methods of pool definition items."""

from __future__ import annotations

from collections.abc import Collection

from benefit_programs.api.call import Call, EntryResult, bulk_answer, execute_each, metadata_of
from benefit_programs.api.handlers.pool_definitions import program_definitions_of
from benefit_programs.api.method import MANAGE, POST, READ, method
from benefit_programs.domain.errors import (
    ItemAlreadyExists,
    PoolDefinitionBenefitNotFound,
    ReferenceNotFound,
)
from benefit_programs.domain.items import AddItemToBenefit, RemoveItemFromBenefit
from benefit_programs.domain.lookups import POOL_DEFINITION
from benefit_programs.domain.pool_items import PoolDefinitionItem
from benefit_programs.storage import item_specs
from benefit_programs.wire import item_views
from benefit_programs.wire.types import pool_definition_items as wire


@method(
    "queryPoolDefinitionItems",
    POST,
    "/benefit-programs/v1/pool-definition-items/query",
    READ,
    "benefit_programs:v1:pool_definition_item:query_pool_definition_items",
    spec=item_specs.pool_definition_items,
)
async def query(
    call: Call, request: wire.QueryPoolDefinitionItemsRequest
) -> wire.QueryPoolDefinitionItemsResponse:
    found = await call.find(
        request.query, PoolDefinitionItem._make, extra={"fields": list(request.fields or ())}
    )
    return wire.QueryPoolDefinitionItemsResponse(
        pool_definition_items=await _describe(call, found.rows, found.extra.get("fields", ())),
        metadata=metadata_of(found.page),
    )


@method(
    "removeItemsFromBenefit",
    POST,
    "/benefit-programs/v1/pool-definition-items/remove-items-from-benefit",
    MANAGE,
    "benefit_programs:v1:pool_definition_item:remove_items_from_benefit",
    refuses=(PoolDefinitionBenefitNotFound, ReferenceNotFound),
)
async def remove_items(
    call: Call, request: wire.RemoveItemsFromBenefitRequest
) -> wire.RemoveItemsFromBenefitResponse:
    results = await _change_each(call, request, RemoveItemFromBenefit)
    return bulk_answer(wire.RemoveItemsFromBenefitResponse, wire.BulkRemoveItemResult, results)


@method(
    "addItemsToBenefit",
    POST,
    "/benefit-programs/v1/pool-definition-items/add-items-to-benefit",
    MANAGE,
    "benefit_programs:v1:pool_definition_item:add_items_to_benefit",
    refuses=(PoolDefinitionBenefitNotFound, ItemAlreadyExists),
)
async def add_items(
    call: Call, request: wire.AddItemsToBenefitRequest
) -> wire.AddItemsToBenefitResponse:
    results = await _change_each(call, request, AddItemToBenefit)
    return bulk_answer(wire.AddItemsToBenefitResponse, wire.BulkAddItemResult, results)


async def _change_each(
    call: Call,
    request: wire.AddItemsToBenefitRequest,
    command: type[AddItemToBenefit | RemoveItemFromBenefit],
) -> list[EntryResult]:
    """Add or remove each item of the request, if there is the benefit that it names."""
    await _require_benefit(call, request.pool_definition_id, request.benefit_key)
    return await execute_each(
        call,
        lambda _, entry: command(
            pool_definition_id=request.pool_definition_id,
            benefit_key=request.benefit_key,
            external_id=entry.value.external_id,
            category=entry.value.category or "",
        ),
        lambda _, item: item.id if item else None,
    )


async def _require_benefit(call: Call, pool_definition_id: str, benefit_key: str) -> None:
    """Refuse the whole request if it names no benefit."""
    definition = await call.one(POOL_DEFINITION, pool_definition_id)
    if definition is not None:
        snapshots = await call.snapshots([definition.snapshot_id])
        if snapshots[definition.snapshot_id].details.benefit(benefit_key) is not None:
            return
    raise PoolDefinitionBenefitNotFound(
        pool_definition_id=pool_definition_id, benefit_key=benefit_key
    )


async def _describe(
    call: Call, rows: list[PoolDefinitionItem], fields: Collection[str]
) -> tuple[wire.PoolDefinitionItem, ...]:
    """Pool definition items with what was asked for, in a few statements."""
    wants = wire.RequestedFields
    snapshots = (
        await call.snapshots([row.snapshot_id for row in rows])
        if wants.POOL_DEFINITION in fields or wants.BENEFIT in fields
        else {}
    )
    definitions = await program_definitions_of(call, {row.pool_definition_id for row in rows})
    return tuple(
        item_views.pool_definition_item(
            row, fields, snapshots=snapshots, definitions=definitions[row.pool_definition_id]
        )
        for row in rows
    )
