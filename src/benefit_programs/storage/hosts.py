"""Connections to a database that may be on any of several hosts (ADR 39).

Only the host that takes writes is the database. Which one that is may change: it is asked for with
each new connection, the one that was it last first.
"""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

from benefit_programs.domain.store import StoreUnavailable

HOST_SECONDS_MAX = 2.0
"""How long one of several hosts may take to connect; then the next is tried."""

UNHEARD_SECONDS_MAX = 5
"""After how long a connection is lost whose other side doesn't even acknowledge what is sent."""

_SESSION = "target_session_attrs"

_SOCKET_OPTIONS = {
    "TCP_KEEPIDLE": 2,
    "TCP_KEEPINTVL": 1,
    "TCP_KEEPCNT": UNHEARD_SECONDS_MAX - 2,
    "TCP_USER_TIMEOUT": UNHEARD_SECONDS_MAX * 1000,
}
"""Without them a machine that lost its power would be waited for a quarter of an hour."""


class Hosts:
    """The hosts that a URL names."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        user, at, places = parts.netloc.rpartition("@")
        self._names = {url: places}
        if "," in places:
            self._names = {
                parts._replace(netloc=user + at + each).geturl(): each for each in places.split(",")
            }
        self._urls = list(self._names)
        self._takes_all = _SESSION in parse_qs(parts.query)

    async def connect(self, *_: Any, **options: Any) -> Any:
        """A connection to the host that takes writes, or that the URL asks for.

        Of a single host it is asked only if the URL says so. Raises what the driver raises, or
        StoreUnavailable if none of several hosts will do.
        """
        if len(self._urls) == 1:
            return _attentive(await asyncpg.connect(self._urls[0], **options))
        if not self._takes_all:
            options[_SESSION] = "read-write"
        options["timeout"] = HOST_SECONDS_MAX
        refusals: dict[str, Exception] = {}
        # Another connection may put a host first meanwhile.
        for url in tuple(self._urls):
            try:
                connection = await asyncpg.connect(url, **options)
            except (OSError, asyncpg.PostgresError, asyncpg.InternalClientError) as error:
                refusals[self._names[url]] = error
            else:
                self._urls.remove(url)
                self._urls.insert(0, url)
                return _attentive(connection)
        told = "; ".join(f"{name}: {_words(error)}" for name, error in refusals.items())
        # That of a server which answered tells more: whether it has no connection left, for one.
        answers = [each for each in refusals.values() if isinstance(each, asyncpg.PostgresError)]
        raise StoreUnavailable(told) from (answers or [*refusals.values()])[0]


def _words(error: Exception) -> str:
    if isinstance(error, asyncpg.InternalClientError):
        return "takes no writes"
    if isinstance(error, OSError):
        return error.strerror or "no answer"
    return str(error)


def _attentive(connection: Any) -> Any:
    """Have the system notice a machine that is gone; the driver has no setting for it."""
    line: socket.socket | None = connection._transport.get_extra_info("socket")  # noqa: SLF001
    if line is not None and line.family in (socket.AF_INET, socket.AF_INET6):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _SOCKET_OPTIONS.items():
            if hasattr(socket, name):  # not every system has all of them
                line.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return connection
