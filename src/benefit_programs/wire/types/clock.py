"""The clock of a sandbox."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from benefit_programs.domain.constraints import Duration, OneOf
from benefit_programs.wire.types.common import EntityId, Timestamp


class Clock(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the clock of a sandbox shows."""

    date: Timestamp | None = None
    target_date: Timestamp | None = None
    job_id: EntityId | None = None


class GetClockRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read the clock of a sandbox."""


class SetClockRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Set the clock of a sandbox forward. What is due until then happens, in its order."""

    one_of: ClassVar[OneOf] = OneOf(("date", "advance"))

    date: Timestamp | None = None
    advance: Annotated[str, Duration()] | None = None


class ClockResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The clock."""

    clock: Clock | None = None
