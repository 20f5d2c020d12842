"""One keep-alive HTTP/1.1 connection, as light as it can be: bytes out, status and body in."""

import asyncio
from typing import Protocol, cast

HEAD_END = b"\r\n\r\n"
CONTENT_LENGTH = b"content-length:"


class AnswerSink(Protocol):
    """Who is told what a connection saw."""

    def take_answer(self, connection: "Connection", status: int, body: bytes) -> None:
        """One whole answer came; the connection may be used again at once."""

    def take_failure(self, connection: "Connection", reason: str) -> None:
        """The connection ended or said what can't be understood; it sends no more."""


class Connection(asyncio.Protocol):
    """Sends one request at a time and hands each answer to a sink.

    Only answers with a content-length are understood, for both servers send nothing else.
    """

    def __init__(self, sink: AnswerSink) -> None:
        """Made before it is connected; `send` may be called once the transport is there."""
        self._sink = sink
        self._transport: asyncio.WriteTransport | None = None
        self._buffer = b""
        self._answer_length = 0
        self._body_start = 0
        self.sent_at = 0.0
        self.waiting = False

    def send(self, request: bytes, *, at: float) -> None:
        """Write one whole request; `at` is kept in `sent_at` for the sink."""
        assert self._transport is not None
        self.sent_at = at
        self.waiting = True
        self._transport.write(request)

    def close(self) -> None:
        """End the connection without telling the sink."""
        self.waiting = False
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        # uvloop's transports share the methods of asyncio's, not their base class.
        self._transport = cast("asyncio.WriteTransport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the sink, if an answer is still owed."""
        if self.waiting:
            self.waiting = False
            self._sink.take_failure(self, f"connection lost: {exc or 'closed by the server'}")

    def data_received(self, data: bytes) -> None:
        """Collect bytes until the answer is whole."""
        self._buffer = self._buffer + data if self._buffer else data
        if not self._answer_length and not self._read_head():
            return
        if len(self._buffer) < self._answer_length:
            return
        answer, body_start = self._buffer, self._body_start
        self._buffer, self._answer_length = b"", 0
        self.waiting = False
        self._sink.take_answer(self, int(answer[9:12]), answer[body_start:])

    def _read_head(self) -> bool:
        end = self._buffer.find(HEAD_END)
        if end < 0:
            return False
        head = self._buffer[:end].lower() + b"\r\n"
        at = head.find(CONTENT_LENGTH)
        if at < 0:
            self._fail("an answer without content-length")
            return False
        length = head[at + len(CONTENT_LENGTH) : head.index(b"\r\n", at)]
        self._body_start = end + len(HEAD_END)
        self._answer_length = self._body_start + int(length)
        return True

    def _fail(self, reason: str) -> None:
        self.close()
        self._sink.take_failure(self, reason)
