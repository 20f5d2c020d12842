"""Calls from pages of other origins, for the origins that the operator lists.

Callers are known by the authorization header that the page itself sends. The answers never
allow browsers to send cookies or passwords, so an origin gains nothing that its page lacks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from benefit_programs.api.messages import AsgiScope, Message, Receive, Send, header, request_id_of
from benefit_programs.api.methods import METHODS
from benefit_programs.api.strictness import STRICT_HEADER

Application = Callable[[AsgiScope, Receive, Send], Awaitable[None]]

ANY_ORIGIN = "*"
PREFLIGHT_SECONDS_MAX = 7_200
"""How long a browser may keep what a preflight said; none keeps it longer than a day."""

REQUEST_HEADERS = frozenset(
    {"accept", "accept-language", "authorization", "content-language", "content-type"}
    | {"last-event-id", "wix-account-id", "wix-site-id", "x-request-id", STRICT_HEADER}
)
"""What a page may send; beside these, every header that begins with ``x-wix-``."""

REQUEST_HEADER_PREFIX = "x-wix-"

RESPONSE_HEADERS = ("retry-after", "x-request-id", "x-wix-consistent", "x-wix-request-id")
"""What a page may read of an answer."""

_VERBS = ", ".join(sorted({method.verb for method in METHODS.values()})).encode()
_EXPOSED = ", ".join(RESPONSE_HEADERS).encode()

_VARY_ORIGIN = (b"vary", b"origin")


class CrossOrigin:
    """An application that pages of the listed origins may call; ``*`` lists all."""

    def __init__(self, application: Application, origins: Collection[str]) -> None:
        self._application = application
        self._origins = frozenset(origins)
        self._is_open = ANY_ORIGIN in self._origins

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        origin = header(scope, b"origin")
        allowed = self._allowed(origin)
        if allowed is not None and _is_preflight(scope):
            await _answer_preflight(scope, send, [allowed, *self._vary()])
            return
        marks = [] if allowed is None else [allowed, (b"access-control-expose-headers", _EXPOSED)]
        marks += self._vary()

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *marks]
            await send(message)

        await self._application(scope, receive, send_marked)

    def _allowed(self, origin: str | None) -> tuple[bytes, bytes] | None:
        """The header that lets a page of this origin read the answer."""
        if origin is None or not (self._is_open or origin in self._origins):
            return None
        value = ANY_ORIGIN if self._is_open else origin
        return b"access-control-allow-origin", value.encode("latin-1")

    def _vary(self) -> list[tuple[bytes, bytes]]:
        """A cache must keep the answers for different origins apart, unless they are the same."""
        return [] if self._is_open else [_VARY_ORIGIN]


def _is_preflight(scope: AsgiScope) -> bool:
    asked = header(scope, b"access-control-request-method")
    return scope["method"] == "OPTIONS" and asked is not None


async def _answer_preflight(scope: AsgiScope, send: Send, marks: list[tuple[bytes, bytes]]) -> None:
    """Allow what the service knows; the browser itself holds the request against it."""
    request_id = request_id_of(scope).encode("latin-1")
    headers = [
        *marks,
        (b"access-control-allow-methods", _VERBS),
        (b"access-control-max-age", str(PREFLIGHT_SECONDS_MAX).encode()),
        (b"content-length", b"0"),
        (b"x-request-id", request_id),
        (b"x-wix-request-id", request_id),
    ]
    wanted = _allowed_headers(header(scope, b"access-control-request-headers"))
    if wanted:
        headers.append((b"access-control-allow-headers", wanted.encode("latin-1")))
        headers.append((b"vary", b"access-control-request-headers"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _allowed_headers(wanted: str | None) -> str:
    """Of the headers that a page wants to send, those that it may."""
    names = [name.strip().lower() for name in (wanted or "").split(",")]
    return ", ".join(
        name for name in names if name in REQUEST_HEADERS or name.startswith(REQUEST_HEADER_PREFIX)
    )
