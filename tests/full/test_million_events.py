"""A replay of a million events: all come, and the server needs no more memory than for a few."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import httpx
import pytest

from tests.support.calls import Caller
from tests.support.crowd import gather_crowd
from tests.support.databases import run_apart
from tests.support.service import FIRST_KEY
from tests.support.serving import ServerProcess
from tests.support.webhooks import DELIVERING, create_endpoint, progress_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = [pytest.mark.full, pytest.mark.anyio, pytest.mark.timeout(3_600)]

ENGINES = ["sqlite"]
MEMBERS = 170_000
EVENTS_EACH = 6
"""What the provisioning of a member tells: of the program, its pool, the credits."""

MEGABYTES_MORE_MAX = 64
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
PLACES = """
update events set position = p.place from (
    select id, row_number() over (order by entity_id, sequence) as place from events
    where entity in ('program', 'pool')
) p where events.id = p.id
"""
"""Gives copies of events their places in the feed, which copying leaves out."""


class Counter(asyncio.Protocol):
    """A receiver that takes everything, and keeps the ids alone."""

    ids: set[bytes]
    count: int
    goal: int
    reached: asyncio.Event

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a connection."""
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        """Answer each request that is complete."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = re.search(rb"content-length: (\d+)", head)
            id_ = re.search(rb"webhook-id: (\S+)", head)
            assert length is not None
            assert id_ is not None
            if len(self._buffer) < end + 4 + int(length[1]):
                return
            self._buffer = self._buffer[end + 4 + int(length[1]) :]
            self._count(id_[1])
            assert isinstance(self._transport, asyncio.WriteTransport)
            self._transport.write(ANSWER)

    def _count(self, id_: bytes) -> None:
        kind = type(self)
        kind.ids.add(bytes.fromhex(id_.decode().replace("-", "")))
        kind.count += 1
        if len(kind.ids) >= kind.goal:
            kind.reached.set()


@asynccontextmanager
async def counting() -> AsyncIterator[tuple[str, type[Counter]]]:
    """A receiver, and what it has counted."""
    kind = type("OwnCounter", (Counter,), {"ids": set(), "count": 0, "goal": sys.maxsize})
    kind.reached = asyncio.Event()
    server = await asyncio.get_running_loop().create_server(kind, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", kind
    server.close()


def megabytes_of(pid: int) -> int:
    """How much memory a process has at the moment."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4_096 // 2**20


async def test_a_million_events_are_replayed(database_url: str, tmp_path: Path) -> None:
    """Every event comes, in steady memory, with its progress recorded; the test prints how fast."""
    await asyncio.to_thread(lambda: run_apart(gather_crowd(database_url, programs=MEMBERS)))
    connection = apsw.Connection(database_url.removeprefix("sqlite:///"))
    connection.execute(PLACES)
    connection.close()
    server = ServerProcess(
        ["--log-format", "json"],
        tmp_path / "log",
        BENEFITS_DATABASE_URL=database_url,
        BENEFITS_BOOTSTRAP_API_KEY=FIRST_KEY,
        **DELIVERING,
    )
    async with (
        counting() as (url, counter),
        httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as client,
    ):
        caller = Caller(client, FIRST_KEY)
        endpoint = await create_endpoint(caller, url, deliveryLog="FAILURES")
        replay = {"webhookEndpointId": endpoint["id"], "since": "2020-01-01T00:00:00.000Z"}
        await caller.call("replayWebhookEndpoint", replay)
        began, sizes, cursors = time.monotonic(), [], set()
        for share in range(1, 11):
            counter.goal, counter.reached = MEMBERS * EVENTS_EACH * share // 10, asyncio.Event()
            await counter.reached.wait()
            sizes.append(megabytes_of(server.process.pid))
            cursors.add((await progress_of(caller, endpoint))["cursor"])
        seconds = time.monotonic() - began
        told = f"{len(counter.ids)} events in {seconds:.0f} s, memory {sizes} MB"
        print(told)  # noqa: T201 - a long run is made for its figures
        assert max(sizes) < sizes[0] + MEGABYTES_MORE_MAX
        assert len(cursors) == len(sizes), "progress is recorded all the while"
        assert int((await progress_of(caller, endpoint)).get("pendingCount", 0)) == 0
    assert server.stop() == 0
