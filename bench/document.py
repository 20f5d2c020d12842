"""Writes the figures of two pages of docs from the newest results, between their marks."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from bench.fairness import format_fairness
from bench.growth_report import format_growth
from bench.model import format_model
from bench.report import format_environment, read_results, write_markdown
from bench.servers import ROOT
from bench.sizing import format_sizing
from bench.speed import format_speed

PERFORMANCE = ROOT / "docs" / "performance.md"
SCALING = ROOT / "docs" / "scaling.md"
Tables = list[tuple[str, list[tuple[str, ...]]]]


class Section(NamedTuple):
    """Where figures are shown, which results they are from, and how these become tables."""

    page: Path
    results: str
    format: Callable[[dict[str, Any]], Tables]


SECTIONS = {
    "speed": Section(PERFORMANCE, "speed", format_speed),
    "growth": Section(PERFORMANCE, "growth", format_growth),
    "sizing": Section(SCALING, "sizing", format_sizing),
    "model": Section(SCALING, "sizing", format_model),
    "fairness": Section(SCALING, "fairness", format_fairness),
}


def write_documents() -> None:
    """Replace what is between the marks of each kind of results that there are."""
    for name, section in SECTIONS.items():
        content = read_results(section.results)
        if content is not None:
            text = section.page.read_text()
            section.page.write_text(fill_in(text, name, format_section(name, content)))


def format_section(name: str, content: dict[str, Any]) -> str:
    """Write the environment and the tables of a run."""
    environment, settings = content["environment"], content["settings"]
    about = f"Measured {environment['date']}\n\n```text\n"
    about += f"{format_environment(environment, settings)}\n```"
    tables = [
        f"**{title}**\n\n{write_markdown(rows)}" for title, rows in SECTIONS[name].format(content)
    ]
    return "\n\n".join([about, *tables])


def fill_in(text: str, name: str, content: str) -> str:
    """Replace what is between `<!-- name -->` and `<!-- end of name -->`."""
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    assert pattern.search(text), f"the document has no place for {name}"
    return pattern.sub(lambda _: f"{start}\n\n{content}\n\n{end}", text)
