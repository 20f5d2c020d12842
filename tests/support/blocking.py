"""The async client called from tests that are not async, so that one suite tests both clients."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Coroutine
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from benefit_programs.client import (
    AsyncAsyncJobs,
    AsyncAudit,
    AsyncBalances,
    AsyncBeneficiaries,
    AsyncBenefitPrograms,
    AsyncEvents,
    AsyncItems,
    AsyncListing,
    AsyncLots,
    AsyncPage,
    AsyncPeople,
    AsyncPoolDefinitionItems,
    AsyncPoolDefinitions,
    AsyncPoolItems,
    AsyncPools,
    AsyncProgramDefinitions,
    AsyncPrograms,
    AsyncReservations,
    AsyncScheduledChanges,
    AsyncSettings,
    AsyncTransactions,
    AsyncWebhooks,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractAsyncContextManager

CALL_SECONDS_MAX = 60

_WRAPPED = (
    AsyncAsyncJobs,
    AsyncAudit,
    AsyncBalances,
    AsyncBeneficiaries,
    AsyncBenefitPrograms,
    AsyncEvents,
    AsyncItems,
    AsyncListing,
    AsyncLots,
    AsyncPage,
    AsyncPeople,
    AsyncPoolDefinitionItems,
    AsyncPoolDefinitions,
    AsyncPoolItems,
    AsyncPools,
    AsyncProgramDefinitions,
    AsyncPrograms,
    AsyncReservations,
    AsyncScheduledChanges,
    AsyncSettings,
    AsyncTransactions,
    AsyncWebhooks,
)


class Portal:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine to its end."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_SECONDS_MAX)

    @contextmanager
    def open(self, inner: AbstractAsyncContextManager[Any]) -> Iterator[Any]:
        """Keep something open in the loop meanwhile."""

        async def enter() -> Any:
            return await inner.__aenter__()

        async def leave() -> None:
            await inner.__aexit__(None, None, None)

        yield self.run(enter())
        self.run(leave())

    def close(self) -> None:
        """End the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def wrap(self, value: Any) -> Any:
        """Something of the async client, as its sync counterpart behaves."""
        if inspect.iscoroutine(value):
            return self.wrap(self.run(value))
        if inspect.isasyncgen(value):
            return self.iterate(value)
        if inspect.ismethod(value):
            return lambda *args, **options: self.wrap(value(*args, **options))
        return Blocking(self, value) if isinstance(value, _WRAPPED) else value

    def iterate(self, rows: Any) -> Iterator[Any]:
        """What an async iterator gives."""
        iterator = aiter(rows)

        async def step() -> tuple[bool, Any]:
            try:
                return True, await anext(iterator)
            except StopAsyncIteration:
                return False, None

        while True:
            more, row = self.run(step())
            if not more:
                return
            yield self.wrap(row)


class Blocking:
    """An object of the async client whose methods answer at once."""

    def __init__(self, portal: Portal, inner: Any) -> None:
        self._portal = portal
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        """The same attribute, as its sync counterpart behaves."""
        return self._portal.wrap(getattr(self._inner, name))

    def __iter__(self) -> Iterator[Any]:
        """The rows, fetched in the portal."""
        if isinstance(self._inner, AsyncListing):
            return self._portal.iterate(self._inner)
        return iter(self._inner)

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._inner)
