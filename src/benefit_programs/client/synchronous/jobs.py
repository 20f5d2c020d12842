# Made by tools/make_sync_client.py from ../asynchronous: change that, and run it.
"""Async jobs."""

from __future__ import annotations

import time

from benefit_programs.client.core.jobs import pauses
from benefit_programs.client.core.queries import Plan
from benefit_programs.client.core.wire import document, reads_field, reads_rows
from benefit_programs.client.errors import JobFailed, JobStillRunning
from benefit_programs.client.synchronous.queries import Listing
from benefit_programs.client.synchronous.session import Session
from benefit_programs.client.types.enums import JobStatus
from benefit_programs.client.types.jobs import Job, JobItem

_ENTITY = reads_field("job", Job)
_ITEMS = reads_rows("jobItems", JobItem)


class AsyncJobs:
    """Work that may go on after its request was answered."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, job_id: str) -> Job:
        """Read a job.

        Raises:
            JobNotFound: There is no such job, or it ended more than 30 days ago.
        """
        return self._session.call("getAsyncJob", _ENTITY, document(job_id=job_id))

    def list_items(self, job_id: str) -> Listing[JobItem]:
        """List what a job worked on."""
        plan = Plan(
            name="listAsyncJobItems",
            read=_ITEMS,
            paging_field="paging",
            beside=document(job_id=job_id),
        )
        return Listing(self._session, plan)

    def wait(
        self,
        job_id: str,
        *,
        timeout: float = 60.0,
    ) -> Job:
        """Wait until a job has ended, for so many seconds at the most.

        Raises:
            JobFailed: The job ended as FAILED.
            JobStillRunning: It hasn't ended; it goes on.
            JobNotFound: There is no such job.
        """
        job = self.get(job_id)
        for seconds in pauses(timeout):
            if job.has_ended:
                break
            time.sleep(seconds)
            job = self.get(job_id)
        if job.status == JobStatus.FAILED:
            raise JobFailed(job)
        if not job.has_ended:
            raise JobStillRunning(job, timeout)
        return job
