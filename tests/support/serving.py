"""The service as its users run it: real processes of the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from tests.support.nursery import Process, nursery, serves

START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 20

BENEFITS = (sys.executable, "-m", "benefit_programs")

Command = Process | subprocess.Popen[str]


def own_environment(**variables: str) -> dict[str, str]:
    """This process's environment without settings of the service, and these variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BENEFITS_")}
    return kept | variables


def start_benefits(*arguments: str, stdout: int, stderr: int, **variables: str) -> Command:
    """Start a command in a process of its own."""
    environment = own_environment(**variables)
    if serves(environment):
        return nursery().start(arguments, environment, stdout, stderr)
    return subprocess.Popen(
        [*BENEFITS, *arguments], env=environment, stdout=stdout, stderr=stderr, text=True
    )


def run_benefits(
    *arguments: str, seconds: float = START_SECONDS_MAX, **variables: str
) -> subprocess.CompletedProcess[str]:
    with TemporaryFile("w+") as out, TemporaryFile("w+") as errors:
        process = start_benefits(
            *arguments, stdout=out.fileno(), stderr=errors.fileno(), **variables
        )
        try:
            code = process.wait(seconds)
        finally:
            process.kill()
        out.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(arguments, code, out.read(), errors.read())


class ServerProcess:
    """``benefits serve`` on a free port, which answers once this is made."""

    def __init__(self, arguments: Sequence[str], log: Path, **variables: str) -> None:
        self._log = log
        with log.open("a") as errors:
            self.process = start_benefits(
                *("serve", "--port", "0", "--json", *arguments),
                stdout=subprocess.PIPE,
                stderr=errors.fileno(),
                **variables,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.wait(STOP_SECONDS_MAX)
            raise AssertionError(f"the server didn't start: {log.read_text()}")
        start: dict[str, Any] = json.loads(line)
        self.url: str = start["url"]
        self.first_key: str | None = start.get("firstKey")

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.url.rpartition(":")[2])

    @property
    def log(self) -> str:
        """What it has written to its log so far."""
        return self._log.read_text()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal and wait for the end; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end; the exit code."""
        try:
            return self.process.wait(STOP_SECONDS_MAX)
        finally:
            self.process.kill()
            assert self.process.stdout is not None
            self.process.stdout.close()
