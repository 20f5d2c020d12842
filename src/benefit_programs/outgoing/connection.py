"""One connection to a receiver: a request at a time, and what comes back.

It is made for deliveries, of which there are many: bytes out, a parser in C, one timer. A whole
HTTP client takes many times as long for a request.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import cast

import httptools

from benefit_programs.outgoing.retry_after import RETRY_AFTER_LENGTH_MAX

ANSWER_READ_BYTES_MAX = 65_536
"""How much of an answer is read; a longer one is a failure."""

ANSWER_KEPT_BYTES_MAX = 1_024
"""How much of it is kept."""

ANSWER_WHOLE_BYTES_MAX = 262_144
"""How long an answer is at most with its headers, and the marks between its parts."""


class Failure(StrEnum):
    """Why a request failed, in words that a log may show."""

    WRONG_URL = "wrong url"
    REFUSED_ADDRESS = "refused address"
    CONNECTION = "connection"
    TIME_OUT = "time-out"
    REDIRECT = "redirect"
    TOO_LARGE = "too large"


@dataclass(slots=True)
class Answer:
    """What has come so far."""

    status: int | None = None
    retry_after: str | None = None
    start: bytes = b""
    failure: Failure | None = None


class Connection(asyncio.Protocol):
    """Sends one request at a time. ``ended`` is called when it is of no more use."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        accepted: socket.socket,
        ended: Callable[[Connection], None],
    ) -> None:
        self._loop = loop
        self._socket = accepted
        self._ended = ended
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._answer = Answer()
        self._done: asyncio.Future[None] | None = None
        self._received = self._read = 0
        self._has_head = self._has_end = False
        self.is_open = False

    async def post(self, request: bytes, answer: Answer, *, until: float) -> None:
        """Send a whole request, and have the answer filled in; ``until`` is the loop's time.

        If anything went wrong, and if the caller is cancelled, the connection is closed.
        """
        assert self._done is None, "a connection has one request at a time"
        self._answer, self._received, self._read = answer, 0, 0
        self._has_head = self._has_end = False
        self._done = self._loop.create_future()
        timer = self._loop.call_at(until, self._fail, Failure.TIME_OUT)
        try:
            self._transport.write(request)
            await self._done
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            timer.cancel()
            self._done = None

    def close(self) -> None:
        """Hang up at once."""
        self.is_open = False
        self._transport.abort()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing has come that the loop hasn't seen yet, such as the other side's end."""
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Transports of uvloop share the methods of asyncio's, not their base class.
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        if self._done is None or self._done.done():
            self.close()  # nobody has asked
            return
        self._received += len(data)
        if self._received > ANSWER_WHOLE_BYTES_MAX:
            self._fail(Failure.TOO_LARGE)
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(Failure.CONNECTION)

    def eof_received(self) -> None:
        """The other side has ended: so has an answer that says nothing of its length."""
        self.is_open = False
        if self._has_head and not self._has_end:
            self._finish(None)

    def connection_lost(self, _: Exception | None) -> None:
        self.is_open = False
        self._finish(Failure.CONNECTION)
        self._ended(self)

    def on_header(self, name: bytes, value: bytes) -> None:
        match name.lower():
            case b"retry-after" if not self._has_head:
                text = value[:RETRY_AFTER_LENGTH_MAX].decode("latin-1")
                self._answer.retry_after = self._answer.retry_after or text
            case b"content-length" | b"transfer-encoding":
                self._has_end = True

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < HTTPStatus.OK:
            return
        self._has_head, self._answer.status = True, status
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            self._fail(Failure.REDIRECT)

    def on_body(self, body: bytes) -> None:
        answer = self._answer
        self._read += len(body)
        answer.start += body[: ANSWER_KEPT_BYTES_MAX - len(answer.start)]
        if self._read > ANSWER_READ_BYTES_MAX:
            self._fail(Failure.TOO_LARGE)

    def on_message_complete(self) -> None:
        """The answer is whole, unless it was one of those that only announce it."""
        if self._has_head:
            if not self._parser.should_keep_alive():
                self.close()
            self._finish(None)

    def on_message_begin(self) -> None:
        """Refuse a second answer to one request."""
        if self._done is None or self._done.done():
            raise ConnectionError("nobody has asked")

    def _fail(self, failure: Failure) -> None:
        self._finish(failure)
        self.close()

    def _finish(self, failure: Failure | None) -> None:
        if self._done is not None and not self._done.done():
            self._answer.failure = failure
            self._done.set_result(None)
