"""Updates of entities: only what was sent changes, and only on the revision it was read at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benefit_programs.domain.errors import InvalidRevision

Updates = Mapping[str, Any]
"""The fields that an update sets; None clears one. What isn't there stays."""


def require_revision(row_id: str, *, current: int, given: int) -> None:
    """Refuse an update that was made on another revision. Contract: Revisions and PATCH."""
    if current != given:
        raise InvalidRevision(entity_id=row_id)
