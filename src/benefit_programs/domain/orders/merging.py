"""How what an anonymous visitor has becomes a member's: in the request, or by a job if it is much.

A program moves with all its pools in one commit. Balances, transactions and rate limits hang on
pools, so they come along without a change of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.due import require_settled
from benefit_programs.domain.entities import (
    Job,
    JobItem,
    JobKind,
    Pool,
    Program,
    beneficiary_columns,
)
from benefit_programs.domain.errors import InProgress
from benefit_programs.domain.events import record_updated
from benefit_programs.domain.jobs import agenda_of, ask_for_agenda, done_job, new_job, start_job
from benefit_programs.domain.lookups import (
    LIVE_JOBS_OF_SUBJECT,
    POOLS_OF_PROGRAM,
    POOLS_OF_VISITOR,
    PROGRAM,
    PROGRAMS_OF_VISITOR,
    WALK_PROGRAMS_OF_VISITOR,
)
from benefit_programs.domain.merges import Merge, ask_for_merges, merge_of, merges_of
from benefit_programs.domain.orders.carrier import Carrier, Walk
from benefit_programs.domain.orders.play import (
    ask_to_reach,
    reach,
)
from benefit_programs.domain.people.commands import ask_to_hand_over, hand_over
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.state import Changes, Needs, State

PROGRAM_ITEM = "program"


class MergeBeneficiary(Command[str], frozen=True, kw_only=True):
    """Give what a visitor has to its owner, and answer with the job that does or did it.

    ``pseudonyms`` are those of the two, which jobs that erase them have as subjects. The owner's
    is the subject of the merge, so a job tells of nobody. Asked again while it runs, it answers
    with the same job. Refused while anything else merges the visitor, or erases one of the two.
    """

    about = Job

    merge: Merge
    pseudonyms: tuple[str, str]

    def ask(self, needs: Needs, state: State) -> None:
        visitor_id = self.merge.visitor.id
        ask_for_agenda(needs)
        ask_for_merges(needs)
        for pseudonym in self.pseudonyms:
            needs.read(LIVE_JOBS_OF_SUBJECT, JobKind.ERASE_BENEFICIARY, pseudonym)
        ask_to_hand_over(needs, state, self.merge)
        needs.read(PROGRAMS_OF_VISITOR, visitor_id)
        needs.read(POOLS_OF_VISITOR, visitor_id)
        programs = state.known(PROGRAMS_OF_VISITOR, visitor_id)
        pools = state.known(POOLS_OF_VISITOR, visitor_id)
        if not _is_large(programs, pools, needs.settings):
            _ask_to_move(needs, state, programs)

    def decide(self, state: State, context: Context) -> Changes[str]:
        self._require_no_erasure(state)
        for job, merge in merges_of(state, self.merge.visitor):
            if merge == self.merge:
                return Changes(job.id)
            raise InProgress
        visitor_id = self.merge.visitor.id
        programs = state.many(PROGRAMS_OF_VISITOR, visitor_id)
        is_large = _is_large(programs, state.many(POOLS_OF_VISITOR, visitor_id), context.settings)
        return self._start(state, context) if is_large else self._do(state, context, programs)

    def _require_no_erasure(self, state: State) -> None:
        for pseudonym in self.pseudonyms:
            erasures = state.many(LIVE_JOBS_OF_SUBJECT, JobKind.ERASE_BENEFICIARY, pseudonym)
            if any(job.status not in Job.over for job in erasures):
                raise InProgress

    def _start(self, state: State, context: Context) -> Changes[str]:
        changes = Changes(context.new_id())
        job = new_job(changes.answer, JobKind.MERGE_BENEFICIARY, self.pseudonyms[1], context)
        job = replace(job, payload=msgspec.to_builtins(self.merge))
        hand_over(changes, state, self.merge, context.now)
        start_job(changes, context, agenda_of(state), job)
        return changes

    def _do(self, state: State, context: Context, programs: list[Program]) -> Changes[str]:
        changes = Changes(context.new_id())
        hand_over(changes, state, self.merge, context.now)
        items = _move(state, changes, context, programs, self.merge)
        kind, subject_id = JobKind.MERGE_BENEFICIARY, self.pseudonyms[1]
        changes.save(done_job(changes.answer, kind, subject_id, items, context))
        return changes


class MergeChunks(Carrier):
    """What the chunks of a merge do: they move the visitor's next programs."""

    def __init__(self, job: Job, size: int) -> None:
        super().__init__(job, size)
        self._merge = merge_of(job)

    @property
    def walk(self) -> Walk | None:
        return self.along(WALK_PROGRAMS_OF_VISITOR, PROGRAM_ITEM, self._merge.visitor.id)

    def ask_for_rows(self, needs: Needs, state: State, rows: list[Program]) -> None:
        _ask_to_move(needs, state, rows)

    def do(self, state: State, changes: Changes[Any], context: Context) -> list[JobItem]:
        return _move(state, changes, context, self.rows(state), self._merge)


def _is_large(programs: Sequence[Program], pools: Sequence[Pool], settings: TenantSettings) -> bool:
    return max(len(programs), len(pools)) > settings.in_request_max


def _ask_to_move(needs: Needs, state: State, programs: Sequence[Program]) -> None:
    """Ask for programs with all their pools, and for what is ahead of these."""
    for program in programs:
        needs.lock(PROGRAM, program.id)
        needs.lock(POOLS_OF_PROGRAM, program.id)
        ask_to_reach(needs, state, state.known(POOLS_OF_PROGRAM, program.id))


def _move(
    state: State,
    changes: Changes[Any],
    context: Context,
    programs: Sequence[Program],
    merge: Merge,
) -> list[JobItem]:
    """Make programs and their pools the owner's, in the order of the tenant's changes."""
    owner = beneficiary_columns(merge.owner)
    locked = [state.one(PROGRAM, program.id) for program in programs]
    moving = [each for each in locked if each and each.beneficiary == merge.visitor]
    require_settled(moving, context)
    for program in moving:
        record_updated(changes, context, replace(program, **owner))
        for pool in state.many(POOLS_OF_PROGRAM, program.id):
            reached = reach(state, changes, context, pool)
            record_updated(changes, context, replace(reached, **owner))
    return [JobItem(id=program.id, entity=PROGRAM_ITEM) for program in moving]
