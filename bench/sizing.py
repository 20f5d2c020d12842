"""Sizing: what one answer of each kind takes of processors, log and disk, on PostgreSQL.

Time on a processor is counted by the system for the server's process and for all processes of the
database, so it says the same on a busy machine as on an idle one, but for caches. The model
(``bench/model.py``) goes on from these figures.
"""

import asyncio
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.client import http_client
from bench.databases import open_session
from bench.environment import describe_environment
from bench.legs import Leg, Times
from bench.names import OURS_POSTGRES
from bench.report import align, format_environment, write_results
from bench.scenarios import set_up
from bench.servers import HOST, Server, prepare_server, read_cpu_seconds, read_peak_mebibytes
from bench.session import HttpContender, open_place

ENDPOINTS = (
    "redeem",
    "redeem-bulk",
    "reserve-capture",
    "provision",
    "check-eligibility",
    "get-balance",
)
CONNECTIONS_DEFAULT = (64,)
_LOOK = """
select pg_backend_pid(), (pg_current_wal_lsn() - '0/0'::pg_lsn)::float8,
    (select sum(pg_total_relation_size(oid)) from pg_class
        where relkind = 'r' and relnamespace = 'public'::regnamespace)::float8,
    (select count(*) from pg_stat_activity where application_name = 'benefits')::float8
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What an answer takes: microseconds of processors, bytes of log and of disk.

    ``connections`` are those of the server to the database, ``peak_mebibytes`` the most memory that
    it had by then.
    """

    endpoint: str
    callers: int
    answers: int
    server_us: float
    database_us: float
    log_bytes: float
    disk_bytes: float
    connections: float
    peak_mebibytes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Counters at one moment."""

    server_seconds: float
    database_seconds: float
    log_bytes: float
    disk_bytes: float
    connections: float


def run_sizing(chosen: Namespace) -> bool:
    """Measure each kind of request, print it, write the file."""
    environment = describe_environment()
    times = Times(warmup_seconds=0, measured_seconds=chosen.seconds)
    costs: list[Cost] = []
    clean = True
    with open_sized() as (server, url, contender):
        for endpoint in ENDPOINTS:
            if endpoint not in chosen.scenarios:
                continue
            for callers in chosen.connections or CONNECTIONS_DEFAULT:
                leg = Leg(endpoint, OURS_POSTGRES, callers)
                warm_up = Times(warmup_seconds=0, measured_seconds=chosen.warmup)
                contender.measure(leg, warm_up)
                before = asyncio.run(look(url, server))
                measured = contender.measure(leg, times)
                after = asyncio.run(look(url, server))
                clean = clean and not measured.errors
                peak = read_peak_mebibytes(server.process_id)
                costs.append(cost_of(leg, measured.answers_in_all, before, after, peak))
                print(costs[-1], flush=True)
    content = {"environment": environment, "settings": asdict(times)}
    write_results("sizing", {**content, "costs": [asdict(each) for each in costs]})
    print(f"\n{format_environment(environment, asdict(times))}\n")
    for _, rows in format_sizing({"costs": [asdict(each) for each in costs]}):
        print(align(rows))
    return clean


@contextmanager
def open_sized() -> Iterator[tuple[Server, str, HttpContender]]:
    """Serve a new database with some pools."""
    with open_place([OURS_POSTGRES]) as place:
        url = place.create_own_database(OURS_POSTGRES)
        with prepare_server(OURS_POSTGRES, place, database_url=url).start() as server:
            with http_client(host=HOST, port=server.port, api_key=server.api_key) as client:
                state = set_up(client)
            yield server, url, HttpContender(server, state)


async def look(url: str, server: Server) -> Look:
    """Read all counters."""
    async with open_session(url) as session:
        ((backend, log, disk, connections),) = await session.fetch(_LOOK)
        return Look(
            server_seconds=read_cpu_seconds(server.process_id),
            database_seconds=read_cpu_seconds(_parent_of(backend)),
            log_bytes=log,
            disk_bytes=disk,
            connections=connections,
        )


def cost_of(leg: Leg, answers: int, before: Look, after: Look, peak: float) -> Cost:
    """Share out what was used among the answers."""
    each = 1 / max(1, answers)
    return Cost(
        endpoint=leg.scenario,
        callers=leg.connections,
        answers=answers,
        server_us=(after.server_seconds - before.server_seconds) * 1e6 * each,
        database_us=(after.database_seconds - before.database_seconds) * 1e6 * each,
        log_bytes=(after.log_bytes - before.log_bytes) * each,
        disk_bytes=(after.disk_bytes - before.disk_bytes) * each,
        connections=after.connections,
        peak_mebibytes=peak,
    )


def format_sizing(content: dict[str, Any]) -> list[tuple[str, list[tuple[str, ...]]]]:
    """A row for each kind of request."""
    heading = (
        "request",
        "callers",
        "answers",
        "server µs",
        "database µs",
        "log bytes",
        "disk bytes",
        "connections",
        "peak MiB",
    )
    rows = [
        (
            cost.endpoint,
            str(cost.callers),
            f"{cost.answers:,}",
            f"{cost.server_us:,.0f}",
            f"{cost.database_us:,.0f}",
            f"{cost.log_bytes:,.0f}",
            f"{cost.disk_bytes:,.0f}",
            f"{cost.connections:.0f}",
            f"{cost.peak_mebibytes:.0f}",
        )
        for cost in (Cost(**each) for each in content["costs"])
    ]
    return [("what an answer takes", [heading, *rows])]


def _parent_of(process_id: int) -> int:
    """The process that started one: for a connection that of the whole server."""
    stat = Path(f"/proc/{process_id}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])
