"""Databases with the newest schema, each a copy of a template that is migrated once."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import urlsplit

import asyncpg

from benefit_programs.storage.schema import migrate

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from pathlib import Path

    from tests.support.postgres import PostgresServer

T = TypeVar("T")


class Databases(Protocol):
    """A kind of database, from which tests take as many as they want."""

    def create(self) -> str:
        """Make a database with the newest schema and nothing in it, and return its URL."""
        ...

    def drop(self, url: str) -> None:
        """Remove a database that ``create`` made."""
        ...


class CopiedDatabases(Databases, Protocol):
    """A kind that tests may also copy, as all are but those of a cluster."""

    def copy(self, url: str) -> str:
        """Make a database with what another one holds, which nobody is using."""
        ...


class SqliteDatabases:
    """SQLite files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        self._template = folder / "template.sqlite3"
        run_apart(migrate(f"sqlite:///{self._template}"))

    def create(self) -> str:
        """Copy the template."""
        file = self._folder / f"{next(self._numbers)}.sqlite3"
        shutil.copyfile(self._template, file)
        return f"sqlite:///{file}"

    def copy(self, url: str) -> str:
        """Copy a file; its last connection has put everything into it."""
        file = self._folder / f"{next(self._numbers)}.sqlite3"
        shutil.copyfile(url.removeprefix("sqlite:///"), file)
        return f"sqlite:///{file}"

    def drop(self, url: str) -> None:
        """Remove the file and what SQLite keeps beside it."""
        name = url.rpartition("/")[2]
        for file in self._folder.glob(f"{name}*"):
            file.unlink()


class PostgresDatabases:
    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        url = server.create_database()
        run_apart(migrate(url))
        self._template = urlsplit(url).path.removeprefix("/")

    def create(self) -> str:
        """Copy the template."""
        return self._server.create_database(template=self._template)

    def copy(self, url: str) -> str:
        return self._server.create_database(template=urlsplit(url).path.removeprefix("/"))

    def drop(self, url: str) -> None:
        self._server.drop_database(url)


async def ask(url: str, sql: str, *parameters: Any) -> Sequence[Any]:
    """Have PostgreSQL run one statement outside a transaction, and return its rows."""
    connection = await asyncpg.connect(url)
    try:
        rows: Sequence[Any] = await connection.fetch(sql, *parameters)
        return rows
    finally:
        await connection.close()


def run_apart(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end from code that isn't one, whichever loops there are already."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
