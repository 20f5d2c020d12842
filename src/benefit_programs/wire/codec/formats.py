"""The formats of single values: how each is read from JSON, and how it is written.

A reader takes a value of a JSON document and returns the value in memory, or raises ``Violated``
with the broken rule. It doesn't know its place in the document.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

import msgspec

from benefit_programs.domain.constraints import (
    DecimalText,
    Duration,
    FreeForm,
    Guid,
    GuidKind,
    Int32,
    MaskText,
    Text,
)
from benefit_programs.domain.durations import DURATION_YEARS_MAX, HOUR, LONGEST, Span, parse
from benefit_programs.domain.ids import guid_in
from benefit_programs.domain.settings import IdMode
from benefit_programs.domain.time_zones import NO_TIME_ZONE, is_time_zone
from benefit_programs.domain.values import AMOUNT_MAX, CREDIT, DAY
from benefit_programs.domain.violations import VIOLATIONS_MAX, FieldViolation, ViolatedRule
from benefit_programs.domain.words import one_of
from benefit_programs.wire.codec.naming import to_snake

Read = Callable[[Any], Any]

GIVEN_ID_LENGTH_MAX = 64
FRACTION_DIGITS_MAX = 4
WHOLE_DIGITS_MAX = 15
FREE_FORM_DEPTH_MAX = 32
MASK_NAMES_MAX = 100
INT32_MAX = 2**31 - 1
INT64_MAX = 2**63 - 1
INT64_DIGITS_MAX = 19

_DECIMAL = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
_INTEGER = re.compile(r"-?[0-9]+")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_WITHOUT_ZONE = datetime(1970, 1, 1)  # noqa: DTZ001 -- only added to, and written with a Z
_MILLISECOND = timedelta(milliseconds=1)
_INSTANT_MIN = -62_135_596_800_000
_INSTANT_MAX = 253_402_300_799_999

FREE_IDS: dict[IdMode, frozenset[GuidKind]] = {
    IdMode.DEFAULT: frozenset({"external"}),
    IdMode.STRICT: frozenset(),
    IdMode.OPEN: frozenset({"external", "identity", "app"}),
}


class Violated(Exception):
    """A value breaks rules. The paths of the violations are relative to it.

    It keeps as many as an answer names; ``more`` is the number of the others.
    """

    def __init__(self, *violations: FieldViolation, more: int = 0) -> None:
        super().__init__()
        self.violations = violations[:VIOLATIONS_MAX]
        self.more = more + len(violations[VIOLATIONS_MAX:])


def violated(
    rule: ViolatedRule,
    description: str,
    *,
    rule_name: str | None = None,
    **data: Any,
) -> Violated:
    return Violated(FieldViolation("", description, rule, rule_name, data or None))


_EXAMPLES = {
    "DECIMAL": '"12.5"',
    "DATE_TIME": '"2026-12-01T10:00:00Z"',
    "DURATION": '"P1M" or "PT12H"',
    "GUID": '"0f7a4c1e-52b8-4f0b-9a55-3c6d1e8b7a90"',
    "INT64": '"1"',
    "INT32": "1",
    "BOOL": "true",
    "FIELD_MASK": '"displayName,description"',
    "LIST": "[]",
    "OBJECT": "{}",
}
"""A value of each format that a caller could take for another one."""


def wrong_format(type_name: str) -> Violated:
    example = _EXAMPLES.get(type_name)
    description = f"must be a valid {type_name}"
    if example:
        description += f", such as {example}"
    return violated(ViolatedRule.FORMAT, description, type=type_name)


def text_reader(limits: Text) -> Read:
    """Texts within limits, counted in code points, without NUL, which can't be stored."""
    length_min = limits.min_length
    length_max = limits.max_length or 2**31

    def read_text(raw: Any) -> str:
        if type(raw) is not str or "\0" in raw:
            raise wrong_format("STRING")
        if length_min <= len(raw) <= length_max:
            return raw
        raise _wrong_length(len(raw), length_min, length_max)

    return read_text


def _wrong_length(length: int, length_min: int, length_max: int) -> Violated:
    if length < length_min:
        description = f"must have at least {length_min} characters"
        return violated(ViolatedRule.MIN_LENGTH, description, threshold=length_min)
    description = f"must have at most {length_max} characters"
    return violated(ViolatedRule.MAX_LENGTH, description, threshold=length_max)


def id_reader(mark: Guid, ids: IdMode) -> Read:
    """Ids: GUIDs in lower case, or other ids unchanged, depending on the tenant's mode."""
    return _read_given_id if mark.kind in FREE_IDS[ids] else _read_guid


def _read_guid(raw: Any) -> str:
    guid = guid_in(raw)
    if guid is None:
        raise wrong_format("GUID")
    return guid


