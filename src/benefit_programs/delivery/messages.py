"""From stored events to what an endpoint gets of them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from benefit_programs.delivery.sending import Message
from benefit_programs.domain.values import Instant
from benefit_programs.domain.webhooks.rows import (
    DeliveryOrigin,
    DeliveryStatus,
    WebhookDelivery,
    WebhookEndpoint,
)
from benefit_programs.storage.feed import FeedRow
from benefit_programs.storage.reader import Reader
from benefit_programs.tracing import read_position
from benefit_programs.wire.codec import encoder_for
from benefit_programs.wire.events import FQDN_PREFIX, Delivery, deliveries, parts_of
from benefit_programs.wire.types.events import DomainEvent, EntityActed

_show = encoder_for(DomainEvent)
_encode = msgspec.json.Encoder().encode


async def events_for(
    endpoint: WebhookEndpoint, reader: Reader, tenant_id: int, rows: Sequence[FeedRow]
) -> list[tuple[int, Delivery]]:
    """The events of some rows that an endpoint gets, in their order, each with its position."""
    types, namespaces = endpoint.event_types, endpoint.namespaces
    positions = {row.event.id: row.position for row in rows}
    parts = [
        part for row in rows for part in parts_of(row.event) if not types or part.type in types
    ]
    return [
        (positions[each.part.row.id], each)
        for each in await deliveries(reader, tenant_id, parts)
        if not namespaces or each.namespace in namespaces
    ]


def new_delivery(
    endpoint_id: str,
    event: Delivery,
    position: int,
    *,
    id_: str,
    now: Instant,
    origin: DeliveryOrigin,
) -> WebhookDelivery:
    """The delivery of an event, which waits."""
    part = event.part
    return WebhookDelivery(
        id=id_,
        created=now,
        updated=now,
        endpoint_id=endpoint_id,
        event_id=event.event.id or "",
        event_type=part.type,
        entity_id=part.row.entity_id,
        position=position,
        part=part.ordinal,
        origin=origin,
        status=DeliveryStatus.PENDING,
    )


def message_of(event: Delivery) -> Message:
    """An event as it is sent."""
    return Message(
        event_id=event.event.id or "",
        event_type=event.part.type,
        body=_encode(_show(event.event)),
        happened=event.part.row.created,
        position=read_position(event.event.traceparent, event.event.tracestate),
    )


def test_message(endpoint: WebhookEndpoint, event_id: str, now: Instant) -> Message:
    """An event that tells of nothing, for a receiver to be tried with."""
    entity = f"{FQDN_PREFIX}webhook_endpoint"
    event = DomainEvent(
        id=event_id,
        entity_fqdn=entity,
        slug="tested",
        entity_id=endpoint.id,
        event_time=now,
        action_event=EntityActed(body={"webhookEndpointId": endpoint.id}),
    )
    return Message(
        event_id=event_id, event_type=f"{entity}_tested", body=_encode(_show(event)), happened=now
    )
