"""The methods of items."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benefit_programs.api import item_views, views
from benefit_programs.api.call import Call, EntryResult, count_results, execute_each, updates_of
from benefit_programs.api.codec import Decoded
from benefit_programs.api.types import items as wire
from benefit_programs.api.types.common import CursorQuery
from benefit_programs.domain.entities import Item
from benefit_programs.domain.errors import ItemNotFound, TooManyToCount
from benefit_programs.domain.items import CreateItem, DeleteItem, UpdateItem
from benefit_programs.domain.lookups import ITEM
from benefit_programs.storage import item_specs
from benefit_programs.storage.reader import Found
from benefit_programs.storage.rows import CODECS

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


async def create(call: Call, request: wire.CreateItemRequest) -> wire.CreateItemResponse:
    """CreateItem."""
    row = await call.execute(_create_command(request.item, "item"))
    return wire.CreateItemResponse(item=item_views.item(row))


async def bulk_create(
    call: Call, request: wire.BulkCreateItemsRequest
) -> wire.BulkCreateItemsResponse:
    """BulkCreateItems."""
    assert call.bulk is not None
    results = await execute_each(
        call,
        call.bulk.entries,
        lambda index, entry: _create_command(entry.value, f"items[{index}]"),
        lambda _, row: row.id if row else None,
    )
    return wire.BulkCreateItemsResponse(
        results=_results(results, return_entity=request.return_entity),
        bulk_action_metadata=count_results(results),
    )


async def delete(call: Call, request: wire.DeleteItemRequest) -> wire.DeleteItemResponse:
    """DeleteItem."""
    await call.execute(DeleteItem(id=request.item_id))
    return wire.DeleteItemResponse()


async def bulk_delete(
    call: Call, _request: wire.BulkDeleteItemsRequest
) -> wire.BulkDeleteItemsResponse:
    """BulkDeleteItems."""
    assert call.bulk is not None
    results = await execute_each(
        call,
        call.bulk.entries,
        lambda _, entry: DeleteItem(id=entry.value),
        lambda entry, _: entry.value,
    )
    return wire.BulkDeleteItemsResponse(
        results=_results(results, return_entity=False),
        bulk_action_metadata=count_results(results),
    )


async def update(call: Call, request: wire.UpdateItemRequest) -> wire.UpdateItemResponse:
    """UpdateItem."""
    change = request.item
    row = await call.execute(
        UpdateItem(id=change.id, revision=change.revision, updates=call.updates("item"))
    )
    return wire.UpdateItemResponse(item=item_views.item(row))


async def bulk_update(
    call: Call, request: wire.BulkUpdateItemsRequest
) -> wire.BulkUpdateItemsResponse:
    """BulkUpdateItems."""
    assert call.bulk is not None

    def command_of(index: int, entry: Decoded[wire.MaskedItem]) -> UpdateItem:
        change = entry.value.item
        return UpdateItem(
            id=change.id,
            revision=change.revision,
            updates=updates_of(entry, "item"),
            path=f"items[{index}].item",
        )

    results = await execute_each(
        call, call.bulk.entries, command_of, lambda entry, _: entry.value.item.id
    )
    return wire.BulkUpdateItemsResponse(
        results=_results(results, return_entity=request.return_entity),
        bulk_action_metadata=count_results(results),
    )


async def get(call: Call, request: wire.GetItemRequest) -> wire.GetItemResponse:
    """GetItem."""
    row = await call.one(ITEM, request.item_id)
    if row is None:
        raise ItemNotFound(item_id=request.item_id)
    return wire.GetItemResponse(item=item_views.item(row))


async def list_(call: Call, request: wire.ListItemsRequest) -> wire.ListItemsResponse:
    """ListItems: those that one of the given references finds, or all."""
    spec = item_specs.items(call.services.reader.dialect, "listItems")
    query = CursorQuery(filter=_listed(request.filter), cursor_paging=request.cursor_paging)
    found = await call.page(spec, query, path="")
    return wire.ListItemsResponse(items=_items(found), metadata=views.metadata_of(found.page))


async def query(call: Call, request: wire.QueryItemsRequest) -> wire.QueryItemsResponse:
    """QueryItems."""
    found = await call.page(item_specs.items(call.services.reader.dialect), request.query)
    return wire.QueryItemsResponse(items=_items(found), metadata=views.metadata_of(found.page))


async def count(call: Call, request: wire.CountItemsRequest) -> wire.CountItemsResponse:
    """CountItems, as far as they can be counted."""
    spec = item_specs.items(call.services.reader.dialect, "countItems")
    number = await call.count(spec, request.filter, at_most=COUNT_MAX)
    if number > COUNT_MAX:
        raise TooManyToCount
    return wire.CountItemsResponse(count=number)


def _items(found: Found) -> tuple[wire.Item, ...]:
    read = CODECS[Item].read
    return tuple(item_views.item(read(row)) for row in found.rows)


def _results(
    results: Sequence[EntryResult], *, return_entity: bool | None
) -> tuple[wire.BulkItemResult, ...]:
    return tuple(
        wire.BulkItemResult(
            item_metadata=result.metadata,
            item=item_views.item(result.answer) if return_entity and result.answer else None,
        )
        for result in results
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
