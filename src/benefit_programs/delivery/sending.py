"""One attempt to deliver one event to its endpoint."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from benefit_programs.domain.values import Instant
from benefit_programs.domain.webhooks.deliveries import Receiver
from benefit_programs.domain.webhooks.rows import IN_PROCESS, DeliveryAttempt, WebhookFormat
from benefit_programs.encryption import SecretError, SecretKeys
from benefit_programs.outgoing.posting import Outgoing
from benefit_programs.outgoing.retry_after import retry_after_seconds
from benefit_programs.tracing import Kind, Position, Span, Tracer, current, span_of

if TYPE_CHECKING:
    from benefit_programs.delivery.keys import SigningKey

OPENED_MAX = 1_000
"""How many opened secrets and keys a process keeps."""

ERROR_LENGTH_MAX = 500
"""How many characters are kept of an error that a function raised."""

NO_FUNCTION = "this process has no function of that name"

GONE = 410
"""With this status a receiver says that it is there no more."""


class Site(NamedTuple):
    """Whose events are delivered: the tenant, and the id by which others know it."""

    tenant_id: int
    site_id: str


class Message(NamedTuple):
    """An event on its way: its envelope as JSON, and what receivers are told beside it."""

    event_id: str
    event_type: str
    body: bytes
    happened: Instant
    position: Position | None = None
    """Where in a trace it happened, if that is known."""


class Sent(NamedTuple):
    """What came of an attempt. ``asked``: how many seconds the receiver wants to be left alone."""

    attempt: DeliveryAttempt
    asked: int | None = None

    @property
    def is_gone(self) -> bool:
        return self.attempt.status == GONE


Function = Callable[[Message], Awaitable[None]]
"""A receiver in the service's own process: it has taken an event unless it raises."""


def purpose_of(tenant_id: int) -> str:
    """What the secrets of a tenant's webhooks are encrypted for."""
    return f"webhooks of {tenant_id}"


def _opener(keys: SecretKeys) -> Callable[[str, Site], str]:
    return lambda text, site: keys.decrypt(text, of=purpose_of(site.tenant_id))


def _read_key(pem: str) -> SigningKey:
    from benefit_programs.delivery.keys import SigningKey  # noqa: PLC0415 - not all have keys

    return SigningKey.read(pem)


class Sender:
    """Signs events and sends them, over HTTP or to functions of this process."""

    def __init__(
        self,
        outgoing: Outgoing,
        keys: SecretKeys,
        clock: Callable[[], Instant],
        functions: Mapping[str, Function],
        *,
        tracer: Tracer | None = None,
    ) -> None:
        self._outgoing = outgoing
        self._clock = clock
        self._functions = functions
        self._tracer = tracer
        self._open = lru_cache(OPENED_MAX)(_opener(keys))
        self._key = lru_cache(OPENED_MAX)(lambda text, site: _read_key(self._open(text, site)))

    async def send(self, site: Site, receiver: Receiver, message: Message) -> Sent:
        """Try once. Raises nothing but the caller's cancellation.

        The receiver is told where in the trace of the event that is.
        """
        with span_of(self._tracer, "delivery", Kind.PRODUCER, message.position) as span:
            here = current()
            position = message.position if here is None else here.position
            sent = await self._send(site, receiver, message, position)
            if span is not None:
                _describe(span, site, receiver, message, sent)
        return sent

    async def _send(
        self, site: Site, receiver: Receiver, message: Message, position: Position | None
    ) -> Sent:
        url = receiver.endpoint.url
        if receiver.endpoint.is_in_process:
            return await self._call(url.removeprefix(IN_PROCESS), message)
        now = self._clock()
        try:
            headers, body = self._signed(site, receiver, message, now)
        except (SecretError, OSError) as error:
            return Sent(DeliveryAttempt(at=now, milliseconds=0, error=str(error)))
        if position is not None:
            headers |= position.headers
        outcome = await self._outgoing.post(url, tenant=site.site_id, headers=headers, body=body)
        attempt = DeliveryAttempt(
            at=now,
            milliseconds=outcome.milliseconds,
            status=outcome.status,
            error=str(outcome.failure) if outcome.failure else None,
            answer=outcome.start.decode("utf-8", "replace").replace("\0", "\ufffd") or None,
        )
        return Sent(attempt, retry_after_seconds(outcome.retry_after, now=now))

    def _signed(
        self, site: Site, receiver: Receiver, message: Message, now: Instant
    ) -> tuple[dict[str, str], bytes]:
        # Only here: most services sign nothing, and it loads the library of cryptography.
        from benefit_programs.delivery.signing import (  # noqa: PLC0415
            sign_jwt,
            standard_headers,
        )

        if receiver.endpoint.format is WebhookFormat.JWT:
            assert receiver.key is not None, "a tenant with JWT endpoints has a key"
            token = sign_jwt(
                message.body,
                type_=message.event_type,
                instance_id=site.site_id,
                key=self._key(receiver.key.sealed, site),
                now=now,
            )
            return {"content-type": "text/plain"}, token
        secrets = sorted(receiver.secrets, key=lambda each: each.id, reverse=True)
        opened = [self._open(each.sealed, site) for each in secrets if each.signs(at=now)]
        return (
            standard_headers(message.body, event_id=message.event_id, secrets=opened, now=now),
            message.body,
        )

    async def _call(self, name: str, message: Message) -> Sent:
        now, begun = self._clock(), monotonic()
        error, function = None, self._functions.get(name)
        if function is None:
            return Sent(DeliveryAttempt(at=now, milliseconds=0, error=NO_FUNCTION))
        try:
            await function(message)
        except Exception as raised:  # noqa: BLE001 - the function is the caller's
            error = f"{type(raised).__name__}: {raised}"[:ERROR_LENGTH_MAX]
        milliseconds = round(1000 * (monotonic() - begun))
        status = None if error else 200
        return Sent(DeliveryAttempt(at=now, milliseconds=milliseconds, status=status, error=error))


def _describe(span: Span, site: Site, receiver: Receiver, message: Message, sent: Sent) -> None:
    """Say what was delivered, by ids: what a receiver's address has is the tenant's."""
    attempt = sent.attempt
    span.attributes |= {
        "benefits.tenant_id": site.tenant_id,
        "benefits.endpoint_id": receiver.endpoint.id,
        "benefits.event_type": message.event_type,
        "messaging.message.id": message.event_id,
    }
    if attempt.status is not None:
        span.attributes["http.response.status_code"] = attempt.status
    if not attempt.is_success:
        span.error = "no answer" if attempt.status is None else f"{attempt.status}"
