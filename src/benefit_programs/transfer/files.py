"""The files: rows with their line numbers out of CSV or JSON lines, and rows into them."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import msgspec

from benefit_programs.domain.errors import FieldViolation, ViolatedRule
from benefit_programs.transfer.records import (
    COLUMNS,
    EXPORTED_COLUMNS,
    JSON_COLUMNS,
    REQUIRED_COLUMNS,
)

LINE_BYTES_MAX = 1_000_000
"""How long a line may be; of a longer one nothing is read."""

_BOM = b"\xef\xbb\xbf"


class FileFormat(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


_BY_SUFFIX = {
    ".csv": FileFormat.CSV,
    ".jsonl": FileFormat.JSONL,
    ".ndjson": FileFormat.JSONL,
}


class WrongFile(Exception):
    """A file can't be used at all; the message is one line."""


class Line(msgspec.Struct, frozen=True):
    """A row of a file: a document, or why it is none. A row may take several lines of text."""

    number: int
    document: dict[str, Any]
    problem: FieldViolation | None = None


def format_of(path: Path, chosen: FileFormat | None = None) -> FileFormat:
    """The format of a file, by its name unless it is chosen. Raises WrongFile."""
    found = chosen or _BY_SUFFIX.get(path.suffix.lower())
    if found is None:
        raise WrongFile(f"{path} is none of {', '.join(_BY_SUFFIX)}: choose a format")
    return found


class _TooLong(Exception):
    """A line that is longer than lines may be."""


class Source:
    """The rows of an open file, one after the other. ``position`` is how many bytes were read."""

    def __init__(
        self,
        file: BinaryIO,
        file_format: FileFormat,
        *,
        columns: Sequence[str] = COLUMNS,
        required: Sequence[str] = REQUIRED_COLUMNS,
    ) -> None:
        self._file = file
        self._format = file_format
        self._columns = columns
        self._required = required
        self.position = 0
        self._number = 0

    def __iter__(self) -> Iterator[Line]:
        """Read the rows. Raises WrongFile for a header that can't be used."""
        return self._csv() if self._format is FileFormat.CSV else self._json_lines()

    def _next_line(self) -> bytes:
        """The next line, empty at the end. Raises _TooLong."""
        line = self._file.readline(LINE_BYTES_MAX)
        self.position += len(line)
        self._number += 1
        if len(line) == LINE_BYTES_MAX and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = self._file.readline(LINE_BYTES_MAX)
                self.position += len(line)
            raise _TooLong
        return line.removeprefix(_BOM) if self._number == 1 else line

    def _json_lines(self) -> Iterator[Line]:
        while True:
            try:
                text = self._next_line()
            except _TooLong:
                yield _too_long(self._number)
                continue
            if not text:
                return
            if text.strip():
                yield _json_line(self._number, text)

    def _text_lines(self) -> Iterator[str]:
        while line := self._next_line():
            yield line.decode("utf-8", "surrogateescape")

    def _csv(self) -> Iterator[Line]:
        csv.field_size_limit(LINE_BYTES_MAX)
        rows, columns = csv.reader(self._text_lines(), strict=True), None
        while True:
            first = self._number + 1
            try:
                cells = next(rows)
            except StopIteration:
                break
            except (csv.Error, _TooLong) as error:
                if columns is None:
                    raise WrongFile("the first line must name the columns") from None
                if isinstance(error, _TooLong):
                    # The reader of CSV ends with its lines.
                    rows = csv.reader(self._text_lines(), strict=True)
                    yield _too_long(self._number)
                else:
                    yield _broken(first, f"must be valid CSV: {error}")
                continue
            if columns is None:
                columns = self._header(cells)
            elif cells:
                yield _csv_line(first, columns, cells)
        if columns is None:
            raise WrongFile("the file is empty: its first line must name the columns")

    def _header(self, cells: list[str]) -> list[str]:
        unknown = [name for name in cells if name not in self._columns]
        missing = [name for name in self._required if name not in cells]
        if unknown:
            raise WrongFile(f"{unknown[0]!r} is none of the columns {', '.join(self._columns)}")
        if missing:
            raise WrongFile(f"the column {missing[0]} is missing")
        if len(set(cells)) < len(cells):
            raise WrongFile("a column is there twice")
        return cells


