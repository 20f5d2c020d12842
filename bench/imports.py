"""Imports of members' programs: how many a second, and what the process takes."""

import csv
import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from bench.client import http_client
from bench.environment import describe_environment
from bench.names import OURS_POSTGRES, OURS_SQLITE, is_wanted
from bench.report import align, format_environment, write_results
from bench.scenarios import NAMESPACE, create_definitions
from bench.servers import HOST, ROOT, benefits_command, prepare_server
from bench.session import open_place

PROGRAMS_DEFAULT = 100_000
ENGINES = (OURS_SQLITE, OURS_POSTGRES)
RUNS = {"create": "created", "skip": "unchanged"}
"""The runs, and what becomes of every row in them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of the command: the first one creates, the second one finds all there."""

    engine: str
    run: str
    programs: int
    seconds: float
    per_second: float
    command_us: float
    """How long the command computes for a program; its start is in it."""

    peak_mebibytes: float


def print_imports(*, programs: int, only: Sequence[str] | None = None) -> None:
    """Import as many members into each engine, twice; print the table and write the file."""
    environment = describe_environment()
    runs: list[Run] = []
    for engine in ENGINES:
        if is_wanted(engine, only):
            runs += _measure(engine, programs)
    settings = {"programs": programs, "pools per program": 2, "stated balances": 2}
    print(f"\nimports of members' programs\n{format_environment(environment, settings)}\n")
    heading = ("engine", "run", "programs", "seconds", "programs/s", "command µs", "peak MiB")
    print(align([heading, *map(_format_row, runs)]))
    content = {"environment": environment, "settings": settings}
    write_results("imports", {**content, "runs": [asdict(each) for each in runs]})


def _measure(engine: str, programs: int) -> list[Run]:
    with open_place([engine]) as place:
        url = place.create_own_database(engine)
        with (
            prepare_server(engine, place, database_url=url).start() as server,
            http_client(host=HOST, port=server.port, api_key=server.api_key) as client,
        ):
            definitions = create_definitions(client)
        file = _write_file(place.folder / "members.csv", definitions, programs)
        return [_import(engine, run, [str(file), "--database-url", url]) for run in RUNS]


def _write_file(path: Path, definitions: dict[str, Any], programs: int) -> Path:
    pools = [pool["poolDefinitionId"] for pool in definitions["pools"]]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ("externalProgramId", "namespace", "programDefinitionId", "memberId", "balances")
        )
        for number in range(1, programs + 1):
            balances = " ".join(f"{pool}={number}.25" for pool in pools)
            definition_id = definitions["programDefinitionId"]
            member_id = str(UUID(int=number))
            writer.writerow((f"member-{number}", NAMESPACE, definition_id, member_id, balances))
    return path


def _import(engine: str, run: str, arguments: list[str]) -> Run:
    """Run the command to its end; what it says it did must be what it was asked for."""
    started = time.perf_counter()
    with subprocess.Popen(
        [benefits_command(), "import-programs", *arguments, "--json"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.read())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode or told[RUNS[run]] != told["rows"]:
        raise RuntimeError(f"the import went wrong: {told}")
    return Run(
        engine=engine,
        run=run,
        programs=told["rows"],
        seconds=seconds,
        per_second=told["rows"] / seconds,
        command_us=(usage.ru_utime + usage.ru_stime) * 1e6 / told["rows"],
        peak_mebibytes=usage.ru_maxrss / 1024,
    )


def _format_row(run: Run) -> tuple[str, ...]:
    return (
        run.engine,
        run.run,
        f"{run.programs:,}",
        f"{run.seconds:.1f}",
        f"{run.per_second:,.0f}",
        f"{run.command_us:,.0f}",
        f"{run.peak_mebibytes:.0f}",
    )
