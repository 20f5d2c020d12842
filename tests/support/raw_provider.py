"""A provider of any kind that answers with whatever bytes it is told to."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def reply(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n{headers}\r\n"
    return head.encode() + body


class RawServer:
    """A provider that keeps what it is asked, and says the same to everybody.

    Without an answer it says no more than ``start``, until it is closed.
    """

    def __init__(self, answer: bytes | None, *, start: bytes = b"") -> None:
        self.answer = answer
        self.start = start
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""
        self.together: asyncio.Barrier | None = None
        self._closing = asyncio.Event()

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client is gone: it has seen enough
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        pairs = (line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        headers = {name.lower(): value for name, value in pairs}
        self.headers.append(headers)
        self.bodies.append(await reader.readexactly(int(headers["content-length"])))
        if self.together:
            await self.together.wait()
        writer.write(self.start)
        if self.answer is None:
            await self._closing.wait()
            return
        writer.write(self.answer)
        await writer.drain()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[RawServer]:
        server = await asyncio.start_server(self.meet, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/ask?of=us"
        try:
            yield self
        finally:
            self._closing.set()
            server.close()
            await server.wait_closed()
