"""Webhooks: who is told of events, and what became of telling them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import uuid4

from msgspec.structs import replace

from benefit_programs.api.call import Call
from benefit_programs.api.method import DELETE, GET, MANAGE, PATCH, POST, method
from benefit_programs.delivery.messages import events_for, new_delivery, test_message
from benefit_programs.delivery.sending import Site, purpose_of
from benefit_programs.delivery.signing_secrets import make_signing_secret, signing_secret_problem
from benefit_programs.domain.errors import (
    FieldViolation,
    Invalid,
    InvalidRevision,
    SecretKeyMissing,
    TooManyToReplay,
    TooManyWebhookEndpoints,
    ViolatedRule,
    WebhookDeliveryNotFound,
    WebhookEndpointNotFound,
)
from benefit_programs.domain.lookups import (
    BEFORE_ALL_IDS,
    PENDING_DELIVERIES,
    WALK_WEBHOOK_KEYS,
    WEBHOOK_DELIVERY,
    WEBHOOK_ENDPOINT,
    WEBHOOK_PROGRESS,
    WEBHOOK_SECRETS,
)
from benefit_programs.domain.webhooks.deliveries import Receiver
from benefit_programs.domain.webhooks.endpoints import (
    AddDeliveries,
    AddWebhookKey,
    CreateEndpoint,
    DeleteEndpoint,
    RewindEndpoint,
    RotateSecret,
    UpdateEndpoint,
)
from benefit_programs.domain.webhooks.rows import (
    DeliveryLog,
    DeliveryOrigin,
    DeliveryStatus,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookFormat,
    WebhookKey,
)
from benefit_programs.encryption import NoSecretKey
from benefit_programs.outgoing.urls import url_problem
from benefit_programs.storage import specs
from benefit_programs.wire import webhook_views as views
from benefit_programs.wire.events import EVENT_TYPES
from benefit_programs.wire.types import webhooks as wire

REPLAY_OF_ENTITY_MAX = 1_000
"""How many stored events of one entity are delivered again at once."""

UNKNOWN_EVENT_TYPE = "is no event: they are named as wix.benefit_programs.v1.pool_benefit_redeemed"


@method(
    "createWebhookEndpoint",
    POST,
    "/benefit-programs/v1/webhook-endpoints",
    MANAGE,
    "BENEFIT_PROGRAMS.WEBHOOK_MANAGE",
    refuses=(TooManyWebhookEndpoints, SecretKeyMissing),
    for_administrators=True,
    is_addition=True,
)
async def create(
    call: Call, request: wire.CreateWebhookEndpointRequest
) -> wire.CreateWebhookEndpointResponse:
    new = request.webhook_endpoint
    require_valid("webhookEndpoint", url=new.url, event_types=new.event_types, secret=new.secret)
    secret = new.secret or make_signing_secret()
    chosen = new.format or WebhookFormat.STANDARD
    if chosen is WebhookFormat.JWT:
        await _add_key(call, only_first=True)
    endpoint = await call.execute(
        CreateEndpoint(
            url=new.url,
            format=chosen,
            position=await call.services.reader.feed.settled(call.tenant_id),
            sealed_secret=_sealed(call, secret),
            description=new.description,
            event_types=new.event_types or (),
            namespaces=new.namespaces or (),
            delivery_log=new.delivery_log or DeliveryLog.ALL,
            active=new.active is not False,
        )
    )
    return wire.CreateWebhookEndpointResponse(
        webhook_endpoint=views.endpoint(endpoint), secret=secret
    )


@method(
    "updateWebhookEndpoint",
    PATCH,
    "/benefit-programs/v1/webhook-endpoints/{webhookEndpoint.id}",
    MANAGE,
    "BENEFIT_PROGRAMS.WEBHOOK_MANAGE",
    refuses=(WebhookEndpointNotFound, InvalidRevision, SecretKeyMissing),
    for_administrators=True,
    is_addition=True,
)
async def update(
    call: Call, request: wire.UpdateWebhookEndpointRequest
) -> wire.UpdateWebhookEndpointResponse:
    change = request.webhook_endpoint
    require_valid("webhookEndpoint", url=change.url, event_types=change.event_types)
    updates = {
        name: _DEFAULTS.get(name) if value is None else value
        for name, value in call.updates("webhook_endpoint").items()
    }
    if "url" in updates and updates["url"] is None:
        raise Invalid.because("webhookEndpoint.url", "is required", ViolatedRule.REQUIRED_FIELD)
    if updates.get("format") is WebhookFormat.JWT:
        await _add_key(call, only_first=True)
    command = UpdateEndpoint(id=change.id, revision=change.revision, updates=updates)
    row = await call.execute(command)
    return wire.UpdateWebhookEndpointResponse(webhook_endpoint=views.endpoint(row))


_DEFAULTS = {
    "format": WebhookFormat.STANDARD,
    "event_types": (),
    "namespaces": (),
    "delivery_log": DeliveryLog.ALL,
    "active": True,
}
"""What a field of an endpoint is if an update clears it."""


@method(
    "deleteWebhookEndpoint",
    DELETE,
    "/benefit-programs/v1/webhook-endpoints/{webhookEndpointId}",
    MANAGE,
    "BENEFIT_PROGRAMS.WEBHOOK_MANAGE",
    refuses=(WebhookEndpointNotFound,),
    for_administrators=True,
    is_addition=True,
)
async def delete(
    call: Call, request: wire.DeleteWebhookEndpointRequest
) -> wire.DeleteWebhookEndpointResponse:
    await call.execute(DeleteEndpoint(id=request.webhook_endpoint_id))
    return wire.DeleteWebhookEndpointResponse()


@method(
    "getWebhookEndpoint",
    GET,
    "/benefit-programs/v1/webhook-endpoints/{webhookEndpointId}",
    MANAGE,
    "BENEFIT_PROGRAMS.WEBHOOK_READ",
    refuses=(WebhookEndpointNotFound,),
    for_administrators=True,
    is_addition=True,
)
async def get(
    call: Call, request: wire.GetWebhookEndpointRequest
) -> wire.GetWebhookEndpointResponse:
    endpoint = await _endpoint(call, request.webhook_endpoint_id)
    progress = await call.one(WEBHOOK_PROGRESS, endpoint.id)
    pending = await call.many(PENDING_DELIVERIES, [(endpoint.id,)])
    position = progress.position if progress else 0
    return wire.GetWebhookEndpointResponse(
        webhook_endpoint=views.endpoint(endpoint),
        progress=wire.WebhookProgress(
            delivered_date=progress.delivered if progress else None,
            pending_count=len(pending),
            cursor=str(position),
            has_more=await call.services.reader.feed.settled(call.tenant_id) > position,
        ),
    )


@method(
    "queryWebhookEndpoints",
    POST,
    "/benefit-programs/v1/webhook-endpoints/query",
    MANAGE,
    "BENEFIT_PROGRAMS.WEBHOOK_READ",
    spec=specs.webhook_endpoints,
    for_administrators=True,
    is_addition=True,
)
async def query(
    call: Call, request: wire.QueryWebhookEndpointsRequest
) -> wire.QueryWebhookEndpointsResponse:
    rows, metadata = await call.page(WebhookEndpoint, request.query)
    return wire.QueryWebhookEndpointsResponse(
        webhook_endpoints=tuple(map(views.endpoint, rows)), metadata=metadata
    )


@method(
    "rotateWebhookSecret",
    POST,
    "/benefit-programs/v1/webhook-endpoints/{webhookEndpointId}/rotate-secret",
    MANAGE,
    "BENEFIT_PROGRAMS.WEBHOOK_MANAGE",
    refuses=(WebhookEndpointNotFound, SecretKeyMissing),
    for_administrators=True,
    is_addition=True,
)
async def rotate_secret(
    call: Call, request: wire.RotateWebhookSecretRequest
) -> wire.RotateWebhookSecretResponse:
    require_valid("", secret=request.secret)
    secret, hours = request.secret or make_signing_secret(), request.keep_old_hours
    await call.execute(
        RotateSecret(
            endpoint_id=request.webhook_endpoint_id,
            sealed=_sealed(call, secret),
            hours=wire.KEEP_OLD_HOURS_DEFAULT if hours is None else hours,
        )
    )
    return wire.RotateWebhookSecretResponse(secret=secret)


@method(
    "testWebhookEndpoint",
    POST,
    "/benefit-programs/v1/webhook-endpoints/{webhookEndpointId}/test",
    MANAGE,
    "BENEFIT_PROGRAMS.WEBHOOK_MANAGE",
    refuses=(WebhookEndpointNotFound,),
    for_administrators=True,
    is_addition=True,
)
async def test(
    call: Call, request: wire.TestWebhookEndpointRequest
) -> wire.TestWebhookEndpointResponse:
    endpoint = await _endpoint(call, request.webhook_endpoint_id)
    keys = await call.many(WALK_WEBHOOK_KEYS, [(BEFORE_ALL_IDS,)])
    now = call.services.engine.now()
    secrets = await call.many(WEBHOOK_SECRETS, [(endpoint.id,)])
    receiver = Receiver(endpoint=endpoint, secrets=tuple(secrets), key=keys[-1] if keys else None)
    sent = await call.services.sender.send(
        _site(call), receiver, test_message(endpoint, str(uuid4()), now)
    )
    return wire.TestWebhookEndpointResponse(
        success=sent.attempt.is_success, attempt=views.attempt(sent.attempt)
    )


@method(
    "replayWebhookEndpoint",
    POST,
    "/benefit-programs/v1/webhook-endpoints/{webhookEndpointId}/replay",
    MANAGE,
    "BENEFIT_PROGRAMS.WEBHOOK_MANAGE",
    refuses=(WebhookEndpointNotFound, TooManyToReplay),
    for_administrators=True,
    is_addition=True,
)
async def replay(
    call: Call, request: wire.ReplayWebhookEndpointRequest
) -> wire.ReplayWebhookEndpointResponse:
    endpoint = await _endpoint(call, request.webhook_endpoint_id)
    feed = call.services.reader.feed
    position = await feed.position_before(call.tenant_id, request.since)
    if request.entity_id is None:
        await call.execute(RewindEndpoint(endpoint_id=endpoint.id, position=position))
        return wire.ReplayWebhookEndpointResponse(count=0)
    rows = await feed.of_entity(
        call.tenant_id, request.entity_id, position, limit=REPLAY_OF_ENTITY_MAX + 1
    )
    if len(rows) > REPLAY_OF_ENTITY_MAX:
        raise TooManyToReplay(maximum=REPLAY_OF_ENTITY_MAX)
    found = await events_for(endpoint, call.services.reader, call.tenant_id, rows)
    again = tuple(
        new_delivery(
            endpoint.id, event, at, id_=BEFORE_ALL_IDS, now=0, origin=DeliveryOrigin.REPLAY
        )
        for at, event in found
    )
    await call.execute(AddDeliveries(endpoint_id=endpoint.id, deliveries=again))
    return wire.ReplayWebhookEndpointResponse(count=len(again))


@method(
    "queryWebhookDeliveries",
    POST,
    "/benefit-programs/v1/webhook-deliveries/query",
    MANAGE,
    "BENEFIT_PROGRAMS.WEBHOOK_READ",
    spec=specs.webhook_deliveries,
    for_administrators=True,
    is_addition=True,
)
async def query_deliveries(
    call: Call, request: wire.QueryWebhookDeliveriesRequest
) -> wire.QueryWebhookDeliveriesResponse:
    rows, metadata = await call.page(WebhookDelivery, request.query)
    return wire.QueryWebhookDeliveriesResponse(
        webhook_deliveries=tuple(map(views.delivery, rows)), metadata=metadata
    )


@method(
    "resendWebhookDelivery",
    POST,
    "/benefit-programs/v1/webhook-deliveries/{webhookDeliveryId}/resend",
    MANAGE,
    "BENEFIT_PROGRAMS.WEBHOOK_MANAGE",
    refuses=(WebhookDeliveryNotFound, WebhookEndpointNotFound),
    for_administrators=True,
    is_addition=True,
)
async def resend(
    call: Call, request: wire.ResendWebhookDeliveryRequest
) -> wire.ResendWebhookDeliveryResponse:
    missing = WebhookDeliveryNotFound(webhook_delivery_id=request.webhook_delivery_id)
    row = await call.get(WEBHOOK_DELIVERY, request.webhook_delivery_id, missing=missing)
    again = replace(
        row,
        origin=DeliveryOrigin.RESEND,
        status=DeliveryStatus.PENDING,
        due=0,
        first_attempt=None,
        attempts=0,
        tries=(),
    )
    await call.execute(AddDeliveries(endpoint_id=row.endpoint_id, deliveries=(again,)))
    return wire.ResendWebhookDeliveryResponse()


@method(
    "listWebhookKeys",
    GET,
    "/benefit-programs/v1/webhook-keys",
    MANAGE,
    "BENEFIT_PROGRAMS.WEBHOOK_READ",
    is_addition=True,
)
async def list_keys(call: Call, _: wire.ListWebhookKeysRequest) -> wire.ListWebhookKeysResponse:
    keys = await call.many(WALK_WEBHOOK_KEYS, [(BEFORE_ALL_IDS,)])
    newest_first = sorted(keys, key=lambda each: each.id, reverse=True)
    return wire.ListWebhookKeysResponse(webhook_keys=tuple(map(views.key, newest_first)))


@method(
    "rotateWebhookKey",
    POST,
    "/benefit-programs/v1/webhook-keys/rotate",
    MANAGE,
    "BENEFIT_PROGRAMS.WEBHOOK_MANAGE",
    refuses=(SecretKeyMissing,),
    for_administrators=True,
    is_addition=True,
)
async def rotate_key(call: Call, _: wire.RotateWebhookKeyRequest) -> wire.RotateWebhookKeyResponse:
    key = await _add_key(call)
    assert key is not None, "a rotation always makes a key"
    return wire.RotateWebhookKeyResponse(webhook_key=views.key(key))


async def _endpoint(call: Call, endpoint_id: str) -> WebhookEndpoint:
    missing = WebhookEndpointNotFound(webhook_endpoint_id=endpoint_id)
    return await call.get(WEBHOOK_ENDPOINT, endpoint_id, missing=missing)


def _site(call: Call) -> Site:
    return Site(call.tenant_id, call.principal.site_id)


def _sealed(call: Call, secret: str) -> str:
    try:
        return call.services.secret_keys.encrypt(secret, of=purpose_of(call.tenant_id))
    except NoSecretKey:
        raise SecretKeyMissing from None


async def _add_key(call: Call, *, only_first: bool = False) -> WebhookKey | None:
    if only_first and await call.many(WALK_WEBHOOK_KEYS, [(BEFORE_ALL_IDS,)]):
        return None
    from benefit_programs.delivery.keys import SigningKey  # noqa: PLC0415 - few ever make a key

    key = await asyncio.to_thread(SigningKey.make)
    return await call.execute(
        AddWebhookKey(
            public_key=key.public_pem, sealed=_sealed(call, key.private_pem), only_first=only_first
        )
    )


def require_valid(
    path: str,
    *,
    url: str | None = None,
    event_types: Sequence[str] | None = None,
    secret: str | None = None,
) -> None:
    """Raise Invalid for what only this service knows to be wrong."""
    before = f"{path}." if path else ""
    found: list[FieldViolation] = []
    if url is not None and (problem := url_problem(url)):
        found.append(FieldViolation(f"{before}url", problem))
    for index, each in enumerate(event_types or ()):
        if each not in EVENT_TYPES:
            found.append(FieldViolation(f"{before}eventTypes[{index}]", UNKNOWN_EVENT_TYPE))
    if secret is not None and (problem := signing_secret_problem(secret)):
        found.append(FieldViolation(f"{before}secret", problem))
    if found:
        raise Invalid(tuple(found))
