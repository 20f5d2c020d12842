"""Webhooks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from benefit_programs.client.asynchronous.queries import AsyncQuery, begin
from benefit_programs.client.asynchronous.session import AsyncMethods
from benefit_programs.client.core.queries import Plan
from benefit_programs.client.core.wire import (
    changes,
    document,
    mask,
    reads,
    reads_field,
    reads_list,
    reads_nothing,
    reads_rows,
)
from benefit_programs.client.generated.enums import DeliveryLog, WebhookFormat
from benefit_programs.client.generated.filters import (
    WebhookDeliveryFilter,
    WebhookDeliverySort,
    WebhookEndpointFilter,
    WebhookEndpointSort,
)
from benefit_programs.client.types.common import UNSET, Unset
from benefit_programs.client.types.webhooks import (
    CreatedWebhookEndpoint,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookKey,
    WebhookProgress,
    WebhookTest,
)

AsyncWebhookEndpointQuery: TypeAlias = AsyncQuery[
    WebhookEndpoint, WebhookEndpointFilter, WebhookEndpointSort
]
AsyncWebhookDeliveryQuery: TypeAlias = AsyncQuery[
    WebhookDelivery, WebhookDeliveryFilter, WebhookDeliverySort
]

_CREATED = reads(CreatedWebhookEndpoint)
_ENTITY = reads_field("webhookEndpoint", WebhookEndpoint)
_PROGRESS = reads_field("progress", WebhookProgress)
_ROWS = reads_rows("webhookEndpoints", WebhookEndpoint)
_SECRET = reads_field("secret", str)
_TEST = reads(WebhookTest)
_COUNT = reads_field("count", int)
_DELIVERIES = reads_rows("webhookDeliveries", WebhookDelivery)
_KEYS = reads_list("webhookKeys", WebhookKey)
_KEY = reads_field("webhookKey", WebhookKey)


class AsyncWebhooks(AsyncMethods):
    """Endpoints that are told of events, and what became of it. Needs an administrator's key."""

    async def create(
        self,
        url: str,
        *,
        description: str | None = None,
        format: WebhookFormat | None = None,  # noqa: A002 - the contract's own word
        event_types: Sequence[str] = (),
        namespaces: Sequence[str] = (),
        delivery_log: DeliveryLog | None = None,
        active: bool | None = None,
        secret: str | None = None,
    ) -> CreatedWebhookEndpoint:
        """Have events told to a URL, those that happen from now on.

        The secret that signs them is shown only here.

        Raises:
            TooManyWebhookEndpoints: There are as many as there can be.
            SecretKeyMissing: The service has no key to encrypt secrets with.
        """
        new = document(
            url=url,
            description=description,
            format=format,
            event_types=event_types or None,
            namespaces=namespaces or None,
            delivery_log=delivery_log,
            active=active,
            secret=secret,
        )
        return await self._session.call("createWebhookEndpoint", _CREATED, {"webhookEndpoint": new})

    async def update(  # noqa: PLR0913 - a field each
        self,
        webhook_endpoint_id: str,
        *,
        revision: int,
        url: str | Unset = UNSET,
        description: str | Unset | None = UNSET,
        format: WebhookFormat | Unset | None = UNSET,  # noqa: A002 - the contract's own word
        event_types: Sequence[str] | Unset | None = UNSET,
        namespaces: Sequence[str] | Unset | None = UNSET,
        delivery_log: DeliveryLog | Unset | None = UNSET,
        active: bool | Unset = UNSET,
        field_mask: Collection[
            Literal[
                "url",
                "description",
                "format",
                "event_types",
                "namespaces",
                "delivery_log",
                "active",
            ]
        ]
        | None = None,
    ) -> WebhookEndpoint:
        """Change what is given; None is the default. ``active`` lets a paused one go on, too.

        Raises:
            WebhookEndpointNotFound: There is no such endpoint.
            InvalidRevision: It was changed since this revision was read.
            SecretKeyMissing: The service has no key to encrypt secrets with.
        """
        changed = changes(
            id=webhook_endpoint_id,
            revision=revision,
            url=url,
            description=description,
            format=format,
            event_types=event_types,
            namespaces=namespaces,
            delivery_log=delivery_log,
            active=active,
        )
        fields = document(webhook_endpoint=changed, field_mask=mask(field_mask))
        return await self._session.call("updateWebhookEndpoint", _ENTITY, fields)

    async def delete(self, webhook_endpoint_id: str) -> None:
        """Tell an endpoint nothing more.

        Raises:
            WebhookEndpointNotFound: There is no such endpoint.
        """
        fields = document(webhook_endpoint_id=webhook_endpoint_id)
        await self._session.call("deleteWebhookEndpoint", reads_nothing, fields)

    async def get(self, webhook_endpoint_id: str) -> WebhookEndpoint:
        """Read an endpoint.

        Raises:
            WebhookEndpointNotFound: There is no such endpoint.
        """
        fields = document(webhook_endpoint_id=webhook_endpoint_id)
        return await self._session.call("getWebhookEndpoint", _ENTITY, fields)

    async def progress(self, webhook_endpoint_id: str) -> WebhookProgress:
        """Read how far an endpoint has come.

        Raises:
            WebhookEndpointNotFound: There is no such endpoint.
        """
        fields = document(webhook_endpoint_id=webhook_endpoint_id)
        return await self._session.call("getWebhookEndpoint", _PROGRESS, fields)

    def query(
        self,
        filter: WebhookEndpointFilter | None = None,  # noqa: A002 - the contract's own word
        *,
        sort: Sequence[WebhookEndpointSort] = (),
    ) -> AsyncWebhookEndpointQuery:
        """Find endpoints."""
        return begin(self._session, Plan(name="queryWebhookEndpoints", read=_ROWS), filter, sort)

    async def rotate_secret(
        self,
        webhook_endpoint_id: str,
        *,
        secret: str | None = None,
        keep_old_hours: int | None = None,
    ) -> str:
        """Sign with a new secret, which is shown only here.

        The one before signs too for ``keep_old_hours``, 24 unless given, 0 for not at all.

        Raises:
            WebhookEndpointNotFound: There is no such endpoint.
            SecretKeyMissing: The service has no key to encrypt secrets with.
        """
        fields = document(
            webhook_endpoint_id=webhook_endpoint_id, secret=secret, keep_old_hours=keep_old_hours
        )
        return await self._session.call("rotateWebhookSecret", _SECRET, fields)

    async def test(self, webhook_endpoint_id: str) -> WebhookTest:
        """Send a test event now, once, and wait for what the receiver answers.

        Raises:
            WebhookEndpointNotFound: There is no such endpoint.
        """
        fields = document(webhook_endpoint_id=webhook_endpoint_id)
        return await self._session.call("testWebhookEndpoint", _TEST, fields)

    async def replay(
        self, webhook_endpoint_id: str, *, since: datetime, entity_id: str | None = None
    ) -> int:
        """Deliver again what has happened since an instant: everything, or one entity's events.

        The answer is how many events of the entity wait; 0 for a replay of everything.

        Raises:
            WebhookEndpointNotFound: There is no such endpoint.
            TooManyToReplay: The entity has more events than are replayed at once.
        """
        fields = document(webhook_endpoint_id=webhook_endpoint_id, since=since, entity_id=entity_id)
        return await self._session.call("replayWebhookEndpoint", _COUNT, fields)

    def query_deliveries(
        self,
        filter: WebhookDeliveryFilter | None = None,  # noqa: A002 - the contract's own word
        *,
        sort: Sequence[WebhookDeliverySort] = (),
    ) -> AsyncWebhookDeliveryQuery:
        """Find deliveries in the log."""
        plan = Plan(name="queryWebhookDeliveries", read=_DELIVERIES)
        return begin(self._session, plan, filter, sort)

    async def resend(self, webhook_delivery_id: str) -> None:
        """Deliver an event again, beside what is new.

        Raises:
            WebhookDeliveryNotFound: The log has no such delivery.
            WebhookEndpointNotFound: Its endpoint is gone.
        """
        fields = document(webhook_delivery_id=webhook_delivery_id)
        await self._session.call("resendWebhookDelivery", reads_nothing, fields)

    async def keys(self) -> tuple[WebhookKey, ...]:
        """Read the public keys with which receivers verify JWTs, the newest first."""
        return await self._session.call("listWebhookKeys", _KEYS, {})

    async def rotate_key(self) -> WebhookKey:
        """Sign JWTs with a new key from now on; receivers must know it.

        Raises:
            SecretKeyMissing: The service has no key to encrypt keys with.
        """
        return await self._session.call("rotateWebhookKey", _KEY, {})
