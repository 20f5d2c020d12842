"""Checks that an answer is what the contract's types say: field by field, in the right JSON."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any

from benefit_programs.api.openapi import MAY_LACK
from benefit_programs.domain.constraints import (
    Addition,
    DecimalText,
    Duration,
    FreeForm,
    Guid,
    InstantText,
    Int32,
    Int64Text,
    Undocumented,
)
from benefit_programs.domain.errors import ViolatedRule
from benefit_programs.wire.codec import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benefit_programs.wire.codec import FieldPlan, Shape

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
AMOUNT = re.compile(r"0|-?[1-9][0-9]*|-?(0|[1-9][0-9]*)\.[0-9]{0,3}[1-9]")
INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
DURATION = re.compile(r"P(?=.)([0-9]+[YMWD])*(T([0-9.]+[HMS])+)?")
INTEGER = re.compile(r"0|-?[1-9][0-9]*")


def require_answer(type_: type[Any], answer: Any) -> None:
    """Fail unless the answer has what its type declares, and nothing else.

    What a response holds at its top must be there: clients read it without asking. Only what the
    document itself says may be lacking may be.
    """
    problems = list(_problems_of_struct(type_, answer, ""))
    if isinstance(answer, dict):
        problems += [
            f"{field.wire_name}: is missing"
            for field in fields_of(type_)
            if field.wire_name not in answer
            and not field.shape.mark(Undocumented)
            and not field.shape.mark(Addition)
            and field.wire_name not in MAY_LACK.get(type_, ())
        ]
    assert not problems, f"{type_.__name__} doesn't allow: {'; '.join(problems)}"


def require_error(error: Any) -> None:
    """Fail unless the body has the one shape of errors."""
    assert set(error) == {"message", "details"}, error
    assert isinstance(error["message"], str), error
    (kind,) = error["details"]
    if kind == "applicationError":
        application_error = error["details"][kind]
        assert set(application_error) == {"code", "description", "data"}, error
        assert re.fullmatch(r"[A-Z][A-Z_]+", application_error["code"]), error
        assert application_error["description"], error
        assert isinstance(application_error["data"], dict), error
        return
    assert kind == "validationError", error
    violations = error["details"][kind]["fieldViolations"]
    assert violations, error
    for violation in violations:
        require_violation(violation)


def require_violation(violation: dict[str, Any]) -> None:
    """Fail unless a violation has what the contract says about it."""
    assert violation.keys() >= {"field", "description", "violatedRule"}, violation
    assert violation.keys() <= {"field", "description", "violatedRule", "ruleName", "data"}
    assert violation["violatedRule"] in set(ViolatedRule), violation
    assert ("ruleName" in violation) == (violation["violatedRule"] == "OTHER"), violation


def _problems_of_struct(type_: type[Any], value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path or 'the answer'}: is no object"
        return
    fields = {field.wire_name: field for field in fields_of(type_)}
    for name, item in value.items():
        where = f"{path}.{name}" if path else name
        if name in fields:
            yield from _problems_of_field(fields[name], item, where)
        else:
            yield f"{where}: isn't declared"


def _problems_of_field(field: FieldPlan, value: Any, path: str) -> Iterator[str]:
    if value is None:
        yield f"{path}: is null, and should be left out"
    else:
        yield from _problems_of_value(field.shape, value, path)


def _problems_of_value(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if shape.is_list:
        if not isinstance(value, list):
            yield f"{path}: is no list"
            return
        for index, element in enumerate(value):
            yield from _problems_of_value(shape.element, element, f"{path}[{index}]")
    elif shape.is_struct:
        yield from _problems_of_struct(shape.kind, value, path)
    elif not _is_right(shape, value):
        yield f"{path}: {value!r} has the wrong form"


def _is_right(shape: Shape, value: Any) -> bool:
    for mark in shape.marks:
        form = _FORMS.get(type(mark))
        if form is not None:
            return form(value)
        if isinstance(mark, Guid) and mark.kind == "entity":
            return _matches(GUID, value)
    if issubclass(shape.kind, Enum):
        return value in shape.kind.__members__
    return isinstance(value, shape.kind)


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


_FORMS: dict[type[Any], Callable[[Any], bool]] = {
    DecimalText: partial(_matches, AMOUNT),
    InstantText: partial(_matches, INSTANT),
    Duration: partial(_matches, DURATION),
    Int64Text: partial(_matches, INTEGER),
    Int32: lambda value: type(value) is int,
    FreeForm: lambda value: isinstance(value, dict),
}
