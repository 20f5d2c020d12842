"""The command line: what to measure, and how long and how often."""

import argparse
import signal
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence

from bench.against import run_against
from bench.console import run_console
from bench.document import write_documents
from bench.engine import run_engine
from bench.events import run_events
from bench.expiry import run_expiry
from bench.fairness import run_fairness
from bench.growth import run_growth
from bench.imports import PROGRAMS_DEFAULT, print_imports
from bench.jobs import run_jobs
from bench.model import run_model
from bench.names import CONTENDERS
from bench.partitions import run_partitions
from bench.people import PEOPLE_DEFAULT, run_people
from bench.renewals import run_renewals
from bench.scenarios import SCENARIOS
from bench.sizes import run_sizes
from bench.sizing import run_sizing
from bench.speed import run_speed
from bench.starts import run_starts
from bench.timetables import run_timetables

ALL = "all"


def run_report(_: Namespace) -> bool:
    """Write the tables of docs/performance.md and docs/scaling.md from the newest results."""
    write_documents()
    return True


def run_imports(chosen: Namespace) -> bool:
    """Import members' programs from a file."""
    print_imports(programs=chosen.programs, only=chosen.only)
    return True


COMMANDS: dict[str, Callable[[Namespace], bool]] = {
    "speed": run_speed,
    "growth": run_growth,
    "imports": run_imports,
    "jobs": run_jobs,
    "expiry": run_expiry,
    "renewals": run_renewals,
    "timetables": run_timetables,
    "sizes": run_sizes,
    "sizing": run_sizing,
    "engine": run_engine,
    "starts": run_starts,
    "model": run_model,
    "partitions": run_partitions,
    "people": run_people,
    "console": run_console,
    "events": run_events,
    "fairness": run_fairness,
    "against": run_against,
    "report": run_report,
}
"""What can be run; a command gives False if something answered what it should not."""

OF_ALL = ("speed", "growth")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what the command line names; ends with 1 if any answer was not 200."""
    # Whoever ends a run wants its servers ended, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    chosen = parse(arguments)
    names = OF_ALL if chosen.what == ALL else (chosen.what,)
    clean = [COMMANDS[name](chosen) for name in names]
    sys.exit(0 if all(clean) else 1)


def parse(arguments: Sequence[str] | None) -> Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("what", choices=[*COMMANDS, ALL])
    add = parser.add_argument
    add("--rounds", type=int, default=5)
    add("--seconds", type=float, default=5.0, help="measured in each round")
    add("--warmup", type=float, default=1.0, help="seconds before each measurement")
    add("--scenarios", nargs="+", choices=list(SCENARIOS), default=list(SCENARIOS))
    add("--connections", type=int, nargs="+", help="these numbers of callers alone")
    add("--only", nargs="+", metavar="PREFIX", help=f"contenders, of {', '.join(CONTENDERS)}")
    add(
        "--programs",
        type=int,
        default=PROGRAMS_DEFAULT,
        help="how many are imported, or have dates",
    )
    add("--pools", type=int, nargs="+", default=[10_000, 200_000], help="sizes to grow through")
    add("--people", type=int, default=PEOPLE_DEFAULT, help="how many are searched through")
    add("--rows", type=int, default=100_000_000, help="of a table, in partitions")
    add("--lean", action="store_true", help="rows with what indexes have alone, in partitions")
    add("--cores", type=int, default=16, help="of a machine, in the model")
    add("--against", metavar="CHECKOUT", help="another checkout, for this command and `starts`")
    return parser.parse_args(arguments)
