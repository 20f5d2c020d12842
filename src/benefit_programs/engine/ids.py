"""UUIDv7 ids: the milliseconds of their row's creation, then a counter that starts at random.

Ids of one process grow strictly within a millisecond, also where batches that began at different
instants make them in turns. Their leading 48 bits are the
``created`` instant of the row that they name, so ordering by id is ordering by (created, id).
"""

from __future__ import annotations

import random
from collections.abc import Callable

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

        def new_id() -> str:
            return self.next(now)

        return new_id

    def next(self, now: Instant) -> str:
        if now > self._instant:
            self._instant = now
            self._tail = self._random.getrandbits(_TAIL_BITS - 1)
        self._tail += 1 + self._random.getrandbits(_STEP_BITS)
        high, low = self._tail >> 62, self._tail & ((1 << 62) - 1)
        text = f"{(now << 80) | (7 << 76) | (high << 64) | (2 << 62) | low:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
