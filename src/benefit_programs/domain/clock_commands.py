"""What sets the clock of a sandbox forward, instant by instant. See docs/adr/0036-sandboxes.md.

``SetClock`` says where to. ``StepClock`` lets the clock go on to the next instant at which anything
is due, once all that is due before is booked, and names what it is. Whoever books it is the
caller's, or a runner's (``engine/clock.py``); any number of them may be at it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.clock_errors import ClockIsMoving
from benefit_programs.domain.clocks import CLOCK_MAX, THE_CLOCK, Clock
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.due import DUE
from benefit_programs.domain.durations import later
from benefit_programs.domain.entities import Agenda, Job, JobKind, JobStatus
from benefit_programs.domain.errors import Invalid
from benefit_programs.domain.indexes import Index
from benefit_programs.domain.jobs import agenda_of, ask_for_agenda, new_job
from benefit_programs.domain.lookups import (
    AGENDA,
    BEFORE_ALL_IDS,
    BEFORE_ALL_INSTANTS,
    CLOCK,
    FIRST_DUE_CASCADE,
    JOB,
    LIVE_JOBS,
    WALK_DUE_POOLS,
    WALK_DUE_PROGRAMS,
)
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import Instant

CALLER_MILLISECONDS = 10_000
"""How long runners leave a clock to the request that sets it."""


class DueKind(StrEnum):
    """What may be due, in the order in which it is booked at one instant."""

    CASCADE = "cascade"
    PROGRAM = "program"
    POOL = "pool"


_WALKS: dict[DueKind, Index[Any]] = {
    DueKind.CASCADE: FIRST_DUE_CASCADE,
    DueKind.PROGRAM: WALK_DUE_PROGRAMS,
    DueKind.POOL: WALK_DUE_POOLS,
}


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What is next: rows of a kind that have come due, jobs to wait for, or the end."""

    is_over: bool = False
    waits_for_jobs: bool = False
    at: Instant = 0
    kind: DueKind = DueKind.POOL
    ids: tuple[str, ...] = ()


class SetClock(Command[Clock], frozen=True, kw_only=True):
    """Begin to set a clock forward: to a date, or by a duration in the tenant's time zone."""

    about = Clock

    date: Instant | None = None
    advance: str | None = None

    def ask(self, needs: Needs, state: State) -> None:
        needs.lock(CLOCK, THE_CLOCK)
        needs.lock(AGENDA, DUE)

    def decide(self, state: State, context: Context) -> Changes[Clock]:
        clock = _clock_of(state)
        if clock.until is not None:
            raise ClockIsMoving
        clock = replace(clock, at=context.now, until=self._target(context))
        changes = Changes(clock)
        changes.save(clock)
        _call_runners(state, changes, context.real_now + CALLER_MILLISECONDS)
        return changes

    def _target(self, context: Context) -> Instant:
        if self.advance is not None:
            field, target = "advance", later(context.now, self.advance, context.settings.time_zone)
        else:
            assert self.date is not None
            field, target = "date", self.date
        if target < context.now:
            raise Invalid.because(field, "lies before the clock, which goes only forward")
        if target > CLOCK_MAX:
            raise Invalid.because(field, "leads beyond the beginning of the year 2500")
        return target


