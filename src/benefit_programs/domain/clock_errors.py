"""Refusals of what concerns the clocks of sandboxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from benefit_programs.domain.errors import Refusal


@dataclass(kw_only=True, eq=False)
class NotASandbox(Refusal):
    """Only a tenant that was made as a sandbox has a clock of its own."""

    code: ClassVar[str] = "NOT_A_SANDBOX"


@dataclass(kw_only=True, eq=False)
class ClockIsMoving(Refusal):
    """The clock is being set forward already."""

    code: ClassVar[str] = "CLOCK_IS_MOVING"
