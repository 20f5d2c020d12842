"""A stream for log lines that writes them a few at a time.

A system call for each line would cost a busy server more than making the line. Lines wait for
``DELAY_SECONDS`` at most while an event loop runs, and not at all where there is none; what waits
is written when the process ends by itself.
"""

from __future__ import annotations

import asyncio
from multiprocessing.util import Finalize
from typing import TextIO

DELAY_SECONDS = 0.05
LINES_MAX = 500


class DeferredStream:
    """Takes what a logger writes, and hands it on to a text stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: list[str] = []
        self._is_due = False
        # The end of a process, also of a fork, which has no other one.
        Finalize(None, self.write_out, exitpriority=0)

    def write(self, text: str) -> None:
        """Keep some text."""
        self._waiting.append(text)

    def flush(self) -> None:
        """See to it that what is kept is written soon, or now if it is a lot."""
        if len(self._waiting) >= LINES_MAX:
            self.write_out()
        elif not self._is_due:
            self._write_later()

    def write_out(self) -> None:
        """Write what is kept."""
        self._is_due = False
        waiting, self._waiting = self._waiting, []
        if waiting and not self._stream.closed:
            self._stream.write("".join(waiting))
            self._stream.flush()

    def _write_later(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.write_out()
        else:
            self._is_due = True
            loop.call_later(DELAY_SECONDS, self.write_out)
