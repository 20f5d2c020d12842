"""Events: every kind that is stored, and the one way to change an entity, which stores one.

``record_created``, ``record_updated`` and ``record_deleted`` save an entity, count its revision and
its events, and store the event. Nothing else counts them.

``slug`` names the event. Where one change makes several events of one entity, it names them all in
their order, joined by "+", and ``sequence`` is the last one's. A row with a ``transaction_id`` also
stands for the creation of that transaction and the update of its balance.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import (
    Item,
    Lot,
    Pool,
    PoolDefinition,
    Program,
    ProgramDefinition,
    Transaction,
)
from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.indexes import fields_of
from benefit_programs.domain.state import Changes
from benefit_programs.domain.webhooks.rows import WebhookEndpoint

CREATED = "created"
UPDATED = "updated"
DELETED = "deleted"
ALERT = "alert"


class EventKind(NamedTuple):
    """One kind of stored event. Several slugs, joined by "+", are as many events of the entity."""

    entity: str
    slug: str
    when: str


CATALOG = (
    EventKind("program_definition", "created", "it was created"),
    EventKind("program_definition", "updated", "it was changed"),
    EventKind("program_definition", "deleted", "it was deleted"),
    EventKind("pool_definition", "created", "it was created, in program definitions or in none"),
    EventKind("pool_definition", "updated", "it was changed"),
    EventKind(
        "pool_definition",
        "updated+added_to_program_definition",
        "it was added to a program definition",
    ),
    EventKind(
        "pool_definition",
        "updated+removed_from_program_definition",
        "it was removed from one, or that one was deleted",
    ),
    EventKind("pool_definition", "deleted", "it was deleted"),
    EventKind("item", "created", "it was created"),
    EventKind("item", "updated", "it was changed"),
    EventKind("item", "deleted", "it was deleted"),
    EventKind("program", "created+provisioned", "it was provisioned"),
    EventKind("program", "created", "its provisioning has begun, and goes on in the background"),
    EventKind(
        "program",
        "updated+provisioned",
        "that has ended; or a program without pools was provisioned again",
    ),
    EventKind(
        "program",
        "updated",
        "it was changed; or an action has begun, and goes on in the background",
    ),
    EventKind("program", "updated+paused", "it was paused"),
    EventKind("program", "updated+resumed", "it goes on"),
    EventKind("program", "updated+renewed", "a new cycle began"),
    EventKind(
        "program",
        "updated+renewed+ended",
        "it ended with its renewal, since its definition was deleted so",
    ),
    EventKind("program", "updated+ended", "it ended"),
    EventKind("pool", "created+provisioned", "it was made, by provisioning or by a cascade"),
    EventKind("pool", "updated", "it was changed, by hand or by a cascade"),
    EventKind("pool", "updated+paused", "it was paused with its program"),
    EventKind("pool", "updated+resumed", "it goes on with its program"),
    EventKind("pool", "updated+renewed", "a new cycle began"),
    EventKind("pool", "updated+ended", "it ended"),
    EventKind(
        "pool",
        "updated+renewed+ended",
        "it ended before the renewal that was under way had come to it, and so was renewed first",
    ),
    EventKind("pool", "benefit_redeemed", "credits were spent"),
    EventKind("pool", "benefit_reallocated", "a redemption was moved to another date"),
    EventKind("pool", "redemption_canceled", "a redemption was given back, or a part of it"),
    EventKind("pool", "benefit_reserved", "credits were set aside for items"),
    EventKind("pool", "benefit_reservation_released", "reserved credits were spent: a capture"),
    EventKind(
        "pool",
        "benefit_reservation_canceled",
        "reserved credits came back: canceled, lapsed, or left over by a capture",
    ),
    EventKind("pool", "alert", "an alert of its details began to hold"),
    EventKind("lot", "created", "credits came in a lot of their own, or will come"),
    EventKind("lot", "updated", "its terms were changed, or it was ended by hand"),
    EventKind("webhook_endpoint", "created", "it was created"),
    EventKind("webhook_endpoint", "updated", "it was changed"),
    EventKind("webhook_endpoint", "updated+paused", "it was paused, since it only failed"),
    EventKind("webhook_endpoint", "deleted", "it was deleted"),
    EventKind("balance", "updated", "credits came or went without an event of the pool"),
)

_KNOWN = frozenset((each.entity, each.slug) for each in CATALOG)

_NAMES: dict[type[object], str] = {
    ProgramDefinition: "program_definition",
    PoolDefinition: "pool_definition",
    Item: "item",
    Program: "program",
    Pool: "pool",
    Lot: "lot",
    WebhookEndpoint: "webhook_endpoint",
}

POOL_STATE = (
    "revision",
    "updated",
    "status",
    "previous_status",
    "snapshot_id",
    "pool_definition_revision",
    "renewal_count",
    "renewal_action",
    "renewal_snapshot_id",
    "renewal_revision",
    "extended_fields",
)
"""What can change of a pool, and so stands in its events."""

_pool_state = fields_of(POOL_STATE)
_PoolState = msgspec.defstruct(
    "_PoolState", [(name, Any, None) for name in POOL_STATE], omit_defaults=True
)
"""The same as a document, without what a pool lacks."""

Entity = TypeVar(
    "Entity", ProgramDefinition, PoolDefinition, Item, Program, Pool, Lot, WebhookEndpoint
)


def record_created(
    changes: Changes[Any], context: Context, row: Entity, *also: str, **more: Any
) -> Entity:
    """Save a new entity, and return it as saved.

    ``also`` names the events after the first. ``more`` stands in the body beside the entity, but
    for ``transaction_id``, which the event has itself.
    """
    return record(changes, context, row, CREATED, *also, **more)


def record_updated(
    changes: Changes[Any], context: Context, row: Entity, *also: str, **more: Any
) -> Entity:
    """Save an entity at its next revision; ``row`` has the old one. See ``record_created``."""
    slugs = (UPDATED, *also)
    row = replace(
        row, revision=row.revision + 1, updated=context.now, sequence=row.sequence + len(slugs)
    )
    return _recorded(changes, context, row, slugs, more)


def record_deleted(changes: Changes[Any], context: Context, row: Entity, **more: Any) -> None:
    """Remove an entity; its event shows it as it was last."""
    changes.delete(row)
    gone = replace(row, sequence=row.sequence + 1)
    changes.events.append(_event(context, gone, DELETED, more))


def record(
    changes: Changes[Any], context: Context, row: Entity, *slugs: str, **more: Any
) -> Entity:
    """Save an entity with these events, at the revision that it has. See ``record_created``."""
    row = replace(row, sequence=row.sequence + len(slugs))
    return _recorded(changes, context, row, slugs, more)


def _recorded(
    changes: Changes[Any],
    context: Context,
    row: Entity,
    slugs: tuple[str, ...],
    more: dict[str, Any],
) -> Entity:
    changes.save(row)
    changes.events.append(_event(context, row, "+".join(slugs), more))
    return row


def next_revision(context: Context, row: Entity) -> Entity:
    """The entity at its next revision, where a change needs that before it is recorded."""
    return replace(row, revision=row.revision + 1, updated=context.now)


def record_balance(changes: Changes[Any], context: Context, transaction: Transaction) -> None:
    """Save a transaction with the event of its balance, where that is no event of its pool."""
    changes.save(transaction)
    changes.events.append(
        Event(
            id=context.new_id(),
            created=context.now,
            entity="balance",
            entity_id=transaction.pool_id,
            sequence=transaction.balance_revision,
            slug=UPDATED,
            body=_origin(context),
            transaction_id=transaction.id,
        )
    )


def _origin(context: Context) -> dict[str, Any]:
    """By whom an event was brought about, and in which trace if in one."""
    if context.trace is None:
        return {"actor": context.actor.who}
    return {"actor": context.actor.who, "trace": context.trace}


def _event(context: Context, row: Entity, slug: str, more: dict[str, Any]) -> Event:
    """The event of a change that left an entity as ``row``. See ``record_created``.

    What never changes of a pool isn't repeated, and its details are named by their snapshot.
    """
    entity = _NAMES[type(row)]
    assert (entity, slug) in _KNOWN, f"the catalog has no {slug} of a {entity}"
    transaction_id = more.pop("transaction_id", None)
    body: dict[str, Any]
    more |= _origin(context)
    if type(row) is Pool:
        body = {"pool": _PoolState(*_pool_state(row)), **more}
    else:
        body = {"entity": row, **more}
    return Event(
        id=context.new_id(),
        created=context.now,
        entity=entity,
        entity_id=row.id,
        sequence=row.sequence,
        slug=slug,
        body=body,
        transaction_id=transaction_id,
    )
