"""How many rows the chunks of a runner have: many while it is alone, few while others wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from benefit_programs.domain.lookups import CHUNK_SIZE, SMALL_CHUNK_SIZE

QUIET_SECONDS = 1.0
"""For how long nobody else may have used the engine before chunks are large again."""


class Counting(Protocol):
    """An engine, as far as it tells how much it is used."""

    submitted: int
    """How many commands have come so far."""


class ChunkSizes:
    """How many rows the chunks of a runner have, whose commands are counted in ``own``.

    A command that comes while a chunk runs waits for its commit. So chunks are small beside live
    traffic, and large where that only saves work.
    """

    def __init__(self, engine: Counting, clock: Callable[[], float]) -> None:
        self.own = 0
        self._engine = engine
        self._clock = clock
        self._others = 0
        self._quiet_from = clock()

    def next(self) -> int:
        """How many rows the next chunk has at the most."""
        now, others = self._clock(), self._engine.submitted - self.own
        if others != self._others:
            self._others = others
            self._quiet_from = now + QUIET_SECONDS
        return CHUNK_SIZE if now >= self._quiet_from else SMALL_CHUNK_SIZE
