"""The clock of a sandbox: a tenant for tests, whose time its owner sets forward.

It runs on with real time, from wherever it was set to. While it is set forward it stands at the
instant of what is just due. So whatever happens then happens at its own instant, and nothing is
late. What concerns the world outside or the runners goes by real time: leases, attempts to
deliver, and how long things are kept.
"""

from __future__ import annotations

from typing import ClassVar

from benefit_programs.domain.rows import Row
from benefit_programs.domain.values import Id, Instant

THE_CLOCK = "clock"
"""The kind of the one clock that a sandbox has."""

CLOCK_MAX = 16_725_225_600_000
"""How far a clock can be set: the beginning of the year 2500."""


class Clock(Row, frozen=True, kw_only=True, omit_defaults=True):
    """The time of a sandbox: ``ahead`` of real time, and never before ``at``.

    While it is set forward, ``until`` is where to; ``job_id`` is the job that does it, if it is
    much.
    """

    key: ClassVar[tuple[str, ...]] = ("kind",)

    kind: str
    at: Instant
    ahead: int = 0
    until: Instant | None = None
    job_id: Id | None = None

    @property
    def is_moving(self) -> bool:
        return self.until is not None

    def now(self, real: Instant) -> Instant:
        """What it shows at an instant of real time."""
        return self.at if self.is_moving else max(self.at, real + self.ahead)


def new_clock(real: Instant) -> Clock:
    """The clock of a sandbox that nobody has set yet: it shows real time."""
    return Clock(kind=THE_CLOCK, at=real)
