"""Copies of a SQLite file: taken while it is served, and put back in its place.

A copy is one snapshot. It is read page by page inside a single read transaction: else each commit
of the server would begin the copy anew, and it would never end. Meanwhile the server's log grows.

A copy has no log of its own, so it is a single file that can be read where nothing can be written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp
from urllib.parse import quote

import apsw

from benefit_programs.domain.store import StoreUnavailable
from benefit_programs.storage.open_file import real_path
from benefit_programs.storage.query import register_functions
from benefit_programs.storage.sqlite import FileLock, translated_errors

PAGES_AT_ONCE = 1_000
"""How many pages are copied between two looks at the progress."""

STEPS_MAX = 5_000_000
"""More than any file has: SQLite's largest has 2^32 pages."""

BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite may keep beside a file. It would take it for the log of whatever file is there."""

DAMAGES_MAX = 5

Progress = Callable[[int, int], None]
"""Hears how many pages of how many are copied."""


class FileTaken(Exception):
    """There is a file already where a new one should be made; the message is one line."""


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """An empty file beside ``path``, which becomes that file at the end, or else is gone.

    Raises FileTaken if ``path``, or what SQLite would take for its log, is there, at the beginning
    or at the end.
    """
    _refuse_taken(path)
    with _draft_of(path) as draft:
        yield draft
        _refuse_taken(path)
        draft.rename(path)
        _sync(path.parent)


@contextmanager
def _draft_of(path: Path) -> Iterator[Path]:
    """An empty file beside another one, gone at the end unless it has got its name."""
    handle, name = mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        for each in ("", *BESIDE):
            Path(name + each).unlink(missing_ok=True)


def copy_database(
    source: apsw.Connection, target: Path, progress: Progress = lambda _done, _all: None
) -> None:
    """Copy what a database holds at one moment into an empty file, and look for damaged pages.

    Raises StoreUnavailable if it is no database, or damaged, or if there is no room for the copy.
    """
    with translated_errors():
        source.execute("begin")
        source.execute("select 1 from sqlite_master").fetchall()
        with closing(apsw.Connection(str(target))) as copy:
            register_functions(copy)
            _copy_pages(source, copy, progress)
            _refuse_damage(copy)
            _drop_log(copy)


def open_at_rest(path: Path) -> apsw.Connection:
    """A connection that only reads, and leaves nothing beside a file that has nothing beside it."""
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    real = real_path(path)
    rest = "" if any(_beside(real, each).exists() for each in BESIDE) else "&immutable=1"
    with translated_errors():
        return apsw.Connection(f"file:{quote(str(real))}?mode=ro{rest}", flags=flags)


def drop_log(path: Path) -> None:
    """Put what a file's log holds into the file, and let it have none until it is served again."""
    with translated_errors(), closing(apsw.Connection(str(path))) as connection:
        _drop_log(connection)


@contextmanager
def replaced(path: Path, *, keep_as: Path | None) -> Iterator[Path]:
    """An empty file that takes the place of the database in ``path`` at the end.

    Nobody can serve the database meanwhile (FileInUse). The old one, if there is one, is kept under
    another name or is gone. An end in between leaves the one or the other in place, as a whole.
    """
    path = real_path(path)
    lock = FileLock(path)
    try:
        with _draft_of(path) as draft:
            yield draft
            _put_in_place(draft, path, keep_as)
    finally:
        lock.release()


def _put_in_place(draft: Path, path: Path, keep_as: Path | None) -> None:
    if path.exists():
        _write_back(path)
        if keep_as is not None:
            _refuse_taken(keep_as)
            keep_as.hardlink_to(path)
    for each in BESIDE:
        left = _beside(path, each)
        if keep_as is not None and each != "-shm" and left.exists():
            left.rename(_beside(keep_as, each))
        left.unlink(missing_ok=True)
    draft.replace(path)
    _sync(path.parent)


def _write_back(path: Path) -> None:
    """Let a file hold all that it can; a damaged one keeps what is beside it.

    Raises StoreUnavailable if another process works on it.
    """
    with (
        translated_errors(),
        suppress(apsw.NotADBError, apsw.CorruptError),
        closing(apsw.Connection(str(path))) as connection,
    ):
        _drop_log(connection)


def _copy_pages(reader: apsw.Connection, writer: apsw.Connection, progress: Progress) -> None:
    with writer.backup("main", reader, "main") as copying:
        for _ in range(STEPS_MAX):
            copying.step(PAGES_AT_ONCE)
            progress(copying.page_count - copying.remaining, copying.page_count)
            if copying.done:
                break


def _drop_log(connection: apsw.Connection) -> None:
    connection.execute("pragma journal_mode = delete").fetchall()


def _refuse_damage(connection: apsw.Connection) -> None:
    found = [row[0] for row in connection.execute(f"pragma quick_check({DAMAGES_MAX})")]
    if found != ["ok"]:
        raise StoreUnavailable(f"damaged: {'; '.join(found)}")


def _refuse_taken(path: Path) -> None:
    for each in ("", "-wal", "-journal"):
        if os.path.lexists(_beside(path, each)):
            raise FileTaken(f"{_beside(path, each)} is there already.")


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
