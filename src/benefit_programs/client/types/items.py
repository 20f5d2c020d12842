"""Items, and the views of them that pools and pool definitions give."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from benefit_programs.client.generated.enums import PoolStatus
from benefit_programs.client.types.base import Change, Part
from benefit_programs.client.types.common import (
    UNSET,
    CreditConfigurationInfo,
    ExtendedFields,
    ItemInfo,
    Namespaces,
    ProgramDefinitionInfo,
    ProgramInfo,
    Unset,
)
from benefit_programs.client.types.identities import Identity


class Item(Part, frozen=True, kw_only=True):
    """A reference to something that a provider app sells, in an item set."""

    id: str
    revision: int
    created_date: datetime
    updated_date: datetime
    external_id: str
    provider_app_id: str
    item_set_id: str
    namespace: str
    category: str | None = None
    display_name: str | None = None
    extended_fields: ExtendedFields | None = None


class NewItem(Part, frozen=True, kw_only=True):
    """An item to create, as one of many."""

    external_id: str
    item_set_id: str
    provider_app_id: str
    namespace: str
    category: str | None = None
    display_name: str | None = None
    extended_fields: Namespaces | None = None


class ItemChange(Change, frozen=True, kw_only=True):
    """One item to change, of many. ``field_mask`` names the fields to change."""

    id: str
    revision: int
    display_name: str | Unset | None = UNSET
    extended_fields: Namespaces | Unset = UNSET
    field_mask: Collection[str] | None = None


class ReferenceFilter(Part, frozen=True, kw_only=True):
    """Items with this reference; None matches any value."""

    external_id: str | None = None
    category: str | None = None
    provider_app_id: str | None = None


class ItemSetReferenceFilter(ReferenceFilter, frozen=True, kw_only=True):
    """Items with this reference, in one item set."""

    item_set_id: str


class PoolDefinitionInfo(Part, frozen=True, kw_only=True):
    """The pool definition behind an item."""

    display_name: str | None = None
    description: str | None = None
    credit_configuration: CreditConfigurationInfo | None = None


class BenefitInfo(Part, frozen=True, kw_only=True):
    """The benefit behind an item."""

    benefit_key: str | None = None
    price: Decimal | None = None
    display_name: str | None = None
    description: str | None = None


class PoolDefinitionItem(Part, frozen=True, kw_only=True):
    """An item of a benefit of a pool definition; parts that weren't asked for are None."""

    id: str
    revision: int
    created_date: datetime
    updated_date: datetime
    external_id: str
    provider_app_id: str
    namespace: str
    pool_definition_id: str
    item_set_id: str
    item_id: str
    benefit_key: str
    item_search_key: str
    category: str | None = None
    pool_definition: PoolDefinitionInfo | None = None
    program_definitions: tuple[ProgramDefinitionInfo, ...] = ()
    benefit_info: BenefitInfo | None = None
    item_info: ItemInfo | None = None
    removed: bool | None = None
    pool_definition_revision: int | None = None
    item_revision: int | None = None


class PoolItemPool(Part, frozen=True, kw_only=True):
    """The pool behind an item."""

    display_name: str | None = None
    description: str | None = None
    status: PoolStatus | None = None
    credit_configuration: CreditConfigurationInfo | None = None


class PoolItemBalance(Part, frozen=True, kw_only=True):
    """The credits that the pool behind an item has left."""

    available: Decimal | None = None


class PoolItem(Part, frozen=True, kw_only=True):
    """An item of a benefit of a pool; parts that weren't asked for are None."""

    id: str
    revision: int
    created_date: datetime
    updated_date: datetime
    external_id: str
    provider_app_id: str
    namespace: str
    pool_id: str
    program_id: str
    pool_definition_id: str
    item_set_id: str
    item_id: str
    benefit_key: str
    item_search_key: str
    beneficiary: Identity
    category: str | None = None
    external_program_id: str | None = None
    program_definition_id: str | None = None
    external_program_definition_id: str | None = None
    pool: PoolItemPool | None = None
    program: ProgramInfo | None = None
    program_definition: ProgramDefinitionInfo | None = None
    item_info: ItemInfo | None = None
    benefit_info: BenefitInfo | None = None
    balance: PoolItemBalance | None = None
    removed: bool | None = None
    pool_revision: int | None = None
    item_revision: int | None = None
