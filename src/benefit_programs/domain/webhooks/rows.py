"""What is stored of webhooks: endpoints, their secrets and progress, deliveries, signing keys."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

import msgspec

from benefit_programs.domain.rows import Row
from benefit_programs.domain.values import Id, Instant

IN_PROCESS = "in-process:"
"""How the URL of a receiver begins that is a function in the service's own process."""


class WebhookFormat(StrEnum):
    """What an endpoint gets: JSON signed by Standard Webhooks, or a signed JWT."""

    STANDARD = "STANDARD"
    JWT = "JWT"


class WebhookStatus(StrEnum):
    """Whether an endpoint gets events.

    INACTIVE: somebody has switched it off. PAUSED: the service has, since it only failed.
    """

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    PAUSED = "PAUSED"


class DeliveryLog(StrEnum):
    """Which deliveries of an endpoint are kept: all, or only those that failed at first."""

    ALL = "ALL"
    FAILURES = "FAILURES"


class DeliveryStatus(StrEnum):
    """The life of a delivery. PARKED: it failed until its time was over, and isn't tried again."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    PARKED = "PARKED"


class DeliveryOrigin(StrEnum):
    """Why an event is delivered: it happened, or somebody asked for it again."""

    FEED = "FEED"
    RESEND = "RESEND"
    REPLAY = "REPLAY"


class WebhookEndpoint(Row, frozen=True, kw_only=True, omit_defaults=True):
    """A receiver of events. Empty ``event_types`` or ``namespaces`` mean all."""

    over: ClassVar[tuple[str, ...]] = ("INACTIVE", "PAUSED")

    id: Id
    revision: int
    created: Instant
    updated: Instant
    url: str
    format: WebhookFormat
    status: WebhookStatus
    description: str | None = None
    pause_reason: str | None = None
    event_types: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    delivery_log: DeliveryLog = DeliveryLog.ALL
    sequence: int = 0

    @property
    def is_in_process(self) -> bool:
        return self.url.startswith(IN_PROCESS)


class WebhookSecret(Row, frozen=True, kw_only=True, omit_defaults=True):
    """A sealed secret that signs what an endpoint gets, until it expires if it is an old one."""

    key: ClassVar[tuple[str, ...]] = ("endpoint_id", "id")

    endpoint_id: Id
    id: Id
    created: Instant
    sealed: str
    expires: Instant | None = None

    def signs(self, *, at: Instant) -> bool:
        """Whether it is still in use."""
        return self.expires is None or at < self.expires


class WebhookProgress(Row, frozen=True, kw_only=True, omit_defaults=True):
    """How far an endpoint has come, and which relay delivers to it.

    Every event up to ``position`` was delivered, or has a delivery of its own. ``lease`` counts the
    commits of the relay that holds it: who sees it stand still for long may take over. No clocks
    are compared. ``delivered`` is when a delivery has last succeeded.
    """

    key: ClassVar[tuple[str, ...]] = ("endpoint_id",)

    endpoint_id: Id
    position: int
    lease: int = 0
    lease_owner: str | None = None
    delivered: Instant | None = None


class DeliveryAttempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One try: when, how long it took, and what came of it.

    ``answer`` is the beginning of what the receiver answered, ``error`` why that isn't all of it.
    """

    at: Instant
    milliseconds: int
    status: int | None = None
    error: str | None = None
    answer: str | None = None

    @property
    def is_success(self) -> bool:
        if self.status is None or self.error is not None:
            return False
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP


class WebhookDelivery(Row, frozen=True, kw_only=True, omit_defaults=True):
    """The delivery of one event to one endpoint.

    The event is the one numbered ``part`` of those that the stored row at ``position`` stands for.
    ``due`` is when it is tried next, ``tries`` are the last attempts.
    """

    over: ClassVar[tuple[str, ...]] = ("DELIVERED", "PARKED")

    id: Id
    created: Instant
    updated: Instant
    endpoint_id: Id
    event_id: Id
    event_type: str
    entity_id: Id
    position: int
    part: int
    origin: DeliveryOrigin
    status: DeliveryStatus
    due: Instant = 0
    first_attempt: Instant | None = None
    attempts: int = 0
    tries: tuple[DeliveryAttempt, ...] = ()

    @property
    def lane(self) -> str:
        """Deliveries of one lane come one after the other."""
        if self.origin is DeliveryOrigin.RESEND:
            return self.id
        return f"{self.origin} {self.entity_id}"


class WebhookKey(Row, frozen=True, kw_only=True, omit_defaults=True):
    """A tenant's key pair for JWTs: the newest signs, older ones still verify."""

    id: Id
    created: Instant
    public_key: str
    sealed: str
