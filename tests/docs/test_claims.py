"""What pages claim about the code is so."""

from __future__ import annotations

from pathlib import Path

from benefit_programs.api.methods import METHODS
from benefit_programs.storage.tables import TABLES_BY_NAME

ROOT = Path(__file__).resolve().parents[2]


def test_readme_counts_the_methods() -> None:
    """The README says how many methods the API has, and that all of them are there."""
    of_contract = [each for each in METHODS.values() if not each.is_addition]
    assert f"All {len(of_contract)} methods" in (ROOT / "README.md").read_text("utf-8")


def test_architecture_names_every_table() -> None:
    """The page about the architecture has a place for each table."""
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    assert [name for name in TABLES_BY_NAME if f"`{name}`" not in page] == []


def test_every_decision_is_numbered_once() -> None:
    """Decisions are numbered without gaps, and say what they have to say in the same order."""
    pages = sorted((ROOT / "docs" / "adr").glob("*.md"))
    numbers = list(range(1, len(pages) + 1))
    assert numbers == [int(page.name[:4]) for page in pages]
    for number, page in zip(numbers, pages, strict=True):
        lines = page.read_text("utf-8").splitlines()
        assert lines[0].startswith(f"# {number}. ")
        assert [line for line in lines if line.startswith("## ")] == [
            "## Context",
            "## Decision",
            "## Consequences",
            "## Alternatives",
        ]
