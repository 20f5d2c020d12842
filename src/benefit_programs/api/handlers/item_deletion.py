"""The method that deletes all items that a filter finds."""

from __future__ import annotations

from typing import Any

from benefit_programs.api.call import Call
from benefit_programs.api.types import items as wire
from benefit_programs.api.types.common import CursorQuery, ItemCursorPaging, Sorting, SortOrder
from benefit_programs.domain.item_deletion import (
    DELETION_CHUNK_SIZE,
    DeleteItems,
    FinishItemDeletion,
    PlanItemDeletion,
)
from benefit_programs.domain.lookups import BEFORE_ALL_IDS
from benefit_programs.storage import item_specs


async def delete_by_filter(
    call: Call, request: wire.BulkDeleteItemsByFilterRequest
) -> wire.BulkDeleteItemsByFilterResponse:
    """BulkDeleteItemsByFilter: all that the filter finds as the call begins, chunk by chunk.

    Each chunk is a commit of its own. Ids grow with time, so the walk ends at the newest item that
    was there, however many are created meanwhile.
    """
    newest = await _find(call, request, {}, SortOrder.DESC, limit=1)
    job = await call.execute(PlanItemDeletion())
    position = BEFORE_ALL_IDS
    while newest and position < newest[0]:
        bounds = {"$gt": position, "$lte": newest[0]}
        found = await _find(call, request, bounds, SortOrder.ASC, limit=DELETION_CHUNK_SIZE)
        if not found:
            break
        job = await call.execute(DeleteItems(job=job, item_ids=found))
        position = found[-1]
    await call.execute(FinishItemDeletion(job=job))
    return wire.BulkDeleteItemsByFilterResponse(job_id=job.id)


async def _find(
    call: Call,
    request: wire.BulkDeleteItemsByFilterRequest,
    bounds: dict[str, str],
    order: SortOrder,
    *,
    limit: int,
) -> tuple[str, ...]:
    """The ids of items in the namespace that the filter finds, in their order."""
    scope: dict[str, Any] = {"namespace": request.namespace, **({"id": bounds} if bounds else {})}
    query = CursorQuery(
        filter=request.filter,
        sort=(Sorting(field_name="id", order=order),),
        cursor_paging=ItemCursorPaging(limit=limit),
    )
    spec = item_specs.item_ids(call.services.reader.dialect, "bulkDeleteItemsByFilter")
    found = await call.page(spec, query, scope=scope, path="")
    return tuple(row[0] for row in found.rows)
