"""What is wrong with a field: the violations that a refused request names."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import msgspec

VIOLATIONS_MAX = 100
"""How many violations an answer names; of the others it says how many there are."""

PATH_LENGTH_MAX = 1_000
"""How long the path of a violation may be: one with a longer name in it is cut."""

DESCRIPTION_LENGTH_MAX = 500
"""How long its description may be: it may repeat a name that the caller made up."""


class ViolatedRule(StrEnum):
    """The kinds of rules that a field may break."""

    VALIDATION = "VALIDATION"
    OTHER = "OTHER"
    MAX = "MAX"
    MIN = "MIN"
    MAX_LENGTH = "MAX_LENGTH"
    MIN_LENGTH = "MIN_LENGTH"
    MAX_SIZE = "MAX_SIZE"
    MIN_SIZE = "MIN_SIZE"
    FORMAT = "FORMAT"
    DECIMAL_LTE = "DECIMAL_LTE"
    DECIMAL_GTE = "DECIMAL_GTE"
    DECIMAL_LT = "DECIMAL_LT"
    DECIMAL_GT = "DECIMAL_GT"
    DECIMAL_MAX_SCALE = "DECIMAL_MAX_SCALE"
    INVALID_ENUM_VALUE = "INVALID_ENUM_VALUE"
    REQUIRED_FIELD = "REQUIRED_FIELD"
    FIELD_NOT_ALLOWED = "FIELD_NOT_ALLOWED"
    ONE_OF_ALIGNMENT = "ONE_OF_ALIGNMENT"


class FieldViolation(msgspec.Struct, frozen=True):
    """One field that breaks a rule. ``field`` is its JSON path in the request, with indexes."""

    field: str
    description: str
    violated_rule: ViolatedRule = ViolatedRule.VALIDATION
    rule_name: str | None = None
    data: dict[str, Any] | None = None

    @property
    def shortened(self) -> FieldViolation:
        """The same with texts that an answer can hold."""
        if len(self.field) <= PATH_LENGTH_MAX and len(self.description) <= DESCRIPTION_LENGTH_MAX:
            return self
        return msgspec.structs.replace(
            self,
            field=_cut(self.field, PATH_LENGTH_MAX),
            description=_cut(self.description, DESCRIPTION_LENGTH_MAX),
        )


class Violations:
    """Violations as they are found: as many as an answer names, and how many more there are."""

    __slots__ = ("more", "named")

    def __init__(self) -> None:
        self.named: list[FieldViolation] = []
        self.more = 0

    def __bool__(self) -> bool:
        return bool(self.named)

    @property
    def room(self) -> int:
        """How many more of them an answer can name."""
        return VIOLATIONS_MAX - len(self.named)

    def add(self, *found: FieldViolation, more: int = 0) -> None:
        named = found[: self.room]
        self.named += named
        self.more += more + len(found) - len(named)


def none_hidden(
    groups: Sequence[Sequence[FieldViolation]],
) -> Sequence[Sequence[FieldViolation]]:
    """Violations of several parts; the fewest first where an answer can't name all of them."""
    if sum(map(len, groups)) <= VIOLATIONS_MAX:
        return groups
    return sorted(groups, key=len)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}\N{HORIZONTAL ELLIPSIS}"
