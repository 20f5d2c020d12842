"""Events on their way while redemptions run: rates, lag, and what it costs the processor."""

import json
import subprocess
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Any

from bench.client import Client, Request, http_client
from bench.environment import describe_environment
from bench.legs import Leg, Times
from bench.measurement import Measurement
from bench.names import OURS_POSTGRES, OURS_SQLITE, is_wanted
from bench.receiver import Account
from bench.report import align, format_environment, write_results
from bench.scenarios import PREFIX, set_up
from bench.servers import (
    HOST,
    Place,
    Server,
    prepare_server,
    read_cpu_seconds,
    run_module,
)
from bench.session import HttpContender, open_place

BESIDE_WORKER = f"{OURS_POSTGRES}+worker"
SETUPS = (OURS_SQLITE, OURS_POSTGRES, BESIDE_WORKER)
CONNECTIONS_DEFAULT = (64,)
POOLS = 200
SECONDS_BETWEEN_LOOKS = 0.1
STILL_SECONDS = 1.0
STILL_SECONDS_MAX = 120.0
ENVIRONMENT = {
    "BENEFITS_OUTGOING_NETWORKS": "127.0.0.0/8",
    "BENEFITS_SECRET_KEY": "QmVuY2htYXJrcyBoYXZlIG5vIHNlY3JldHMgYXQgYWw=",
}

