"""The runner: starts the contenders, measures them in turn, prints and stores what it saw."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.client import Client
from bench.environment import describe_environment
from bench.imports import PROGRAMS_DEFAULT, print_imports
from bench.limits import print_limits
from bench.load import Measurement, Plan
from bench.report import (
    Round,
    format_environment,
    format_table,
    summarize,
    to_json,
    write_results,
)
from bench.scenarios import SCENARIOS
from bench.servers import (
    CONTENDERS,
    HOST,
    ROOT,
    Place,
    Server,
    needs_postgres,
    run_contender,
)
from tests.support.postgres import PostgresServer, binary_path, start_postgres

LIMITS = "limits"
IMPORTS = "imports"
ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How long and how often to measure whom."""

    contenders: tuple[str, ...]
    connections: tuple[int, ...]
    rounds: int
    warmup_seconds: float
    measured_seconds: float
    baseline_workers: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what the command line names; ends with 1 if any answer was not 200."""
    chosen = _parse(arguments)
    settings = Settings(
        contenders=tuple(name for name in CONTENDERS if _is_wanted(name, chosen.only)),
        connections=tuple(chosen.connections),
        rounds=chosen.rounds,
        warmup_seconds=chosen.warmup,
        measured_seconds=chosen.seconds,
        baseline_workers=chosen.baseline_workers,
    )
    names = [*SCENARIOS, LIMITS] if chosen.what == ALL else [chosen.what]
    clean = True
    for name in names:
        if name == LIMITS:
            print_limits(seconds=chosen.seconds)
        elif name == IMPORTS:
            print_imports(programs=chosen.programs, only=chosen.only)
        else:
            clean = run_scenario(name, settings) and clean
    sys.exit(0 if clean else 1)


def _is_wanted(contender: str, only: list[str] | None) -> bool:
    return only is None or any(contender.startswith(prefix) for prefix in only)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("what", choices=[*SCENARIOS, LIMITS, IMPORTS, ALL])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="measured in each round")
    parser.add_argument("--warmup", type=float, default=2.0, help="seconds before each round")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 64])
    parser.add_argument("--baseline-workers", type=int, default=1)
    parser.add_argument(
        "--programs", type=int, default=PROGRAMS_DEFAULT, help="how many are imported"
    )
    parser.add_argument(
        "--only", nargs="+", metavar="PREFIX", help=f"contenders to run, of {', '.join(CONTENDERS)}"
    )
    return parser.parse_args(arguments)


def run_scenario(name: str, settings: Settings) -> bool:
    """Measure one scenario, print its table, write its file; False if any answer was not 200."""
    environment = describe_environment()
    with ExitStack() as stack:
        postgres = _start_postgres(stack, settings)
        servers = _start_servers(stack, settings, postgres)
        rounds = _measure_all(name, servers, settings, postgres)
    summaries = summarize(rounds)
    shown = {**asdict(settings), "contenders": " ".join(settings.contenders)}
    print(f"\n{name}\n{format_environment(environment, shown)}\n")
    print(format_table(summaries, unit=SCENARIOS[name].unit))
    content = {"scenario": name, "environment": environment, "settings": asdict(settings)}
    path = write_results(name, {**content, **to_json(rounds, summaries)})
    print(f"\nwritten to {path.relative_to(ROOT)}")
    return all(not each.measurement.errors for each in rounds)


def _start_postgres(stack: ExitStack, settings: Settings) -> PostgresServer | None:
    if not any(map(needs_postgres, settings.contenders)):
        return None
    postgres = start_postgres(durable=True)
    stack.callback(postgres.stop)
    return postgres


def _start_servers(
    stack: ExitStack, settings: Settings, postgres: PostgresServer | None
) -> list[Server]:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benefits-bench-")))
    place = Place(folder=folder, postgres=postgres, baseline_workers=settings.baseline_workers)
    return [stack.enter_context(run_contender(name, place)) for name in settings.contenders]


def _write_out(postgres: PostgresServer | None) -> None:
    """Let nobody pay for the pages that the one before left to be written."""
    if postgres is not None:
        url = postgres.url("postgres")
        subprocess.run([binary_path("psql"), "-Xqc", "checkpoint", "-d", url], check=True)


def _measure_all(
    name: str, servers: list[Server], settings: Settings, postgres: PostgresServer | None
) -> list[Round]:
    states = {server.name: _set_up(name, server) for server in servers}
    rounds: list[Round] = []
    for number in range(1, settings.rounds + 1):
        for connections in settings.connections:
            for server in _rotate(servers, number - 1):
                plan = _plan(name, server, states[server.name], connections, settings)
                _write_out(postgres)
                measurement = _measure(plan)
                rounds.append(
                    Round(
                        number=number,
                        contender=server.name,
                        connections=connections,
                        measurement=measurement,
                    )
                )
                _print_progress(rounds[-1])
    return rounds


def _rotate(servers: list[Server], by: int) -> list[Server]:
    """Let another contender begin each round, so that none always runs after the same one."""
    start = by % len(servers)
    return servers[start:] + servers[:start]


def _set_up(name: str, server: Server) -> dict[str, Any]:
    with Client(host=HOST, port=server.port, api_key=server.api_key) as client:
        return SCENARIOS[name].set_up(client)


def _plan(
    name: str, server: Server, state: dict[str, Any], connections: int, settings: Settings
) -> Plan:
    return Plan(
        scenario=name,
        state=state,
        host=HOST,
        port=server.port,
        api_key=server.api_key,
        connections=connections,
        warmup_seconds=settings.warmup_seconds,
        measured_seconds=settings.measured_seconds,
    )


def _measure(plan: Plan) -> Measurement:
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=json.dumps(asdict(plan)),
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        check=True,
    )
    return Measurement(**json.loads(done.stdout))


def _print_progress(done: Round) -> None:
    seen = done.measurement
    print(
        f"round {done.number}  {done.connections:>3} connections  {done.contender:<18}"
        f"{seen.per_second:>8,.0f}/s  p50 {seen.p50_ms:.2f} ms  p99 {seen.p99_ms:.2f} ms",
        flush=True,
    )
    for reason, count in seen.errors.items():
        print(f"  {count} x {reason}", flush=True)
