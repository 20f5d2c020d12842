"""The methods of items."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, TypeVar

from msgspec.structs import replace

from benefit_programs.api.call import (
    Call,
    EntryResult,
    bulk_answer,
    execute_each,
    updates_of,
)
from benefit_programs.api.method import GET, MANAGE, PATCH, POST, READ_LIMITED, method
from benefit_programs.domain.entities import Item
from benefit_programs.domain.errors import (
    InvalidRevision,
    ItemAlreadyExists,
    ItemNotFound,
    ItemSetNotFound,
    TooManyToCount,
)
from benefit_programs.domain.item_deletion import ItemSearch, StartItemDeletion
from benefit_programs.domain.items import CreateItem, DeleteItem, UpdateItem
from benefit_programs.domain.lookups import ITEM
from benefit_programs.storage import item_specs
from benefit_programs.storage.item_finder import ItemFinder
from benefit_programs.wire import views
from benefit_programs.wire.types import items as wire
from benefit_programs.wire.types.common import CursorQuery

B = TypeVar("B", bound=wire.BulkCreateItemsResponse)

COUNT_MAX = 10_000
"""How many items are counted; more are too many."""


def _create_command(new: wire.NewItem, path: str) -> CreateItem:
    return CreateItem(
        item_set_id=new.item_set_id,
        provider_app_id=new.provider_app_id,
        external_id=new.external_id,
        namespace=new.namespace,
        category=new.category or "",
        display_name=new.display_name,
        extended_fields=new.extended_fields.namespaces if new.extended_fields else None,
        path=path,
    )


@method(
    "createItem",
    POST,
    "/benefit-programs/v1/items",
    MANAGE,
    "BENEFIT_PROGRAMS.ITEM_CREATE",
    refuses=(ItemSetNotFound, ItemAlreadyExists),
)
async def create(call: Call, request: wire.CreateItemRequest) -> wire.CreateItemResponse:
    row = await call.execute(_create_command(request.item, "item"))
    return wire.CreateItemResponse(item=views.item(row))


@method(
    "bulkCreateItems",
    POST,
    "/benefit-programs/v1/bulk/items/create",
    MANAGE,
    "BENEFIT_PROGRAMS.ITEM_CREATE",
    refuses=(ItemSetNotFound, ItemAlreadyExists),
)
async def bulk_create(
    call: Call, request: wire.BulkCreateItemsRequest
) -> wire.BulkCreateItemsResponse:
    results = await execute_each(
        call,
        lambda index, entry: _create_command(entry.value, f"items[{index}]"),
        lambda _, row: row.id if row else None,
    )
    return _answer(wire.BulkCreateItemsResponse, results, return_entity=request.return_entity)


@method(
    "deleteItem",
    POST,
    "/benefit-programs/v1/items/{itemId}/delete",
    MANAGE,
    "BENEFIT_PROGRAMS.ITEM_DELETE",
    refuses=(ItemNotFound,),
)
async def delete(call: Call, request: wire.DeleteItemRequest) -> wire.DeleteItemResponse:
    await call.execute(DeleteItem(id=request.item_id))
    return wire.DeleteItemResponse()


@method(
    "bulkDeleteItems",
    POST,
    "/benefit-programs/v1/bulk/items/delete",
    MANAGE,
    "BENEFIT_PROGRAMS.ITEM_DELETE",
    refuses=(ItemNotFound,),
)
async def bulk_delete(
    call: Call, _request: wire.BulkDeleteItemsRequest
) -> wire.BulkDeleteItemsResponse:
    results = await execute_each(
        call,
        lambda _, entry: DeleteItem(id=entry.value),
        lambda entry, _: entry.value,
    )
    return _answer(wire.BulkDeleteItemsResponse, results)


@method(
    "bulkDeleteItemsByFilter",
    POST,
    "/benefit-programs/v1/bulk/items/delete-by-filter",
    MANAGE,
    "BENEFIT_PROGRAMS.ITEM_DELETE",
    spec=item_specs.items,
)
async def delete_by_filter(
    call: Call, request: wire.BulkDeleteItemsByFilterRequest
) -> wire.BulkDeleteItemsByFilterResponse:
    """All that the filter finds as the call begins, by a job."""
    search = ItemSearch(namespace=request.namespace, filter=request.filter)
    newest = await ItemFinder(call.services.reader).newest(
        call.tenant_id, search, ids=call.principal.settings.id_mode
    )
    search = replace(search, until=newest or "")
    job_id = await call.execute(StartItemDeletion(search=search))
    return wire.BulkDeleteItemsByFilterResponse(job_id=job_id)


@method(
    "updateItem",
    PATCH,
    "/benefit-programs/v1/items/{item.id}",
    MANAGE,
    "BENEFIT_PROGRAMS.ITEM_UPDATE",
    refuses=(ItemNotFound, InvalidRevision),
)
async def update(call: Call, request: wire.UpdateItemRequest) -> wire.UpdateItemResponse:
    row = await call.execute(_update_command(request.item, call.updates("item")))
    return wire.UpdateItemResponse(item=views.item(row))


@method(
    "bulkUpdateItems",
    POST,
    "/benefit-programs/v1/bulk/items/update",
    MANAGE,
    "BENEFIT_PROGRAMS.ITEM_UPDATE",
    refuses=(ItemNotFound, InvalidRevision),
)
async def bulk_update(
    call: Call, request: wire.BulkUpdateItemsRequest
) -> wire.BulkUpdateItemsResponse:
    results = await execute_each(
        call,
        lambda index, entry: _update_command(
            entry.value.item, updates_of(entry, "item"), f"items[{index}].item"
        ),
        lambda entry, _: entry.value.item.id,
    )
    return _answer(wire.BulkUpdateItemsResponse, results, return_entity=request.return_entity)


@method(
    "getItem",
    GET,
    "/benefit-programs/v1/items/{itemId}",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.ITEM_READ",
    refuses=(ItemNotFound,),
)
async def get(call: Call, request: wire.GetItemRequest) -> wire.GetItemResponse:
    row = await call.get(ITEM, request.item_id, missing=ItemNotFound(item_id=request.item_id))
    return wire.GetItemResponse(item=views.item(row))


@method(
    "listItems",
    GET,
    "/benefit-programs/v1/items",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.ITEM_READ",
    spec=partial(item_specs.items, method="listItems"),
)
async def list_(call: Call, request: wire.ListItemsRequest) -> wire.ListItemsResponse:
    """Those that one of the given references finds, or all."""
    query = CursorQuery(filter=_listed(request.filter), cursor_paging=request.cursor_paging)
    rows, metadata = await call.page(Item, query, path="")
    return wire.ListItemsResponse(items=tuple(map(views.item, rows)), metadata=metadata)


@method(
    "queryItems",
    POST,
    "/benefit-programs/v1/items/query",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.ITEM_READ",
    spec=item_specs.items,
)
async def query(call: Call, request: wire.QueryItemsRequest) -> wire.QueryItemsResponse:
    rows, metadata = await call.page(Item, request.query)
    return wire.QueryItemsResponse(items=tuple(map(views.item, rows)), metadata=metadata)


@method(
    "countItems",
    POST,
    "/benefit-programs/v1/items/count",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.ITEM_READ",
    spec=item_specs.items,
    refuses=(TooManyToCount,),
)
async def count(call: Call, request: wire.CountItemsRequest) -> wire.CountItemsResponse:
    number = await call.count(request.filter, at_most=COUNT_MAX)
    if number > COUNT_MAX:
        raise TooManyToCount
    return wire.CountItemsResponse(count=number)


def _update_command(
    change: wire.ItemChange, updates: dict[str, Any], path: str = "item"
) -> UpdateItem:
    return UpdateItem(id=change.id, revision=change.revision, updates=updates, path=path)


def _answer(
    response: type[B], results: list[EntryResult], *, return_entity: bool | None = False
) -> B:
    return bulk_answer(
        response, wire.BulkItemResult, results, views.item if return_entity else None
    )


def _listed(wanted: wire.ItemFilter | None) -> dict[str, Any]:
    """The filter of a list. References narrow by what they name, a category of "" by having none.

    A type without references, which is all that the official client sends, narrows nothing.
    """
    if wanted is None:
        return {}
    options = wanted.by_reference_options or wanted.by_item_set_id_and_reference_options
    conditions: dict[str, Any] = {"namespace": wanted.namespace} if wanted.namespace else {}
    if options is not None and options.filters:
        conditions["$or"] = _any_of(options.filters)
    return conditions


def _any_of(references: Iterable[wire.ByReferenceFilter]) -> list[dict[str, Any]]:
    """One condition for all references that differ by nothing but their external ids."""
    external_ids: dict[tuple[tuple[str, str], ...], list[str]] = {}
    branches: list[dict[str, Any]] = []
    for reference in references:
        parts = {
            "providerAppId": reference.provider_app_id,
            "category": reference.category,
            "itemSetId": getattr(reference, "item_set_id", None),
        }
        named = {name: value for name, value in parts.items() if value is not None}
        if reference.external_id is None:
            branches.append(named)
        else:
            external_ids.setdefault(tuple(named.items()), []).append(reference.external_id)
    return [
        *({**dict(named), "externalId": {"$in": ids}} for named, ids in external_ids.items()),
        *branches,
    ]
