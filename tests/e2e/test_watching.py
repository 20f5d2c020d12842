"""What those see who watch a service: metrics of all its processes, and whether it is ready."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import time
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import urlopen

import asyncpg
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.databases import PostgresDatabases, SqliteDatabases
from tests.support.looking import LOOK_PAUSE_SECONDS
from tests.support.service import FIRST_KEY, Server
from tests.support.serving import STOP_SECONDS_MAX, run_benefits, start_benefits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from prometheus_client import Metric

    from tests.support.postgres import PostgresServer

DEFINITIONS = "/benefit-programs/v1/program-definitions"
SCRAPES = 8
WAIT_SECONDS_MAX = 30
END_ALL_OTHERS = (
    "select count(pg_terminate_backend(pid)) from pg_stat_activity"
    " where datname = current_database() and pid <> pg_backend_pid()"
)


@pytest.fixture
def migrated_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A PostgreSQL database with the newest schema."""
    databases = PostgresDatabases(postgres_server)
    url = databases.create()
    yield url
    databases.drop(url)


@contextmanager
def serving(url: str, log: Path, *, workers: int = 1) -> Iterator[Server]:
    server = Server(url, log, workers=workers)
    try:
        yield server
    finally:
        server.stop()


def scrape(url: str) -> dict[str, Metric]:
    """The metrics by their names, on a connection of its own that any process may take."""
    with urlopen(url, timeout=20) as page:
        text = page.read().decode()
    return {each.name: each for each in text_string_to_metric_families(text)}


def value(metrics: dict[str, Metric], name: str, **labels: str) -> float:
    """The sum of a metric's values that have these labels; of a histogram, how many there were."""
    metric = metrics[name]
    wanted = {"counter": f"{name}_total", "histogram": f"{name}_count"}.get(metric.type, name)
    return sum(
        sample.value
        for sample in metric.samples
        if sample.name == wanted and labels.items() <= sample.labels.items()
    )


def create_definition(server: Server, name: str) -> None:
    response = httpx.post(
        server.url + DEFINITIONS,
        headers={"authorization": FIRST_KEY},
        json={"programDefinition": {"namespace": "gym", "externalId": name}},
        timeout=20,
        trust_env=False,
    )
    assert response.status_code == 200, response.text


def wait_until(is_so: Callable[[], bool]) -> None:
    """Ask again and again until it is so; a process that is killed may break a connection."""
    ends = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < ends:
        try:
            if is_so():
                return
        except (OSError, HTTPException):
            pass
        time.sleep(LOOK_PAUSE_SECONDS)
    raise AssertionError("it was never so")


def pids_of(metrics: dict[str, Metric]) -> set[int]:
    return {
        int(each.labels["process"]) for each in metrics["benefits_resident_memory_bytes"].samples
    }


