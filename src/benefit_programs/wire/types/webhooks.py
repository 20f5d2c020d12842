"""Webhooks: endpoints that are told of events, and what became of telling them."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from benefit_programs.domain.constraints import Immutable, Int32, ReadOnly, Size, Text
from benefit_programs.domain.webhooks.rows import (
    DeliveryLog,
    DeliveryOrigin,
    DeliveryStatus,
    WebhookFormat,
    WebhookStatus,
)
from benefit_programs.wire.types.common import (
    CursorPagingMetadata,
    EntityId,
    FieldMask,
    Namespace,
    Number,
    QueryRequest,
    Revision,
    Timestamp,
)
from benefit_programs.wire.types.events import EVENT_TYPES_MAX, EventType

WEBHOOK_DESCRIPTION_LENGTH_MAX = 500
WEBHOOK_NAMESPACES_MAX = 50
KEEP_OLD_HOURS_MAX = 168
KEEP_OLD_HOURS_DEFAULT = 24

Url = Annotated[str, Text(min_length=1, max_length=2_048)]
WebhookDescription = Annotated[str, Text(max_length=WEBHOOK_DESCRIPTION_LENGTH_MAX)]
EventTypes = Annotated[tuple[EventType, ...], Size(maximum=EVENT_TYPES_MAX)]
Namespaces = Annotated[tuple[Namespace, ...], Size(maximum=WEBHOOK_NAMESPACES_MAX)]
Secret = Annotated[str, Text(min_length=1, max_length=128)]


class WebhookEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint as it is answered. Its secret is never shown again."""

    id: Annotated[EntityId, Immutable(), ReadOnly()] | None = None
    revision: Annotated[Revision, ReadOnly()] | None = None
    created_date: Annotated[Timestamp, ReadOnly()] | None = None
    updated_date: Annotated[Timestamp, ReadOnly()] | None = None
    url: Url | None = None
    description: WebhookDescription | None = None
    format: WebhookFormat | None = None
    event_types: EventTypes | None = None
    namespaces: Namespaces | None = None
    delivery_log: DeliveryLog | None = None
    active: bool | None = None
    status: Annotated[WebhookStatus, ReadOnly()] | None = None
    pause_reason: Annotated[str, ReadOnly()] | None = None


class NewWebhookEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint to create."""

    entity: ClassVar[type[msgspec.Struct]] = WebhookEndpoint

    url: Url
    description: WebhookDescription | None = None
    format: WebhookFormat | None = None
    event_types: EventTypes | None = None
    namespaces: Namespaces | None = None
    delivery_log: DeliveryLog | None = None
    active: bool | None = None
    secret: Secret | None = None


class WebhookEndpointChange(msgspec.Struct, frozen=True, kw_only=True):
    """What to change of an endpoint."""

    entity: ClassVar[type[msgspec.Struct]] = WebhookEndpoint

    id: EntityId
    revision: Revision
    url: Url | None = None
    description: WebhookDescription | None = None
    format: WebhookFormat | None = None
    event_types: EventTypes | None = None
    namespaces: Namespaces | None = None
    delivery_log: DeliveryLog | None = None
    active: bool | None = None


class CreateWebhookEndpointRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Have events told to a URL, those that happen from now on."""

    webhook_endpoint: NewWebhookEndpoint


class CreateWebhookEndpointResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The endpoint, and the secret that signs what it gets. The secret is shown only here."""

    webhook_endpoint: WebhookEndpoint | None = None
    secret: str | None = None


class UpdateWebhookEndpointRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Change an endpoint. `active` switches it on or off, and on again if it was paused."""

    webhook_endpoint: WebhookEndpointChange
    field_mask: FieldMask | None = None


class UpdateWebhookEndpointResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The endpoint as it is now."""

    webhook_endpoint: WebhookEndpoint | None = None


class DeleteWebhookEndpointRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Tell an endpoint nothing more."""

    webhook_endpoint_id: EntityId


