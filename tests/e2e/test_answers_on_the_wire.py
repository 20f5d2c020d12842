"""How answers leave the server: whole, in order, and with nothing kept back."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.support.serving import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS_MAX = 20
CLIENTS_SECONDS = 5
QUERY = (
    b"POST /benefit-programs/v1/items/query HTTP/1.1\r\nhost: x\r\ncontent-type: application/json"
)
ALIVE = b"/healthz HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("server")
    server = ServerProcess(["--data-dir", str(folder / "data")], folder / "log")
    yield server
    server.stop()


@pytest.fixture
def wire(server: ServerProcess) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS_MAX) as wire:
        yield wire


def read_until(wire: socket.socket, end: bytes) -> bytes:
    """What comes up to some bytes, and with them."""
    came = b""
    while end not in came:
        part = wire.recv(65_536)
        assert part, f"the connection ended after {came!r}"
        came += part
    return came


def test_an_answer_without_a_body_is_sent(wire: socket.socket) -> None:
    """The answer to HEAD is a head alone, and the connection goes on with the next request."""
    for _ in range(2):
        wire.sendall(b"HEAD " + ALIVE)
        assert read_until(wire, b"\r\n\r\n").startswith(b"HTTP/1.1 200 OK\r\n")
    wire.sendall(b"GET " + ALIVE)
    assert read_until(wire, b"}").startswith(b"HTTP/1.1 200 OK\r\n")


def test_an_idle_connection_outlives_the_clients_patience(wire: socket.socket) -> None:
    """Clients keep one for 5 seconds and give it up first, so no request meets its end."""
    wire.sendall(b"GET " + ALIVE)
    read_until(wire, b"}")
    wire.settimeout(CLIENTS_SECONDS + 1)
    with pytest.raises(TimeoutError):
        wire.recv(1)
    wire.sendall(b"GET " + ALIVE)
    assert read_until(wire, b"}").startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_client_that_asks_first_is_told_to_go_on(
    server: ServerProcess, wire: socket.socket
) -> None:
    """100 Continue comes before the body is sent, and the answer after it."""
    key = str(server.first_key).encode()
    more = b"\r\nauthorization: %s\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n" % key
    wire.sendall(QUERY + more)
    assert read_until(wire, b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
    wire.sendall(b"{}")
    assert read_until(wire, b"}").startswith(b"HTTP/1.1 200 OK\r\n")


def test_requests_at_once_are_answered_in_their_order(wire: socket.socket) -> None:
    """Requests that come together have their answers one after the other, all complete."""
    paths = [b"/healthz", b"/nowhere", b"/healthz"]
    wire.sendall(b"".join(b"GET %s HTTP/1.1\r\nhost: x\r\n\r\n" % path for path in paths))
    came = b""
    while came.count(b"HTTP/1.1 ") < len(paths) or not came.endswith(b"}"):
        part = wire.recv(65_536)
        assert part, f"the connection ended after {came!r}"
        came += part
    statuses = [part[:3] for part in came.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200", b"404", b"200"]


def test_the_last_answer_of_a_connection_is_sent(wire: socket.socket) -> None:
    """A client that wants the connection closed gets its answer first."""
    wire.sendall(b"%s\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}" % QUERY)
    came = b""
    while part := wire.recv(65_536):
        came += part
    assert came.startswith(b"HTTP/1.1 4")
    assert came.endswith(b"}")