NONE, REDEEMED, ALL = "none", "benefit_redeemed", "all"
WANTED: dict[str, list[str]] = {
    REDEEMED: ["wix.benefit_programs.v1.pool_benefit_redeemed"],
    ALL: [],
}
"""The types of events that an endpoint gets; none named means all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Redemptions beside deliveries. Times of the processor are seconds of all of it."""

    setup: str
    events: str
    redemptions: Measurement
    server_cpu: float
    worker_cpu: float
    arrived: Account | None = None

    @property
    def cost(self) -> float:
        """Seconds of the server for each redemption, with all that it does beside."""
        return self.server_cpu / max(self.redemptions.answers, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Deliveries of what has happened before, beside nothing."""

    setup: str
    events: int
    seconds: float
    cpu: float


class Receiver:
    """A receiver in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.url = f"http://{HOST}:{int(self._read())}/hooks"

    def account(self) -> Account:
        """Tell what has arrived since the last account."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return Account(**json.loads(self._read()))

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@contextmanager
def open_receiver() -> Iterator[Receiver]:
    """Start a receiver; it is gone after the block."""
    with run_module("bench.receiver") as process:
        yield Receiver(process)


class Stage:
    """A server, perhaps a worker, and a receiver."""

    def __init__(
        self, name: str, server: Server, worker: int | None, receiver: Receiver, client: Client
    ) -> None:
        self._name = name
        self._server = server
        self._worker = worker
        self._receiver = receiver
        self._client = client
        self._contender = HttpContender(server, set_up(client, programs=POOLS))

    def keep_company(self, events: str, connections: int, times: Times) -> Company:
        """Redeem while events are delivered, or are not."""
        if events == NONE:
            return self._redeem(events, connections, times)
        with self._endpoint(WANTED[events]):
            company = self._redeem(events, connections, times)
            self._await_stillness()
        return company

    def catch_up(self, connections: int, times: Times) -> Backlog:
        """Redeem while nothing is delivered, then deliver all of it."""
        with self._endpoint(WANTED[ALL]) as created:
            endpoint = self._switch(created, active=False)
            self._redeem(NONE, connections, times)
            self._receiver.account()
            began, cpu = time.monotonic(), self._cpu()
            self._switch(endpoint, active=True)
            events, ended, cpu_then = self._await_stillness()
        return Backlog(
            setup=self._name,
            events=events,
            seconds=ended - began,
            cpu=sum(cpu_then) - sum(cpu),
        )

    def _redeem(self, events: str, connections: int, times: Times) -> Company:
        leg = Leg("redeem", self._server.name, connections)
        warmup = Times(warmup_seconds=0, measured_seconds=times.warmup_seconds)
        self._contender.measure(leg, warmup)
        self._receiver.account()
        server, worker = self._cpu()
        measured = self._contender.measure(leg, replace(times, warmup_seconds=0))
        arrived = self._receiver.account()
        server_then, worker_then = self._cpu()
        return Company(
            setup=self._name,
            events=events,
            redemptions=measured,
            server_cpu=server_then - server,
            worker_cpu=worker_then - worker,
            arrived=None if events == NONE else arrived,
        )

    @contextmanager
    def _endpoint(self, types: list[str]) -> Iterator[dict[str, Any]]:
        fields = {"url": self._receiver.url, "eventTypes": types}
        path = f"{PREFIX}/webhook-endpoints"
        endpoint = self._client.post(path, {"webhookEndpoint": fields})["webhookEndpoint"]
        try:
            yield endpoint
        finally:
            self._client.send(Request("DELETE", f"{path}/{endpoint['id']}"))

    def _switch(self, endpoint: dict[str, Any], *, active: bool) -> dict[str, Any]:
        fields = {"id": endpoint["id"], "revision": endpoint["revision"], "active": active}
        path = f"{PREFIX}/webhook-endpoints/{endpoint['id']}"
        answer = self._client.send(Request("PATCH", path, {"webhookEndpoint": fields}))
        changed: dict[str, Any] = answer["webhookEndpoint"]
        return changed

    def _await_stillness(self) -> tuple[int, float, tuple[float, float]]:
        """Wait until nothing arrives any more; how many did, when the last, and the CPU then."""
        events, last, cpu = 0, time.monotonic(), self._cpu()
        deadline = last + STILL_SECONDS_MAX
        while time.monotonic() < min(last + STILL_SECONDS, deadline):
            time.sleep(SECONDS_BETWEEN_LOOKS)
            if arrived := self._receiver.account().requests:
                events, last, cpu = events + arrived, time.monotonic(), self._cpu()
        return events, last, cpu

    def _cpu(self) -> tuple[float, float]:
        worker = read_cpu_seconds(self._worker) if self._worker is not None else 0.0
        return read_cpu_seconds(self._server.process_id), worker


@contextmanager
def open_stage(name: str, place: Place) -> Iterator[Stage]:
    """Start all that a setup is made of."""
    with ExitStack() as stack:
        launch = prepare_server(name.removesuffix("+worker"), place)
        environment = launch.environment | ENVIRONMENT
        if name == BESIDE_WORKER:
            environment["BENEFITS_RUN_JOBS"] = "false"
        launch = replace(launch, environment=environment)
        server = stack.enter_context(launch.start())
        worker = stack.enter_context(launch.run_worker()) if name == BESIDE_WORKER else None
        receiver = stack.enter_context(open_receiver())
        client = http_client(host=HOST, port=server.port, api_key=server.api_key)
        yield Stage(name, server, worker, receiver, stack.enter_context(client))


def run_events(chosen: Namespace) -> bool:
    """Deliver events while redemptions run, and what has piled up afterwards."""
    times = Times(warmup_seconds=chosen.warmup, measured_seconds=chosen.seconds)
    companies: list[Company] = []
    backlogs: list[Backlog] = []
    for setup in SETUPS:
        if is_wanted(setup, chosen.only):
            needed = [setup.removesuffix("+worker")]
            with open_place(needed) as place, open_stage(setup, place) as stage:
                _measure(stage, chosen, times, companies, backlogs)
    _report(companies, backlogs, {**asdict(times), "rounds": chosen.rounds})
    return not any(each.redemptions.errors for each in companies)


def _measure(
    stage: Stage,
    chosen: Namespace,
    times: Times,
    companies: list[Company],
    backlogs: list[Backlog],
) -> None:
    for _ in range(chosen.rounds):
        for connections in chosen.connections or CONNECTIONS_DEFAULT:
            for events in (NONE, REDEEMED, ALL):
                companies.append(stage.keep_company(events, connections, times))
                print("  ".join(_format_companies(companies[-1:], companies)), flush=True)
            backlogs.append(stage.catch_up(connections, times))
            print("  ".join(_format_backlogs(backlogs[-1:])), flush=True)


def _report(companies: list[Company], backlogs: list[Backlog], settings: dict[str, Any]) -> None:
    environment = describe_environment()
    print(f"\nevents\n{format_environment(environment, settings)}\n")
    groups: dict[tuple[str, str], list[Company]] = {}
    for each in companies:
        groups.setdefault((each.setup, each.events), []).append(each)
    rows = [_format_companies(group, companies) for group in groups.values()]
    print(align([HEADING_OF_COMPANIES, *rows]))
    print()
    by_setup = [[each for each in backlogs if each.setup == setup] for setup in SETUPS]
    print(align([HEADING_OF_BACKLOGS, *map(_format_backlogs, filter(None, by_setup))]))
    content = {
        "environment": environment,
        "settings": settings,
        "companies": [asdict(each) for each in companies],
        "backlogs": [asdict(each) for each in backlogs],
    }
    write_results("events", content)


HEADING_OF_COMPANIES = (
    *("setup", "events to", "redeem/s", "x none", "p99 ms"),
    *("server us/redeem", "cost x none", "deliver/s", "lag p50 ms", "lag p99 ms"),
    *("worker us/delivery", "errors"),
)


def _format_companies(rounds: list[Company], known: list[Company]) -> tuple[str, ...]:
    """Write the medians of several rounds, and how they compare with those without deliveries."""
    first = rounds[0]
    alone = [each for each in known if (each.setup, each.events) == (first.setup, NONE)]
    rate = median(each.redemptions.per_second for each in rounds)
    cost = median(each.cost for each in rounds)
    arrived = [each.arrived for each in rounds if each.arrived is not None]
    return (
        first.setup,
        first.events,
        f"{rate:,.0f}",
        f"{rate / median(each.redemptions.per_second for each in alone):.2f}",
        f"{median(each.redemptions.p99_ms for each in rounds):.0f}",
        f"{1e6 * cost:.0f}",
        f"{cost / median(each.cost for each in alone):.2f}",
        *_format_arrived(rounds, arrived),
        str(sum(sum(each.redemptions.errors.values()) for each in rounds)),
    )


def _format_arrived(rounds: list[Company], arrived: list[Account]) -> tuple[str, ...]:
    if not arrived:
        return ("", "", "", "")
    requests = median(each.requests for each in arrived)
    seconds = median(
        each.redemptions.answers / max(each.redemptions.per_second, 1) for each in rounds
    )
    worker = median(each.worker_cpu for each in rounds)
    return (
        f"{requests / seconds:,.0f}",
        f"{median(each.lag_p50_ms for each in arrived):,.0f}",
        f"{median(each.lag_p99_ms for each in arrived):,.0f}",
        f"{1e6 * worker / max(requests, 1):.0f}" if worker else "",
    )


HEADING_OF_BACKLOGS = ("setup", "backlog", "events/s", "us/event of server and worker")


def _format_backlogs(rounds: list[Backlog]) -> tuple[str, ...]:
    return (
        rounds[0].setup,
        f"{median(each.events for each in rounds):,.0f}",
        f"{median(each.events / each.seconds for each in rounds):,.0f}",
        f"{1e6 * median(each.cpu / max(each.events, 1) for each in rounds):.0f}",
    )
