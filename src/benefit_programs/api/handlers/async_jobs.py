"""The two methods of async jobs."""

from __future__ import annotations

from benefit_programs.api import views
from benefit_programs.api.call import Call
from benefit_programs.api.types import async_jobs as wire
from benefit_programs.domain.entities import Job
from benefit_programs.domain.errors import JobNotFound
from benefit_programs.domain.lookups import JOB


async def get(call: Call, request: wire.GetAsyncJobRequest) -> wire.GetAsyncJobResponse:
    """GetAsyncJob."""
    return wire.GetAsyncJobResponse(job=views.job(await _job(call, request.job_id)))


async def list_items(
    call: Call, request: wire.ListAsyncJobItemsRequest
) -> wire.ListAsyncJobItemsResponse:
    """ListAsyncJobItems."""
    job = await _job(call, request.job_id)
    paging = request.paging
    items = job.items or ()
    page = call.services.reader.slice_page(
        len(items),
        method="listAsyncJobItems",
        tenant_id=call.tenant_id,
        subject=job.id,
        limit=paging.limit if paging else None,
        cursor=paging.cursor if paging else None,
    )
    return wire.ListAsyncJobItemsResponse(
        job_items=tuple(views.job_item(items[index], job) for (index,) in page.rows),
        metadata=views.metadata_of(page),
    )


async def _job(call: Call, job_id: str) -> Job:
    job = await call.one(JOB, job_id)
    if job is None:
        raise JobNotFound(job_id=job_id)
    return job
