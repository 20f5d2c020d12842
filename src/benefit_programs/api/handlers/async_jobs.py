"""The two methods of async jobs."""

from __future__ import annotations

from benefit_programs.api import views
from benefit_programs.api.call import Call
from benefit_programs.api.types import async_jobs as wire
from benefit_programs.domain.entities import Job, JobItem
from benefit_programs.domain.errors import JobNotFound
from benefit_programs.domain.jobs import JOB_PAGE_SIZE
from benefit_programs.domain.lookups import JOB, JOB_PAGE


async def get(call: Call, request: wire.GetAsyncJobRequest) -> wire.GetAsyncJobResponse:
    """GetAsyncJob."""
    return wire.GetAsyncJobResponse(job=views.job(await _job(call, request.job_id)))


async def list_items(
    call: Call, request: wire.ListAsyncJobItemsRequest
) -> wire.ListAsyncJobItemsResponse:
    """ListAsyncJobItems."""
    job = await _job(call, request.job_id)
    paging = request.paging
    page = call.services.reader.slice_page(
        job.done_count,
        method="listAsyncJobItems",
        tenant_id=call.tenant_id,
        subject=job.id,
        limit=paging.limit if paging else None,
        cursor=paging.cursor if paging else None,
    )
    positions = [position for (position,) in page.rows]
    items = job.items if job.items is not None else await _items(call, job, positions)
    return wire.ListAsyncJobItemsResponse(
        job_items=tuple(views.job_item(items[position], job) for position in positions),
        metadata=views.metadata_of(page),
    )


async def _items(call: Call, job: Job, positions: list[int]) -> dict[int, JobItem]:
    """What a job in chunks did at these positions, from the pages that hold them."""
    numbers = dict.fromkeys(position // JOB_PAGE_SIZE for position in positions)
    pages = await call.many(JOB_PAGE, [(job.id, number) for number in numbers])
    return {
        page.number * JOB_PAGE_SIZE + place: item
        for page in pages
        for place, item in enumerate(page.items)
    }


async def _job(call: Call, job_id: str) -> Job:
    job = await call.one(JOB, job_id)
    if job is None:
        raise JobNotFound(job_id=job_id)
    return job
