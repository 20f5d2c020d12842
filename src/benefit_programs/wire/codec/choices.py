"""Required fields, and fields that exclude each other."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from benefit_programs.domain.constraints import Chosen, OneOf
from benefit_programs.domain.errors import FieldViolation, ViolatedRule
from benefit_programs.domain.words import one_of
from benefit_programs.wire.codec.fields import FieldPlan, fields_of
from benefit_programs.wire.codec.formats import Read, Violated
from benefit_programs.wire.codec.naming import to_camel

FindMissing = Callable[[Any], list[FieldViolation]]

# Looked up once: an enum takes its time to find a member.
_ALIGNMENT = ViolatedRule.ONE_OF_ALIGNMENT

UNKNOWN = "UNKNOWN"
"""How the names of members begin that stand for nothing."""


def missing(field: FieldPlan) -> FieldViolation:
    """The violation of a missing required field."""
    chosen = field.shape.mark(Chosen)
    if chosen is None:
        return is_required(field.wire_name)
    description = f"must be one of {', '.join(_members(field))}"
    return FieldViolation(field.wire_name, description, ViolatedRule.OTHER, chosen.rule_name)


def _members(field: FieldPlan) -> tuple[str, ...]:
    """The names of what can be chosen."""
    return tuple(each for each in field.shape.kind.__members__ if not each.startswith(UNKNOWN))


def is_required(path: str) -> FieldViolation:
    return FieldViolation(path, "is required", ViolatedRule.REQUIRED_FIELD)


def choosing(read: Read, field: FieldPlan, chosen: Chosen) -> Read:
    """Members; where one is required the unknown one is as good as none."""
    unchosen = msgspec.structs.replace(missing(field), field="")
    members = _members(field)
    unsupported = msgspec.structs.replace(unchosen, rule_name=chosen.unsupported_rule_name)

    def read_chosen(raw: Any) -> Any:
        try:
            member = read(raw)
        except Violated:
            description = one_of(members, raw)
            raise Violated(msgspec.structs.replace(unsupported, description=description)) from None
        if field.required and member.name.startswith(UNKNOWN):
            raise Violated(unchosen)
        return member

    return read_chosen


def with_all_there(read: Read, find_missing: FindMissing) -> Read:
    """Values in whose document nothing is missing; a missing field is a violation like others."""

    def read_whole(raw: Any) -> Any:
        absent = find_missing(raw)
        try:
            value = read(raw)
        except Violated as problem:
            raise Violated(*problem.violations, *absent, more=problem.more) from None
        if absent:
            raise Violated(*absent)
        return value

    return read_whole


def inner_finder(inner: FieldPlan) -> FindMissing:
    """What finds that an object lacks a field that its type alone doesn't ask for."""
    names, absent = inner.names, is_required(inner.wire_name)

    def find_missing(raw: Any) -> list[FieldViolation]:
        lacks = isinstance(raw, dict) and all(raw.get(name) is None for name in names)
        return [absent] if lacks else []

    return find_missing


def unchosen_finder(type_: type[Any]) -> FindMissing | None:
    """What finds in a document that nothing is chosen, although it holds what needs a choice."""
    for field in fields_of(type_):
        chosen = field.shape.mark(Chosen)
        if chosen is not None and chosen.beside:
            return _finder(field, _names_on_the_way(type_, chosen.beside))
    return None


def _finder(field: FieldPlan, steps: list[tuple[str, ...]]) -> FindMissing:
    absent = missing(field)

    def find_unchosen(raw: Any) -> list[FieldViolation]:
        if not _holds_something(raw, steps):
            return []
        sent = [str(raw[name]) for name in field.names if raw.get(name) is not None]
        is_chosen = any(not each.startswith(UNKNOWN) for each in sent)
        return [] if is_chosen else [absent]

    return find_unchosen


def _names_on_the_way(type_: type[Any], attributes: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The names on the wire of attributes, each of which is inside the one before."""
    steps = []
    for attribute in attributes:
        field = next(each for each in fields_of(type_) if each.attribute == attribute)
        steps.append(field.names)
        type_ = field.shape.element.kind if field.shape.is_list else field.shape.kind
    return steps


def _holds_something(raw: Any, steps: list[tuple[str, ...]]) -> bool:
    """Whether a document has, at the end of these steps, anything that isn't empty."""
    held = [raw]
    for names in steps:
        objects = (each for each in held if isinstance(each, dict))
        found = [each[name] for each in objects for name in names if each.get(name)]
        held = [one for each in found for one in (each if isinstance(each, list) else [each])]
    return bool(held)


def misalignment(
    one_of: OneOf, sent: dict[str, Any], values: dict[str, Any]
) -> FieldViolation | None:
    """The violation of a choice between fields: none, several, or another than the tag says."""
    chosen = [attribute for attribute in one_of.fields if attribute in sent]
    if len(chosen) > 1:
        description = f"excludes the others of {_names_in(one_of)}"
        return FieldViolation(to_camel(chosen[-1]), description, _ALIGNMENT)
    if not chosen:
        description = f"exactly one of {_names_in(one_of)} is required"
        return FieldViolation("", description, _ALIGNMENT) if one_of.required else None
    tag = values.get(one_of.tag) if one_of.tag else None
    expected = one_of.tags[one_of.fields.index(chosen[0])] if one_of.tags else None
    if tag is None or tag == expected or tag.startswith(UNKNOWN):
        return None
    description = f"must be {expected} beside {to_camel(chosen[0])}"
    return FieldViolation(to_camel(one_of.tag or ""), description, _ALIGNMENT)


@cache
def _names_in(one_of: OneOf) -> str:
    return ", ".join(to_camel(attribute) for attribute in one_of.fields)
