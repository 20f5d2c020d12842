"""HTTP/1.1 as uvicorn speaks it, with the contract's answers to what is no request."""

from __future__ import annotations

import asyncio
from typing import Any

import httptools
import msgspec
import structlog
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from benefit_programs.api.errors import HeadTooLarge, error_body
from benefit_programs.api.messages import request_id_of
from benefit_programs.api.transport import JoiningTransport
from benefit_programs.domain.errors import Invalid, Refusal, ViolatedRule

HEAD_BYTES_MAX = 262_144
"""How much of an address and headers is waited for; what comes at once may be as large again."""

PARSED_ADDRESS_BYTES_MAX = 65_535
"""The longest address that the parser takes apart; of a longer one it is given the path."""

_log = structlog.get_logger("benefit_programs.request")


class HttpProtocol(HttpToolsProtocol):
    """One connection. What is no request gets an answer of the one shape, and ends it."""

    _head_bytes = 0
    _head_counted: object = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._answers = JoiningTransport(transport)
        super().connection_made(self._answers)

    def on_response_complete(self) -> None:
        self._answers.finish()
        super().on_response_complete()

    def data_received(self, data: bytes) -> None:
        """Take what has come; of a head without an end no more than its limit is kept."""
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse(_not_http())
        except httptools.HttpParserUpgrade:
            # Nothing is served but HTTP; the request is answered as if it had not asked.
            pass
        else:
            if self._is_in_head():
                self._count_head(len(data))

    def on_headers_complete(self) -> None:
        """Hand the request to the application, with a query of any length."""
        if len(self.url) <= PARSED_ADDRESS_BYTES_MAX:
            super().on_headers_complete()
            return
        self.url, _, query = self.url.partition(b"?")
        super().on_headers_complete()
        # The application is a task: it looks at the scope when this has returned.
        self.scope["query_string"] = query

    def eof_received(self) -> None:
        """Tell a client that stops in the middle of a request."""
        cycle = self._latest
        if self._is_in_head() or (cycle is not None and cycle.more_body):
            self._refuse(_not_http())

    @property
    def _latest(self) -> RequestResponseCycle | None:
        """The latest request whose headers were complete; at first there is none."""
        return self.cycle

    def _is_in_head(self) -> bool:
        """Whether a request has begun whose headers aren't complete."""
        scope: Any = self.scope
        return bool(scope) and "path" not in scope

    def _count_head(self, size: int) -> None:
        if self._head_counted is not self.scope:
            self._head_counted, self._head_bytes = self.scope, 0
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES_MAX:
            self._refuse(HeadTooLarge(bytes_max=HEAD_BYTES_MAX))

    def _refuse(self, refusal: Refusal) -> None:
        """Answer once all earlier requests of the connection have their answers, and end it."""
        latest = self._latest
        if latest is None or (self._is_in_head() and latest.response_complete):
            self._answer(refusal)
        elif self._is_in_head():
            latest.keep_alive = False
            self.flow.pause_reading()
        elif self.pipeline or latest.response_started:
            self.transport.close()
        else:
            latest.disconnected = True
            latest.message_event.set()
            self._answer(refusal)

    def _answer(self, refusal: Refusal) -> None:
        status, content = error_body(refusal)
        body = msgspec.json.encode(content)
        request_id = request_id_of({"headers": self.headers})
        encoded_id = request_id.encode("latin-1")
        headers = (
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"x-request-id", encoded_id),
            (b"x-wix-request-id", encoded_id),
            (b"connection", b"close"),
        )
        lines = (name + b": " + value + b"\r\n" for name, value in headers)
        self.transport.write(b"".join((STATUS_LINE[status], *lines, b"\r\n", body)))
        self.transport.close()
        _log.info("answered", request_id=request_id, status=status, method=None, tenant=None)


def _not_http() -> Invalid:
    return Invalid.because(
        "", "the request must be HTTP/1.1", ViolatedRule.FORMAT, data={"type": "HTTP"}
    )
