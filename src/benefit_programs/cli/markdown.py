"""The Markdown of the generated pages of docs/reference."""

from __future__ import annotations

from collections.abc import Iterable

GENERATED = "<!-- Generated from the code by `make docs`. -->\n"


def table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table; nothing if it has no rows."""
    lines = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    head = [f"| {' | '.join(columns)} |", "|" + " --- |" * len(columns)]
    return "\n".join([*head, *lines]) if lines else ""


def joined(parts: Iterable[str]) -> str:
    """Join the parts of a page, without the empty ones."""
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"
