"""Compiles the TypeScript of a page, as strictly as its readers may."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from tests.docs.markdown import script_of
from tests.support.node import COMPILER_OPTIONS, ensure_js_packages, node_executable

if TYPE_CHECKING:
    from pathlib import Path

SECONDS_MAX = 60
LANGUAGE = "typescript"
NODE_TYPES = "declare const process: { env: Record<string, string | undefined> };\n"
"""What the pages use of Node, whose own types aren't among the packages of the tests."""


def compile_page(page: Path, folder: Path) -> list[str]:
    """Compile all TypeScript of a page, and tell what runs it. Fails for what isn't strict."""
    (folder / "node_modules").symlink_to(ensure_js_packages(), target_is_directory=True)
    (folder / "package.json").write_text('{"type": "module"}', "utf-8")
    (folder / "node.d.ts").write_text(NODE_TYPES, "utf-8")
    (folder / "script.ts").write_text(script_of(page, LANGUAGE), "utf-8")
    configuration = {"compilerOptions": COMPILER_OPTIONS, "files": ["node.d.ts", "script.ts"]}
    (folder / "tsconfig.json").write_text(json.dumps(configuration), "utf-8")
    done = subprocess.run(
        [node_executable(), "node_modules/typescript/bin/tsc", "--project", "tsconfig.json"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return [node_executable(), str(folder / "script.js")]
