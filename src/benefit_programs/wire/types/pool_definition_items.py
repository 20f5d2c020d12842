"""Pool definition items: the items of a pool definition's benefits, as a view."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from benefit_programs.domain.constraints import (
    Entries,
    Immutable,
    ReadOnly,
    Size,
    Text,
    Undocumented,
)
from benefit_programs.wire.types.common import (
    Amount,
    AppId,
    BenefitKey,
    BulkActionMetadata,
    BulkSize,
    Category,
    CreditConfigurationInfo,
    CursorPagingMetadata,
    Description,
    EntityId,
    ExternalId,
    ItemInfo,
    ItemMetadata,
    LargeCursorQuery,
    Namespace,
    PoolName,
    Revision,
    Timestamp,
)
from benefit_programs.wire.types.pool_definitions import ProgramDefinitionInfos

SEARCH_KEY_MAX = 64 + 1 + 20 + 1 + 64
"""Provider app, category and external id with a slash between each two."""

ItemSearchKey = Annotated[str, Text(max_length=SEARCH_KEY_MAX), Immutable(), ReadOnly()]


class RequestedFields(StrEnum):
    """The parts of a row that a query can ask for."""

    POOL_DEFINITION = "POOL_DEFINITION"
    PROGRAM_DEFINITION = "PROGRAM_DEFINITION"
    BENEFIT = "BENEFIT"
    ITEM = "ITEM"


class PoolDefinitionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The pool definition behind an item."""

    display_name: PoolName | None = None
    description: Description | None = None
    credit_configuration: CreditConfigurationInfo | None = None


class BenefitInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The benefit behind an item."""

    price: Amount | None = None
    display_name: Annotated[str, Text(max_length=40)] | None = None
    description: Annotated[str, Text(max_length=255)] | None = None


class PoolDefinitionItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item of a benefit of a pool definition, as it is answered."""

    id: Annotated[EntityId, ReadOnly()] | None = None
    revision: Annotated[Revision, ReadOnly()] | None = None
    created_date: Annotated[Timestamp, ReadOnly()] | None = None
    updated_date: Annotated[Timestamp, ReadOnly()] | None = None
    external_id: Annotated[ExternalId, Immutable(), ReadOnly()] | None = None
    category: Annotated[Category, Immutable(), ReadOnly()] | None = None
    provider_app_id: Annotated[AppId, Immutable(), ReadOnly()] | None = None
    namespace: Annotated[Namespace, Immutable(), ReadOnly()] | None = None
    pool_definition_id: Annotated[EntityId, Immutable(), ReadOnly()] | None = None
    item_set_id: Annotated[EntityId, Immutable(), ReadOnly()] | None = None
    pool_definition: Annotated[PoolDefinitionInfo, ReadOnly()] | None = None
    program_definitions: ProgramDefinitionInfos | None = None
    item_id: Annotated[EntityId, Immutable(), ReadOnly()] | None = None
    benefit_info: Annotated[BenefitInfo, ReadOnly()] | None = None
    item_info: Annotated[ItemInfo, ReadOnly()] | None = None
    benefit_key: Annotated[BenefitKey, Immutable(), ReadOnly()] | None = None
    item_search_key: ItemSearchKey | None = None
    removed: Annotated[bool, ReadOnly()] | None = None
    pool_definition_revision: Annotated[Revision, ReadOnly(), Undocumented()] | None = None
    item_revision: Annotated[Revision, ReadOnly(), Undocumented()] | None = None


class QueryPoolDefinitionItemsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Find pool definition items."""

    query: LargeCursorQuery | None = None
    fields: Annotated[tuple[RequestedFields, ...], Size(maximum=4)] | None = None


class QueryPoolDefinitionItemsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of pool definition items."""

    pool_definition_items: tuple[PoolDefinitionItem, ...] | None = None
    metadata: CursorPagingMetadata | None = None


class BenefitItemReference(msgspec.Struct, frozen=True, kw_only=True):
    """An item of the benefit's own provider app (contract: ItemReference)."""

    external_id: ExternalId
    category: Category | None = None


class AddItemsToBenefitRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Add items to a benefit, and so to all pools that have it."""

    item_references: Annotated[tuple[BenefitItemReference, ...], BulkSize, Entries()]
    pool_definition_id: EntityId
    benefit_key: BenefitKey


class RemoveItemsFromBenefitRequest(AddItemsToBenefitRequest, frozen=True, kw_only=True):
    """Remove items from a benefit, and so from all pools that have it."""


class BulkAddItemResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one entry; the id is the item's."""

    item_metadata: ItemMetadata | None = None


class BulkRemoveItemResult(BulkAddItemResult, frozen=True, kw_only=True):
    """The result of one entry; the id is the item's."""


class AddItemsToBenefitResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The result of each entry."""

    results: tuple[BulkAddItemResult, ...] | None = None
    bulk_action_metadata: BulkActionMetadata | None = None


class RemoveItemsFromBenefitResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The result of each entry."""

    results: tuple[BulkRemoveItemResult, ...] | None = None
    bulk_action_metadata: BulkActionMetadata | None = None
