"""How processes that share a listener share its connections: whoever has fewest takes the next.

Left to itself, whichever process wakes first takes all that wait. Connections are kept for long, so
one of two processes could have most of the callers for hours while the other one idles.
"""

from __future__ import annotations

import asyncio
import errno
import mmap
import socket
from collections.abc import Callable, Collection
from typing import Any

import structlog
import uvicorn

from benefit_programs.api.connections import OpenConnections

PROCESSES_MAX = 256
"""More than processes serve: while they are replaced, the old ones are still there."""

LEFT_SECONDS_MAX = 0.002
"""How long a connection is left to a process that has fewer; that may have no time for it."""

EXHAUSTED_SECONDS = 1.0
"""How long nobody is taken where the system has no more files or memory to give."""

_NOBODY = -1
_BYTES = 8
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

_log = structlog.get_logger("benefit_programs.accepting")


class Shares:
    """How many connections each process has, in memory that forks share."""

    def __init__(self) -> None:
        self._counts: memoryview[int] = memoryview(mmap.mmap(-1, PROCESSES_MAX * _BYTES)).cast("q")
        for place in range(PROCESSES_MAX):
            self._counts[place] = _NOBODY

    def take(self, taken: Collection[int]) -> Share:
        """The share of a new process, at a place that isn't taken."""
        place = next(each for each in range(PROCESSES_MAX) if each not in taken)
        # Whoever was there before may have had no time to leave it.
        self._counts[place] = _NOBODY
        return Share(self._counts, place)


class Share:
    """The share of one process."""

    def __init__(self, counts: memoryview[int], place: int) -> None:
        self.place = place
        self._counts = counts

    @property
    def count(self) -> int:
        """How many it has."""
        return self._counts[self.place]

    @count.setter
    def count(self, number: int) -> None:
        self._counts[self.place] = number

    def begin(self) -> None:
        """Count the connections of this process where all can see it."""
        self.count = OpenConnections.count
        OpenConnections.cell = self._counts[self.place : self.place + 1]

    def end(self) -> None:
        """Count by itself again: nothing must be left to this process any more."""
        OpenConnections.count_apart()
        self.count = _NOBODY

    def is_largest(self) -> bool:
        """Whether another process that takes connections has fewer."""
        own = self.count
        return any(0 <= each < own for each in self._counts)


class Acceptor:
    """Takes connections from a listener one at a time, and leaves them to who has fewer."""

    def __init__(
        self,
        listener: socket.socket,
        make_protocol: Callable[[], asyncio.Protocol],
        share: Share,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._make_protocol = make_protocol
        self._share = share
        self._later: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        listener.setblocking(False)
        share.begin()
        self._listen()

    def close(self) -> None:
        """Take nobody any more."""
        self._loop.remove_reader(self._listener)
        if self._later is not None:
            self._later.cancel()
        self._share.end()

    async def wait_closed(self) -> None:
        """Return when those whom it has taken are connected."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _listen(self) -> None:
        self._later = None
        self._loop.add_reader(self._listener, self._look)

    def _wait(self, seconds: float, then: Callable[[], None]) -> None:
        self._loop.remove_reader(self._listener)
        self._later = self._loop.call_later(seconds, then)

    def _look(self) -> None:
        if self._share.is_largest():
            self._wait(LEFT_SECONDS_MAX, self._take_anyway)
        else:
            self._take()

    def _take_anyway(self) -> None:
        """Take what nobody else has taken meanwhile."""
        self._listen()
        self._take()

    def _take(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError as error:
            # Another process was quicker, or the client has gone.
            if error.errno in _EXHAUSTED:
                _log.error("no connection can be taken", reason=error.strerror)
                self._wait(EXHAUSTED_SECONDS, self._listen)
            return
        making = self._loop.connect_accepted_socket(self._make_protocol, connection)
        task = self._loop.create_task(making)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class SharingServer(uvicorn.Server):
    """A server in one of several processes that share a listener."""

    def __init__(self, config: uvicorn.Config, share: Share) -> None:
        super().__init__(config)
        self._share = share

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, and then take connections."""
        await super().startup([])
        acceptors: list[Any] = [
            Acceptor(each, self._make_protocol, self._share) for each in sockets or ()
        ]
        self.servers += acceptors

    def _make_protocol(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
