"""The embedded store: one SQLite file, one writer, readers beside it.

A statement by key takes microseconds, less than handing it to another thread, and two threads that
both want the interpreter cost each other more than either does alone. So the statements of a batch
run where its commands are decided, in the event loop's thread. What waits runs in the writer's
thread: a commit for the disk, a file that another process has locked, and steps over many rows.

Reads run on read-only connections: look-ups by key in the caller's thread, too, and queries in
reader threads.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from itertools import chain
from math import inf
from pathlib import Path
from threading import Lock, local
from time import monotonic, perf_counter, sleep
from typing import Any, TypeVar

import apsw
import structlog

from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.indexes import Index, Key, KeysByIndex
from benefit_programs.domain.rows import Row
from benefit_programs.domain.state import State, Wanted
from benefit_programs.domain.store import (
    BatchRun,
    Load,
    Loaded,
    StoreConflict,
    StoreTimeout,
    StoreUnavailable,
)
from benefit_programs.storage import statements
from benefit_programs.storage.open_file import (
    FileLost,
    OpenFile,
    lock_path,
    real_path,
    refuse_more_names,
)
from benefit_programs.storage.positions import SQLITE_NEWEST
from benefit_programs.storage.query import Dialect, SqliteDialect, register_functions
from benefit_programs.storage.rows import CODECS, changed_columns, statement_on
from benefit_programs.storage.tables import TABLES
from benefit_programs.tracing import statement

Answer = TypeVar("Answer")
R = TypeVar("R", bound=Row)

SYSTEM = "sqlite"
"""The kind of database, as traces name it."""

BUSY_MILLISECONDS_MAX = 5_000
"""How long a writer waits for another process's short transaction on the same file."""

SECONDS_BETWEEN_TRIES = 0.001

SECONDS_BETWEEN_LOOKS = 0.25
"""How often a server looks whether its file is still there."""

STATEMENT_SECONDS_MAX = 10.0
"""How long a query may take."""

ROWS_AT_ONCE_MAX = 320
"""How many rows a step of a batch may touch in the event loop's thread."""

STEPS_PER_LOOK = 20_000
"""How many steps of a statement's program pass between two looks at the clock."""

CHECKPOINT_PAGES = 8_000
"""How many pages of 4 KiB the log grows by before they are written into the file.

A page that changed in many commits is written into the file once, so seldom is cheaper.
"""

WRITE_BACKS_BESIDE_MAX = 8
"""How often what has come meanwhile is written beside the batches, until nothing has.

Each time there is less. For the rest everybody waits.
"""

ROWS_OF_SHORT_BATCH_MAX = 8
SHORT_COMMIT_SECONDS_MAX = 0.0005
"""A batch of so few rows commits in the event loop's thread, if the last commit was that quick."""

FULL_BATCH_SIZE_MAX = 64
HALF_BATCH_SIZE_MAX = 32
QUICK_COMMIT_SECONDS_MAX = 0.002
"""While commits are that quick, batches are half as large. All tenants wait for one another's.

Then two halves of many callers take turns: what one half has written is flushed while the requests
of the other are read. Where a flush takes longer than to read them, fewer flushes are worth more.
"""

PROVEN_SECONDS_MAX = 1.0
"""How long a commit proves that the file can be written."""

CACHE_KIBIBYTES_MAX = 32_768
"""How much of the file each connection keeps in memory."""

READER_THREADS = 2
STATEMENT_CACHE_SIZE = 500

_log = structlog.get_logger("benefit_programs.storage")


class FileInUse(Exception):
    """Another server works on this SQLite file."""


