"""How long to wait for a job, and how often to ask for it."""

from __future__ import annotations

from collections.abc import Iterator

ASK_SECONDS_FIRST = 0.05
ASK_SECONDS_MAX = 2.0


def pauses(timeout: float) -> Iterator[float]:
    """The pauses between questions, which grow, until the time is up."""
    pause, left = ASK_SECONDS_FIRST, timeout
    while left > 0:
        yield min(pause, left)
        left -= pause
        pause = min(pause * 1.5, ASK_SECONDS_MAX)
