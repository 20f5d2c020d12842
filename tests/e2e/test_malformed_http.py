"""What reaches the server's port and is no sensible HTTP: the same body and request id as ever."""

from __future__ import annotations

import http.client
import json
import socket
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import quote

import pytest

from benefit_programs.api.protocol import HEAD_BYTES_MAX
from tests.support.answers import require_error
from tests.support.serving import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS_MAX = 20
QUERY = "/benefit-programs/v1/items/query"
LIST = "/benefit-programs/v1/items"
CURSOR_LENGTH_MAX = 64_000
"""How long a cursor of items may be; percent-encoded it is three times as long."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("server")
    server = ServerProcess(["--data-dir", str(folder / "data")], folder / "log")
    yield server
    server.stop()


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any

    @property
    def request_id(self) -> str:
        return self.headers["x-request-id"]

    @property
    def violation(self) -> tuple[str, str, dict[str, str]]:
        (found,) = self.body["details"]["validationError"]["fieldViolations"]
        return found["field"], found["violatedRule"], found["data"]


NO_HTTP = ("", "FORMAT", {"type": "HTTP"})


class Connection:
    """A connection to a server on which anything may be sent."""

    def __init__(self, server: ServerProcess) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS_MAX)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *parts: bytes) -> None:
        for part in parts:
            self.socket.sendall(part)

    def read(self) -> Answer:
        """Read the next answer; every error must have the one shape, and the request's id."""
        response = http.client.HTTPResponse(self.socket)
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        body = json.loads(response.read())
        assert headers["x-request-id"] == headers["x-wix-request-id"]
        assert headers["content-type"] == "application/json"
        if response.status != 200:
            require_error(body)
        return Answer(response.status, headers, body)

    def is_closed(self) -> bool:
        return self.socket.recv(1) == b""


def answer_to(server: ServerProcess, *parts: bytes) -> Answer:
    """Send something that ends the connection with one answer."""
    with Connection(server) as connection:
        connection.send(*parts)
        answer = connection.read()
        assert connection.is_closed()
    return answer


def head(verb: str, path: str, *headers: str) -> bytes:
    return "\r\n".join([f"{verb} {path} HTTP/1.1", "host: x", *headers, "", ""]).encode("latin-1")


def posted(server: ServerProcess, *headers: str, body: bytes = b"") -> bytes:
    named = ("x-request-id: mine", f"authorization: {server.first_key}")
    return head("POST", QUERY, *named, "content-type: application/json", *headers) + body


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / SPDY/3\r\n\r\n",
        b"BREW /coffee HTTP/1.1\r\nhost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT example.org:443 HTTP/1.1\r\nhost: example.org\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n",
    ],
)
def test_request_lines_that_are_none(server: ServerProcess, sent: bytes) -> None:
    """A request line that says nothing sensible is refused like any broken format."""
    answer = answer_to(server, sent)
    assert (answer.status, answer.violation) == (400, NO_HTTP)


@pytest.mark.parametrize(
    "broken",
    [
        "no colon",
        "na me: x",
        ": no name",
        "x: a\0b",
        "content-length: many",
        "content-length: -1",
        "content-length: 1\r\ncontent-length: 2",
        "content-length: 1\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked, identity",
    ],
)
def test_headers_that_are_none(server: ServerProcess, broken: str) -> None:
    """A header that is none is refused; the id that came before it is answered."""
    answer = answer_to(server, posted(server, broken))
    assert (answer.status, answer.violation) == (400, NO_HTTP)
    assert answer.request_id == "mine"


@pytest.mark.parametrize("coded", ["gzip, chunked", "gzip\r\ntransfer-encoding: chunked"])
def test_bodies_in_other_codings(server: ServerProcess, coded: str) -> None:
    """A body in a coding that nobody undoes is refused, and not taken for what it codes."""
    answer = answer_to(server, posted(server, f"transfer-encoding: {coded}"), b"0\r\n\r\n")
    assert (answer.status, answer.request_id) == (400, "mine")
    assert answer.violation == ("transfer-encoding", "FORMAT", {"type": "HTTP"})


@pytest.mark.parametrize("chunk", [b"x\r\n{}\r\n0\r\n\r\n", b"1\r\n{}\r\n0\r\n\r\n", b"-1\r\n"])
def test_chunks_that_are_none(server: ServerProcess, chunk: bytes) -> None:
    """A body in chunks that don't fit together is refused, and is not acted upon."""
    answer = answer_to(server, posted(server, "transfer-encoding: chunked"), chunk)
    assert (answer.status, answer.violation) == (400, NO_HTTP)
    assert answer.request_id == "mine"


def test_body_that_is_shorter_than_it_says(server: ServerProcess) -> None:
    """A client that says more than it sends, and then falls silent, is told so."""
    with Connection(server) as connection:
        connection.send(posted(server, "content-length: 10", body=b"{}"))
        connection.socket.shutdown(socket.SHUT_WR)
        answer = connection.read()
    assert (answer.status, answer.violation, answer.request_id) == (400, NO_HTTP, "mine")


