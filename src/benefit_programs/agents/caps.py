"""How much agents may change: credits at once, and changes within an hour."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from benefit_programs.agents.calling import Methods, Refused

HOUR_SECONDS = 3_600.0

TOO_MANY = 429


@dataclass(frozen=True, kw_only=True)
class Caps:
    """The caps of each caller."""

    credits_max: int
    changes_per_hour: int

    async def admit(self, methods: Methods, amount: Decimal) -> None:
        """Count a change before it is made, whatever becomes of it. Raises Refused."""
        if amount > self.credits_max:
            raise Refused(
                "AGENT_CREDITS_EXCEEDED",
                "An agent may change no more credits at once: ask a person to do it.",
                status=TOO_MANY,
                data={"credits": str(amount), "maximum": self.credits_max},
            )
        if not await methods.take_change(self.changes_per_hour):
            raise Refused(
                "AGENT_CHANGES_EXCEEDED",
                "An agent may make no more changes within an hour: ask a person to do it.",
                status=TOO_MANY,
                data={"maximum": self.changes_per_hour},
            )


class OwnChanges:
    """The changes of one caller in this process. ``elapsed`` is a clock that never goes back."""

    def __init__(self, *, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._elapsed = elapsed
        self._made: deque[float] = deque()

    def take(self, per_hour: int) -> bool:
        """Count a change; whether there were fewer within the last hour."""
        now = self._elapsed()
        while self._made and self._made[0] <= now - HOUR_SECONDS:
            self._made.popleft()
        if len(self._made) >= per_hour:
            return False
        self._made.append(now)
        return True