@contextmanager
def paused(pid: int) -> Iterator[None]:
    """Have others do the work of a process."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_any_scrape_tells_of_all_processes(migrated_url: str, tmp_path: Path) -> None:
    """What each process has counted is in every scrape, and no loss of a process takes it back."""
    with serving(migrated_url, tmp_path / "log", workers=2) as server:
        page = f"{server.url}/metrics"
        wait_until(lambda: value(scrape(page), "benefits_processes") == 2)
        first, second = pids_of(scrape(page))
        with paused(first):
            for number in range(5):
                create_definition(server, f"second {number}")
        with paused(second):
            for number in range(3):
                create_definition(server, f"first {number}")
        for _ in range(SCRAPES):
            require_all_counted(scrape(page))
        os.kill(first, signal.SIGKILL)

        def is_replaced() -> bool:
            metrics = scrape(page)
            require_all_counted(metrics)
            return len(pids_of(metrics) - {first}) == 2

        wait_until(is_replaced)
        create_definition(server, "one more")
        metrics = scrape(page)
        assert first not in pids_of(metrics)
        assert value(metrics, "benefits_processes") == 2
        assert value(metrics, "benefits_requests", method="createProgramDefinition") == 9


def require_all_counted(metrics: dict[str, Metric]) -> None:
    method = "createProgramDefinition"
    assert value(metrics, "benefits_requests", method=method, status="200") == 8
    assert value(metrics, "benefits_request_seconds", method=method) == 8
    assert value(metrics, "benefits_commit_seconds") >= 8
    assert value(metrics, "benefits_batch_commands") >= 8
    assert value(metrics, "benefits_database_up") == 1
    assert value(metrics, "benefits_http_connections") >= 1
    assert value(metrics, "benefits_database_connections", pool="keyed") >= 1


def test_server_leaves_no_files_of_metrics(
    migrated_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that stops takes the files with it that its processes shared."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    with serving(migrated_url, tmp_path / "log", workers=2) as server:
        wait_until(lambda: value(scrape(f"{server.url}/metrics"), "benefits_processes") == 2)
        assert list(temporary.glob("benefits-metrics-*"))
    assert list(temporary.glob("benefits-metrics-*")) == []


def test_worker_tells_its_metrics_on_a_port_of_its_own(migrated_url: str, tmp_path: Path) -> None:
    """A worker with a port says where its metrics are, is ready, and stops when it is told to."""
    with (tmp_path / "log").open("a") as log:
        worker = start_benefits(
            "worker",
            stdout=subprocess.PIPE,
            stderr=log.fileno(),
            BENEFITS_DATABASE_URL=migrated_url,
            BENEFITS_WORKER_METRICS_PORT="0",
            BENEFITS_WORKER_METRICS_HOST="localhost",
        )
    try:
        assert worker.stdout is not None
        page = worker.stdout.readline().strip().removeprefix("Metrics at ")
        place = urlsplit(page)
        assert place.hostname == "localhost"
        metrics = scrape(page)
        assert value(metrics, "benefits_processes") == 1
        assert value(metrics, "benefits_jobs", state="waiting") == 0
        assert pids_of(metrics) == {worker.pid}
        ready = httpx.get(page.replace("/metrics", "/readyz"), trust_env=False)
        assert ready.status_code == 200
        where = {"HOST": "localhost", "PORT": str(place.port)}
        variables = {f"BENEFITS_WORKER_METRICS_{name}": value for name, value in where.items()}
        assert run_benefits("health", "--worker", **variables).returncode == 0
        worker.terminate()
        assert worker.wait(STOP_SECONDS_MAX) == 0
    finally:
        worker.kill()
        assert worker.stdout is not None
        worker.stdout.close()


def readiness(server: Server) -> int:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", "/readyz")
    status = connection.getresponse().status
    connection.close()
    return status


def test_read_only_postgres_is_not_ready(migrated_url: str, tmp_path: Path) -> None:
    """A database that takes no writes is told by /readyz, and so is its return; reads go on."""
    with serving(migrated_url, tmp_path / "log") as server:
        assert readiness(server) == 200
        asyncio.run(set_read_only(migrated_url, read_only=True))
        wait_until(lambda: readiness(server) == 503)
        asyncio.run(set_read_only(migrated_url, read_only=False))
        wait_until(lambda: readiness(server) == 200)
        create_definition(server, "one")


async def set_read_only(url: str, *, read_only: bool) -> None:
    """Have all sessions from now on be read-only or not."""
    connection = await asyncpg.connect(url)
    await connection.execute("set session characteristics as transaction read write")
    name, value = urlsplit(url).path.removeprefix("/"), "on" if read_only else "off"
    await connection.execute(f'alter database "{name}" set default_transaction_read_only = {value}')
    await connection.execute(END_ALL_OTHERS)
    await connection.close()


def test_full_disk_is_not_ready(tmp_path: Path) -> None:
    """A SQLite file that can't grow is told by /readyz, and so is its return."""
    url = SqliteDatabases(tmp_path).create()
    with serving(url, tmp_path / "server.log") as server:
        assert readiness(server) == 200
        create_definition(server, "one")
        limits = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
        log_of_writes = tmp_path / f"{url.rpartition('/')[2]}-wal"
        now = (log_of_writes.stat().st_size, limits[1])
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, now)
        wait_until(lambda: readiness(server) == 503)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, limits)
        wait_until(lambda: readiness(server) == 200)
        create_definition(server, "two")
