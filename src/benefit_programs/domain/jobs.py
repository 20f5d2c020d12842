"""Jobs: how they are made, leased and recorded. See docs/jobs.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import (
    Agenda,
    Job,
    JobItem,
    JobKind,
    JobPage,
    JobStatus,
)
from benefit_programs.domain.lookups import (
    AGENDA,
    BEFORE_ALL_IDS,
    JOB,
    JOB_PAGE,
    LIVE_JOBS,
)
from benefit_programs.domain.state import Changes, Needs, State

JOBS = "jobs"
"""The kind of agenda that job runners work on."""

JOB_PAGE_SIZE = 500
"""How many items a page of a job holds."""

LEASE_MILLISECONDS = 5_000
"""For how long a job is its runner's after each chunk; then others may take it over."""


def done_job(
    job_id: str, kind: JobKind, subject_id: str, items: Sequence[JobItem], context: Context
) -> Job:
    """The record of work that was done within its request."""
    return replace(
        new_job(job_id, kind, subject_id, context),
        status=JobStatus.FINISHED,
        total=len(items),
        success_count=len(items),
        items=tuple(items),
    )


def ask_for_agenda(needs: Needs) -> None:
    needs.lock(AGENDA, JOBS)


def agenda_of(state: State) -> Agenda:
    return state.one(AGENDA, JOBS) or Agenda(kind=JOBS, newest_order=0)


def start_job(
    changes: Changes[Any], context: Context, agenda: Agenda, job: Job, items: Sequence[JobItem] = ()
) -> None:
    """Give a job to the runners; the commit wakes them. ``items`` are done already."""
    _save_pages(changes, job.id, 0, items)
    changes.save(replace(job, success_count=len(items), total=len(items), trace=context.trace))
    changes.save(replace(agenda, since=context.real_now))


def new_job(job_id: str, kind: JobKind, subject_id: str, context: Context) -> Job:
    return Job(
        id=job_id,
        created=context.now,
        updated=context.now,
        kind=kind,
        status=JobStatus.INITIALIZED,
        subject_id=subject_id,
        created_by_type=context.caller.type,
        created_by_id=context.caller.id,
        total=0,
    )


def ask_for_open_page(needs: Needs, job: Job) -> None:
    needs.read(JOB_PAGE, job.id, job.done_count // JOB_PAGE_SIZE)


def save_items(state: State, changes: Changes[Any], job: Job, items: Sequence[JobItem]) -> None:
    """Append what a chunk has done to the pages of its job."""
    number = job.done_count // JOB_PAGE_SIZE
    page = state.one(JOB_PAGE, job.id, number)
    _save_pages(changes, job.id, number, (*(page.items if page else ()), *items))


def _save_pages(changes: Changes[Any], job_id: str, number: int, items: Sequence[JobItem]) -> None:
    for start in range(0, len(items), JOB_PAGE_SIZE):
        part = tuple(items[start : start + JOB_PAGE_SIZE])
        changes.save(JobPage(job_id=job_id, number=number + start // JOB_PAGE_SIZE, items=part))


def has_live_jobs(state: State) -> bool:
    jobs = state.many(LIVE_JOBS, BEFORE_ALL_IDS)
    return any(job.status not in Job.over for job in jobs)


def held_job(state: State, job_id: str, owner: str) -> Job | None:
    """The job, if it is this runner's to work on and hasn't ended."""
    job = state.one(JOB, job_id)
    return None if job is None or job.lease_owner != owner or job.status in Job.over else job


def advanced(job: Job, context: Context, **progress: Any) -> Job:
    """The job after a chunk: its lease begins anew, its attempts and reason are cleared."""
    return replace(
        job,
        **progress,
        updated=context.now,
        status=JobStatus.PROCESSING,
        due=context.real_now + LEASE_MILLISECONDS,
        attempts=0,
        reason=None,
    )


def released(job: Job) -> Job:
    return replace(job, lease_owner=None, due=0)
