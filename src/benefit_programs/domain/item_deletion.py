"""Deleting many items at once, in chunks of one commit each, and the job that tells of it."""

from __future__ import annotations

from msgspec.structs import replace

from benefit_programs.domain.command import Command, Context
from benefit_programs.domain.entities import Job, JobItem
from benefit_programs.domain.items import remove_item
from benefit_programs.domain.jobs import JobKind, ask_for_open_page, done_job, save_items
from benefit_programs.domain.lookups import CHUNK_SIZE, ITEM
from benefit_programs.domain.state import Changes, Needs, State

DELETION_CHUNK_SIZE = CHUNK_SIZE
"""How many items one commit deletes."""


class PlanItemDeletion(Command[Job], frozen=True, kw_only=True):
    """Begin a job that deletes items. It is stored when it has finished."""

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for nothing."""

    def decide(self, state: State, context: Context) -> Changes[Job]:
        """Make the job, with nothing done yet; it concerns nothing but itself."""
        job_id = context.new_id()
        job = done_job(job_id, JobKind.DELETE_ITEMS, job_id, (), context)
        return Changes(replace(job, items=None))


class DeleteItems(Command[Job], frozen=True, kw_only=True):
    """Delete one chunk of items for a job, and tell of each in the job's pages.

    Answers with the job as it is then. Items that are gone already are passed over.
    """

    job: Job
    item_ids: tuple[str, ...]

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for the items, and for the page where the job's next ones are written."""
        for item_id in self.item_ids:
            needs.lock(ITEM, item_id)
        ask_for_open_page(needs, self.job)

    def decide(self, state: State, context: Context) -> Changes[Job]:
        """Delete what is still there."""
        found = [state.one(ITEM, item_id) for item_id in self.item_ids]
        items = [item for item in found if item is not None]
        changes = Changes(
            replace(
                self.job,
                updated=context.now,
                total=self.job.total + len(items),
                success_count=self.job.success_count + len(items),
            )
        )
        for item in items:
            remove_item(changes, context, item)
        if items:
            told = [JobItem(id=item.id, entity="item") for item in items]
            save_items(state, changes, self.job, told)
        return changes


class FinishItemDeletion(Command[Job], frozen=True, kw_only=True):
    """Store the job when its last chunk is done."""

    job: Job

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for nothing: nobody else knows the job yet."""

    def decide(self, state: State, context: Context) -> Changes[Job]:
        """Store it as finished, with its counts."""
        job = replace(self.job, updated=context.now)
        changes = Changes(job)
        changes.save(job)
        return changes
