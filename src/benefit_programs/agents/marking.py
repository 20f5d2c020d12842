"""Texts that people have written, marked as data.

A name, a note or a reason may say "ignore what you were told". Whatever isn't an id, a date, a
number or a word of the API is put into ``{"quoted": ...}``, and the server says what that means.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

QUOTED_LENGTH_MAX = 2_000
"""How many characters of a text are shown."""

FREE_TEXT = frozenset(
    {"displayName", "email", "externalId", "externalReference", "name", "note", "phone", "reason"}
    | {"benefitDisplayName", "category", "description", "externalProgramId", "idempotencyKey"}
    | {"itemExternalId", "namespace", "origin", "unitDisplayName", "unitType"}
)
"""Fields whose texts are people's, also where a text happens to look like something else."""

OWN_WORDS = frozenset({"benefitKey", "code", "cursor", "field", "method", "next", "prev"})
"""Fields whose texts are the service's, or are named again as they are."""

_PLAIN = re.compile(
    r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|\d{4}-\d\d-\d\dT[0-9:.]+Z"
    r"|[+-]?\d{1,30}(?:\.\d{1,30})?"
    r"|[A-Z][A-Z_]{1,63}"
)
_JOINERS = "\u200c\u200d"
"""Characters that nobody sees but that scripts and emoji need."""


def marked(value: Any, *, field: str = "") -> Any:
    """The same JSON with each text of people's marked."""
    if isinstance(value, dict):
        return {name: marked(each, field=name) for name, each in value.items()}
    if isinstance(value, list):
        return [marked(each, field=field) for each in value]
    if not isinstance(value, str) or _is_plain(value, field):
        return value
    return {"quoted": cleaned(value)}


def cleaned(text: str) -> str:
    """A text without characters that nobody sees, and no longer than is shown."""
    seen = "".join(
        " " if each in "\t\n\r" else each
        for each in text
        if each in "\t\n\r" or each in _JOINERS or unicodedata.category(each)[0] != "C"
    )
    return seen if len(seen) <= QUOTED_LENGTH_MAX else f"{seen[:QUOTED_LENGTH_MAX]}…"


def _is_plain(text: str, field: str) -> bool:
    if field in OWN_WORDS:
        return True
    return field not in FREE_TEXT and _PLAIN.fullmatch(text) is not None