class DeleteWebhookEndpointResponse(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing: it is deleted."""


class GetWebhookEndpointRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read an endpoint."""

    webhook_endpoint_id: EntityId


class WebhookProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an endpoint has come."""

    delivered_date: Timestamp | None = None
    pending_count: Number | None = None
    cursor: str | None = None
    has_more: bool | None = None


class GetWebhookEndpointResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The endpoint, and how far it has come."""

    webhook_endpoint: WebhookEndpoint | None = None
    progress: WebhookProgress | None = None


class QueryWebhookEndpointsRequest(QueryRequest, frozen=True, kw_only=True):
    """Find endpoints."""


class QueryWebhookEndpointsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of endpoints."""

    webhook_endpoints: tuple[WebhookEndpoint, ...] | None = None
    metadata: CursorPagingMetadata | None = None


class RotateWebhookSecretRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Sign with a new secret. The one before signs too for some hours, so no event is refused."""

    webhook_endpoint_id: EntityId
    secret: Secret | None = None
    keep_old_hours: Annotated[int, Int32(minimum=0, maximum=KEEP_OLD_HOURS_MAX)] | None = None


class RotateWebhookSecretResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The new secret, which is shown only here."""

    secret: str | None = None


class TestWebhookEndpointRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Send a test event now, once, whether or not the endpoint is active."""

    webhook_endpoint_id: EntityId


class WebhookAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to deliver an event, and what came of it."""

    attempt_date: Timestamp | None = None
    duration: Number | None = None
    status_code: Number | None = None
    error: str | None = None
    answer: str | None = None


class TestWebhookEndpointResponse(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the receiver has taken it, and what it answered."""

    success: bool | None = None
    attempt: WebhookAttempt | None = None


class ReplayWebhookEndpointRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Deliver again what has happened since an instant: everything, or one entity's events.

    Everything comes in its order, and what is new comes after it. Of one entity at most 1,000
    events are delivered again, beside what is new.
    """

    webhook_endpoint_id: EntityId
    since: Timestamp
    entity_id: EntityId | None = None


class ReplayWebhookEndpointResponse(msgspec.Struct, frozen=True, kw_only=True):
    """How many deliveries of one entity wait; nothing for a replay of everything."""

    count: Number | None = None


class WebhookDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """The delivery of one event to one endpoint."""

    id: EntityId | None = None
    created_date: Timestamp | None = None
    updated_date: Timestamp | None = None
    webhook_endpoint_id: EntityId | None = None
    event_id: EntityId | None = None
    event_type: str | None = None
    entity_id: EntityId | None = None
    origin: DeliveryOrigin | None = None
    status: DeliveryStatus | None = None
    next_attempt_date: Timestamp | None = None
    attempt_count: Number | None = None
    attempts: tuple[WebhookAttempt, ...] | None = None


class QueryWebhookDeliveriesRequest(QueryRequest, frozen=True, kw_only=True):
    """Find deliveries in the log."""


class QueryWebhookDeliveriesResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of deliveries."""

    webhook_deliveries: tuple[WebhookDelivery, ...] | None = None
    metadata: CursorPagingMetadata | None = None


class ResendWebhookDeliveryRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Deliver an event again, beside what is new."""

    webhook_delivery_id: EntityId


class ResendWebhookDeliveryResponse(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing: the delivery waits."""


class WebhookKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key pair for JWTs. The newest signs."""

    id: EntityId | None = None
    created_date: Timestamp | None = None
    public_key: str | None = None


class ListWebhookKeysRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read the public keys with which receivers verify JWTs, the newest first."""


class ListWebhookKeysResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The public keys. The first use of the format makes one."""

    webhook_keys: tuple[WebhookKey, ...] | None = None


class RotateWebhookKeyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Sign JWTs with a new key from now on."""


class RotateWebhookKeyResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The new key, which receivers must know."""

    webhook_key: WebhookKey | None = None
