"""Webhooks: endpoints that are told of events, and what became of telling them."""

from __future__ import annotations

from datetime import datetime

from benefit_programs.client.generated.enums import (
    DeliveryLog,
    DeliveryOrigin,
    DeliveryStatus,
    WebhookFormat,
    WebhookStatus,
)
from benefit_programs.client.types.base import Part


class WebhookEndpoint(Part, frozen=True, kw_only=True):
    """A receiver of events. No event types or no namespaces mean all of them."""

    id: str
    revision: int
    created_date: datetime
    updated_date: datetime
    url: str
    format: WebhookFormat
    status: WebhookStatus
    description: str | None = None
    event_types: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    delivery_log: DeliveryLog | None = None
    active: bool = False
    pause_reason: str | None = None


class CreatedWebhookEndpoint(Part, frozen=True, kw_only=True):
    """A new endpoint, and the secret that signs what it gets. The secret is never shown again."""

    webhook_endpoint: WebhookEndpoint
    secret: str


class WebhookProgress(Part, frozen=True, kw_only=True):
    """How far an endpoint has come."""

    delivered_date: datetime | None = None
    pending_count: int = 0
    cursor: str = ""
    has_more: bool = False


class WebhookAttempt(Part, frozen=True, kw_only=True):
    """One attempt to deliver an event. ``duration`` is in milliseconds."""

    attempt_date: datetime
    duration: int = 0
    status_code: int | None = None
    error: str | None = None
    answer: str | None = None


class WebhookTest(Part, frozen=True, kw_only=True):
    """Whether the receiver has taken a test event, and what it answered."""

    attempt: WebhookAttempt
    success: bool = False


class WebhookDelivery(Part, frozen=True, kw_only=True):
    """The delivery of one event to one endpoint, with its last attempts."""

    id: str
    created_date: datetime
    updated_date: datetime
    webhook_endpoint_id: str
    event_id: str
    event_type: str
    entity_id: str
    origin: DeliveryOrigin
    status: DeliveryStatus
    next_attempt_date: datetime | None = None
    attempt_count: int = 0
    attempts: tuple[WebhookAttempt, ...] = ()


class WebhookKey(Part, frozen=True, kw_only=True):
    """The public key with which receivers verify JWTs, as PEM."""

    id: str
    created_date: datetime
    public_key: str
