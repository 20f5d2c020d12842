"""Events: what has happened, and pages of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from benefit_programs.client.types.base import Part


class EntityCreated(Part, frozen=True, kw_only=True):
    """An entity that is new."""

    entity: dict[str, Any] = msgspec.field(default_factory=dict)


class EntityUpdated(Part, frozen=True, kw_only=True):
    """An entity that was changed."""

    current_entity: dict[str, Any] = msgspec.field(default_factory=dict)


class EntityDeleted(Part, frozen=True, kw_only=True):
    """An entity that is no more."""

    deleted_entity: dict[str, Any] = msgspec.field(default_factory=dict)


class EntityActed(Part, frozen=True, kw_only=True):
    """What an action did."""

    body: dict[str, Any] = msgspec.field(default_factory=dict)


class DomainEvent(Part, frozen=True, kw_only=True):
    """Something that happened to an entity. Its body is as it travels, with the wire's names."""

    id: str
    entity_fqdn: str
    slug: str
    entity_id: str
    event_time: datetime
    entity_event_sequence: int
    originated_from: str | None = None
    triggered_by_anonymize_request: bool = False
    created_event: EntityCreated | None = None
    updated_event: EntityUpdated | None = None
    deleted_event: EntityDeleted | None = None
    action_event: EntityActed | None = None

    @property
    def type(self) -> str:
        """The entity and the slug, such as ``wix.benefit_programs.v1.pool_benefit_redeemed``."""
        return f"{self.entity_fqdn}_{self.slug}"

    @property
    def body(self) -> dict[str, Any]:
        """The entity; of an action, the entity under its name and what the action was about."""
        if self.created_event is not None:
            return self.created_event.entity
        if self.updated_event is not None:
            return self.updated_event.current_entity
        if self.deleted_event is not None:
            return self.deleted_event.deleted_entity
        return self.action_event.body if self.action_event is not None else {}


class EventPage(msgspec.Struct, frozen=True, kw_only=True):
    """Events in their order, and where to go on. Keep the cursor with what you made of them."""

    events: tuple[DomainEvent, ...]
    cursor: str
    has_more: bool
    """Whether more can be read at once."""
