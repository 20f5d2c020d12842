"""From the types of the wire to JSON, by plans that are compiled once per type."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeVar

from benefit_programs.domain.constraints import DecimalText, InstantText, Int64Text
from benefit_programs.wire.codec.fields import FieldPlan, Shape, fields_of, is_recursive, once
from benefit_programs.wire.codec.formats import amount_text, instant_text

T = TypeVar("T")

Write = Callable[[Any], Any]


@once
def encoder_for(type_: type[T]) -> Callable[[T], dict[str, Any]]:
    """The encoder of a struct or dataclass. It leaves out None and defaults."""
    fields = fields_of(type_)
    if not fields:
        return _write_empty
    if is_recursive(type_):
        return _later(type_)
    return _compiled_writer(fields)


def _write_empty(_value: object) -> dict[str, Any]:
    return {}


def _later(type_: type[Any]) -> Write:
    compiled: list[Write] = []

    def write_recursive(value: Any) -> Any:
        if not compiled:
            compiled.append(_compiled_writer(fields_of(type_)))
        return compiled[0](value)

    return write_recursive


def _compiled_writer(fields: tuple[FieldPlan, ...]) -> Write:
    attributes = [field.attribute for field in fields]
    plan = [(field.wire_name, _writer(field.shape), _empty_of(field)) for field in fields]
    if len(fields) == 1:
        ((name, write, empty),) = plan
        only = attrgetter(attributes[0])

        def write_one(value: Any) -> dict[str, Any]:
            item = only(value)
            if item is None or (empty is not None and item == empty):
                return {}
            return {name: item if write is None else write(item)}

        return write_one

    values_of = attrgetter(*attributes)

    def write_struct(value: Any) -> dict[str, Any]:
        written = {}
        for (name, write, empty), item in zip(plan, values_of(value), strict=True):
            if item is not None and (empty is None or item != empty):
                written[name] = item if write is None else write(item)
        return written

    return write_struct


def _empty_of(field: FieldPlan) -> Any:
    """What stands for an absent value: None, or the empty text of a missing category."""
    return field.default if field.default == "" else None


def _writer(shape: Shape) -> Write | None:
    """How to write a value; None if it is written as it is, as the encoder of JSON does it."""
    for mark in shape.marks:
        match mark:
            case DecimalText():
                return amount_text
            case InstantText():
                return instant_text
            case Int64Text():
                return str
    if shape.is_list:
        return _list_writer(_writer(shape.element))
    return encoder_for(shape.kind) if shape.is_struct else None


def _list_writer(write: Write | None) -> Write:
    if write is None:
        return list
    return lambda values: [write(value) for value in values]
