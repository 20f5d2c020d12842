"""How large a filter is: told from its shape alone, before anything in it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benefit_programs.domain.errors import FieldViolation, ViolatedRule

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPTH_MAX = 20
"""How deep logical operators may be nested."""

CONDITIONS_MAX = 500
"""How many conditions one filter may have: a list of 100 items by the four parts of each fits."""

MEMBERS_MAX = 500
"""How many members a list in a filter may have: as many GUIDs as a cursor carries."""

Part = tuple[object, str, int]
"""A part of a filter, its path, and how deep it is nested."""


def excesses(filter_: object, path: str) -> Iterator[FieldViolation]:
    """What is too large about a filter. Reading one that isn't takes bounded work and stack."""
    conditions = 0
    waiting: list[Part] = [(filter_, path, 1)]
    while waiting:
        part, place, depth = waiting.pop()
        if depth > DEPTH_MAX:
            rule, told = ViolatedRule.MAX, f"must be nested at most {DEPTH_MAX} deep"
            yield _excess(place, told, DEPTH_MAX, rule)
        elif isinstance(part, dict) and part:
            for key, value in part.items():
                waiting += _parts(key, value, f"{place}.{key}", depth)
        else:
            conditions += 1
            if isinstance(part, list) and len(part) > MEMBERS_MAX:
                yield _excess(place, f"must have at most {MEMBERS_MAX} members", MEMBERS_MAX)
        if conditions + len(waiting) > CONDITIONS_MAX:
            yield _excess(path, f"must have at most {CONDITIONS_MAX} conditions", CONDITIONS_MAX)
            return


def _parts(key: str, value: object, path: str, depth: int) -> Iterator[Part]:
    """What an entry of a filter holds: other parts, or one value."""
    if key in {"$and", "$or"} and isinstance(value, list):
        for index, each in enumerate(value[: CONDITIONS_MAX + 1]):
            yield each, f"{path}[{index}]", depth + 1
    elif key == "$not":
        yield value, path, depth + 1
    elif isinstance(value, dict) and not any(name[:1] == "$" for name in value):
        yield None, path, depth  # An object that is a value, such as an identity.
    else:
        yield value, path, depth


def _excess(
    path: str, told: str, threshold: int, rule: ViolatedRule = ViolatedRule.MAX_SIZE
) -> FieldViolation:
    return FieldViolation(path, told, rule, data={"threshold": threshold})
