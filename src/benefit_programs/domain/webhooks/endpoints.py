"""Endpoints: create, change, delete, and their secrets and keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import Agenda
from benefit_programs.domain.errors import (
    Invalid,
    TooManyWebhookEndpoints,
    ViolatedRule,
    WebhookEndpointNotFound,
)
from benefit_programs.domain.events import record_created, record_deleted, record_updated
from benefit_programs.domain.lookups import (
    AGENDA,
    BEFORE_ALL_IDS,
    PENDING_DELIVERIES,
    WALK_WEBHOOK_ENDPOINTS,
    WALK_WEBHOOK_KEYS,
    WEBHOOK_ENDPOINT,
    WEBHOOK_ENDPOINTS_MAX,
    WEBHOOK_KEYS_MAX,
    WEBHOOK_PROGRESS,
    WEBHOOK_SECRETS,
)
from benefit_programs.domain.required import require
from benefit_programs.domain.state import Changes, Mode, Needs, State
from benefit_programs.domain.updates import require_revision
from benefit_programs.domain.webhooks.rows import (
    DeliveryLog,
    DeliveryOrigin,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookFormat,
    WebhookKey,
    WebhookProgress,
    WebhookSecret,
    WebhookStatus,
)

HOUR = 60 * 60 * 1000


class CreateEndpoint(Command[WebhookEndpoint], frozen=True, kw_only=True):
    """Have events told to a URL, those after ``position``."""

    about = WebhookEndpoint

    url: str
    format: WebhookFormat
    position: int
    sealed_secret: str | None
    """None for a function of a process: nothing that it gets is signed."""
    description: str | None = None
    event_types: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    delivery_log: DeliveryLog = DeliveryLog.ALL
    active: bool = True

    def ask(self, needs: Needs, state: State) -> None:
        needs.read(WALK_WEBHOOK_ENDPOINTS, BEFORE_ALL_IDS)

    def decide(self, state: State, context: Context) -> Changes[WebhookEndpoint]:
        if len(state.many(WALK_WEBHOOK_ENDPOINTS, BEFORE_ALL_IDS)) >= WEBHOOK_ENDPOINTS_MAX:
            raise TooManyWebhookEndpoints(maximum=WEBHOOK_ENDPOINTS_MAX)
        endpoint = WebhookEndpoint(
            id=context.new_id(),
            revision=1,
            created=context.now,
            updated=context.now,
            url=self.url,
            format=self.format,
            status=WebhookStatus.ACTIVE if self.active else WebhookStatus.INACTIVE,
            description=self.description,
            event_types=self.event_types,
            namespaces=self.namespaces,
            delivery_log=self.delivery_log,
        )
        changes = Changes(endpoint)
        changes.answer = record_created(changes, context, endpoint)
        changes.save(WebhookProgress(endpoint_id=endpoint.id, position=self.position))
        if self.sealed_secret is not None:
            changes.save(_secret(endpoint.id, self.sealed_secret, context))
        return changes


FUNCTIONS = "functions"
"""The kind of agenda whose row lets processes register functions one after the other."""


class RegisterFunction(CreateEndpoint, frozen=True, kw_only=True):
    """Have events told to a function of this process: from where it was, if it had some before.

    One that was paused goes on; one that somebody has switched off stays so.
    """

    format: WebhookFormat = WebhookFormat.STANDARD
    sealed_secret: str | None = None

    def ask(self, needs: Needs, state: State) -> None:
        needs.lock(AGENDA, FUNCTIONS)
        if state.has(AGENDA, (FUNCTIONS,), Mode.LOCK):
            needs.lock(WALK_WEBHOOK_ENDPOINTS, BEFORE_ALL_IDS)

    def decide(self, state: State, context: Context) -> Changes[WebhookEndpoint]:
        endpoints = state.many(WALK_WEBHOOK_ENDPOINTS, BEFORE_ALL_IDS)
        current = next((each for each in endpoints if each.url == self.url), None)
        if current is None:
            changes = super().decide(state, context)
            if state.one(AGENDA, FUNCTIONS) is None:
                changes.save(Agenda(kind=FUNCTIONS, newest_order=0))
            return changes
        is_paused = current.status is WebhookStatus.PAUSED
        wanted = replace(
            current,
            event_types=self.event_types,
            namespaces=self.namespaces,
            status=WebhookStatus.ACTIVE if is_paused else current.status,
            pause_reason=None,
        )
        changes = Changes(current)
        if wanted != current:
            changes.answer = record_updated(changes, context, wanted)
        return changes


def _secret(endpoint_id: str, sealed: str, context: Context) -> WebhookSecret:
    return WebhookSecret(
        endpoint_id=endpoint_id, id=context.new_id(), created=context.now, sealed=sealed
    )


class UpdateEndpoint(Command[WebhookEndpoint], frozen=True, kw_only=True):
    """Change an endpoint. ``active`` among the updates switches it on or off.

    Whoever switches it on says that it is back: what waits for it is tried at once.
    """

    about = WebhookEndpoint

    id: str
    revision: int
    updates: Mapping[str, Any]

    def ask(self, needs: Needs, state: State) -> None:
        needs.lock(WEBHOOK_ENDPOINT, self.id)
        if self.updates.get("active"):
            needs.lock(PENDING_DELIVERIES, self.id)

    def decide(self, state: State, context: Context) -> Changes[WebhookEndpoint]:
        current = require(state, WEBHOOK_ENDPOINT, self.id)
        require_revision(current, self.revision)
        updates = dict(self.updates)
        active = updates.pop("active", None)
        if active is not None:
            updates["status"] = WebhookStatus.ACTIVE if active else WebhookStatus.INACTIVE
            updates["pause_reason"] = None
        wanted = replace(current, **updates)
        if wanted.url != current.url and current.is_in_process:
            said = "can't be changed: it stands for a function of a process"
            raise Invalid.because("webhookEndpoint.url", said, ViolatedRule.FIELD_NOT_ALLOWED)
        changes = Changes(current)
        changes.answer = record_updated(changes, context, wanted)
        if active:
            waiting = state.many(PENDING_DELIVERIES, self.id)
            changes.save(*(replace(each, due=0) for each in waiting if each.due))
        return changes


class DeleteEndpoint(Command[None], frozen=True, kw_only=True):
    """Tell an endpoint nothing more. What the log has of it goes with the next sweep."""

    about = WebhookEndpoint

    id: str

    def ask(self, needs: Needs, state: State) -> None:
        needs.lock(WEBHOOK_ENDPOINT, self.id)
        needs.lock(WEBHOOK_PROGRESS, self.id)
        needs.lock(WEBHOOK_SECRETS, self.id)

    def decide(self, state: State, context: Context) -> Changes[None]:
        endpoint = require(state, WEBHOOK_ENDPOINT, self.id)
        changes: Changes[None] = Changes(None)
        record_deleted(changes, context, endpoint)
        changes.delete(*state.many(WEBHOOK_PROGRESS, self.id))
        changes.delete(*state.many(WEBHOOK_SECRETS, self.id))
        return changes


class RotateSecret(Command[WebhookSecret], frozen=True, kw_only=True):
    """Give an endpoint a new secret. The one before signs too, for ``hours`` more."""

    about = WebhookSecret

    endpoint_id: str
    sealed: str
    hours: int

    def ask(self, needs: Needs, state: State) -> None:
        needs.lock(WEBHOOK_ENDPOINT, self.endpoint_id)
        needs.lock(WEBHOOK_SECRETS, self.endpoint_id)

    def decide(self, state: State, context: Context) -> Changes[WebhookSecret]:
        require(state, WEBHOOK_ENDPOINT, self.endpoint_id)
        newest_first = sorted(
            state.many(WEBHOOK_SECRETS, self.endpoint_id),
            key=lambda each: (each.expires is None, each.created, each.id),
            reverse=True,
        )
        kept = newest_first[:1] if self.hours else []
        secret = _secret(self.endpoint_id, self.sealed, context)
        changes = Changes(secret)
        changes.delete(*newest_first[len(kept) :])
        changes.save(
            *(replace(each, expires=context.real_now + self.hours * HOUR) for each in kept), secret
        )
        return changes


class AddWebhookKey(Command[WebhookKey | None], frozen=True, kw_only=True):
    """Sign JWTs with a new key pair. ``only_first``: unless there is one already."""

    about = WebhookKey

    public_key: str
    sealed: str
    only_first: bool = False

    def ask(self, needs: Needs, state: State) -> None:
        needs.lock(WALK_WEBHOOK_KEYS, BEFORE_ALL_IDS)

    def decide(self, state: State, context: Context) -> Changes[WebhookKey | None]:
        keys = state.many(WALK_WEBHOOK_KEYS, BEFORE_ALL_IDS)
        changes: Changes[WebhookKey | None] = Changes(None)
        if self.only_first and keys:
            return changes
        changes.delete(*keys[: max(len(keys) - WEBHOOK_KEYS_MAX + 1, 0)])
        changes.answer = WebhookKey(
            id=context.new_id(),
            created=context.now,
            public_key=self.public_key,
            sealed=self.sealed,
        )
        changes.save(changes.answer)
        return changes


class RewindEndpoint(Command[None], frozen=True, kw_only=True):
    """Deliver again everything after ``position``, in order.

    Whoever delivers to the endpoint at the moment loses it, and it is taken up from there.
    """

    about = WebhookProgress

    endpoint_id: str
    position: int

    def ask(self, needs: Needs, state: State) -> None:
        needs.read(WEBHOOK_ENDPOINT, self.endpoint_id)
        needs.lock(WEBHOOK_PROGRESS, self.endpoint_id)
        needs.lock(PENDING_DELIVERIES, self.endpoint_id)

    def decide(self, state: State, context: Context) -> Changes[None]:
        require(state, WEBHOOK_ENDPOINT, self.endpoint_id)
        progress = state.one(WEBHOOK_PROGRESS, self.endpoint_id)
        assert progress is not None, "an endpoint has its progress"
        changes: Changes[None] = Changes(None)
        changes.save(
            replace(
                progress,
                position=min(self.position, progress.position),
                lease=progress.lease + 1,
                lease_owner=None,
            )
        )
        changes.delete(
            *(
                each
                for each in state.many(PENDING_DELIVERIES, self.endpoint_id)
                if each.origin is DeliveryOrigin.FEED and each.position > self.position
            )
        )
        return changes


class AddDeliveries(Command[int], frozen=True, kw_only=True):
    """Deliver some events again. Each is the delivery to make, but for its id and instants."""

    about = WebhookDelivery

    endpoint_id: str
    deliveries: tuple[WebhookDelivery, ...]

    def ask(self, needs: Needs, state: State) -> None:
        needs.read(WEBHOOK_ENDPOINT, self.endpoint_id)

    def decide(self, state: State, context: Context) -> Changes[int]:
        if state.one(WEBHOOK_ENDPOINT, self.endpoint_id) is None:
            raise WebhookEndpointNotFound(webhook_endpoint_id=self.endpoint_id)
        changes = Changes(len(self.deliveries))
        for each in self.deliveries:
            changes.save(
                replace(each, id=context.new_id(), created=context.now, updated=context.now)
            )
        return changes
