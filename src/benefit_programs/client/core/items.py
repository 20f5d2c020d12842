"""Helpers for items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benefit_programs.client.core.wire import document
from benefit_programs.client.types.items import ItemSetReferenceFilter, ReferenceFilter


def list_filter(
    references: Sequence[ReferenceFilter] | Sequence[ItemSetReferenceFilter],
    namespace: str | None,
) -> dict[str, Any] | None:
    """The filter of a list of items; None for all items."""
    asked = document(namespace=namespace)
    if references:
        in_sets = isinstance(references[0], ItemSetReferenceFilter)
        kind = "BY_ITEM_SET_ID_AND_REFERENCE" if in_sets else "BY_REFERENCE"
        options = "byItemSetIdAndReferenceOptions" if in_sets else "byReferenceOptions"
        asked |= {"type": kind, options: document(filters=references)}
    return asked or None