def test_head_that_never_ends(server: ServerProcess) -> None:
    """So is one that stops in the middle of its headers."""
    with Connection(server) as connection:
        connection.send(b"GET / HTTP/1.1\r\nhost:")
        connection.socket.shutdown(socket.SHUT_WR)
        answer = connection.read()
    assert (answer.status, answer.violation) == (400, NO_HTTP)


def test_body_that_is_longer_than_it_says(server: ServerProcess) -> None:
    """What comes after a body is another request: the first is answered before it is refused."""
    with Connection(server) as connection:
        connection.send(posted(server, "content-length: 2", body=b"{}surplus\r\n\r\n"))
        answer = connection.read()
        assert (answer.status, answer.request_id) == (200, "mine")
        assert connection.is_closed()


def test_nonsense_after_an_answer(server: ServerProcess) -> None:
    """A connection that turns to nonsense is refused with an id of its own, not the last one's."""
    with Connection(server) as connection:
        connection.send(posted(server, "content-length: 2", body=b"{}"))
        assert connection.read().status == 200
        connection.send(b"nonsense\r\n\r\n")
        answer = connection.read()
        assert (answer.status, answer.violation) == (400, NO_HTTP)
        assert answer.request_id != "mine"
        assert connection.is_closed()


def test_broken_body_of_a_refused_request(server: ServerProcess) -> None:
    """A request that is refused before its body is read gets one answer, whatever follows."""
    sent = head("POST", QUERY, "authorization: none", "transfer-encoding: chunked")
    with Connection(server) as connection:
        connection.send(sent)
        assert connection.read().status == 401
        connection.send(b"x\r\n")
        assert connection.is_closed()


def test_refusals_are_logged(tmp_path: Path) -> None:
    """The log has a line for such a request, with its id and status, as for any other."""
    server = ServerProcess(
        ["--data-dir", str(tmp_path / "data"), "--log-format", "json"], tmp_path / "log"
    )
    answer_to(server, head("GET", LIST, "x-request-id: mine", "accept: */*", "na me: x"))
    server.stop()
    lines = [json.loads(line) for line in server.log.splitlines()]
    assert [(line["request_id"], line["status"]) for line in lines if "status" in line] == [
        ("mine", 400)
    ]


@pytest.mark.parametrize("letter", ["a", "ä", "%"])
def test_cursors_as_long_as_the_contract_allows(server: ServerProcess, letter: str) -> None:
    """The longest cursor of a GET arrives whole, however it must be written in an address."""
    cursor = letter * CURSOR_LENGTH_MAX
    path = f"{LIST}?filter.namespace=gym&cursorPaging.cursor={quote(cursor, safe='')}"
    with Connection(server) as connection:
        connection.send(head("GET", path, f"authorization: {server.first_key}"))
        answer = connection.read()
        assert answer.status == 400
        (violation,) = answer.body["details"]["validationError"]["fieldViolations"]
        assert violation["field"] == "cursorPaging.cursor"
        assert violation["violatedRule"] != "MAX_LENGTH"
        # It goes on as if nothing had been.
        connection.send(
            head("GET", f"{LIST}?filter.namespace=gym", f"authorization: {server.first_key}")
        )
        assert connection.read().status == 200


def test_cursor_that_is_too_long(server: ServerProcess) -> None:
    """One character more is past the field's limit, which is what the answer says."""
    path = f"{LIST}?cursorPaging.cursor={quote('ä' * (CURSOR_LENGTH_MAX + 1))}"
    with Connection(server) as connection:
        connection.send(head("GET", path, f"authorization: {server.first_key}"))
        answer = connection.read()
    (violation,) = answer.body["details"]["validationError"]["fieldViolations"]
    assert (violation["violatedRule"], violation["data"]) == (
        "MAX_LENGTH",
        {"threshold": CURSOR_LENGTH_MAX},
    )


def test_addresses_without_an_end(server: ServerProcess) -> None:
    """A path longer than any that the service has is refused."""
    answer = answer_to(server, head("GET", "/" + "a" * 70_000))
    assert (answer.status, answer.violation) == (400, NO_HTTP)


@pytest.mark.parametrize("name", ["in one header", "in many headers", "in the address"])
def test_heads_without_an_end(server: ServerProcess, name: str) -> None:
    """Whatever a head is made of, past its limit it is refused, and no more of it is kept."""
    size = HEAD_BYTES_MAX * 3
    sent = {
        "in one header": b"GET / HTTP/1.1\r\nx-request-id: mine\r\nx: " + b"a" * size,
        "in many headers": b"GET / HTTP/1.1\r\nx-request-id: mine\r\n" + b"x: y\r\n" * (size // 6),
        "in the address": b"GET /?" + b"a" * size,
    }[name]
    with Connection(server) as connection:
        try:
            connection.send(sent)
        except ConnectionError:
            return  # It has stopped listening before all was sent.
        answer = connection.read()
    assert answer.status == 431
    error = answer.body["details"]["applicationError"]
    assert (error["code"], error["data"]) == ("HEAD_TOO_LARGE", {"bytesMax": HEAD_BYTES_MAX})
