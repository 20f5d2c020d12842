"""Servers: how each one is made ready, started, and ended by its own handle."""

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

from bench.names import (
    BASELINE_POSTGRES,
    BASELINE_POSTGRES_TWO,
    OTHER_POSTGRES_TWO,
    OTHERS,
    OURS_POSTGRES_TWO,
)
from tests.support.postgres import PostgresServer, binary_path

HOST = "127.0.0.1"
READY_SECONDS_MAX = 60.0
READY_SECONDS_BETWEEN_LOOKS = 0.005
STOP_SECONDS_MAX = 20.0
ROOT = Path(__file__).resolve().parent.parent
GONE = (FileNotFoundError, ProcessLookupError)
"""What reading about a process raises that has ended: before its file was opened, or after."""

PROCESSES = {OURS_POSTGRES_TWO: 2, OTHER_POSTGRES_TWO: 2, BASELINE_POSTGRES_TWO: 2}
"""How many processes serve, where it isn't one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that answers, and what it takes to ask it."""

    name: str
    port: int
    api_key: str
    log_path: Path
    process_id: int
    ready_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a contender is given: a folder of its own, and a PostgreSQL to make a database in."""

    folder: Path
    postgres: PostgresServer | None
    other: Path | None = None
    """The checkout of contenders that aren't of this one."""

    def create_database(self) -> str:
        """Create a database for one contender."""
        assert self.postgres is not None, "the runner starts PostgreSQL if a contender needs it"
        return self.postgres.create_database()

    def create_own_database(self, name: str) -> str:
        """Create a database with our schema, or name the file that a first start makes."""
        if name.endswith("sqlite"):
            folder = self.folder / name
            folder.mkdir(parents=True, exist_ok=True)
            return f"sqlite:///{folder / 'benefits.sqlite3'}"
        url = self.create_database()
        environment = {**os.environ, "BENEFITS_DATABASE_URL": url}
        command, more = self.benefits_of(name)
        subprocess.run(
            [*command, "migrate"],
            env=environment | more,
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return url

    def benefits_of(self, name: str) -> tuple[list[str], dict[str, str]]:
        """The command of the service of this name, and the environment that it needs."""
        if name not in OTHERS:
            return [benefits_command()], {}
        assert self.other is not None, "a checkout was named if it is to be measured"
        own = self.other / ".venv" / "bin" / "python"
        python = str(own) if own.exists() else sys.executable
        return [python, "-m", "benefit_programs"], {"PYTHONPATH": str(self.other / "src")}

    def write_out(self) -> None:
        """Let nobody pay for the pages that the one before left to be written."""
        if self.postgres is not None:
            url = self.postgres.url("postgres")
            subprocess.run([binary_path("psql"), "-Xqc", "checkpoint", "-d", url], check=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """All that it takes to start a server; its database is there."""

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    api_key: str
    log_path: Path

    @contextmanager
    def start(self) -> Iterator[Server]:
        """Start it; it is ready inside the block and gone after it."""
        port = find_free_port()
        started = time.perf_counter()
        command = [*self.command, "--host", HOST, "--port", str(port)]
        with run_process(command, self.environment, self.log_path) as process:
            _await_ready(port, process, self)
            yield Server(
                name=self.name,
                port=port,
                api_key=self.api_key,
                log_path=self.log_path,
                process_id=process.pid,
                ready_seconds=time.perf_counter() - started,
            )

    @contextmanager
    def run_worker(self) -> Iterator[int]:
        """Start a worker on the same database, and give its process; it is gone after the block."""
        log_path = self.log_path.with_name("worker.log")
        with run_process([benefits_command(), "worker"], self.environment, log_path) as process:
            yield process.pid


def prepare_server(name: str, place: Place, *, database_url: str | None = None) -> Launch:
    """Make a database for the server of this name, unless one is given."""
    api_key = f"bench-{secrets.token_hex(16)}"
    processes = str(PROCESSES.get(name, 1))
    folder = place.folder / name
    folder.mkdir(parents=True, exist_ok=True)
    if name in {BASELINE_POSTGRES, BASELINE_POSTGRES_TWO}:
        url = database_url or place.create_database()
        environment = {"BASELINE_DATABASE_URL": url, "BASELINE_API_KEY": api_key}
        command = [sys.executable, "-m", "uvicorn", "--factory", "bench.baseline.app:create_app"]
        command += ["--loop", "uvloop", "--http", "httptools"]
    else:
        url = database_url or place.create_own_database(name)
        command, more = place.benefits_of(name)
        command.append("serve")
        environment = {"BENEFITS_DATABASE_URL": url, "BENEFITS_BOOTSTRAP_API_KEY": api_key, **more}
    return Launch(
        name=name,
        command=[*command, "--workers", processes],
        environment=environment,
        api_key=api_key,
        log_path=folder / "server.log",
    )


@contextmanager
def run_server(name: str, place: Place) -> Iterator[Server]:
    """Make a database for the server of this name and start it; it is gone after the block."""
    with prepare_server(name, place).start() as server:
        yield server


def needs_postgres(name: str) -> bool:
    """Tell whether the contender keeps its data in PostgreSQL."""
    return not name.endswith("sqlite")


def find_free_port() -> int:
    """Find a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def benefits_command() -> str:
    """Name the `benefits` that is installed beside this Python.

    Raises:
        FileNotFoundError: the service is not installed here.
    """
    path = Path(sys.executable).with_name("benefits")
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: run `make setup`")
    return str(path)


def read_peak_mebibytes(process_id: int) -> float:
    """Find the most memory that the process or one that it started ever had."""
    peaks = [0.0]
    for folder in find_processes(process_id):
        lines = [line for line in _read(folder / "status") if line.startswith("VmHWM:")]
        peaks += [int(line.split()[1]) / 1024 for line in lines]
    return max(peaks)


@dataclass(frozen=True, slots=True)
class Resting:
    """Memory of a process in MiB: all that is resident, its share of it, and what it shares not."""

    resident: float
    share: float
    own: float


def read_resting_mebibytes(folder: Path) -> Resting:
    """Find what a process has in memory; nothing of one that has ended."""
    sizes = {
        name.rstrip(":"): int(size) / 1024
        for name, size, *_ in map(str.split, _read(folder / "smaps_rollup")[1:])
    }
    own = sizes.get("Private_Clean", 0.0) + sizes.get("Private_Dirty", 0.0)
    return Resting(sizes.get("Rss", 0.0), sizes.get("Pss", 0.0), own)


def read_cpu_seconds(process_id: int) -> float:
    """Find how long the process and those that it started have been computing, ended ones too."""
    ticks = 0
    for folder in find_processes(process_id):
        for line in _read(folder / "stat"):
            ticks += sum(map(int, line.rpartition(")")[2].split()[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def find_processes(process_id: int) -> Iterator[Path]:
    """Give what the system tells of a process, and of all that it started."""
    waiting = [process_id]
    while waiting:
        folder = Path("/proc") / str(waiting.pop())
        yield folder
        try:
            tasks = [*(folder / "task").iterdir()]
        except GONE:
            continue
        for task in tasks:
            waiting += [int(each) for line in _read(task / "children") for each in line.split()]


def _read(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except GONE:
        return []


@contextmanager
def run_process(
    command: Sequence[str], environment: dict[str, str], log_path: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command; it is gone after the block."""
    with log_path.open("ab") as log:
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


@contextmanager
def run_module(name: str) -> Iterator[subprocess.Popen[str]]:
    """Start a module that is told and answers by pipes; it is gone after the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _await_ready(port: int, process: subprocess.Popen[bytes], launch: Launch) -> None:
    deadline = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        if _is_ready(port):
            return
        time.sleep(READY_SECONDS_BETWEEN_LOOKS)
    log = launch.log_path.read_text(errors="replace")[-4000:]
    raise RuntimeError(f"{launch.name} did not become ready:\n{log}")


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()
