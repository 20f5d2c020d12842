"""Changes with a date as the wire shows them."""

from __future__ import annotations

from benefit_programs.domain.orders.waiting import orders_of
from benefit_programs.domain.scheduled_changes import ScheduledChange
from benefit_programs.wire.types import scheduled_changes


def scheduled_change(row: ScheduledChange) -> scheduled_changes.ScheduledChange:
    """A change of a program, or a cascade."""
    return scheduled_changes.ScheduledChange(
        id=row.id,
        created_date=row.created,
        updated_date=row.updated,
        kind=row.kind,
        status=row.status,
        date=row.date,
        until_date=row.until,
        program_id=row.program_id,
        pool_definition_id=row.pool_definition_id,
        program_definition_id=row.program_definition_id,
        cascade_type=orders_of(row)[0].cascade if row.payload else None,
        reason=row.reason,
    )
