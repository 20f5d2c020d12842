"""Delivers a tenant's events to one endpoint, for as long as it holds the endpoint.

It reads the feed, keeps what is to be delivered in lanes, sends a bounded number at a time, and
records what came of it from time to time: how far the endpoint has come, and a row for each
delivery that is to be kept. What was sent since the last record is sent again after a crash, with
the same ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, Protocol

import structlog
from msgspec.structs import replace

from benefit_programs.delivery.lanes import Lanes, Pending
from benefit_programs.delivery.messages import events_for, message_of, new_delivery
from benefit_programs.delivery.schedule import ASKED_SECONDS_MAX, DELIVERY_HOURS_MAX, next_attempt
from benefit_programs.delivery.sending import Message, Sender, Sent, Site
from benefit_programs.domain.command import Command
from benefit_programs.domain.lookups import PENDING_DELIVERIES, PENDING_DELIVERIES_MAX
from benefit_programs.domain.values import Instant
from benefit_programs.domain.webhooks.deliveries import (
    EndpointClaim,
    Receiver,
    RecordDeliveries,
    ReleaseEndpoint,
)
from benefit_programs.domain.webhooks.rows import (
    DeliveryAttempt,
    DeliveryLog,
    DeliveryOrigin,
    DeliveryStatus,
    WebhookDelivery,
    WebhookStatus,
)
from benefit_programs.engine.ids import new_ids
from benefit_programs.storage.feed import FeedRow
from benefit_programs.storage.reader import Reader
from benefit_programs.wire.events import SHOWN_AT_ONCE_MAX, Delivery, deliveries, parts_of

REQUESTS_AT_ONCE_MAX = 64
"""How many requests to one endpoint are under way at most."""

REQUESTS_AT_ONCE_FIRST = 10
"""How many there are at first: each success adds one, each failure halves them."""

QUEUE_LENGTH_MAX = 2_000
"""How many events of one endpoint wait in memory."""

LOOK_ROWS = 250
"""How many stored events one look into the feed reads."""

LOOK_SECONDS = 0.1
"""How long a courier waits after a look that has found all there was, for more to read at once."""

RECORD_SECONDS = 0.25
"""How often results are recorded."""

RECORD_SIZE = 200
"""How many rows one commit records."""

RENEW_SECONDS = 1.5
"""How often an endpoint that is held shows that it is."""

LINGER_SECONDS = 5.0
"""How long an endpoint without work is held, for what may come."""

TRIES_KEPT_MAX = 10
"""How many attempts the row of a delivery tells of, the last ones."""

END_SECONDS_MAX = 1.0
"""How long the requests under way have to end when a courier stops."""

FUNCTION_SECONDS_MAX = 30.0
"""How long the calls of functions of this process have to end then."""

REMOVED = "the event is no longer kept"
GONE_REASON = "the receiver says that it is gone (status 410)"
FAILED_REASON = f"no delivery has succeeded for {DELIVERY_HOURS_MAX} hours"

_log = structlog.get_logger("benefit_programs.delivery")


Observe = Callable[[float | None], None]
"""Hears of each attempt: how many seconds after its event it succeeded, or that it failed."""


class Executor(Protocol):
    """Runs commands for the tenant of an endpoint."""

    def __call__(self, command: Command[Any]) -> Awaitable[Any]: ...


class Courier:
    """The deliveries to one endpoint."""

    def __init__(
        self,
        claim: EndpointClaim,
        site: Site,
        *,
        owner: str,
        execute: Executor,
        reader: Reader,
        sender: Sender,
        clock: Callable[[], Instant],
        observe: Observe,
    ) -> None:
        self._receiver: Receiver = claim.receiver
        self._endpoint_id = claim.receiver.endpoint.id
        self._site = site
        self._owner = owner
        self._execute = execute
        self._reader = reader
        self._sender = sender
        self._clock = clock
        self._observe = observe
        self._loop = asyncio.get_running_loop()
        self._ids = new_ids()
        self._lanes = Lanes()
        self._known: set[str] = set()
        self._read = self._recorded = claim.progress.position
        self._new: dict[str, WebhookDelivery] = {}
        self._changed: dict[str, WebhookDelivery] = {}
        self._delivered: Instant | None = claim.progress.delivered
        self._pause_reason: str | None = None
        self._not_before: Instant = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._moved = asyncio.Event()
        self._may_have_more = True
        self._may_have_pending = False
        self._requests_at_once = REQUESTS_AT_ONCE_FIRST
        self._next_look = self._next_record = self._next_renewal = 0.0
        self._busy_until = self._loop.time() + LINGER_SECONDS
        self._closing = self._is_lost = self._is_outdated = False
        self._error: BaseException | None = None
        self._take_up(claim.pending)

    def look(self) -> None:
        """There may be new events."""
        self._may_have_more = True
        self._moved.set()

    def look_again(self) -> None:
        """The endpoint, or what signs for it, may have changed: that comes before all else."""
        self._is_outdated = True
        self._moved.set()

    def look_for_pending(self) -> None:
        """There may be deliveries that somebody has asked for."""
        self._may_have_pending = True
        self._moved.set()

    def close(self) -> None:
        """Finish the requests under way, record, and stop."""
        self._closing = True
        self._moved.set()

    async def run(self) -> None:
        """Deliver until there is nothing to do, or the endpoint is no longer to be delivered to."""
        try:
            while not self._closing and await self._step():
                pass
            self._closing = True
            if not self._is_lost:
                await self._end()
        finally:
            self._closing = True
            for task in self._tasks:
                task.cancel()

    async def _step(self) -> bool:
        """Do what is to be done now, and wait for more; whether to go on."""
        self._moved.clear()
        if self._is_outdated and not await self._record():
            return False
        if self._may_have_pending:
            await self._read_pending()
        await self._fill()
        self._start()
        now = self._loop.time()
        if self._tasks or self._lanes.length or self._is_dirty:
            self._busy_until = now + LINGER_SECONDS
        is_due = now >= (self._next_record if self._is_dirty else self._next_renewal)
        if is_due and not await self._record():
            return False
        if now < self._busy_until:
            await self._wait()
        return now < self._busy_until

    async def _wait(self) -> None:
        """Wait until something has happened, or something is due."""
        now, clock = self._loop.time(), self._clock()
        until = self._next_record if self._is_dirty else self._next_renewal
        due = self._lanes.next_due()
        if due is not None and len(self._tasks) < self._at_once:
            until = min(until, now + (max(due, self._not_before) - clock) / 1000)
        if self._may_have_more and self._has_room:
            until = min(until, self._next_look)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._moved.wait(), max(until - now, 0))

    @property
    def _is_dirty(self) -> bool:
        return bool(self._new or self._changed) or self._position > self._recorded

    @property
    def _position(self) -> int:
        """Up to where everything was delivered, or has a row."""
        first = self._lanes.first_unstored()
        return self._read if first is None else first - 1

    @property
    def _at_once(self) -> int:
        return 1 if self._lanes.is_failing else self._requests_at_once

    @property
    def _has_room(self) -> bool:
        lanes = self._lanes
        return (
            lanes.length < QUEUE_LENGTH_MAX
            and lanes.stored < PENDING_DELIVERIES_MAX
            and not lanes.is_failing
        )

    async def _read_pending(self) -> None:
        """Read what waits. Never beside a record, for then it would seem to wait again."""
        self._may_have_pending = False
        key = (self._endpoint_id,)
        self._take_up(await self._reader.look_up(self._site.tenant_id, PENDING_DELIVERIES, [key]))

    def _take_up(self, pending: Sequence[WebhookDelivery]) -> None:
        """Deliver what others have left over, or somebody has asked for."""
        for each in pending:
            if each.id not in self._known:
                self._known.add(each.id)
                self._lanes.add(Pending(each, None, is_stored=True))

    @property
    def _may_look(self) -> bool:
        return self._may_have_more and self._loop.time() >= self._next_look

    async def _fill(self) -> None:
        """Read a page of what has happened next, if there is room."""
        if not (self._may_look and self._has_room) or self._closing:
            return
        self._may_have_more = False
        rows, position = await self._reader.feed.read_after(
            self._site.tenant_id, self._read, limit=LOOK_ROWS
        )
        if self._is_outdated:
            self._may_have_more = True
            return
        # Where something has happened, more is to be expected.
        self._may_have_more |= bool(rows)
        if len(rows) < LOOK_ROWS:
            self._next_look = self._loop.time() + LOOK_SECONDS
        await self._add(rows)
        self._read = position

    async def _add(self, rows: Sequence[FeedRow]) -> None:
        found = await events_for(self._receiver.endpoint, self._reader, self._site.tenant_id, rows)
        for number, (position, event) in enumerate(found, 1):
            self._add_event(event, position)
            if number % SHOWN_AT_ONCE_MAX == 0:
                self._start()
                await asyncio.sleep(0)

    def _add_event(self, event: Delivery, position: int) -> None:
        now = self._clock()
        delivery = new_delivery(
            self._endpoint_id,
            event,
            position,
            id_=self._ids.next(now),
            now=now,
            origin=DeliveryOrigin.FEED,
        )
        is_held = self._lanes.is_blocked(delivery.lane)
        if is_held:
            self._save(delivery)
        self._lanes.add(Pending(delivery, message_of(event), is_stored=is_held))

    def _start(self) -> None:
        """Send what may be sent now, unless nothing is to be sent any more."""
        now = self._clock()
        if self._closing or self._pause_reason is not None:
            return
        while now >= self._not_before and len(self._tasks) < self._at_once:
            pending = self._lanes.take(now)
            if pending is None:
                break
            task = self._loop.create_task(self._deliver(pending))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._error = task.exception()
        self._start()
        self._moved.set()

    async def _deliver(self, pending: Pending) -> None:
        message = pending.message or await self._message(pending.delivery)
        if message is None:
            now = self._clock()
            sent = Sent(DeliveryAttempt(at=now, milliseconds=0, error=REMOVED))
            self._give_up(pending, self._tried(pending.delivery, sent))
            return
        sent = await self._sender.send(self._site, self._receiver, message)
        lag = (self._clock() - message.happened) / 1000
        self._observe(lag if sent.attempt.is_success else None)
        self._settle(pending, sent)

    async def _message(self, delivery: WebhookDelivery) -> Message | None:
        """The event of a delivery that was left over, from the feed."""
        tenant_id = self._site.tenant_id
        rows, _ = await self._reader.feed.read_after(tenant_id, delivery.position - 1, limit=1)
        parts = [
            part
            for row in rows
            if row.position == delivery.position
            for part in parts_of(row.event)
            if part.ordinal == delivery.part
        ]
        found = await deliveries(self._reader, tenant_id, parts)
        return message_of(found[0]) if found else None

    def _tried(self, delivery: WebhookDelivery, sent: Sent) -> WebhookDelivery:
        return replace(
            delivery,
            updated=self._clock(),
            first_attempt=delivery.first_attempt or sent.attempt.at,
            attempts=delivery.attempts + 1,
            tries=(*delivery.tries, sent.attempt)[-TRIES_KEPT_MAX:],
        )

    def _settle(self, pending: Pending, sent: Sent) -> None:
        """Record what came of an attempt, and let its lane go on or wait."""
        now, attempt = self._clock(), sent.attempt
        delivery = self._tried(pending.delivery, sent)
        if attempt.is_success:
            self._delivered = now
            self._requests_at_once = min(self._requests_at_once + 1, REQUESTS_AT_ONCE_MAX)
            if pending.is_stored or self._receiver.endpoint.delivery_log is DeliveryLog.ALL:
                self._save(replace(delivery, status=DeliveryStatus.DELIVERED, due=0))
            self._lanes.done(pending, is_success=True)
            return
        self._requests_at_once = max(self._requests_at_once // 2, 1)
        if sent.asked:
            self._not_before = max(
                self._not_before, now + 1000 * min(sent.asked, ASKED_SECONDS_MAX)
            )
        first = delivery.first_attempt or now
        due = next_attempt(delivery.attempts, now=now, first=first, asked=sent.asked)
        if sent.is_gone:
            self._pause_reason = GONE_REASON
        if due is None:
            self._give_up(pending, delivery)
            if self._delivered is None or self._delivered < first:
                self._pause_reason = FAILED_REASON
            return
        pending.delivery = replace(delivery, due=due)
        for each in self._lanes.failed(pending, due, now):
            self._save(each.delivery)
        self._save(pending.delivery)

    def _give_up(self, pending: Pending, delivery: WebhookDelivery) -> None:
        self._save(replace(delivery, status=DeliveryStatus.PARKED, due=0))
        self._lanes.done(pending, is_success=False)

    def _save(self, delivery: WebhookDelivery) -> None:
        """Have a row written with the next record."""
        rows = self._changed if delivery.id in self._known else self._new
        rows[delivery.id] = delivery

    async def _record(self) -> bool:
        """Record what has come of deliveries; whether the endpoint is still to be delivered to."""
        if self._error is not None:
            raise self._error
        is_whole = self._is_outdated = False
        while not is_whole:
            new = [*islice(self._new.values(), RECORD_SIZE)]
            changed = [*islice(self._changed.values(), RECORD_SIZE - len(new))]
            is_whole = len(new) == len(self._new) and len(changed) == len(self._changed)
            position = self._position
            for each in new:
                del self._new[each.id]
            for each in changed:
                del self._changed[each.id]
            self._known.update(each.id for each in new)
            self._known.difference_update(
                each.id for each in (*new, *changed) if each.status is not DeliveryStatus.PENDING
            )
            receiver = await self._execute(
                RecordDeliveries(
                    owner=self._owner,
                    endpoint_id=self._endpoint_id,
                    position=position if is_whole else None,
                    new=tuple(new),
                    changed=tuple(changed),
                    delivered=self._delivered,
                    pause_reason=self._pause_reason,
                )
            )
            if receiver is None:
                self._is_lost = True
                return False
            if receiver.endpoint.revision != self._receiver.endpoint.revision:
                self._not_before = 0
                self._lanes.hurry()
            self._receiver = receiver
            if is_whole:
                self._recorded = position
        now = self._loop.time()
        self._next_record, self._next_renewal = now + RECORD_SECONDS, now + RENEW_SECONDS
        is_active = self._receiver.endpoint.status is WebhookStatus.ACTIVE
        if self._pause_reason is not None and not is_active:
            _log.warning(
                "webhook endpoint paused",
                tenant=self._site.tenant_id,
                endpoint=self._endpoint_id,
                reason=self._pause_reason,
            )
            self._pause_reason = None
        return is_active

    async def _end(self) -> None:
        """Let the requests under way end, record them, and give the endpoint back."""
        if self._tasks:
            is_in_process = self._receiver.endpoint.is_in_process
            seconds = FUNCTION_SECONDS_MAX if is_in_process else END_SECONDS_MAX
            await asyncio.wait(self._tasks, timeout=seconds)
        await self._record()
        if not self._is_lost:
            release = ReleaseEndpoint(owner=self._owner, endpoint_id=self._endpoint_id)
            await self._execute(release)
