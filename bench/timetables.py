"""Many programs with a timetable: what they cost while nothing is due, and who waits for them.

A tenant has them all. First nothing is due for months. Then all of them are due since one instant,
at which no server was there, while a few tenants with one program each have a renewal of their own,
one after the other.
"""

import asyncio
import time
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import TypeVar

from bench.copies import copy_program
from bench.databases import find_postmaster
from bench.environment import describe_environment
from bench.inprocess import inprocess_client
from bench.jobs import ENGINES
from bench.names import OURS_POSTGRES, is_wanted
from bench.report import Spread, align, format_environment, write_results
from bench.scenarios import PREFIX, create_definitions, make_provision_requests
from bench.servers import (
    Launch,
    prepare_server,
    read_cpu_seconds,
)
from bench.session import open_place
from benefit_programs.wire.codec import instant_text
from tests.support.books import Books
from tests.support.crowd import let_renew
from tests.support.inprocess import new_tenant, open_application

T = TypeVar("T")

EVERY = "PT2400H"
"""Exact, so that copies of a program which were made at other instants renew at others, too."""

IDLE_SECONDS = 60.0
SETTLING_SECONDS = 30.0
"""Time for servers and database to come to rest."""

SINGLES = 10
SINGLES_APART_SECONDS = 3.0
"""So many tenants have one program, and so much later than the one before each of them renews."""

START_SECONDS = 30.0
"""Time to make the single programs and to start the server, before the first of them renews."""

LAST_SECONDS = 10.0
"""How long after its instant the last single program is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """How much of one core a process took while nothing was due."""

    engine: str
    programs: int
    who: str
    percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """How long single programs waited for their renewals, beside so many that were due."""

    engine: str
    programs: int
    left: int
    seconds: list[float]


class Members:
    """A database whose first tenant has many programs that renew in months."""

    def __init__(self, engine: str, url: str, launch: Launch, programs: int) -> None:
        self.engine = engine
        self.programs = programs
        self._url = url
        self._launch = launch

    def rest(self) -> Iterator[Idle]:
        """Let nothing be due for a while; what that costs."""
        with self._launch.start() as server, ExitStack() as stack:
            processes = {"server": server.process_id}
            if self.engine == OURS_POSTGRES:
                processes["worker"] = stack.enter_context(self._launch.run_worker())
                processes["database"] = asyncio.run(find_postmaster(self._url))
            time.sleep(SETTLING_SECONDS)
            then, before = time.monotonic(), _read_all(processes)
            time.sleep(IDLE_SECONDS)
            seconds, after = time.monotonic() - then, _read_all(processes)
        for who in processes:
            percent = 100 * (after[who] - before[who]) / seconds
            yield Idle(engine=self.engine, programs=self.programs, who=who, percent=percent)

    def renew(self) -> Waits:
        """Let all of them be due, and single programs of others from then on."""
        instant = round(1000 * time.time())
        asyncio.run(let_renew(self._url, instant))
        first = time.time() + START_SECONDS
        apart = [first + SINGLES_APART_SECONDS * number for number in range(SINGLES)]
        due = [round(1000 * each) for each in apart]
        asyncio.run(_provision_singles(self._url, due))
        with self._launch.start():
            if time.time() > first:
                raise RuntimeError("the first single program was due before the server was ready")
            time.sleep(apart[-1] + LAST_SECONDS - time.time())
            booked = asyncio.run(_read_singles(self._url))
            left = asyncio.run(_count_due(self._url, instant))
        if not left:
            raise RuntimeError("all was booked before the end: name more programs")
        if len(booked) < len(due):
            raise RuntimeError(f"{len(due) - len(booked)} single programs still wait")
        waits = [(at - since) / 1000 for at, since in zip(booked, due, strict=True)]
        return Waits(engine=self.engine, programs=self.programs, left=left, seconds=waits)


@contextmanager
def open_members(engine: str, programs: int) -> Iterator[Members]:
    """Make a database with so many programs."""
    with open_place([engine]) as place:
        url = place.create_own_database(engine)
        make_members(url, programs)
        place.write_out()
        launch = prepare_server(engine, place, database_url=url)
        yield Members(engine, url, launch, programs)


def make_members(url: str, programs: int) -> None:
    """Provision a program with a timetable, and copy it."""
    with inprocess_client(url) as client:
        state = create_definitions(client, pools=1)
        body = make_provision_requests(state)().body or {}
        timetable = {"renewalConfiguration": {"every": EVERY}}
        program = client.post(f"{PREFIX}/programs/provision", body | timetable)["program"]
    asyncio.run(copy_program(url, program["id"], copies=programs - 1))


async def _provision_singles(url: str, due: Sequence[int]) -> None:
    """Give each of some new tenants a program that renews at an instant of its own."""
    async with open_application(url, run_jobs=False) as (running, client):
        for instant in due:
            tenant = await new_tenant(running, client)
            definition = await tenant.create_program_definition()
            await tenant.create_pool_definition(programDefinitionIds=[definition["id"]])
            timetable = {"every": EVERY, "anchor": instant_text(instant)}
            await tenant.provision(program_definition=definition, renewalConfiguration=timetable)


async def _read_singles(url: str) -> list[int]:
    """When the renewals of other tenants than the first were booked, in their order."""
    sql = "select created from transactions where tenant_id > $1 and operation = 'RENEWAL'"
    return sorted(row[0] for row in await Books(url).read(sql))


async def _count_due(url: str, instant: int) -> int:
    sql = "select count(*) from programs where tenant_id = $1 and due <= $2"
    ((left,),) = await Books(url).read(sql, instant)
    return int(left)


def _read_all(processes: dict[str, int]) -> dict[str, float]:
    return {who: read_cpu_seconds(process) for who, process in processes.items()}


def run_timetables(chosen: Namespace) -> bool:
    """Measure programs with a timetable while nothing is due, and when all renew at once."""
    idle: list[Idle] = []
    waits: list[Waits] = []
    for engine in ENGINES:
        if is_wanted(engine, chosen.only):
            with open_members(engine, chosen.programs) as members:
                idle += _told(members.rest(), _format_idle)
                waits += _told([members.renew()], _format_waits)
    _report(idle, waits, {"programs": chosen.programs, "idle_seconds": IDLE_SECONDS})
    return True


def _told(measured: Iterable[T], write: Callable[[T], tuple[str, ...]]) -> Iterator[T]:
    """Tell of each measurement in a line."""
    for each in measured:
        print("  ".join(write(each)), flush=True)
        yield each


def _report(idle: list[Idle], waits: list[Waits], settings: dict[str, float]) -> None:
    environment = describe_environment()
    print(f"\ntimetables\n{format_environment(environment, settings)}\n")
    print(align([("engine", "programs", "process", "% of a core"), *map(_format_idle, idle)]))
    print()
    heading = ("engine", "programs", "still due", "single waits s")
    print(align([heading, *map(_format_waits, waits)]))
    content = {
        "environment": environment,
        "settings": settings,
        "idle": [asdict(each) for each in idle],
        "waits": [asdict(each) for each in waits],
    }
    write_results("timetables", content)


def _format_idle(idle: Idle) -> tuple[str, ...]:
    return idle.engine, f"{idle.programs:,}", idle.who, f"{idle.percent:.2f}"


def _format_waits(waits: Waits) -> tuple[str, ...]:
    spread = Spread.of(waits.seconds)
    assert spread is not None, "there are single programs"
    return waits.engine, f"{waits.programs:,}", f"{waits.left:,}", spread.format(2)
