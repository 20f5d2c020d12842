"""What each field of webhooks holds."""

from __future__ import annotations

from typing import Any

from benefit_programs.domain import errors
from benefit_programs.wire.types import webhooks

_ENDPOINT = {
    "active": "Whether it gets events. Switch it on again after it was paused. Default: true.",
    "delivery_log": (
        "Whether the log keeps all deliveries, or only those that failed at first. Default: ALL."
    ),
    "description": "What it is for, for people.",
    "event_types": "The types of events that it gets. Empty: all.",
    "format": "JSON signed by Standard Webhooks, or a signed JWT. Default: STANDARD.",
    "namespaces": "The namespaces whose events it gets. Empty: all.",
    "url": "Where events are sent by POST: an absolute http or https URL.",
}

_SIGNING = (
    "The signing secret: `whsec_` and 24 to 64 bytes in base64. Left out of a request, a new one is"
    " made."
)

OF_WEBHOOKS: dict[type[Any], dict[str, str]] = {
    errors.TooManyToReplay: {"maximum": "How many stored events are delivered again at once."},
    errors.TooManyWebhookEndpoints: {"maximum": "How many endpoints a tenant may have."},
    errors.WebhookDeliveryNotFound: {"webhook_delivery_id": "The id of the delivery."},
    errors.WebhookEndpointNotFound: {"webhook_endpoint_id": "The id of the endpoint."},
    webhooks.WebhookEndpoint: {
        **_ENDPOINT,
        "pause_reason": "Why it was paused. Absent if it wasn't.",
        "status": "ACTIVE, INACTIVE if somebody switched it off, PAUSED if it only failed.",
    },
    webhooks.NewWebhookEndpoint: {**_ENDPOINT, "secret": _SIGNING},
    webhooks.WebhookEndpointChange: _ENDPOINT,
    webhooks.CreateWebhookEndpointRequest: {"webhook_endpoint": "The endpoint to create."},
    webhooks.CreateWebhookEndpointResponse: {
        "secret": "The secret that signs what it gets. It isn't shown again.",
        "webhook_endpoint": "The endpoint that was created.",
    },
    webhooks.UpdateWebhookEndpointRequest: {"webhook_endpoint": "What to change of the endpoint."},
    webhooks.UpdateWebhookEndpointResponse: {"webhook_endpoint": "The endpoint as it is now."},
    webhooks.DeleteWebhookEndpointRequest: {"webhook_endpoint_id": "The endpoint to delete."},
    webhooks.GetWebhookEndpointRequest: {"webhook_endpoint_id": "The endpoint to read."},
    webhooks.WebhookProgress: {
        "cursor": "Where it stands in the feed of events.",
        "delivered_date": "When a delivery last succeeded. Absent if none has.",
        "has_more": "Whether there are events behind its cursor.",
        "pending_count": "How many deliveries wait for another attempt.",
    },
    webhooks.GetWebhookEndpointResponse: {
        "progress": "How far it has come.",
        "webhook_endpoint": "The endpoint.",
    },
    webhooks.QueryWebhookEndpointsResponse: {"webhook_endpoints": "The endpoints of this page."},
    webhooks.RotateWebhookSecretRequest: {
        "keep_old_hours": "For how many hours the secret before signs too. Default: 24.",
        "secret": _SIGNING,
        "webhook_endpoint_id": "The endpoint whose secret is replaced.",
    },
    webhooks.RotateWebhookSecretResponse: {"secret": "The new secret. It isn't shown again."},
    webhooks.TestWebhookEndpointRequest: {"webhook_endpoint_id": "The endpoint to try."},
    webhooks.WebhookAttempt: {
        "answer": "The first kilobyte of the receiver's answer. Absent if there was none.",
        "attempt_date": "When it began.",
        "duration": "How many milliseconds it took.",
        "error": "Why there was no answer, or no whole one. Absent if there was.",
        "status_code": "The HTTP status of the answer. Absent if there was none.",
    },
    webhooks.TestWebhookEndpointResponse: {
        "attempt": "What came of it.",
        "success": "Whether the receiver has taken the event.",
    },
    webhooks.ReplayWebhookEndpointRequest: {
        "entity_id": "Whose events to deliver again. Left out: everything.",
        "since": "The instant from which on events are delivered again.",
        "webhook_endpoint_id": "The endpoint that gets them.",
    },
    webhooks.ReplayWebhookEndpointResponse: {
        "count": "How many events of the entity will be delivered again; 0 for everything.",
    },
    webhooks.WebhookDelivery: {
        "attempt_count": "How often it was tried.",
        "attempts": "The last 10 attempts, the oldest first.",
        "created_date": "When it was first to be delivered.",
        "entity_id": "The entity that the stored event tells of; a redemption's is its pool.",
        "event_id": "The id of the event.",
        "event_type": "Its type, such as `wix.benefit_programs.v1.program_provisioned`.",
        "id": "The id of the delivery.",
        "next_attempt_date": "When it will be tried. Absent once it is over.",
        "origin": "FEED if it happened, RESEND or REPLAY if somebody asked for it again.",
        "status": "PENDING, DELIVERED, or PARKED if it failed for 48 hours.",
        "webhook_endpoint_id": "The endpoint that it is for.",
    },
    webhooks.QueryWebhookDeliveriesResponse: {"webhook_deliveries": "The deliveries of this page."},
    webhooks.ResendWebhookDeliveryRequest: {"webhook_delivery_id": "The delivery to repeat."},
    webhooks.WebhookKey: {
        "created_date": "When it was made.",
        "id": "The id of the key.",
        "public_key": "The public key as PEM, with which receivers verify.",
    },
    webhooks.ListWebhookKeysResponse: {"webhook_keys": "The keys, the newest first."},
    webhooks.RotateWebhookKeyResponse: {"webhook_key": "The key that signs from now on."},
}