def _read_given_id(raw: Any) -> str:
    if type(raw) is not str or not raw.isprintable():
        raise wrong_format("PRINTABLE_STRING")
    if 1 <= len(raw) <= GIVEN_ID_LENGTH_MAX:
        return raw
    raise _wrong_length(len(raw), 1, GIVEN_ID_LENGTH_MAX)


def amount_reader(mark: DecimalText) -> Read:
    """Amounts, as decimal text or as a whole number, in units of 1/10,000 credit."""
    at_least = -AMOUNT_MAX if mark.at_least is None else mark.at_least
    signed, at_most = at_least < 0, AMOUNT_MAX if mark.at_most is None else mark.at_most

    def read_amount(raw: Any) -> int:
        sign, whole, fraction = _decimal_parts(raw)
        if len(fraction) > FRACTION_DIGITS_MAX:
            raise violated(
                ViolatedRule.DECIMAL_MAX_SCALE,
                f"must have at most {FRACTION_DIGITS_MAX} fraction digits",
                threshold=FRACTION_DIGITS_MAX,
            )
        too_long = len(whole) > WHOLE_DIGITS_MAX
        units = (
            AMOUNT_MAX + 1 if too_long else int(whole + fraction.ljust(FRACTION_DIGITS_MAX, "0"))
        )
        if sign and (not signed or units > AMOUNT_MAX):
            limit = amount_text(at_least)
            description = f"must be at least {limit}"
            raise violated(ViolatedRule.DECIMAL_GTE, description, threshold=limit)
        if units > at_most:
            limit = amount_text(at_most)
            description = f"must be at most {limit}"
            raise violated(ViolatedRule.DECIMAL_LTE, description, threshold=limit)
        if not sign and units < at_least:
            limit = amount_text(at_least)
            description = f"must be at least {limit}"
            raise violated(ViolatedRule.DECIMAL_GTE, description, threshold=limit)
        return -units if sign else units

    return read_amount


def _decimal_parts(raw: Any) -> tuple[str, str, str]:
    if type(raw) is int:
        raw = str(raw)
    match = _DECIMAL.fullmatch(raw) if type(raw) is str else None
    if match is None:
        raise wrong_format("DECIMAL")
    return match[1], match[2].lstrip("0"), match[3] or ""


def amount_text(amount: int) -> str:
    """An amount as decimal text without trailing zeros."""
    if amount % CREDIT == 0:
        return str(amount // CREDIT)
    whole, fraction = divmod(abs(amount), CREDIT)
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole}.{fraction:04d}".rstrip("0")


def read_instant(raw: Any) -> int:
    """An ISO-8601 instant with its offset, cut to milliseconds since 1970."""
    if type(raw) is not str or not _INSTANT.fullmatch(raw):
        raise wrong_format("DATE_TIME")
    try:
        instant = (datetime.fromisoformat(raw.upper()) - _EPOCH) // _MILLISECOND
    except ValueError:
        raise wrong_format("DATE_TIME") from None
    if _INSTANT_MIN <= instant <= _INSTANT_MAX:
        return instant
    raise wrong_format("DATE_TIME")


def instant_text(instant: int) -> str:
    """An instant as ISO-8601 text with milliseconds, in UTC."""
    moment = _EPOCH_WITHOUT_ZONE + timedelta(milliseconds=instant)
    return moment.isoformat(timespec="milliseconds") + "Z"


def duration_reader(mark: Duration) -> Read:
    """ISO-8601 durations in upper case, longer than nothing and at most 100 years."""

    def read_duration(raw: Any) -> str:
        try:
            text = str.upper(raw)
            span = parse(text)
        except (TypeError, ValueError):
            raise wrong_format("DURATION") from None
        _require_length(span, mark)
        if mark.days_max is not None and span.usual_milliseconds > mark.days_max * DAY:
            description, limit = f"must be at most {mark.days_max} days", f"P{mark.days_max}D"
            raise violated(ViolatedRule.MAX, description, threshold=limit)
        if mark.is_fixed and span.months:
            description = "must have no years or months, which are not equally long"
            name = "duration_has_a_fixed_length"
            raise violated(ViolatedRule.OTHER, description, rule_name=name)
        return text

    return read_duration


def _require_length(span: Span, mark: Duration) -> None:
    length = span.usual_milliseconds
    if mark.hours_min is not None and length < mark.hours_min * HOUR:
        limit = f"PT{mark.hours_min}H"
        raise violated(ViolatedRule.MIN, f"must be at least {limit}", threshold=limit)
    if length == 0 and not mark.zero:
        raise violated(ViolatedRule.MIN, "must be longer than nothing", threshold="PT0.001S")
    if length > LONGEST.usual_milliseconds:
        description = f"must be at most {DURATION_YEARS_MAX} years"
        raise violated(ViolatedRule.MAX, description, threshold=f"P{DURATION_YEARS_MAX}Y")