class StepClock(Command[Step], frozen=True, kw_only=True):
    """Say what is to be booked now; if nothing is, let the clock go on to what comes next.

    It waits for the jobs that have begun. Rows that are ``passed_by`` couldn't be booked.
    """

    passed_by: frozenset[str] = frozenset()

    def ask(self, needs: Needs, state: State) -> None:
        needs.lock(CLOCK, THE_CLOCK)
        needs.lock(AGENDA, DUE)
        clock = state.loaded(CLOCK, THE_CLOCK)
        if clock is None or not clock.is_moving:
            return
        needs.read(LIVE_JOBS, BEFORE_ALL_IDS)
        if clock.job_id is not None:
            needs.lock(JOB, clock.job_id)
            needs.read(LIVE_JOBS, clock.job_id)
        for walk in _WALKS.values():
            needs.read(walk, BEFORE_ALL_INSTANTS)

    def decide(self, state: State, context: Context) -> Changes[Step]:
        clock = _clock_of(state)
        until = clock.until
        if until is None:
            return Changes(Step(is_over=True))
        if _has_other_jobs(state, clock):
            return Changes(Step(waits_for_jobs=True))
        due = self._due(state)
        if not any(at <= clock.at for _, _, at in due):
            clock = replace(clock, at=min((at for _, _, at in due), default=until + 1))
        changes = Changes(_step(due, clock.at))
        if clock.at > until:
            _end(state, changes, context, clock)
            changes.answer = Step(is_over=True)
        else:
            changes.save(clock)
        return changes

    def _due(self, state: State) -> list[tuple[DueKind, str, Instant]]:
        return [
            (kind, row.id, row.due)
            for kind, walk in _WALKS.items()
            for row in state.many(walk, BEFORE_ALL_INSTANTS)
            if row.due is not None and row.id not in self.passed_by
        ]


class LeaveClockToJob(Command[Clock], frozen=True, kw_only=True):
    """Let runners go on with a clock that is still moving, and make a job to be followed."""

    def ask(self, needs: Needs, state: State) -> None:
        needs.lock(CLOCK, THE_CLOCK)
        needs.lock(AGENDA, DUE)
        ask_for_agenda(needs)

    def decide(self, state: State, context: Context) -> Changes[Clock]:
        clock = _clock_of(state)
        if not clock.is_moving or clock.job_id is not None:
            return Changes(clock)
        job_id = context.new_id()
        clock = replace(clock, job_id=job_id)
        job = new_job(job_id, JobKind.ADVANCE_CLOCK, job_id, context)
        changes = Changes(clock)
        changes.save(clock, replace(job, status=JobStatus.PROCESSING))
        changes.save(replace(agenda_of(state), since=context.real_now))
        _call_runners(state, changes, context.real_now)
        return changes


def _clock_of(state: State) -> Clock:
    clock = state.one(CLOCK, THE_CLOCK)
    assert clock is not None, "whoever asks for the clock of a sandbox finds one"
    return clock


def _step(due: list[tuple[DueKind, str, Instant]], now: Instant) -> Step:
    """What is to be booked first of what is due: the rows of one kind."""
    for kind in DueKind:
        ids = tuple(row_id for each, row_id, at in due if each is kind and at <= now)
        if ids:
            return Step(at=now, kind=kind, ids=ids)
    return Step()


def _has_other_jobs(state: State, clock: Clock) -> bool:
    """Whether there are live jobs besides the one that sets the clock."""
    jobs = state.many(LIVE_JOBS, BEFORE_ALL_IDS)
    if clock.job_id is not None:
        jobs += state.many(LIVE_JOBS, clock.job_id)
    return any(each.id != clock.job_id for each in jobs)


def _end(state: State, changes: Changes[Step], context: Context, clock: Clock) -> None:
    """Let the clock run on from where it was set to."""
    assert clock.until is not None
    ahead = clock.until - context.real_now
    changes.save(replace(clock, at=clock.until, ahead=ahead, until=None, job_id=None))
    job: Job | None = None if clock.job_id is None else state.one(JOB, clock.job_id)
    if job is not None:
        changes.save(replace(job, status=JobStatus.FINISHED, updated=clock.until))
    _call_runners(state, changes, context.real_now)


def _call_runners(state: State, changes: Changes[Step] | Changes[Clock], since: Instant) -> None:
    """Have a runner look at the tenant then, whatever its agenda said."""
    agenda = state.one(AGENDA, DUE) or Agenda(kind=DUE, newest_order=0)
    changes.save(replace(agenda, since=since))
