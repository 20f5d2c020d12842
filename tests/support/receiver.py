"""A receiver of webhooks: a real HTTP server in the test's event loop, which does as it is told."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.support.calls import Document

WAIT_SECONDS_MAX = 30


@dataclass(frozen=True)
class Received:
    """One request."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> Document:
        return json.loads(self.body)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Behaviour:
    """What a receiver does with a request: answer so, later, in part, or hang up."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    hangs_up: bool = False
    breaks_off: bool = False
    """Whether it hangs up in the middle of its answer."""

    waits_for: asyncio.Event | None = None


OK = Behaviour()


class Receiver:
    """Takes what comes; ``behave`` says what to do with a request."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.taken: list[Received] = []
        """Those that were answered with success."""

        self.behave: Callable[[Received], Behaviour] = lambda _: OK
        self.under_way = self.most_under_way = 0
        self._changed = asyncio.Condition()
        self._port = 0
        self._connections: set[asyncio.Task[Any]] = set()
        self._server: asyncio.Server
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/hooks"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Receiver]:
        await self.come_back()
        try:
            yield self
        finally:
            for task in self._connections:
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)
            self.die()

    async def come_back(self) -> None:
        """Listen, at the same port as before if there was one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    def die(self) -> None:
        """Listen no more, and break off whatever is under way."""
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def until(self, holds: Callable[[], Any]) -> None:
        """Wait until something holds of what was received."""
        async with asyncio.timeout(WAIT_SECONDS_MAX), self._changed:
            await self._changed.wait_for(lambda: bool(holds()))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "connections are served in tasks"
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        self._writers.add(writer)
        try:
            while True:
                request = await _read(reader)
                if request is None or not await self._answer(request, writer):
                    break
        except ConnectionError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, request: Received, writer: asyncio.StreamWriter) -> bool:
        """Answer a request; whether the connection goes on."""
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        self.received.append(request)
        behaviour = self.behave(request)
        await self._tell()
        if behaviour.waits_for is not None:
            await behaviour.waits_for.wait()
        self.under_way -= 1
        if behaviour.hangs_up or writer.is_closing():
            return False
        if behaviour.status < 300 and not behaviour.breaks_off:
            self.taken.append(request)
        length = len(behaviour.body) + behaviour.breaks_off
        headers = {"content-length": str(length), **behaviour.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {behaviour.status} So\r\n{lines}\r\n".encode() + behaviour.body)
        await writer.drain()
        await self._tell()
        return not behaviour.breaks_off

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


async def _read(reader: asyncio.StreamReader) -> Received | None:
    """The next request of a connection, or None at its end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        _, *lines = head.decode("latin-1").rstrip().split("\r\n")
        fields = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in fields}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return Received(headers, body)
