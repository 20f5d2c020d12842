"""Reads the JSON of bodies, and finds the place of a mistake in it."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from benefit_programs.domain.errors import FieldViolation, Invalid, ViolatedRule

_REASON = re.compile(r"JSON is malformed: ([a-z ]+)[^(]*\(byte (\d+)\)")
_TRAILING = "trailing characters"
"""Of these msgspec names the byte after the first one."""

_TRUNCATED = "Input data was truncated"


def read_json(body: bytes) -> Any:
    """Read the document of a body; an empty body is an empty object. Raises Invalid."""
    if not body:
        return {}
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        problem = _problem(body, error)
    raise Invalid((problem,))


def _problem(body: bytes, error: Exception) -> FieldViolation:
    description = "the body must be valid JSON"
    data: dict[str, Any] = {"type": "JSON"}
    place = _place(body, error)
    if place is not None:
        reason, position = place
        line, column = line_and_column(body, position)
        description += f": {reason} at line {line}, column {column}"
        data |= {"line": line, "column": column}
    return FieldViolation("", description, ViolatedRule.FORMAT, data=data)


def _place(body: bytes, error: Exception) -> tuple[str, int] | None:
    """What is wrong at which byte; None where nobody can tell."""
    try:
        body.decode()
    except UnicodeDecodeError as broken:
        return "no UTF-8", broken.start
    found = _REASON.match(str(error))
    if found:
        reason, position = found[1].strip(), int(found[2])
        return reason, position - (reason == _TRAILING)
    return ("it ends too early", len(body)) if str(error) == _TRUNCATED else None


def line_and_column(body: bytes, position: int) -> tuple[int, int]:
    """The line and the column of a byte, both from 1; a column is one character."""
    before = body[:position]
    start = before.rfind(b"\n") + 1
    return before.count(b"\n") + 1, len(before[start:].decode(errors="replace")) + 1
