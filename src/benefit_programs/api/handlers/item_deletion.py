"""The method that deletes all items that a filter finds."""

from __future__ import annotations

from msgspec.structs import replace

from benefit_programs.api.call import Call
from benefit_programs.api.types import items as wire
from benefit_programs.domain.item_deletion import ItemSearch, StartItemDeletion
from benefit_programs.storage.item_finder import ItemFinder


async def delete_by_filter(
    call: Call, request: wire.BulkDeleteItemsByFilterRequest
) -> wire.BulkDeleteItemsByFilterResponse:
    """BulkDeleteItemsByFilter: all that the filter finds as the call begins, by a job."""
    search = ItemSearch(namespace=request.namespace, filter=request.filter)
    newest = await ItemFinder(call.services.reader).newest(
        call.tenant_id, search, ids=call.principal.settings.id_mode
    )
    search = replace(search, until=newest or "")
    job_id = await call.execute(StartItemDeletion(search=search))
    return wire.BulkDeleteItemsByFilterResponse(job_id=job_id)
