"""Every page of the console on a large studio: how long it takes, and how much computing."""

import asyncio
import base64
import http.client
import os
import secrets
import time
from argparse import Namespace
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from http import HTTPStatus
from statistics import quantiles
from urllib.parse import urlencode

from bench.console_pages import Question, make_questions
from bench.console_stores import make_studio
from bench.databases import find_postmaster
from bench.environment import describe_environment
from bench.names import OURS_POSTGRES, OURS_SQLITE, is_wanted
from bench.report import align, format_environment, write_results
from bench.servers import HOST, Place, Server, needs_postgres, prepare_server, read_cpu_seconds
from bench.session import open_place

STORES = (OURS_SQLITE, OURS_POSTGRES)
ASKED_TIMES = 30
UNCOUNTED_TIMES = 3
MS_MAX = 100.0
"""What is promised of every page, on a machine that does nothing else."""

SECRET_KEY = "BENEFITS_SECRET_KEY"
SECRET_BYTES = 32

HEADINGS = ("page", "p50 ms", "p99 ms", "CPU ms", "KiB")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """How long a page takes in one store, and how much computing by server and database."""

    store: str
    page: str
    p50: float
    p99: float
    cpu: float
    kibibytes: float


def run_console(chosen: Namespace) -> bool:
    """Ask every page on both engines, print it, write the file."""
    environment = describe_environment()
    # Secrets of webhooks; in-process and served it must be the same.
    key = base64.urlsafe_b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    os.environ.setdefault(SECRET_KEY, key)
    pools = max(chosen.pools)
    samples: list[Sample] = []
    for store in STORES:
        if is_wanted(store, chosen.only):
            with open_place([store]) as place:
                samples += _measure(store, place, pools, chosen.people)
    settings = {"pools": pools, "people": chosen.people, "times": ASKED_TIMES}
    print(f"\n{format_environment(environment, settings)}")
    print(format_samples(samples))
    content = {"environment": environment, "settings": settings}
    write_results("console", content | {"samples": [asdict(each) for each in samples]})
    return True


def _measure(store: str, place: Place, pools: int, people: int) -> list[Sample]:
    url = place.create_own_database(f"console-{store}")
    started = time.perf_counter()
    state = make_studio(url, pools=pools, people=people)
    print(f"{store}: {pools:,} pools after {time.perf_counter() - started:.0f} s", flush=True)
    place.write_out()
    with prepare_server(store, place, database_url=url).start() as server:
        processes = [server.process_id]
        if needs_postgres(store):
            processes.append(asyncio.run(find_postmaster(url)))
        return ask_all(server, make_questions(state), processes)


def ask_all(
    server: Server,
    questions: Sequence[Question],
    processes: Sequence[int],
    times: int = ASKED_TIMES,
) -> list[Sample]:
    """Ask one page after the other; the processes are those whose computing counts."""
    with closing(http.client.HTTPConnection(HOST, server.port, timeout=60)) as connection:
        visitor = Visitor(connection, server.api_key)
        return [_ask(visitor, each, server.name, processes, times) for each in questions]


class Visitor:
    """Somebody who has signed in with an API key.

    Raises RuntimeError for any page that isn't there, also for one that leads elsewhere.
    """

    def __init__(self, connection: http.client.HTTPConnection, api_key: str) -> None:
        self._connection = connection
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "sec-fetch-site": "same-origin",
        }
        form = urlencode({"api_key": api_key})
        connection.request("POST", "/console/sign-in", form, headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != HTTPStatus.SEE_OTHER:
            raise RuntimeError(f"sign-in: {answer.status} {body.decode()}")
        self._cookie = (answer.getheader("set-cookie") or "").partition(";")[0]

    def get(self, at: str) -> bytes:
        """A page as the browser gets it."""
        self._connection.request("GET", f"/console{at}", headers={"cookie": self._cookie})
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != HTTPStatus.OK:
            raise RuntimeError(f"{at}: {answer.status} {body.decode()}")
        return body


def _ask(
    visitor: Visitor, question: Question, store: str, processes: Sequence[int], times: int
) -> Sample:
    for _ in range(UNCOUNTED_TIMES):
        visitor.get(question.at)
    before, seconds, body = _cpu_seconds(processes), [], b""
    for _ in range(times):
        started = time.perf_counter()
        body = visitor.get(question.at)
        seconds.append(time.perf_counter() - started)
    cpu = (_cpu_seconds(processes) - before) / times
    cuts = quantiles(seconds, n=100, method="inclusive")
    return Sample(
        store=store,
        page=question.name,
        p50=cuts[49] * 1000,
        p99=cuts[98] * 1000,
        cpu=cpu * 1000,
        kibibytes=len(body) / 1024,
    )


def _cpu_seconds(processes: Sequence[int]) -> float:
    return sum(map(read_cpu_seconds, processes))


def format_samples(samples: Sequence[Sample]) -> str:
    """Write a table for each store; what takes longer than promised has a mark."""
    tables = []
    for store in dict.fromkeys(each.store for each in samples):
        rows = [
            (
                each.page + (" !" if each.p50 > MS_MAX else ""),
                *(f"{value:.1f}" for value in (each.p50, each.p99, each.cpu, each.kibibytes)),
            )
            for each in samples
            if each.store == store
        ]
        tables.append(f"\n{store}\n{align([HEADINGS, *rows])}")
    return "\n".join(tables)
