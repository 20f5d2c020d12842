"""Runs the shell commands of a page in one session, as a reader would."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.docs.markdown import Likeness

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.docs.markdown import Block

SECONDS_MAX = 100
MARK = "-- the next block --"


def require_commands(
    commands: Sequence[tuple[Block, Block | None]],
    folder: Path,
    environment: dict[str, str],
    likeness: Likeness | None = None,
) -> None:
    """Fail unless each block of commands prints what the page shows for it."""
    likeness = likeness or Likeness()
    printed = run_blocks([block for block, _ in commands], folder, environment)
    for (block, shown), text in zip(commands, printed, strict=True):
        assert shown is not None or not text.strip(), f"line {block.line} prints {text}"
        if shown is not None:
            likeness.require(shown, text)


def run_blocks(blocks: Sequence[Block], folder: Path, environment: dict[str, str]) -> list[str]:
    """What each block prints; a command that fails ends the test."""
    script = "".join(f"{block.text}\necho; echo '{MARK}'\n" for block in blocks)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split(f"{MARK}\n")[:-1]
