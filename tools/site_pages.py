"""What a page of the site has more than the Markdown that a forge shows.

A method of the reference is text with an example at its end. The site shows the example beside the
text, and the languages of its request as tabs.
"""

# ruff: noqa: INP001 - a script, not a package

from __future__ import annotations

import re
import textwrap

EXAMPLE = "\n**Example**\n"

_SECTION = re.compile(r"^(?=## )", re.MULTILINE)
_CALL = re.compile(r"^(\w+):\n\n(```\w+\n(?:(?!^```$).*\n)*```)$", re.MULTILINE)


def adapted(page: str) -> str:
    """A page for the site."""
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


def _part(name: str, content: str) -> str:
    return f'<div class="{name}" markdown>\n\n{content.strip()}\n\n</div>\n\n'
