"""Log lines are written a few at a time, in their order, and none is forgotten."""

from __future__ import annotations

import asyncio
import io

import pytest

from benefit_programs.log_stream import LINES_MAX, DeferredStream


class Watched(io.StringIO):
    """A text stream that tells when something was flushed to it."""

    def __init__(self) -> None:
        super().__init__()
        self.flushed = asyncio.Event()

    def flush(self) -> None:
        self.flushed.set()


def test_without_an_event_loop_a_line_is_written_at_once() -> None:
    """A command line's log doesn't wait for a loop that never comes."""
    written = io.StringIO()
    stream = DeferredStream(written)
    stream.write("one\n")
    stream.flush()
    assert written.getvalue() == "one\n"


@pytest.mark.anyio
async def test_in_an_event_loop_lines_are_written_together() -> None:
    """Lines wait a moment, then are written in one piece and in their order."""
    written = Watched()
    stream = DeferredStream(written)
    for line in ("one\n", "two\n"):
        stream.write(line)
        stream.flush()
    assert written.getvalue() == ""
    await asyncio.wait_for(written.flushed.wait(), 5)
    assert written.getvalue() == "one\ntwo\n"


@pytest.mark.anyio
async def test_many_lines_do_not_wait() -> None:
    """What waits is bounded."""
    written = Watched()
    stream = DeferredStream(written)
    for number in range(LINES_MAX):
        stream.write(f"{number}\n")
        stream.flush()
    assert written.getvalue().count("\n") == LINES_MAX
