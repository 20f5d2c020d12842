"""The parameters of GET and DELETE: dotted names, lists by repetition, everything as text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from benefit_programs.api.codec.fields import Shape, fields_by_name

_BOOLEANS: dict[str, object] = {"true": True, "false": False}


def read_query_string(type_: type[Any], pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The JSON document that parameters stand for; what the type doesn't know is left out.

    Numbers stay text, which their readers accept; of a repeated name that is no list the last
    counts.
    """
    document: dict[str, Any] = {}
    for name, text in pairs:
        _put(document, type_, name.split("."), text)
    return document


def _put(document: dict[str, Any], type_: type[Any], names: list[str], text: str) -> None:
    first, *others = names
    field = fields_by_name(type_).get(first)
    if field is None:
        return
    shape = field.shape
    if others:
        inner = document.setdefault(field.wire_name, {}) if shape.is_struct else None
        if isinstance(inner, dict):
            _put(inner, shape.kind, others, text)
    elif shape.is_list:
        document.setdefault(field.wire_name, []).append(_value(shape.element, text))
    else:
        document[field.wire_name] = _value(shape, text)


def _value(shape: Shape, text: str) -> object:
    return _BOOLEANS.get(text, text) if shape.kind is bool else text
