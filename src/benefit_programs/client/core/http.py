"""What the HTTP transports of both clients share."""

from __future__ import annotations

import httpx

from benefit_programs.client.core.calls import Response
from benefit_programs.client.errors import ConnectionFailed, TimedOut

CONNECTIONS_MAX = 100
CONNECTIONS_KEPT_MAX = 20

# Nothing was sent: there was no connection yet to send it on.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


def limits() -> httpx.Limits:
    return httpx.Limits(
        max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_KEPT_MAX
    )


def origin_of(base_url: str) -> str:
    """The address that targets are added to. Raises ValueError for one that can't be called."""
    try:
        url = httpx.URL(base_url)
        url.host.encode("idna")  # as the resolver will have it
    except (httpx.InvalidURL, UnicodeError):
        url = httpx.URL()
    if url.scheme not in {"http", "https"} or not url.host or url.query or url.fragment:
        raise ValueError("base_url must be an address such as http://127.0.0.1:8080")
    return base_url.rstrip("/")


def response_of(response: httpx.Response) -> Response:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Response(response.status_code, headers, response.content)


def failure_of(error: httpx.RequestError) -> ConnectionFailed:
    kind = TimedOut if isinstance(error, httpx.TimeoutException) else ConnectionFailed
    message = f"{type(error).__name__}: {error}".rstrip(": ")
    return kind(message, may_have_happened=not isinstance(error, _NEVER_SENT))
