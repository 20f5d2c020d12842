"""Links in the documentation lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def anchors_of(page: Path) -> set[str]:
    """The anchors that a page's headings make."""
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


def linked_from(page: Path) -> set[Path]:
    """The pages of this repository that a page links; a folder stands for all pages in it."""
    found: set[Path] = set()
    for link in LINK.findall(FENCED.sub("", page.read_text("utf-8"))):
        target = (page.parent / link.partition("#")[0]).resolve()
        found |= set(target.glob("*.md")) if target.is_dir() else {target}
    return found & set(PAGES)


def test_readme_leads_to_every_page() -> None:
    """Whoever follows the links from the README finds every page."""
    found, unread = {README}, [README]
    while unread:
        new = linked_from(unread.pop()) - found
        found |= new
        unread += new
    assert set(PAGES) - found == set()


def test_readme_links_every_guide() -> None:
    """The README itself links each page that says how to do something."""
    guides = {page for page in PAGES if page.parent.name in {"how-to", "tour"}}
    assert guides
    assert guides - linked_from(README) == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Each link of a page to this repository names a file or folder, and a heading that it has."""
    for link in LINK.findall(FENCED.sub("", page.read_text("utf-8"))):
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors_of(target), link
