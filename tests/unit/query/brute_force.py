"""The query language a second time, slow and plain: filters and sorts over rows in memory.

Rows are dictionaries by wire name: instants in milliseconds, lists as lists, an identity as its
key and id, and None for what is absent. Filters are the JSON of the wire.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import cmp_to_key, partial
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Row = dict[str, Any]

ALIASES = {"program.id": "programId", "note": "namespace"}
INSTANTS = {"createdDate", "changedDate"}
AMOUNTS: set[str] = set()
IDS = {"id", "programId", "definitionIds", "beneficiary.memberId"}
LISTS = {"tags", "definitionIds"}
NEGATIONS = {"$ne": "$eq", "$nin": "$in"}
SIGNS = {"$gt": gt, "$gte": ge, "$lt": lt, "$lte": le}


def select(rows: list[Row], filter_: Any, sort: list[tuple[str, str]]) -> list[Row]:
    """Give the rows that a query finds, in its order."""
    found = [row for row in rows if matches(row, filter_ or {})]
    terms = [*sort, ("id", sort[-1][1])] if sort else [("createdDate", "DESC"), ("id", "DESC")]

    def compare(left: Row, right: Row) -> int:
        for name, order in terms:
            one, other = sort_value(left, name), sort_value(right, name)
            if one != other:
                return (-1 if one < other else 1) * (-1 if order == "DESC" else 1)
        return 0

    return sorted(found, key=cmp_to_key(compare))


def sort_value(row: Row, name: str) -> tuple[Any, ...]:
    values = present(row, name)
    return (1, min(values)) if values else (0,)


def present(row: Row, name: str) -> list[Any]:
    name = ALIASES.get(name, name)
    value: Any
    if name == "beneficiary.memberId":
        value = dict([row["beneficiary"]] if row["beneficiary"] else []).get("memberId")
    else:
        value = row[name]
    if name in LISTS:
        return list(value)
    return [] if value is None else [value]


def matches(row: Row, filter_: Any) -> bool:
    return all(entry_matches(row, name, value) for name, value in filter_.items())


def entry_matches(row: Row, name: str, value: Any) -> bool:
    if name == "$and":
        return all(matches(row, part) for part in value)
    if name == "$or":
        return any(matches(row, part) for part in value)
    if name == "$not":
        return not matches(row, value)
    if isinstance(value, dict) and any(key.startswith("$") and key != "$date" for key in value):
        return all(holds(row, name, key, operand) for key, operand in value.items())
    return holds(row, name, "$eq", value)


def holds(row: Row, name: str, operator: str, operand: Any) -> bool:
    if operator in NEGATIONS:
        return not entry_matches(row, name, {NEGATIONS[operator]: operand})
    if operator == "$not":
        return not entry_matches(row, name, operand)
    return TESTS[operator](present(row, name), name, operand)


def has_prefix(values: list[Any], name: str, operand: str) -> bool:
    return any(text(name, value).casefold().startswith(operand.casefold()) for value in values)


def in_range(operator: str, values: list[Any], name: str, operand: Any) -> bool:
    bound = ordered(plain(name, operand))
    return any(SIGNS[operator](ordered(value), bound) for value in values)


def is_empty(values: list[Any], name: str) -> bool:
    return not values or (name not in LISTS and values == [""])


def equals(values: list[Any], name: str, operand: Any) -> bool:
    if operand is None:
        return not values
    if isinstance(operand, list):
        return set(values) == {plain(name, member) for member in operand}
    return plain(name, operand) in values


def plain(name: str, operand: Any) -> Any:
    """Bring a value of the wire into the form of the rows."""
    if name in INSTANTS:
        wire = operand["$date"] if isinstance(operand, dict) else operand
        return round(datetime.fromisoformat(wire).timestamp() * 1000)
    if name in AMOUNTS:
        return Decimal(operand)
    if isinstance(operand, dict):
        return next((key, value.lower()) for key, value in operand.items() if key.endswith("Id"))
    return operand.lower() if name in IDS or name == "program.id" else operand


def ordered(value: Any) -> Any:
    return "/".join(value) if isinstance(value, tuple) else value


def text(name: str, value: Any) -> str:
    if name in INSTANTS:
        return iso(value)
    return str(value[1] if isinstance(value, tuple) else value)


def iso(milliseconds: int) -> str:
    instant = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


TESTS: dict[str, Callable[[list[Any], str, Any], bool]] = {
    "$eq": equals,
    "$exists": lambda values, _, operand: bool(values) is operand,
    "$isEmpty": lambda values, name, operand: is_empty(values, name) is operand,
    "$startsWith": has_prefix,
    **dict.fromkeys(
        ("$in", "$hasSome"),
        lambda values, name, operand: any(equals(values, name, member) for member in operand),
    ),
    "$hasAll": lambda values, name, operand: all(equals(values, name, it) for it in operand),
    **{operator: partial(in_range, operator) for operator in SIGNS},
}
