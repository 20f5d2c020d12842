"""What is to be delivered to one endpoint, in lanes: each lane is delivered in its order.

A lane has the events of one entity. A delivery that failed holds back its lane, and no other.
While an endpoint only fails, it is probed with one delivery at a time.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Iterator

from benefit_programs.delivery.sending import Message
from benefit_programs.domain.values import Instant
from benefit_programs.domain.webhooks.rows import WebhookDelivery

FAILURES_IN_A_ROW_MAX = 10
"""After how many failures without a success an endpoint is only probed."""

PROBE_SECONDS_MAX = 300
"""How long an endpoint that only fails is left alone at most."""


class Pending:
    """One event that waits for its turn, and its row if it has one. ``message`` may come later."""

    __slots__ = ("delivery", "is_stored", "message")

    def __init__(
        self, delivery: WebhookDelivery, message: Message | None, *, is_stored: bool
    ) -> None:
        self.delivery = delivery
        self.message = message
        self.is_stored = is_stored


class _Lane:
    __slots__ = ("due", "is_blocked", "is_busy", "queue")

    def __init__(self) -> None:
        self.queue: deque[Pending] = deque()
        self.is_busy = False
        self.is_blocked = False
        """Whether its first delivery has failed, or was left over: then all of it is stored."""

        self.due: Instant = 0


class Lanes:
    """Who is next."""

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane] = {}
        self._fresh: deque[str] = deque()
        self._later: list[tuple[Instant, str]] = []
        self._unstored: Counter[int] = Counter()
        self._stored = 0
        self.length = 0
        self.failures_in_a_row = 0

    @property
    def is_failing(self) -> bool:
        """Whether nothing has succeeded lately."""
        return self.failures_in_a_row >= FAILURES_IN_A_ROW_MAX

    @property
    def stored(self) -> int:
        """How many of them have rows."""
        return self._stored

    def first_unstored(self) -> int | None:
        """The smallest position with an event that has no row and wasn't delivered yet."""
        return min(self._unstored, default=None)

    def add(self, pending: Pending) -> None:
        """Put an event at the end of its lane. Behind a failure it has to have a row."""
        key = pending.delivery.lane
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane()
        lane.queue.append(pending)
        self.length += 1
        if pending.is_stored:
            self._stored += 1
        else:
            self._unstored[pending.delivery.position] += 1
        if len(lane.queue) == 1:
            lane.is_blocked = pending.is_stored
            self._queue(key, lane, pending.delivery.due)

    def is_blocked(self, key: str) -> bool:
        lane = self._lanes.get(key)
        return lane is not None and lane.is_blocked

    def _queue(self, key: str, lane: _Lane, due: Instant) -> None:
        lane.due = due
        if lane.is_blocked:
            heapq.heappush(self._later, (due, key))
        else:
            self._fresh.append(key)

    def take(self, now: Instant) -> Pending | None:
        """The next delivery to try, if there is one; its lane is busy until it is told of.

        Lanes that failed come first when they are due. Others wait while the endpoint is failing.
        """
        while self._later and self._later[0][0] <= now:
            due, key = heapq.heappop(self._later)
            lane = self._lanes.get(key)
            if lane is not None and not lane.is_busy and lane.due == due:
                lane.is_busy = True
                return lane.queue[0]
        while self._fresh and not (self.is_failing and self._later):
            key = self._fresh.popleft()
            lane = self._lanes.get(key)
            if lane is not None and not lane.is_busy and not lane.is_blocked:
                lane.is_busy = True
                return lane.queue[0]
        return None

    def next_due(self) -> Instant | None:
        """When the next lane that failed is due."""
        return self._later[0][0] if self._later else None

    def done(self, pending: Pending, *, is_success: bool) -> None:
        """A delivery was made, or was given up: its lane goes on."""
        key = pending.delivery.lane
        lane = self._lanes[key]
        lane.queue.popleft()
        lane.is_busy = False
        self.length -= 1
        self._forget(pending)
        if is_success:
            was_failing, self.failures_in_a_row = self.is_failing, 0
            if was_failing:
                self.hurry()
        if lane.queue:
            lane.is_blocked = lane.queue[0].is_stored
            self._queue(key, lane, 0)
        else:
            del self._lanes[key]

    def failed(self, pending: Pending, due: Instant, now: Instant) -> Iterator[Pending]:
        """A delivery will be tried again: what is behind it in its lane needs rows, too."""
        key = pending.delivery.lane
        lane = self._lanes[key]
        lane.is_busy = False
        lane.is_blocked = True
        self.failures_in_a_row += 1
        if self.is_failing:
            due = min(due, now + 1000 * PROBE_SECONDS_MAX)
        self._queue(key, lane, due)
        for each in lane.queue:
            if not each.is_stored:
                self._forget(each)
                each.is_stored = True
                self._stored += 1
                yield each

    def hurry(self) -> None:
        """The endpoint is back, or may be: what waits for it is tried at once."""
        waiting, self._later = self._later, []
        for due, key in waiting:
            lane = self._lanes.get(key)
            if lane is not None and lane.due == due and not lane.is_busy:
                self._queue(key, lane, 0)

    def _forget(self, pending: Pending) -> None:
        if pending.is_stored:
            self._stored -= 1
            return
        position = pending.delivery.position
        self._unstored[position] -= 1
        if not self._unstored[position]:
            del self._unstored[position]
