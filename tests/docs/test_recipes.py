"""The recipes print what they show, all on one service, each in a namespace of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.docs.conftest import new_installation
from tests.docs.markdown import commands_of
from tests.docs.shell import require_commands

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "recipes"
INDEX = FOLDER / "README.md"
RECIPES = sorted(page.name for page in FOLDER.glob("*.md") if page != INDEX)
LINES_MAX = 80


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables of somebody who follows one recipe after the other."""
    yield from new_installation(tmp_path_factory.mktemp("recipes"))


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_prints_what_it_shows(
    name: str, installation: dict[str, str], tmp_path: Path
) -> None:
    """A recipe does what it says, with the functions of the page that lists them."""
    commands = commands_of(FOLDER / name)
    assert commands
    require_commands([*commands_of(INDEX), *commands], tmp_path, installation)


def test_index_names_every_recipe() -> None:
    """The page that lists the recipes links all of them."""
    assert RECIPES
    assert [name for name in RECIPES if f"({name})" not in INDEX.read_text("utf-8")] == []


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_is_short(name: str) -> None:
    """A recipe is read in two minutes."""
    assert len((FOLDER / name).read_text("utf-8").splitlines()) <= LINES_MAX
