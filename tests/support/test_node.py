"""Node is there on every machine, and the packages are the locked ones."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support import node

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def bare_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A machine without any Node: an empty search path."""
    node.node_executable.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    yield
    node.node_executable.cache_clear()


def test_node_is_new_enough() -> None:
    """The Node that the tests use is of version 20 or later."""
    assert run(node.node_executable(), "-p", "Number(process.versions.node.split('.')[0]) >= 20")


@pytest.mark.usefixtures("bare_path")
def test_machine_without_node_has_one() -> None:
    """Where the machine has no Node, the wheel's Node and npm run."""
    assert run(node.node_executable(), "-p", "process.version").startswith("v")
    assert run(*node.npm_command(), "--version")


def test_packages_are_the_locked_ones() -> None:
    """The installed packages are those of package.json, to the version."""
    folder = node.ensure_js_packages()
    wanted = json.loads((node.PACKAGES / "package.json").read_text("utf-8"))["dependencies"]
    installed = {
        name: json.loads((folder / name / "package.json").read_text("utf-8"))["version"]
        for name in wanted
    }
    assert wanted == installed


def run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
