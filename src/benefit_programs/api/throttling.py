"""How many requests a key may make: a bucket of tokens for each, in each process.

A bucket is one number, the moment at which it is full again. A full bucket is the same as none, so
where there are too many, those used longest ago are forgotten: that never refuses anybody more.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from benefit_programs.api.errors import TooManyRequests

THROTTLED_KEYS_MAX = 10_000


class Throttle:
    """Lets each key make ``burst`` requests at once, and ``per_second`` in the long run.

    ``elapsed`` is a clock in seconds that never goes back.
    """

    def __init__(
        self, per_second: int, burst: int, *, elapsed: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds_each = 1 / per_second
        self._seconds_max = burst / per_second
        self._elapsed = elapsed
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def admit(self, key_id: str) -> None:
        """Take one token from a key's bucket. Raises TooManyRequests if there is none."""
        now = self._elapsed()
        full_at = max(self._full_at.get(key_id, now), now) + self._seconds_each
        missing = full_at - now - self._seconds_max
        # What is refused takes no token: whoever goes on asking gets in as soon as anybody else.
        if missing > ROUNDING_SECONDS:
            raise TooManyRequests(retry_after=max(1, math.ceil(missing)))
        self._full_at[key_id] = full_at
        self._full_at.move_to_end(key_id)
        if len(self._full_at) > THROTTLED_KEYS_MAX:
            self._full_at.popitem(last=False)


ROUNDING_SECONDS = 1e-9
"""Seconds that sums of fractions may be off."""
