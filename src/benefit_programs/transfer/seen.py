"""Which programs a file has named already, however many they are."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import apsw

CACHE_KIBIBYTES = 16_384


class SeenKeys:
    """Keys and their lines, in a temporary file that SQLite removes by itself."""

    def __init__(self) -> None:
        # An empty name stands for a private database that goes to disk once it outgrows its cache.
        self._database = apsw.Connection("")
        self._database.execute(f"pragma cache_size = -{CACHE_KIBIBYTES}")
        self._database.execute("pragma journal_mode = off")
        self._database.execute(
            "create table seen (namespace text, external_id text, line integer,"
            " primary key (namespace, external_id)) without rowid"
        )
        self._database.execute("begin")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._database.close()

    def line_before(self, key: tuple[str, str], line: int) -> int | None:
        """Where the key was seen first, or None: then it is remembered with this line."""
        self._database.execute("insert or ignore into seen values (?, ?, ?)", (*key, line))
        if self._database.changes():
            return None
        query = "select line from seen where namespace = ? and external_id = ?"
        found: int = self._database.execute(query, key).get
        return found
