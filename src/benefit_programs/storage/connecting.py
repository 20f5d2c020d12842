"""How connections to PostgreSQL are made, and which server is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from math import inf
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from benefit_programs.domain.store import StoreUnavailable
from benefit_programs.storage.hosts import Hosts

VERSION_MIN = 15
"""The oldest PostgreSQL with which the tests run."""

CONNECT_SECONDS_MAX = 10
"""How long a new connection may take; a host that says nothing is away then."""

STATEMENT_CACHE_SIZE = 500

PLAN_SECONDS_MAX = 1.0
"""How long a connection keeps the plans of batches and look-ups, while tables may grow."""

_POOLER_HINT = "behind a pooler such as pgbouncer, set BENEFITS_POSTGRES_POOLER=transaction"

_REFUSALS_OF_POOLERS = (
    asyncpg.ProtocolViolationError,
    asyncpg.DuplicatePreparedStatementError,
    asyncpg.InvalidSQLStatementNameError,
)

_ARRAYS = {
    oid: {
        "oid": oid,
        "name": name,
        "ns": "pg_catalog",
        "kind": b"b",
        "elemtype": element,
        "elemdelim": ",",
        **dict.fromkeys(("basetype", "range_subtype", "attrtypoids", "attrnames")),
    }
    for name, oid, element in (("_json", 199, 114), ("_int8", 1016, 20), ("_uuid", 2951, 2950))
}
"""What the driver would ask each server about the types of our lists; it is the same on all."""


class _NothingAsked:
    """Stands for the question that was spared: named, so it replaced no unnamed statement."""

    name = "spared"


class _Connection(asyncpg.Connection):  # type: ignore[misc]
    """A connection that needs no clearing between uses, and knows the types of our lists.

    Nothing here changes its session. ADR 37 says why it answers a private question of the driver.
    """

    _planned = -inf

    def has_old_plans(self) -> bool:
        """Whether the plans that it keeps may be older than they may be; says so once."""
        now = monotonic()
        if now - self._planned < PLAN_SECONDS_MAX:
            return False
        self._planned = now
        return True

    def get_reset_query(self) -> str:
        return ""

    async def _introspect_types(self, typeoids: Iterable[int], seconds: float | None) -> Any:
        """What is known of types; the server is asked if one of them is none of ours."""
        if all(oid in _ARRAYS for oid in typeoids):
            return [_ARRAYS[oid] for oid in typeoids], _NothingAsked
        return await super()._introspect_types(typeoids, seconds)


async def connect(url: str) -> Any:
    """A single connection, which the caller closes. Raises StoreUnavailable for an old server."""
    with told_failures(url):
        # Without prepared statements, of which a pooler between may know nothing.
        connection = await Hosts(url).connect(statement_cache_size=0)
    try:
        require_version(connection)
    except StoreUnavailable:
        await connection.close()
        raise
    return connection


def create_pool(
    hosts: Hosts,
    connections_max: int,
    settings: dict[str, str],
    *,
    has_pooler: bool,
    prepare: Callable[[Any], Awaitable[None]] | None = None,
) -> asyncpg.Pool[Any]:
    """Connections that are opened when the pool is entered. ``prepare`` may refuse each.

    Behind a pooler they come without the settings, which their transactions give themselves, and
    keep no statements.
    """
    return asyncpg.create_pool(
        connect=hosts.connect,
        # The first now, so that a start notices what is wrong. No floor: the driver would log a
        # traceback each time that it fails to restore it.
        init_size=1,
        min_size=0,
        max_size=connections_max,
        timeout=CONNECT_SECONDS_MAX,
        connection_class=_Connection,
        init=prepare,
        statement_cache_size=0 if has_pooler else STATEMENT_CACHE_SIZE,
        max_cached_statement_lifetime=0,
        server_settings={"application_name": "benefits"} | ({} if has_pooler else settings),
    )


def set_local(settings: dict[str, str]) -> list[str]:
    """Statements that give a transaction its settings, for it alone."""
    return [f"set local {name} = '{value}'" for name, value in settings.items()]


@contextmanager
def told_pooler() -> Iterator[None]:
    """While connections with settings are made: tells what to do if somebody between refuses.

    That is a pooler which takes no settings, or whose connections have others' statements.
    """
    try:
        yield
    except _REFUSALS_OF_POOLERS as error:
        told = str(error).partition("\n")[0]  # the driver's own advice follows
        raise StoreUnavailable(f"{told}; {_POOLER_HINT}") from error


async def require_setting(connection: Any, name: str, settings: dict[str, str]) -> None:
    """Raise StoreUnavailable if somebody between has taken the settings of a connection away."""
    if await connection.fetchval(f"select current_setting('{name}')") != settings[name]:
        raise StoreUnavailable(f"the settings of its connections get lost; {_POOLER_HINT}")


def require_version(connection: Any) -> int:
    """The server's major version. Raises StoreUnavailable if it is too old."""
    version = connection.get_server_version()
    if version.major < VERSION_MIN:
        found = f"{version.major}.{version.minor or version.micro}"
        raise StoreUnavailable(
            f"it is PostgreSQL {found}, and the oldest supported is {VERSION_MIN}"
        )
    return int(version.major)


@contextmanager
def told_failures(url: str) -> Iterator[None]:
    """While a connection is made: names the host that doesn't answer, and never the password."""
    try:
        yield
    except OSError as error:
        host = urlsplit(url).netloc.rpartition("@")[2] or "PostgreSQL"
        raise StoreUnavailable(f"{host}: {error.strerror or repr(error)}") from error
    except asyncpg.InterfaceError:
        raise
    except ValueError:
        # The driver's words repeat what it can't read, which may be a part of the password.
        raise StoreUnavailable("its URL can't be read") from None
