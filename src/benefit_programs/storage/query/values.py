"""Values in a filter: read from JSON, checked, and brought into their stored form."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from benefit_programs.domain.errors import FieldViolation, ViolatedRule
from benefit_programs.domain.ids import guid_in
from benefit_programs.domain.words import one_of
from benefit_programs.storage.query.fields import IDENTITY_TYPES, Field, FieldKind, IdentityKey
from benefit_programs.storage.query.tree import IdentityValue, Scalar

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXT_LENGTH_MAX = 4_000
"""Code points of one text in a filter: far more than any stored text has."""

INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:[Zz]|[+-]\d\d(?::?\d\d)?)?)?\Z",
    re.ASCII,
)
AMOUNT = re.compile(r"-?(\d{1,14})(?:\.(\d{1,4}))?\Z", re.ASCII)
"""Up to 14 digits before the point, so that every such amount fits into a column."""
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""NUL, which no text column takes, and halves of surrogate pairs, which are no characters."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ValueRefused(Exception):
    """A value that its field can't have; the parser turns it into a violation at ``path``."""

    def __init__(
        self, path: str, rule: ViolatedRule, description: str, data: dict[str, object] | None = None
    ) -> None:
        super().__init__(path, rule, description)
        self.violation = FieldViolation(
            field=path, description=description, violated_rule=rule, data=data
        )


def read_scalar(field: Field, value: object, *, path: str, guids: frozenset[FieldKind]) -> Scalar:
    kind = field.kind
    if kind is FieldKind.INSTANT:
        return read_instant(value, path=path)
    if kind is FieldKind.AMOUNT:
        return read_amount(value, path=path)
    if kind is FieldKind.IDENTITY:
        return read_identity(value, path=path, guids=guids)
    if kind in guids:
        return read_guid(value, path=path)
    if kind is FieldKind.ENUM:
        return read_name(value, path=path, names=field.names)
    return read_text(value, path=path)


def read_text(value: object, *, path: str) -> str:
    """Read a text that a column can hold, as it is."""
    if not isinstance(value, str):
        raise ValueRefused(path, ViolatedRule.FORMAT, "must be a string", {"type": "STRING"})
    if len(value) > TEXT_LENGTH_MAX:
        raise ValueRefused(
            path,
            ViolatedRule.MAX_LENGTH,
            f"must have at most {TEXT_LENGTH_MAX} characters",
            {"threshold": TEXT_LENGTH_MAX},
        )
    if UNSTORABLE.search(value):
        raise ValueRefused(
            path, ViolatedRule.FORMAT, "holds a character that no text can have", {"type": "STRING"}
        )
    return value


def read_guid(value: object, *, path: str) -> str:
    """Read a GUID, any case in, lower case out."""
    guid = guid_in(value)
    if guid is None:
        raise ValueRefused(path, ViolatedRule.FORMAT, "must be a GUID", {"type": "GUID"})
    return guid


def read_name(value: object, *, path: str, names: frozenset[str]) -> str:
    if isinstance(value, str) and value in names:
        return value
    raise ValueRefused(path, ViolatedRule.INVALID_ENUM_VALUE, one_of(tuple(sorted(names)), value))


def read_instant(value: object, *, path: str) -> int:
    """Read an instant as milliseconds since 1970; what is finer is cut."""
    text = value["$date"] if isinstance(value, dict) and value.keys() == {"$date"} else value
    if isinstance(text, str) and INSTANT.match(text):
        try:
            instant = datetime.fromisoformat(text.upper())
            if instant.tzinfo is None:
                instant = instant.replace(tzinfo=UTC)
            since = instant - EPOCH
        except (ValueError, OverflowError):
            pass
        else:
            return (since.days * 86_400 + since.seconds) * 1_000 + since.microseconds // 1_000
    raise ValueRefused(
        path, ViolatedRule.FORMAT, "must be an ISO-8601 date and time", {"type": "DATE_TIME"}
    )


def read_amount(value: object, *, path: str) -> int:
    """Read credits as integer units of 1/10,000."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    found = AMOUNT.match(text) if isinstance(text, str) else None
    if found is None:
        raise ValueRefused(
            path,
            ViolatedRule.FORMAT,
            "must be a decimal as text, with at most four digits behind the point",
            {"type": "DECIMAL"},
        )
    units = int(found[1] + (found[2] or "").ljust(4, "0"))
    return -units if found[0].startswith("-") else units


def read_identity(value: object, *, path: str, guids: frozenset[FieldKind]) -> IdentityValue:
    """Read an object with exactly one id, and a type that agrees with it, if any."""
    if not isinstance(value, dict):
        raise ValueRefused(path, ViolatedRule.FORMAT, "must be an identity", {"type": "OBJECT"})
    given = {key: part for key, part in value.items() if part is not None}
    declared = given.pop("identityType", None)
    if len(given) != 1 or not given.keys() <= IDENTITY_TYPES.keys():
        raise ValueRefused(
            path,
            ViolatedRule.ONE_OF_ALIGNMENT,
            f"must have exactly one of {', '.join(IDENTITY_TYPES)}",
        )
    key, part = next(iter(cast("Mapping[IdentityKey, object]", given).items()))
    if declared is not None and declared != IDENTITY_TYPES[key]:
        raise ValueRefused(
            f"{path}.identityType",
            ViolatedRule.ONE_OF_ALIGNMENT,
            f"must be {IDENTITY_TYPES[key]} beside {key}",
        )
    reader = read_guid if FieldKind.IDENTITY_ID in guids else read_text
    return IdentityValue(key, reader(part, path=f"{path}.{key}"))
