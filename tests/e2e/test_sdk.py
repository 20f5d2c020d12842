"""The official JavaScript SDK against a server process: each test_*.mjs is one promise."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.node import PACKAGES, ensure_js_packages, node_executable

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.service import Server

SCRIPT_SECONDS_MAX = 90
QUERIES = PACKAGES / "test_queries.mjs"
SCRIPTS = sorted({*PACKAGES.glob("test_*.mjs")} - {QUERIES})


@pytest.fixture(scope="session", autouse=True)
def packages() -> None:
    """See to it that the packages are there."""
    ensure_js_packages()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_the_sdk_works_unchanged(server: Server, script: Path) -> None:
    """A client of the official SDK gets what it expects, with nothing changed but the origin."""
    require_passed(server, script)


# What PostgreSQL makes of each operator is judged every day where it costs less, by conformance.
@pytest.mark.parametrize(
    "databases", ["sqlite", pytest.param("postgres", marks=pytest.mark.full)], indirect=True
)
def test_all_queries_of_the_sdk_work(server: Server) -> None:
    """Every operator, field and order of its query builders finds what it should."""
    require_passed(server, QUERIES)


def require_passed(server: Server, script: Path) -> None:
    """Run a script with a new tenant's key; fail unless all its promises are kept."""
    done = subprocess.run(
        [node_executable(), str(script)],
        cwd=PACKAGES,
        env=os.environ | {"BENEFITS_URL": server.url, "BENEFITS_API_KEY": server.make_key()},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SCRIPT_SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fail 0" in done.stdout, done.stdout
