"""Items."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, TypeAlias

from benefit_programs.client.asynchronous.queries import AsyncListing, AsyncQuery, begin
from benefit_programs.client.asynchronous.session import AsyncMethods
from benefit_programs.client.core.items import list_filter
from benefit_programs.client.core.queries import Plan, filter_to_wire
from benefit_programs.client.core.wire import (
    changes,
    document,
    mask,
    masked,
    reads,
    reads_field,
    reads_nothing,
    reads_rows,
)
from benefit_programs.client.generated.filters import ItemFilter, ItemSort
from benefit_programs.client.types.bulk import BulkResult
from benefit_programs.client.types.common import UNSET, Namespaces, Unset
from benefit_programs.client.types.items import (
    Item,
    ItemChange,
    ItemSetReferenceFilter,
    NewItem,
    ReferenceFilter,
)
from benefit_programs.client.types.programs import StartedJob

AsyncItemQuery: TypeAlias = AsyncQuery[Item, ItemFilter, ItemSort]

_ENTITY = reads_field("item", Item)
_ROWS = reads_rows("items", Item)
_BULK = reads(BulkResult[Item])
_COUNT = reads_field("count", int)
_STARTED = reads(StartedJob)


class AsyncItems(AsyncMethods):
    """References to what provider apps sell, in the item sets of benefits."""

    async def create(
        self,
        *,
        external_id: str,
        item_set_id: str,
        provider_app_id: str,
        namespace: str,
        category: str | None = None,
        display_name: str | None = None,
        extended_fields: Namespaces | None = None,
    ) -> Item:
        """Add an item to an item set; all live pools of its benefit have it at once.

        Raises:
            ItemSetNotFound: No benefit has this item set.
            ItemAlreadyExists: The item set has this reference.
        """
        new = document(
            external_id=external_id,
            item_set_id=item_set_id,
            provider_app_id=provider_app_id,
            namespace=namespace,
            category=category,
            display_name=display_name,
            extended_fields=extended_fields,
        )
        return await self._session.call("createItem", _ENTITY, {"item": new})

    async def bulk_create(
        self, items: Sequence[NewItem], *, return_entity: bool = False
    ) -> BulkResult[Item]:
        """Create 1 to 100 items; each succeeds or fails alone."""
        fields = document(items=items, return_entity=return_entity)
        return await self._session.call("bulkCreateItems", _BULK, fields)

    async def update(
        self,
        item_id: str,
        *,
        revision: int,
        display_name: str | Unset | None = UNSET,
        extended_fields: Namespaces | Unset = UNSET,
        field_mask: Collection[Literal["display_name", "extended_fields"]] | None = None,
    ) -> Item:
        """Change the given fields. None clears a field, and so does a mask that names it alone.

        Raises:
            ItemNotFound: There is no such item.
            InvalidRevision: It was changed since this revision was read.
        """
        changed = changes(
            id=item_id,
            revision=revision,
            display_name=display_name,
            extended_fields=extended_fields,
        )
        fields = document(item=changed, field_mask=mask(field_mask))
        return await self._session.call("updateItem", _ENTITY, fields)

    async def bulk_update(
        self, items: Sequence[ItemChange], *, return_entity: bool = False
    ) -> BulkResult[Item]:
        """Change 1 to 100 items; each succeeds or fails alone."""
        entries = [masked("item", each) for each in items]
        fields = document(items=entries, return_entity=return_entity)
        return await self._session.call("bulkUpdateItems", _BULK, fields)

    async def delete(self, item_id: str) -> None:
        """Delete an item; live pools no longer have it.

        Raises:
            ItemNotFound: There is no such item.
        """
        await self._session.call("deleteItem", reads_nothing, document(item_id=item_id))

    async def bulk_delete(self, item_ids: Sequence[str]) -> BulkResult[Item]:
        """Delete 1 to 100 items; each succeeds or fails alone."""
        return await self._session.call("bulkDeleteItems", _BULK, document(item_ids=item_ids))

    async def bulk_delete_by_filter(
        self,
        *,
        namespace: str,
        filter: ItemFilter,  # noqa: A002 - the contract's own word
    ) -> StartedJob:
        """Delete all items of a namespace that match a filter, in a job; ``{}`` matches all."""
        fields = document(namespace=namespace, filter=filter_to_wire(filter))
        return await self._session.call("bulkDeleteItemsByFilter", _STARTED, fields)

    async def get(self, item_id: str) -> Item:
        """Read an item.

        Raises:
            ItemNotFound: There is no such item.
        """
        return await self._session.call("getItem", _ENTITY, document(item_id=item_id))

    def list(
        self,
        references: Sequence[ReferenceFilter] | Sequence[ItemSetReferenceFilter] = (),
        *,
        namespace: str | None = None,
    ) -> AsyncListing[Item]:
        """List items: all, or those that match one of up to 100 filters."""
        plan = Plan(
            name="listItems",
            read=_ROWS,
            paging_field="cursorPaging",
            first_only=document(filter=list_filter(references, namespace)),
        )
        return AsyncListing(self._session, plan)

    def query(
        self,
        filter: ItemFilter | None = None,  # noqa: A002 - the contract's own word
        *,
        sort: Sequence[ItemSort] = (),
    ) -> AsyncItemQuery:
        """Find items; a page may have up to 1000."""
        return begin(self._session, Plan(name="queryItems", read=_ROWS), filter, sort)

    async def count(
        self,
        filter: ItemFilter | None = None,  # noqa: A002 - the contract's own word
    ) -> int:
        """Count the items that match a filter.

        Raises:
            TooManyToCount: There are too many to count.
        """
        conditions = None if filter is None else filter_to_wire(filter)
        return await self._session.call("countItems", _COUNT, document(filter=conditions))
