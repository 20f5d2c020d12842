"""Marks that a field's type carries: its format, its limits, and who may set it.

They are declarations only. A type says ``Annotated[str, Text(max_length=64)]``; the wire codec
compiles decoders from the marks, the reference documents are generated from them, and a test
holds them against the contract's own data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

import msgspec

GuidKind = Literal["entity", "external", "identity", "app"]


class Mark(msgspec.Struct, frozen=True):
    """What a field's annotation carries beside its type."""


class Text(Mark, frozen=True):
    """Length limits of a text, in code points."""

    max_length: int | None = None
    min_length: int = 0


class Guid(Mark, frozen=True):
    """An id. Which kinds must be GUIDs is a setting of the tenant (contract: ids).

    ``entity`` ids are always GUIDs, ``external`` ones are by default any 1 to 64 printable
    characters, ``identity`` and ``app`` ids are GUIDs unless the tenant's ids are open.
    """

    kind: GuidKind = "entity"


class DecimalText(Mark, frozen=True):
    """A decimal string with at most 4 fraction digits; in memory an integer of 1/10,000."""

    at_least: int | None = 0
    at_most: int | None = None


class InstantText(Mark, frozen=True):
    """An ISO-8601 instant; in memory integer milliseconds since 1970 in UTC."""


class Duration(Mark, frozen=True):
    """An ISO-8601 duration such as P1M or PT12H; in memory upper-case text.

    It is longer than nothing, unless ``zero`` lets it be nothing. With ``is_fixed`` it has no years
    and no months, which are not equally long. It is at most ``days_max`` days long, else 100 years,
    and at least ``hours_min`` hours.
    """

    zero: bool = False
    is_fixed: bool = False
    days_max: int | None = None
    hours_min: int | None = None


class TimeZone(Mark, frozen=True):
    """The IANA name of a time zone."""


class Int64Text(Mark, frozen=True):
    """A 64-bit integer that travels as a string (revisions)."""


class Int32(Mark, frozen=True):
    """A 32-bit integer that travels as a number."""

    minimum: int | None = None
    maximum: int | None = None


class Size(Mark, frozen=True):
    """How many entries a list may have."""

    maximum: int | None = None
    minimum: int = 0


FREE_FORM_BYTES_MAX = 10_240
"""How large a free-form object may be, written as JSON."""

FILTER_BYTES_MAX = 102_400
"""How large a filter may be, written as JSON."""


class FreeForm(Mark, frozen=True):
    """A JSON object whose keys are the caller's own; kept as it came."""

    bytes_max: int = FREE_FORM_BYTES_MAX


class Required(Mark, frozen=True):
    """The field must be there and not null."""


class Chosen(Mark, frozen=True):
    """A member of an enumeration must be chosen, other than the unknown one.

    A missing choice breaks ``rule_name``, an unknown member ``unsupported_rule_name``.
    With ``beside``, the attributes of a list further inside of the request, it must be chosen only
    where there is an entry in that list.
    """

    rule_name: str
    unsupported_rule_name: str
    beside: tuple[str, ...] = ()


class ReadOnly(Mark, frozen=True):
    """Set by the server: ignored in what a client sends."""


class Immutable(Mark, frozen=True):
    """Taken on create, ignored on update."""


class Undocumented(Mark, frozen=True):
    """Exchanged by real clients although the published reference leaves it out."""


class Addition(Mark, frozen=True):
    """Not of the contract: the service's own, in a type that is."""


class Requires(Mark, frozen=True):
    """A field inside the object that must be there too, although its type lets it be absent."""

    attribute: str


class Judged(Mark, frozen=True):
    """A rule over the value as a whole, which gives the violations with paths inside the value."""

    judge: Callable[[Any], Iterable[Any]]


class Alias(Mark, frozen=True):
    """Another name under which requests may send the field; answers never use it."""

    name: str


class MaskText(Mark, frozen=True):
    """Names of fields, as "a,b", as a list or as {"paths": [...]}; in memory attribute names."""


class Entries(Mark, frozen=True):
    """The list of a bulk request, whose entries are judged one by one."""


class Stray(msgspec.Struct, frozen=True):
    """Fields that a type hasn't got, and that are refused where others would be ignored.

    Without ``names`` that is every field. Some values, ``unless`` these, are let through.
    """

    description: str
    names: tuple[str, ...] = ()
    unless: tuple[Any, ...] = ()


class OneOf(msgspec.Struct, frozen=True):
    """Which fields of a type exclude each other.

    ``required`` says that one of them must be there; ``tag`` names the field, if any, whose value
    must agree with the choice, and ``tags`` its value for each field. ``answered`` are fields that
    only answers may choose.
    """

    fields: tuple[str, ...]
    required: bool = True
    tag: str | None = None
    tags: tuple[str, ...] = ()
    answered: tuple[str, ...] = ()
