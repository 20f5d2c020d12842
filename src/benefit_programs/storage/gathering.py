"""Look-ups of many callers at the same time, gathered into one statement each.

A caller that comes alone is served at once. Callers that come while a statement over the same index
is under way wait for its end, and the next statement serves all of them. That is what the engine
does for writes: nobody waits for a timer, and under load statements grow by themselves. Each
look-up is sent after it was asked for, so it sees every commit that was answered before.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from benefit_programs.domain.indexes import Index, Key
from benefit_programs.domain.rows import Row

R = TypeVar("R", bound=Row)
LookUp = Callable[[int, Index[Any], Sequence[Key]], Awaitable[list[Any]]]

GATHERED_KEYS_MAX = 500
"""How many keys of several callers one statement looks up."""


class _Waiting(NamedTuple):
    keys: Sequence[Key]
    found: asyncio.Future[list[Any]]


class GatheredLookUps:
    """Look-ups by way of ``look_up``, one at a time for each tenant and index."""

    def __init__(self, look_up: LookUp) -> None:
        self._look_up = look_up
        self._waiting: dict[tuple[int, Index[Any]], deque[_Waiting]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def look_up(self, tenant_id: int, index: Index[R], keys: Sequence[Key]) -> list[R]:
        if index.after is not None:
            return await self._look_up(tenant_id, index, keys)
        place = (tenant_id, index)
        if place in self._waiting:
            return await self.begin(tenant_id, index, keys)
        self._waiting[place] = deque()
        try:
            return await self._look_up(tenant_id, index, keys)
        finally:
            self._go_on(place)

    def begin(
        self, tenant_id: int, index: Index[R], keys: Sequence[Key]
    ) -> asyncio.Future[list[R]]:
        """What a look-up will have found, for a caller with several of them."""
        if index.after is not None:
            return asyncio.ensure_future(self._look_up(tenant_id, index, keys))
        found: asyncio.Future[list[R]] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.get((tenant_id, index))
        if waiting is not None:
            waiting.append(_Waiting(keys, found))
        else:
            self._waiting[tenant_id, index] = deque((_Waiting(keys, found),))
            self._go_on((tenant_id, index))
        return found

    def _go_on(self, place: tuple[int, Index[Any]]) -> None:
        """Serve those who wait, or leave the place free for the next caller."""
        if not self._waiting[place]:
            del self._waiting[place]
            return
        task = asyncio.get_running_loop().create_task(self._serve(place))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, place: tuple[int, Index[Any]]) -> None:
        tenant_id, index = place
        callers, keys = _take(self._waiting[place])
        try:
            rows = await self._look_up(tenant_id, index, keys)
        except Exception as error:  # noqa: BLE001 - raised to everyone who waits
            for caller in callers:
                if not caller.found.done():
                    caller.found.set_exception(error)
        else:
            _share_out(callers, index, rows)
        finally:
            self._go_on(place)


def _take(waiting: deque[_Waiting]) -> tuple[list[_Waiting], list[Key]]:
    """As many callers as fit into a statement, one at least, and their keys."""
    callers = [waiting.popleft()]
    keys = dict.fromkeys(callers[0].keys)
    while waiting and len(keys) + len(waiting[0].keys) <= GATHERED_KEYS_MAX:
        callers.append(waiting.popleft())
        keys.update(dict.fromkeys(callers[-1].keys))
    return callers, list(keys)


def _share_out(callers: list[_Waiting], index: Index[Any], rows: list[Any]) -> None:
    """Give each caller the rows of its keys, in the order in which they were found."""
    by_key: dict[Key, list[Any]] = {}
    for row in rows:
        by_key.setdefault(index.key_of(row), []).append(row)
    for caller in callers:
        if not caller.found.done():
            caller.found.set_result([row for key in caller.keys for row in by_key.get(key, ())])
