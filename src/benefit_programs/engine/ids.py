"""UUIDv7 ids: the milliseconds of their row's creation, then a counter that starts at random.

Ids of one process grow strictly within a millisecond, also where batches that began at different
instants make them in turns. Their leading 48 bits are the
``created`` instant of the row that they name, so ordering by id is ordering by (created, id).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

from benefit_programs.domain.values import Instant

_TAIL_BITS = 74
_STEP_BITS = 40


class IdSource:
    def __init__(self) -> None:
        self._instant: Instant = -1
        self._tail = 0
        self._random = random.Random()  # noqa: S311 - ids must be unique, not secret

    def at(self, now: Instant) -> Callable[[], str]:
        """A maker of ids for one instant."""
        return partial(self.next, now)

    def next(self, now: Instant) -> str:
        if now > self._instant:
            self._instant = now
            self._tail = self._random.getrandbits(_TAIL_BITS - 1)
        tail = self._tail = self._tail + 1 + self._random.getrandbits(_STEP_BITS)
        # The version and the variant stand before 12 and 14 bits of the tail.
        return (
            f"{now >> 16:08x}-{now & 0xFFFF:04x}-7{tail >> 62:03x}"
            f"-{0x8000 | tail >> 48 & 0x3FFF:04x}-{tail & 0xFFFFFFFFFFFF:012x}"
        )
