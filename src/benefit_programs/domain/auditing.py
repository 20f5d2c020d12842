"""The audit entry of a command: made in one place, from what the command changed."""

from __future__ import annotations

from typing import Any, NamedTuple

from benefit_programs.domain.audit_rows import AuditEntity, AuditEntry
from benefit_programs.domain.clocks import Clock
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import (
    Agenda,
    IdempotencyKey,
    Item,
    Job,
    JobPage,
    Lot,
    Order,
    Pool,
    PoolDefinition,
    Program,
    ProgramDefinition,
    Transaction,
)
from benefit_programs.domain.indexes import fields_of
from benefit_programs.domain.people.rows import Person
from benefit_programs.domain.rows import Row
from benefit_programs.domain.scheduled_changes import ScheduledChange
from benefit_programs.domain.state import Changes
from benefit_programs.domain.webhooks.rows import (
    WebhookDelivery,
    WebhookEndpoint,
    WebhookKey,
    WebhookProgress,
    WebhookSecret,
)


class _Naming(NamedTuple):
    """How an entry names a row: the kind of entity, and the fields with the ids."""

    entity: AuditEntity
    id: str | None = "id"
    program_id: str | None = None
    pool_id: str | None = None
    subject_id: str | None = None


_ENDPOINT = AuditEntity.WEBHOOK_ENDPOINT

_NAMINGS: dict[type[Row], _Naming] = {
    ProgramDefinition: _Naming(AuditEntity.PROGRAM_DEFINITION),
    PoolDefinition: _Naming(AuditEntity.POOL_DEFINITION),
    Item: _Naming(AuditEntity.ITEM),
    Person: _Naming(AuditEntity.PERSON),
    Program: _Naming(AuditEntity.PROGRAM, program_id="id"),
    Pool: _Naming(AuditEntity.POOL, program_id="program_id", pool_id="id"),
    Lot: _Naming(AuditEntity.LOT, pool_id="pool_id"),
    ScheduledChange: _Naming(AuditEntity.SCHEDULED_CHANGE, program_id="program_id"),
    Job: _Naming(AuditEntity.JOB, subject_id="person_id"),
    WebhookEndpoint: _Naming(_ENDPOINT),
    WebhookSecret: _Naming(_ENDPOINT, "endpoint_id"),
    WebhookProgress: _Naming(_ENDPOINT, "endpoint_id"),
    WebhookDelivery: _Naming(_ENDPOINT, "endpoint_id"),
    WebhookKey: _Naming(AuditEntity.WEBHOOK_KEY),
    Clock: _Naming(AuditEntity.CLOCK, None),
}

_NOTES: tuple[type[Row], ...] = (
    Agenda,
    IdempotencyKey,
    Job,
    JobPage,
    Order,
    WebhookDelivery,
    WebhookProgress,
)
"""What jobs, the calendar and the service note down for themselves."""


def entry_of(changes: Changes[Any], about: type[Row] | None, context: Context) -> AuditEntry | None:
    """Who did a command, if it changed something that is to be told. See ``Command.about``."""
    if about is None or not (changes.saved or changes.deleted):
        return None
    if about is Transaction:
        transaction = _posted(changes)
        if transaction is not None:
            return _entry(context, transaction.id)
        # No credits have come or gone: their lot is still to begin, or there were none.
        about = Lot if any(type(row) is Lot for row in changes.saved) else Pool
    rows = [row for row in _rows(changes) if type(row) is about]
    is_noted = bool(rows) and not context.actor.acts_alone
    if not is_noted and not _changes_entities(changes):
        return None
    return _entry_about(changes, about, rows, context)


def _posted(changes: Changes[Any]) -> Transaction | None:
    """The first transaction of a command that didn't have to happen by itself."""
    for row in changes.saved:
        if type(row) is Transaction and row.details.due is None:
            return row
    return None


def _entry_about(
    changes: Changes[Any], about: type[Row], rows: list[Row], context: Context
) -> AuditEntry:
    """The entry about rows of one type that a command has changed."""
    naming = _NAMINGS[about]
    count = len({each.entity_id for each in changes.events}) or 1
    named = rows[0] if rows else None
    if context.actor.acts_alone and len(set(map(fields_of(about.key), rows))) != 1:
        # What happens by itself happens to many at once, and none of them stands for the others.
        named = None

    def value(field: str | None) -> str | None:
        return None if field is None or named is None else getattr(named, field)

    return _entry(
        context,
        context.new_id(),
        entity=naming.entity,
        entity_id=value(naming.id),
        program_id=value(naming.program_id),
        pool_id=value(naming.pool_id),
        subject_id=value(naming.subject_id),
        changed_count=count if count > 1 else None,
    )


def _changes_entities(changes: Changes[Any]) -> bool:
    return bool(changes.events) or any(type(row) not in _NOTES for row in _rows(changes))


def _rows(changes: Changes[Any]) -> tuple[Row, ...]:
    return (*changes.saved, *changes.deleted)


def _entry(context: Context, entry_id: str, **more: Any) -> AuditEntry:
    actor = context.actor
    return AuditEntry(
        id=entry_id,
        created=context.now,
        principal_kind=actor.who.kind,
        principal_id=actor.who.id,
        method=actor.method,
        request_id=actor.request_id,
        reason=actor.reason,
        **more,
    )
