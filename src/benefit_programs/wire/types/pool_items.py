"""Pool items: the items of a pool's benefits, as a view."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from benefit_programs.domain.constraints import Immutable, ReadOnly, Size, Undocumented
from benefit_programs.domain.entities import PoolStatus
from benefit_programs.domain.explanations import ProgramDefinitionInfo, ProgramInfo
from benefit_programs.wire.types import pool_definition_items
from benefit_programs.wire.types.common import (
    Amount,
    AppId,
    BenefitKey,
    Category,
    CreditConfigurationInfo,
    CursorPagingMetadata,
    Description,
    EntityId,
    ExternalId,
    IdentificationData,
    ItemInfo,
    LargeCursorQuery,
    Namespace,
    PoolName,
    Revision,
    Timestamp,
)
from benefit_programs.wire.types.pool_definition_items import ItemSearchKey


class RequestedFields(StrEnum):
    """The parts of a row that a query can ask for."""

    POOL = "POOL"
    PROGRAM = "PROGRAM"
    PROGRAM_DEFINITION = "PROGRAM_DEFINITION"
    ITEM = "ITEM"
    BENEFIT = "BENEFIT"
    BALANCE = "BALANCE"


class PoolInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The pool behind an item."""

    display_name: PoolName | None = None
    description: Description | None = None
    status: Annotated[PoolStatus, ReadOnly()] | None = None
    credit_configuration: Annotated[CreditConfigurationInfo, ReadOnly()] | None = None


class BenefitInfo(pool_definition_items.BenefitInfo, frozen=True, kw_only=True):
    """The benefit behind an item, with its key."""

    benefit_key: BenefitKey | None = None


class BalanceInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The credits that the pool has left."""

    available: Annotated[Amount, ReadOnly()] | None = None


class PoolItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item of a benefit of a pool, as it is answered."""

    id: Annotated[EntityId, ReadOnly()] | None = None
    revision: Annotated[Revision, ReadOnly()] | None = None
    created_date: Annotated[Timestamp, ReadOnly()] | None = None
    updated_date: Annotated[Timestamp, ReadOnly()] | None = None
    external_id: Annotated[ExternalId, Immutable(), ReadOnly()] | None = None
    category: Annotated[Category, Immutable(), ReadOnly()] | None = None
    provider_app_id: Annotated[AppId, Immutable(), ReadOnly()] | None = None
    namespace: Annotated[Namespace, Immutable(), ReadOnly()] | None = None
    pool_id: Annotated[EntityId, Immutable(), ReadOnly()] | None = None
    program_id: Annotated[EntityId, Immutable(), ReadOnly()] | None = None
    external_program_id: Annotated[ExternalId, ReadOnly()] | None = None
    program_definition_id: Annotated[EntityId, Immutable(), ReadOnly()] | None = None
    external_program_definition_id: Annotated[ExternalId, Immutable(), ReadOnly()] | None = None
    pool_definition_id: Annotated[EntityId, Immutable(), ReadOnly()] | None = None
    item_set_id: Annotated[EntityId, Immutable(), ReadOnly()] | None = None
    beneficiary: Annotated[IdentificationData, Immutable(), ReadOnly()] | None = None
    pool: Annotated[PoolInfo, ReadOnly()] | None = None
    program: Annotated[ProgramInfo, ReadOnly()] | None = None
    program_definition: Annotated[ProgramDefinitionInfo, ReadOnly()] | None = None
    item_id: Annotated[EntityId, Immutable(), ReadOnly()] | None = None
    item_info: Annotated[ItemInfo, ReadOnly()] | None = None
    benefit_info: Annotated[BenefitInfo, ReadOnly()] | None = None
    balance: Annotated[BalanceInfo, ReadOnly()] | None = None
    benefit_key: Annotated[BenefitKey, Immutable(), ReadOnly()] | None = None
    item_search_key: ItemSearchKey | None = None
    removed: Annotated[bool, ReadOnly()] | None = None
    pool_revision: Annotated[Revision, ReadOnly(), Undocumented()] | None = None
    item_revision: Annotated[Revision, ReadOnly(), Undocumented()] | None = None


class QueryPoolItemsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Find pool items."""

    query: LargeCursorQuery | None = None
    fields: Annotated[tuple[RequestedFields, ...], Size(maximum=6)] | None = None


class QueryPoolItemsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of pool items."""

    pool_items: tuple[PoolItem, ...] | None = None
    metadata: CursorPagingMetadata | None = None
