"""Events: what happened, as those hear of it who follow."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import msgspec

from benefit_programs.domain.audit_rows import PrincipalKind
from benefit_programs.domain.constraints import Addition, FreeForm, Int32, Size, Text
from benefit_programs.wire.types.common import (
    CursorPagingMetadata,
    EntityId,
    Namespace,
    Revision,
    Timestamp,
)

Entity = Annotated[dict[str, Any], FreeForm()]
EventType = Annotated[str, Text(min_length=1, max_length=100)]

EVENT_TYPES_MAX = 50
"""How many types of events a request may name."""

EVENTS_PAGE_MAX = 1_000
"""How many events a page of the feed holds at most."""

CURSOR_LENGTH_MAX = 64
"""How long a cursor of the feed may be."""


class EntityCreated(msgspec.Struct, frozen=True, kw_only=True):
    """An entity that is new."""

    entity: Entity | None = None


class EntityUpdated(msgspec.Struct, frozen=True, kw_only=True):
    """An entity that was changed."""

    current_entity: Entity | None = None


class EntityDeleted(msgspec.Struct, frozen=True, kw_only=True):
    """An entity that is no more."""

    deleted_entity: Entity | None = None


class EntityActed(msgspec.Struct, frozen=True, kw_only=True):
    """What an action did."""

    body: Entity | None = None


class EventActor(msgspec.Struct, frozen=True, kw_only=True):
    """Who made it happen."""

    kind: PrincipalKind | None = None
    id: str | None = None


class DomainEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to an entity, with exactly one of the four bodies."""

    id: EntityId | None = None
    entity_fqdn: str | None = None
    slug: str | None = None
    entity_id: EntityId | None = None
    event_time: Timestamp | None = None
    entity_event_sequence: Revision | None = None
    originated_from: str | None = None
    actor: Annotated[EventActor, Addition()] | None = None
    traceparent: Annotated[str, Addition()] | None = None
    tracestate: Annotated[str, Addition()] | None = None
    triggered_by_anonymize_request: bool | None = None
    created_event: EntityCreated | None = None
    updated_event: EntityUpdated | None = None
    deleted_event: EntityDeleted | None = None
    action_event: EntityActed | None = None


class FeedStart(StrEnum):
    """Where a consumer without a cursor begins."""

    OLDEST = "OLDEST"
    """With the first event that is still there."""

    NEWEST = "NEWEST"
    """With what happens from now on."""


class FeedPaging(msgspec.Struct, frozen=True, kw_only=True):
    """How many events, and after which."""

    limit: Annotated[int, Int32(minimum=1, maximum=EVENTS_PAGE_MAX)] | None = None
    cursor: Annotated[str, Text(max_length=CURSOR_LENGTH_MAX)] | None = None


class ListEventsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read what has happened, in its order, after a cursor."""

    event_types: Annotated[tuple[EventType, ...], Size(maximum=EVENT_TYPES_MAX)] | None = None
    namespace: Namespace | None = None
    entity_id: EntityId | None = None
    start: FeedStart | None = None
    paging: FeedPaging | None = None


class ListEventsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of events. Its next cursor is always there: later it leads to what came since."""

    events: tuple[DomainEvent, ...] | None = None
    metadata: CursorPagingMetadata | None = None
