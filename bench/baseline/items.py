"""Create items in bulk."""

import uuid
from datetime import UTC, datetime

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bench.baseline.auth import Sessions, TenantId
from bench.baseline.models import ITEM_REFERENCE_KEY, Item, ItemSet
from bench.baseline.schemas import (
    BulkActionMetadata,
    BulkCreateItemsRequest,
    BulkCreateItemsResponse,
    BulkItemResult,
    EntryError,
    ItemFields,
    ItemMetadata,
    ItemView,
)

router = APIRouter()


@router.post("/bulk/items/create", response_model_exclude_none=True)
async def bulk_create_items(
    request: BulkCreateItemsRequest, tenant_id: TenantId, sessions: Sessions
) -> BulkCreateItemsResponse:
    """Contract: BulkCreateItems. A bad entry fails alone."""
    views = [_view_new(item) for item in request.items]
    async with sessions.begin() as session:
        item_sets = await _load_item_sets(session, tenant_id, request.items)
        accepted = [view for view in views if _fits(view, item_sets.get(view.item_set_id))]
        created = await _insert(session, tenant_id, accepted)
    results = [
        _result(index, view, created, known=view.item_set_id in item_sets)
        for index, view in enumerate(views)
    ]
    if not request.return_entity:
        for result in results:
            result.item = None
    metadata = BulkActionMetadata(
        total_successes=len(created), total_failures=len(views) - len(created)
    )
    return BulkCreateItemsResponse(results=results, bulk_action_metadata=metadata)


def _view_new(item: ItemFields) -> ItemView:
    now = datetime.now(UTC)
    return ItemView(
        **item.model_dump(), id=uuid.uuid4(), revision=1, created_date=now, updated_date=now
    )


async def _load_item_sets(
    session: AsyncSession, tenant_id: uuid.UUID, items: list[ItemFields]
) -> dict[uuid.UUID, ItemSet]:
    wanted = {item.item_set_id for item in items}
    statement = select(ItemSet).where(ItemSet.tenant_id == tenant_id, ItemSet.id.in_(wanted))
    return {item_set.id: item_set for item_set in await session.scalars(statement)}


def _fits(item: ItemView, item_set: ItemSet | None) -> bool:
    return (
        item_set is not None
        and item.provider_app_id == item_set.provider_app_id
        and item.namespace == item_set.namespace
    )


async def _insert(
    session: AsyncSession, tenant_id: uuid.UUID, items: list[ItemView]
) -> set[uuid.UUID]:
    if not items:
        return set()
    rows = [{**dict(item), "tenant_id": tenant_id} for item in items]
    statement = (
        insert(Item)
        .values(rows)
        .on_conflict_do_nothing(constraint=ITEM_REFERENCE_KEY)
        .returning(Item.id)
    )
    return set(await session.scalars(statement))


def _result(index: int, view: ItemView, created: set[uuid.UUID], *, known: bool) -> BulkItemResult:
    if view.id in created:
        metadata = ItemMetadata(id=view.id, original_index=index, success=True)
        return BulkItemResult(item_metadata=metadata, item=view)
    code = "ITEM_ALREADY_EXISTS" if known else "ITEM_SET_NOT_FOUND"
    error = EntryError(code=code, description=code)
    return BulkItemResult(
        item_metadata=ItemMetadata(original_index=index, success=False, error=error)
    )
