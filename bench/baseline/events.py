"""Event rows for the outbox."""

import uuid
from datetime import datetime
from typing import Any

from bench.baseline.models import Balance, Event, Pool, Program


def make_event(
    entity: Program | Pool | Balance,
    slug: str,
    body: dict[str, Any],
    *,
    at: datetime,
    sequence: int = 1,
) -> Event:
    """Build the row that tells of one change of one entity."""
    return Event(
        id=uuid.uuid4(),
        tenant_id=entity.tenant_id,
        entity_fqdn=f"wix.benefit_programs.v1.{type(entity).__name__.lower()}",
        entity_id=entity.id,
        slug=slug,
        sequence=sequence,
        event_time=at,
        body=body,
    )
