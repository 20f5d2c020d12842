"""Changes with a date: of programs, and cascades of definitions."""

from __future__ import annotations

from datetime import datetime

from benefit_programs.client.generated.enums import Cascade, ChangeKind, ChangeStatus
from benefit_programs.client.types.base import Part


class ScheduledChange(Part, frozen=True, kw_only=True):
    """A change of a program, or a cascade of a definition, that happens at a date."""

    id: str
    created_date: datetime
    updated_date: datetime
    kind: ChangeKind
    status: ChangeStatus
    date: datetime
    until_date: datetime | None = None
    program_id: str | None = None
    pool_definition_id: str | None = None
    program_definition_id: str | None = None
    cascade_type: Cascade | None = None
    reason: str | None = None
