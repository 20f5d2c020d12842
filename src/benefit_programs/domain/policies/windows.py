"""Windows of rate limits that roll: any time of one length. Contract: none; an addition.

A window includes its end and excludes its start. All windows count that hold the instant of a new
use, for uses may lie after it too: a redemption is counted at its target date.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from benefit_programs.domain.durations import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benefit_programs.domain.details import RateLimitedPolicy
    from benefit_programs.domain.values import Instant


def window_length(limit: RateLimitedPolicy) -> int:
    """The milliseconds of a window of a limit that rolls. Its days have 24 hours."""
    assert limit.rolling_duration is not None
    return parse(limit.rolling_duration).usual_milliseconds


class Window(NamedTuple):
    """The uses in a window: those after ``start``, up to its end."""

    start: Instant
    used: int


def fullest_window(at: Instant, length: int, uses: Mapping[Instant, int]) -> Window:
    """The window that holds ``at`` and most uses; of several the first.

    ``uses`` are counts by their instants. It suffices to look at windows that end at ``at`` or with
    a use: another one holds no more than the next of these before it.
    """
    instants = sorted(uses)
    sums = [0, *accumulate(uses[each] for each in instants)]
    first, last = bisect_right(instants, at), bisect_right(instants, at + length - 1)

    def window(end: Instant) -> Window:
        start = end - length
        used = sums[bisect_right(instants, end)] - sums[bisect_right(instants, start)]
        return Window(start, used)

    windows = [window(end) for end in (at, *instants[first:last])]
    return max(windows, key=lambda each: each.used)
