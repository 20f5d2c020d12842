"""Items: references to what provider apps sell, in the item sets of benefits."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec

from benefit_programs.domain.constraints import (
    Entries,
    Immutable,
    OneOf,
    ReadOnly,
    Stray,
    Undocumented,
)
from benefit_programs.wire.types.common import (
    AppId,
    BulkActionMetadata,
    BulkIds,
    BulkSize,
    Category,
    CursorPagingMetadata,
    EntityId,
    ExtendedFields,
    ExternalId,
    FieldMask,
    Filter,
    ItemCursorPaging,
    ItemCursorQuery,
    ItemMetadata,
    ItemName,
    Namespace,
    Number,
    Revision,
    Timestamp,
)


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """An item as it is answered."""

    id: Annotated[EntityId, Immutable(), ReadOnly()] | None = None
    revision: Annotated[Revision, ReadOnly()] | None = None
    created_date: Annotated[Timestamp, ReadOnly()] | None = None
    updated_date: Annotated[Timestamp, ReadOnly()] | None = None
    external_id: Annotated[ExternalId, Immutable(), ReadOnly()] | None = None
    category: Annotated[Category, Immutable(), ReadOnly()] | None = None
    item_set_id: Annotated[EntityId, Immutable(), ReadOnly()] | None = None
    display_name: ItemName | None = None
    provider_app_id: Annotated[AppId, Immutable(), ReadOnly()] | None = None
    extended_fields: ExtendedFields | None = None
    namespace: Annotated[Namespace, Immutable(), ReadOnly()] | None = None


class NewItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item to create."""

    entity: ClassVar[type[msgspec.Struct]] = Item

    external_id: ExternalId
    item_set_id: EntityId
    provider_app_id: AppId
    namespace: Namespace
    category: Category | None = None
    display_name: ItemName | None = None
    extended_fields: ExtendedFields | None = None


class ItemChange(msgspec.Struct, frozen=True, kw_only=True):
    """The changes of an item."""

    entity: ClassVar[type[msgspec.Struct]] = Item

    id: EntityId
    revision: Revision
    display_name: ItemName | None = None
    extended_fields: ExtendedFields | None = None


class MaskedItem(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a bulk request."""

    item: ItemChange
    field_mask: FieldMask | None = None


class CreateItemRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Create an item."""

    item: NewItem


class CreateItemResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The item that was created."""

    item: Item | None = None


class BulkCreateItemsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Create items."""

    items: Annotated[tuple[NewItem, ...], BulkSize, Entries()]
    return_entity: bool | None = None


class BulkItemResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one entry."""

    item_metadata: ItemMetadata | None = None
    item: Item | None = None


class BulkCreateItemsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The result of each entry."""

    results: Annotated[tuple[BulkItemResult, ...], BulkSize] | None = None
    bulk_action_metadata: BulkActionMetadata | None = None


class DeleteItemRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Delete an item."""

    item_id: EntityId


class DeleteItemResponse(msgspec.Struct, frozen=True, kw_only=True):
    """Empty: the entity is deleted."""


class BulkDeleteItemsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Delete items."""

    item_ids: BulkIds


class BulkDeleteItemsResponse(BulkCreateItemsResponse, frozen=True, kw_only=True):
    """The result of each entry."""


class BulkDeleteItemsByFilterRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Delete all items of a namespace that match a filter; an empty filter matches all of them.

    Unknown fields are refused: a misspelt or misplaced filter mustn't delete the whole namespace.
    """

    stray: ClassVar[Stray] = Stray("is no field of this request")

    namespace: Namespace
    filter: Filter


class BulkDeleteItemsByFilterResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The job that deletes them."""

    job_id: EntityId | None = None


class UpdateItemRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Change an item."""

    item: ItemChange
    field_mask: Annotated[FieldMask, Undocumented()] | None = None


class UpdateItemResponse(CreateItemResponse, frozen=True, kw_only=True):
    """The changed item."""


class BulkUpdateItemsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Change items."""

    items: Annotated[tuple[MaskedItem, ...], BulkSize, Entries()]
    return_entity: bool | None = None


class BulkUpdateItemsResponse(BulkCreateItemsResponse, frozen=True, kw_only=True):
    """The result of each entry."""


class GetItemRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read an item."""

    item_id: EntityId


class GetItemResponse(CreateItemResponse, frozen=True, kw_only=True):
    """The item."""


class ItemFilterType(StrEnum):
    """The kind of filter of a list of items."""

    BY_ITEM_SET_ID_AND_REFERENCE = "BY_ITEM_SET_ID_AND_REFERENCE"
    BY_REFERENCE = "BY_REFERENCE"


class ByReferenceFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Items with this reference."""

    external_id: ExternalId | None = None
    category: Category | None = None
    provider_app_id: AppId | None = None


class ByItemSetIdAndReferenceFilter(ByReferenceFilter, frozen=True, kw_only=True):
    """Items with this reference in one item set."""

    item_set_id: EntityId | None = None


class ByReference(msgspec.Struct, frozen=True, kw_only=True):
    """Items that match one of the filters."""

    filters: Annotated[tuple[ByReferenceFilter, ...], BulkSize] | None = None


class ByItemSetIdAndReference(msgspec.Struct, frozen=True, kw_only=True):
    """Items that match one of the filters."""

    filters: Annotated[tuple[ByItemSetIdAndReferenceFilter, ...], BulkSize] | None = None


class ItemFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which items to list. The official client can send only the type, which filters nothing."""

    one_of: ClassVar[OneOf] = OneOf(
        ("by_item_set_id_and_reference_options", "by_reference_options"),
        required=False,
        tag="type",
        tags=tuple(ItemFilterType),
    )

    by_item_set_id_and_reference_options: ByItemSetIdAndReference | None = None
    by_reference_options: ByReference | None = None
    type: ItemFilterType | None = None
    namespace: Namespace | None = None


class ListItemsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """List items."""

    filter: ItemFilter | None = None
    cursor_paging: ItemCursorPaging | None = None


class ListItemsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of items."""

    items: tuple[Item, ...] | None = None
    metadata: CursorPagingMetadata | None = None


class QueryItemsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Find items."""

    query: ItemCursorQuery | None = None


class QueryItemsResponse(ListItemsResponse, frozen=True, kw_only=True):
    """A page of items."""


class CountItemsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Count the items that match a filter."""

    filter: Filter | None = None


class CountItemsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The number of items."""

    count: Number | None = None
