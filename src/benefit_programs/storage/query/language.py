"""The filter language: from a JSON object to a checked tree.

Contract: Query language. A bare value means equality and null means absent; several operators or
fields in one object are a conjunction; on a list field a bare scalar means membership, and every
operator is true of the list if it is true of a member. A list without members is absent.

All violations of a filter are collected, each with its path (``query.filter.$and[0].id.$gt``). A
filter that is too large is told so, and not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benefit_programs.domain.errors import FieldViolation, Invalid, ViolatedRule, Violations
from benefit_programs.domain.words import nearest, shortened
from benefit_programs.storage.query.fields import FieldKind
from benefit_programs.storage.query.sizes import excesses
from benefit_programs.storage.query.tree import (
    EVERYTHING,
    NOTHING,
    Compare,
    Exists,
    HasAll,
    HasNoOther,
    Missing,
    Node,
    Not,
    OneOf,
    Or,
    Scalar,
    Sign,
    StartsWith,
    conjunction,
)
from benefit_programs.storage.query.values import ValueRefused, read_scalar, read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benefit_programs.storage.query.fields import Field

HINTS_MAX = 20
"""How many unknown names of a filter are told what may be meant."""

LOGICAL_OPERATORS = ("$and", "$or", "$not")

TEXT_KINDS = frozenset({FieldKind.TEXT, FieldKind.EXTERNAL_ID, FieldKind.IDENTITY_ID})
"""The kinds of which "" may be a value."""

UNREADABLE = EVERYTHING
"""Stands where a violation was noted; the tree is thrown away then."""


def read_filter(
    fields: Mapping[str, Field], value: object, *, path: str, guids: frozenset[FieldKind]
) -> Node:
    """Read a filter.

    Raises:
        Invalid: with all violations, under ``path``.
    """
    violations = Violations()
    node = collect_filter(fields, value, path=path, guids=guids, violations=violations)
    if violations:
        raise Invalid.of(violations)
    return node


def collect_filter(
    fields: Mapping[str, Field],
    value: object,
    *,
    path: str,
    guids: frozenset[FieldKind],
    violations: Violations,
) -> Node:
    """Read a filter and add its violations; if there are any, the tree means nothing."""
    if value is None:
        return EVERYTHING
    too_large = tuple(excesses(value, path))
    if too_large:
        violations.add(*too_large)
        return UNREADABLE
    return FilterParser(fields, guids=guids, violations=violations).read_object(value, path)


class FilterParser:
    """Reads one filter of a legal size; afterwards ``violations`` says what is wrong with it."""

    __slots__ = ("fields", "guids", "violations")

    def __init__(
        self, fields: Mapping[str, Field], *, guids: frozenset[FieldKind], violations: Violations
    ) -> None:
        self.fields = fields
        self.guids = guids
        self.violations = violations

    def refuse(self, path: str, rule: ViolatedRule, description: str, **data: object) -> Node:
        self.violations.add(
            FieldViolation(
                field=path, description=description, violated_rule=rule, data=data or None
            )
        )
        return UNREADABLE

    def read_object(self, value: object, path: str) -> Node:
        if not isinstance(value, dict):
            return self.refuse(path, ViolatedRule.FORMAT, "must be an object", type="OBJECT")
        return conjunction(
            [self.read_entry(key, part, f"{path}.{shortened(key)}") for key, part in value.items()]
        )

    def read_entry(self, key: str, value: object, path: str) -> Node:
        field = self.fields.get(key)
        if field is not None:
            return self.read_field(field, value, path)
        if key == "$and":
            return conjunction(self.read_branches(value, path))
        if key == "$or":
            return Or(tuple(self.read_branches(value, path)))
        if key == "$not":
            return Not(self.read_object(value, path))
        return self.refuse(path, ViolatedRule.FIELD_NOT_ALLOWED, self.unknown(key))

    def unknown(self, key: str) -> str:
        """What to say of a key that is no field; the first few are told what may be meant."""
        what = "operator here" if key.startswith("$") else "field of this filter"
        said = f"{shortened(key)} is no {what}"
        if len(self.violations.named) >= HINTS_MAX:
            return said
        names = LOGICAL_OPERATORS if key.startswith("$") else tuple(self.fields)
        meant = nearest(key, names)
        hint = f"{meant} may be meant" if meant else f"there are {', '.join(names)}"
        return f"{said}; {hint}"

    def read_branches(self, value: object, path: str) -> list[Node]:
        if not isinstance(value, list):
            self.refuse(path, ViolatedRule.FORMAT, "must be a list of objects", type="LIST")
            return []
        return [self.read_object(part, f"{path}[{index}]") for index, part in enumerate(value)]

    def read_field(self, field: Field, value: object, path: str) -> Node:
        """Read what a filter says of one field: operators, or a bare value."""
        if isinstance(value, dict):
            operators = [key for key in value if key[:1] == "$"]
            if operators and not (field.kind is FieldKind.INSTANT and operators == ["$date"]):
                return self.read_operators(field, value, path)
        return self.read_condition(READERS["$eq"], field, value, path)

    def read_operators(self, field: Field, value: dict[str, object], path: str) -> Node:
        """Read the operators of one field, all of which must hold."""
        parts: list[Node] = []
        for key, operand in value.items():
            reader = READERS.get(key)
            if reader is not None:
                parts.append(self.read_condition(reader, field, operand, f"{path}.{key}"))
            elif key == "$not":
                parts.append(Not(self.read_field(field, operand, f"{path}.$not")))
            else:
                shown = shortened(key)
                self.refuse(
                    f"{path}.{shown}", ViolatedRule.FIELD_NOT_ALLOWED, f"{shown} is no operator"
                )
        return conjunction(parts)

    def read_condition(self, reader: Reader, field: Field, value: object, path: str) -> Node:
        if field.look_ups and (value is None or reader not in LOOKING_UP):
            return self.refuse(
                path,
                ViolatedRule.FIELD_NOT_ALLOWED,
                f"{field.name} takes a value, or $in with some",
            )
        try:
            return reader(self, field, value, path)
        except ValueRefused as refused:
            self.violations.add(refused.violation)
            return UNREADABLE

    def scalar(self, field: Field, value: object, path: str) -> Scalar:
        return read_scalar(field, value, path=path, guids=self.guids)

    def members(
        self, field: Field, value: object, path: str, *, nullable: bool = False
    ) -> tuple[list[Scalar], bool]:
        """Read a list of values: the distinct ones that can be stored, and whether null is one."""
        if not isinstance(value, list):
            raise ValueRefused(path, ViolatedRule.FORMAT, "must be a list", {"type": "LIST"})
        found: dict[Scalar, None] = {}
        has_null = False
        for index, member in enumerate(value):
            if nullable and (member is None or (member == "" and field.empty_is_absent)):
                has_null = True
                continue
            try:
                found[self.scalar(field, member, f"{path}[{index}]")] = None
            except ValueRefused as refused:
                self.violations.add(refused.violation)
        return list(found), has_null

    # Each method below reads the operand of one operator, and may raise ValueRefused.

    def read_equal(self, field: Field, value: object, path: str) -> Node:
        if value is None or (field.empty_is_absent and value == ""):
            return Missing(field)
        if field.is_list and isinstance(value, list):
            values, _ = self.members(field, value, path)
            if not values:
                return Missing(field)
            return conjunction([has_all(field, values), HasNoOther(field, tuple(values))])
        return Compare(field, "=", self.scalar(field, value, path))

    def read_unequal(self, field: Field, value: object, path: str) -> Node:
        """$ne: everything that $eq is not true of."""
        equal = self.read_equal(field, value, path)
        if isinstance(equal, Missing):
            return Exists(field)
        if isinstance(equal, Compare) and not field.is_list:
            return Compare(field, "<>", equal.value)
        return Not(equal)

    def read_in(self, field: Field, value: object, path: str) -> Node:
        """$in: one of the values, where null stands for an absent one, if rows may lack it."""
        values, has_null = self.members(field, value, path, nullable=not field.look_ups)
        present = one_of(field, values)
        if not has_null:
            return present
        return Or((present, Missing(field))) if values else Missing(field)

    def read_not_in(self, field: Field, value: object, path: str) -> Node:
        """$nin: everything that $in is not true of."""
        return Not(self.read_in(field, value, path))

    def read_has_some(self, field: Field, value: object, path: str) -> Node:
        """$hasSome: one of the values is a member; a scalar is a list of one."""
        return one_of(field, storable(field, self.members(field, value, path)[0]))

    def read_has_all(self, field: Field, value: object, path: str) -> Node:
        """$hasAll: each value is a member; a scalar is a list of one."""
        values, _ = self.members(field, value, path)
        if storable(field, values) != values:
            return NOTHING
        return has_all(field, values)

    def read_starts_with(self, field: Field, value: object, path: str) -> Node:
        """$startsWith: of ids, names and instants in their text form too."""
        if field.kind is FieldKind.AMOUNT:
            raise ValueRefused(
                path, ViolatedRule.FIELD_NOT_ALLOWED, f"{field.name} has no beginning"
            )
        return StartsWith(field, read_text(value, path=path))

    def read_exists(self, field: Field, value: object, path: str) -> Node:
        """$exists: true of what is there, false of what is absent."""
        return Exists(field) if read_flag(value, path=path) else Missing(field)

    def read_is_empty(self, field: Field, value: object, path: str) -> Node:
        """$isEmpty: "" is empty, and so is what is absent."""
        wanted = read_flag(value, path=path)
        if field.kind not in TEXT_KINDS or field.is_list or field.empty_is_absent:
            return Missing(field) if wanted else Exists(field)
        empty = Or((Missing(field), Compare(field, "=", "")))
        return empty if wanted else Not(empty)


def read_range(sign: Sign) -> Reader:
    """Make the reader of a range operator; ranges never match absent values."""

    def read(parser: FilterParser, field: Field, value: object, path: str) -> Node:
        if value is None:
            raise ValueRefused(path, ViolatedRule.FORMAT, "null has no order; must be a value")
        return Compare(field, sign, parser.scalar(field, value, path))

    return read


def read_flag(value: object, *, path: str) -> bool:
    if not isinstance(value, bool):
        raise ValueRefused(path, ViolatedRule.FORMAT, "must be true or false", {"type": "BOOLEAN"})
    return value


def storable(field: Field, values: list[Scalar]) -> list[Scalar]:
    """Leave out "" where it is no value but stands for none."""
    return [value for value in values if value != ""] if field.empty_is_absent else values


def one_of(field: Field, values: list[Scalar]) -> Node:
    if len(values) == 1:
        return Compare(field, "=", values[0])
    return OneOf(field, tuple(values)) if values else NOTHING


def has_all(field: Field, values: list[Scalar]) -> Node:
    if not values:
        return EVERYTHING
    if len(values) == 1:
        return Compare(field, "=", values[0])
    return HasAll(field, tuple(values)) if field.is_list else NOTHING


if TYPE_CHECKING:
    Reader = Callable[[FilterParser, Field, object, str], Node]

READERS: dict[str, Reader] = {
    "$eq": FilterParser.read_equal,
    "$ne": FilterParser.read_unequal,
    "$gt": read_range(">"),
    "$gte": read_range(">="),
    "$lt": read_range("<"),
    "$lte": read_range("<="),
    "$in": FilterParser.read_in,
    "$nin": FilterParser.read_not_in,
    "$startsWith": FilterParser.read_starts_with,
    "$isEmpty": FilterParser.read_is_empty,
    "$exists": FilterParser.read_exists,
    "$hasAll": FilterParser.read_has_all,
    "$hasSome": FilterParser.read_has_some,
}

LOOKING_UP = (READERS["$eq"], READERS["$in"])
"""What can be asked of a field that rows are looked up by."""
