"""Answers that go on: server-sent events, for as long as the caller wants them.

A stream ends when the caller goes, when the server stops, when the key no longer allows it, or when
the database isn't there. Whoever comes back with the last event's id misses nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import structlog

from benefit_programs.api.authentication import Authenticator
from benefit_programs.api.call import Call
from benefit_programs.api.errors import RETRY_SECONDS, TooManyRequests
from benefit_programs.api.messages import STOPPING, AsgiScope, Receive, Send, header
from benefit_programs.domain.errors import Refusal

EVENT_STREAM = "text/event-stream"

STREAMS_OF_TENANT_MAX = 20
"""How many streams of one tenant a process serves at a time."""

SECONDS_BETWEEN_CHECKS = 10.0
"""How often a stream looks whether its key still allows it."""

_log = structlog.get_logger("benefit_programs.request")


class Streams:
    """The streams of a process."""

    def __init__(self, authenticator: Authenticator) -> None:
        self.authenticator = authenticator
        self.of_tenants: Counter[int] = Counter()

    async def open(self, call: Call, scope: AsgiScope) -> Stream:
        """Begin a stream. Raises what its method refuses, or TooManyRequests."""
        if self.of_tenants[call.tenant_id] >= STREAMS_OF_TENANT_MAX:
            raise TooManyRequests(retry_after=RETRY_SECONDS)
        follower = call.method.follower
        assert follower is not None, "a method that is followed says by what"
        assert call.decoded is not None, "and takes a request of its own"
        self.of_tenants[call.tenant_id] += 1
        try:
            chunks = follower(call, call.decoded.value, header(scope, b"last-event-id"))
            return Stream(self, call, scope, chunks, await anext(chunks))
        except BaseException:
            self.leave(call.tenant_id)
            raise

    def leave(self, tenant_id: int) -> None:
        self.of_tenants[tenant_id] -= 1
        if not self.of_tenants[tenant_id]:
            del self.of_tenants[tenant_id]


class Stream:
    """One stream, of which the first chunk is at hand."""

    def __init__(
        self,
        streams: Streams,
        call: Call,
        scope: AsgiScope,
        chunks: AsyncIterator[bytes],
        first: bytes,
    ) -> None:
        self._streams = streams
        self._call = call
        self._scope = scope
        self._chunks = chunks
        self._first = first
        self._checked = time.monotonic()

    async def run(self, receive: Receive, send: Send, *, request_id: str) -> None:
        """Send chunks until the end, and then the end."""
        stopping = self._scope[STOPPING] = asyncio.Event()
        ends: set[asyncio.Future[Any]] = {
            asyncio.ensure_future(_until_gone(receive)),
            asyncio.ensure_future(stopping.wait()),
        }
        record = {"request_id": request_id, "tenant": self._call.tenant_id}
        _log.info("stream begun", **record)
        try:
            await send(_head(request_id))
            await self._send_all(send, ends)
            await send({"type": "http.response.body", "body": b""})
        finally:
            for each in ends:
                each.cancel()
            self._streams.leave(self._call.tenant_id)
            _log.info("stream ended", **record)

    async def _send_all(self, send: Send, ends: set[asyncio.Future[Any]]) -> None:
        chunk: bytes | None = self._first
        while chunk is not None:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            chunk = await self._next(ends)

    async def _next(self, ends: set[asyncio.Future[Any]]) -> bytes | None:
        """The next chunk, or None at the end, whatever that is."""
        coming: asyncio.Future[Any] = asyncio.ensure_future(self._step())
        try:
            await asyncio.wait({coming, *ends}, return_when=asyncio.FIRST_COMPLETED)
            chunk: bytes | None = coming.result() if coming.done() else None
        except Exception as error:  # noqa: BLE001 - the head was sent: the caller comes back
            if not isinstance(error, Refusal):
                _log.warning("stream broken", reason=type(error).__name__)
            return None
        finally:
            coming.cancel()
        return chunk

    async def _step(self) -> bytes | None:
        chunk = await anext(self._chunks, None)
        if time.monotonic() - self._checked < SECONDS_BETWEEN_CHECKS:
            return chunk
        self._checked = time.monotonic()
        principal = await self._streams.authenticator.authenticate(
            header(self._scope, b"authorization"), header(self._scope, b"wix-site-id")
        )
        # With other rights or settings, the caller has to begin anew.
        return chunk if principal == self._call.principal else None


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _head(request_id: str) -> dict[str, object]:
    encoded_id = request_id.encode("latin-1")
    return {
        "type": "http.response.start",
        "status": 200,
        "headers": [
            (b"content-type", EVENT_STREAM.encode()),
            (b"cache-control", b"no-store"),
            # A proxy that collects an answer before it hands it on would hold it back for ever.
            (b"x-accel-buffering", b"no"),
            (b"x-request-id", encoded_id),
            (b"x-wix-request-id", encoded_id),
        ],
    }
