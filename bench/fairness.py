"""Fairness: what one tenant at full rate costs another one that asks a little.

A quiet tenant asks some times a second, alone and beside a noisy one whose callers never rest, in
turns. Both loads are processes of their own. ``late`` is how long the quiet load itself had to wait
for a core of the machine, which no server can help.
"""

import json
import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from bench.client import http_client
from bench.environment import describe_environment
from bench.legs import Times
from bench.load import Plan
from bench.measurement import Measurement
from bench.names import OURS_POSTGRES, OURS_SQLITE
from bench.report import align, format_environment, write_results
from bench.scenarios import State, set_up
from bench.servers import HOST, ROOT, Place, Server, benefits_command, prepare_server
from bench.session import open_place

STORES = (OURS_SQLITE, OURS_POSTGRES)
SCENARIOS = ("redeem", "get-balance")
NOISY_CONNECTIONS = (64, 256)
QUIET_CONNECTIONS = 2
QUIET_PAUSE_SECONDS = 0.04
POOLS = 50
LEAD_SECONDS = 2.0
"""So long before and after what is measured of the quiet tenant the noisy one is at work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A tenant of a server, and what its requests are made from."""

    api_key: str
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the quiet tenant saw in a round, beside so many callers of the noisy one, or none."""

    store: str
    quiet: str
    noisy: str | None
    connections: int
    measured: Measurement
    noisy_per_second: float | None


def run_fairness(chosen: Namespace) -> bool:
    """Measure both engines, print it, write the file."""
    environment = describe_environment()
    times = Times(warmup_seconds=chosen.warmup, measured_seconds=chosen.seconds)
    scenarios = [each for each in SCENARIOS if each in chosen.scenarios]
    connections = chosen.connections or NOISY_CONNECTIONS
    seen: list[Seen] = []
    for store in STORES:
        if chosen.only is None or store.startswith(tuple(chosen.only)):
            with open_place([store]) as place, open_tenants(store, place) as (server, both):
                for _ in range(chosen.rounds):
                    seen += measure_round(server, both, scenarios, connections, times)
    settings = {"rounds": chosen.rounds, **asdict(times), "pause": QUIET_PAUSE_SECONDS}
    content = {"environment": environment, "settings": settings}
    path = write_results("fairness", {**content, "seen": [asdict(each) for each in seen]})
    print(f"\n{format_environment(environment, settings)}\n")
    print(align(format_seen(seen)))
    print(f"\nwritten to {path.relative_to(ROOT)}")
    return not any(each.measured.errors for each in seen)


def measure_round(
    server: Server,
    both: tuple[Tenant, Tenant],
    scenarios: Sequence[str],
    connections: Sequence[int],
    times: Times,
) -> Iterator[Seen]:
    """Let the quiet tenant ask alone, then beside each noise."""
    quiet, noisy = both
    for asked in scenarios:
        plan = plan_of(server, quiet, asked, QUIET_CONNECTIONS, times, QUIET_PAUSE_SECONDS)
        with running(plan) as finish:
            alone = finish()
        yield _told(
            Seen(
                store=server.name,
                quiet=asked,
                noisy=None,
                connections=0,
                measured=alone,
                noisy_per_second=None,
            )
        )
        for noise in scenarios:
            for callers in connections:
                longer = Times(
                    warmup_seconds=times.warmup_seconds,
                    measured_seconds=times.measured_seconds + 2 * LEAD_SECONDS,
                )
                with (
                    running(plan_of(server, noisy, noise, callers, longer)) as finish_noisy,
                    running(plan) as finish_quiet,
                ):
                    measured = finish_quiet()
                    loud = finish_noisy()
                yield _told(
                    Seen(
                        store=server.name,
                        quiet=asked,
                        noisy=noise,
                        connections=callers,
                        measured=measured,
                        noisy_per_second=loud.per_second,
                    )
                )


def plan_of(
    server: Server,
    tenant: Tenant,
    scenario: str,
    connections: int,
    times: Times,
    pause_seconds: float = 0.0,
) -> Plan:
    """What the load of one tenant does."""
    return Plan(
        scenario=scenario,
        state=tenant.state,
        host=HOST,
        port=server.port,
        api_key=tenant.api_key,
        connections=connections,
        pause_seconds=pause_seconds,
        **asdict(times),
    )


@contextmanager
def running(plan: Plan) -> Iterator[Callable[[], Measurement]]:
    """Start a load, whose end can be waited for."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.load"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(asdict(plan)))
    process.stdin.close()
    process.stdin = None

    def finish() -> Measurement:
        return Measurement(**json.loads(process.communicate()[0]))

    try:
        yield finish
    finally:
        process.kill()
        process.wait()


