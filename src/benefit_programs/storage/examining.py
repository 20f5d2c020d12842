"""A database that is only looked at, and never waited for long: for whoever examines it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import apsw

from benefit_programs.domain.store import StoreUnavailable
from benefit_programs.storage import postgres, sqlite
from benefit_programs.storage.connecting import connect, set_local
from benefit_programs.storage.query import Dialect, PostgresDialect, SqliteDialect

CONNECT_SECONDS_MAX = 4.0
STATEMENT_SECONDS_MAX = 2.0
"""How long the database may work on one question."""

ANSWER_SECONDS_MAX = 3.0
"""How long it may say nothing; then it is gone, and isn't asked again."""

_STEPS_PER_LOOK = 10_000
_LIMITS = "; ".join(
    set_local(
        {
            "statement_timeout": f"{STATEMENT_SECONDS_MAX:g}s",
            "lock_timeout": "1s",
            "jit": "off",
        }
    )
)


class Examined(Protocol):
    """A database that answers questions and is never changed by them."""

    dialect: Dialect

    async def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Raises StoreTimeout for what takes long, StoreUnavailable if the database is gone."""
        ...


class ExaminedPostgres:
    """One connection, which answers in transactions that can't write."""

    def __init__(self, connection: Any) -> None:
        self.dialect: Dialect = PostgresDialect(has_casefold=False)
        self._connection = connection

    async def has_somebody_between(self) -> bool | None:
        """Whether the server sees another caller than us: a pooler, or a translated address.

        None where a local socket tells nothing.
        """
        name = self._connection._transport.get_extra_info("sockname")  # noqa: SLF001
        if not isinstance(name, tuple):
            return None
        ((port,),) = await self.fetch("select inet_client_port()")
        return bool(port != name[1])

    async def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        if self._connection.is_closed():
            raise StoreUnavailable("the connection was lost")
        asked = asyncio.create_task(self._ask(sql, parameters))
        await asyncio.wait((asked,), timeout=ANSWER_SECONDS_MAX)
        if not asked.done():
            # To cancel it politely, the driver would wait for the server again.
            self._connection.terminate()
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
            raise StoreUnavailable(f"no answer within {ANSWER_SECONDS_MAX:g} seconds")
        return asked.result()

    async def _ask(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        with postgres.translated_errors():
            async with self._connection.transaction(readonly=True):
                await self._connection.execute(_LIMITS)
                return [tuple(row) for row in await self._connection.fetch(sql, *parameters)]


class ExaminedFile:
    """A SQLite file, opened to be read."""

    def __init__(self, connection: apsw.Connection) -> None:
        self.dialect: Dialect = SqliteDialect()
        self._connection = connection
        self._ends = 0.0
        connection.set_progress_handler(lambda: monotonic() > self._ends, _STEPS_PER_LOOK)
        connection.set_busy_timeout(1_000)

    async def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return await asyncio.to_thread(self._ask, sql, parameters)

    def _ask(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        self._ends = monotonic() + STATEMENT_SECONDS_MAX
        with sqlite.translated_errors():
            return self._connection.execute(sql, parameters).fetchall()


@asynccontextmanager
async def examine_postgres(url: str) -> AsyncIterator[ExaminedPostgres]:
    """Raises StoreUnavailable if the server doesn't answer in time, refuses, or is too old."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS_MAX):
            with postgres.translated_errors():
                connection = await connect(url)
    except TimeoutError:
        raise StoreUnavailable(f"no answer within {CONNECT_SECONDS_MAX:g} seconds") from None
    try:
        yield ExaminedPostgres(connection)
    finally:
        if not connection.is_closed():
            with suppress(Exception):  # it is given up either way
                await connection.close(timeout=1)


@asynccontextmanager
async def examine_file(path: Path) -> AsyncIterator[ExaminedFile]:
    """Raises StoreUnavailable for a file that isn't there or can't be read."""
    connection = await asyncio.to_thread(_open_file, path)
    try:
        yield ExaminedFile(connection)
    finally:
        connection.close()


def _open_file(path: Path) -> apsw.Connection:
    if not path.exists():
        raise StoreUnavailable(f"there is no file {path}")
    with sqlite.translated_errors():
        return sqlite.connect(path, read_only=True)
