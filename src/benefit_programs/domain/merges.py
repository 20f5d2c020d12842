"""Merges that jobs have to do: whose programs become whose."""

from __future__ import annotations

import msgspec

from benefit_programs.domain.entities import Job, JobKind
from benefit_programs.domain.errors import InProgress
from benefit_programs.domain.lookups import LIVE_JOBS_OF_KIND, MERGES_MAX
from benefit_programs.domain.state import Needs, State
from benefit_programs.domain.values import Identity


class Merge(msgspec.Struct, frozen=True):
    """What ``visitor`` has becomes ``owner``'s."""

    visitor: Identity
    owner: Identity


def merge_of(job: Job) -> Merge:
    return msgspec.convert(job.payload, Merge)


def ask_for_merges(needs: Needs) -> None:
    """Ask for what ``merges_of`` reads; the agenda must be asked for too, so none is overlooked."""
    needs.read(LIVE_JOBS_OF_KIND, JobKind.MERGE_BENEFICIARY)


def merges_of(state: State, *people: Identity) -> list[tuple[Job, Merge]]:
    """The running merges of any of these people, with their jobs.

    Raises InProgress while there are too many to know.
    """
    jobs = state.many(LIVE_JOBS_OF_KIND, JobKind.MERGE_BENEFICIARY)
    if len(jobs) > MERGES_MAX:
        raise InProgress
    merges = [(job, merge_of(job)) for job in jobs if job.status not in Job.over]
    return [
        (job, merge) for job, merge in merges if merge.visitor in people or merge.owner in people
    ]
