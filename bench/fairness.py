"""Fairness: what one tenant at full rate costs another one that asks a little.

A quiet tenant asks some times a second, alone and beside a noisy one whose callers never rest, in
turns. Both loads are processes of their own. ``late`` is how long the quiet load itself had to wait
for a core of the machine, which no server can help. Nor can it help what a noisy tenant of another
server on the same machine costs, with a database of its own: it is measured too, as ``elsewhere``.
"""

import json
import os
import subprocess
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import product
from statistics import median
from typing import Any

from bench.client import http_client
from bench.environment import describe_environment
from bench.legs import Times
from bench.load import Plan
from bench.measurement import Measurement
from bench.names import OURS_POSTGRES, OURS_SQLITE, is_wanted
from bench.report import align, format_environment, write_results
from bench.scenarios import State, set_up
from bench.servers import HOST, ROOT, Server, benefits_command, prepare_server
from bench.session import measuring, open_place

STORES = (OURS_SQLITE, OURS_POSTGRES)
SCENARIOS = ("redeem", "get-balance")
NOISY_CONNECTIONS = (64, 256)
QUIET_CONNECTIONS = 2
QUIET_PAUSE_SECONDS = 0.04
POOLS = 50
NOISY_SECONDS_MORE = 4.0
"""How much longer the noisy tenant asks, so that the quiet one has company to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A tenant of a server, and what its requests are made from."""

    api_key: str
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the quiet tenant saw in a round, beside so many callers of the noisy one, or none.

    ``elsewhere`` the noisy one is another server's.
    """

    store: str
    quiet: str
    measured: Measurement
    noisy: str | None = None
    connections: int = 0
    noisy_per_second: float | None = None
    elsewhere: bool = False

    @property
    def beside(self) -> str:
        if not self.noisy:
            return "nobody"
        return f"{self.noisy} x {self.connections}{' elsewhere' if self.elsewhere else ''}"


def run_fairness(chosen: Namespace) -> bool:
    """Measure both engines, print it, write the file."""
    environment = describe_environment()
    times = Times(warmup_seconds=chosen.warmup, measured_seconds=chosen.seconds)
    scenarios = [each for each in SCENARIOS if each in chosen.scenarios]
    connections = chosen.connections or NOISY_CONNECTIONS
    seen: list[Seen] = []
    for store in STORES:
        if is_wanted(store, chosen.only):
            with ExitStack() as stack:
                here, there = (stack.enter_context(open_tenants(store)) for _ in range(2))
                for _ in range(chosen.rounds):
                    seen += measure_round(here, there, scenarios, connections, times)
    settings = {"rounds": chosen.rounds, **asdict(times), "pause": QUIET_PAUSE_SECONDS}
    content = {"environment": environment, "settings": settings}
    write_results("fairness", {**content, "seen": [asdict(each) for each in seen]})
    print(f"\n{format_environment(environment, settings)}\n")
    print(align(format_seen(seen)))
    return not any(each.measured.errors for each in seen)


Serving = tuple[Server, tuple[Tenant, Tenant]]
"""A server with its quiet tenant and its noisy one."""


def measure_round(
    here: Serving,
    there: Serving,
    scenarios: Sequence[str],
    connections: Sequence[int],
    times: Times,
) -> Iterator[Seen]:
    """Let the quiet tenant ask alone, then beside each noise in both places."""
    server, (quiet, _) = here
    longer = replace(times, measured_seconds=times.measured_seconds + NOISY_SECONDS_MORE)
    for asked in scenarios:
        plan = plan_of(server, quiet, asked, QUIET_CONNECTIONS, times, QUIET_PAUSE_SECONDS)
        with measuring("bench.load", plan) as finish:
            yield _told(Seen(store=server.name, quiet=asked, measured=finish()))
        for noise, callers, (other, (_, noisy)) in product(scenarios, connections, (here, there)):
            loud = plan_of(other, noisy, noise, callers, longer)
            with (
                measuring("bench.load", loud) as finish_noisy,
                measuring("bench.load", plan) as finish_quiet,
            ):
                seen = Seen(
                    store=server.name,
                    quiet=asked,
                    measured=finish_quiet(),
                    noisy=noise,
                    connections=callers,
                    noisy_per_second=finish_noisy().per_second,
                    elsewhere=other is not server,
                )
            yield _told(seen)


def plan_of(
    server: Server,
    tenant: Tenant,
    scenario: str,
    connections: int,
    times: Times,
    pause_seconds: float = 0.0,
) -> dict[str, Any]:
    """What the load of one tenant does."""
    plan = Plan(
        scenario=scenario,
        state=tenant.state,
        host=HOST,
        port=server.port,
        api_key=tenant.api_key,
        connections=connections,
        pause_seconds=pause_seconds,
        **asdict(times),
    )
    return asdict(plan)


@contextmanager
def open_tenants(store: str) -> Iterator[Serving]:
    """Serve a store of its own with two tenants, each with pools of its own."""
    with ExitStack() as stack:
        launch = prepare_server(store, stack.enter_context(open_place([store])))
        server = stack.enter_context(launch.start())
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
    groups: dict[tuple[str, str, str], list[Seen]] = {}
    for each in seen:
        groups.setdefault((each.store, each.quiet, each.beside), []).append(each)
    rows: list[tuple[str, ...]] = [heading]
    for (store, quiet, beside), company in groups.items():
        alone = groups[store, quiet, "nobody"]
        p50, p99 = _median(company, "p50_ms"), _median(company, "p99_ms")
        noisy = [each.noisy_per_second for each in company if each.noisy_per_second is not None]
        rows.append(
            (
                store,
                quiet,
                beside,
                f"{p50:.2f}",
                f"{p99:.2f}",
                f"{p50 / _median(alone, 'p50_ms'):.2f}",
                f"{p99 / _median(alone, 'p99_ms'):.2f}",
                f"{_median(company, 'load_late_p99_ms'):.2f}",
                f"{median(noisy):,.0f}" if noisy else "",
            )
        )
    return rows


def _median(company: Sequence[Seen], figure: str) -> float:
    return median(getattr(each.measured, figure) or 0.0 for each in company)


def _told(seen: Seen) -> Seen:
    measured = seen.measured
    print(
        f"{seen.store}: {seen.quiet} beside {seen.beside}: p50 {measured.p50_ms:.2f} ms,"
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
