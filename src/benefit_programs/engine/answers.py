"""Who waits for what becomes of commands: one caller for one, or one caller for many."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol


class Answering(Protocol):
    """Takes what becomes of a command, once; a future is one, too."""

    def done(self) -> bool:
        """Whether nobody waits for it any more."""

    def set_result(self, result: Any, /) -> object:
        """Give the answer."""

    def set_exception(self, error: Exception, /) -> object:
        """Tell what went wrong."""

    def cancel(self) -> object:
        """Tell that nobody will answer, if nobody has."""


_OPEN = object()


class Answers:
    """What becomes of many commands, in their order: answers, and errors as values.

    ``all`` is done once all are. Whoever gives up waiting cancels it, and with it what isn't done.
    """

    __slots__ = ("_left", "all", "outcomes")

    def __init__(self, count: int) -> None:
        self.outcomes: list[Any] = [_OPEN] * count
        self.all: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._left = count

    def take(self, number: int, outcome: Any) -> None:
        """Take what became of one."""
        self.outcomes[number] = outcome
        self._left -= 1
        if not self._left and not self.all.done():
            self.all.set_result(None)


class Part:
    """One of many commands, and who waits for it: a future of its own would cost more."""

    __slots__ = ("_answers", "_number")

    def __init__(self, answers: Answers, number: int) -> None:
        self._answers = answers
        self._number = number

    def done(self) -> bool:
        answers = self._answers
        return answers.outcomes[self._number] is not _OPEN or answers.all.done()

    def set_result(self, result: Any, /) -> None:
        self._answers.take(self._number, result)

    def set_exception(self, error: Exception, /) -> None:
        self._answers.take(self._number, error)

    def cancel(self) -> None:
        if not self.done():
            self._answers.all.cancel()
