"""What relays do with endpoints: take one, record what became of deliveries, give it back."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.events import record_updated
from benefit_programs.domain.lookups import (
    BEFORE_ALL_IDS,
    PENDING_DELIVERIES,
    SWEEP_SIZE,
    WALK_DELIVERIES,
    WALK_WEBHOOK_KEYS,
    WEBHOOK_DELIVERY,
    WEBHOOK_ENDPOINT,
    WEBHOOK_PROGRESS,
    WEBHOOK_SECRETS,
)
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import Instant
from benefit_programs.domain.webhooks.rows import (
    DeliveryStatus,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookFormat,
    WebhookKey,
    WebhookProgress,
    WebhookSecret,
    WebhookStatus,
)


class Receiver(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint as deliveries need it: with what signs them, or did so until lately."""

    endpoint: WebhookEndpoint
    secrets: tuple[WebhookSecret, ...]
    key: WebhookKey | None


class EndpointClaim(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint that a relay has taken: where to go on, and what is still to be delivered."""

    receiver: Receiver
    progress: WebhookProgress
    pending: tuple[WebhookDelivery, ...]


def _ask_for_receiver(needs: Needs, state: State, endpoint_id: str) -> None:
    needs.share(WEBHOOK_ENDPOINT, endpoint_id)
    needs.read(WEBHOOK_SECRETS, endpoint_id)
    endpoint = state.loaded(WEBHOOK_ENDPOINT, endpoint_id)
    if endpoint is not None and endpoint.format is WebhookFormat.JWT:
        needs.read(WALK_WEBHOOK_KEYS, BEFORE_ALL_IDS)


def _receiver(state: State, endpoint: WebhookEndpoint) -> Receiver:
    keys = state.known(WALK_WEBHOOK_KEYS, BEFORE_ALL_IDS)
    return Receiver(
        endpoint=endpoint,
        secrets=tuple(state.many(WEBHOOK_SECRETS, endpoint.id)),
        key=keys[-1] if keys else None,
    )


class ClaimEndpoint(Command[EndpointClaim | None], frozen=True, kw_only=True):
    """Take an endpoint that nobody has, or whose lease still is the one that was ``seen`` long ago.

    If the relay is ``alone``, leases of others don't count.
    """

    owner: str
    endpoint_id: str
    seen: int | None = None
    alone: bool = False

    def ask(self, needs: Needs, state: State) -> None:
        _ask_for_receiver(needs, state, self.endpoint_id)
        needs.lock(WEBHOOK_PROGRESS, self.endpoint_id)
        needs.read(PENDING_DELIVERIES, self.endpoint_id)

    def decide(self, state: State, context: Context) -> Changes[EndpointClaim | None]:
        changes: Changes[EndpointClaim | None] = Changes(None)
        endpoint = state.one(WEBHOOK_ENDPOINT, self.endpoint_id)
        progress = state.one(WEBHOOK_PROGRESS, self.endpoint_id)
        if endpoint is None or progress is None or endpoint.status is not WebhookStatus.ACTIVE:
            return changes
        is_own = progress.lease_owner in (None, self.owner)
        if not (self.alone or is_own or progress.lease == self.seen):
            return changes
        progress = replace(progress, lease=progress.lease + 1, lease_owner=self.owner)
        changes.save(progress)
        pending = sorted(
            state.many(PENDING_DELIVERIES, self.endpoint_id),
            key=lambda each: (each.position, each.part, each.id),
        )
        changes.answer = EndpointClaim(
            receiver=_receiver(state, endpoint),
            progress=progress,
            pending=tuple(pending),
        )
        return changes


class RecordDeliveries(Command[Receiver | None], frozen=True, kw_only=True):
    """Record how far an endpoint has come, and what became of deliveries.

    Answers with the endpoint as it is now, or None if the relay has lost it: then nothing is
    recorded. ``pause_reason``, if given, pauses it.
    """

    about = WebhookEndpoint

    owner: str
    endpoint_id: str
    position: int | None = None
    new: tuple[WebhookDelivery, ...] = ()
    changed: tuple[WebhookDelivery, ...] = ()
    delivered: Instant | None = None
    pause_reason: str | None = None

    def ask(self, needs: Needs, state: State) -> None:
        _ask_for_receiver(needs, state, self.endpoint_id)
        if self.pause_reason is not None:
            needs.lock(WEBHOOK_ENDPOINT, self.endpoint_id)
        needs.lock(WEBHOOK_PROGRESS, self.endpoint_id)
        for each in self.changed:
            needs.lock(WEBHOOK_DELIVERY, each.id)

    def decide(self, state: State, context: Context) -> Changes[Receiver | None]:
        changes: Changes[Receiver | None] = Changes(None)
        endpoint = state.one(WEBHOOK_ENDPOINT, self.endpoint_id)
        progress = state.one(WEBHOOK_PROGRESS, self.endpoint_id)
        if endpoint is None or progress is None or progress.lease_owner != self.owner:
            return changes
        if self.pause_reason is not None and endpoint.status is WebhookStatus.ACTIVE:
            endpoint = record_updated(
                changes,
                context,
                replace(endpoint, status=WebhookStatus.PAUSED, pause_reason=self.pause_reason),
                "paused",
            )
        changes.save(
            replace(
                progress,
                position=progress.position if self.position is None else self.position,
                lease=progress.lease + 1,
                delivered=self.delivered or progress.delivered,
            ),
            *self.new,
            *(each for each in self.changed if state.one(WEBHOOK_DELIVERY, each.id) is not None),
        )
        changes.answer = _receiver(state, endpoint)
        return changes


class ReleaseEndpoint(Command[None], frozen=True, kw_only=True):
    """Give an endpoint back: nothing is to be delivered at the moment."""

    owner: str
    endpoint_id: str

    def ask(self, needs: Needs, state: State) -> None:
        needs.lock(WEBHOOK_PROGRESS, self.endpoint_id)

    def decide(self, state: State, context: Context) -> Changes[None]:
        changes: Changes[None] = Changes(None)
        progress = state.one(WEBHOOK_PROGRESS, self.endpoint_id)
        if progress is not None and progress.lease_owner == self.owner:
            changes.save(replace(progress, lease=progress.lease + 1, lease_owner=None))
        return changes


class SweepDeliveries(Command[str | None], frozen=True, kw_only=True):
    """Remove deliveries that were made ``before`` an instant and are over, or lost their endpoint.

    Looks at the oldest after ``position``, and answers with where to go on, if anywhere.
    """

    before: Instant
    position: str = BEFORE_ALL_IDS

    def ask(self, needs: Needs, state: State) -> None:
        needs.lock(WALK_DELIVERIES, self.position)
        for each in state.known(WALK_DELIVERIES, self.position):
            if each.status is DeliveryStatus.PENDING:
                needs.read(WEBHOOK_ENDPOINT, each.endpoint_id)

    def decide(self, state: State, context: Context) -> Changes[str | None]:
        found = state.many(WALK_DELIVERIES, self.position)
        old = [each for each in found if each.created < self.before]
        further = len(found) == SWEEP_SIZE and len(old) == SWEEP_SIZE
        changes: Changes[str | None] = Changes(found[-1].id if further else None)
        changes.delete(
            *(
                each
                for each in old
                if each.status is not DeliveryStatus.PENDING
                or state.one(WEBHOOK_ENDPOINT, each.endpoint_id) is None
            )
        )
        return changes
