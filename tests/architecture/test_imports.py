"""Imports point inward: the walls of the house, read from the source."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = "benefit_programs"
SOURCE = Path(__file__).resolve().parent.parent.parent / "src" / PACKAGE

ROOT = "the package itself"
"""Stands for `benefit_programs/__init__.py`, which holds the version and nothing else."""

EVERYTHING = frozenset(
    {
        "agents",
        "api",
        "bootstrap",
        "cli",
        "config",
        "console",
        "domain",
        "engine",
        "jobs",
        "log_stream",
        "providers",
    }
    | {"delivery", "encryption", "outgoing", "setting_files", "storage", "transfer", "wire", ROOT}
    | {"telemetry", "tracing"}
)

# What each part of the house may import of ours, beside itself.
MAY_IMPORT: dict[str, frozenset[str]] = {
    ROOT: frozenset(),
    "domain": frozenset(),
    "client": frozenset(),
    "config": frozenset({"setting_files"}),
    "log_stream": frozenset(),
    "tracing": frozenset(),
    "telemetry": frozenset({"tracing", ROOT}),
    "setting_files": frozenset(),
    "encryption": frozenset({"config"}),
    "outgoing": frozenset({"domain"}),
    "delivery": frozenset(
        {"domain", "encryption", "engine", "outgoing", "storage", "tracing", "wire"}
    ),
    "engine": frozenset({"domain", "tracing", ROOT}),
    "storage": frozenset({"domain", "tracing", ROOT}),
    "wire": frozenset({"domain"}),
    "api": frozenset(
        {"delivery", "domain", "encryption", "engine", "outgoing", "providers", "storage", "wire"}
        | {"tracing", ROOT}
    ),
    "console": frozenset({"api", "config", "domain", "storage", "transfer", "wire", ROOT}),
    "agents": frozenset({"api", "client", ROOT}),
    "providers": frozenset({"domain", "outgoing", ROOT}),
    "jobs": frozenset({"domain", "engine", "storage", "tracing", ROOT}),
    "transfer": frozenset({"domain", ROOT}),
    "bootstrap": EVERYTHING - {"cli"},
    # Only the wiring knows the console, and with the commands the server for agents.
    "inprocess": (EVERYTHING | {"client"}) - {"agents", "cli", "console"},
    "cli": (EVERYTHING | {"client"}) - {"console"},
    "__main__": frozenset({"cli"}),
}

# What only these parts may import of others' packages.
KEPT_TO: dict[str, frozenset[str]] = {
    "alembic": frozenset({"storage"}),
    "apsw": frozenset({"storage"}),
    "asyncpg": frozenset({"storage"}),
    "cryptography": frozenset({"delivery", "encryption"}),
    "jinja2": frozenset({"console"}),
    "jsonschema_rs": frozenset({"api"}),
    "jwt": frozenset({"client", "delivery"}),
    "mcp": frozenset({"agents"}),
    "mcp_types": frozenset({"agents"}),
    "opentelemetry": frozenset({"telemetry"}),
    "rich": frozenset({"cli"}),
    "sqlalchemy": frozenset({"storage"}),
    "standardwebhooks": frozenset({"delivery"}),
    "markupsafe": frozenset({"console"}),
    "starlette": frozenset({"api", "bootstrap", "console"}),
    "typer": frozenset({"cli"}),
    "uvicorn": frozenset({"api", "bootstrap", "cli"}),
    "whenever": frozenset({"domain"}),
    "yaml": frozenset({"cli"}),
}

DOMAIN_PACKAGES = frozenset({"msgspec", "whenever"})

# The rules know no input or output, no clock, no chance and no concurrency.
IMPURE = frozenset(
    {"asyncio", "concurrent", "http", "io", "logging", "multiprocessing", "os", "pathlib"}
    | {"random", "secrets", "select", "shutil", "signal", "socket", "sqlite3", "ssl"}
    | {"subprocess", "sys", "tempfile", "threading", "time", "urllib"}
)
HIDDEN_ARGUMENTS = frozenset({"now", "utcnow", "today", "uuid1", "uuid4", "uuid7"})


@dataclass(frozen=True)
class Import:
    """One imported module: who imports it, and where."""

    part: str
    module: str
    place: str

    @property
    def top(self) -> str:
        return self.module.split(".")[0]

    @property
    def target(self) -> str:
        """The part of ours that is imported."""
        names = self.module.split(".")
        return names[1] if len(names) > 1 and is_part(names[1]) else ROOT


def is_part(name: str) -> bool:
    return name in MAY_IMPORT or (SOURCE / name).is_dir() or (SOURCE / f"{name}.py").is_file()


def part_of(path: Path) -> str:
    first = path.relative_to(SOURCE).parts[0]
    return ROOT if first == "__init__.py" else first.removesuffix(".py")


def imported_modules(node: ast.AST, path: Path) -> list[str]:
    """List the modules of an import statement, in full; relative ones made absolute."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    module = node.module or ""
    if node.level:
        folders = [PACKAGE, *path.relative_to(SOURCE).parent.parts]
        outer = folders[: len(folders) - node.level + 1]
        module = ".".join([*outer, *filter(None, [node.module])])
    if module == PACKAGE:
        return [f"{PACKAGE}.{alias.name}" for alias in node.names]
    return [module]


