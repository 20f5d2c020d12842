"""The clock of a sandbox."""

from __future__ import annotations

from datetime import datetime

from benefit_programs.client.types.base import Part


class SandboxClock(Part, frozen=True, kw_only=True):
    """What the clock of a sandbox shows.

    While much is due, a job goes on with it until ``target_date``.
    """

    date: datetime
    target_date: datetime | None = None
    job_id: str | None = None
