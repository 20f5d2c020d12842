"""A server and workers of one database, any of which may be killed and is followed by another."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Self

import httpx

from tests.support.calls import Caller
from tests.support.service import FIRST_KEY
from tests.support.serving import STOP_SECONDS_MAX, Command, ServerProcess, start_benefits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from random import Random

    from tests.support.calls import Document


class Death(Enum):
    """Who is killed at once."""

    ALL = auto()
    SERVER = auto()
    WORKERS = auto()


TRIES_MAX = 100
CONNECTIONS_MAX = 50


class Fleet(AsyncExitStack):
    """Processes that serve a database; whoever calls it hears nothing of their deaths."""

    def __init__(self, url: str, folder: Path, *, workers: int, **variables: str) -> None:
        super().__init__()
        own = {"BENEFITS_DATABASE_URL": url, "BENEFITS_BOOTSTRAP_API_KEY": FIRST_KEY}
        self._variables = own | variables
        self._folder = folder
        self._workers = [self._start_worker() for _ in range(workers)]
        self._server = self._start_server()
        self._is_up = asyncio.Event()
        self._is_up.set()
        self._killing = asyncio.Lock()
        limits = httpx.Limits(max_connections=CONNECTIONS_MAX)
        self._client = httpx.AsyncClient(
            base_url=self._server.url, timeout=60, limits=limits, trust_env=False
        )
        self.caller = Caller(self._client, FIRST_KEY)
        """Somebody who does hear of deaths."""

    async def __aenter__(self) -> Self:
        """All processes run already."""
        self.callback(self._stop)
        await self.enter_async_context(self._client)
        return self

    async def call(self, name: str, document: Document) -> dict[str, Any]:
        """Call a method, again and again until somebody lives to answer. Raises Refused."""
        for _ in range(TRIES_MAX):
            await self._is_up.wait()
            try:
                return await self.caller.call(name, document)
            except httpx.TransportError:
                continue
        raise AssertionError("nobody answers")

    async def kill(self, death: Death, chance: Random) -> None:
        """Kill processes with no warning, and start others in their place.

        Where all die the server is the first to come back. Where only workers do, it's some of
        them. Without workers it's always the server.
        """
        async with self._killing:
            if self._workers and death is Death.WORKERS:
                places = range(len(self._workers))
                self._replace_workers(chance.sample(places, chance.randint(1, len(places))))
                return
            self._is_up.clear()
            await asyncio.to_thread(self._replace_server, death)
            self._client.base_url = self._server.url
            self._is_up.set()

    def _replace_server(self, death: Death) -> None:
        workers = range(len(self._workers)) if death is Death.ALL else ()
        for place in workers:
            self._workers[place].kill()
        self._server.process.kill()
        assert self._server.wait() == -signal.SIGKILL
        self._server = self._start_server()
        self._replace_workers(workers)

    def _replace_workers(self, places: Sequence[int]) -> None:
        for place in places:
            self._workers[place].kill()
        for place in places:
            assert self._workers[place].wait(STOP_SECONDS_MAX) == -signal.SIGKILL
            self._workers[place] = self._start_worker()

    def _start_server(self) -> ServerProcess:
        return ServerProcess(
            ["--log-format", "json"],
            self._folder / "server.log",
            **self._variables,
        )

    def _start_worker(self) -> Command:
        with (self._folder / "worker.log").open("a") as log:
            return start_benefits(
                "worker", stdout=log.fileno(), stderr=log.fileno(), **self._variables
            )

    def _stop(self) -> None:
        """End all processes in peace; none may have ended by itself."""
        for worker in self._workers:
            worker.terminate()
        assert self._server.stop() == 0
        for worker in self._workers:
            # One that has just started doesn't listen to signals yet.
            assert worker.wait(STOP_SECONDS_MAX) in {0, -signal.SIGTERM}
