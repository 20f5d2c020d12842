"""ASGI messages: bodies within their limit, and answers of one shape."""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, MutableMapping
from itertools import count
from secrets import token_hex
from typing import Any

from benefit_programs.api.errors import TooLarge, UnsupportedMediaType
from benefit_programs.domain.words import shortened

AsgiScope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

STOPPING = "benefits.stopping"
"""Where in a scope an answer that goes on puts the event that tells it to end."""

_HEADERS = "benefits.headers"
"""Where a scope keeps its headers by name, once one was asked for."""

JSON = "application/json"

_PLAIN_JSON = JSON.encode()

_REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}\Z")
_REQUEST_ID_HEADERS = (b"x-request-id", b"x-wix-request-id")
_JSON_TYPES = ("application/json", "text/json")


class _RequestIds:
    """Ids of requests that came without one: a name of this process, and a number."""

    def __init__(self) -> None:
        self.begin_anew()
        # A fork would go on with the same name and the same numbers.
        os.register_at_fork(after_in_child=self.begin_anew)

    def begin_anew(self) -> None:
        self._process, self._numbers = token_hex(8), count(1)

    def next(self) -> str:
        return f"{self._process}-{next(self._numbers):x}"


_ids = _RequestIds()


class ClientGone(Exception):
    """The client closed the connection before its request was complete."""


def headers_of(scope: AsgiScope) -> dict[bytes, bytes]:
    """The headers by name; of those that come several times the last ones."""
    headers: dict[bytes, bytes] | None = scope.get(_HEADERS)
    if headers is None:
        headers = scope[_HEADERS] = dict(scope["headers"])
    return headers


def header(scope: AsgiScope, name: bytes) -> str | None:
    """The last value of a header, or None."""
    value = headers_of(scope).get(name)
    return None if value is None else value.decode("latin-1")


def request_id_of(scope: AsgiScope) -> str:
    """The caller's own request id if it is a sensible one, else a new one."""
    headers = headers_of(scope)
    for name in _REQUEST_ID_HEADERS:
        given = headers.get(name)
        if given is not None and _REQUEST_ID.match(given):
            return given.decode("ascii")
    return _ids.next()


async def read_body(scope: AsgiScope, receive: Receive, bytes_max: int) -> bytes:
    """The whole body, never more than the limit. Raises TooLarge, or UnsupportedMediaType."""
    headers = headers_of(scope)
    length = headers.get(b"content-length")
    if length is not None and length.isdigit() and int(length) > bytes_max:
        raise TooLarge(bytes_max=bytes_max)
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        body = await _read_on(body, receive, bytes_max)
    if message["type"] == "http.disconnect":
        raise ClientGone
    if len(body) > bytes_max:
        raise TooLarge(bytes_max=bytes_max)
    if body and headers.get(b"content-type") != _PLAIN_JSON:
        _require_json(header(scope, b"content-type"))
    return body


async def _read_on(body: bytes, receive: Receive, bytes_max: int) -> bytes:
    parts, size = [body], len(body)
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if size > bytes_max:
            raise TooLarge(bytes_max=bytes_max)
        if not message.get("more_body"):
            return b"".join(parts)


def _require_json(content_type: str | None) -> None:
    if content_type is None:
        return
    essence = content_type.partition(";")[0].strip().lower()
    if essence not in _JSON_TYPES and not essence.endswith("+json"):
        raise UnsupportedMediaType(content_type=shortened(essence))


def accepts(scope: AsgiScope, media_type: str) -> bool:
    """Whether the caller asks for answers of a type by name."""
    named = (header(scope, b"accept") or "").split(",")
    return any(each.partition(";")[0].strip().lower() == media_type for each in named)


async def send_body(
    send: Send,
    status: int,
    body: bytes,
    *,
    request_id: str,
    headers: dict[str, str],
    media_type: str = JSON,
) -> None:
    encoded_id = request_id.encode("latin-1")
    named = [
        (b"content-type", media_type.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"x-request-id", encoded_id),
        (b"x-wix-request-id", encoded_id),
    ]
    if headers:
        named += [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": named})
    await send({"type": "http.response.body", "body": body})
