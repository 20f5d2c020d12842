"""What runners and operators do with jobs. See docs/jobs.md."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import (
    Job,
    JobStatus,
    Order,
    OrderPhase,
)
from benefit_programs.domain.errors import JobNotCancelable, JobNotRetryable
from benefit_programs.domain.jobs import (
    LEASE_MILLISECONDS,
    agenda_of,
    ask_for_agenda,
    has_live_jobs,
    held_job,
    released,
)
from benefit_programs.domain.lookups import (
    BEFORE_ALL_IDS,
    JOB,
    LIVE_JOBS,
    ORDER_OF_JOB,
    SWEEP_SIZE,
    WALK_JOB_PAGES,
    WALK_JOBS,
    WALK_ORDERS_IN_PHASE,
)
from benefit_programs.domain.orders.log import OPENING, REACHED
from benefit_programs.domain.orders.programs import ACTIONS
from benefit_programs.domain.required import require
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import DAY, Identity, Instant

ATTEMPTS_MAX = 8
"""How often one chunk is tried before its job has failed."""

SKIPS_IN_A_ROW_MAX = 20
"""How many rows a job passes by one after the other; what fails more often isn't a row's fault."""

RETRY_MILLISECONDS = 250
"""How long the second attempt waits; each later one waits twice as long."""

WAIT_MILLISECONDS_MAX = 60_000
"""How long a job can wait; one that is due later was put off by a clock that is ahead."""

CANCELED = "canceled"
"""The reason of a job that was given up."""

_ON_PROGRAMS = frozenset(ACTIONS)


class Claim(msgspec.Struct, frozen=True):
    """A job that a runner may work on now, and the caller who asked for it."""

    job: Job
    caller: Identity


class ClaimJob(Command[Claim | None], frozen=True, kw_only=True):
    """Take the first of some jobs that is free.

    The ``candidates`` are due, and of the jobs for one definition each is the oldest. If the
    runner is ``alone``, leases of others don't count.
    """

    owner: str
    alone: bool
    candidates: tuple[str, ...]

    def ask(self, needs: Needs, state: State) -> None:
        for job_id in self.candidates:
            needs.lock(JOB, job_id)

    def decide(self, state: State, context: Context) -> Changes[Claim | None]:
        changes: Changes[Claim | None] = Changes(None)
        found = (state.one(JOB, job_id) for job_id in self.candidates)
        job = next((job for job in found if job and self._is_free(job, context.real_now)), None)
        if job is not None:
            job = replace(
                job,
                status=JobStatus.PROCESSING,
                updated=context.now,
                lease_owner=self.owner,
                due=context.real_now + LEASE_MILLISECONDS,
            )
            changes.save(job)
            changes.answer = Claim(job, Identity(job.created_by_type, job.created_by_id))
        return changes

    def _is_free(self, job: Job, now: Instant) -> bool:
        is_held = job.lease_owner is not None
        is_due = job.due <= now or job.due > now + WAIT_MILLISECONDS_MAX
        return job.status not in Job.over and (is_due or (self.alone and is_held))


class ReleaseJob(Command[None], frozen=True, kw_only=True):
    """End this runner's lease, so that others may take the job at once."""

    job_id: str
    owner: str

    def ask(self, needs: Needs, state: State) -> None:
        needs.lock(JOB, self.job_id)

    def decide(self, state: State, context: Context) -> Changes[None]:
        changes: Changes[None] = Changes(None)
        job = held_job(state, self.job_id, self.owner)
        if job is not None:
            changes.save(released(job))
        return changes


class FailJob(Command[JobStatus | None], frozen=True, kw_only=True):
    """A chunk couldn't be done: try it again later, or give the job up. Answers its status."""

    job_id: str
    owner: str
    reason: str

    def ask(self, needs: Needs, state: State) -> None:
        needs.lock(JOB, self.job_id)

    def decide(self, state: State, context: Context) -> Changes[JobStatus | None]:
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
            due=context.real_now + RETRY_MILLISECONDS * 2 ** (attempts - 1),
            reason=self.reason,
            lease_owner=None,
        )
        changes: Changes[JobStatus | None] = Changes(job.status)
        changes.save(job)
        return changes


class RetryJob(Command[Job], frozen=True, kw_only=True):
    """Let a failed job go on where it stopped."""

    about = Job

    job_id: str

    def ask(self, needs: Needs, state: State) -> None:
        ask_for_agenda(needs)
        needs.read(ORDER_OF_JOB, self.job_id)
        needs.lock(JOB, self.job_id)

    def decide(self, state: State, context: Context) -> Changes[Job]:
        """Refuse a job that hasn't failed, and a cascade that was given up."""
        job = require(state, JOB, self.job_id)
        is_canceled = job.order_number > 0 and working_order(state, job) is None
        if job.status is not JobStatus.FAILED or is_canceled:
            raise JobNotRetryable(job_id=job.id, status=job.status)
        job = replace(
            job,
            status=JobStatus.INITIALIZED,
            updated=context.now,
            due=0,
            attempts=0,
            reason=None,
        )
        changes = Changes(job)
        changes.save(job, replace(agenda_of(state), since=context.real_now))
        return changes


