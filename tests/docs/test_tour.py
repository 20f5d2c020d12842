"""The tour of the gym does what it says, in each of its languages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.docs.markdown import printed_by, script_of
from tests.support.node import ensure_js_packages, node_executable

if TYPE_CHECKING:
    from tests.support.service import Server

TOUR = Path(__file__).resolve().parents[2] / "docs" / "tour" / "gym.md"
SECONDS_MAX = 100


def run_tour(command: list[str], script: Path, language: str, server: Server) -> str:
    """Run all the code of one language against a tenant of its own; what it printed."""
    head = "set -euo pipefail\n" if language == "bash" else ""
    script.write_text(head + script_of(TOUR, language), "utf-8")
    done = subprocess.run(
        [*command, str(script)],
        cwd=script.parent,
        env=os.environ | {"BENEFITS_URL": server.url, "BENEFITS_API_KEY": server.make_key()},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("language", ["bash", "javascript", "python"])
def test_tour_prints_what_it_says(language: str, server: Server, tmp_path: Path) -> None:
    """Each language of the tour prints what stands below its steps, on both stores."""
    commands = {
        "bash": ["bash"],
        "javascript": [node_executable()],
        "python": [sys.executable],
    }
    if language == "javascript":
        (tmp_path / "node_modules").symlink_to(ensure_js_packages(), target_is_directory=True)
    suffix = ".mjs" if language == "javascript" else ""
    printed = run_tour(commands[language], tmp_path / f"tour{suffix}", language, server)
    assert printed_by(TOUR) == printed
