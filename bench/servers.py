"""The contenders: how each one is started, and how it is ended by its own handle."""

import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from tests.support.postgres import PostgresServer

HOST = "127.0.0.1"
READY_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 20.0
ROOT = Path(__file__).resolve().parent.parent

OURS_SQLITE = "ours-sqlite"
OURS_POSTGRES = "ours-postgres"
BASELINE_POSTGRES = "baseline-postgres"
CONTENDERS = (OURS_SQLITE, OURS_POSTGRES, BASELINE_POSTGRES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that answers, and what it takes to ask it."""

    name: str
    port: int
    api_key: str
    log_path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a contender is given: a folder of its own, and a PostgreSQL to make a database in."""

    folder: Path
    postgres: PostgresServer | None
    baseline_workers: int = 1

    def create_database(self) -> str:
        """Create a database for one contender."""
        assert self.postgres is not None, "the runner starts PostgreSQL if a contender needs it"
        return self.postgres.create_database()


@contextmanager
def run_contender(name: str, place: Place) -> Iterator[Server]:
    """Start the contender of this name; it is ready inside the block and gone after it."""
    port, api_key = find_free_port(), f"bench-{secrets.token_hex(16)}"
    folder = place.folder / name
    folder.mkdir(parents=True)
    command, environment = _prepare(name, place, port=port, api_key=api_key)
    server = Server(name=name, port=port, api_key=api_key, log_path=folder / "server.log")
    with _run_process(command, environment, server.log_path) as process:
        _await_ready(server, process)
        yield server


def needs_postgres(name: str) -> bool:
    """Tell whether the contender keeps its data in PostgreSQL."""
    return name != OURS_SQLITE


def find_free_port() -> int:
    """Find a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _prepare(
    name: str, place: Place, *, port: int, api_key: str
) -> tuple[list[str], dict[str, str]]:
    if name == BASELINE_POSTGRES:
        return _prepare_baseline(place, port=port, api_key=api_key)
    environment = {"BENEFITS_BOOTSTRAP_API_KEY": api_key}
    serve = [benefits_command(), "serve", "--host", HOST, "--port", str(port)]
    if name == OURS_SQLITE:
        return [*serve, "--data-dir", str(place.folder / name / "data")], environment
    environment["BENEFITS_DATABASE_URL"] = place.create_database()
    subprocess.run(
        [benefits_command(), "migrate"], env={**os.environ, **environment}, cwd=ROOT, check=True
    )
    return serve, environment


def _prepare_baseline(place: Place, *, port: int, api_key: str) -> tuple[list[str], dict[str, str]]:
    environment = {
        "BASELINE_DATABASE_URL": place.create_database(),
        "BASELINE_API_KEY": api_key,
    }
    options = ["--factory", "--host", HOST, "--port", str(port), "--loop", "uvloop"]
    options += ["--http", "httptools", "--workers", str(place.baseline_workers)]
    return [sys.executable, "-m", "uvicorn", *options, "bench.baseline.app:create_app"], environment


def benefits_command() -> str:
    """Name the `benefits` that is installed beside this Python.

    Raises:
        FileNotFoundError: the service is not installed here.
    """
    path = Path(sys.executable).with_name("benefits")
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: run `make setup`")
    return str(path)


@contextmanager
def _run_process(
    command: Sequence[str], environment: dict[str, str], log_path: Path
) -> Iterator[subprocess.Popen[bytes]]:
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _await_ready(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        if _is_ready(server.port):
            return
        time.sleep(0.05)
    log = server.log_path.read_text(errors="replace")[-4000:]
    raise RuntimeError(f"{server.name} did not become ready:\n{log}")


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()
