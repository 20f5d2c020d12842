"""The style that a reader may count on, kept by reading the source."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCE = ROOT / "src"

FUNCTION_LINES_MAX = 70
MODULE_LINES_MAX = 700
TEXT_BYTES_MAX = 2_000_000

NOT_OURS = frozenset({".git", ".venv", "__pycache__", "data", "dist", "node_modules"})

# Packages come from wherever the machine is told to fetch them; a checkout works anywhere.
REGISTRIES = re.compile(
    r"(?:pypi|pythonhosted)\.org|registry\.(?:npmjs|yarnpkg)\.(?:org|com)"
    r"|--(?:extra-)?index-url[= ]|^\s*index-url\s*=|registry *[=:] *.https?:"
    r"|https?://\S+(?:/simple\b|/packages/|\.whl\b|\.tgz\b)",
    re.IGNORECASE | re.MULTILINE,
)
MACHINE_PATHS = re.compile(r"(?<![\w.~:/-])/(?:home|Users|root|work|workspaces?)/\w")


def test_functions_fit_a_screen() -> None:
    """No function of the package is longer than 70 lines."""
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {lines} lines"
        for path in sorted(SOURCE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert long == []


def test_modules_have_one_job() -> None:
    """No module of the package is longer than 700 lines."""
    long = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path in sorted(SOURCE.rglob("*.py"))
        if (lines := path.read_text("utf-8").count("\n")) > MODULE_LINES_MAX
    ]
    assert long == []


def test_no_registry_is_named() -> None:
    """No file says where packages are fetched from: that is the machine's own setting."""
    assert places_of(REGISTRIES) == []


def test_no_machine_is_named() -> None:
    """No file holds an absolute path of the machine that somebody works on."""
    assert places_of(MACHINE_PATHS) == []


def test_patterns_find_what_they_are_for() -> None:
    """The two searches find a planted example each, and leave ordinary text alone."""
    host = "pypi" + ".org"
    assert REGISTRIES.search(f'"resolved": "https://{host}/x"')
    assert REGISTRIES.search("--index-url" + "=x")
    assert MACHINE_PATHS.search("see /home" + "/ada/notes")
    assert not MACHINE_PATHS.search("https://example.com/home/page and ./home/x")


def places_of(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, found.start()) + 1}: {found.group()}"
        for path in own_files()
        if (text := text_of(path))
        for found in pattern.finditer(text)
    ]


def own_files() -> list[Path]:
    """List what is or may become part of the repository; without git, all that we did not make."""
    names = git_files()
    if names is not None:
        return [path for name in names if (path := ROOT / name).is_file()]
    return [
        path
        for path in sorted(ROOT.rglob("*"))
        if path.is_file() and NOT_OURS.isdisjoint(path.relative_to(ROOT).parts)
    ]


def git_files() -> list[str] | None:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return None
    listed = subprocess.run(
        [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return sorted(filter(None, listed.stdout.split("\0"))) if listed.returncode == 0 else None


def text_of(path: Path) -> str:
    """Read a text file; what is not text, or too large to be written by hand, is empty."""
    if path.stat().st_size > TEXT_BYTES_MAX:
        return ""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return ""
