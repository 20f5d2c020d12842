"""Jobs: the record of work, who does it, and what becomes of it when it fails. See docs/jobs.md."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.command import Command, Context
from benefit_programs.domain.entities import (
    CascadeKind,
    Job,
    JobItem,
    JobPage,
    JobStatus,
    UnfinishedCascade,
    Work,
)
from benefit_programs.domain.errors import JobNotCancelable, JobNotFound, JobNotRetryable
from benefit_programs.domain.lookups import (
    BEFORE_ALL_IDS,
    CASCADE,
    CASCADES_OF_POOL_DEFINITION,
    CASCADES_OF_PROGRAM_DEFINITION,
    JOB,
    JOB_PAGE,
    LIVE_JOBS,
    SWEEP_SIZE,
    WALK_JOB_PAGES,
    WALK_JOBS,
    WORK,
)
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import Cascade, Identity, Instant

JOBS = "jobs"
"""The kind of work that job runners do."""

JOB_PAGE_SIZE = 500
"""How many things a page of a job tells of."""

LEASE_MILLISECONDS = 5_000
"""For how long a job is its runner's after each chunk; then others may take it over."""

ATTEMPTS_MAX = 8
"""How often one chunk is tried before its job has failed."""

SKIPS_IN_A_ROW_MAX = 20
"""How many rows a job passes by one after the other; what fails more often isn't a row's fault."""

RETRY_MILLISECONDS = 250
"""How long the second attempt waits; each later one waits twice as long."""

DAY = 24 * 60 * 60 * 1000


class JobKind(StrEnum):
    """What a job does."""

    PROVISION_PROGRAM = "PROVISION_PROGRAM"
    PAUSE_PROGRAM = "PAUSE_PROGRAM"
    RESUME_PROGRAM = "RESUME_PROGRAM"
    END_PROGRAM = "END_PROGRAM"
    RENEW_PROGRAM = "RENEW_PROGRAM"
    UPDATE_POOLS = "UPDATE_POOLS"
    END_POOLS = "END_POOLS"
    ADD_POOLS = "ADD_POOLS"
    KEEP_POOLS = "KEEP_POOLS"
    END_PROGRAMS = "END_PROGRAMS"
    DELETE_ITEMS = "DELETE_ITEMS"


_ON_PROGRAMS = frozenset(
    {
        JobKind.PROVISION_PROGRAM,
        JobKind.PAUSE_PROGRAM,
        JobKind.RESUME_PROGRAM,
        JobKind.END_PROGRAM,
        JobKind.RENEW_PROGRAM,
    }
)

_CASCADE_JOBS = {
    CascadeKind.UPDATE: JobKind.UPDATE_POOLS,
    CascadeKind.END: JobKind.END_POOLS,
    CascadeKind.ADD: JobKind.ADD_POOLS,
    CascadeKind.END_PROGRAMS: JobKind.END_PROGRAMS,
}

_CASCADES = frozenset({*_CASCADE_JOBS.values(), JobKind.KEEP_POOLS})


def cascade_job(cascade: UnfinishedCascade) -> JobKind:
    """What the job of a cascade does.

    A definition that comes back at the next renewal only keeps the pools that were to end then.
    """
    if cascade.kind is CascadeKind.ADD and cascade.cascade is Cascade.NEXT_RENEWAL:
        return JobKind.KEEP_POOLS
    return _CASCADE_JOBS[cascade.kind]


def done_job(
    job_id: str, kind: JobKind, subject_id: str, items: Sequence[JobItem], context: Context
) -> Job:
    """The record of work that was done within its request."""
    return replace(
        _job(job_id, kind, subject_id, context),
        status=JobStatus.FINISHED,
        total=len(items),
        success_count=len(items),
        items=tuple(items),
    )


def ask_to_start_job(needs: Needs) -> None:
    """Ask for what ``start_job`` needs."""
    needs.lock(WORK, JOBS)


