"""The methods of async jobs."""

from __future__ import annotations

from benefit_programs.api.call import Call, metadata_of
from benefit_programs.api.method import GET, OPERATE, POST, READ_JOBS, method
from benefit_programs.api.roles import JOB_READ
from benefit_programs.domain.entities import Job, JobItem
from benefit_programs.domain.errors import JobNotCancelable, JobNotFound, JobNotRetryable
from benefit_programs.domain.job_commands import CancelJob, RetryJob
from benefit_programs.domain.jobs import JOB_PAGE_SIZE
from benefit_programs.domain.lookups import JOB, JOB_PAGE
from benefit_programs.storage import specs
from benefit_programs.wire import views
from benefit_programs.wire.types import async_jobs as wire


@method(
    "getAsyncJob",
    GET,
    "/async-jobs/v1/async-jobs/{jobId}",
    READ_JOBS,
    JOB_READ,
    refuses=(JobNotFound,),
)
async def get(call: Call, request: wire.GetAsyncJobRequest) -> wire.GetAsyncJobResponse:
    job = await call.get(JOB, request.job_id, missing=JobNotFound(job_id=request.job_id))
    return wire.GetAsyncJobResponse(job=views.job(job))


@method(
    "listAsyncJobItems",
    GET,
    "/async-jobs/v1/async-jobs/{jobId}/items",
    READ_JOBS,
    JOB_READ,
    refuses=(JobNotFound,),
)
async def list_items(
    call: Call, request: wire.ListAsyncJobItemsRequest
) -> wire.ListAsyncJobItemsResponse:
    job = await call.get(JOB, request.job_id, missing=JobNotFound(job_id=request.job_id))
    paging = request.paging
    page = call.services.reader.slice_page(
        job.done_count,
        method=call.method.name,
        tenant_id=call.tenant_id,
        subject=job.id,
        limit=paging.limit if paging else None,
        cursor=paging.cursor if paging else None,
    )
    positions = [position for (position,) in page.rows]
    items = job.items if job.items is not None else await _items(call, job, positions)
    return wire.ListAsyncJobItemsResponse(
        job_items=tuple(views.job_item(items[position], job) for position in positions),
        metadata=metadata_of(page),
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


@method(
    "queryAsyncJobs",
    POST,
    "/async-jobs/v1/async-jobs/query",
    READ_JOBS,
    JOB_READ,
    spec=specs.jobs,
    is_addition=True,
)
async def query(call: Call, request: wire.QueryAsyncJobsRequest) -> wire.QueryAsyncJobsResponse:
    rows, metadata = await call.page(Job, request.query)
    return wire.QueryAsyncJobsResponse(jobs=tuple(map(views.job, rows)), metadata=metadata)


@method(
    "retryAsyncJob",
    POST,
    "/async-jobs/v1/async-jobs/{jobId}/retry",
    OPERATE,
    "BENEFIT_PROGRAMS.JOB_MANAGE",
    refuses=(JobNotFound, JobNotRetryable),
    for_administrators=True,
    is_addition=True,
)
async def retry(call: Call, request: wire.RetryAsyncJobRequest) -> wire.ChangedAsyncJobResponse:
    job = await call.execute(RetryJob(job_id=request.job_id))
    return wire.ChangedAsyncJobResponse(job=views.job(job))


@method(
    "cancelAsyncJob",
    POST,
    "/async-jobs/v1/async-jobs/{jobId}/cancel",
    OPERATE,
    "BENEFIT_PROGRAMS.JOB_MANAGE",
    refuses=(JobNotFound, JobNotCancelable),
    for_administrators=True,
    is_addition=True,
)
async def cancel(call: Call, request: wire.CancelAsyncJobRequest) -> wire.ChangedAsyncJobResponse:
    job = await call.execute(CancelJob(job_id=request.job_id))
    return wire.ChangedAsyncJobResponse(job=views.job(job))
