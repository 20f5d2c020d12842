"""Clients that let their time go by are cut; those that move, or wait for us, are not."""

from __future__ import annotations

import contextlib
import http.client
import json
import select
import socket
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.support.answers import require_error
from tests.support.serving import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS_MAX = 20
PAUSE_SECONDS = 0.2
DEFINITIONS = "/benefit-programs/v1/program-definitions"
HEAD_SECONDS, BODY_SECONDS, IDLE_SECONDS = 1, 3, 1


class Slow(NamedTuple):
    """A server with little patience, and its data."""

    server: ServerProcess
    data: Path

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.server.port), timeout=SECONDS_MAX)

    def head(self, path: str, *headers: str, key: str | None = None) -> bytes:
        named = (f"authorization: {key or self.server.first_key}", "x-request-id: mine")
        lines = (f"POST {path} HTTP/1.1", "host: x", *named, *headers, "", "")
        return "\r\n".join(lines).encode()

    def creation(self, external_id: str) -> tuple[bytes, bytes]:
        """The head and the body of a request that makes a program definition."""
        definition = {"namespace": "gym", "externalId": external_id}
        body = json.dumps({"programDefinition": definition}).encode()
        return self.head(DEFINITIONS, f"content-length: {len(body)}"), body


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slow]:
    yield from started(tmp_path_factory.mktemp("server"))


@pytest.fixture
def own_slow(tmp_path: Path) -> Iterator[Slow]:
    """A server that the test may stop."""
    yield from started(tmp_path)


def started(folder: Path) -> Iterator[Slow]:
    server = ServerProcess(
        ["--data-dir", str(folder / "data"), "--log-format", "json"],
        folder / "log",
        BENEFITS_HEAD_SECONDS_MAX=str(HEAD_SECONDS),
        BENEFITS_BODY_SECONDS_MAX=str(BODY_SECONDS),
        BENEFITS_IDLE_SECONDS_MAX=str(IDLE_SECONDS),
    )
    yield Slow(server, folder / "data" / "benefits.sqlite3")
    server.stop()


def answers_in(connection: socket.socket) -> list[int]:
    """The statuses of all answers until the connection is closed; errors have the one shape."""
    statuses = []
    with connection.makefile("rb") as received:
        while line := received.readline():
            statuses.append(int(line.split()[1]))
            headers = http.client.parse_headers(received)
            assert headers["x-request-id"]
            body = json.loads(received.read(int(headers["content-length"])))
            if statuses[-1] != 200:
                require_error(body)
            if statuses[-1] == 408:
                assert body["details"]["applicationError"]["code"] == "REQUEST_TIMEOUT"
    return statuses


def hears_within(connection: socket.socket, seconds: float) -> bool:
    """Whether the server answers or hangs up in that time."""
    return bool(select.select([connection], [], [], seconds)[0])


def drip(connection: socket.socket, data: bytes, pause: float = PAUSE_SECONDS) -> None:
    """Send byte by byte until the server answers or hangs up, or all is sent."""
    for byte in data:
        with contextlib.suppress(ConnectionError):
            connection.send(bytes((byte,)))
        if hears_within(connection, pause):
            return


@contextlib.contextmanager
def locked(data: Path) -> Iterator[Callable[[], object]]:
    """Keep the server from writing, so that a request is under way until this is released."""
    with contextlib.closing(sqlite3.connect(data, isolation_level=None)) as database:
        database.execute("begin immediate")
        yield lambda: database.execute("rollback")


def test_client_that_never_says_anything(slow: Slow) -> None:
    """A connection on which nothing ever comes is closed without a word."""
    with slow.connect() as connection:
        assert answers_in(connection) == []


def test_client_that_has_nothing_more_to_say(slow: Slow) -> None:
    """So is one on which nothing comes any more."""
    head, body = slow.creation("nothing more")
    with slow.connect() as connection:
        connection.sendall(head + body)
        assert answers_in(connection) == [200]


def test_client_that_says_nothing_in_many_words(slow: Slow) -> None:
    """Empty lines before a request begin none, and win no time."""
    with slow.connect() as connection:
        drip(connection, b"\r\n" * 50)
        assert answers_in(connection) == []


@pytest.mark.parametrize("sent", [b"P", b"POST /", b"POST / HTTP/1.1\r\nhost: x\r\n"])
def test_head_that_is_begun(slow: Slow, sent: bytes) -> None:
    """Whoever begins a head and doesn't end it is told so."""
    with slow.connect() as connection:
        connection.sendall(sent)
        assert answers_in(connection) == [408]


def test_head_that_drips(slow: Slow) -> None:
    """The time runs from the first byte: one byte now and then wins nothing."""
    with slow.connect() as connection:
        drip(connection, slow.head("/", "x: " + "y" * 100))
        assert answers_in(connection) == [408]


