"""A PostgreSQL that goes away and comes back while servers and workers are at work."""

from __future__ import annotations

import json
import subprocess
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.databases import PostgresDatabases
from tests.support.looking import LOOK_PAUSE_SECONDS
from tests.support.postgres import start_own_postgres
from tests.support.service import FIRST_KEY, Server
from tests.support.serving import STOP_SECONDS_MAX, start_benefits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.postgres import PostgresServer

DEFINITIONS = "/benefit-programs/v1/program-definitions"
AWAY_SECONDS = 3.5
"""Long enough for some looks of a runner, and for the driver to try again and again."""

WAIT_SECONDS_MAX = 30


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A PostgreSQL that nobody else uses."""
    server = start_own_postgres(durable=False)
    yield server
    server.stop()


def lines_of(log: Path) -> list[dict[str, Any]]:
    """The lines of a log that concern no single request."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if "status" not in line]


def events_of(log: Path) -> list[str]:
    return [line["event"] for line in lines_of(log)]


def ask_until(ask: Callable[[], int], is_over: Callable[[], bool]) -> None:
    """Ask again and again until it is over."""
    ends = time.monotonic() + WAIT_SECONDS_MAX
    while not is_over():
        assert time.monotonic() < ends
        ask()
        time.sleep(LOOK_PAUSE_SECONDS)


def test_log_tells_once_that_the_database_went_away_and_came_back(
    own_server: PostgresServer, tmp_path: Path
) -> None:
    """Server and worker tell the beginning and the end of an outage, and no driver's traceback."""
    url = PostgresDatabases(own_server).create()
    logs = [tmp_path / "server.log", tmp_path / "worker.log"]
    server = Server(url, logs[0])
    with logs[1].open("a") as out:
        variables = {"BENEFITS_DATABASE_URL": url, "BENEFITS_LOG_FORMAT": "json"}
        worker = start_benefits("worker", stdout=subprocess.PIPE, stderr=out.fileno(), **variables)
    try:
        with httpx.Client(
            base_url=server.url, headers={"authorization": FIRST_KEY}, timeout=60, trust_env=False
        ) as client:

            def ask() -> int:
                return client.post(DEFINITIONS, json={}).status_code

            assert worker.stdout is not None
            assert worker.stdout.readline() == "Working.\n"
            assert ask() == 400
            own_server.halt()
            ends = time.monotonic() + AWAY_SECONDS
            ask_until(ask, lambda: time.monotonic() > ends)
            assert ask() == 503
            own_server.resume()
            ask_until(ask, lambda: all("the database is back" in events_of(log) for log in logs))
            assert ask() == 400
    finally:
        server.stop()
        worker.terminate()
        worker.wait(STOP_SECONDS_MAX)
        assert worker.stdout is not None
        worker.stdout.close()
    for log in logs:
        assert "Traceback" not in log.read_text()
        told = [event for event in events_of(log) if event.startswith("the database")]
        assert told == ["the database is away", "the database is back"]
        assert events_of(log).count("jobs have to wait") <= 1
        (back,) = [line for line in lines_of(log) if line["event"] == "the database is back"]
        assert back["seconds"] > AWAY_SECONDS - 1
