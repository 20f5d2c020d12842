"""Many things that come due at one instant: how many a second, memory, redemptions meanwhile."""

import asyncio
import random
import time
from argparse import Namespace
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from bench.environment import describe_environment
from bench.jobs import (
    ENGINES,
    HEADING_OF_COMPANIES,
    REDEEMED_POOLS,
    SECONDS_BETWEEN_LOOKS,
    Company,
    format_companies,
    make_templates,
)
from bench.legs import Leg, Times
from bench.names import is_wanted
from bench.report import align, format_environment, write_results
from bench.servers import Launch, Place, Server, prepare_server, read_peak_mebibytes
from bench.session import HttpContender, open_place
from tests.support.books import Books
from tests.support.crowd import copy_members

CONNECTIONS_DEFAULT = (16,)
SECONDS_AHEAD = 10.0
"""Time for the server to start before it is all due, beside what is measured before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What comes due: how it is made, found and counted, for the first tenant.

    ``left`` counts what isn't booked yet, ``last`` finds the instant of the last booking, and
    ``redeemed`` are the pools that are redeemed from meanwhile.
    """

    name: str
    unit: str
    definitions: dict[str, Any]
    let_come: Callable[[str, int], Coroutine[Any, Any, None]]
    left: str
    last: str
    redeemed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """What it took to book all of it, from its instant on. Memory is the server's peak."""

    engine: str
    number: int
    company: bool
    seconds: float
    per_second: float
    peak_mebibytes: float


class Members:
    """A database full of what is to come due, once that is said."""

    def __init__(self, kind: Kind, url: str, launch: Launch, state: dict[str, Any]) -> None:
        self.kind = kind
        self.launch = launch
        self._url = url
        self._books = Books(url)
        self._state = state
        self._instant = 0.0

    def let_come(self, seconds: float) -> None:
        """Have all of it come due in so many seconds."""
        self._instant = time.time() + seconds
        asyncio.run(self.kind.let_come(self._url, round(self._instant * 1000)))

    def wait_for_instant(self) -> None:
        """Do nothing until it is due."""
        time.sleep(max(0.0, self._instant - time.time()))

    def left(self) -> int:
        """How much has still to be booked."""
        ((left,),) = asyncio.run(self._books.read(self.kind.left, round(self._instant * 1000)))
        return int(left)

    def finish(self) -> float:
        """Wait until all is booked; the seconds from the instant to the last of it."""
        while self.left():
            time.sleep(SECONDS_BETWEEN_LOOKS)
        ((last,),) = asyncio.run(self._books.read(self.kind.last))
        return float(last) / 1000 - self._instant

    def contender(self, server: Server) -> HttpContender:
        """Those who redeem meanwhile."""
        return HttpContender(server, self._state)


@contextmanager
def open_members(kind: Kind, engine: str, number: int) -> Iterator[Members]:
    """A database of its own with so many programs."""
    with open_place([engine]) as place:
        url = place.create_own_database(engine)
        yield _fill(kind, engine, number, place, url)


def _fill(kind: Kind, engine: str, number: int, place: Place, url: str) -> Members:
    launch = prepare_server(engine, place, database_url=url)
    state = make_templates(launch, **kind.definitions)
    asyncio.run(copy_members(url, number))
    pool_ids = asyncio.run(Books(url).ids("pools", kind.redeemed))
    state["poolIds"] = random.sample(pool_ids, min(len(pool_ids), REDEEMED_POOLS))
    place.write_out()
    return Members(kind, url, launch, state)


def run_due(kind: Kind, number: int, chosen: Namespace) -> bool:
    """Let it all come due, alone and beside redemptions."""
    times = Times(warmup_seconds=chosen.warmup, measured_seconds=chosen.seconds)
    bookings: list[Booking] = []
    companies: list[Company] = []
    for engine in ENGINES:
        if is_wanted(engine, chosen.only):
            bookings.append(_book_alone(kind, engine, number))
            for connections in chosen.connections or CONNECTIONS_DEFAULT:
                company, booking = _keep_company(kind, engine, number, connections, times)
                companies.append(company)
                bookings.append(booking)
    _report(kind, bookings, companies, {**asdict(times), kind.unit: number})
    return all(not (each.idle.errors or each.beside.errors) for each in companies)


def _book_alone(kind: Kind, engine: str, number: int) -> Booking:
    with open_members(kind, engine, number) as members:
        members.let_come(SECONDS_AHEAD)
        with members.launch.start() as server:
            return _finish(members, server, engine, number, company=False)


def _keep_company(
    kind: Kind, engine: str, number: int, connections: int, times: Times
) -> tuple[Company, Booking]:
    leg = Leg("redeem", engine, connections)
    with open_members(kind, engine, number) as members:
        before = times.warmup_seconds + times.measured_seconds
        members.let_come(2 * SECONDS_AHEAD + before)
        with members.launch.start() as server:
            idle = members.contender(server).measure(leg, times)
            members.wait_for_instant()
            beside = members.contender(server).measure(leg, times)
            if not members.left():
                raise RuntimeError("all was booked before the end: name more of it")
            company = Company(engine=engine, connections=connections, idle=idle, beside=beside)
            print("  ".join(format_companies([company])), flush=True)
            return company, _finish(members, server, engine, number, company=True)


def _finish(
    members: Members, server: Server, engine: str, number: int, *, company: bool
) -> Booking:
    members.wait_for_instant()
    seconds = members.finish()
    booking = Booking(
        engine=engine,
        number=number,
        company=company,
        seconds=seconds,
        per_second=number / seconds,
        peak_mebibytes=read_peak_mebibytes(server.process_id),
    )
    print("  ".join(_format(booking)), flush=True)
    return booking


def _report(
    kind: Kind, bookings: list[Booking], companies: list[Company], settings: dict[str, Any]
) -> None:
    environment = describe_environment()
    print(f"\n{kind.name}\n{format_environment(environment, settings)}\n")
    heading = ("engine", kind.unit, "redemptions", "seconds", f"{kind.unit}/s", "peak MiB")
    print(align([heading, *map(_format, bookings)]))
    print()
    print(align([HEADING_OF_COMPANIES, *(format_companies([each]) for each in companies)]))
    content = {
        "environment": environment,
        "settings": settings,
        "bookings": [asdict(each) for each in bookings],
        "companies": [{**asdict(each), "ratio": each.ratio} for each in companies],
    }
    write_results(kind.name, content)


def _format(booking: Booking) -> tuple[str, ...]:
    return (
        booking.engine,
        f"{booking.number:,}",
        "at first" if booking.company else "none",
        f"{booking.seconds:.1f}",
        f"{booking.per_second:,.0f}",
        f"{booking.peak_mebibytes:.0f}",
    )