def test_next_head_that_is_begun(slow: Slow) -> None:
    """The second request of a connection has the same time as the first."""
    head, body = slow.creation("next head")
    with slow.connect() as connection:
        connection.sendall(head + body)
        assert hears_within(connection, SECONDS_MAX)
        connection.sendall(b"POST /")
        assert answers_in(connection) == [200, 408]


@pytest.mark.parametrize("sent", [b"", b"{"])
@pytest.mark.parametrize("header", ["content-length: 100", "transfer-encoding: chunked"])
def test_body_that_does_not_come(slow: Slow, header: str, sent: bytes) -> None:
    """Whoever announces a body and doesn't send it is told so, with the request's id."""
    chunk = b"%x\r\n%b\r\n" % (len(sent), sent) if "chunked" in header and sent else sent
    with slow.connect() as connection:
        connection.sendall(slow.head(DEFINITIONS, header) + chunk)
        with connection.makefile("rb") as received:
            answer = received.read()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"\r\nx-request-id: mine\r\n" in answer


def test_body_that_drips(slow: Slow) -> None:
    """Here too the time is for the whole."""
    with slow.connect() as connection:
        connection.sendall(slow.head(DEFINITIONS, "content-length: 100"))
        drip(connection, b" " * 99)
        assert answers_in(connection) == [408]


def test_body_of_a_request_that_was_answered(slow: Slow) -> None:
    """The body of a refused request may be awaited by nobody, and keeps no connection."""
    with slow.connect() as connection:
        connection.sendall(slow.head(DEFINITIONS, "content-length: 100", key="none"))
        assert hears_within(connection, SECONDS_MAX)
        with contextlib.suppress(ConnectionError):
            for _ in range(99):
                connection.send(b" ")
                if select.select([connection], [], [], PAUSE_SECONDS)[0] and (
                    not connection.recv(65_536)
                ):
                    return
        assert answers_in(connection) == []


def test_slow_upload_that_moves(slow: Slow) -> None:
    """A body may take longer than a head, and than a pause between requests."""
    head, body = slow.creation("upload")
    pause = (HEAD_SECONDS + IDLE_SECONDS) / len(body)
    assert pause * len(body) < BODY_SECONDS
    with slow.connect() as connection:
        connection.sendall(head)
        drip(connection, body, pause)
        assert answers_in(connection) == [200]


@pytest.mark.parametrize("next_head", [b"", b"POST / HT"])
def test_request_that_takes_its_time(slow: Slow, next_head: bytes) -> None:
    """A request under way is not cut, however long it takes, and the next may have begun."""
    head, body = slow.creation(f"takes its time {len(next_head)}")
    with locked(slow.data) as release, slow.connect() as connection:
        connection.sendall(head + body + next_head)
        assert not hears_within(connection, 2 * HEAD_SECONDS + IDLE_SECONDS)
        release()
        assert answers_in(connection) == [200, 408] if next_head else [200]


def test_next_body_that_waits_for_its_turn(slow: Slow) -> None:
    """The time for a body doesn't end while an earlier request is under way."""
    head, body = slow.creation("its turn")
    next_head, next_body = slow.creation("its turn after that")
    with locked(slow.data) as release, slow.connect() as connection:
        connection.sendall(head + body + next_head)
        assert not hears_within(connection, BODY_SECONDS + 1)
        release()
        assert hears_within(connection, SECONDS_MAX)
        connection.sendall(next_body)
        assert answers_in(connection) == [200, 200]


def connections_of(server: ServerProcess) -> int:
    """How many sockets the process has open."""
    folder = Path(f"/proc/{server.process.pid}/fd")
    return sum(1 for each in folder.iterdir() if str(each.readlink()).startswith("socket:"))


def test_client_that_takes_no_answers(own_slow: Slow) -> None:
    """Whoever asks and asks, and reads none of it, is cut off."""
    asked = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n"
    with own_slow.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.sendall(asked)
        assert hears_within(connection, SECONDS_MAX)
        before = connections_of(own_slow.server)
        connection.settimeout(PAUSE_SECONDS)
        with contextlib.suppress(TimeoutError):
            connection.sendall(asked * 1_000)
        hung_up = select.poll()
        hung_up.register(connection, select.POLLHUP)
        looks = int(SECONDS_MAX / PAUSE_SECONDS)
        assert any(
            connections_of(own_slow.server) < before
            for _ in range(looks)
            if not hung_up.poll(PAUSE_SECONDS * 1_000)
        )
    assert own_slow.server.stop() == 0
    assert "Exception" not in own_slow.server.log