def _read_integer(raw: Any, type_name: str) -> int:
    if type(raw) is int:
        return raw
    if type(raw) is float and raw.is_integer():
        return int(raw)
    if type(raw) is str and len(raw) <= INT64_DIGITS_MAX + 1 and _INTEGER.fullmatch(raw):
        return int(raw)
    raise wrong_format(type_name)


def read_int64(raw: Any) -> int:
    """A 64-bit integer, as text or as a number."""
    number = _read_integer(raw, "INT64")
    if -INT64_MAX - 1 <= number <= INT64_MAX:
        return number
    raise wrong_format("INT64")


def int32_reader(mark: Int32) -> Read:
    """32-bit integers within limits, as a number or as text."""
    minimum, maximum = mark.minimum, mark.maximum

    def read_int32(raw: Any) -> int:
        number = _read_integer(raw, "INT32")
        if minimum is not None and number < minimum:
            raise violated(ViolatedRule.MIN, f"must be at least {minimum}", threshold=minimum)
        if maximum is not None and number > maximum:
            raise violated(ViolatedRule.MAX, f"must be at most {maximum}", threshold=maximum)
        if -INT32_MAX - 1 <= number <= INT32_MAX:
            return number
        raise wrong_format("INT32")

    return read_int32


def read_time_zone(raw: Any) -> str:
    """The IANA name of a time zone."""
    if type(raw) is str and is_time_zone(raw):
        return raw
    raise violated(ViolatedRule.VALIDATION, NO_TIME_ZONE)


def read_boolean(raw: Any) -> bool:
    if raw is True or raw is False:
        return raw
    raise wrong_format("BOOL")


def enum_reader(type_: type[Enum]) -> Read:
    members = {member.name: member for member in type_}
    names = tuple(members)

    def read_member(raw: Any) -> Enum:
        member = members.get(raw) if type(raw) is str else None
        if member is None:
            raise violated(ViolatedRule.INVALID_ENUM_VALUE, one_of(names, raw))
        return member

    return read_member


def free_form_reader(mark: FreeForm) -> Read:
    """Free-form objects within limits of depth and size, kept as they are."""
    bytes_max = mark.bytes_max

    def read_free_form(raw: Any) -> dict[str, Any]:
        if type(raw) is not dict:
            raise wrong_format("OBJECT")
        if _size_of(raw) > bytes_max:
            description = f"must have at most {bytes_max} bytes"
            raise violated(ViolatedRule.MAX_LENGTH, description, threshold=bytes_max)
        _refuse_deep_or_broken(raw)
        return raw

    return read_free_form


def _size_of(raw: dict[str, Any]) -> int:
    """The bytes of an object, written as JSON."""
    try:
        return len(msgspec.json.encode(raw))
    except RecursionError:
        raise too_deep(FREE_FORM_DEPTH_MAX) from None


def _refuse_deep_or_broken(raw: dict[str, Any]) -> None:
    level: list[Any] = [raw]
    for _ in range(FREE_FORM_DEPTH_MAX):
        level = [child for value in level for child in _children(value)]
        if any(type(child) is str and "\0" in child for child in level):
            raise wrong_format("STRING")
        if not level:
            return
    raise too_deep(FREE_FORM_DEPTH_MAX)


def _children(value: Any) -> list[Any]:
    if type(value) is dict:
        return [*value, *value.values()]
    return value if type(value) is list else []


def require_small(raw: Any, *, depth_max: int, values_max: int) -> None:
    """Refuse values that are nested too deep or too large, without recursion.

    Values and names count alike.
    """
    level, values = [raw], 0
    for _ in range(depth_max):
        level = [child for value in level for child in _children(value)]
        values += len(level)
        if values > values_max:
            description = f"must not hold more than {values_max} values and names"
            raise violated(ViolatedRule.MAX_SIZE, description, threshold=values_max)
        if not level:
            return
    if any(type(value) in (dict, list) for value in level):
        raise too_deep(depth_max)


def too_deep(depth_max: int) -> Violated:
    description = f"must not be nested more than {depth_max} deep"
    rule = ViolatedRule.OTHER
    return violated(rule, description, rule_name="nesting_too_deep", threshold=depth_max)


def mask_reader(_mark: MaskText) -> Read:
    """Field masks in each of their three forms, as attribute names. An empty one counts as none."""

    def read_mask(raw: Any) -> tuple[str, ...]:
        names = raw.get("paths", []) if type(raw) is dict else raw
        if type(names) is str:
            names = [name.strip() for name in names.split(",") if name.strip()]
        if type(names) is not list or not all(type(name) is str for name in names):
            raise wrong_format("FIELD_MASK")
        if len(names) > MASK_NAMES_MAX:
            description = f"must have at most {MASK_NAMES_MAX} entries"
            raise violated(ViolatedRule.MAX_SIZE, description, threshold=MASK_NAMES_MAX)
        return tuple(to_snake(name) for name in names)

    return read_mask
