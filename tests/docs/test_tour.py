"""The tour of the gym does what it says, in each of its languages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.docs.markdown import printed_by, script_of
from tests.docs.typescript import compile_page
from tests.support.engines import ON_POSTGRES_IN_FULL

if TYPE_CHECKING:
    from tests.support.service import Server

TOUR = Path(__file__).resolve().parents[2] / "docs" / "tour" / "gym.md"
SECONDS_MAX = 100


def run_tour(command: list[str], folder: Path, server: Server) -> str:
    """Run all the code of one language against a tenant of its own; what it printed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"BENEFITS_URL": server.url, "BENEFITS_API_KEY": server.make_key()},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("language", "head", "interpreter"),
    [("bash", "set -euo pipefail\n", "bash"), ("python", "", sys.executable)],
    ids=["bash", "python"],
)
def test_tour_prints_what_it_says(
    language: str, head: str, interpreter: str, server: Server, tmp_path: Path
) -> None:
    """Each language of the tour prints what stands below its steps, on both stores."""
    (tmp_path / "tour").write_text(head + script_of(TOUR, language), "utf-8")
    assert printed_by(TOUR) == run_tour([interpreter, "tour"], tmp_path, server)


@ON_POSTGRES_IN_FULL
def test_tour_in_typescript(server: Server, tmp_path: Path) -> None:
    """So does TypeScript, and it passes the strict compiler with the SDK's own types."""
    assert printed_by(TOUR) == run_tour(compile_page(TOUR, tmp_path), tmp_path, server)
