"""Ids: how one is read, and how new ones are made. Chance is an argument.

New ids are UUIDv7: the milliseconds of their row's creation, then a counter that starts at random.
Those of one source grow strictly within a millisecond, also where batches that began at different
instants make them in turns. Their leading 48 bits are the ``created`` instant of the row that they
name, so ordering by id is ordering by (created, id).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from benefit_programs.domain.values import Instant

_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_TAIL_BITS = 74
_STEP_BITS = 40
_LOW = (1 << 62) - 1
_VARIANT = 1 << 63


def guid_in(value: object) -> str | None:
    """A GUID in lower case, as ids are stored; nothing for what is none."""
    return value.lower() if type(value) is str and _GUID.fullmatch(value) else None


class IdSource:
    """Makes ids. ``random_bits`` gives a number of so many bits."""

    def __init__(self, random_bits: Callable[[int], int]) -> None:
        self._random_bits = random_bits
        self._instant: Instant = -1
        self._tail = 0
        self._begun: Instant = -1
        self._beginning = ""

    def at(self, now: Instant) -> Callable[[], str]:
        """A maker of ids for one instant."""
        return partial(self.next, now)

    def next(self, now: Instant) -> str:
        if now > self._instant:
            self._instant = now
            self._tail = self._random_bits(_TAIL_BITS - 1)
        if now != self._begun:
            # The same for all ids of a batch, so it isn't written again for each.
            digits = f"{now:012x}"
            self._begun, self._beginning = now, f"{digits[:8]}-{digits[8:]}-7"
        self._tail = tail = self._tail + 1 + self._random_bits(_STEP_BITS)
        rest = f"{(tail >> 62) << 64 | _VARIANT | tail & _LOW:019x}"
        return f"{self._beginning}{rest[:3]}-{rest[3:7]}-{rest[7:]}"
