"""The load generator: its own process, a closed loop on each of N connections.

`python -m bench.load` reads a plan as JSON from standard input and writes what it measured as JSON
to standard output. Each connection sends its next request as soon as its answer came.
"""

import asyncio
import json
import sys
import time
from array import array
from collections import Counter
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, Self

import uvloop

from bench.connection import Connection
from bench.scenarios import SCENARIOS

DRAIN_SECONDS_MAX = 20.0
REASONS_MAX = 20
MORE_REASONS = "for more reasons than are told apart"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What one run of the load generator saw; times are in milliseconds."""

    answers: int
    errors: dict[str, int]
    per_second: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    generator_cpu_share: float

    @classmethod
    def of(
        cls, latencies: list[float], errors: Counter[str], *, seconds: float, cpu_seconds: float
    ) -> Self:
        """Sum up the latencies (in seconds) of the answers that were 200."""
        ordered = sorted(latencies)
        return cls(
            answers=len(ordered),
            errors=dict(errors),
            per_second=len(ordered) / seconds,
            p50_ms=find_quantile(ordered, 0.50) * 1000,
            p99_ms=find_quantile(ordered, 0.99) * 1000,
            max_ms=find_quantile(ordered, 1.0) * 1000,
            generator_cpu_share=cpu_seconds / seconds,
        )


def find_quantile(ordered: list[float], share: float) -> float:
    """Return the value that so large a share of the ordered values doesn't exceed; 0 of none."""
    if not ordered:
        return 0.0
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Load:
    """Keeps every connection busy until the end, and counts what comes back in between.

    Every answer counts for the errors, from the first request on; only 200s that came within the
    measured seconds count for the rate and the latencies.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._scenario = SCENARIOS[plan.scenario]
        self._next_request = self._scenario.make_requests(plan.state)
        self._latencies = array("d")
        self._errors: Counter[str] = Counter()
        self._measure_from = self._measure_until = float("inf")
        self._busy = 0
        self._drained = asyncio.Event()
        self._last_body = b""

    async def run(self) -> Measurement:
        """Connect, warm up, measure, wait for the last answers."""
        plan = self._plan
        loop = asyncio.get_running_loop()
        connections = [
            (await loop.create_connection(lambda: Connection(self), plan.host, plan.port))[1]
            for _ in range(plan.connections)
        ]
        self._measure_from = time.perf_counter() + plan.warmup_seconds
        self._measure_until = self._measure_from + plan.measured_seconds
        self._busy = len(connections)
        for connection in connections:
            self._send(connection, time.perf_counter())
        await asyncio.sleep(plan.warmup_seconds)
        cpu_before = time.process_time()
        await asyncio.sleep(plan.measured_seconds)
        cpu_seconds = time.process_time() - cpu_before
        await self._drain(connections)
        self._check_last_answer()
        return Measurement.of(
            self._latencies.tolist(),
            self._errors,
            seconds=plan.measured_seconds,
            cpu_seconds=cpu_seconds,
        )

    def take_answer(self, connection: Connection, status: int, body: bytes) -> None:
        """Count one answer and send the next request."""
        now = time.perf_counter()
        if status != HTTPStatus.OK:
            self._count_error(f"{status} {body[:200].decode(errors='replace')}")
        elif self._measure_from <= now < self._measure_until:
            self._latencies.append(now - connection.sent_at)
            self._last_body = body
        if now < self._measure_until:
            self._send(connection, now)
        else:
            self._retire()

    def take_failure(self, connection: Connection, reason: str) -> None:
        """Count a broken connection, which stays broken."""
        del connection
        self._count_error(reason)
        self._retire()

    def _count_error(self, reason: str) -> None:
        known = reason in self._errors or len(self._errors) < REASONS_MAX
        self._errors[reason if known else MORE_REASONS] += 1

    def _send(self, connection: Connection, now: float) -> None:
        request = self._next_request()
        connection.send(request.encode(host=self._plan.host, api_key=self._plan.api_key), at=now)

    def _retire(self) -> None:
        self._busy -= 1
        if self._busy == 0:
            self._drained.set()

    async def _drain(self, connections: list[Connection]) -> None:
        try:
            await asyncio.wait_for(self._drained.wait(), DRAIN_SECONDS_MAX)
        except TimeoutError:
            self._errors["no answer"] += self._busy
        for connection in connections:
            connection.close()

    def _check_last_answer(self) -> None:
        if self._last_body and not self._scenario.check_answer(json.loads(self._last_body)):
            self._count_error(f"not the answer expected: {self._last_body[:200]!r}")


def main() -> None:
    """Run the plan of standard input."""
    plan = Plan(**json.load(sys.stdin))
    measurement = uvloop.run(Load(plan).run())
    json.dump(asdict(measurement), sys.stdout)


if __name__ == "__main__":
    main()
