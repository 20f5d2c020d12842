"""What the log says of a database that can't be reached: one line as it goes, one as it is back."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import structlog

_log = structlog.get_logger("benefit_programs.storage")


class Outage:
    """Whether a database is away. Whoever fails to reach it says so, and whoever reaches it."""

    def __init__(
        self, name: str = "the database", *, elapsed: Callable[[], float] = monotonic
    ) -> None:
        self._name = name
        self._elapsed = elapsed
        self._since: float | None = None

    def begin(self, reason: str) -> None:
        """Tell that the database is away, unless that is known."""
        if self._since is None:
            self._since = self._elapsed()
            _log.warning(f"{self._name} is away", reason=reason)

    def end(self) -> None:
        """Tell that it is back, if it was away, and for how long it was."""
        if self._since is not None:
            seconds = round(self._elapsed() - self._since, 3)
            self._since = None
            _log.warning(f"{self._name} is back", seconds=seconds)
