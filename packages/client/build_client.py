"""The build's own step: take the client's files from the repository, or from a source archive."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).resolve().parent
PACKAGE = Path("src") / "benefit_programs"
PARTS = ("__init__.py", "py.typed", "client")


class ClientFilesHook(BuildHookInterface[Any]):
    """What the builder calls before it collects files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Name each part with its place in what is built."""
        root = HERE
        if not (root / PACKAGE).is_dir():
            root = HERE.parent.parent
            runpy.run_path(str(root / "hatch_build.py"))["write"]()
        place = PACKAGE if self.target_name == "sdist" else Path(PACKAGE.name)
        build_data["force_include"] |= {
            str(root / PACKAGE / each): (place / each).as_posix() for each in PARTS
        }