def _csv_line(number: int, columns: Sequence[str], cells: Sequence[str]) -> Line:
    if len(cells) != len(columns):
        return _broken(number, f"must have {len(columns)} cells, not {len(cells)}")
    document: dict[str, Any] = {
        name: cell for name, cell in zip(columns, cells, strict=True) if cell
    }
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        return _broken(number, "must be UTF-8")
    if "balances" in document:
        document["balances"] = _stated(document["balances"])
    for name in JSON_COLUMNS:
        try:
            if name in document:
                document[name] = msgspec.json.decode(document[name])
        except (msgspec.MsgspecError, RecursionError):
            problem = FieldViolation(name, "must be valid JSON", ViolatedRule.FORMAT)
            return Line(number, document, problem)
    return Line(number, document)


def _stated(cell: str) -> list[dict[str, str]]:
    """``id=amount`` as often as there are pools, with spaces or semicolons between."""
    pairs = [pair.partition("=") for pair in cell.replace(";", " ").split()]
    return [{"poolDefinitionId": name, "amount": amount} for name, _, amount in pairs]


def _json_line(number: int, text: bytes) -> Line:
    try:
        document = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _broken(number, "must be valid JSON")
    if not isinstance(document, dict):
        return _broken(number, "must be a JSON object")
    return Line(number, document)


def _too_long(number: int) -> Line:
    return _broken(number, f"must be shorter than {LINE_BYTES_MAX} bytes", ViolatedRule.MAX_LENGTH)


def _broken(number: int, description: str, rule: ViolatedRule = ViolatedRule.FORMAT) -> Line:
    return Line(number, {}, FieldViolation("", description, rule))


class Target:
    """A file that rows are written into."""

    def __init__(self, file: TextIO, file_format: FileFormat, columns: Sequence[str]) -> None:
        self._file = file
        self._csv = csv.writer(file) if file_format is FileFormat.CSV else None
        self._columns = columns
        if self._csv:
            self._csv.writerow(self._columns)

    def write(self, document: Mapping[str, Any]) -> None:
        """Write one row; what isn't in the document is left out, or an empty cell."""
        if self._csv is None:
            self._file.write(msgspec.json.encode(document).decode() + "\n")
            return
        flat = dict(document)
        if "balances" in document:
            pairs = ((each["poolDefinitionId"], each["amount"]) for each in document["balances"])
            flat["balances"] = " ".join(f"{name}={amount}" for name, amount in pairs)
        for name in JSON_COLUMNS:
            if name in document:
                flat[name] = msgspec.json.encode(document[name]).decode()
        self._csv.writerow([flat.get(name, "") for name in self._columns])


@contextmanager
def open_target(
    path: Path,
    file_format: FileFormat,
    more: Sequence[str] = (),
    *,
    columns: Sequence[str] = EXPORTED_COLUMNS,
) -> Iterator[Target]:
    """A new file that has its name only once it is whole. ``more`` columns come last.

    Raises WrongFile if the name is taken, or the file can't be written.
    """
    if path.exists():
        raise WrongFile(f"{path} exists already")
    partial = path.with_name(f"{path.name}.partial")
    try:
        # Who owns what credits is nobody else's business, from the first moment on.
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
        with partial.open("w", encoding="utf-8", newline="") as file:
            yield Target(file, file_format, (*columns, *more))
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    except BaseException as error:
        with suppress(OSError):
            partial.unlink()
        if isinstance(error, OSError):
            raise WrongFile(f"{path} can't be written: {error.strerror}") from None
        raise