def imports_of(path: Path) -> Iterator[Import]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        for module in imported_modules(node, path):
            place = f"{path.relative_to(SOURCE)}:{getattr(node, 'lineno', 0)}"
            yield Import(part_of(path), module, place)


def all_imports() -> list[Import]:
    return [found for path in sorted(SOURCE.rglob("*.py")) for found in imports_of(path)]


def test_every_part_has_a_place() -> None:
    """Each module and folder of the package has a line that says what it may import."""
    parts = {part_of(path) for path in SOURCE.rglob("*.py")}
    assert parts <= MAY_IMPORT.keys(), "give the new part its line in MAY_IMPORT"


def test_imports_point_inward() -> None:
    """No part imports a part of ours that lies further out, or beside it."""
    crossings = [
        f"{found.place}: {found.part} imports {found.module}"
        for found in all_imports()
        if found.top == PACKAGE
        and found.target != found.part
        and found.target not in MAY_IMPORT.get(found.part, frozenset())
    ]
    assert crossings == []


def test_libraries_stay_behind_their_walls() -> None:
    """Drivers are known to the store alone, the web to the API, the terminal to the commands."""
    crossings = [
        f"{found.place}: {found.part} imports {found.module}"
        for found in all_imports()
        if found.top in KEPT_TO and found.part not in KEPT_TO[found.top]
    ]
    assert crossings == []


def test_domain_is_pure() -> None:
    """The domain imports its two libraries and the pure part of the standard library alone."""
    allowed = (sys.stdlib_module_names - IMPURE) | DOMAIN_PACKAGES | {PACKAGE}
    crossings = [
        f"{found.place}: imports {found.module}"
        for found in all_imports()
        if found.part == "domain" and found.top not in allowed
    ]
    assert crossings == []


def test_domain_is_told_time_and_ids() -> None:
    """The domain never asks a clock or a source of ids: both are arguments."""
    calls = [
        f"{path.relative_to(SOURCE)}:{node.lineno}: {ast.unparse(node)}"
        for path in sorted((SOURCE / "domain").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path)))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in HIDDEN_ARGUMENTS
    ]
    assert calls == []


def test_relative_imports_are_followed() -> None:
    """A relative import counts as the module that it means."""
    path = SOURCE / "wire" / "types" / "programs.py"
    statements = ast.parse("from ...storage import tables\nfrom ... import jobs\nfrom . import x")
    found = [imported_modules(node, path) for node in statements.body]
    assert found == [
        [f"{PACKAGE}.storage"],
        [f"{PACKAGE}.jobs"],
        [f"{PACKAGE}.wire.types"],
    ]


FLOORS_MAX = 10
"""How many modules of the domain may stand on one another."""


def test_the_domain_is_not_high() -> None:
    """No chain of imports between modules of the rules is longer than it has to be."""
    above: dict[str, set[str]] = {}
    for path in (SOURCE / "domain").rglob("*.py"):
        module = ".".join([PACKAGE, *path.relative_to(SOURCE).with_suffix("").parts])
        imported = {each.module for each in imports_of(path)}
        above[module.removesuffix(".__init__")] = imported - {module}

    @cache
    def floors(module: str) -> int:
        return 1 + max((floors(below) for below in above[module] if below in above), default=0)

    assert max(map(floors, above)) <= FLOORS_MAX
