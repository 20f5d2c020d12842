"""The parameters of GET and DELETE: dotted names, lists by repetition, everything as text.

Objects in a list come as JSON (``filters={"externalId":"a"}``), or field by field: by position
(``filters[0].externalId=a``), or by repetition (``filters.externalId=a``), where the second of each
name belongs to the second object; then all objects must have the same fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from benefit_programs.wire.codec.fields import FieldPlan, Shape, fields_by_name

_BOOLEANS: dict[str, object] = {"true": True, "false": False}
_POSITION = re.compile(r"(\w+)\[(\d{1,4})\]", re.ASCII)


class _Entries(dict[int, Any]):
    """The entries of a list by their positions, until all of them are known."""

    def __init__(self) -> None:
        super().__init__()
        self.repetitions: dict[str, int] = {}

    @property
    def end(self) -> int:
        """The position after the last one."""
        return max(self, default=-1) + 1


def read_query_string(type_: type[Any], pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Turn parameters into a JSON document, without those that the type doesn't know.

    Numbers stay text, which their readers accept. If a name is repeated and isn't a list, the last
    value counts.
    """
    document: dict[str, Any] = {}
    for name, text in pairs:
        _put(document, type_, name.split("."), text)
    return {name: _settled(value) for name, value in document.items()}


def _put(document: dict[str, Any], type_: type[Any], names: list[str], text: str) -> None:
    first, *others = names
    first, position = position_in(first)
    field = fields_by_name(type_).get(first)
    if field is None:
        return
    shape = field.shape
    if shape.is_list:
        _put_entry(document, field, position, others, text)
    elif position is not None:
        return
    elif others:
        inner = document.setdefault(field.wire_name, {}) if shape.is_struct else None
        if isinstance(inner, dict):
            _put(inner, shape.kind, others, text)
    else:
        document[field.wire_name] = _value(shape, text)


def _put_entry(
    document: dict[str, Any],
    field: FieldPlan,
    position: int | None,
    others: list[str],
    text: str,
) -> None:
    element = field.shape.element
    if others and not element.is_struct:
        return
    entries: _Entries = document.setdefault(field.wire_name, _Entries())
    if not others:
        entries[entries.end if position is None else position] = _value(element, text)
        return
    if position is None:
        position = entries.repetitions.get(others[0], 0)
        entries.repetitions[others[0]] = position + 1
    inner = entries.setdefault(position, {})
    if isinstance(inner, dict):
        _put(inner, element.kind, others, text)


def position_in(name: str) -> tuple[str, int | None]:
    """The name before a position in brackets, and the position if there is one."""
    found = _POSITION.fullmatch(name)
    return (found[1], int(found[2])) if found else (name, None)


def _settled(value: Any) -> Any:
    """The same with lists in the place of entries by position.

    Where nobody can tell which fields belong together, it is no list, and refused as none.
    """
    if isinstance(value, _Entries):
        if len(set(value.repetitions.values())) > 1:
            return "fields of several objects, repeated unequally"
        return [_settled(value[position]) for position in sorted(value)]
    if isinstance(value, dict):
        return {name: _settled(item) for name, item in value.items()}
    return value


def _value(shape: Shape, text: str) -> object:
    if shape.kind is bool:
        return _BOOLEANS.get(text, text)
    if shape.is_struct:
        return _document(text)
    return text


def _document(text: str) -> object:
    """An object as JSON; what is none stays text, which its reader refuses."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return text
