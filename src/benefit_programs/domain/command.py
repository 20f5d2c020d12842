"""Commands: what a caller wants changed, and the rule that decides on it.

A command is plain data with two methods. ``ask`` names the rows it needs, in rounds: it is called
again after each load, until it asks for nothing new. ``decide`` turns the loaded state into
``Changes``, or raises a refusal; it builds nothing before its last check, so a refusal leaves no
trace. Both are pure.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Generic, TypeVar

import msgspec

from benefit_programs.domain.context import Context
from benefit_programs.domain.rows import Row
from benefit_programs.domain.state import Changes, Needs, State

Answer = TypeVar("Answer")


class Command(msgspec.Struct, Generic[Answer], frozen=True, kw_only=True):
    """One thing to do for one tenant, decided as a whole.

    Its audit entry names the first row of the type ``about`` that it changes. None: it only keeps
    the service's own books, and leaves no entry.
    """

    about: ClassVar[type[Row] | None] = None

    @abstractmethod
    def ask(self, needs: Needs, state: State) -> None:
        """Ask for the rows that the decision reads, as far as they are known by now."""

    @abstractmethod
    def decide(self, state: State, context: Context) -> Changes[Answer]:
        """What to change and to answer. Raises the refusals of the contract in its order."""
