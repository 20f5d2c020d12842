"""One session: all contenders are started once, and every round measures all of them in turn."""

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from bench import inprocess, load
from bench.client import Client, http_client
from bench.inprocess import inprocess_client
from bench.legs import Contender, Leg, Round, Times
from bench.limits import open_pgbench, open_sqlite_loop
from bench.measurement import Measurement
from bench.names import IN_PROCESS, LIMIT_SQLITE, SERVERS
from bench.scenarios import SCENARIOS, State, set_up
from bench.servers import (
    HOST,
    Place,
    Server,
    needs_postgres,
    prepare_server,
    read_cpu_seconds,
    read_peak_mebibytes,
    run_module,
    run_server,
)
from tests.support.postgres import data_folder, start_postgres

T = TypeVar("T")


class States:
    """What the requests of each scenario are made from."""

    def __init__(self, common: State) -> None:
        self._common = common
        self._own: dict[str, State] = {}

    def of(self, scenario: str, connect: Callable[[], AbstractContextManager[Client]]) -> State:
        """Give the state of a scenario, which is set up when it is measured first."""
        make = SCENARIOS[scenario].set_up
        if make is None:
            return self._common
        if scenario not in self._own:
            with connect() as client:
                self._own[scenario] = make(client)
        return self._own[scenario]


class HttpContender:
    """A server, asked by a load generator in a process of its own."""

    def __init__(self, server: Server, state: dict[str, Any]) -> None:
        self.name = server.name
        self._server = server
        self._states = States(state)

    def measure(self, leg: Leg, times: Times) -> Measurement:
        """Keep as many connections busy."""
        server = self._server
        connect = partial(http_client, host=HOST, port=server.port, api_key=server.api_key)
        plan = load.Plan(
            scenario=leg.scenario,
            state=self._states.of(leg.scenario, connect),
            host=HOST,
            port=server.port,
            api_key=self._server.api_key,
            connections=leg.connections,
            **asdict(times),
        )
        before = read_cpu_seconds(server.process_id)
        measurement = _measure_apart("bench.load", asdict(plan))
        computed = read_cpu_seconds(server.process_id) - before
        return replace(
            measurement,
            peak_mebibytes=read_peak_mebibytes(server.process_id),
            server_us=computed * 1e6 / max(1, measurement.answers_in_all),
        )


class InProcessContender:
    """The service in the process that asks, which opens the database anew for each leg."""

    def __init__(self, name: str, database_url: str, state: dict[str, Any]) -> None:
        self.name = name
        self._database_url = database_url
        self._states = States(state)

    def measure(self, leg: Leg, times: Times) -> Measurement:
        """Keep as many tasks busy."""
        plan = inprocess.Plan(
            scenario=leg.scenario,
            state=self._states.of(leg.scenario, partial(inprocess_client, self._database_url)),
            database_url=self._database_url,
            callers=leg.connections,
            **asdict(times),
        )
        return _measure_apart("bench.inprocess", asdict(plan))


@contextmanager
def open_http(name: str, place: Place) -> Iterator[HttpContender]:
    """Start the server of this name and fill it."""
    with run_server(name, place) as server:
        with http_client(host=HOST, port=server.port, api_key=server.api_key) as client:
            state = set_up(client)
        yield HttpContender(server, state)


@contextmanager
def open_inprocess(name: str, place: Place) -> Iterator[InProcessContender]:
    """Make a database and fill it."""
    url = place.create_own_database(name)
    with inprocess_client(url) as client:
        state = set_up(client)
    yield InProcessContender(name, url, state)


def open_contender(name: str, place: Place) -> AbstractContextManager[Contender]:
    """Make the contender of this name ready to be measured."""
    if name in SERVERS:
        return open_http(name, place)
    if name in IN_PROCESS:
        return open_inprocess(name, place)
    return open_sqlite_loop(place) if name == LIMIT_SQLITE else open_pgbench(name, place)


@contextmanager
def open_place(contenders: Sequence[str], *, other: Path | None = None) -> Iterator[Place]:
    """Give a folder on a disk, and a durable PostgreSQL if any of the contenders needs one."""
    with ExitStack() as stack:
        postgres = None
        if any(map(needs_postgres, contenders)):
            postgres = start_postgres(durable=True)
            stack.callback(postgres.stop)
        folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="benefits-bench-", dir=data_folder(durable=True))
        )
        yield Place(folder=Path(folder), postgres=postgres, other=other)


def run_session(
    groups: Sequence[Sequence[Leg]], times: Times, *, place: Place, rounds: int
) -> list[Round]:
    """Measure every leg in each round; another one of its group begins each time."""
    names = dict.fromkeys(leg.contender for legs in groups for leg in legs)
    measured: list[Round] = []
    with ExitStack() as stack:
        contenders = {name: stack.enter_context(open_contender(name, place)) for name in names}
        for number in range(1, rounds + 1):
            for legs in groups:
                for leg in rotate(legs, number - 1):
                    place.write_out()
                    measurement = contenders[leg.contender].measure(leg, times)
                    measured.append(Round(number=number, leg=leg, measurement=measurement))
                    print_progress(measured[-1])
    return measured


def measure_starts(names: Sequence[str], place: Place, *, rounds: int) -> dict[str, list[float]]:
    """Time from the start of a process to its first answer to /readyz; the database is there."""
    launches = {name: prepare_server(name, place) for name in names}
    for launch in launches.values():
        with launch.start():
            pass
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name, launch in launches.items():
            with launch.start() as server:
                seconds[name].append(server.ready_seconds)
    return seconds


def rotate(turn: Sequence[T], by: int) -> list[T]:
    """Let another one begin, so that none always runs after the same one."""
    start = by % len(turn)
    return [*turn[start:], *turn[:start]]


def print_progress(done: Round) -> None:
    """Tell of one measurement in a line, and of its errors in more."""
    leg, seen = done.leg, done.measurement
    print(
        f"round {done.number}  {leg.scenario:<18}{leg.connections:>3} callers  {leg.contender:<20}"
        f"{seen.per_second:>8,.0f}/s  p50 {seen.p50_ms:.2f} ms  p99 {seen.p99_ms:.2f} ms",
        flush=True,
    )
    for reason, count in seen.errors.items():
        print(f"  {count} x {reason}", flush=True)


@contextmanager
def measuring(module: str, plan: dict[str, Any]) -> Iterator[Callable[[], Measurement]]:
    """Start a load in a process of its own; what is given waits for its end."""
    with run_module(module) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(plan))
        process.stdin.close()
        process.stdin = None

        def finish() -> Measurement:
            written, _ = process.communicate()
            if process.returncode:
                raise subprocess.CalledProcessError(process.returncode, process.args)
            return Measurement(**json.loads(written))

        yield finish


def _measure_apart(module: str, plan: dict[str, Any]) -> Measurement:
    with measuring(module, plan) as finish:
        return finish()
