"""``benefits health`` tells a platform whether a process can be used, in time and by its code."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.serving import ServerProcess, run_benefits

SILENCE = b""


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """A port where one caller gets this answer, or waits as long as this is open."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = threading.Event()

        def answer_one() -> None:
            caller, _ = listener.accept()
            with caller:
                if answer:
                    caller.sendall(answer)
                done.wait()

        thread = threading.Thread(target=answer_one)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            done.set()
            thread.join()


def test_ready_server_ends_with_0(tmp_path: Path) -> None:
    """A server that can be used is asked where the settings have it listen, or at an address."""
    server = ServerProcess(["--data-dir", str(tmp_path)], tmp_path / "log")
    try:
        for arguments in ([], ["--url", f"{server.url}/"]):
            done = run_benefits(
                "health", *arguments, BENEFITS_HOST="0.0.0.0", BENEFITS_PORT=str(server.port)
            )
            assert (done.returncode, done.stdout, done.stderr) == (0, "ready\n", "")
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", "answers 503"),
        (b"220 mail.example ESMTP\r\n", "doesn't answer in HTTP"),
        (b"x" * 5_000, "doesn't answer: "),
        (SILENCE, "doesn't answer within 1.5 seconds"),
    ],
)
def test_anything_else_ends_with_1(answer: bytes, said: str) -> None:
    """A process that isn't ready, says something else or nothing ends with 1, and one line why."""
    with answering(answer) as port:
        done = run_benefits("health", BENEFITS_PORT=str(port))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"127.0.0.1:{port}/readyz {said}" in done.stderr
    assert done.stderr.count("\n") == 1


def test_no_process_ends_with_1() -> None:
    """Where nothing listens, it ends with 1."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    done = run_benefits("health", "--url", f"http://127.0.0.1:{port}")
    assert (done.returncode, done.stdout) == (1, "")
    assert "doesn't answer: connection refused" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (["--worker"], {}),
        (["--worker", "--url", "http://127.0.0.1:8080"], {}),
        (["--url", "127.0.0.1:8080"], {}),
        ([], {"BENEFITS_PORT": "0"}),
    ],
)
def test_unknown_place_is_a_wrong_argument(arguments: list[str], variables: dict[str, str]) -> None:
    """Without an address to ask, it ends with 2 and says what is missing."""
    assert run_benefits("health", *arguments, **variables).returncode == 2
