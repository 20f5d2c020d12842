"""HTTP/1.1 as uvicorn speaks it, with the contract's answers to what is no request."""

from __future__ import annotations

import asyncio
import math
from enum import StrEnum
from typing import Any, cast
from urllib.parse import unquote

import httptools
import msgspec
import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from benefit_programs.api.connections import OpenConnections
from benefit_programs.api.cycle import Cycle
from benefit_programs.api.errors import HeadTooLarge, RequestTimeout, error_body
from benefit_programs.api.messages import STOPPING, request_id_of
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

    _head_bytes = 0
    _head_counted: object = None
    _has_body_to_come = False
    _fault: Refusal | None = None
    _awaited = Awaited.NOTHING
    _awaited_of: object = None
    _deadline = math.inf
    _timer_ends = math.inf
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

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        OpenConnections.count += 1
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        OpenConnections.count -= 1
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Go on with the next request, or wait for one."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        self._watch()

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
            if self._is_in_head():
                self._count_head(len(data))
        self._watch()

    def on_headers_complete(self) -> None:
        """Hand the request to the application, with a query of any length."""
        self._require_plain_chunks()
        self._has_body_to_come = True
        http_version = self.parser.get_http_version()
        self._complete_scope(http_version)
        earlier = self._latest
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
        self.timeout_keep_alive_task = None
        seconds_left = self._deadline - self.loop.time()
        if seconds_left > 0:
            self._set_timer(seconds_left)
            return
        unsent = self.transport.get_write_buffer_size()
        if unsent not in (0, self._unsent_bytes):
            self._unsent_bytes = unsent
            self._start_time()
        elif unsent or self.transport.is_closing():
            self.transport.abort()
        elif self._awaited is not Awaited.REQUEST and self._waits_for_us:
            self._start_time()
        elif self._awaited in (Awaited.HEAD, Awaited.BODY):
            self._refuse(RequestTimeout(seconds_max=self._seconds_max[self._awaited]))
            self._watch()
        else:
            self.transport.close()

    def shutdown(self) -> None:
        """Close when nothing is under way; an answer that would go on for ever ends now."""
        latest = self._latest
        super().shutdown()
        if latest is not None:
            stopping: Any = latest.scope.get(STOPPING)
            if stopping is not None:
                stopping.set()

    def eof_received(self) -> None:
        """Tell a client that stops in the middle of a request."""
        cycle = self._latest
        if self._is_in_head() or (cycle is not None and cycle.more_body):
            self._refuse(_not_http())

    @property
    def _latest(self) -> Cycle | None:
        """The latest request whose headers were complete; at first there is none."""
        return cast("Cycle | None", self.cycle)

    def _is_in_head(self) -> bool:
        """Whether a request has begun whose headers aren't complete."""
        scope: Any = self.scope
        return bool(scope) and "path" not in scope

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._watch()

    def _watch(self) -> None:
        """Start the client's time for what it has to do, unless it is running."""
        awaited, of = self._find_awaited()
        if awaited is self._awaited and of is self._awaited_of:
            return
        self._awaited, self._awaited_of = awaited, of
        self._start_time()

    def _start_time(self) -> None:
        seconds = self._seconds_max.get(self._awaited, math.inf)
        self._deadline = self.loop.time() + seconds
        # A timer that goes off too early costs less than one for each step of each request.
        if self.timeout_keep_alive_task is None or self._deadline < self._timer_ends:
            self._set_timer(seconds)

    def _set_timer(self, seconds: float) -> None:
        self._unset_keepalive_if_required()
        if seconds < math.inf:
            self._timer_ends = self.loop.time() + seconds
            self.timeout_keep_alive_task = self.loop.call_later(
                seconds, self.timeout_keep_alive_handler
            )

    def _find_awaited(self) -> tuple[Awaited, object]:
        """What the client has to do, and of which request."""
        latest = self._latest
        if self._is_lost:
            return Awaited.NOTHING, None
        if self.flow.write_paused or self.transport.is_closing():
            return Awaited.TAKE, None
        if self._is_in_head():
            return Awaited.HEAD, self.scope
        if self._has_body_to_come:
            return Awaited.BODY, latest
        is_idle = latest is None or latest.response_complete
        return Awaited.REQUEST if is_idle else Awaited.NOTHING, latest

    @property
    def _waits_for_us(self) -> bool:
        """Whether what is to come waits for an earlier request, or for us to read it."""
        latest = self._latest
        is_behind = latest is not None and not latest.response_complete and self._is_in_head()
        return is_behind or self.flow.read_paused or bool(self.pipeline)

    @property
    def _is_lost(self) -> bool:
        """Whether there is no connection any more."""
        parser: object = self.parser
        return parser is None

    def _require_plain_chunks(self) -> None:
        """Refuse a body in a coding that nobody here undoes, as if it were what it codes."""
        codings = [value for name, value in self.headers if name == b"transfer-encoding"]
        if codings and [each.strip().lower() for each in codings] != [b"chunked"]:
            self._fault = Invalid.because(
                "transfer-encoding",
                "must be chunked, or not be there",
                ViolatedRule.FORMAT,
                data={"type": "HTTP"},
            )
            raise self._fault

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
