"""Between the client's values and the wire's JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

from benefit_programs.client.types.base import Change, Part
from benefit_programs.client.types.common import UNSET
from benefit_programs.client.types.identities import (
    Identity,
    identity_from_wire,
    identity_to_wire,
)

T = TypeVar("T")

Reader: TypeAlias = Callable[[bytes], T]
"""From the body of an answer to what it means. Raises msgspec.MsgspecError if it can't be."""

_UNDERSCORE = re.compile(r"_([a-z0-9])")


class PageMetadata(Part, frozen=True, kw_only=True):
    """The number of rows of a page, and its cursors."""

    class Cursors(Part, frozen=True, kw_only=True):
        """The cursors of the next and the previous page."""

        next: str | None = None
        prev: str | None = None

    cursors: Cursors = Cursors()


class Rows(msgspec.Struct, Generic[T], frozen=True):
    items: tuple[T, ...]
    next_cursor: str | None
    prev_cursor: str | None


def camel(name: str) -> str:
    """A field's name on the wire: ``pool_id`` is ``poolId``; what is so already stays."""
    return _UNDERSCORE.sub(lambda found: found[1].upper(), name)


def document(**fields: object) -> dict[str, Any]:
    """The JSON object of a request; fields that are None or UNSET are absent."""
    return {
        camel(name): _field_to_wire(name, settable(value))
        for name, value in fields.items()
        if value is not None and value is not UNSET
    }


def changes(**fields: object) -> dict[str, Any]:
    """The JSON object of an update; UNSET is absent, None clears."""
    return {
        camel(name): _field_to_wire(name, settable(value))
        for name, value in fields.items()
        if value is not UNSET
    }


def mask(names: Collection[str] | None) -> str | None:
    """A field mask as it travels; None where there is none."""
    return None if names is None else ",".join(camel(name) for name in names)


def masked(name: str, changed: Change) -> dict[str, Any]:
    """A change of many as it travels, with its mask beside it."""
    entity = to_wire(settable(changed))
    names: Collection[str] | None = entity.pop("fieldMask", None)
    return document(**{name: entity}, field_mask=mask(names))


def settable(value: Any) -> Any:
    """A value without what the service sets, which it may have come with in an answer."""
    if isinstance(value, msgspec.Struct):
        answered = value.set_by_service if isinstance(value, Part) else ()
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        kept = {
            name: None if name in answered else settable(field) for name, field in fields.items()
        }
        return msgspec.structs.replace(value, **kept)
    return [settable(each) for each in value] if isinstance(value, list | tuple) else value


def to_wire(value: object) -> Any:  # noqa: PLR0911 - a table
    """A value as JSON. Raises ValueError for an instant without a time zone."""
    match value:
        case msgspec.Struct():
            return _struct_to_wire(value)
        case Identity():
            return identity_to_wire(value)
        case Decimal():
            return decimal_text(value)
        case datetime():
            return instant_text(value)
        case str():
            return str(value)
        case Mapping():
            return {str(name): to_wire(item) for name, item in value.items()}
        case Sequence() | set() | frozenset():
            return [to_wire(item) for item in value]
    return value


def decimal_text(value: Decimal) -> str:
    return format(value, "f")


def amount_text(value: Decimal | int | str) -> str:
    """An amount to send, whatever it was given as. Raises TypeError for a float."""
    if isinstance(value, bool | float):
        raise TypeError(f"an amount is a Decimal, an int or a str, not {value!r}")
    return value if isinstance(value, str) else decimal_text(Decimal(value))


def instant_text(value: datetime) -> str:
    """An instant in UTC, to the millisecond. Raises ValueError if it has no time zone."""
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone: use datetime.now(UTC), or give it one")
    text = value.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def from_wire(kind: type[T], value: object) -> T:
    """A value of a type from JSON that was read. Raises msgspec.ValidationError."""
    return msgspec.convert(value, kind, strict=False, dec_hook=_read_other)


def reads(kind: type[T]) -> Reader[T]:
    """Read an answer of a type."""
    decoder = _decoder(kind)

    def read(body: bytes) -> T:
        answer: T = decoder.decode(body)
        return answer

    return read


def reads_field(name: str, kind: type[T]) -> Reader[T]:
    """Read one field of an answer, which must be there."""
    wrapper = _decoder(msgspec.defstruct("Answer", [("value", kind)], rename={"value": name}))

    def read(body: bytes) -> T:
        value: T = wrapper.decode(body).value
        return value

    return read


def reads_list(name: str, kind: type[T]) -> Reader[tuple[T, ...]]:
    """Read a list of an answer; one that is missing is empty."""
    rows = _rows_decoder(name, kind)

    def read(body: bytes) -> tuple[T, ...]:
        found: tuple[T, ...] = rows.decode(body).rows
        return found

    return read


def reads_rows(name: str, kind: type[T]) -> Reader[Rows[T]]:
    """Read a page."""
    rows = _rows_decoder(name, kind)

    def read(body: bytes) -> Rows[T]:
        found = rows.decode(body)
        cursors: PageMetadata.Cursors = found.metadata.cursors
        return Rows(found.rows, cursors.next, cursors.prev)

    return read


def reads_nothing(body: bytes) -> None:
    """Read an empty answer."""
    msgspec.json.decode(body, type=dict[str, Any])


def to_query(fields: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """The parameters of a GET or DELETE: nested names are dotted, lists repeat their name."""
    pairs: list[tuple[str, str]] = []
    for name, value in fields.items():
        if isinstance(value, dict):
            pairs += to_query(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            pairs += [(prefix + name, _parameter(each)) for each in value]
        else:
            pairs.append((prefix + name, _parameter(value)))
    return pairs


def _parameter(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _struct_to_wire(value: msgspec.Struct) -> dict[str, Any]:
    absent = (None, UNSET) if isinstance(value, Part) else (UNSET,)
    wire: dict[str, Any] = {}
    for name, encoded in zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True):
        field = getattr(value, name)
        if not any(field is each for each in absent):
            wire[encoded] = _field_to_wire(name, field)
    return wire


def _field_to_wire(name: str, value: object) -> Any:
    if name == "extended_fields" and isinstance(value, Mapping):
        return {"namespaces": to_wire(value)}
    if name == "revision":
        return str(value)
    return to_wire(value)


def _rows_decoder(name: str, kind: type[Any]) -> msgspec.json.Decoder[Any]:
    return _decoder(
        msgspec.defstruct(
            "Answer",
            [
                ("rows", tuple[kind, ...], ()),  # type: ignore[valid-type]
                ("metadata", PageMetadata, PageMetadata()),
            ],
            rename={"rows": name},
        )
    )


def _decoder(kind: type[Any]) -> msgspec.json.Decoder[Any]:
    # Not strict: revisions travel as text, amounts too.
    return msgspec.json.Decoder(kind, strict=False, dec_hook=_read_other)


def _read_other(kind: type[Any], value: Any) -> Any:
    if issubclass(kind, Identity) and isinstance(value, dict):
        return identity_from_wire(value)
    raise AssertionError(f"{kind} is no type of an answer")
