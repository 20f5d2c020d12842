"""Several processes that serve at one address, and the one that starts and replaces them.

On Linux they are forks of that one, which has loaded everything and done nothing: what it loaded is
in memory once, and a process is there in a tenth of a second. So the parent opens no database, runs
no event loop and starts no thread, which a fork must not inherit; what needs them is done by a fork
of its own (``run_apart``). Elsewhere the libraries of the system aren't made for that, and each
process loads everything itself.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess, multiprocess

from benefit_programs.cli.accepting import Share, Shares, SharingServer
from benefit_programs.cli.exits import ExitCode
from benefit_programs.cli.service_manager import ServiceManager

ANSWER_SECONDS_MAX = 15
"""How long one of several processes may give no sign of life, as it starts or later on.

Then it is killed and replaced. On a busy machine a start takes some seconds.
"""

ARE_FORKED = sys.platform == "linux"


def run_apart(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do something that the parent of forks must not: in a process of its own, where there are any.

    If it fails, that process says why, as the command itself does, and the command ends.
    """
    if not ARE_FORKED:
        asyncio.run(work())
        return
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        asyncio.run(work())
        raise SystemExit(ExitCode.DONE)
    _, status = os.waitpid(child, 0)
    if status:
        raise SystemExit(max(os.waitstatus_to_exitcode(status), ExitCode.FAILED))


class Processes(Multiprocess):
    """Processes that share a listener, and stop to listen at once."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        self._manager = ServiceManager()
        # What starts processes, at first and later on, knows the class by its name alone.
        made_by: Any = self._make_fork if ARE_FORKED else _Process
        multiprocess.Process = made_by  # type: ignore[misc]
        self._shares = Shares()

    def _make_fork(self, config: uvicorn.Config, sockets: list[socket.socket]) -> _Fork:
        forks = [each for each in self.processes if isinstance(each, _Fork)]
        taken = [each.share.place for each in forks if each.exitcode is None]
        return _Fork(config, sockets, self._shares.take(taken))

    @property
    def have_failed(self) -> bool:
        """Whether they have ended because one that was lost could not be replaced."""
        return any(each.exitcode == STARTUP_FAILURE for each in self.processes)

    def keep_subprocess_alive(self) -> None:
        """Replace processes that were lost, and say so."""
        before = [*self.processes]
        super().keep_subprocess_alive()
        for lost, present in zip(before, self.processes, strict=True):
            if present is not lost:
                structlog.get_logger().warning(
                    "replaced a process", pid=present.pid, lost=lost.pid, exit_code=lost.exitcode
                )
        if not self._manager.is_ready and any(
            each.is_ready(timeout=ANSWER_SECONDS_MAX) for each in self.processes
        ):
            self._manager.ready()
        self._manager.alive()

    def terminate_all(self) -> None:
        """Have them end what is under way, and take nothing new."""
        self._manager.stopping()
        # As long as anybody has the listener open, connections come in that nobody answers.
        for each in self.sockets:
            each.close()
        super().terminate_all()


class _Process(multiprocess.Process):
    """One of them, with its own end of the connection on which it is asked how it is."""

    def start(self) -> None:
        """Start it, and keep no end of its own: then it is the process that ends the connection.

        It is noticed then while it is asked, and forks that follow don't keep that end either.
        """
        with _signals_waiting():
            super().start()
        self.child_conn.close()


class _Fork(_Process):
    """One that is a fork of its parent, and has a share of the connections."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket], share: Share) -> None:
        super().__init__(config, sockets)
        self.share = share
        forks: Any = multiprocessing.get_context("fork")
        self.process = forks.Process(target=self._serve, args=(sockets,))

    @property
    def server(self) -> uvicorn.Server:
        if self._server is None:
            self._server = SharingServer(self.config, self.share)
        return self._server

    def _serve(self, sockets: list[socket.socket]) -> None:
        """In a fork: forget what the parent does about signals, then serve."""
        for number in multiprocess.SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, multiprocess.SIGNALS)
        self.target(sockets)


@contextmanager
def _signals_waiting() -> Iterator[None]:
    """Let signals wait while a fork begins: it would take them with the handlers of its parent."""
    if not ARE_FORKED:
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, multiprocess.SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def lifeline() -> Iterator[tuple[int, int] | None]:
    """A pipe whose first end ends once all have closed the second: the parent, which never does so.

    Forks close it as they begin (``WorkerApplication``). There is none where nobody is forked.
    """
    if not ARE_FORKED:
        yield None
        return
    ends = os.pipe()
    try:
        yield ends
    finally:
        for each in ends:
            os.close(each)
