"""The files of a database while it is open: whether their names still lead to them.

SQLite finds its files by name once and then works by handles. It goes on when a name is gone or
leads to another file, and what it commits then is in no file that anybody will find. Worse, a
connection that is made later finds the new file, and takes the old log for the log of that one.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from struct import Struct
from threading import Lock
from typing import NamedTuple

import apsw
import structlog

from benefit_programs.domain.store import StoreUnavailable

MEND = "While no server runs, put the database in its place with `benefits restore`; then start."

_MAGIC = b"SQLite format 3\0"
_HAS_LOG = b"\2\2"
_HEADER = Struct(">16s2s2s8xI8xI")

_log = structlog.get_logger("benefit_programs.storage")


class FileLost(StoreUnavailable):
    """A file of the database was moved, deleted, replaced or overwritten while it was open."""


class _Age(NamedTuple):
    """Parts of a header that never go back: a VACUUM makes fewer pages, but a newer schema."""

    schema: int
    pages: int


def real_path(path: Path) -> Path:
    """Where a path leads, through links of files and of folders."""
    return Path(os.path.realpath(path))  # `resolve` fails at a ring of links before Python 3.13


def lock_path(path: Path) -> Path:
    """The file beside a database that is locked by whoever serves it."""
    return _beside(real_path(path), ".lock")


def refuse_more_names(path: Path) -> None:
    """Raise StoreUnavailable for a file that has several names (hard links).

    SQLite names the log after the file: under each name it would be another one.
    """
    if path.exists() and (names := path.stat().st_nlink) > 1:
        raise StoreUnavailable(
            f"{path} has {names} names (hard links), and each would have a log of its own: keep "
            f"one of those that `find FOLDER -samefile {path}` lists"
        )


class OpenFile:
    """A database's files as they were when a connection opened them.

    Raises StoreUnavailable if SQLite keeps no log beside the file.
    """

    def __init__(self, path: Path, connection: apsw.Connection, *, is_locked: bool) -> None:
        # The first read makes what SQLite keeps beside the file.
        connection.execute("select 1 from sqlite_master").fetchall()
        self._connection = connection
        self._path, real = path.absolute(), real_path(path)
        self._log_path = _beside(real, "-wal")
        self._database, self._log = _identified(self._path), _identified(self._log_path)
        self._with_commits = self._database | self._log
        locked = _identified(lock_path(path)) if is_locked else {}
        self._all = self._with_commits | _identified(_beside(real, "-shm")) | locked
        self._noticing = Lock()
        self._loss: str | None = None
        self._header = self._read_header()
        self._page_size, self._age = self._examine(self._header)

    @property
    def is_lost(self) -> bool:
        """Whether a loss was noticed."""
        return self._loss is not None

    def require(self) -> None:
        """Raise FileLost if a loss was noticed."""
        if self._loss is not None:
            raise FileLost(f"{self._loss} while it was open")

    def require_names(self) -> None:
        """Look whether all names lead to what they led to. Raises FileLost."""
        self._notice(_find_lost(self._all))
        self.require()

    def require_commit(self) -> None:
        """Look whether what was committed just now can be found. Raises FileLost.

        Only whoever may use the connection may call it.
        """
        self._notice(_find_lost(self._with_commits) or self._find_overwriting())
        self.require()

    def require_own_content(self) -> None:
        """Look whether the file itself, wherever it is, is the database. Raises FileLost."""
        if overwriting := self._find_overwriting():
            raise FileLost(overwriting)

    def set_log_aside(self) -> Path | None:
        """Give the log another name where SQLite would take it for the log of another database.

        The new name, or None where the log stays.
        """
        is_in_place = not _find_lost(self._database) and not self._find_overwriting()
        if is_in_place or _find_lost(self._log):
            return None
        aside = _beside(self._log_path, f".{datetime.now(UTC):%Y%m%dT%H%M%SZ}.old")
        with suppress(OSError):
            return self._log_path.rename(aside)
        return None

    def _notice(self, loss: str | None) -> None:
        if loss is None:
            return
        with self._noticing:
            if self._loss is not None:
                return
            self._loss = loss
        _log.error("database lost", path=str(self._path), happened=loss, mend=MEND)

    def _find_overwriting(self) -> str | None:
        """What tells that another database was written over this one, if anything does."""
        with suppress(StoreUnavailable, apsw.NotADBError, apsw.CorruptError):
            header = self._read_header()
            if header == self._header:
                return None
            page_size, age = self._examine(header)
            if page_size == self._page_size and self._may_be(age):
                self._header, self._age = header, age
                return None
        return f"{self._path} was overwritten"

    def _may_be(self, age: _Age) -> bool:
        """Whether the file can have become that old: it follows the log and is never ahead."""
        if age == self._age:
            return True
        pragmas = ("pragma schema_version", "pragma page_count")
        newest = _Age(*(self._connection.execute(each).get for each in pragmas))
        return self._age < age <= newest and age.pages <= max(self._age.pages, newest.pages)

    def _read_header(self) -> bytes:
        """What the file itself begins with, which only follows the log now and then."""
        return self._connection.read("main", 0, 0, _HEADER.size)[1]

    def _examine(self, header: bytes) -> tuple[bytes, _Age]:
        """The size of the file's pages, and its age."""
        magic, page_size, log, pages, schema = _HEADER.unpack(header)
        if (magic, log) != (_MAGIC, _HAS_LOG):
            raise StoreUnavailable(f"{self._path} has no log beside it")
        return page_size, _Age(schema, pages)


def _identified(path: Path) -> dict[str, tuple[int, int]]:
    """Which file a name leads to."""
    try:
        found = path.stat()
    except OSError as error:
        raise StoreUnavailable(f"{path}: {error.strerror}") from error
    return {str(path): (found.st_dev, found.st_ino)}


def _find_lost(files: dict[str, tuple[int, int]]) -> str | None:
    """What became of the first file to which its name doesn't lead any more."""
    for name, identity in files.items():
        try:
            found = os.stat(name)  # noqa: PTH116 - to make a Path takes longer than to look
        except FileNotFoundError:
            return f"{name} was moved or deleted"
        except OSError as error:
            return f"{name} can't be found any more ({error.strerror})"
        if (found.st_dev, found.st_ino) != identity:
            return f"{name} was replaced by another file"
    return None


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
