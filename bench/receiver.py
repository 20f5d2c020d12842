"""A receiver of events that answers 200 at once, in a process of its own.

`python -m bench.receiver` prints its port, and then an account as JSON for each line that it reads
from standard input: what has arrived since the one before.
"""

import asyncio
import json
import re
import sys
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import httptools
import uvloop

from bench.measurement import find_quantile

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
EVENT_TIME = re.compile(rb'"eventTime":"([^"]+)"')
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What arrived. A lag is the time from the event to its arrival, in milliseconds."""

    requests: int
    connections: int
    lag_p50_ms: float
    lag_p99_ms: float
    cpu_seconds: float


class Arrivals:
    """Counts what arrives."""

    def __init__(self) -> None:
        self.lags: list[float] = []
        self.connections = 0
        self._cpu_seconds = time.process_time()

    def take(self, body: bytes) -> None:
        """Count one event."""
        found = EVENT_TIME.search(body)
        assert found is not None, "every envelope tells the time of its event"
        happened = datetime.fromisoformat(found[1].decode()).timestamp()
        self.lags.append(1000 * (time.time() - happened))

    def close_account(self) -> Account:
        """Sum up, and begin anew."""
        ordered, self.lags = sorted(self.lags), []
        before, self._cpu_seconds = self._cpu_seconds, time.process_time()
        return Account(
            requests=len(ordered),
            connections=self.connections,
            lag_p50_ms=find_quantile(ordered, 0.50),
            lag_p99_ms=find_quantile(ordered, 0.99),
            cpu_seconds=self._cpu_seconds - before,
        )


class Connection(asyncio.Protocol):
    """One connection of a sender."""

    def __init__(self, arrivals: Arrivals) -> None:
        """Made by the server; requests may come once the transport is there."""
        self._arrivals = arrivals
        self._parser = httptools.HttpRequestParser(self)
        self._body: list[bytes] = []
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport
        self._arrivals.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        del exc
        self._arrivals.connections -= 1

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """Keep a piece of a request."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Take a request, and say so."""
        self._arrivals.take(b"".join(self._body))
        self._body.clear()
        self._transport.write(ANSWER)


async def receive() -> None:
    """Serve until standard input ends."""
    loop, arrivals = asyncio.get_running_loop(), Arrivals()
    server = await loop.create_server(lambda: Connection(arrivals), HOST, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(asdict(arrivals.close_account())), flush=True)
    server.close()


def main() -> None:
    """Receive."""
    uvloop.run(receive())


if __name__ == "__main__":
    main()
