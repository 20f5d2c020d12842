"""Tables as files for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from benefit_programs.console.page import File

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def csv_file(name: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> File:
    """A file that spreadsheets open with the right letters."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(head)
    writer.writerows(rows)
    return File(b"\xef\xbb\xbf" + written.getvalue().encode(), "text/csv; charset=utf-8", name)


def plain(text: str | None) -> str:
    """A text that somebody wrote, so that no spreadsheet takes it for a formula."""
    text = text or ""
    return f"'{text}" if text.startswith(_FORMULAS) else text
