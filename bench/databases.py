"""Connections beside the service: to fill a database by the million, and to look into it."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Protocol

import apsw
import asyncpg

from benefit_programs.storage.planning import write_statistics


class Session(Protocol):
    """A connection to either engine."""

    is_postgres: bool

    async def execute(self, sql: str) -> None:
        """Run a statement."""
        ...

    async def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        ...

    async def copy(self, table: str, columns: list[str], rows: Iterable[tuple[Any, ...]]) -> None:
        """Put rows into a table, in one transaction."""
        ...

    async def hurry(self) -> None:
        """Take the settings of a load that must be quick and may be lost."""
        ...

    async def settle(self) -> None:
        """Leave the database as one that grew row by row, and write it out."""
        ...


class PostgresSession:
    """A connection to PostgreSQL."""

    is_postgres = True

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def execute(self, sql: str) -> None:
        """Run a statement."""
        await self._connection.execute(sql)

    async def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return [tuple(row) for row in await self._connection.fetch(sql)]

    async def copy(self, table: str, columns: list[str], rows: Iterable[tuple[Any, ...]]) -> None:
        """Put rows into a table, in one transaction."""
        await self._connection.copy_records_to_table(table, columns=columns, records=rows)

    async def hurry(self) -> None:
        """Don't wait for the disk."""
        await self.execute("set synchronous_commit = off; set maintenance_work_mem = '1GB'")

    async def settle(self) -> None:
        """Do what autovacuum would have done."""
        await self.execute("vacuum analyze")
        await self.execute("checkpoint")


class SqliteSession:
    """A connection to a file that nobody serves."""

    is_postgres = False

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    async def execute(self, sql: str) -> None:
        """Run a statement."""
        self._connection.execute(sql)

    async def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return list(self._connection.execute(sql))

    async def copy(self, table: str, columns: list[str], rows: Iterable[tuple[Any, ...]]) -> None:
        """Put rows into a table, in one transaction."""
        marks = ", ".join("?" * len(columns))
        sql = f"insert into {table} ({', '.join(columns)}) values ({marks})"
        with self._connection:
            self._connection.executemany(sql, rows)

    async def hurry(self) -> None:
        """Don't wait for the disk, and keep no journal."""
        await self.execute("pragma journal_mode = off; pragma synchronous = off")
        await self.execute("pragma cache_size = -1000000; pragma threads = 2")

    async def settle(self) -> None:
        """Tell the planner of the indexes that were made again, and keep a journal."""
        write_statistics(self._connection)
        await self.execute("pragma journal_mode = wal")


@asynccontextmanager
async def open_session(url: str) -> AsyncIterator[Session]:
    """Connect to a database; a file must not be served meanwhile."""
    if url.startswith("postgresql"):
        connection = await asyncpg.connect(url)
        try:
            yield PostgresSession(connection)
        finally:
            await connection.close()
        return
    with closing(apsw.Connection(url.removeprefix("sqlite:///"))) as file:
        yield SqliteSession(file)


async def find_postmaster(url: str) -> int:
    """The process of PostgreSQL that has started all others."""
    async with open_session(url) as session:
        ((folder,),) = await session.fetch("show data_directory")
    # Its file names the process first.
    return int(_read_first_line(Path(folder) / "postmaster.pid"))


def _read_first_line(path: Path) -> str:
    return path.read_text().partition("\n")[0]
