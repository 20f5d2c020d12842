"""The page about imports and exports tells what the commands do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benefit_programs.transfer.commands import IMPORTER
from benefit_programs.transfer.exporting import PAGE_SIZE
from benefit_programs.transfer.files import LINE_BYTES_MAX
from benefit_programs.transfer.records import BALANCES_MAX, COLUMNS, LOTS_MAX
from tests.docs.markdown import script_of

if TYPE_CHECKING:
    from tests.transfer.conftest import Gym

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "import-and-export.md"
SHOWN_IDS = (
    "01a20000-0000-7000-8000-000000000001",
    "01a20000-0000-7000-8000-000000000002",
)


@pytest.mark.parametrize(("language", "suffix", "rows"), [("csv", "csv", 2), ("json", "jsonl", 1)])
async def test_shown_files_can_be_imported(
    gym: Gym, tmp_path: Path, language: str, suffix: str, rows: int
) -> None:
    """The files of the page are imported as they stand, once the ids are one's own."""
    text = script_of(PAGE, language)
    for shown, own in zip(SHOWN_IDS, gym.pool_definition_ids, strict=True):
        text = text.replace(shown, own)
    file = tmp_path / f"members.{suffix}"
    file.write_text(text, "utf-8")
    assert gym.run_json("import-programs", file)["created"] == rows


def test_page_names_every_column_and_limit() -> None:
    """Each column has its row, and each limit is the one of the code."""
    page = PAGE.read_text("utf-8")
    assert [name for name in COLUMNS if f"| `{name}` |" not in page] == []
    assert f"less than {LINE_BYTES_MAX} bytes" in page
    assert f"more than {BALANCES_MAX} pools" in page
    assert f"at most\n{LOTS_MAX} lots" in page
    assert f"Pages of {PAGE_SIZE} programs" in page
    assert IMPORTER.id in page
