"""The page about limits is complete, and its figures are the code's."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "limits.md"
PACKAGE = ROOT / "src" / "benefit_programs"
LIMIT = re.compile(r"(?!_)[A-Z0-9_]+_(MAX|MIN|DEFAULT|SIZE|FOR_ALL|MAX_OF_ITEMS)")
ROW = re.compile(r"^\| `([\w.]+)` \| ([\d,.]+) \| \S", re.MULTILINE)


def limits_in_code() -> dict[str, float]:
    """Every public constant that is named as a limit and is a number, by its full name.

    The client has a reference of its own, for it is used without the server.
    """
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        if parts[0] == "client" or "migrations" in parts:
            continue
        for name in _constants(file):
            value = getattr(import_module(".".join(["benefit_programs", *parts])), name)
            if LIMIT.fullmatch(name) and isinstance(value, int | float):
                found[".".join([*parts, name])] = float(value)
    return found


def _constants(file: Path) -> list[str]:
    """The names that a module gives values to; what it imports is another's."""
    names = []
    for statement in ast.parse(file.read_text("utf-8")).body:
        if isinstance(statement, ast.Assign):
            names += [each.id for each in statement.targets if isinstance(each, ast.Name)]
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            names.append(statement.target.id)
    return names


def test_page_names_all_limits() -> None:
    """docs/reference/limits.md has a row for each limit in the code, and its value."""
    rows = ROW.findall(PAGE.read_text("utf-8"))
    shown = {name: float(value.replace(",", "")) for name, value in rows}
    assert len(rows) == len(shown), "a limit is named twice"
    assert limits_in_code() == shown
