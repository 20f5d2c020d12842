"""One request and its answer, on uvicorn's connection: the head goes out together with the body.

Sent by itself, the head costs a system call and wakes the client twice, which for a small answer is
more than making it. So it waits for the first part of the body, or for the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

if TYPE_CHECKING:
    from benefit_programs.api.messages import Message

_BODILESS = (204, 304)
"""The statuses whose answers have no body, and say nothing of its length."""


class Cycle(RequestResponseCycle):
    """Writes what an application sends. Raises RuntimeError for what would be no answer."""

    _head = b""
    """What is written before anything else."""

    async def receive(self) -> Message:  # type: ignore[override]
        """A part of the body, once it is there, or that the client has gone."""
        if self.more_body or not self.message_event.is_set() or self.disconnected:
            message: Any = await super().receive()
            return message  # type: ignore[no-any-return]
        # All is here, mostly from the beginning on: there is nothing to wait for.
        self.message_event.clear()
        self.flow.resume_reading()
        body, self.body = self.body, bytearray()
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    async def send(self, message: Message) -> None:  # type: ignore[override]
        """Take the start of the answer, or a part of its body."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if message["type"] == "http.response.start" and not self.response_started:
            self._begin(message)
        elif message["type"] == "http.response.body" and self._is_under_way:
            self._go_on(message.get("body", b""), is_last=not message.get("more_body", False))
        else:
            raise RuntimeError(f"{message['type']} is out of turn")

    @property
    def _is_under_way(self) -> bool:
        return self.response_started and not self.response_complete

    def _begin(self, message: Message) -> None:
        self.response_started = True
        self.waiting_for_100_continue = False
        status: int = message["status"]
        parts, says_close = [STATUS_LINE[status]], False
        for name, value in (*self.default_headers, *message.get("headers", ())):
            if name == b"content-length":
                self.chunked_encoding, self.expected_content_length = False, int(value)
            elif name == b"connection" and value.lower() == b"close":
                self.keep_alive, says_close = False, True
            parts.append(b"%b: %b\r\n" % (name, value))
        if not self.keep_alive and not says_close:
            parts.append(b"connection: close\r\n")
        if self.chunked_encoding is None and not self._is_bodiless(status):
            self.chunked_encoding = True
            parts.append(b"transfer-encoding: chunked\r\n")
        head = b"".join(parts)
        # A line break in a value would begin a header of its own, or the body.
        if head.count(b"\n") != len(parts) or head.count(b"\r") != len(parts) or b"\0" in head:
            raise RuntimeError("a header has a character that no header has")
        self._head = head + b"\r\n"

    def _is_bodiless(self, status: int) -> bool:
        return self.scope["method"] == "HEAD" or status in _BODILESS

    def _go_on(self, body: bytes, *, is_last: bool) -> None:
        if self.scope["method"] == "HEAD":
            body, self.expected_content_length = b"", 0
        elif self.chunked_encoding:
            body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n" * is_last
        else:
            self.expected_content_length -= len(body)
        if self.expected_content_length < 0 or (is_last and self.expected_content_length):
            raise RuntimeError("the body has another length than the head says")
        head, self._head = self._head, b""
        # To a connection that is gone nothing is sent: its answers are nobody's.
        if (head or body) and not self.transport.is_closing():
            self.transport.write(head + body)
        if is_last:
            self._end()

    def _end(self) -> None:
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        ended: Any = self.on_response
        ended()
