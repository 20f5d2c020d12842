"""How many requests a key may make in this process, and a tenant over all processes (ADR 41).

A bucket is one number, the moment at which it is full again. A full bucket is the same as none, so
where there are too many, those used longest ago are forgotten: that never refuses anybody more.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, Protocol, TypeVar

import structlog

from benefit_programs.api.errors import TooManyRequests
from benefit_programs.domain.store import StoreConflict, StoreTimeout, StoreUnavailable

K = TypeVar("K", bound=Hashable)

THROTTLED_KEYS_MAX = 10_000
"""How many keys, and how many tenants, a process remembers."""

SLICE_SECONDS_MAX = 0.1
"""What a process takes at once of a tenant's allowance: as much as so many seconds bring."""

TAKING_SECONDS_MAX = 0.5
"""How long the database has to give a slice; then it counts as away."""

AWAY_SECONDS_MAX = 1.0
"""For how long a process goes on by itself before it asks the database again."""

_log = structlog.get_logger("benefit_programs.throttling")


class Throttle(Generic[K]):
    """Lets each key make ``burst`` requests at once, and ``per_second`` in the long run.

    ``elapsed`` is a clock in seconds that never goes back.
    """

    def __init__(
        self, per_second: int, burst: int, *, elapsed: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds_each = 1 / per_second
        self._seconds_max = burst / per_second
        self._elapsed = elapsed
        self._full_at: OrderedDict[K, float] = OrderedDict()

    def admit(self, key: K) -> None:
        """Take one token from a key's bucket. Raises TooManyRequests if there is none."""
        now = self._elapsed()
        full_at = max(self._full_at.get(key, now), now) + self._seconds_each
        missing = full_at - now - self._seconds_max
        # What is refused takes no token: whoever goes on asking gets in as soon as anybody else.
        if missing > ROUNDING_SECONDS:
            raise TooManyRequests(retry_after=max(1, math.ceil(missing)))
        self._full_at[key] = full_at
        self._full_at.move_to_end(key)
        if len(self._full_at) > THROTTLED_KEYS_MAX:
            self._full_at.popitem(last=False)


ROUNDING_SECONDS = 1e-9
"""Seconds that sums of fractions may be off."""


class TenantThrottle(Protocol):
    """Says whether a tenant may make one request more."""

    async def admit(self, tenant_id: int) -> None:
        """Count a request. Raises TooManyRequests."""
        ...


class OwnThrottle:
    """The limit of tenants where one process serves the database: its own buckets are exact."""

    def __init__(self, throttle: Throttle[int]) -> None:
        self._throttle = throttle

    async def admit(self, tenant_id: int) -> None:
        """Count a request. Raises TooManyRequests."""
        self._throttle.admit(tenant_id)


class SharedThrottle:
    """The limit of tenants over all processes of a database.

    A process takes slices of a tenant's allowance by ``take``, which is given the tenant and the
    size of a slice and says whether there was one. Most requests cost no question. While the
    database is away each process goes by buckets of its own.
    """

    def __init__(
        self,
        per_second: int,
        burst: int,
        take: Callable[[int, int], Awaitable[bool]],
        *,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._size = max(1, min(burst, int(per_second * SLICE_SECONDS_MAX)))
        self._pause = self._size / per_second
        self._take = take
        self._elapsed = elapsed
        self._own: Throttle[int] = Throttle(per_second, burst, elapsed=elapsed)
        self._away_until = -math.inf
        self._slices: OrderedDict[int, _Slice] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    async def admit(self, tenant_id: int) -> None:
        """Count a request. Raises TooManyRequests."""
        held = self._slice_of(tenant_id)
        while not held.left:
            now = self._elapsed()
            if now < self._away_until:
                self._own.admit(tenant_id)
                return
            if held.taking is None and now < held.refused_until:
                raise TooManyRequests(retry_after=max(1, math.ceil(held.refused_until - now)))
            await asyncio.shield(held.taking or self._begin(tenant_id, held))
        held.left -= 1
        if held.left == self._size // 4 > 0 and held.taking is None:
            self._begin(tenant_id, held)

    async def close(self) -> None:
        """Wait for slices that are being taken."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _slice_of(self, tenant_id: int) -> _Slice:
        held = self._slices.get(tenant_id)
        if held is None:
            held = self._slices[tenant_id] = _Slice()
            if len(self._slices) > THROTTLED_KEYS_MAX:
                self._slices.popitem(last=False)
        self._slices.move_to_end(tenant_id)
        return held

    def _begin(self, tenant_id: int, held: _Slice) -> asyncio.Task[None]:
        """Take the next slice, for all who wait for it."""
        task = held.taking = asyncio.get_running_loop().create_task(self._fill(tenant_id, held))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _fill(self, tenant_id: int, held: _Slice) -> None:
        try:
            async with asyncio.timeout(TAKING_SECONDS_MAX):
                taken = await self._take(tenant_id, self._size)
        except (TimeoutError, StoreConflict, StoreTimeout, StoreUnavailable) as error:
            _log.warning("limits hold for each process alone", reason=repr(error))
            self._away_until = self._elapsed() + AWAY_SECONDS_MAX
        else:
            if taken:
                held.left += self._size
            else:
                held.refused_until = self._elapsed() + self._pause
        finally:
            held.taking = None


class _Slice:
    """What a process holds of a tenant's allowance."""

    def __init__(self) -> None:
        self.left = 0
        self.refused_until = -math.inf
        """Until when the allowance can't have another slice."""

        self.taking: asyncio.Task[None] | None = None
