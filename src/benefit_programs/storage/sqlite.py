"""The embedded store: one SQLite file, one writer thread, readers beside it.

Batches run in the writer's thread, so that the event loop goes on with other requests while a
commit waits for the disk. Reads run on read-only connections: short ones in the caller's thread
(a look-up by key takes microseconds, less than handing it over), longer ones in reader threads.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from math import inf
from pathlib import Path
from threading import local
from time import monotonic
from typing import Any, TypeVar

import apsw

from benefit_programs.domain.entities import Event, Row
from benefit_programs.domain.state import Index, Key, State, Wanted
from benefit_programs.domain.store import (
    Load,
    Loaded,
    Steps,
    StoreConflict,
    StoreTimeout,
    StoreUnavailable,
)
from benefit_programs.storage import statements
from benefit_programs.storage.query import Dialect, SqliteDialect, register_functions
from benefit_programs.storage.rows import CODECS, changed_columns
from benefit_programs.storage.tables import TABLES

Answer = TypeVar("Answer")
R = TypeVar("R", bound=Row)

BUSY_SECONDS_MAX = 5.0
"""How long a writer waits for another process's short transaction on the same file."""

STATEMENT_SECONDS_MAX = 10.0
"""How long a query may take."""

STEPS_PER_LOOK = 20_000
"""How many steps of a statement's program pass between two looks at the clock."""

READER_THREADS = 2
STATEMENT_CACHE_SIZE = 500


class FileInUse(Exception):
    """Another server works on this SQLite file."""


