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
_LAST_BITS = 48
_STEP_BITS = 40
_VARIANT = 0x8000
_AFTER_VARIANT = 0x3FFF
_LAST_MAX = (1 << _LAST_BITS) - 1


def guid_in(value: object) -> str | None:
    """A GUID in lower case, as ids are stored; nothing for what is none."""
    return value.lower() if type(value) is str and _GUID.fullmatch(value) else None


class IdSource:
    """Makes ids. ``random_bits`` gives a number of so many bits."""

    def __init__(self, random_bits: Callable[[int], int]) -> None:
        self._random_bits = random_bits
        self._instant: Instant = -1
        self._last = self._others = 0
        """The counter: its last 48 bits, which are the last group of an id, and the others."""

        self._begun: Instant = -1
        self._beginning = ""

    def at(self, now: Instant) -> Callable[[], str]:
        """A maker of ids for one instant."""
        return partial(self.next, now)

    def next(self, now: Instant) -> str:
        if now > self._instant:
            self._instant = now
            tail = self._random_bits(_TAIL_BITS - 1)
            self._others, self._last = tail >> _LAST_BITS, tail & _LAST_MAX
            self._begun = -1
        self._last += 1 + self._random_bits(_STEP_BITS)
        if self._last > _LAST_MAX:
            self._others, self._last = self._others + 1, self._last & _LAST_MAX
            self._begun = -1
        if now != self._begun:
            # Nearly all ids of a batch have it in common, so it isn't written again for each.
            self._begun, self._beginning = now, self._begin(now)
        # A third of the time that formatting a number takes.
        return self._beginning + self._last.to_bytes(_LAST_BITS // 8, "big").hex()

    def _begin(self, now: Instant) -> str:
        """What comes before the last group."""
        digits, others = f"{now:012x}", self._others
        variant = _VARIANT | others & _AFTER_VARIANT
        return f"{digits[:8]}-{digits[8:]}-7{others >> 14:03x}-{variant:04x}-"