class FileLock:
    """The right to serve a file; the operating system takes it back when the process ends."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(lock_path(path), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._handle)
            raise FileInUse(
                f"{path} is served by another process: call that at its address, or stop it"
            ) from None

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
    if not read_only:
        _make_private(path)
    connection = apsw.Connection(str(path), flags=flags, statementcachesize=STATEMENT_CACHE_SIZE)
    connection.set_busy_timeout(BUSY_MILLISECONDS_MAX)
    # A plan is the same for all values. Else SQLite makes some plans anew for each row that is
    # looked up, which takes longer than to find it.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    if not read_only:
        _write_ahead(connection)
        connection.execute("pragma synchronous = full")
    connection.execute(f"pragma cache_size = {-CACHE_KIBIBYTES_MAX}")
    register_functions(connection)
    return connection


def _make_private(path: Path) -> None:
    """Make a new file for this user alone: it has secrets in it. What SQLite adds is like it."""
    # A file that is there keeps its rights, and what can't be made SQLite tells.
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _write_ahead(connection: apsw.Connection) -> None:
    """Let the file have its log.

    Only the first connection to a new file has to change it, and needs it for itself: where several
    are the first, SQLite refuses all but one at once, however long it may wait elsewhere.
    """
    end = monotonic() + BUSY_MILLISECONDS_MAX / 1_000
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
        except apsw.BusyError:
            if monotonic() > end:
                raise
            sleep(SECONDS_BETWEEN_TRIES)
        else:
            return


class SqliteStore:
    """A store on one file. ``serve`` claims the file for this process (FileInUse otherwise)."""

    batches_max = 1
    patient_batches_max = 1

    def __init__(
        self,
        path: Path,
        *,
        serve: bool = True,
        statement_seconds: float = STATEMENT_SECONDS_MAX,
        checkpoint_pages: int = CHECKPOINT_PAGES,
    ) -> None:
        self.dialect: Dialect = SqliteDialect()
        # What a link leads to stays the same, whoever changes the link.
        self._path = real_path(path)
        self._statement_seconds = statement_seconds
        self._lock = FileLock(path) if serve else None
        try:
            with translated_errors():
                refuse_more_names(path)
                self._writer = connect(self._path)
                self._file = OpenFile(path, self._writer, is_locked=serve)
        except StoreUnavailable:
            if self._lock:
                self._lock.release()
            raise
        self._turn = asyncio.Lock()
        self._writer_thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        self._commit_seconds = inf
        self._committed = -inf
        self.on_commit: Callable[[float], object] = _ignore
        """Called with the seconds of each commit, after it."""

        self.on_flush: Callable[[int | None], object] = _ignore
        """Called with the tenant whose commit waits for the disk beside others, then with None."""

        self._log_pages = 0
        self._checkpoint_due = self._checkpoint_pages = checkpoint_pages
        self._writing_back: asyncio.Task[None] | None = None
        self._beside: apsw.Connection | None = None
        """What writes the log back beside the writer, once there was something to write."""

        self._writer.set_wal_hook(self._note_log)
        self._reader_threads = ThreadPoolExecutor(READER_THREADS, thread_name_prefix="sqlite")
        self._readers = local()
        self._opened: list[apsw.Connection] = []
        self._has_parted = False

    async def run(
        self,
        tenant_id: int,
        steps: BatchRun[Answer],
        *,
        patient: bool = False,  # noqa: ARG002 - rows have no locks of their own here
        unheld: bool = False,  # noqa: ARG002 - nor is anything read that may change
    ) -> Answer:
        """Run a batch in one transaction."""
        async with self._turn:
            self._file.require()
            try:
                try:
                    await self._begin()
                    answer, rows = await self._step(tenant_id, steps)
                    with statement("commit", SYSTEM):
                        await self._commit(tenant_id, rows)
                except BaseException:
                    if self._writer.in_transaction:
                        self._writer.execute("rollback")
                    raise
            except Exception as error:
                _raise_translated(error)
                raise
            return answer

    async def fetch(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a read that may take long, from a reader thread."""
        loop = asyncio.get_running_loop()
        with statement("query", SYSTEM):
            return await loop.run_in_executor(self._reader_threads, self._read, sql, parameters)

    async def fetch_quick(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a look-up by key, at once."""
        with statement("look up", SYSTEM):
            return self._read(sql, parameters)

    async def fetch_together(
        self,
        statements: Sequence[tuple[str, Sequence[Any]]],
        *,
        seconds_max: float | None = None,
    ) -> list[list[tuple[Any, ...]]]:
        """The rows of several reads, which see the same commits, however long they take.

        With ``seconds_max`` they are refused with StoreTimeout if they take longer.
        """
        loop = asyncio.get_running_loop()
        with statement("query", SYSTEM):
            return await loop.run_in_executor(
                self._reader_threads, self._read_together, statements, seconds_max
            )

    async def look_up(self, tenant_id: int, index: Index[R], keys: Iterable[Key]) -> list[R]:
        """The rows that an index has under these keys, at once."""
        sql, read = statements.sqlite_select(index), CODECS[index.entity].read
        with statement_on((index,), "look up", SYSTEM):
            return [read(values) for key in keys for values in self._read(sql, (tenant_id, *key))]

    async def look_up_all(self, tenant_id: int, wanted: KeysByIndex) -> dict[Index[Any], list[Any]]:
        return {index: await self.look_up(tenant_id, index, keys) for index, keys in wanted.items()}

    async def count(self, tenant_id: int, index: Index[Any], key: Key) -> int:
        """How many rows a walk has before it."""
        rows = await self.fetch(statements.sqlite_count(index), (tenant_id, *key))
        return int(rows[0][0])

    async def next_id(self, tenant_id: int, index: Index[Any], key: Key) -> str | None:
        """The id that a walk comes to next, whether or not its row can be read."""
        rows = await self.fetch(statements.sqlite_next(index), (tenant_id, *key))
        return rows[0][0] if rows else None

    async def execute(
        self,
        sql: str,
        parameters: Sequence[Any],
        *,
        then: Sequence[tuple[str, Sequence[Any]]] = (),
    ) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own; the rows are those that it returns.

        If there are any, ``then`` comes behind it in the same transaction.
        """
        async with self._turn:
            return await self._in_thread(self._execute, sql, parameters, then)

    async def watch(self) -> None:
        """Return when the file is lost, and leave it with all that was answered.

        From then on whatever is asked of the store raises FileLost.
        """
        while not self._file.is_lost:
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
            with suppress(FileLost), translated_errors():
                self._file.require_names()
                async with self._turn:
                    self._file.require_commit()
        async with self._turn:
            await self._in_thread(self._part)

    async def probe(self) -> None:
        """Raise StoreUnavailable if nothing can be written: a batch of just now tells, or a try."""
        if perf_counter() - self._committed > PROVEN_SECONDS_MAX:
            await self.execute(_PROBE, ())

    @property
    def batch_size_max(self) -> int:
        """How many commands it takes in a batch now: few if commits are quick."""
        is_quick = self._commit_seconds <= QUICK_COMMIT_SECONDS_MAX
        return HALF_BATCH_SIZE_MAX if is_quick else FULL_BATCH_SIZE_MAX

    def connections(self) -> list[tuple[str, int, int]]:
        """No pools: threads have connections of their own."""
        return []

    async def close(self) -> None:
        """End the threads, the connections and the claim on the file."""
        if self._writing_back is not None:
            await asyncio.wait((self._writing_back,))
        self._writer_thread.shutdown()
        self._reader_threads.shutdown()
        with suppress(StoreUnavailable), translated_errors():
            self._file.require_names()
            self._file.require_commit()
        if self._file.is_lost:
            self._part()
        for connection in (*self._opened, self._beside, self._writer):
            if connection is not None:
                connection.close()
        if self._lock:
            self._lock.release()

    def _read(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        try:
            return self._reader().execute(sql, parameters).fetchall()
        except Exception as error:
            _raise_translated(error)
            raise

    def _reader(self) -> apsw.Connection:
        """This thread's own connection, whose statements end when their time is up."""
        self._file.require()
        readers = self._readers
        connection: apsw.Connection | None = getattr(readers, "connection", None)
        if connection is None:
            self._file.require_names()
            connection = readers.connection = connect(self._path, read_only=True)
            connection.set_progress_handler(lambda: monotonic() > readers.ends, STEPS_PER_LOOK)
            self._opened.append(connection)
        readers.ends = monotonic() + self._statement_seconds
        return connection

    def _read_together(
        self, statements: Sequence[tuple[str, Sequence[Any]]], seconds_max: float | None
    ) -> list[list[tuple[Any, ...]]]:
        with translated_errors():
            connection = self._reader()
            self._readers.ends = inf if seconds_max is None else monotonic() + seconds_max
            connection.execute("begin")
            try:
                return [
                    connection.execute(sql, parameters).fetchall() for sql, parameters in statements
                ]
            finally:
                connection.execute("rollback")

    def _execute(
        self, sql: str, parameters: Sequence[Any], then: Sequence[tuple[str, Sequence[Any]]]
    ) -> list[tuple[Any, ...]]:
        self._file.require()
        with translated_errors():
            if not then:
                rows = self._writer.execute(sql, parameters).fetchall()
            else:
                rows = self._execute_together(sql, parameters, then)
            self._file.require_commit()
            return rows

    def _execute_together(
        self, sql: str, parameters: Sequence[Any], then: Sequence[tuple[str, Sequence[Any]]]
    ) -> list[tuple[Any, ...]]:
        self._writer.execute("begin immediate")
        try:
            rows = self._writer.execute(sql, parameters).fetchall()
            for statement, values in then if rows else ():
                self._writer.execute(statement, values)
            self._writer.execute("commit")
        except BaseException:
            if self._writer.in_transaction:
                self._writer.execute("rollback")
            raise
        return rows

    async def _in_thread(self, work: Callable[..., Answer], *arguments: Any) -> Answer:
        """Work in the writer's thread; the connection is free again when this ends in any way.

        The event loop stops until the thread has begun. A thread that wants the interpreter asks
        for it only if nobody lets go of it for a while, and statements let go of it all the time,
        for so short that a busy machine can't wake the thread in it: it would wait for very long.
        """
        has_begun = Lock()
        has_begun.acquire()

        def begin() -> Answer:
            has_begun.release()
            return work(*arguments)

        done = self._writer_thread.submit(begin)
        has_begun.acquire()
        try:
            return await asyncio.wrap_future(done)
        except asyncio.CancelledError:
            await asyncio.gather(asyncio.wrap_future(done), return_exceptions=True)
            raise

    async def _begin(self) -> None:
        """Take the right to write, at once unless another process has it."""
        begin = "begin immediate"
        self._writer.set_busy_timeout(0)
        try:
            self._writer.execute(begin)
        except apsw.BusyError:
            self._writer.set_busy_timeout(BUSY_MILLISECONDS_MAX)
            await self._in_thread(self._writer.execute, begin)
        else:
            self._writer.set_busy_timeout(BUSY_MILLISECONDS_MAX)

    async def _commit(self, tenant_id: int, rows: int) -> None:
        is_short = rows <= ROWS_OF_SHORT_BATCH_MAX
        if is_short and self._commit_seconds <= SHORT_COMMIT_SECONDS_MAX:
            self._write_log()
        else:
            await self._write_log_beside(tenant_id)
        # Here: the thread would wait for the interpreter once more after each of these looks.
        self._file.require_commit()
        asyncio.get_running_loop().call_soon(self.on_commit, self._commit_seconds)
        if self._log_pages >= self._checkpoint_due and self._writing_back is None:
            self._writing_back = asyncio.create_task(self._write_back())

    async def _write_log_beside(self, tenant_id: int) -> None:
        """Commit in the writer's thread, and tell while it does."""
        self.on_flush(tenant_id)
        try:
            await self._in_thread(self._write_log)
        finally:
            self.on_flush(None)

    def _write_log(self) -> None:
        started = perf_counter()
        self._writer.execute("commit")
        self._committed = perf_counter()
        self._commit_seconds = self._committed - started

    def _note_log(self, _connection: object, _name: str, pages: int) -> int:
        """Hear of a commit, and how long the log is after it."""
        if pages < self._log_pages:
            self._checkpoint_due = self._checkpoint_pages
        self._log_pages = pages
        return apsw.SQLITE_OK

    async def _write_back(self) -> None:
        """Write what is in the log into the file.

        Most of it beside the batches, and the rest between two: only a log of which nothing is
        left can begin anew. Who still reads an old state keeps it from that; then the log grows on.
        So it does where the disk is full, until there is room for the file.
        """
        loop = asyncio.get_running_loop()
        try:
            before = -1
            for _ in range(WRITE_BACKS_BESIDE_MAX):
                pages = await loop.run_in_executor(self._reader_threads, self._write_back_beside)
                if pages in (before, self._log_pages):
                    break
                before = pages
            async with self._turn:
                with translated_errors():
                    await self._in_thread(self._write_back_rest)
        except StoreUnavailable as error:
            _log.warning("log not written back", reason=str(error))
        finally:
            self._checkpoint_due = self._log_pages + self._checkpoint_pages
            self._writing_back = None

    def _write_back_beside(self) -> int:
        """Write what is there; how many pages of the log the file has then.

        SQLite flushes the file only if nothing has come meanwhile.
        """
        self._file.require_names()
        with translated_errors():
            if self._beside is None:
                self._beside = connect(self._path)
            return self._beside.wal_checkpoint()[1]

    def _write_back_rest(self) -> None:
        self._file.require_commit()
        self._writer.wal_checkpoint()

    def _part(self) -> None:
        """Leave a lost file with all that was answered, and no log where another file would be.

        Handles still lead to the file, whatever its name is now. By name nothing may be done: to
        close SQLite's way would delete what is there now.
        """
        self._writer.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        if self._lock is None or self._has_parted:
            return
        self._has_parted = True
        for reader in self._opened:
            reader.interrupt()
        try:
            with translated_errors():
                self._file.require_own_content()
                self._writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except StoreUnavailable as error:
            aside = self._file.set_log_aside()
            _log.warning("log not written back", reason=str(error), kept=aside and str(aside))

    async def _step(self, tenant_id: int, steps: BatchRun[Answer]) -> tuple[Answer, int]:
        """Take the steps of a batch; its answer, and how many rows it has written."""
        loaded: Loaded | None = None
        written = 0
        try:
            while True:
                step = next(steps) if loaded is None else steps.send(loaded)
                rows = step.size
                work: Callable[[], Loaded]
                if isinstance(step, Load):
                    work = partial(self._load, tenant_id, step.wanted)
                    told = statement_on(step.wanted, "load", SYSTEM)
                else:
                    work, written = partial(self._write, tenant_id, step.state), rows
                    told = statement("write", SYSTEM)
                with told:
                    loaded = work() if rows <= ROWS_AT_ONCE_MAX else await self._in_thread(work)
        except StopIteration as end:
            return end.value, written

    def _load(self, tenant_id: int, wanted: Wanted) -> Loaded:
        found: Loaded = {}
        for index, keys in wanted.items():
            one, several = statements.sqlite_select(index), statements.sqlite_select_several(index)
            rows = self._each(one, several, [(tenant_id, *key) for key in keys])
            found[index] = [*map(CODECS[index.entity].read, rows)]
        return found

    def _each(
        self, one: str, several: str | None, values: list[tuple[Any, ...]]
    ) -> Iterator[tuple[Any, ...]]:
        """What statements return that do something for each of these, or for several at once."""
        size = statements.SQLITE_ROWS
        whole = len(values) - len(values) % size if several else 0
        if not several or not whole:
            return self._writer.executemany(one, values)
        together = [
            tuple(chain.from_iterable(values[first : first + size]))
            for first in range(0, whole, size)
        ]
        return chain(
            self._writer.executemany(several, together),
            self._writer.executemany(one, values[whole:]),
        )

    def _write(self, tenant_id: int, state: State) -> Loaded:
        """Write what has changed; nothing is loaded by it."""
        written = sorted(state.written(), key=lambda part: _WRITE_ORDER[part.entity])
        for entity, new, changed, _ in written:
            codec = CODECS[entity]
            if new:
                self._insert(tenant_id, entity, new)
            if changed:
                columns = changed_columns(changed, codec)
                if columns:
                    values = codec.writer((*entity.key, *columns))
                    self._writer.executemany(
                        statements.sqlite_update(entity, columns),
                        [(tenant_id, *values(row)) for _, row in changed],
                    )
        for entity, _, _, gone in reversed(written):
            if gone:
                self._writer.executemany(
                    statements.sqlite_delete(entity),
                    [(tenant_id, *CODECS[entity].values(row, entity.key)) for row in gone],
                )
        if state.events:
            self._insert_events(tenant_id, state.events)
        return {}

    def _insert_events(self, tenant_id: int, events: Sequence[Event]) -> None:
        """Store events behind those of the commits before: nobody else writes meanwhile."""
        newest: Any = self._writer.execute(SQLITE_NEWEST, (tenant_id,)).get
        values = CODECS[Event].writer(CODECS[Event].columns)
        self._each(
            statements.sqlite_insert_events(),
            statements.sqlite_insert_events(statements.SQLITE_ROWS),
            [
                (tenant_id, *values(event), position)
                for position, event in enumerate(events, start=newest + 1)
            ],
        )

    def _insert(self, tenant_id: int, entity: type[Row], rows: Sequence[Row]) -> None:
        columns = CODECS[entity].columns_of(rows)
        values = CODECS[entity].writer(columns)
        self._each(
            statements.sqlite_insert(entity, columns),
            statements.sqlite_insert(entity, columns, statements.SQLITE_ROWS),
            [(tenant_id, *values(row)) for row in rows],
        )


_PROBE = "pragma user_version = 0"
"""Changes nothing, but has a page written and committed: nobody uses this number."""


def _ignore(_: object) -> None:
    """Nobody wants to know."""


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
        _raise_translated(error)
        raise


def _raise_translated(error: Exception) -> None:
    """Raise the store's own error for one of the driver, if there is one."""
    if isinstance(error, apsw.ConstraintError):
        raise StoreConflict(str(error)) from error
    if isinstance(error, apsw.InterruptError):
        raise StoreTimeout("the query took too long") from error
    if isinstance(error, apsw.BusyError | apsw.LockedError):
        raise StoreUnavailable("the file is locked by another process") from error
    if isinstance(error, _UNUSABLE):
        raise StoreUnavailable(str(error)) from error
