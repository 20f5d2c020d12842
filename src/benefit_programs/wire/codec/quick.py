"""Requests in the form that most clients send, decoded and checked in one step of msgspec.

A body that isn't in that form is no mistake yet: it is read with care (``decoding``), which knows
all forms and tells what is wrong. So this needs to know some formats only. The value is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from msgspec.structs import asdict

from benefit_programs.domain.constraints import (
    Addition,
    Alias,
    Guid,
    Immutable,
    Int32,
    Mark,
    OneOf,
    Required,
    Text,
    Undocumented,
)
from benefit_programs.domain.settings import IdMode
from benefit_programs.wire.codec.choices import misalignment, unchosen_finder
from benefit_programs.wire.codec.fields import FieldPlan, Shape, fields_of, is_recursive, shape_of
from benefit_programs.wire.codec.formats import FREE_IDS, GIVEN_ID_LENGTH_MAX, INT32_MAX

_GUID = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")]
_GIVEN_ID = Annotated[str, Meta(pattern=r"^[ -~]+\Z", max_length=GIVEN_ID_LENGTH_MAX)]
_ESCAPED_NUL = rb"\u0000"
"""The one way to write it in JSON."""

_TELLS_NOTHING = (Addition, Alias, Immutable, Required, Undocumented)
"""Marks that change nothing about how a value is read under its first name."""


class QuickDecoder:
    """Makes values of one type, for one mode of ids; None of what has to be read with care."""

    def __init__(self, type_: type[Any], ids: IdMode) -> None:
        self._checked = _checked_struct(type_, ids)
        if self._checked is not None:
            self._decoder = msgspec.json.Decoder(self._checked)
            self._make = _maker(type_, self._checked)

    def decode(self, body: bytes) -> Any | None:
        """The value of a body."""
        if self._checked is None or has_nul(body):
            return None
        try:
            return self._make(self._decoder.decode(body))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None

    def convert(self, document: object) -> Any | None:
        """The value of a part of a body that has no NUL."""
        if self._checked is None:
            return None
        try:
            return self._make(msgspec.convert(document, self._checked))
        except msgspec.MsgspecError:
            return None


def has_nul(body: bytes) -> bool:
    """Whether a body may have a NUL in a text, which no text may hold."""
    return _ESCAPED_NUL in body


def _maker(type_: type[Any], checked: type[Any]) -> Callable[[Any], Any]:
    """What makes a value of the type of one that was checked."""
    inner = [
        (field.attribute, _maker(field.shape.kind, taken.kind))
        for field in fields_of(type_)
        if (taken := shape_of(checked.__annotations__[field.attribute])).is_struct
    ]

    def make(value: Any) -> Any:
        values = asdict(value)
        for attribute, make_inner in inner:
            if values[attribute] is not None:
                values[attribute] = make_inner(values[attribute])
        return type_(**values)

    return make


def _checked_struct(type_: type[Any], ids: IdMode) -> type[Any] | None:
    """A type with the same fields, which msgspec checks; None if it can't check what is required.

    Of what it can't check, and of what callers don't set, it takes nothing but null.
    """
    if is_recursive(type_) or unchosen_finder(type_) is not None:
        return None
    fields, unchecked = [], set()
    for field in fields_of(type_):
        annotation = _annotation(field.shape, ids)
        if annotation is None:
            if field.required or field.default is not None:
                return None
            unchecked.add(field.attribute)
        fields.append(_declared(field, annotation))
    one_of: OneOf | None = getattr(type_, "one_of", None)
    checks: dict[str, Any] = {}
    if one_of is not None and not _is_kept(one_of, unchecked):
        checks["__post_init__"] = _check_of(one_of)
    return msgspec.defstruct(
        type_.__name__,
        fields,
        namespace=checks,
        kw_only=True,
        forbid_unknown_fields=True,
        rename={field.attribute: field.wire_name for field in fields_of(type_)},
    )


def _declared(field: FieldPlan, annotation: Any) -> Any:
    """A field as ``defstruct`` takes it."""
    if field.required:
        return field.attribute, annotation
    if field.default is None:
        return field.attribute, None if annotation is None else annotation | None, None
    return field.attribute, annotation, field.default


def _annotation(shape: Shape, ids: IdMode) -> Any | None:
    """The type that says of a value what its reader would check."""
    marks = [mark for mark in shape.marks if not isinstance(mark, _TELLS_NOTHING)]
    if len(marks) > 1:
        return None
    if marks:
        return _of_mark(marks[0], ids)
    if shape.is_struct:
        return _checked_struct(shape.kind, ids)
    if shape.is_list:
        return None
    if issubclass(shape.kind, Enum):
        # Callers send names, and this takes values.
        return shape.kind if all(each.name == each.value for each in shape.kind) else None
    return shape.kind if shape.kind in (bool, str) else None


def _of_mark(mark: Mark, ids: IdMode) -> Any | None:
    match mark:
        case Text(max_length=longest, min_length=shortest):
            return Annotated[str, Meta(min_length=shortest, max_length=longest)]
        case Guid(kind=kind):
            return _GIVEN_ID if kind in FREE_IDS[ids] else _GUID
        case Int32(minimum=minimum, maximum=maximum):
            least = -INT32_MAX - 1 if minimum is None else minimum
            most = INT32_MAX if maximum is None else maximum
            return Annotated[int, Meta(ge=least, le=most)]
    return None


def _is_kept(one_of: OneOf, unchecked: Iterable[str]) -> bool:
    """Whether fields that exclude each other can't be there anyway, and needn't."""
    return not one_of.required and one_of.tag is None and {*one_of.fields} <= {*unchecked}


def _check_of(one_of: OneOf) -> Callable[[Any], None]:
    """What refuses a value with fields that exclude each other."""
    names = [*one_of.fields, *([one_of.tag] if one_of.tag else [])]

    def check(value: Any) -> None:
        sent = {name: item for name in names if (item := getattr(value, name)) is not None}
        if misalignment(one_of, sent, sent) is not None:
            raise ValueError

    return check
