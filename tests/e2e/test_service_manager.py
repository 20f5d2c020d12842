"""What processes tell a service manager such as systemd, over its socket."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.serving import STOP_SECONDS_MAX, ServerProcess, start_benefits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.databases import Databases

SECONDS_MAX = 30
STATE_BYTES_MAX = 1024
HALF_A_SECOND = "500000"
"""In microseconds, as the manager says when it gives up."""


class Manager:
    """Hears what a process tells."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(SECONDS_MAX)
        self.socket.bind(address.replace("@", "\0"))
        self.variables = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": HALF_A_SECOND}

    def hear(self) -> str:
        return self.socket.recv(STATE_BYTES_MAX).decode()

    def hear_end(self) -> list[str]:
        """All states until the one that says the end, without signs of life."""
        states: list[str] = []
        while "STOPPING=1" not in states:
            states.append(self.hear())
        return [each for each in states if each != "WATCHDOG=1"]


@contextmanager
def managing(address: str) -> Iterator[Manager]:
    manager = Manager(address)
    try:
        yield manager
    finally:
        manager.socket.close()


@pytest.mark.parametrize("kind", ["file", "abstract"])
def test_a_server_tells_of_its_life(kind: str, tmp_path: Path) -> None:
    """It says when it can be used, gives signs of life, and says that it stops."""
    address = str(tmp_path / "notify") if kind == "file" else f"@benefits-{tmp_path.name}"
    with managing(address) as manager:
        server = ServerProcess(
            ["--data-dir", str(tmp_path / "data")], tmp_path / "log", **manager.variables
        )
        try:
            assert manager.hear() == "READY=1"
            ready = httpx.get(f"{server.url}/readyz", trust_env=False)
            assert ready.status_code == httpx.codes.OK
            assert [manager.hear(), manager.hear()] == ["WATCHDOG=1"] * 2
        finally:
            assert server.stop() == 0
        assert manager.hear_end() == ["STOPPING=1"]


def test_nobody_need_listen(tmp_path: Path) -> None:
    """A server starts and stops as ever if what it was told to tell is gone."""
    server = ServerProcess(
        ["--data-dir", str(tmp_path / "data")],
        tmp_path / "log",
        NOTIFY_SOCKET=str(tmp_path / "nothing"),
        WATCHDOG_USEC="soon",
    )
    assert server.stop() == 0


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
def test_several_processes_speak_with_one_voice(
    databases: Databases, database_url: str, tmp_path: Path
) -> None:
    """Their parent tells, once one of them serves; signs of life meant for others aren't given."""
    with managing(str(tmp_path / "notify")) as manager:
        variables = manager.variables | {"WATCHDOG_PID": "1"}
        arguments = ["--database-url", database_url, "--workers", "2"]
        server = ServerProcess(arguments, tmp_path / "log", **variables)
        try:
            assert manager.hear() == "READY=1"
        finally:
            assert server.stop() == 0
        assert manager.hear() == "STOPPING=1"


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
@pytest.mark.parametrize("port", ["", "0"], ids=["no port", "port"])
def test_a_worker_tells_of_its_life(
    databases: Databases, database_url: str, port: str, tmp_path: Path
) -> None:
    """So does a worker, with and without pages of its own."""
    with managing(str(tmp_path / "notify")) as manager, (tmp_path / "log").open("w") as log:
        worker = start_benefits(
            "worker",
            stdout=log.fileno(),
            stderr=log.fileno(),
            BENEFITS_DATABASE_URL=database_url,
            BENEFITS_WORKER_METRICS_PORT=port,
            **manager.variables,
        )
        try:
            assert [manager.hear() for _ in range(3)] == ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]
            worker.terminate()
            assert worker.wait(STOP_SECONDS_MAX) == 0
        finally:
            worker.kill()
        assert manager.hear_end() == ["STOPPING=1"]
