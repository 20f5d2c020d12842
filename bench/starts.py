"""Starts: how long it takes until a server answers, and what it keeps in memory while it rests.

Time on a processor says the same on a busy machine as on an idle one, but for caches. The database
is there already, and so are the interpreter's compiled files. With ``--against`` another checkout
starts in turns with this one.
"""

import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from bench.environment import describe_environment
from bench.names import (
    OTHER_POSTGRES,
    OTHER_POSTGRES_TWO,
    OTHER_SQLITE,
    OURS_POSTGRES,
    OURS_POSTGRES_TWO,
    OURS_SQLITE,
    is_wanted,
)
from bench.report import align, format_environment, write_results
from bench.servers import (
    Launch,
    Place,
    find_processes,
    prepare_server,
    read_cpu_seconds,
    read_resting_mebibytes,
)
from bench.session import open_place, rotate

OURS = (OURS_SQLITE, OURS_POSTGRES, OURS_POSTGRES_TWO)
THEIRS = (OTHER_SQLITE, OTHER_POSTGRES, OTHER_POSTGRES_TWO)
REST_SECONDS = 2.0
HEADING = (
    "contender",
    "processes",
    "ready s",
    "processor s",
    "RSS MiB",
    "in all MiB",
    "parent MiB",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One start. ``processor_seconds`` is all that the server had computed when it was ready.

    ``resident`` is the largest process as the system counts it, shared files included; ``in_all``
    counts what processes share once; ``of_parent`` is what the first process shares with none.
    """

    contender: str
    round: int
    processes: int
    ready_seconds: float
    processor_seconds: float
    resident: float
    in_all: float
    of_parent: float


def run_starts(chosen: Namespace) -> bool:
    """Start every server in turns, print the medians, write the file."""
    environment = describe_environment()
    names = [name for name in OURS if is_wanted(name, chosen.only)]
    other = Path(chosen.against).resolve() if chosen.against else None
    if other is not None:
        names += [theirs for ours, theirs in zip(OURS, THEIRS, strict=True) if ours in names]
    with open_place(names, other=other) as place:
        starts = _measure(names, place, rounds=chosen.rounds)
    settings = {"rounds": chosen.rounds, "rest seconds": REST_SECONDS}
    print(f"\n{format_environment(environment, settings)}\n\n{align(format_starts(starts))}")
    content = {"environment": environment, "settings": settings}
    write_results("starts", {**content, "starts": [asdict(each) for each in starts]})
    return True


def _measure(names: Sequence[str], place: Place, *, rounds: int) -> list[Start]:
    launches = [_compiled(prepare_server(name, place), place) for name in names]
    for launch in launches:
        with launch.start():
            """The first start compiles, and makes the file."""
    return [
        _start(launch, number)
        for number in range(1, rounds + 1)
        for launch in rotate(launches, number - 1)
    ]


def _compiled(launch: Launch, place: Place) -> Launch:
    """Keep compiled files, as an installation does, whatever the environment says."""
    kept = {"PYTHONPYCACHEPREFIX": str(place.folder / "compiled"), "PYTHONDONTWRITEBYTECODE": ""}
    return replace(launch, environment=launch.environment | kept)


def _start(launch: Launch, number: int) -> Start:
    with launch.start() as server:
        processor = read_cpu_seconds(server.process_id)
        time.sleep(REST_SECONDS)
        resting = [read_resting_mebibytes(each) for each in find_processes(server.process_id)]
    return Start(
        contender=launch.name,
        round=number,
        processes=len(resting),
        ready_seconds=server.ready_seconds,
        processor_seconds=processor,
        resident=max(each.resident for each in resting),
        in_all=sum(each.share for each in resting),
        of_parent=resting[0].own,
    )


def format_starts(starts: Sequence[Start]) -> list[tuple[str, ...]]:
    """The medians of each contender, the heading first."""
    rows: list[tuple[str, ...]] = [HEADING]
    for name in dict.fromkeys(each.contender for each in starts):
        seen = [asdict(each) for each in starts if each.contender == name]
        rows.append(
            (
                name,
                f"{median(each['processes'] for each in seen):.0f}",
                *(f"{_middle(seen, key):.2f}" for key in ("ready_seconds", "processor_seconds")),
                *(f"{_middle(seen, key):.0f}" for key in ("resident", "in_all", "of_parent")),
            )
        )
    return rows


def _middle(starts: Sequence[dict[str, Any]], key: str) -> float:
    return float(median(each[key] for each in starts))
