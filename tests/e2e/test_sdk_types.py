"""Programs in TypeScript that use every method compile with the SDK's own types."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.node import PACKAGES, ensure_js_packages, node_executable

COMPILE_SECONDS_MAX = 60
PROGRAMS = {"types.ts": "tsconfig.json", "types_undocumented.ts": "tsconfig.undocumented.json"}
METHODS = Path(__file__).resolve().parent.parent / "conformance" / "data" / "methods.json"


@pytest.fixture(scope="module")
def modules() -> Path:
    return ensure_js_packages()


def compile_project(project: Path, modules: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [node_executable(), str(modules / "typescript" / "bin" / "tsc"), "--project", str(project)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMPILE_SECONDS_MAX,
        check=False,
    )


@pytest.mark.parametrize("configuration", PROGRAMS.values())
def test_programs_compile_strictly(modules: Path, configuration: str) -> None:
    """What calls the methods with the package's types passes the strict compiler."""
    done = compile_project(PACKAGES / configuration, modules)
    assert done.returncode == 0, done.stdout


def test_programs_call_every_method() -> None:
    """The programs that are compiled leave none of the contract's methods out."""
    text = "".join((PACKAGES / program).read_text("utf-8") for program in PROGRAMS)
    methods = json.loads(METHODS.read_text("utf-8"))
    wanted = {name for name, method in methods.items() if method["module"] != "async-jobs"}
    assert len(wanted) == 59
    assert wanted - set(re.findall(r"\b(\w+)\(", text)) == set()


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("cascadeType: cascade", 'cascadeType: "SOMETIMES"'),
        ('idempotencyKey: "key",', ""),
        ('.eq("programDefinitions.id", "id")', '.eq("price", "1")'),
    ],
)
def test_the_compiler_finds_mistakes(modules: Path, tmp_path: Path, right: str, wrong: str) -> None:
    """The check is a real one: a wrong value, a missing one and an unknown field don't pass."""
    text = (PACKAGES / "types.ts").read_text("utf-8")
    assert right in text
    (tmp_path / "node_modules").symlink_to(modules, target_is_directory=True)
    (tmp_path / "types.ts").write_text(text.replace(right, wrong), "utf-8")
    for name in ("package.json", "tsconfig.json"):
        shutil.copyfile(PACKAGES / name, tmp_path / name)
    done = compile_project(tmp_path / "tsconfig.json", modules)
    assert done.returncode != 0
    assert "types.ts" in done.stdout
