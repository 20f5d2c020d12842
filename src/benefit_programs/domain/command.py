"""Commands: what a caller wants changed, and the rule that decides on it.

A command is plain data with two methods. ``ask`` names the rows it needs, in rounds: it is called
again after each load, until it asks for nothing new. ``decide`` turns the loaded state into
``Changes``, or raises a refusal; it builds nothing before its last check, so a refusal leaves no
trace. Both are pure.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import Identity, Instant

Answer = TypeVar("Answer")


class Context(msgspec.Struct, frozen=True):
    """What a decision may depend on besides the state: the moment, the caller, the settings.

    ``now`` is one instant for a whole batch; ``new_id`` gives UUIDv7 ids made from it, so that
    rows made later have greater ids.
    """

    now: Instant
    new_id: Callable[[], str]
    caller: Identity
    settings: TenantSettings


class Command(msgspec.Struct, Generic[Answer], frozen=True, kw_only=True):
    """One thing to do for one tenant, decided as a whole."""

    @abstractmethod
    def ask(self, needs: Needs, state: State) -> None:
        """Ask for the rows that the decision reads, as far as they are known by now."""

    @abstractmethod
    def decide(self, state: State, context: Context) -> Changes[Answer]:
        """What to change and to answer. Raises the refusals of the contract in its order."""
