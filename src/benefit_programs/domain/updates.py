"""Updates of entities: only what was sent changes, and only on the revision it was read at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from benefit_programs.domain.constraints import FREE_FORM_BYTES_MAX
from benefit_programs.domain.errors import Invalid, InvalidRevision, ViolatedRule

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


def merged(
    updates: Updates, extended_fields: dict[str, Any] | None, *, path: str = ""
) -> dict[str, Any]:
    """The updates with their extended fields merged into what is stored.

    Raises Invalid if those grow too large; ``path`` is where the entity stands in the request.
    """
    if "extended_fields" not in updates:
        return dict(updates)
    fields = merge_namespaces(extended_fields, updates["extended_fields"])
    if len(msgspec.json.encode(fields)) > FREE_FORM_BYTES_MAX:
        raise Invalid.because(
            f"{path}.extendedFields.namespaces".removeprefix("."),
            f"must have at most {FREE_FORM_BYTES_MAX} bytes together with what is there",
            ViolatedRule.MAX_LENGTH,
            data={"threshold": FREE_FORM_BYTES_MAX},
        )
    return {**updates, "extended_fields": fields}
