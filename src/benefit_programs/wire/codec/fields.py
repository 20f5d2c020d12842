"""The fields of a type of the wire, read once from annotations and marks."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from benefit_programs.domain.constraints import Alias, Entries, Mark, ReadOnly, Required
from benefit_programs.wire.codec.naming import to_camel, to_snake

M = TypeVar("M", bound=Mark)
F = TypeVar("F", bound=Callable[..., Any])


def once(function: F) -> F:
    """Compute a function once per arguments, keeping its signature for those who call it."""
    return cast("F", cache(function))


class Shape(msgspec.Struct, frozen=True):
    """A type without its marks and without its ``| None``, and the marks."""

    kind: Any
    marks: tuple[Mark, ...] = ()

    def mark(self, mark_type: type[M]) -> M | None:
        """The mark of this kind, if there is one; the outermost counts."""
        return next((mark for mark in reversed(self.marks) if isinstance(mark, mark_type)), None)

    @property
    def is_list(self) -> bool:
        return get_origin(self.kind) is tuple

    @property
    def is_struct(self) -> bool:
        return isinstance(self.kind, type) and issubclass(self.kind, msgspec.Struct)

    @property
    def element(self) -> Shape:
        return shape_of(get_args(self.kind)[0])


class FieldPlan(msgspec.Struct, frozen=True):
    """One field: its name in Python, its names on the wire, its shape, whether it must be there."""

    attribute: str
    wire_name: str
    aliases: tuple[str, ...]
    shape: Shape
    required: bool
    default: Any

    @property
    def names(self) -> tuple[str, ...]:
        """All names that requests may use, each in both styles."""
        return (self.wire_name, self.attribute, *self.aliases, *map(to_snake, self.aliases))


def shape_of(annotation: Any) -> Shape:
    marks: tuple[Mark, ...] = ()
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation, *found = get_args(annotation)
            marks = (*(mark for mark in found if isinstance(mark, Mark)), *marks)
        elif origin is Union or origin is types.UnionType:
            (annotation,) = (each for each in get_args(annotation) if each is not type(None))
        else:
            return Shape(annotation, marks)


@once
def fields_of(type_: type[Any]) -> tuple[FieldPlan, ...]:
    """The fields of a struct, or of a dataclass, in the order of their declaration."""
    hints = get_type_hints(type_, include_extras=True)
    return tuple(_plan(name, hints[name], default) for name, default in _defaults_of(type_))


def _defaults_of(type_: type[Any]) -> list[tuple[str, Any]]:
    if issubclass(type_, msgspec.Struct):
        return [(each.name, each.default) for each in msgspec.structs.fields(type_)]
    return [
        (each.name, msgspec.NODEFAULT if each.default is dataclasses.MISSING else each.default)
        for each in dataclasses.fields(type_)
    ]


def _plan(name: str, annotation: Any, default: Any) -> FieldPlan:
    shape = shape_of(annotation)
    aliases = [mark.name for mark in shape.marks if isinstance(mark, Alias)]
    return FieldPlan(
        attribute=name,
        wire_name=to_camel(name),
        aliases=tuple(aliases),
        shape=shape,
        required=default is msgspec.NODEFAULT or shape.mark(Required) is not None,
        default=default,
    )


@once
def fields_by_name(type_: type[Any]) -> dict[str, FieldPlan]:
    """The fields that a request may set, by each of their names."""
    return {
        name: field
        for field in fields_of(type_)
        if field.shape.mark(ReadOnly) is None
        for name in field.names
    }


@once
def entries_of(type_: type[Any]) -> FieldPlan | None:
    """The list whose entries are decoded one by one, if the type is a bulk request."""
    return next((field for field in fields_of(type_) if field.shape.mark(Entries)), None)


@once
def is_recursive(type_: type[Any]) -> bool:
    """Whether a struct can hold another of its own type, at any depth."""
    seen: set[type[Any]] = set()
    waiting = [*_structs_in(type_)]
    while waiting:
        inner = waiting.pop()
        if inner is type_:
            return True
        if inner not in seen:
            seen.add(inner)
            waiting += _structs_in(inner)
    return False


@once
def _structs_in(type_: type[Any]) -> tuple[type[Any], ...]:
    shapes = [field.shape for field in fields_of(type_)]
    inner = [shape.element if shape.is_list else shape for shape in shapes]
    return tuple(shape.kind for shape in inner if shape.is_struct)
