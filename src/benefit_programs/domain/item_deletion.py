"""Deleting many items at once: a job that a filter describes, done in chunks of one commit each."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import Job, JobKind
from benefit_programs.domain.jobs import (
    agenda_of,
    ask_for_agenda,
    done_job,
    new_job,
    start_job,
)
from benefit_programs.domain.state import Changes, Needs, State

ITEM_ENTITY = "item"
"""What the items of such a job name as their entity."""


class ItemSearch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which items to delete: those of a namespace that a filter finds, up to one id."""

    namespace: str
    filter: dict[str, Any] | None = None
    until: str = ""


class StartItemDeletion(Command[str], frozen=True, kw_only=True):
    """Start a job that deletes what a search finds, and answer with its id.

    A search without ``until`` has found nothing, and its job is done at once.
    """

    about = Job

    search: ItemSearch

    def ask(self, needs: Needs, state: State) -> None:
        ask_for_agenda(needs)

    def decide(self, state: State, context: Context) -> Changes[str]:
        job_id = context.new_id()
        changes = Changes(job_id)
        if not self.search.until:
            changes.save(done_job(job_id, JobKind.DELETE_ITEMS, job_id, (), context))
            return changes
        job = new_job(job_id, JobKind.DELETE_ITEMS, job_id, context)
        job = replace(job, payload=msgspec.to_builtins(self.search))
        start_job(changes, context, agenda_of(state), job)
        return changes


def search_of(payload: dict[str, Any] | None) -> ItemSearch:
    return msgspec.convert(payload, ItemSearch)
