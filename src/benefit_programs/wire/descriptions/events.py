"""What each field of events and of their feed holds."""

from __future__ import annotations

from typing import Any

from benefit_programs.wire.types import events

OF_EVENTS: dict[type[Any], dict[str, str]] = {
    events.DomainEvent: {
        "action_event": "What an action did. For all slugs but the three of the other bodies.",
        "actor": "Who made it happen, as the audit names it. Events of before 0.3.0 don't tell.",
        "created_event": "The new entity. For the slug `created`.",
        "deleted_event": "The entity as it was last. For the slug `deleted`.",
        "entity_event_sequence": "The number of the entity's event, from 1 without gaps.",
        "entity_fqdn": "What kind of entity it is, such as `wix.benefit_programs.v1.pool`.",
        "entity_id": "The id of the entity; a balance has the id of its pool.",
        "event_time": "When it happened.",
        "id": "The event's id, the same however often it is delivered.",
        "originated_from": "What caused it. Not told here.",
        "slug": "What happened, such as `created` or `benefit_redeemed`.",
        "traceparent": "The place in its caller's trace of the request that made it happen, "
        "as W3C's header of that name. Only where requests are traced.",
        "tracestate": "What the caller's tracing adds, as W3C's header of that name.",
        "triggered_by_anonymize_request": "Whether the erasure of a beneficiary made it.",
        "updated_event": "The changed entity. For the slug `updated`.",
    },
    events.EventActor: {
        "id": "Which one: the id of the key, the job or the user. The calendar has none.",
        "kind": "What kind of principal it is.",
    },
    events.EntityCreated: {"entity": "The entity, as calls answer it."},
    events.EntityUpdated: {"current_entity": "The entity after the change."},
    events.EntityDeleted: {"deleted_entity": "The entity as it was last."},
    events.EntityActed: {
        "body": "The entity after the action, under its name, and what the action was about."
    },
    events.FeedPaging: {
        "cursor": (
            "Behind which event to go on: `next` of another answer, or the id of an event of a"
            " stream. Without it: as `start` says."
        ),
        "limit": "How many events at most. Default: 100.",
    },
    events.ListEventsRequest: {
        "entity_id": "Only events of this entity.",
        "event_types": (
            "Only these events: the entity and the slug, such as"
            " `wix.benefit_programs.v1.pool_benefit_redeemed`."
        ),
        "namespace": "Only events of this namespace.",
        "paging": "How many events, and after which.",
        "start": "Where to begin without a cursor. Default: OLDEST.",
    },
    events.ListEventsResponse: {"events": "The events of this page, in their order."},
}
