"""The conditions of a filter.

A filter is a dict: ``{"namespace": "gym", "created_date": {"$gte": last_week}}``. A bare value
means equality, or membership on a field with a list. ``None`` finds absent values.
Several fields must all fit; ``$and``, ``$or`` and ``$not`` combine. Names are the attributes of the
entities, with a dot for each step down; the wire's own names (``createdDate``) work as well.

A sort names fields in their order; a minus before a name is descending.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias, TypedDict

TextOperators = TypedDict(
    "TextOperators",
    {
        "$eq": str | None,
        "$ne": str | None,
        "$gt": str,
        "$gte": str,
        "$lt": str,
        "$lte": str,
        "$in": Sequence[str | None],
        "$nin": Sequence[str | None],
        "$startsWith": str,
        "$isEmpty": bool,
        "$exists": bool,
        "$hasAll": Sequence[str],
        "$hasSome": Sequence[str],
    },
    total=False,
)
"""What a text can be compared with. ``$startsWith`` ignores case."""

InstantOperators = TypedDict(
    "InstantOperators",
    {
        "$eq": datetime | None,
        "$ne": datetime | None,
        "$gt": datetime,
        "$gte": datetime,
        "$lt": datetime,
        "$lte": datetime,
        "$in": Sequence[datetime | None],
        "$nin": Sequence[datetime | None],
        "$exists": bool,
    },
    total=False,
)
"""What an instant can be compared with."""

TextCondition: TypeAlias = str | TextOperators | None
"""A text that it must equal, or operators."""

InstantCondition: TypeAlias = datetime | InstantOperators | None
"""An instant that it must equal, or operators."""
