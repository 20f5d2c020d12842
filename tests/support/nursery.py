"""Processes of ``benefits`` without the second that Python takes to load it.

The nursery is a process that has loaded all of the command line. Each command is a fork of it: a
process of its own, with its own arguments, environment, files and end, which runs the same module
as ``python -m benefit_programs`` does. Whoever tests the start itself starts Python instead.

Whoever asks and the nursery talk over sockets. The nursery ends with the process that started it,
and its children with it.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import random
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LETTER_BYTES_MAX = 1 << 20
ENVIRONMENT_AT_START = ("PYTHON", "LANG", "LC_", "NO_COLOR", "FORCE_COLOR", "TERM")
"""What Python and its libraries read when they are loaded: a child can't have another."""


COMMAND = """\
#!{python} -IS
import json, os, signal, socket, sys

asking = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
asking.connect({address!r})
reader, writer = os.pipe()
letter = {{"argv": sys.argv[1:], "environment": dict(os.environ), "folder": os.getcwd()}}
socket.send_fds(asking, [json.dumps(letter).encode()], [0, 1, 2, writer])
pid = int(asking.recv(16))
os.close(writer)
for each in (signal.SIGINT, signal.SIGTERM):
    signal.signal(each, lambda number, _: os.kill(pid, number))
code = int(os.read(reader, 16))
sys.exit(code if code >= 0 else 128 - code)
"""
"""``benefits`` for shells: asks the nursery, and ends as the child ends."""


class Process:
    """A process, as ``subprocess.Popen`` gives one."""

    def __init__(self, pid: int, ending: int, stdout: IO[str] | None) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None
        self._ending = ending

    def poll(self) -> int | None:
        """The code that it has ended with, or None."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """The code that it ends with. Raises TimeoutExpired."""
        code = self._look(timeout)
        if code is None:
            assert timeout is not None
            raise subprocess.TimeoutExpired("benefits", timeout)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._ending], [], [], timeout)[0]:
            said = os.read(self._ending, 16)
            os.close(self._ending)
            self.returncode = int(said) if said else -signal.SIGKILL
        return self.returncode


class Nursery:
    """The process that forks, seen from whoever asks it to."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._folder = tempfile.TemporaryDirectory(prefix="nursery-")
        address = str(Path(self._folder.name) / "socket")
        with theirs, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as shells:
            shells.bind(address)
            shells.listen()
            files = (theirs.fileno(), shells.fileno())
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.nursery", *map(str, files)],
                cwd=Path(__file__).parents[2],
                env=_plain(os.environ),
                stdin=subprocess.DEVNULL,
                pass_fds=files,
            )
        command = Path(self._folder.name) / "benefits"
        command.write_text(COMMAND.format(python=sys.executable, address=address), "utf-8")
        command.chmod(0o755)
        self._turn = threading.Lock()
        atexit.register(self._close)

    @property
    def folder(self) -> str:
        """Where shells find a ``benefits`` that is started here."""
        return self._folder.name

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], stdout: int, stderr: int
    ) -> Process:
        """Start ``benefits`` with these arguments; standard output may be a pipe."""
        reader, writer = os.pipe()
        printed, printing = os.pipe() if stdout == subprocess.PIPE else (None, os.dup(stdout))
        letter = {"argv": arguments, "environment": dict(environment), "folder": str(Path.cwd())}
        try:
            with self._turn:
                content = json.dumps(letter).encode()
                with Path(os.devnull).open() as nothing:
                    files = [nothing.fileno(), printing, stderr, writer]
                    socket.send_fds(self._ours, [content], files)
                    pid = int(self._ours.recv(LETTER_BYTES_MAX))
        finally:
            os.close(writer)
            os.close(printing)
        return Process(pid, reader, None if printed is None else os.fdopen(printed))

    def _close(self) -> None:
        self._ours.close()
        self._process.wait()
        self._folder.cleanup()


@cache
def nursery() -> Nursery:
    """The one of this process."""
    return Nursery()


def serves(environment: Mapping[str, str]) -> bool:
    """Whether a child can have this environment."""
    return _at_start(environment) == _at_start(os.environ)


def _at_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value for name, value in environment.items() if name.startswith(ENVIRONMENT_AT_START)
    }


def _plain(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith("BENEFITS_")}


# In the nursery itself.


def _serve(first: socket.socket, shells: socket.socket) -> None:
    children: dict[int, int] = {}
    asking = {each.fileno(): each for each in (first, shells)}
    woken, waking = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(waking)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while first.fileno() in asking:
        ready, _, _ = select.select([*asking, woken], [], [])
        if woken in ready:
            os.read(woken, 512)
            _tell_ends(children)
        for number in set(ready) & set(asking):
            if number == shells.fileno():
                new, _ = shells.accept()
                asking[new.fileno()] = new
            elif not _fork(asking[number], children, [*asking, woken, waking]):
                del asking[number]
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _fork(asking: socket.socket, children: dict[int, int], ours: list[int]) -> bool:
    """Start what is asked for; whether there was a question, and not an end."""
    content, files, _, _ = socket.recv_fds(asking, LETTER_BYTES_MAX, 4)
    if not content:
        return False
    *standard, ending = files
    pid = os.fork()
    if pid == 0:
        for each in (*ours, ending, *children.values()):
            os.close(each)
        _live(json.loads(content), standard)
    children[pid] = ending
    for each in standard:
        os.close(each)
    asking.send(str(pid).encode())
    return True


def _tell_ends(children: dict[int, int]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        ending = children.pop(pid)
        with contextlib.suppress(BrokenPipeError):
            os.write(ending, str(os.waitstatus_to_exitcode(status)).encode())
        os.close(ending)


def _live(letter: dict[str, Any], standard: list[int]) -> None:
    """Be the process that was asked for, and end as it ends."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, each in enumerate(standard):
        os.dup2(each, number)
        os.close(each)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, errors="backslashreplace", closefd=False)
    os.environ.clear()
    os.environ.update(letter["environment"])
    os.chdir(letter["folder"])
    time.tzset()
    random.seed()
    sys.argv = ["benefits", *letter["argv"]]
    code = 1
    try:
        runpy.run_module("benefit_programs", run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - the interpreter's own way to end
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _load() -> None:
    """Load all that the command line loads, now or on its way."""
    import alembic.config  # noqa: PLC0415
    import alembic.runtime.environment  # noqa: PLC0415
    import alembic.script  # noqa: F401, PLC0415

    import benefit_programs.cli.failures  # noqa: F401, PLC0415
    from benefit_programs.api.app import Endpoint  # noqa: PLC0415
    from benefit_programs.api.methods import METHODS  # noqa: PLC0415
    from benefit_programs.cli.application import COMMANDS, load_command  # noqa: PLC0415

    for name in COMMANDS:
        load_command(name).make_context(name, ["--help"], resilient_parsing=True)
    for method in METHODS.values():
        # Its codecs are kept, and are half of what a server's start takes.
        Endpoint(method)
    gc.freeze()


if __name__ == "__main__":
    _load()
    _serve(*(socket.socket(fileno=int(each)) for each in sys.argv[1:]))
