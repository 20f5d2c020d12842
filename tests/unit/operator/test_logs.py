"""What logs tell when something fails on our side, and what they never tell."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benefit_programs.config import LogFormat

SECRET = "bp_of-a-caller"
FAILING = """
import logging
import sys

import structlog

from benefit_programs.bootstrap import config_logging
from benefit_programs.config import LogFormat

def answer(authorization):
    raise RuntimeError("a mistake of ours")

config_logging(LogFormat(sys.argv[1]))
for log in (structlog.get_logger("ours"), logging.getLogger("of a library")):
    try:
        answer(sys.argv[2])
    except RuntimeError:
        log.exception("failed")
"""


@pytest.mark.parametrize("log_format", LogFormat)
def test_failures_tell_where_and_never_with_what(log_format: LogFormat) -> None:
    """A traceback names the places, without the values there: keys and bodies are among them."""
    done = subprocess.run(
        [sys.executable, "-c", FAILING, log_format, SECRET],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.count("RuntimeError: a mistake of ours") == 2
    assert SECRET not in done.stderr
