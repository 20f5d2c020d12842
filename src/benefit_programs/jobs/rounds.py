"""Going round again and again: what all background work has in common."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple

import structlog

from benefit_programs.domain.store import StoreTimeout, StoreUnavailable
from benefit_programs.engine.engine import QueueFull

POLL_SECONDS = 1.0
"""How often a runner looks for work that another process has left."""

_log = structlog.get_logger("benefit_programs.jobs")


class Round(NamedTuple):
    """How a round went: whether to go on at once or after a rest, and whether all is done."""

    is_busy: bool = False
    is_settled: bool = False
    rest_seconds: float = POLL_SECONDS


class Rounds:
    """Goes round until it is closed. ``what`` names the work in the log."""

    def __init__(self, go_round: Callable[[], Awaitable[Round]], *, what: str) -> None:
        self._go_round = go_round
        self._what = what
        self._wakened = asyncio.Event()
        self._waiting: list[asyncio.Future[None]] = []
        self._task: asyncio.Task[None] | None = None
        self.is_closing = False

    @property
    def is_started(self) -> bool:
        return self._task is not None

    def start(self) -> None:
        self.is_closing = False
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Finish the round under way, and stop."""
        self.is_closing = True
        self.wake()
        if self._task is not None:
            await asyncio.wait((self._task,))
        for each in self._waiting:
            each.cancel()

    def wake(self) -> None:
        self._wakened.set()

    async def settle(self) -> None:
        """Wait until a whole round from now on finds nothing to do."""
        settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(settled)
        self.wake()
        await settled

    async def _run(self) -> None:
        has_to_wait = False
        while not self.is_closing:
            self._wakened.clear()
            waiting, went = [*self._waiting], Round()
            try:
                went = await self._go_round()
                has_to_wait = False
            except (QueueFull, StoreTimeout, StoreUnavailable) as error:
                if not has_to_wait:
                    reason = str(error) or type(error).__name__
                    _log.warning(f"{self._what} have to wait", reason=reason)
                has_to_wait = True
            except Exception:  # noqa: BLE001 - whatever it was, other work can go on
                _log.exception("the runner failed, and goes on", work=self._what)
            if went.is_settled:
                self._tell_settled(waiting)
            if not went.is_busy and not self.is_closing:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wakened.wait(), went.rest_seconds)

    def _tell_settled(self, waiting: list[asyncio.Future[None]]) -> None:
        for each in waiting:
            self._waiting.remove(each)
            if not each.done():
                each.set_result(None)
