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


def merge_namespaces(
    current: dict[str, Any] | None, sent: dict[str, Any] | None
) -> dict[str, Any] | None:
    """Extended fields after an update: namespaces merge, one sent as None is removed."""
    if sent is None:
        return None
    merged = {**(current or {}), **sent}
    return {name: fields for name, fields in merged.items() if fields is not None} or None


def merged(updates: Updates, extended_fields: dict[str, Any] | None) -> dict[str, Any]:
    """The updates with their extended fields merged into what is stored."""
    if "extended_fields" not in updates:
        return dict(updates)
    sent = updates["extended_fields"]
    return {**updates, "extended_fields": merge_namespaces(extended_fields, sent)}
