"""What a page of the site has more than the Markdown that a forge shows.

A method of the reference is text with an example at its end. The site shows the example beside the
text, and the languages of its request as tabs. Tables of fields and of errors become lists.
"""

# ruff: noqa: INP001 - a script, not a package

from __future__ import annotations

import re
import textwrap
from functools import partial

EXAMPLE = "\n**Example**\n"

_SECTION = re.compile(r"^(?=## )", re.MULTILINE)
_CALL = re.compile(r"^(\w+):\n\n(```\w+\n(?:(?!^```$).*\n)*```)$", re.MULTILINE)
_ROWS = r"\n(?:\|.*\n)+"
_LISTS = {
    "fields": re.compile(
        rf"^\| (?:Field|Name) \| Type \| Meaning \| Rules \|{_ROWS}", re.MULTILINE
    ),
    "errors": re.compile(
        rf"^\| Status \| Code \| What happened \| Data \|(?: Methods \|)?{_ROWS}", re.MULTILINE
    ),
}
"""Tables that are shown as lists, by the names that the style knows them by."""


def adapted(page: str) -> str:
    """A page for the site."""
    for name, table in _LISTS.items():
        page = table.sub(partial(_list, name), page)
    if EXAMPLE not in page:
        return page
    return "".join(_beside(section) for section in _SECTION.split(page))


def _beside(section: str) -> str:
    """A section whose example stands beside its text, if it has one."""
    text, mark, example = section.partition(EXAMPLE)
    if not mark:
        return section
    calls, answer = example.split("\nAnswer", 1)
    tabs = _CALL.sub(
        lambda found: f'=== "{found[1]}"\n\n{textwrap.indent(found[2], "    ")}', calls
    )
    columns = _part("about", text) + _part("example", f"{tabs}\nAnswer{answer}")
    return _part("method", columns)


def _list(name: str, table: re.Match[str]) -> str:
    return _part(name, table[0])


def _part(name: str, content: str) -> str:
    return f'<div class="{name}" markdown>\n\n{content.strip()}\n\n</div>\n\n'
