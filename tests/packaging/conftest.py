"""A release, built once of the sources as they are cloned."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.serving import own_environment

ROOT = Path(__file__).resolve().parents[2]
BUILT_FROM = (
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "hatch_build.py",
    "packages",
    "pyproject.toml",
    "requirements",
    "src",
    "tools",
)


def environment() -> dict[str, str]:
    """The environment of somebody who has no sources on the path."""
    variables = own_environment()
    variables.pop("PYTHONPATH", None)
    return variables


def run(*arguments: object, cwd: Path | None = None, **variables: str) -> str:
    """Run a program to its good end; what it printed."""
    done = subprocess.run(
        [str(each) for each in arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=environment() | variables,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def copy_sources(folder: Path) -> Path:
    """Copy the sources to a folder, without what a build makes."""
    made = shutil.ignore_patterns("__pycache__", "synchronous")
    folder.mkdir(exist_ok=True)
    for name in BUILT_FROM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=made)
        else:
            shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources as they are cloned."""
    return copy_sources(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="session")
def dist(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a release that was built of them."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "tools.dist", folder, cwd=checkout)
    return folder


@pytest.fixture(scope="session")
def wheel(dist: Path) -> Path:
    """The server's wheel."""
    (found,) = dist.glob("benefit_programs-*.whl")
    return found


@pytest.fixture(scope="session")
def client_wheel(dist: Path) -> Path:
    """The client's wheel."""
    (found,) = dist.glob("benefit_programs_client-*.whl")
    return found
