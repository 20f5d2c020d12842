"""The load generator: its own process, a closed loop on each of N connections.

`python -m bench.load` reads a plan as JSON from standard input and writes what it measured as JSON
to standard output. Each connection sends its next request as soon as its answer came, or after a
pause.
"""

import asyncio
import json
import random
import sys
import time
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from typing import Any

import uvloop

from bench.client import Request
from bench.connection import Connection
from bench.measurement import Measurement, Recorder, find_quantile
from bench.scenarios import SCENARIOS

DRAIN_SECONDS_MAX = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to send, where to and for how long."""

    scenario: str
    state: dict[str, Any]
    host: str
    port: int
    api_key: str
    connections: int
    warmup_seconds: float
    measured_seconds: float
    pause_seconds: float = 0.0
    """How long each connection rests after an answer."""


class Load:
    """Keeps every connection busy until the end."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._scenario = SCENARIOS[plan.scenario]
        self._next_request = self._scenario.make_requests(plan.state)
        self._busy = plan.connections
        self._halfway: set[Connection] = set()
        """Those whose first request was answered, and whose second one wasn't yet."""

        self._drained = asyncio.Event()
        self._recorder: Recorder
        self._late: list[float] = []
        """By how much pauses were too long, because this process had to wait for a core."""

    async def run(self) -> Measurement:
        """Connect, warm up, measure, wait for the last answers."""
        plan = self._plan
        loop = asyncio.get_running_loop()
        connections = [
            (await loop.create_connection(lambda: Connection(self), plan.host, plan.port))[1]
            for _ in range(plan.connections)
        ]
        self._recorder = Recorder(
            warmup_seconds=plan.warmup_seconds, measured_seconds=plan.measured_seconds
        )
        for connection in connections:
            self._begin(connection)
        await asyncio.sleep(plan.warmup_seconds)
        cpu_before = time.process_time()
        await asyncio.sleep(plan.measured_seconds)
        cpu_seconds = time.process_time() - cpu_before
        await self._drain(connections)
        self._check_last_answer()
        share = cpu_seconds / plan.measured_seconds
        late = find_quantile(sorted(self._late), 0.99) * 1000 if self._late else None
        measurement = self._recorder.measurement()
        return replace(measurement, load_cpu_share=share, load_late_p99_ms=late)

    def take_answer(self, connection: Connection, status: int, body: bytes) -> None:
        """Count one answer and send the next request, or first the one that it leads to."""
        follow_up = self._scenario.follow_up
        if follow_up and status == HTTPStatus.OK and connection not in self._halfway:
            self._halfway.add(connection)
            self._send(connection, follow_up(json.loads(body)), at=connection.sent_at)
            return
        self._halfway.discard(connection)
        self._recorder.take(status, body, sent_at=connection.sent_at)
        if self._recorder.is_over():
            self._retire()
        elif self._plan.pause_seconds:
            self._begin_later(connection)
        else:
            self._begin(connection)

    def take_failure(self, connection: Connection, reason: str) -> None:
        """Count a broken connection, which stays broken."""
        del connection
        self._recorder.take_error(reason)
        self._retire()

    def _begin_later(self, connection: Connection) -> None:
        pause = self._plan.pause_seconds * random.uniform(0.5, 1.5)
        due = time.perf_counter() + pause

        def begin() -> None:
            self._late.append(time.perf_counter() - due)
            self._begin(connection)

        asyncio.get_running_loop().call_later(pause, begin)

    def _begin(self, connection: Connection) -> None:
        self._send(connection, self._next_request(), at=time.perf_counter())

    def _send(self, connection: Connection, request: Request, *, at: float) -> None:
        """Send a request of what began at an instant."""
        sent = request.encode(host=self._plan.host, api_key=self._plan.api_key)
        connection.send(sent, at=at)

    def _retire(self) -> None:
        self._busy -= 1
        if self._busy == 0:
            self._drained.set()

    async def _drain(self, connections: list[Connection]) -> None:
        try:
            await asyncio.wait_for(self._drained.wait(), DRAIN_SECONDS_MAX)
        except TimeoutError:
            self._recorder.take_error("no answer", self._busy)
        for connection in connections:
            connection.close()

    def _check_last_answer(self) -> None:
        body = self._recorder.last_body
        if body and not self._scenario.check_answer(json.loads(body)):
            self._recorder.take_error(f"not the answer expected: {body[:200]!r}")


def main() -> None:
    """Run the plan of standard input."""
    plan = Plan(**json.load(sys.stdin))
    json.dump(asdict(uvloop.run(Load(plan).run())), sys.stdout)


if __name__ == "__main__":
    main()