class FileLock:
    """The right to serve a file; the operating system takes it back when the process ends."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._handle)
            raise FileInUse(f"{path} is served by another process") from None

    def release(self) -> None:
        """Give the right back."""
        os.close(self._handle)


def connect(path: Path, *, read_only: bool = False) -> apsw.Connection:
    """A connection with the settings that durability and the query language need."""
    flags = (
        apsw.SQLITE_OPEN_READONLY
        if read_only
        else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    )
    connection = apsw.Connection(str(path), flags=flags, statementcachesize=STATEMENT_CACHE_SIZE)
    connection.set_busy_timeout(int(BUSY_SECONDS_MAX * 1000))
    if not read_only:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
    connection.execute("pragma foreign_keys = on")
    register_functions(connection)
    return connection


class SqliteStore:
    """A store on one file. ``serve`` claims the file for this process (FileInUse otherwise)."""

    def __init__(
        self,
        path: Path,
        *,
        serve: bool = True,
        statement_seconds: float = STATEMENT_SECONDS_MAX,
    ) -> None:
        self.dialect: Dialect = SqliteDialect()
        self._path = path
        self._statement_seconds = statement_seconds
        self._lock = FileLock(path) if serve else None
        try:
            with translated_errors():
                self._writer = connect(path)
        except StoreUnavailable:
            if self._lock:
                self._lock.release()
            raise
        self._writer_thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        self._reader_threads = ThreadPoolExecutor(READER_THREADS, thread_name_prefix="sqlite")
        self._readers = local()
        self._opened: list[apsw.Connection] = []

    async def run(self, tenant_id: int, steps: Steps[Answer]) -> Answer:
        """Run a batch in one transaction, in the writer's thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._writer_thread, self._run, tenant_id, steps)

    async def fetch(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a read that may take long, from a reader thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader_threads, self._read, sql, parameters)

    async def fetch_quick(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a look-up by key, at once."""
        return self._read(sql, parameters)

    async def fetch_together(
        self, statements: Sequence[tuple[str, Sequence[Any]]]
    ) -> list[list[tuple[Any, ...]]]:
        """The rows of several reads, which see the same commits, however long they take."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader_threads, self._read_together, statements)

    async def look_up(self, tenant_id: int, index: Index[R], keys: Iterable[Key]) -> list[R]:
        """The rows that an index has under these keys, at once."""
        sql, read = statements.sqlite_select(index), CODECS[index.entity].read
        return [read(values) for key in keys for values in self._read(sql, (tenant_id, *key))]

    async def count(self, tenant_id: int, index: Index[Any], key: Key) -> int:
        """How many rows a walk has before it."""
        rows = await self.fetch(statements.sqlite_count(index), (tenant_id, *key))
        return int(rows[0][0])

    async def execute(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own; the rows are those that it returns."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._writer_thread, self._execute, sql, parameters)

    async def close(self) -> None:
        """End the threads, the connections and the claim on the file."""
        self._writer_thread.shutdown()
        self._reader_threads.shutdown()
        for connection in (*self._opened, self._writer):
            connection.close()
        if self._lock:
            self._lock.release()

    def _read(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        with translated_errors():
            return self._reader().execute(sql, parameters).fetchall()

    def _reader(self) -> apsw.Connection:
        """This thread's own connection, whose statements end when their time is up."""
        readers = self._readers
        connection: apsw.Connection | None = getattr(readers, "connection", None)
        if connection is None:
            connection = readers.connection = connect(self._path, read_only=True)
            connection.set_progress_handler(lambda: monotonic() > readers.ends, STEPS_PER_LOOK)
            self._opened.append(connection)
        readers.ends = monotonic() + self._statement_seconds
        return connection

    def _read_together(
        self, statements: Sequence[tuple[str, Sequence[Any]]]
    ) -> list[list[tuple[Any, ...]]]:
        with translated_errors():
            connection = self._reader()
            self._readers.ends = inf
            connection.execute("begin")
            try:
                return [
                    connection.execute(sql, parameters).fetchall() for sql, parameters in statements
                ]
            finally:
                connection.execute("rollback")

    def _execute(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        with translated_errors():
            return self._writer.execute(sql, parameters).fetchall()

    def _run(self, tenant_id: int, steps: Steps[Answer]) -> Answer:
        with translated_errors():
            self._writer.execute("begin immediate")
            try:
                answer = self._step(tenant_id, steps)
                self._writer.execute("commit")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("rollback")
                raise
            return answer

    def _step(self, tenant_id: int, steps: Steps[Answer]) -> Answer:
        loaded: Loaded | None = None
        try:
            while True:
                step = next(steps) if loaded is None else steps.send(loaded)
                if isinstance(step, Load):
                    loaded = self._load(tenant_id, step.wanted)
                else:
                    self._write(tenant_id, step.state)
                    loaded = {}
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    def _load(self, tenant_id: int, wanted: Wanted) -> Loaded:
        return {index: self._select(tenant_id, index, list(keys)) for index, keys in wanted.items()}

    def _select(self, tenant_id: int, index: Index[Any], keys: list[tuple[Any, ...]]) -> list[Row]:
        sql, read = statements.sqlite_select(index), CODECS[index.entity].read
        execute = self._writer.execute
        return [read(values) for key in keys for values in execute(sql, (tenant_id, *key))]

    def _write(self, tenant_id: int, state: State) -> None:
        written = sorted(state.written(), key=lambda part: _WRITE_ORDER[part.entity])
        for entity, new, changed, _ in written:
            codec = CODECS[entity]
            if new:
                self._insert(tenant_id, entity, new)
            if changed:
                columns = changed_columns(changed, codec)
                if columns:
                    self._writer.executemany(
                        statements.sqlite_update(entity, columns),
                        [
                            (tenant_id, *codec.values(row, entity.key), *codec.values(row, columns))
                            for _, row in changed
                        ],
                    )
        for entity, _, _, gone in reversed(written):
            if gone:
                self._writer.executemany(
                    statements.sqlite_delete(entity),
                    [(tenant_id, *CODECS[entity].values(row, entity.key)) for row in gone],
                )
        if state.events:
            self._insert(tenant_id, Event, state.events)

    def _insert(self, tenant_id: int, entity: type[Row], rows: Sequence[Row]) -> None:
        codec = CODECS[entity]
        self._writer.executemany(
            statements.sqlite_insert(entity),
            [(tenant_id, *codec.values(row, codec.columns)) for row in rows],
        )


_WRITE_ORDER = {entity: position for position, entity in enumerate(TABLES)}


_UNUSABLE = (
    apsw.FullError,
    apsw.IOError,
    apsw.CantOpenError,
    apsw.ReadOnlyError,
    apsw.NotADBError,
    apsw.CorruptError,
)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Driver errors, recognised by their codes, as the store's own."""
    try:
        yield
    except Exception as error:
        if isinstance(error, apsw.ConstraintError):
            raise StoreConflict(str(error)) from error
        if isinstance(error, apsw.InterruptError):
            raise StoreTimeout("the query took too long") from error
        if isinstance(error, apsw.BusyError | apsw.LockedError):
            raise StoreTimeout("the file is locked by another process") from error
        if isinstance(error, _UNUSABLE):
            raise StoreUnavailable(str(error)) from error
        raise
