"""Questions that whoever watches the service asks again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Generic, TypeVar

from benefit_programs.domain.store import StoreConflict, StoreTimeout, StoreUnavailable

T = TypeVar("T")

KEPT_SECONDS_MAX = 1.0
"""How long an answer is kept: however many ask, the database is asked once in that time."""

PROBE_SECONDS_MAX = 5.0
"""How long the database has for an answer; past it nobody can work with it."""


class Probe(Generic[T]):
    """One question to the database, for any number of askers."""

    def __init__(
        self, ask: Callable[[], Awaitable[T]], *, elapsed: Callable[[], float] = monotonic
    ) -> None:
        self._ask = ask
        self._elapsed = elapsed
        self._turn = asyncio.Lock()
        self._until = 0.0
        self._answer: T
        self._error: Exception | None = None

    async def answer(self) -> T:
        """The answer, or what came in its place: StoreUnavailable, StoreTimeout, StoreConflict.

        It may be a second old.
        """
        async with self._turn:
            if self._elapsed() >= self._until:
                await self._find()
                self._until = self._elapsed() + KEPT_SECONDS_MAX
        if self._error is not None:
            # A new one each time: a traceback grows with each raise.
            raise type(self._error)(str(self._error))
        return self._answer

    async def _find(self) -> None:
        try:
            async with asyncio.timeout(PROBE_SECONDS_MAX):
                self._answer = await self._ask()
        except TimeoutError:
            self._error = StoreUnavailable(f"no answer within {PROBE_SECONDS_MAX:g} seconds")
        except (StoreConflict, StoreTimeout, StoreUnavailable) as error:
            self._error = error
        else:
            self._error = None
