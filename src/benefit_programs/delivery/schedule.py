"""When a failed delivery is tried again, and when it is given up."""

from __future__ import annotations

import random
from collections.abc import Callable

from benefit_programs.domain.values import Instant

FIRST_WAIT_SECONDS = 1
"""How long the second attempt waits; each later one waits three times as long."""

WAIT_SECONDS_MAX = 3_600
"""How long an attempt waits at most, unless the receiver asks for more time."""

ASKED_SECONDS_MAX = 24 * 3_600
"""How much time a receiver is given at most that asks to be left alone."""

JITTER = 0.2
"""By which share a wait may be longer or shorter, so that failures don't come back in step."""

DELIVERY_HOURS_MAX = 48
"""For how long after the first attempt a delivery is tried; then it is parked."""

_GROWTH = 3


def next_attempt(
    attempts: int,
    *,
    now: Instant,
    first: Instant,
    asked: int | None = None,
    chance: Callable[[], float] = random.random,
) -> Instant | None:
    """When to try again after so many attempts; None if that would be too late.

    ``asked`` is for how many seconds the receiver wants to be left alone.
    """
    wait = min(FIRST_WAIT_SECONDS * _GROWTH ** (min(attempts, 20) - 1), WAIT_SECONDS_MAX)
    wait *= 1 + JITTER * (2 * chance() - 1)
    due = now + round(1000 * max(wait, min(asked or 0, ASKED_SECONDS_MAX)))
    return due if due <= first + DELIVERY_HOURS_MAX * 3_600_000 else None
