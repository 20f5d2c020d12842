"""The generated references are what the code says today."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benefit_programs.api.methods import METHODS
from benefit_programs.cli.exits import ExitCode
from benefit_programs.cli.reference import generated_files, settings_page

ROOT = Path(__file__).resolve().parent.parent.parent.parent


FOLDER = ROOT / "docs" / "reference"
FILES = generated_files(FOLDER)


@pytest.mark.parametrize("name", FILES)
def test_generated_file_is_fresh(name: str) -> None:
    """Each file in docs/reference equals what the code generates: `make docs` writes it anew."""
    assert (FOLDER / name).read_bytes() == FILES[name]


def test_every_method_has_a_page_and_an_example() -> None:
    """Each method is explained on one page, with a request and its answer."""
    pages = b"".join(content for name, content in FILES.items() if name.startswith("methods/"))
    sections = re.split(r"^## ", pages.decode(), flags=re.MULTILINE)
    shown = [section.split("\n")[0] for section in sections if "**Example**" in section]
    assert sorted(shown) == sorted(METHODS)


def test_no_page_of_a_method_is_left_over() -> None:
    """Each page of methods in the documentation is one that the code generates."""
    written = {f"methods/{path.name}" for path in (FOLDER / "methods").iterdir()}
    assert written == {name for name in FILES if name.startswith("methods/")}


def test_every_exit_code_is_documented() -> None:
    """The page has a line for every exit code."""
    page = settings_page()
    assert all(f"\n| {code.value} | " in page for code in ExitCode)
