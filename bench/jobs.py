"""A job beside redemptions: pools a second, memory, and how long redemptions take meanwhile."""

import asyncio
import random
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from bench.client import Client, Request, http_client
from bench.environment import describe_environment
from bench.legs import Leg, Times
from bench.measurement import Measurement
from bench.names import OURS_POSTGRES, OURS_SQLITE, is_wanted
from bench.report import Spread, align, format_environment, write_results
from bench.scenarios import PREFIX, create_definitions, make_provision_requests
from bench.servers import HOST, Launch, Place, Server, prepare_server, read_peak_mebibytes
from bench.session import HttpContender, open_place
from tests.support.books import Books
from tests.support.crowd import copy_members

ENGINES = (OURS_SQLITE, OURS_POSTGRES)
CONNECTIONS_DEFAULT = (1, 16)
TEMPLATES = 50
REDEEMED_POOLS = 500
SECONDS_BETWEEN_LOOKS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One update of all pools. ``peak_mebibytes`` is the most that the server ever had by then."""

    engine: str
    pools: int
    seconds: float
    per_second: float
    peak_mebibytes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Redemptions beside nothing and, right after it, beside a job."""

    engine: str
    connections: int
    idle: Measurement
    beside: Measurement

    @property
    def ratio(self) -> float:
        """The p99 beside the job, as a multiple of that beside nothing."""
        return self.beside.p99_ms / self.idle.p99_ms


class Members:
    """A server whose database is full of pools of one definition."""

    def __init__(self, server: Server, books: Books, state: dict[str, Any]) -> None:
        self.server = server
        self._books = books
        self._state = state
        self._revision = 1

    def start_update(self) -> str:
        """Ask for a change of all pools, and give the job that does it."""
        definition = {
            "id": self._state["poolDefinitionId"],
            "revision": str(self._revision),
            "displayName": f"Visits, edition {self._revision}",
        }
        path = f"{PREFIX}/pool-definitions/{definition['id']}"
        body = {"poolDefinition": definition, "cascade": "IMMEDIATELY"}
        with _client_of(self.server) as client:
            client.send(Request("PATCH", path, body))
        self._revision += 1
        return asyncio.run(self._books.ids("jobs", "kind = 'UPDATE_POOLS'"))[-1]

    def find_status(self, job_id: str) -> str:
        """Say how a job stands."""
        with _client_of(self.server) as client:
            answer = client.send(Request("GET", f"/async-jobs/v1/async-jobs/{job_id}"))
        status: str = answer["job"]["status"]
        return status

    def finish(self, job_id: str) -> float:
        """Wait for the end of a job; the seconds from its start to its end."""
        while (status := self.find_status(job_id)) != "FINISHED":
            if status == "FAILED":
                raise RuntimeError(f"the job failed: see {self.server.log_path}")
            time.sleep(SECONDS_BETWEEN_LOOKS)
        sql = "select updated - created from jobs where tenant_id = $1 and cast(id as text) = $2"
        ((milliseconds,),) = asyncio.run(self._books.read(sql, job_id))
        return float(milliseconds) / 1000

    def redeem(self, connections: int, times: Times) -> Measurement:
        """Keep so many members busy with redeeming."""
        contender = HttpContender(self.server, self._state)
        return contender.measure(Leg("redeem", self.server.name, connections), times)


@contextmanager
def open_members(engine: str, pools: int, place: Place) -> Iterator[Members]:
    """Fill a database, and serve it inside the block."""
    url = place.create_own_database(engine)
    launch = prepare_server(engine, place, database_url=url)
    state = make_templates(launch)
    asyncio.run(copy_members(url, pools))
    books = Books(url)
    definition_id = state["poolDefinitionId"]
    pool_ids = asyncio.run(
        books.ids("pools", "cast(pool_definition_id as text) = $2", definition_id)
    )
    state["poolIds"] = random.sample(pool_ids, REDEEMED_POOLS)
    place.write_out()
    with launch.start() as server:
        yield Members(server, books, state)


def _client_of(server: Server) -> AbstractContextManager[Client]:
    return http_client(host=HOST, port=server.port, api_key=server.api_key)


