"""Writes the figures of docs/performance.md from the newest results, between their marks."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.growth_report import format_growth
from bench.report import format_environment, read_results, write_markdown
from bench.servers import ROOT
from bench.speed import format_speed

DOCUMENT = ROOT / "docs" / "performance.md"
Tables = list[tuple[str, list[tuple[str, ...]]]]

FORMATS: dict[str, Callable[[dict[str, Any]], Tables]] = {
    "speed": format_speed,
    "growth": format_growth,
}
"""The kinds of results that the document shows, and how they become tables."""


def write_document(path: Path = DOCUMENT) -> None:
    """Replace what is between the marks of each kind of results that there are."""
    text = path.read_text()
    for name in FORMATS:
        content = read_results(name)
        if content is not None:
            text = fill_in(text, name, format_section(name, content))
    path.write_text(text)


def format_section(name: str, content: dict[str, Any]) -> str:
    """Write the environment and the tables of a run."""
    environment, settings = content["environment"], content["settings"]
    about = f"Measured {environment['date']}\n\n```text\n"
    about += f"{format_environment(environment, settings)}\n```"
    tables = [f"**{title}**\n\n{write_markdown(rows)}" for title, rows in FORMATS[name](content)]
    return "\n\n".join([about, *tables])


def fill_in(text: str, name: str, content: str) -> str:
    """Replace what is between `<!-- name -->` and `<!-- end of name -->`."""
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    assert pattern.search(text), f"the document has no place for {name}"
    return pattern.sub(lambda _: f"{start}\n\n{content}\n\n{end}", text)
