"""Async jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TypeAlias

from benefit_programs.client.asynchronous.queries import AsyncListing, AsyncQuery, begin
from benefit_programs.client.asynchronous.session import AsyncMethods
from benefit_programs.client.core.jobs import pauses
from benefit_programs.client.core.queries import Plan
from benefit_programs.client.core.wire import document, reads_field, reads_rows
from benefit_programs.client.errors import JobFailed, JobStillRunning
from benefit_programs.client.generated.enums import JobStatus
from benefit_programs.client.generated.filters import JobFilter, JobSort
from benefit_programs.client.types.jobs import Job, JobItem

AsyncJobQuery: TypeAlias = AsyncQuery[Job, JobFilter, JobSort]

_ENTITY = reads_field("job", Job)
_ROWS = reads_rows("jobs", Job)
_ITEMS = reads_rows("jobItems", JobItem)


class AsyncAsyncJobs(AsyncMethods):
    """Work that may continue after its request was answered."""

    async def get(self, job_id: str) -> Job:
        """Read a job.

        Raises:
            JobNotFound: There is no such job, or it ended more than 30 days ago.
        """
        return await self._session.call("getAsyncJob", _ENTITY, document(job_id=job_id))

    def list_items(self, job_id: str) -> AsyncListing[JobItem]:
        """List the results of a job."""
        plan = Plan(
            name="listAsyncJobItems",
            read=_ITEMS,
            paging_field="paging",
            beside=document(job_id=job_id),
        )
        return AsyncListing(self._session, plan)

    def query(
        self,
        filter: JobFilter | None = None,  # noqa: A002 - the contract's own word
        *,
        sort: Sequence[JobSort] = (),
    ) -> AsyncJobQuery:
        """Find jobs."""
        return begin(self._session, Plan(name="queryAsyncJobs", read=_ROWS), filter, sort)

    async def retry(self, job_id: str) -> Job:
        """Let a failed job go on where it stopped. Needs a key with the scope to operate.

        Raises:
            JobNotFound: There is no such job.
            JobNotRetryable: It hasn't failed, or was canceled.
        """
        return await self._session.call("retryAsyncJob", _ENTITY, document(job_id=job_id))

    async def cancel(self, job_id: str) -> Job:
        """Give up a cascade; what it has done stays. Needs a key with the scope to operate.

        Raises:
            JobNotFound: There is no such job.
            JobNotCancelable: It has ended, or is no cascade.
        """
        return await self._session.call("cancelAsyncJob", _ENTITY, document(job_id=job_id))

    async def wait(
        self,
        job_id: str,
        *,
        timeout: float = 60.0,  # noqa: ASYNC109 - not a limit of ours: what then is raised tells
    ) -> Job:
        """Wait until a job has ended, at most ``timeout`` seconds.

        Raises:
            JobFailed: The job ended as FAILED.
            JobStillRunning: It hasn't ended, and goes on.
            JobNotFound: There is no such job.
        """
        job = await self.get(job_id)
        for seconds in pauses(timeout):
            if job.has_ended:
                break
            await asyncio.sleep(seconds)
            job = await self.get(job_id)
        if job.status == JobStatus.FAILED:
            raise JobFailed(job)
        if not job.has_ended:
            raise JobStillRunning(job, timeout)
        return job
