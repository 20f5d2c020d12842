"""Many lots that expire at one instant: lots a second, memory, and redemptions meanwhile."""

import asyncio
import random
import time
from argparse import Namespace
from collections.abc import Iterator
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
from bench.report import align, format_environment, write_results
from bench.servers import ROOT, Launch, Place, Server, prepare_server, read_peak_mebibytes
from bench.session import HttpContender, open_place
from tests.support.books import Books
from tests.support.crowd import copy_members, let_expire

CONNECTIONS_DEFAULT = (16,)
SECONDS_AHEAD = 10.0
"""Time for the server to start before lots expire, beside what is measured before."""

_LEFT = "select count(*) from pools where tenant_id = $1 and due is not null"
_LAST = "select max(created) from transactions where tenant_id = $1 and operation = 'EXPIRY'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """What it took to book all lots, from their instant on. Memory is the server's peak."""

    engine: str
    lots: int
    company: bool
    seconds: float
    per_second: float
    peak_mebibytes: float


class Members:
    """A database full of lots that live long until they are told to expire."""

    def __init__(self, url: str, launch: Launch, state: dict[str, Any]) -> None:
        self.launch = launch
        self._url = url
        self._books = Books(url)
        self._state = state
        self._instant = 0.0

    def let_expire(self, seconds: float) -> None:
        """Have all lots expire in so many seconds."""
        self._instant = time.time() + seconds
        asyncio.run(let_expire(self._url, round(self._instant * 1000)))

    def wait_for_instant(self) -> None:
        """Do nothing until lots expire."""
        time.sleep(max(0.0, self._instant - time.time()))

    def left(self) -> int:
        """How many pools still have something to be booked."""
        ((left,),) = asyncio.run(self._books.read(_LEFT))
        return int(left)

    def finish(self) -> float:
        """Wait until all is booked; the seconds from the instant to the last of it."""
        while self.left():
            time.sleep(SECONDS_BETWEEN_LOOKS)
        ((last,),) = asyncio.run(self._books.read(_LAST))
        return float(last) / 1000 - self._instant

    def contender(self, server: Server) -> HttpContender:
        """Those who redeem from pools whose credits don't expire."""
        return HttpContender(server, self._state)


@contextmanager
def open_members(engine: str, lots: int) -> Iterator[Members]:
    """A database of its own with so many lots, and as many pools that have none."""
    with open_place([engine]) as place:
        url = place.create_own_database(engine)
        yield _fill(engine, lots, place, url)


def _fill(engine: str, lots: int, place: Place, url: str) -> Members:
    launch = prepare_server(engine, place, database_url=url)
    state = make_templates(launch, expires_after="P1D")
    asyncio.run(copy_members(url, lots))
    pool_ids = asyncio.run(Books(url).ids("pools", "in_lots = 0"))
    state["poolIds"] = random.sample(pool_ids, min(len(pool_ids), REDEEMED_POOLS))
    return Members(url, launch, state)


def run_expiry(chosen: Namespace) -> bool:
    """Let lots expire, alone and beside redemptions."""
    times = Times(warmup_seconds=chosen.warmup, measured_seconds=chosen.seconds)
    expiries: list[Expiry] = []
    companies: list[Company] = []
    lots = max(chosen.pools)
    for engine in ENGINES:
        if chosen.only is None or engine.startswith(tuple(chosen.only)):
            expiries.append(_expire_alone(engine, lots))
            for connections in chosen.connections or CONNECTIONS_DEFAULT:
                company, expiry = _keep_company(engine, lots, connections, times)
                companies.append(company)
                expiries.append(expiry)
    _report(expiries, companies, {**asdict(times), "lots": lots})
    return all(not (each.idle.errors or each.beside.errors) for each in companies)


def _expire_alone(engine: str, lots: int) -> Expiry:
    with open_members(engine, lots) as members:
        members.let_expire(SECONDS_AHEAD)
        with members.launch.start() as server:
            return _finish(members, server, engine, lots, company=False)


def _keep_company(engine: str, lots: int, connections: int, times: Times) -> tuple[Company, Expiry]:
    leg = Leg("redeem", engine, connections)
    with open_members(engine, lots) as members:
        before = times.warmup_seconds + times.measured_seconds
        members.let_expire(2 * SECONDS_AHEAD + before)
        with members.launch.start() as server:
            idle = members.contender(server).measure(leg, times)
            members.wait_for_instant()
            beside = members.contender(server).measure(leg, times)
            if not members.left():
                raise RuntimeError("all lots were booked before the end: name more of them")
            company = Company(engine=engine, connections=connections, idle=idle, beside=beside)
            print("  ".join(format_companies([company])), flush=True)
            return company, _finish(members, server, engine, lots, company=True)


def _finish(members: Members, server: Server, engine: str, lots: int, *, company: bool) -> Expiry:
    members.wait_for_instant()
    seconds = members.finish()
    expiry = Expiry(
        engine=engine,
        lots=lots,
        company=company,
        seconds=seconds,
        per_second=lots / seconds,
        peak_mebibytes=read_peak_mebibytes(server.process_id),
    )
    print("  ".join(_format(expiry)), flush=True)
    return expiry


def _report(expiries: list[Expiry], companies: list[Company], settings: dict[str, Any]) -> None:
    environment = describe_environment()
    print(f"\nexpiry\n{format_environment(environment, settings)}\n")
    print(align([HEADING, *map(_format, expiries)]))
    print()
    print(align([HEADING_OF_COMPANIES, *(format_companies([each]) for each in companies)]))
    content = {
        "environment": environment,
        "settings": settings,
        "expiries": [asdict(each) for each in expiries],
        "companies": [{**asdict(each), "ratio": each.ratio} for each in companies],
    }
    print(f"\nwritten to {write_results('expiry', content).relative_to(ROOT)}")


HEADING = ("engine", "lots", "redemptions", "seconds", "lots/s", "peak MiB")


def _format(expiry: Expiry) -> tuple[str, ...]:
    return (
        expiry.engine,
        f"{expiry.lots:,}",
        "at first" if expiry.company else "none",
        f"{expiry.seconds:.1f}",
        f"{expiry.per_second:,.0f}",
        f"{expiry.peak_mebibytes:.0f}",
    )