def make_templates(launch: Launch, **definitions: Any) -> dict[str, Any]:
    with launch.start() as server, _client_of(server) as client:
        state = create_definitions(client, **definitions)
        provision = make_provision_requests(state)
        for _ in range(TEMPLATES):
            client.send(provision())
    first: dict[str, Any] = state["pools"][0]
    return first


def run_jobs(chosen: Namespace) -> bool:
    """Let jobs change all pools of a definition, alone and beside redemptions."""
    times = Times(warmup_seconds=chosen.warmup, measured_seconds=chosen.seconds)
    changes: list[Change] = []
    companies: list[Company] = []
    for engine in ENGINES:
        if is_wanted(engine, chosen.only):
            for pools in chosen.pools:
                with open_place([engine]) as place, open_members(engine, pools, place) as members:
                    changes.append(_change(members, engine, pools))
                    if pools == max(chosen.pools):
                        companies += _keep_company(members, engine, chosen, times)
    _report(changes, companies, {**asdict(times), "rounds": chosen.rounds})
    return all(not (each.idle.errors or each.beside.errors) for each in companies)


def _change(members: Members, engine: str, pools: int) -> Change:
    seconds = members.finish(members.start_update())
    change = Change(
        engine=engine,
        pools=pools,
        seconds=seconds,
        per_second=pools / seconds,
        peak_mebibytes=read_peak_mebibytes(members.server.process_id),
    )
    print("  ".join(_format_change(change)), flush=True)
    return change


def _keep_company(
    members: Members, engine: str, chosen: Namespace, times: Times
) -> Iterator[Company]:
    for _ in range(chosen.rounds):
        for connections in chosen.connections or CONNECTIONS_DEFAULT:
            idle = members.redeem(connections, times)
            job_id = members.start_update()
            beside = members.redeem(connections, times)
            if members.find_status(job_id) == "FINISHED":
                raise RuntimeError("the job was faster than the redemptions: name more pools")
            members.finish(job_id)
            company = Company(engine=engine, connections=connections, idle=idle, beside=beside)
            print("  ".join(format_companies([company])), flush=True)
            yield company


def _report(changes: list[Change], companies: list[Company], settings: dict[str, Any]) -> None:
    environment = describe_environment()
    print(f"\njobs\n{format_environment(environment, settings)}\n")
    print(align([HEADING_OF_CHANGES, *map(_format_change, changes)]))
    groups: dict[tuple[str, int], list[Company]] = {}
    for each in companies:
        groups.setdefault((each.engine, each.connections), []).append(each)
    print()
    print(align([HEADING_OF_COMPANIES, *map(format_companies, groups.values())]))
    content = {
        "environment": environment,
        "settings": settings,
        "changes": [asdict(each) for each in changes],
        "companies": [{**asdict(each), "ratio": each.ratio} for each in companies],
    }
    write_results("jobs", content)


HEADING_OF_CHANGES = ("engine", "pools", "seconds", "pools/s", "peak MiB")


def _format_change(change: Change) -> tuple[str, ...]:
    return (
        change.engine,
        f"{change.pools:,}",
        f"{change.seconds:.1f}",
        f"{change.per_second:,.0f}",
        f"{change.peak_mebibytes:.0f}",
    )


HEADING_OF_COMPANIES = (
    *("engine", "callers", "idle/s", "p50 ms", "p99 ms"),
    *("beside/s", "p50 ms", "p99 ms", "p99 x idle", "errors"),
)


def format_companies(rounds: list[Company]) -> tuple[str, ...]:
    """Write the medians of several rounds."""
    ratio = Spread.of([each.ratio for each in rounds])
    assert ratio is not None, "a group has a round"
    return (
        rounds[0].engine,
        str(rounds[0].connections),
        *_format_redemptions([each.idle for each in rounds]),
        *_format_redemptions([each.beside for each in rounds]),
        ratio.format(1),
        str(sum(sum((each.idle.errors | each.beside.errors).values()) for each in rounds)),
    )


def _format_redemptions(seen: list[Measurement]) -> tuple[str, ...]:
    return (
        f"{median(each.per_second for each in seen):,.0f}",
        f"{median(each.p50_ms for each in seen):.2f}",
        f"{median(each.p99_ms for each in seen):.2f}",
    )
