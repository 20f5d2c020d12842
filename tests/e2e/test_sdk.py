"""The official JavaScript SDK against a server process: tests/e2e/js/test_*.mjs."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.citus import CITUS
from tests.support.node import PACKAGES, ensure_js_packages, node_executable

if TYPE_CHECKING:
    from tests.support.service import Server

SCRIPT_SECONDS_MAX = 90
QUERIES = "test_queries.mjs"
SCRIPTS = sorted({script.name for script in PACKAGES.glob("test_*.mjs")} - {QUERIES})


@pytest.fixture(scope="session", autouse=True)
def packages() -> None:
    """See to it that the packages are there."""
    ensure_js_packages()


def test_the_sdk_works_unchanged(server: Server) -> None:
    """A client of the official SDK gets what it expects, with nothing changed but the origin."""
    require_passed(server, *SCRIPTS)


# What PostgreSQL makes of each operator is judged every day where it costs less, by conformance.
@pytest.mark.parametrize(
    "databases", ["sqlite", pytest.param("postgres", marks=pytest.mark.full), *CITUS], indirect=True
)
def test_all_queries_of_the_sdk_work(server: Server) -> None:
    """Every operator, field and order of its query builders finds what it should."""
    require_passed(server, QUERIES)


def require_passed(server: Server, *scripts: str) -> None:
    """Run scripts with a new tenant's key; fail unless all their promises are kept."""
    done = subprocess.run(
        [node_executable(), "run.mjs", *scripts],
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
