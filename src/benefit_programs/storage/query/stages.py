"""Fields that change by themselves at an instant, before anybody has stored that they did.

What is stored says OPEN although its date has passed: then a filter must take it for LAPSED. So a
condition on such a field becomes one on what is stored and on the dates beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt, ne

import msgspec

from benefit_programs.storage.query.fields import Field
from benefit_programs.storage.query.tree import (
    And,
    Compare,
    Exists,
    Lives,
    Missing,
    Node,
    Not,
    OneOf,
    Or,
    StartsWith,
)

Stage = Callable[[int], Node]
"""When a value holds at an instant, in terms of what is stored."""

_SIGNS: dict[str, Callable[[str, str], bool]] = {
    "=": eq,
    "<>": ne,
    ">": gt,
    ">=": ge,
    "<": lt,
    "<=": le,
}


class Stages(msgspec.Struct, frozen=True):
    """A field whose value depends on the time: when each of its values holds."""

    field: Field
    values: Mapping[str, Stage]

    def at(self, node: Node, now: int) -> Node:
        """The same conditions on what is stored, as of an instant."""
        match node:
            case And(parts):
                return And(tuple(self.at(each, now) for each in parts))
            case Or(parts):
                return Or(tuple(self.at(each, now) for each in parts))
            case Not(part):
                return Not(self.at(part, now))
            case Lives():
                return node
        if node.field.name != self.field.name:
            return node
        return Or(tuple(stage(now) for value, stage in self.values.items() if _fits(node, value)))


def _fits(node: Node, value: str) -> bool:
    """Whether a condition is true of a text that is there."""
    match node:
        case Compare(sign=sign, value=other):
            return _SIGNS[sign](value, str(other))
        case OneOf(values=values):
            return value in values
        case StartsWith(prefix=prefix):
            return value.casefold().startswith(prefix.casefold())
        case Exists():
            return True
        case Missing():
            return False
    raise AssertionError("a field of one value has no other conditions")
