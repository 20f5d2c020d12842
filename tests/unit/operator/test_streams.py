"""Commands end well, whatever becomes of what they print."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.serving import BENEFITS, own_environment

SECONDS_MAX = 30


def run_into(
    stdout: int, command: str = "version", prepare: Callable[[], None] = lambda: None
) -> tuple[int, str]:
    """The code of a command that prints into this file, and what it says on standard error."""
    done = subprocess.run(
        [*BENEFITS, command],
        # Lines are kept until the end, as wherever Python isn't told to write each at once.
        env=own_environment(PYTHONUNBUFFERED=""),
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
        preexec_fn=prepare,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("command", ["version", "definitions-schema", "--help"])
def test_reader_may_have_enough(command: str) -> None:
    """A reader that is gone, such as ``head``, ends a command with code 1, and nothing is told."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert run_into(writer, command) == (1, "")
    finally:
        os.close(writer)


def test_nobody_may_listen() -> None:
    """A command whose standard output was closed does its work."""
    assert run_into(subprocess.DEVNULL, prepare=lambda: os.close(1)) == (0, "")


def test_full_disk_is_told(tmp_path: Path) -> None:
    """What can't be written is told in one line."""
    with (tmp_path / "printed").open("w") as file:
        code, told = run_into(file.fileno(), prepare=allow_no_bytes)
    assert (code, told.count("\n")) == (1, 1)
    assert told.startswith("benefits: can't write to standard output: ")


def allow_no_bytes() -> None:
    """Have every write to a file fail, as if there were no room for it."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
