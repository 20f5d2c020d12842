"""A plain blocking client for setups, and requests as bytes."""

import http.client
import json
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Request:
    """Verb, path and body of one request."""

    verb: str
    path: str
    body: dict[str, Any] | None = None

    def encode(self, *, host: str, api_key: str) -> bytes:
        """Write the request as it goes over the wire."""
        body = b"" if self.body is None else json.dumps(self.body, separators=(",", ":")).encode()
        head = f"{self.verb} {self.path} HTTP/1.1\r\nhost: {host}\r\nauthorization: {api_key}\r\n"
        if self.body is not None:
            head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        return f"{head}\r\n".encode() + body


class Client:
    """Sends one request after the other and takes nothing but 200."""

    def __init__(self, *, host: str, port: int, api_key: str) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=60)
        self._api_key = api_key

    def __enter__(self) -> Self:
        """Connects with the first request."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self._connection.close()

    def send(self, request: Request) -> dict[str, Any]:
        """Return the body of a 200.

        Raises:
            RuntimeError: the server answered anything else; the message holds its words.
        """
        body = None if request.body is None else json.dumps(request.body)
        headers = {"authorization": self._api_key, "content-type": "application/json"}
        self._connection.request(request.verb, request.path, body, headers)
        answer = self._connection.getresponse()
        text = answer.read().decode()
        if answer.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{request.verb} {request.path}: {answer.status} {text}")
        decoded: dict[str, Any] = json.loads(text)
        return decoded

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send a POST; see `send`."""
        return self.send(Request("POST", path, body))
