"""The load without HTTP: the service in the process that asks, one task for each caller.

`python -m bench.inprocess` reads a plan as JSON from standard input and writes what it measured as
JSON to standard output. Requests and answers are the bytes that HTTP would carry; keys aren't
asked for, since whoever has opened the database owns it.
"""

import asyncio
import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from typing import Any

import uvloop

from bench.client import JSON_TYPE, Client, Request
from bench.measurement import Measurement, Recorder
from bench.scenarios import SCENARIOS, FollowUp, NextRequest
from benefit_programs.client.core.calls import Request as ServiceRequest
from benefit_programs.inprocess import AsyncInProcessTransport, InProcessTransport


@contextmanager
def inprocess_client(database_url: str) -> Iterator[Client]:
    """Ask the service inside this process, which has the database open meanwhile."""
    with closing(InProcessTransport(database_url)) as transport:

        def exchange(request: Request) -> tuple[int, bytes]:
            answer = transport.send(to_service(request))
            return answer.status, answer.body

        yield Client(exchange)


def to_service(request: Request) -> ServiceRequest:
    """Write the request for a service in this process."""
    body = request.encode_body()
    return ServiceRequest(request.verb, request.path, JSON_TYPE if body else {}, body, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to ask, of which database and for how long."""

    scenario: str
    state: dict[str, Any]
    database_url: str
    callers: int
    warmup_seconds: float
    measured_seconds: float


async def run_plan(plan: Plan) -> Measurement:
    """Open the service, warm up, measure, close it."""
    scenario = SCENARIOS[plan.scenario]
    transport = AsyncInProcessTransport(plan.database_url)
    await transport.start()
    recorder = Recorder(warmup_seconds=plan.warmup_seconds, measured_seconds=plan.measured_seconds)
    next_request = scenario.make_requests(plan.state)
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(plan.callers):
                group.create_task(
                    _call_until_over(transport, next_request, scenario.follow_up, recorder)
                )
    finally:
        await transport.aclose()
    if recorder.last_body and not scenario.check_answer(json.loads(recorder.last_body)):
        recorder.take_error(f"not the answer expected: {recorder.last_body[:200]!r}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return replace(recorder.measurement(), peak_mebibytes=peak)


async def _call_until_over(
    transport: AsyncInProcessTransport,
    next_request: NextRequest,
    follow_up: FollowUp | None,
    recorder: Recorder,
) -> None:
    while not recorder.is_over():
        request = to_service(next_request())
        sent_at = time.perf_counter()
        answer = await transport.send(request)
        if follow_up is not None and answer.status == HTTPStatus.OK:
            answer = await transport.send(to_service(follow_up(json.loads(answer.body))))
        recorder.take(answer.status, answer.body, sent_at=sent_at)


def main() -> None:
    """Run the plan of standard input."""
    plan = Plan(**json.load(sys.stdin))
    json.dump(asdict(uvloop.run(run_plan(plan))), sys.stdout)


if __name__ == "__main__":
    main()
