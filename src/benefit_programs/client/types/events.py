"""Events: what has happened, and pages of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeAlias

import msgspec

from benefit_programs.client.core.wire import from_wire
from benefit_programs.client.generated.enums import PrincipalKind
from benefit_programs.client.types.base import Part
from benefit_programs.client.types.definitions import PoolDefinition, ProgramDefinition
from benefit_programs.client.types.items import Item
from benefit_programs.client.types.ledger import Balance, Transaction
from benefit_programs.client.types.lots import Lot
from benefit_programs.client.types.pools import Pool
from benefit_programs.client.types.programs import Program
from benefit_programs.client.types.webhooks import WebhookEndpoint

EventEntity: TypeAlias = (
    ProgramDefinition
    | PoolDefinition
    | Item
    | Program
    | Pool
    | Lot
    | Balance
    | Transaction
    | WebhookEndpoint
)
"""What an event can be about."""

ENTITIES: dict[str, tuple[str, type[EventEntity]]] = {
    "wix.benefit_programs.v1.program_definition": ("programDefinition", ProgramDefinition),
    "wix.benefit_programs.v1.pool_definition": ("poolDefinition", PoolDefinition),
    "wix.benefit_programs.v1.item": ("item", Item),
    "wix.benefit_programs.v1.program": ("program", Program),
    "wix.benefit_programs.v1.pool": ("pool", Pool),
    "wix.benefit_programs.v1.lot": ("lot", Lot),
    "wix.benefit_programs.v1.balance": ("balance", Balance),
    "wix.benefit_programs.v1.transaction": ("transaction", Transaction),
    "wix.benefit_programs.v1.webhook_endpoint": ("webhookEndpoint", WebhookEndpoint),
}
"""By the names of entities: what the body of an action calls it, and the client's own type."""


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


class EventActor(Part, frozen=True, kw_only=True):
    """Who made it happen: a kind of principal, and which one."""

    kind: PrincipalKind
    id: str | None = None


class DomainEvent(Part, frozen=True, kw_only=True):
    """Something that happened to an entity. Its body is as it travels, with the wire's names."""

    id: str
    entity_fqdn: str
    slug: str
    entity_id: str
    event_time: datetime
    entity_event_sequence: int = 0
    """Which event of its entity it is, from 1 on. A test of an endpoint has none."""
    originated_from: str | None = None
    actor: EventActor | None = None
    """Who made it happen. Events of before the service's version 0.3.0 don't tell."""
    triggered_by_anonymize_request: bool = False
    traceparent: str | None = None
    tracestate: str | None = None
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

    @property
    def entity(self) -> EventEntity | None:
        """The entity as the event tells of it; None for a kind that this version doesn't know."""
        name, kind = ENTITIES.get(self.entity_fqdn, ("", None))
        found = self.body if self.action_event is None else self.body.get(name)
        return from_wire(kind, found) if kind is not None and found else None

    @property
    def namespace(self) -> str | None:
        """The namespace of the entity, if it has one."""
        match self.entity:
            case Balance(pool_info=pool) | Transaction(pool=pool):
                return pool.namespace
            case entity:
                return getattr(entity, "namespace", None)


EventReceiver: TypeAlias = Callable[[DomainEvent], Awaitable[object] | object]
"""A function that takes events; it has taken one unless it raises."""


class EventPage(msgspec.Struct, frozen=True, kw_only=True):
    """Events in their order, and where to go on. Keep the cursor with what you made of them."""

    events: tuple[DomainEvent, ...]
    cursor: str
    has_more: bool
    """Whether more can be read at once."""