def start_job(
    state: State,
    changes: Changes[Any],
    context: Context,
    *,
    job_id: str,
    kind: JobKind,
    subject_id: str,
    payload: dict[str, Any] | None = None,
    items: Sequence[JobItem] = (),
) -> None:
    """Leave work to a runner, which is woken by the commit; ``items`` are done already."""
    job = replace(_job(job_id, kind, subject_id, context), payload=payload)
    _save_pages(changes, job.id, 0, items)
    changes.save(replace(job, success_count=len(items), total=len(items)))
    save_work(state, changes, context)


def save_work(state: State, changes: Changes[Any], context: Context) -> None:
    """Tell that the tenant has jobs waiting."""
    work = state.one(WORK, JOBS)
    changes.save(work or Work(kind=JOBS, since=context.now))


def _job(job_id: str, kind: JobKind, subject_id: str, context: Context) -> Job:
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
    """Ask for the page that the next items of a job go to."""
    needs.read(JOB_PAGE, job.id, job.done_count // JOB_PAGE_SIZE)


def save_items(state: State, changes: Changes[Any], job: Job, items: Sequence[JobItem]) -> None:
    """Write what a chunk has done behind what the job did before."""
    number = job.done_count // JOB_PAGE_SIZE
    page = state.one(JOB_PAGE, job.id, number)
    _save_pages(changes, job.id, number, (*(page.items if page else ()), *items))


def _save_pages(changes: Changes[Any], job_id: str, number: int, items: Sequence[JobItem]) -> None:
    for start in range(0, len(items), JOB_PAGE_SIZE):
        part = tuple(items[start : start + JOB_PAGE_SIZE])
        changes.save(JobPage(job_id=job_id, number=number + start // JOB_PAGE_SIZE, items=part))


class Claim(msgspec.Struct, frozen=True):
    """A job that a runner may work on now, and for whom it was asked."""

    job: Job
    caller: Identity


class ClaimJob(Command[Claim | None], frozen=True, kw_only=True):
    """Take one of a tenant's jobs, the one that has waited longest for its next chunk.

    Where a runner is ``alone`` there is nobody else whose lease could count.
    """

    owner: str
    alone: bool

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for unfinished jobs and for what must be done before them."""
        needs.lock(WORK, JOBS)
        needs.read(LIVE_JOBS, BEFORE_ALL_IDS)
        for job in state.known(LIVE_JOBS, BEFORE_ALL_IDS):
            needs.read(CASCADE, job.id)
            cascade = state.loaded(CASCADE, job.id)
            if cascade is not None:
                ask_for_rivals(needs, state, cascade)
        chosen = self._choose(state, needs.now)
        if chosen is not None:
            needs.lock(JOB, chosen.id)

    def decide(self, state: State, context: Context) -> Changes[Claim | None]:
        """Take the job, or forget the tenant where nothing is left to do."""
        chosen = self._choose(state, context.now)
        changes: Changes[Claim | None] = Changes(None)
        if chosen is None:
            work = state.one(WORK, JOBS)
            if work is not None and not _living(state):
                changes.delete(work)
            return changes
        job = state.one(JOB, chosen.id)
        if job is None or not self._is_free(job, context.now):
            return changes
        job = replace(
            job,
            status=JobStatus.PROCESSING,
            updated=context.now,
            lease_owner=self.owner,
            lease_until=context.now + LEASE_MILLISECONDS,
        )
        changes.save(job)
        changes.answer = Claim(job, Identity(job.created_by_type, job.created_by_id))
        return changes

    def _choose(self, state: State, now: Instant) -> Job | None:
        free = [
            job for job in _living(state) if self._is_free(job, now) and not _must_wait(state, job)
        ]
        return min(free, key=lambda job: (job.updated, job.id), default=None)

    def _is_free(self, job: Job, now: Instant) -> bool:
        if job.status in Job.over or (job.retry_at is not None and job.retry_at > now):
            return False
        held = job.lease_until is not None and job.lease_until > now
        return self.alone or not held or job.lease_owner == self.owner


def _living(state: State) -> list[Job]:
    jobs = state.known(LIVE_JOBS, BEFORE_ALL_IDS)
    return [job for job in jobs if job.status not in Job.over]


def ask_for_rivals(needs: Needs, state: State, cascade: UnfinishedCascade) -> None:
    """Ask for the cascades that may have to be done before this one, and for their jobs."""
    for index, key in _rival_sets(cascade):
        needs.read(index, key)
        for rival in state.known(index, key):
            needs.read(JOB, rival.id)


def _must_wait(state: State, job: Job) -> bool:
    """Whether an older cascade may still make pools that this one has to reach."""
    cascade = state.loaded(CASCADE, job.id)
    if cascade is None:
        return False
    rivals = [each for index, key in _rival_sets(cascade) for each in state.known(index, key)]
    return any(
        rival.id != cascade.id
        and (rival.number < cascade.number or cascade.kind is CascadeKind.END_PROGRAMS)
        and (other := state.loaded(JOB, rival.id)) is not None
        and other.status not in Job.over
        for rival in rivals
    )


def _rival_sets(cascade: UnfinishedCascade) -> list[tuple[Any, str]]:
    if cascade.kind is CascadeKind.END_PROGRAMS:
        assert cascade.program_definition_id is not None
        return [(CASCADES_OF_PROGRAM_DEFINITION, cascade.program_definition_id)]
    assert cascade.pool_definition_id is not None
    return [(CASCADES_OF_POOL_DEFINITION, cascade.pool_definition_id)]


def held_job(state: State, job_id: str, owner: str) -> Job | None:
    """The job, if it is this runner's to work on and hasn't ended."""
    job = state.one(JOB, job_id)
    return None if job is None or job.lease_owner != owner or job.status in Job.over else job


def advanced(job: Job, context: Context, **progress: Any) -> Job:
    """A job that has come further: its lease begins anew, and what failed before is forgotten."""
    return replace(
        job,
        **progress,
        updated=context.now,
        status=JobStatus.PROCESSING,
        lease_until=context.now + LEASE_MILLISECONDS,
        attempts=0,
        retry_at=None,
        reason=None,
    )


class ReleaseJob(Command[None], frozen=True, kw_only=True):
    """Hand a job back that this runner goes on with no more, for others to take it up at once."""

    job_id: str
    owner: str

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for the job."""
        needs.lock(JOB, self.job_id)

    def decide(self, state: State, context: Context) -> Changes[None]:
        """End the lease, if it is still this runner's."""
        changes: Changes[None] = Changes(None)
        job = held_job(state, self.job_id, self.owner)
        if job is not None:
            changes.save(replace(job, lease_owner=None, lease_until=None))
        return changes


class FailJob(Command[JobStatus | None], frozen=True, kw_only=True):
    """A chunk couldn't be done: try it again later, or give the job up. Answers its status."""

    job_id: str
    owner: str
    reason: str

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for the job."""
        needs.lock(JOB, self.job_id)

    def decide(self, state: State, context: Context) -> Changes[JobStatus | None]:
        """Count the attempt."""
        job = held_job(state, self.job_id, self.owner)
        if job is None:
            return Changes(None)
        attempts = job.attempts + 1
        failed = attempts >= ATTEMPTS_MAX
        job = replace(
            job,
            updated=context.now,
            status=JobStatus.FAILED if failed else job.status,
            attempts=attempts,
            retry_at=context.now + RETRY_MILLISECONDS * 2 ** (attempts - 1),
            reason=self.reason,
            lease_owner=None,
            lease_until=None,
        )
        changes: Changes[JobStatus | None] = Changes(job.status)
        changes.save(job)
        return changes


class RetryJob(Command[Job], frozen=True, kw_only=True):
    """Let a failed job go on where it stopped."""

    job_id: str

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for the job and its cascade."""
        needs.lock(CASCADE, self.job_id)
        ask_to_start_job(needs)
        needs.lock(JOB, self.job_id)

    def decide(self, state: State, context: Context) -> Changes[Job]:
        """Refuse a job that hasn't failed, and a cascade that was given up."""
        job = require_job(state, self.job_id)
        is_canceled = job.kind in _CASCADES and state.one(CASCADE, job.id) is None
        if job.status is not JobStatus.FAILED or is_canceled:
            raise JobNotRetryable(job_id=job.id, status=job.status)
        job = replace(
            job,
            status=JobStatus.INITIALIZED,
            updated=context.now,
            attempts=0,
            retry_at=None,
            reason=None,
        )
        changes = Changes(job)
        changes.save(job)
        save_work(state, changes, context)
        return changes


class CancelJob(Command[Job], frozen=True, kw_only=True):
    """Give up a cascade where it stands: what it hasn't reached stays as it is.

    The action of a program can't be given up half-way, since its pools would differ.
    """

    job_id: str

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for the job and its cascade."""
        needs.lock(CASCADE, self.job_id)
        needs.lock(JOB, self.job_id)

    def decide(self, state: State, context: Context) -> Changes[Job]:
        """Refuse what has ended, and what is no cascade."""
        job = require_job(state, self.job_id)
        cascade = state.one(CASCADE, self.job_id)
        if cascade is None or job.status is JobStatus.FINISHED:
            raise JobNotCancelable(job_id=job.id, status=job.status)
        job = replace(
            job,
            status=JobStatus.FAILED,
            updated=context.now,
            reason="canceled",
            lease_owner=None,
            lease_until=None,
        )
        changes = Changes(job)
        changes.save(job)
        changes.delete(cascade)
        return changes


def require_job(state: State, job_id: str) -> Job:
    """The job with this id, or its refusal."""
    job = state.one(JOB, job_id)
    if job is None:
        raise JobNotFound(job_id=job_id)
    return job


class SweepJobs(Command[str | None], frozen=True, kw_only=True):
    """Remove jobs that ended longer ago than the tenant keeps them.

    Looks at the oldest jobs after ``position``, and answers with where to go on, if anywhere.
    """

    position: str = BEFORE_ALL_IDS

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for the oldest jobs, and for pages of the first one to go."""
        needs.lock(WALK_JOBS, self.position)
        for job in self._outdated(state, _limit(needs.now, needs.settings.job_retention_days)):
            needs.read(CASCADE, job.id)
            needs.lock(WALK_JOB_PAGES, job.id, -1)

    def decide(self, state: State, context: Context) -> Changes[str | None]:
        """Remove what is outdated, jobs after their pages."""
        limit = _limit(context.now, context.settings.job_retention_days)
        jobs = state.many(WALK_JOBS, self.position)
        further = len(jobs) == SWEEP_SIZE and jobs[-1].created < limit
        changes: Changes[str | None] = Changes(jobs[-1].id if further else None)
        for job in self._outdated(state, limit):
            pages = state.many(WALK_JOB_PAGES, job.id, -1)
            changes.delete(*pages)
            if len(pages) == SWEEP_SIZE:
                changes.answer = self.position
                break
            cascade = state.one(CASCADE, job.id)
            changes.delete(job, *([cascade] if cascade else []))
        return changes

    def _outdated(self, state: State, limit: Instant) -> list[Job]:
        """The jobs to remove: all that are done, but with the pages of one at the most."""
        outdated = []
        for job in state.known(WALK_JOBS, self.position):
            if job.status in Job.over and job.updated < limit and not _is_needed(job):
                outdated.append(job)
                if job.items is None:
                    break
        return outdated


def _is_needed(job: Job) -> bool:
    """Whether a program waits for the job: it failed, can't be given up, and may be retried."""
    return job.status is JobStatus.FAILED and job.kind in _ON_PROGRAMS


def _limit(now: Instant, days: int) -> Instant:
    return now - days * DAY
