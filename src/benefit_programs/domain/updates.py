"""Updates of entities: only what was sent changes, and only on the revision it was read at."""

from __future__ import annotations

from msgspec.structs import replace

from benefit_programs.domain.context import Context
from benefit_programs.domain.errors import InvalidRevision
from benefit_programs.domain.events import Entity, record_updated
from benefit_programs.domain.extended_fields import Extended, merged
from benefit_programs.domain.state import Changes
from benefit_programs.domain.values import Updates


def require_revision(row: Entity, given: int) -> None:
    """Refuse an update that was made on another revision. Contract: Revisions and PATCH."""
    if row.revision != given:
        raise InvalidRevision(entity_id=row.id)


def updated(
    row: Extended, updates: Updates, context: Context, *, revision: int, path: str
) -> Changes[Extended]:
    """Set the fields that were sent of a revision.

    Raises InvalidRevision, or Invalid with paths below ``path``, where the entity stands in the
    request.
    """
    require_revision(row, revision)
    changes = Changes(row)
    after = replace(row, **{**updates, **merged(updates, row, context, path=path)})
    changes.answer = record_updated(changes, context, after)
    return changes
