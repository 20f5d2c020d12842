"""HTTP/1.1 as uvicorn speaks it, with the contract's answers to what is no request."""

from __future__ import annotations

import asyncio
import math
from enum import StrEnum
from typing import Any
from urllib.parse import unquote

import httptools
import msgspec
import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from benefit_programs.api.connections import OpenConnections
from benefit_programs.api.cycle import Cycle
from benefit_programs.api.errors import HeadTooLarge, RequestTimeout, error_body
from benefit_programs.api.messages import STOPPING, header, request_id_of
from benefit_programs.domain.errors import Invalid, Refusal, ViolatedRule

HEAD_BYTES_MAX = 262_144
"""How much of an address and headers is waited for; what comes at once may be as large again."""

PARSED_ADDRESS_BYTES_MAX = 65_535
"""The longest address that the parser takes apart; of a longer one it is given the path."""

_log = structlog.get_logger("benefit_programs.request")


class Awaited(StrEnum):
    """What the client of a connection has to do next."""

    REQUEST = "request"
    HEAD = "head"
    BODY = "body"
    TAKE = "take"
    """It takes the rest of its last answer."""
    NOTHING = "nothing"
    """A request is under way: the client waits for us."""


class HttpProtocol(HttpToolsProtocol):
    """One connection. What is no request gets an answer of the one shape, and ends it.

    A client has so many seconds for a head, for a body, and to begin a request; the time that a
    request is under way is ours and never counted.
    """

    cycle: Cycle | None  # type: ignore[assignment]  # of our own kind; at first there is none
    _is_in_head = False
    """Whether a request has begun whose headers aren't complete."""

    _head_bytes = 0
    _has_body_to_come = False
    _fault: Refusal | None = None
    _since = 0.0
    """When the client's time began for what it has to do, by the loop's clock."""

    _unsent_bytes = 0

    def __init__(
        self, *arguments: Any, head_seconds_max: int, body_seconds_max: int, **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self._seconds_max = {
            Awaited.REQUEST: self.timeout_keep_alive,
            Awaited.HEAD: head_seconds_max,
            Awaited.BODY: body_seconds_max,
            Awaited.TAKE: self.timeout_keep_alive,
        }
        # Looking at the clock now and then costs less than a timer for each step of each request.
        self._seconds_between_looks = min(self._seconds_max.values())

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        OpenConnections.cell[0] += 1
        super().connection_made(transport)
        self._since = self.loop.time()
        self._look_in(self._seconds_between_looks)

    def connection_lost(self, exc: Exception | None) -> None:
        OpenConnections.cell[0] -= 1
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Go on with the next request, or wait for one."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if not self._is_in_head and not self._has_body_to_come:
            self._since = self.loop.time()
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())

    def data_received(self, data: bytes) -> None:
        """Take what has come; of a head without an end no more than its limit is kept."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse(self._fault or _not_http())
        except httptools.HttpParserUpgrade:
            # Nothing is served but HTTP; the request is answered as if it had not asked.
            pass
        else:
            if self._is_in_head:
                self._count_head(len(data))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head, self._head_bytes = True, 0
        self._since = self.loop.time()

    def on_headers_complete(self) -> None:
        """Hand the request to the application, with a query of any length."""
        self._require_plain_chunks()
        http_version = self.parser.get_http_version()
        self._complete_scope(http_version)
        self._is_in_head, self._has_body_to_come = False, True
        self._since = self.loop.time()
        earlier = self.cycle
        self.cycle = Cycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=http_version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        if earlier is None or earlier.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _complete_scope(self, http_version: str) -> None:
        """Say what the line of the request says. Raises HttpParserError for no address."""
        address, query = self.url, b""
        if len(address) > PARSED_ADDRESS_BYTES_MAX:
            address, _, query = address.partition(b"?")
        url = httptools.parse_url(address)
        path = url.path.decode("ascii")
        scope: Any = self.scope
        scope["method"] = self.parser.get_method().decode("ascii")
        scope["http_version"] = http_version
        scope["path"] = unquote(path) if "%" in path else path
        scope["raw_path"] = url.path
        scope["query_string"] = query or url.query or b""

    def on_message_complete(self) -> None:
        self._has_body_to_come = False
        super().on_message_complete()

    def timeout_keep_alive_handler(self) -> None:
        """End a connection whose client let its time go by; one that has begun hears of it."""
        awaited = self._find_awaited()
        seconds_left = self._since + self._seconds_max.get(awaited, math.inf) - self.loop.time()
        if seconds_left <= 0:
            self._end_time_of(awaited)
            seconds_left = math.inf
        self._look_in(min(seconds_left, self._seconds_between_looks))

    def _end_time_of(self, awaited: Awaited) -> None:
        """Do what follows if the client hasn't done in time what it has to do."""
        unsent = self.transport.get_write_buffer_size()
        if unsent not in (0, self._unsent_bytes):
            self._unsent_bytes = unsent
            self._since = self.loop.time()
        elif unsent or self.transport.is_closing():
            self.transport.abort()
        elif awaited is not Awaited.REQUEST and self._waits_for_us:
            self._since = self.loop.time()
        elif awaited in (Awaited.HEAD, Awaited.BODY):
            self._since = self.loop.time()
            self._refuse(RequestTimeout(seconds_max=self._seconds_max[awaited]))
        else:
            self.transport.close()

    def _look_in(self, seconds: float) -> None:
        """Look in so many seconds whether the client's time is over."""
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )

    def shutdown(self) -> None:
        """Close when nothing is under way; an answer that would go on for ever ends now."""
        latest = self.cycle
        super().shutdown()
        if latest is not None:
            stopping: Any = latest.scope.get(STOPPING)
            if stopping is not None:
                stopping.set()

    def eof_received(self) -> None:
        """Tell a client that stops in the middle of a request."""
        cycle = self.cycle
        if self._is_in_head or (cycle is not None and cycle.more_body):
            self._refuse(_not_http())

    def pause_writing(self) -> None:
        super().pause_writing()
        self._since = self.loop.time()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._since = self.loop.time()

    def _find_awaited(self) -> Awaited:
        """What the client has to do."""
        latest = self.cycle
        if self.flow.write_paused or self.transport.is_closing():
            return Awaited.TAKE
        if self._is_in_head:
            return Awaited.HEAD
        if self._has_body_to_come:
            return Awaited.BODY
        is_idle = latest is None or latest.response_complete
        return Awaited.REQUEST if is_idle else Awaited.NOTHING

    @property
    def _waits_for_us(self) -> bool:
        """Whether what is to come waits for an earlier request, or for us to read it."""
        latest = self.cycle
        is_behind = latest is not None and not latest.response_complete and self._is_in_head
        return is_behind or self.flow.read_paused or bool(self.pipeline)

    def _require_plain_chunks(self) -> None:
        """Refuse a body in a coding that nobody here undoes, as if it were what it codes."""
        scope: Any = self.scope
        if header(scope, b"transfer-encoding") is None:
            return
        codings = [value for name, value in self.headers if name == b"transfer-encoding"]
        if [each.strip().lower() for each in codings] != [b"chunked"]:
            self._fault = Invalid.because(
                "transfer-encoding",
                "must be chunked, or not be there",
                ViolatedRule.FORMAT,
                data={"type": "HTTP"},
            )
            raise self._fault

    def _count_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES_MAX:
            self._refuse(HeadTooLarge(bytes_max=HEAD_BYTES_MAX))

    def _refuse(self, refusal: Refusal) -> None:
        """Answer once all earlier requests of the connection have their answers, and end it."""
        latest = self.cycle
        if latest is None or (self._is_in_head and latest.response_complete):
            self._answer(refusal)
        elif self._is_in_head:
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
