"""Changes with a date: accepted now, done at their instant, listed and withdrawn until then."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar

from msgspec.structs import replace

from benefit_programs.domain.rows import Row
from benefit_programs.domain.values import Id, Instant

CHANGES_OF_PROGRAM_MAX = 100
"""How many changes of a program may wait for their dates."""

CHANGES_OF_DEFINITION_MAX = 100
"""How many changes of a pool definition may wait for their dates."""


class ChangeKind(StrEnum):
    """What a change with a date does."""

    PAUSE = "PAUSE"
    RESUME = "RESUME"
    END = "END"
    CASCADE = "CASCADE"
    """A changed definition reaches the pools and programs that were made from it."""


class ProgramChangeKind(StrEnum):
    """What may happen to a program at a date."""

    PAUSE = "PAUSE"
    RESUME = "RESUME"
    END = "END"


class ChangeStatus(StrEnum):
    """The status of a change with a date; all but the first are its end."""

    WAITING = "WAITING"
    DONE = "DONE"
    REFUSED = "REFUSED"
    """It couldn't be done when its instant came."""

    WITHDRAWN = "WITHDRAWN"


class ScheduledChange(Row, frozen=True, kw_only=True, omit_defaults=True):
    """A change of one program, or a cascade of a definition, that happens at a ``date``.

    Runners begin a cascade, which therefore is ``due`` then; its ``payload`` are the orders that it
    brings. What concerns one program is among its own dates. A pause may end by itself, ``until``
    an instant. ``reason`` is the code of what has refused it.
    """

    over: ClassVar[tuple[str, ...]] = ("DONE", "REFUSED", "WITHDRAWN")

    id: Id
    created: Instant
    updated: Instant
    kind: ChangeKind
    status: ChangeStatus
    date: Instant
    due: Instant | None = None
    program_id: Id | None = None
    pool_definition_id: Id | None = None
    program_definition_id: Id | None = None
    until: Instant | None = None
    payload: dict[str, Any] | None = None
    reason: str | None = None


def ended(
    change: ScheduledChange, status: ChangeStatus, now: Instant, *, reason: str | None = None
) -> ScheduledChange:
    """A change that waits no more."""
    return replace(change, status=status, updated=now, due=None, reason=reason)