class CancelJob(Command[Job], frozen=True, kw_only=True):
    """Give up a cascade: pools that it hasn't reached stay as they are.

    The action of a program can't be given up half-way, since its pools would differ.
    """

    about = Job

    job_id: str

    def ask(self, needs: Needs, state: State) -> None:
        needs.read(ORDER_OF_JOB, self.job_id)
        needs.lock(JOB, self.job_id)

    def decide(self, state: State, context: Context) -> Changes[Job]:
        """Refuse what has ended, and what is no cascade."""
        job = require(state, JOB, self.job_id)
        order = working_order(state, job)
        if order is None or job.kind in _ON_PROGRAMS or job.status is JobStatus.FINISHED:
            raise JobNotCancelable(job_id=job.id, status=job.status)
        job = replace(
            job,
            status=JobStatus.FAILED,
            updated=context.now,
            reason=CANCELED,
            lease_owner=None,
        )
        changes = Changes(job)
        changes.save(job)
        give_up(changes, order)
        return changes


def working_order(state: State, job: Job) -> Order | None:
    """The order that a job carries out, if it still has to."""
    order = state.one(ORDER_OF_JOB, job.id)
    return None if order is None or order.phase is OrderPhase.REACHED else order


def give_up(changes: Changes[Any], order: Order) -> None:
    """Take an order to no more pools. If it stands, renewals still follow it."""
    if order.stands:
        changes.save(replace(order, phase=OrderPhase.REACHED))
    else:
        changes.delete(order)


class SweepJobs(Command[str | None], frozen=True, kw_only=True):
    """Remove jobs that ended longer ago than the tenant keeps them.

    Looks at the oldest jobs after ``position``, and answers with where to go on, if anywhere.
    """

    position: str = BEFORE_ALL_IDS

    def ask(self, needs: Needs, state: State) -> None:
        needs.lock(WALK_JOBS, self.position)
        for job in self._outdated(state, _limit(needs.real_now, needs.settings.job_retention_days)):
            needs.read(ORDER_OF_JOB, job.id)
            needs.lock(WALK_JOB_PAGES, job.id, -1)

    def decide(self, state: State, context: Context) -> Changes[str | None]:
        """Remove outdated jobs, each after its pages."""
        limit = _limit(context.real_now, context.settings.job_retention_days)
        jobs = state.many(WALK_JOBS, self.position)
        further = len(jobs) == SWEEP_SIZE and jobs[-1].created < limit
        changes: Changes[str | None] = Changes(jobs[-1].id if further else None)
        for job in self._outdated(state, limit):
            pages = state.many(WALK_JOB_PAGES, job.id, -1)
            changes.delete(*pages)
            if len(pages) == SWEEP_SIZE:
                changes.answer = self.position
                break
            order = working_order(state, job)
            if order is not None:
                give_up(changes, order)
            changes.delete(job)
        return changes

    def _outdated(self, state: State, limit: Instant) -> list[Job]:
        """The jobs to remove: all that are done, up to the first one that has pages."""
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


class TidyLog(Command[bool], frozen=True, kw_only=True):
    """Remove orders that no pool has to go through any more; answer whether there were any.

    If there were none, and no jobs are left, clear ``since`` of the agenda. Keep an order while an
    older one opens pools, for these go through it.
    """

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for the agenda, then for reached orders and for what opens pools."""
        ask_for_agenda(needs)
        needs.read(LIVE_JOBS, BEFORE_ALL_IDS)
        needs.read(WALK_ORDERS_IN_PHASE, *REACHED)
        needs.read(WALK_ORDERS_IN_PHASE, *OPENING)
        for order in state.known(WALK_ORDERS_IN_PHASE, *OPENING):
            needs.read(JOB, order.job_id)

    def decide(self, state: State, context: Context) -> Changes[bool]:
        changes = Changes(answer=False)
        opening = state.many(WALK_ORDERS_IN_PHASE, *OPENING)
        over = [order for order in opening if _is_over(state, order)]
        oldest = min((each.number for each in opening if each not in over), default=None)
        done = state.many(WALK_ORDERS_IN_PHASE, *REACHED)
        if len(over) < SWEEP_SIZE:
            over += [each for each in done if oldest is None or each.number < oldest]
        changes.delete(*over)
        changes.answer = bool(over)
        if not over and not has_live_jobs(state) and agenda_of(state).since is not None:
            changes.save(replace(agenda_of(state), since=None))
        return changes


def _is_over(state: State, order: Order) -> bool:
    """Whether the job of an order to open a pool is done or gone."""
    job = state.one(JOB, order.job_id)
    return job is None or job.status == "FINISHED"
