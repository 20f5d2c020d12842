"""Answers as tables: CSV for spreadsheets."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

CSV = "text/csv"
CSV_UTF8 = "text/csv; charset=utf-8"


def written(lines: Iterable[Sequence[str]]) -> bytes:
    """Lines as CSV of RFC 4180."""
    text = StringIO()
    csv.writer(text).writerows(lines)
    return text.getvalue().encode()
