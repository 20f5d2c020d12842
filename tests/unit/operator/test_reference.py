"""The generated references are what the code says today."""

from __future__ import annotations

from pathlib import Path

from benefit_programs.cli.exits import ExitCode
from benefit_programs.cli.reference import settings_page

ROOT = Path(__file__).resolve().parent.parent.parent.parent


def test_settings_page_is_fresh() -> None:
    """docs/reference/settings.md equals what the code generates: `make docs` writes it anew."""
    assert (ROOT / "docs/reference/settings.md").read_text("utf-8") == settings_page()


def test_every_exit_code_is_documented() -> None:
    """The page has a line for every exit code."""
    page = settings_page()
    assert all(f"\n| {code.value} | " in page for code in ExitCode)
