"""A way to a server that can be shut, or go silent, while the server itself goes on."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CHUNK_BYTES = 65_536


class Gate:
    """Passes on what comes to ``place``."""

    def __init__(self, host: str, port: int) -> None:
        self._behind = (host, port)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._ways: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self._port}"

    async def open(self) -> None:
        """Let connections in, the second time at the same port."""
        self._flowing.set()
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Drop all connections, and refuse new ones."""
        assert self._server is not None
        self._server.close()
        for way in self._ways:
            way.cancel()
        await asyncio.gather(*self._ways, return_exceptions=True)
        await self._server.wait_closed()

    def silence(self) -> None:
        """Pass nothing on any more, and drop nothing either."""
        self._flowing.clear()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        way = asyncio.current_task()
        assert way is not None
        self._ways.add(way)
        way.add_done_callback(self._ways.discard)
        with suppress(OSError, asyncio.CancelledError):
            behind_reader, behind_writer = await asyncio.open_connection(*self._behind)
            try:
                await asyncio.gather(
                    self._copy(reader, behind_writer), self._copy(behind_reader, writer)
                )
            finally:
                behind_writer.close()
        writer.close()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            await self._flowing.wait()
            writer.write(chunk)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def open_gate(place: str) -> AsyncIterator[Gate]:
    """A gate to a server, open at first."""
    host, _, port = place.rpartition(":")
    gate = Gate(host, int(port))
    await gate.open()
    try:
        yield gate
    finally:
        await gate.shut()
