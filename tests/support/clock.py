"""A clock that a test moves."""

from __future__ import annotations

from datetime import UTC, datetime

from benefit_programs.engine.engine import read_clock

HOUR = 60 * 60 * 1000
DAY = 24 * HOUR


class Clock:
    """Stands still but for a millisecond whenever it is looked at; ``move`` sets it forward."""

    def __init__(self, now: int | None = None) -> None:
        self.now = read_clock() if now is None else now

    def __call__(self) -> int:
        """The next instant."""
        self.now += 1
        return self.now

    def move(self, hours: int) -> None:
        """Let hours pass."""
        self.now += hours * HOUR

    def begin_day(self) -> None:
        """Go on to the next morning, so that what follows doesn't depend on what came before."""
        self.now = (self.now // DAY + 1) * DAY + HOUR // 2

    @property
    def day(self) -> str:
        """The day in UTC; it lasts for half an hour of looks at least, for only hours pass."""
        return datetime.fromtimestamp(self.now / 1000, UTC).date().isoformat()


class StillClock(Clock):
    """Stands still: an instant can be met exactly."""

    def __call__(self) -> int:
        """The same instant until the test sets another."""
        return self.now


class Seconds:
    """Seconds that never go back, and stand still until a test moves them."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now
