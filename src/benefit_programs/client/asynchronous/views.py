"""Pool definition items and pool items: the items of benefits, as views."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeAlias

from benefit_programs.client.asynchronous.queries import AsyncQuery, begin
from benefit_programs.client.asynchronous.session import AsyncMethods
from benefit_programs.client.core.queries import Plan
from benefit_programs.client.core.wire import document, reads, reads_rows
from benefit_programs.client.generated.enums import PoolDefinitionItemField, PoolItemField
from benefit_programs.client.generated.filters import (
    PoolDefinitionItemFilter,
    PoolDefinitionItemSort,
    PoolItemFilter,
    PoolItemSort,
)
from benefit_programs.client.types.bulk import BulkResult
from benefit_programs.client.types.common import BenefitItem
from benefit_programs.client.types.items import Item, PoolDefinitionItem, PoolItem

AsyncPoolDefinitionItemQuery: TypeAlias = AsyncQuery[
    PoolDefinitionItem, PoolDefinitionItemFilter, PoolDefinitionItemSort
]
AsyncPoolItemQuery: TypeAlias = AsyncQuery[PoolItem, PoolItemFilter, PoolItemSort]

_POOL_DEFINITION_ITEMS = reads_rows("poolDefinitionItems", PoolDefinitionItem)
_POOL_ITEMS = reads_rows("poolItems", PoolItem)
_BULK = reads(BulkResult[Item])


class AsyncPoolDefinitionItems(AsyncMethods):
    """The items of the benefits of pool definitions."""

    def query(
        self,
        filter: PoolDefinitionItemFilter | None = None,  # noqa: A002 - the contract's own word
        *,
        sort: Sequence[PoolDefinitionItemSort] = (),
        fields: Collection[PoolDefinitionItemField] | None = None,
    ) -> AsyncPoolDefinitionItemQuery:
        """Find pool definition items; ``fields`` names its parts. A page has up to 1000."""
        plan = Plan(
            name="queryPoolDefinitionItems",
            read=_POOL_DEFINITION_ITEMS,
            beside=document(fields=None if fields is None else list(fields)),
        )
        return begin(self._session, plan, filter, sort)

    async def add_items_to_benefit(
        self, pool_definition_id: str, *, benefit_key: str, items: Sequence[BenefitItem]
    ) -> BulkResult[Item]:
        """Add 1 to 100 items to a benefit, and so to all pools that have it.

        Raises:
            PoolDefinitionBenefitNotFound: There is no such pool definition or benefit.
        """
        fields = document(
            pool_definition_id=pool_definition_id, benefit_key=benefit_key, item_references=items
        )
        return await self._session.call("addItemsToBenefit", _BULK, fields)

    async def remove_items_from_benefit(
        self, pool_definition_id: str, *, benefit_key: str, items: Sequence[BenefitItem]
    ) -> BulkResult[Item]:
        """Remove 1 to 100 items from a benefit, and so from all pools that have it.

        Raises:
            PoolDefinitionBenefitNotFound: There is no such pool definition or benefit.
        """
        fields = document(
            pool_definition_id=pool_definition_id, benefit_key=benefit_key, item_references=items
        )
        return await self._session.call("removeItemsFromBenefit", _BULK, fields)


class AsyncPoolItems(AsyncMethods):
    """The items of the benefits of pools that haven't ended."""

    def query(
        self,
        filter: PoolItemFilter | None = None,  # noqa: A002 - the contract's own word
        *,
        sort: Sequence[PoolItemSort] = (),
        fields: Collection[PoolItemField] | None = None,
    ) -> AsyncPoolItemQuery:
        """Find pool items; ``fields`` names its parts. A page has up to 1000.

        An app must filter by ``beneficiary.member_id``.
        """
        plan = Plan(
            name="queryPoolItems",
            read=_POOL_ITEMS,
            beside=document(fields=None if fields is None else list(fields)),
        )
        return begin(self._session, plan, filter, sort)
