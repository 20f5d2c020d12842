"""What commands print: tables for people, JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from benefit_programs.cli.exits import ExitCode
from benefit_programs.wire.codec import instant_text

WIDTH_MAX = 10_000
"""Wider than any table: what doesn't fit a terminal is wrapped there, not cut here."""


def print_json(document: object) -> None:
    written = msgspec.json.format(msgspec.json.encode(document), indent=2)
    sys.stdout.write(written.decode() + "\n")


def print_line(line: str) -> None:
    """Print a line as it is, never wrapped."""
    sys.stdout.write(f"{line}\n")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows under headings. Ids stay whole, however narrow the terminal is."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=True)
    for row in rows:
        table.add_row(*(Text("" if value is None else str(value)) for value in row))
    Console(file=sys.stdout, width=WIDTH_MAX).print(table)


@contextmanager
def progress_bar(total: int | None) -> Iterator[Callable[[int, str], None]]:
    """Show a bar on standard error, if that is a terminal. Yields the function that moves it."""
    columns = (
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not sys.stderr.isatty()
    ) as progress:
        task = progress.add_task("", total=total)
        yield lambda done, text: progress.update(task, completed=done, description=text)


def instant(value: int | None) -> str | None:
    return None if value is None else instant_text(value)


@dataclass(frozen=True)
class Answer:
    """The answer of a command: a document for programs, a table and a note for people.

    Without columns people see the fields of the document, one per line. The command ends with
    ``code``.
    """

    document: dict[str, Any]
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = field(default=())
    line: str = ""
    code: ExitCode = ExitCode.DONE

    def print(self, *, as_json: bool) -> None:
        if as_json:
            print_json(self.document)
            return
        if self.columns:
            print_table(self.columns, self.rows)
        elif not self.line:
            print_table(("FIELD", "VALUE"), list(fields_in(self.document)))
        if self.line:
            print_line(self.line)


def fields_in(document: Any, path: str = "") -> Iterable[tuple[str, Any]]:
    """The single values of a document, by their paths."""
    if isinstance(document, dict) and document:
        for name, value in document.items():
            yield from fields_in(value, f"{path}.{name}" if path else name)
    elif isinstance(document, list) and document:
        for index, value in enumerate(document):
            yield from fields_in(value, f"{path}[{index}]")
    else:
        yield path, document
