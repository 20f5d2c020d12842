"""What is stored of webhooks, as the wire shows it."""

from __future__ import annotations

from benefit_programs.domain.webhooks.rows import (
    DeliveryAttempt,
    DeliveryStatus,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookKey,
    WebhookStatus,
)
from benefit_programs.wire.types import webhooks as wire


def endpoint(row: WebhookEndpoint) -> wire.WebhookEndpoint:
    return wire.WebhookEndpoint(
        id=row.id,
        revision=row.revision,
        created_date=row.created,
        updated_date=row.updated,
        url=row.url,
        description=row.description,
        format=row.format,
        event_types=row.event_types,
        namespaces=row.namespaces,
        delivery_log=row.delivery_log,
        active=row.status is WebhookStatus.ACTIVE,
        status=row.status,
        pause_reason=row.pause_reason,
    )


def attempt(tried: DeliveryAttempt) -> wire.WebhookAttempt:
    return wire.WebhookAttempt(
        attempt_date=tried.at,
        duration=tried.milliseconds,
        status_code=tried.status,
        error=tried.error,
        answer=tried.answer,
    )


def delivery(row: WebhookDelivery) -> wire.WebhookDelivery:
    is_pending = row.status is DeliveryStatus.PENDING
    return wire.WebhookDelivery(
        id=row.id,
        created_date=row.created,
        updated_date=row.updated,
        webhook_endpoint_id=row.endpoint_id,
        event_id=row.event_id,
        event_type=row.event_type,
        entity_id=row.entity_id,
        origin=row.origin,
        status=row.status,
        next_attempt_date=(row.due or row.created) if is_pending else None,
        attempt_count=row.attempts,
        attempts=tuple(map(attempt, row.tries)),
    )


def key(row: WebhookKey) -> wire.WebhookKey:
    return wire.WebhookKey(id=row.id, created_date=row.created, public_key=row.public_key)
