"""The generated references are what the code says today."""

from __future__ import annotations

from pathlib import Path

import pytest

from benefit_programs.cli.exits import ExitCode
from benefit_programs.cli.reference import generated_files, settings_page

ROOT = Path(__file__).resolve().parent.parent.parent.parent


@pytest.mark.parametrize("name", generated_files())
def test_generated_file_is_fresh(name: str) -> None:
    """Each file in docs/reference equals what the code generates: `make docs` writes it anew."""
    assert (ROOT / "docs/reference" / name).read_bytes() == generated_files()[name]


def test_every_exit_code_is_documented() -> None:
    """The page has a line for every exit code."""
    page = settings_page()
    assert all(f"\n| {code.value} | " in page for code in ExitCode)
