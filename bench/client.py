"""Requests as values, and a plain blocking client for setups."""

import http.client
import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

RECEIVED_BYTES = 1 << 16
HEAD_END = b"\r\n\r\n"
CONTENT_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
JSON_TYPE = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Request:
    """Verb, path and body of one request."""

    verb: str
    path: str
    body: dict[str, Any] | None = None

    def encode_body(self) -> bytes | None:
        """Write the body as it goes over the wire."""
        if self.body is None:
            return None
        return json.dumps(self.body, separators=(",", ":")).encode()

    def encode(self, *, host: str, api_key: str) -> bytes:
        """Write the request as it goes over the wire."""
        body = self.encode_body()
        head = f"{self.verb} {self.path} HTTP/1.1\r\nhost: {host}\r\nauthorization: {api_key}\r\n"
        if body is not None:
            head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        return f"{head}\r\n".encode() + (body or b"")


Exchange = Callable[[Request], tuple[int, bytes]]
"""Sends one request and gives status and body of its answer."""


class Client:
    """Sends one request after the other and takes nothing but 200."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def send(self, request: Request) -> dict[str, Any]:
        """Return the body of a 200.

        Raises:
            RuntimeError: the service answered anything else; the message holds its words.
        """
        status, body = self._exchange(request)
        if status != HTTPStatus.OK:
            raise RuntimeError(f"{request.verb} {request.path}: {status} {body.decode()}")
        decoded: dict[str, Any] = json.loads(body)
        return decoded

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send a POST; see `send`."""
        return self.send(Request("POST", path, body))


class Wire:
    """A connection that sends bytes and reads answers with next to no work of its own.

    A server hangs up on one that it hasn't heard of for some seconds.
    """

    def __init__(self, *, host: str, port: int, api_key: str) -> None:
        self._socket = socket.create_connection((host, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._host = host
        self._api_key = api_key

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def time(self, request: Request) -> tuple[float, dict[str, Any]]:
        """Send a request; give the seconds until its whole answer was there, and the answer.

        Raises:
            RuntimeError: the server answered anything but 200.
        """
        sent = request.encode(host=self._host, api_key=self._api_key)
        started = time.perf_counter()
        self._socket.sendall(sent)
        answer = b""
        while not is_whole(answer):
            received = self._socket.recv(RECEIVED_BYTES)
            if not received:
                raise RuntimeError(f"{request.verb} {request.path}: the server hung up")
            answer += received
        seconds = time.perf_counter() - started
        head, _, body = answer.partition(HEAD_END)
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{request.verb} {request.path}: {answer.decode()}")
        return seconds, json.loads(body)


def is_whole(answer: bytes) -> bool:
    """Tell whether head and body are there, by the content-length that every answer has."""
    head, end, body = answer.partition(HEAD_END)
    if not end:
        return False
    found = CONTENT_LENGTH.search(head)
    assert found is not None
    return len(body) >= int(found[1])


@contextmanager
def http_client(*, host: str, port: int, api_key: str) -> Iterator[Client]:
    """Ask a server; connects with the first request."""
    with closing(http.client.HTTPConnection(host, port, timeout=60)) as connection:

        def exchange(request: Request) -> tuple[int, bytes]:
            headers = {"authorization": api_key, **JSON_TYPE}
            connection.request(request.verb, request.path, request.encode_body(), headers)
            answer = connection.getresponse()
            return answer.status, answer.read()

        yield Client(exchange)
