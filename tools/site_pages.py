"""What a page of the site has more than the Markdown that a forge shows."""

# ruff: noqa: INP001 - a script, not a package

from __future__ import annotations


def adapted(page: str) -> str:
    """A page for the site."""
    return page
