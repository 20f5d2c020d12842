"""The page of docs/reference about events: how they are stored, and all of them."""

from __future__ import annotations

from benefit_programs.cli.markdown import GENERATED, joined, table
from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.events import CATALOG, POOL_STATE
from benefit_programs.storage.tables import TABLES

_HEAD = """\
Each change of an entity stores its events in the same commit. Every change has its event, and
every event its change. `benefits verify` checks that ([I10 and I11](../invariants.md#events)).

This page is for those who read the stored events. It says how they are stored, and which events of
the API a stored row stands for. Consumers read them from the [feed](../how-to/catch-up.md)
or get them by [webhooks](../how-to/webhooks.md). They are kept for 30 days, or as long as the
tenant's setting `eventRetentionDays` says.

## A row

The table `events` has one row for each entity that a change concerns:"""

_COLUMNS = {
    "tenant_id": "the tenant",
    "id": "the event's id; it grows with time",
    "created": "when, in milliseconds since 1970 (UTC)",
    "entity": "the kind of entity that has changed: see below",
    "entity_id": "the entity's id; a balance has the id of its pool",
    "sequence": "the number of the entity's event, from 1 without gaps; for a balance its revision",
    "slug": "what happened; several events of one change are joined by `+`",
    "body": "JSON: the entity after the change",
    "transaction_id": "the transaction that belongs to the change",
    "position": "its place in the [feed](../adr/0023-order-of-events.md); rows of other tenants "
    "and what was never committed leave gaps",
}

_SEVERAL = """\
Field names in `body` are those of the tables, amounts are integers of 1/10,000 credit, and instants
are milliseconds.

## One row, several events

**Slugs joined by `+`** are several events of the entity, in this order. `sequence` is the number of
the last one. `updated+renewed` with the sequence 5 stands for event 4, `updated`, and
event 5, `renewed`.

**A row with a `transaction_id`** also stands for two events of other entities: the transaction was
created, and the balance was changed by it (`created` if this is the balance's first revision,
`updated` otherwise). The numbers of both come from the transaction: its own is 1, the balance's is
its `balance_revision`.

**A pool that was `created`** without a transaction stands for the creation of its balance too, with
the number 1: it opened at 0.

**A balance's row** stands for a change that is no event of the pool: a change by hand, a revert, or
one of several transactions of a renewal. The transaction has the details.

The events of the entity come first, then the transaction's, then the balance's. That is why a
redemption, which is three events of the API, is one row here.

## All slugs"""

_BODIES = {
    "program_definition": "`entity`: the row after the change; of `deleted`, the last one",
    "pool_definition": "`entity`, `snapshot` (names and details), `program_definition_ids`; with a "
    "place added or removed also `program_definition_id` and `cascade_type`",
    "item": "`entity`, as of a program definition",
    "program": "`entity`, as of a program definition",
    "pool": f"`pool`: what can change of a pool ({', '.join(f'`{name}`' for name in POOL_STATE)}); "
    "of `benefit_redeemed` and `benefit_reserved` also `additional_data` if the caller sent some, "
    "of `alert` also `alert`: which one, what it tells of, and when it crossed",
    "lot": "`entity`, as of a program definition; what was spent of it is of then, too",
    "webhook_endpoint": "`entity`, as of a program definition, without its secrets",
    "balance": "nothing else",
}

_ENVELOPE = """\
Each `body` has `actor` besides: who made it happen, as the [audit](../how-to/audit.md) names it.
Where requests are [traced](../how-to/observe.md), it may have `trace`: the `traceparent` and
`tracestate` of the request.
The constant fields of a pool are in its row, and its names and details in the snapshot
`snapshot_id`; `body` doesn't repeat them. Fields with their default value are left out.

## The envelope

The events of the API are made from a row at delivery:"""

_MADE_FROM = {
    "`id`": "the row's id for the last event of the row's entity, for others one derived from it",
    "`entityFqdn`": "`wix.benefit_programs.v1.` and the entity",
    "`slug`, `entityId`, `eventTime`": "`slug`, `entity_id`, `created`",
    "`entityEventSequence`": "`sequence`, counted back for the slugs before the last",
    "`actor`": "`body`; it isn't there in rows from before 0.3.0",
    "`traceparent`, `tracestate`": "`body`: `trace`, if there is one",
    "`triggeredByAnonymizeRequest`": "`body`, where an erasure has made the event",
    "`createdEvent`, `updatedEvent`, `deletedEvent`, `actionEvent`": "`body`, for the slugs "
    "`created`, `updated`, `deleted` and all others",
}


def events_page() -> str:
    columns = TABLES[Event].columns
    entities = dict.fromkeys(each.entity for each in CATALOG)
    return joined(
        [
            "# Events",
            GENERATED,
            _HEAD,
            table(("Column", "Meaning"), ((f"`{name}`", _COLUMNS[name]) for name in columns)),
            _SEVERAL,
            table(
                ("Entity", "Slug", "When"),
                ((f"`{each.entity}`", f"`{each.slug}`", each.when) for each in CATALOG),
            ),
            "## The body",
            table(("Entity", "`body`"), ((f"`{name}`", _BODIES[name]) for name in entities)),
            _ENVELOPE,
            table(("Envelope", "From"), _MADE_FROM.items()),
        ]
    )
