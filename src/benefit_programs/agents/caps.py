"""How much agents may change: credits at once, and changes within an hour."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from decimal import Decimal

from benefit_programs.agents.calling import Refused

HOUR_SECONDS = 3_600.0
CALLERS_MAX = 10_000
"""How many callers a process remembers who have changed something within the hour."""

TOO_MANY = 429


class Caps:
    """The caps of each caller, in this process. ``elapsed`` is a clock that never goes back."""

    def __init__(
        self,
        *,
        credits_max: int,
        changes_per_hour: int,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._credits_max = credits_max
        self._changes_per_hour = changes_per_hour
        self._elapsed = elapsed
        self._changes: OrderedDict[str, deque[float]] = OrderedDict()

    def admit(self, caller: str, amount: Decimal) -> None:
        """Count a change before it is made, whatever becomes of it. Raises Refused."""
        if amount > self._credits_max:
            raise Refused(
                "AGENT_CREDITS_EXCEEDED",
                "An agent may change no more credits at once: ask a person to do it.",
                status=TOO_MANY,
                data={"credits": str(amount), "maximum": self._credits_max},
            )
        now = self._elapsed()
        since = now - HOUR_SECONDS
        self._forget(since)
        changes = self._changes.get(caller, deque())
        while changes and changes[0] <= since:
            changes.popleft()
        is_full = caller not in self._changes and len(self._changes) >= CALLERS_MAX
        if len(changes) >= self._changes_per_hour or is_full:
            raise Refused(
                "AGENT_CHANGES_EXCEEDED",
                "An agent may make no more changes within an hour: ask a person to do it.",
                status=TOO_MANY,
                data={"maximum": self._changes_per_hour},
            )
        changes.append(now)
        self._changes[caller] = changes
        self._changes.move_to_end(caller)

    def _forget(self, since: float) -> None:
        """Forget whose last change is over: callers stand in the order of those."""
        while self._changes and next(iter(self._changes.values()))[-1] <= since:
            self._changes.popitem(last=False)