@contextmanager
def open_tenants(store: str, place: Place) -> Iterator[tuple[Server, tuple[Tenant, Tenant]]]:
    """Serve a store with two tenants, each with pools of its own."""
    launch = prepare_server(store, place)
    with launch.start() as server:
        keys = [server.api_key, _make_tenant(launch.environment)]
        tenants = []
        for key in keys:
            with http_client(host=HOST, port=server.port, api_key=key) as client:
                tenants.append(Tenant(api_key=key, state=set_up(client, programs=POOLS)))
        yield server, (tenants[0], tenants[1])


def format_fairness(content: dict[str, Any]) -> list[tuple[str, list[tuple[str, ...]]]]:
    """The table of a run."""
    seen = [
        Seen(**{**each, "measured": Measurement(**each["measured"])}) for each in content["seen"]
    ]
    return [("a quiet tenant beside a noisy one", format_seen(seen))]


def format_seen(seen: Sequence[Seen]) -> list[tuple[str, ...]]:
    """A row for each company, with how many times as long as alone the quiet tenant waited."""
    heading = ("store", "quiet", "beside", "p50 ms", "p99 ms", "x p50", "x p99", "late", "noisy/s")
    groups: dict[tuple[str, str, str | None, int], list[Seen]] = {}
    for each in seen:
        groups.setdefault((each.store, each.quiet, each.noisy, each.connections), []).append(each)
    rows: list[tuple[str, ...]] = [heading]
    for (store, quiet, noisy, callers), company in groups.items():
        alone = groups[store, quiet, None, 0]
        p50, p99, late = (
            median(value(each.measured) for each in company) for value in (_p50, _p99, _late)
        )
        rows.append(
            (
                store,
                quiet,
                f"{noisy} x {callers}" if noisy else "nobody",
                f"{p50:.2f}",
                f"{p99:.2f}",
                f"{p50 / median(_p50(each.measured) for each in alone):.2f}",
                f"{p99 / median(_p99(each.measured) for each in alone):.2f}",
                f"{late:.2f}",
                f"{median(each.noisy_per_second or 0 for each in company):,.0f}" if noisy else "",
            )
        )
    return rows


def _p50(measured: Measurement) -> float:
    return measured.p50_ms


def _p99(measured: Measurement) -> float:
    return measured.p99_ms


def _late(measured: Measurement) -> float:
    return measured.load_late_p99_ms or 0.0


def _told(seen: Seen) -> Seen:
    measured = seen.measured
    beside = f"{seen.noisy} x {seen.connections}" if seen.noisy else "nobody"
    print(
        f"{seen.store}: {seen.quiet} beside {beside}: p50 {measured.p50_ms:.2f} ms,"
        f" p99 {measured.p99_ms:.2f} ms, {measured.answers} answers, errors {measured.errors}",
        flush=True,
    )
    return seen


def _make_tenant(environment: dict[str, str]) -> str:
    """Make another tenant, and a key of it."""

    def run(*arguments: str) -> dict[str, Any]:
        done = subprocess.run(
            [benefits_command(), *arguments, "--json"],
            env={**os.environ, **environment},
            cwd=ROOT,
            check=True,
            stdout=subprocess.PIPE,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    tenant = run("tenants", "create", "noisy")
    secret: str = run("keys", "create", "noisy", "--tenant", str(tenant["id"]))["secret"]
    return secret
