"""From JSON to the types of the wire, with all violations of a request at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from itertools import chain
from typing import Any, Generic, TypeVar

import msgspec

from benefit_programs.domain.constraints import (
    Chosen,
    DecimalText,
    Duration,
    FreeForm,
    Guid,
    InstantText,
    Int32,
    Int64Text,
    Judged,
    Mark,
    MaskText,
    OneOf,
    ReadOnly,
    Requires,
    Size,
    Stray,
    Text,
    TimeZone,
)
from benefit_programs.domain.errors import (
    FieldViolation,
    Invalid,
    ViolatedRule,
    Violations,
    none_hidden,
)
from benefit_programs.domain.settings import IdMode
from benefit_programs.wire.codec import formats
from benefit_programs.wire.codec.choices import (
    choosing,
    inner_finder,
    misalignment,
    missing,
    unchosen_finder,
    with_all_there,
)
from benefit_programs.wire.codec.documents import read_json
from benefit_programs.wire.codec.fields import (
    FieldPlan,
    Shape,
    entries_of,
    fields_by_name,
    fields_of,
    is_recursive,
    once,
)
from benefit_programs.wire.codec.formats import Read, Violated, violated, wrong_format
from benefit_programs.wire.codec.naming import join
from benefit_programs.wire.codec.query_strings import read_query_string
from benefit_programs.wire.codec.quick import QuickDecoder, has_nul
from benefit_programs.wire.types.common import ExtendedFields

T = TypeVar("T")

TREE_DEPTH_MAX = 48
"""How deep the JSON of a policy expression may be nested: 16 operators over each other."""

TREE_VALUES_MAX = 10_000
"""How many values and names it may hold: some hundred policies."""


class Decoded(Generic[T]):
    """A value, and which of its fields were explicitly null.

    ``raw`` is the JSON document that it was decoded from, or the body with that.
    """

    __slots__ = ("_raw", "value")

    def __init__(self, value: T, raw: object) -> None:
        self.value = value
        self._raw = raw

    @property
    def nulls(self) -> frozenset[str]:
        """Dotted attribute paths of the fields that are null; those inside lists are left out."""
        raw = read_json(self._raw) if isinstance(self._raw, bytes) else self._raw
        return frozenset(_nulls_in(type(self.value), raw))

    def updates(self, attribute: str | None = None, mask: Iterable[str] = ()) -> dict[str, Any]:
        """The fields that a change sets, by attribute; None clears. A mask limits the change.

        ``attribute`` names the change inside the value. Its id and revision are left out.
        """
        change = getattr(self.value, attribute) if attribute else self.value
        prefix = f"{attribute}." if attribute else ""
        nulls = self.nulls
        masked = {name.split(".")[0] for name in mask}
        sent = {
            field.attribute: getattr(change, field.attribute)
            for field in fields_of(type(change))
            if not field.required
            and _is_set(change, field.attribute, masked, prefix + field.attribute in nulls)
        }
        return {name: _as_stored(value) for name, value in sent.items()}


def _is_set(change: object, attribute: str, masked: set[str], is_null: bool) -> bool:  # noqa: FBT001
    if masked:
        return attribute in masked
    return is_null or getattr(change, attribute) is not None


def _as_stored(value: Any) -> Any:
    """A value as the domain keeps it: of extended fields the namespaces alone."""
    return value.namespaces or {} if isinstance(value, ExtendedFields) else value


def _nulls_in(type_: type[Any], raw: object) -> Iterator[str]:
    if not isinstance(raw, dict) or not issubclass(type_, msgspec.Struct):
        return
    fields = fields_by_name(type_)
    for name, item in raw.items():
        field = fields.get(name)
        if field is None:
            continue
        if item is None:
            yield field.attribute
        elif field.shape.is_struct:
            yield from (f"{field.attribute}.{inner}" for inner in _nulls_in(field.shape.kind, item))


class Bulk(Generic[T]):
    """A bulk request: its own fields (with an empty list), and its entries one by one."""

    __slots__ = ("entries", "request")

    def __init__(self, request: T, entries: tuple[Decoded[Any] | Invalid, ...]) -> None:
        self.request = request
        self.entries = entries


class Decoder(Generic[T]):
    """Decodes one type, for each mode of ids."""

    def __init__(self, type_: type[T]) -> None:
        self.type = type_
        self._read = {ids: _struct_reader(type_, ids) for ids in IdMode}
        self._quick = {ids: _quick_decoder(type_, ids) for ids in IdMode}

    def decode_quickly(self, body: bytes, *, ids: IdMode = IdMode.DEFAULT) -> Decoded[T] | None:
        """Decode a body in the form that most clients send; None if it must be read with care."""
        value = self._quick[ids].decode(body)
        return None if value is None else Decoded(value, body)

    def decode(self, raw: object, *, ids: IdMode = IdMode.DEFAULT) -> Decoded[T]:
        """Decode a JSON document. Raises Invalid with all violations."""
        return Decoded(_run(self._read[ids], raw, ""), raw)

    def decode_query_string(
        self, pairs: Iterable[tuple[str, str]], *, ids: IdMode = IdMode.DEFAULT
    ) -> Decoded[T]:
        """Decode the parameters of a GET or DELETE. Raises Invalid with all violations."""
        return self.decode(read_query_string(self.type, pairs), ids=ids)

    def decode_entries(
        self, raw: object, *, ids: IdMode = IdMode.DEFAULT, body: bytes | None = None
    ) -> Bulk[T]:
        """Decode a bulk request. Raises Invalid only for its own shape and size, not for entries.

        If it is refused as a whole, Invalid has the violations of its entries too. The ``body``
        that the document was in makes it quicker.
        """
        field = entries_of(self.type)
        assert field is not None, f"{self.type.__name__} has no entries"
        try:
            request = _run(_struct_reader(self.type, ids, shallow=True), raw, "")
        except Invalid:
            self.decode(raw, ids=ids)
            raise
        element = field.shape.element
        read = _reader(element, ids)
        if element.is_struct and body is not None and not has_nul(body):
            read = _quickly(_quick_decoder(element.kind, ids), read)
        entries = _raw_entries(field, raw)
        return Bulk(
            request,
            tuple(
                _entry(read, entry, f"{field.wire_name}[{index}]")
                for index, entry in enumerate(entries)
            ),
        )


@once
def decoder_for(type_: type[T]) -> Decoder[T]:
    return Decoder(type_)


@once
def _quick_decoder(type_: type[Any], ids: IdMode) -> QuickDecoder:
    return QuickDecoder(type_, ids)


def _quickly(quick: QuickDecoder, read: Read) -> Read:
    def read_quickly(raw: Any) -> Any:
        value = quick.convert(raw)
        return read(raw) if value is None else value

    return read_quickly


def _run(read: Read, raw: object, path: str) -> Any:
    try:
        return read(raw)
    except Violated as found:
        raise Invalid(tuple(_within(path, found.violations)), found.more) from None


def _within(path: str, violations: Iterable[FieldViolation]) -> list[FieldViolation]:
    return [
        msgspec.structs.replace(violation, field=join(path, violation.field))
        for violation in violations
    ]


def _entry(read: Read, raw: object, path: str) -> Decoded[Any] | Invalid:
    try:
        return Decoded(_run(read, raw, path), raw)
    except Invalid as refusal:
        return refusal


def _raw_entries(field: FieldPlan, raw: object) -> list[Any]:
    assert isinstance(raw, dict)
    fields = field.names
    found: list[Any] = [raw[name] for name in raw if name in fields and raw[name] is not None]
    entries: list[Any] = found[-1]
    return entries


def _reader(shape: Shape, ids: IdMode) -> Read:
    """The reader of a value by its marks, else by its type."""
    for mark in reversed(shape.marks):
        read = _marked_reader(mark, ids)
        if read is not None:
            return read
    if shape.is_list:
        return _list_reader(shape, ids)
    if shape.is_struct:
        return _struct_reader(shape.kind, ids)
    if issubclass(shape.kind, Enum):
        return formats.enum_reader(shape.kind)
    return formats.read_boolean if shape.kind is bool else formats.text_reader(Text())


_READERS: dict[type[Mark], Callable[[Any], Read]] = {
    Text: formats.text_reader,
    DecimalText: formats.amount_reader,
    InstantText: lambda _mark: formats.read_instant,
    Duration: formats.duration_reader,
    Int64Text: lambda _mark: formats.read_int64,
    Int32: formats.int32_reader,
    FreeForm: formats.free_form_reader,
    MaskText: formats.mask_reader,
    TimeZone: lambda _mark: formats.read_time_zone,
}


def _marked_reader(mark: Mark, ids: IdMode) -> Read | None:
    if isinstance(mark, Guid):
        return formats.id_reader(mark, ids)
    make = _READERS.get(type(mark))
    return make(mark) if make else None


def _size_reader(shape: Shape) -> Read:
    """Lists of a legal size, with their entries unread."""
    size = shape.mark(Size) or Size()
    minimum, maximum = size.minimum, size.maximum

    def read_size(raw: Any) -> list[Any]:
        if type(raw) is not list:
            raise wrong_format("LIST")
        if len(raw) < minimum:
            description = f"must have at least {minimum} entries"
            raise violated(ViolatedRule.MIN_SIZE, description, threshold=minimum)
        if maximum is not None and len(raw) > maximum:
            description = f"must have at most {maximum} entries"
            raise violated(ViolatedRule.MAX_SIZE, description, threshold=maximum)
        return raw

    return read_size


def _list_reader(shape: Shape, ids: IdMode) -> Read:
    """Lists of a legal size. Of one that is too long, as many entries are judged as it may have."""
    read_size = _size_reader(shape)
    read = _reader(shape.element, ids)
    maximum = (shape.mark(Size) or Size()).maximum

    def read_list(raw: Any) -> tuple[Any, ...]:
        values: list[Any] = []
        found = Violations()
        try:
            entries = read_size(raw)
        except Violated as problem:
            found.add(*problem.violations)
            entries = raw[:maximum] if type(raw) is list else ()
        for index, entry in enumerate(entries):
            try:
                values.append(read(entry))
            except Violated as problem:
                named = problem.violations[: found.room]
                unnamed = len(problem.violations) - len(named) + problem.more
                found.add(*_within(f"[{index}]", named), more=unnamed)
        if found:
            raise Violated(*found.named, more=found.more)
        return tuple(values)

    return read_list


def _field_reader(owner: type[Any], field: FieldPlan, ids: IdMode) -> Read:
    read = _reader(field.shape, ids)
    chosen = field.shape.mark(Chosen)
    if chosen is not None:
        read = choosing(read, field, chosen)
    judged = field.shape.mark(Judged)
    if judged is not None:
        read = _judging(read, judged)
    required = field.shape.mark(Requires)
    if required is not None:
        inner_fields = {each.attribute: each for each in fields_of(field.shape.kind)}
        read = with_all_there(read, inner_finder(inner_fields[required.attribute]))
    inner = field.shape.kind
    if field.shape.is_struct and is_recursive(inner) and not is_recursive(owner):
        read = _small_enough(read)
    return read


def _judging(read: Read, judged: Judged) -> Read:
    def read_judged(raw: Any) -> Any:
        value = read(raw)
        found = tuple(judged.judge(value))
        if found:
            raise Violated(*found)
        return value

    return read_judged


def _small_enough(read: Read) -> Read:
    def read_tree(raw: Any) -> Any:
        formats.require_small(raw, depth_max=TREE_DEPTH_MAX, values_max=TREE_VALUES_MAX)
        return read(raw)

    return read_tree


@once
def _struct_reader(type_: type[Any], ids: IdMode, *, shallow: bool = False) -> Read:
    """The reader of an object. ``shallow`` leaves the entries of a bulk request unread.

    A type that holds itself finds its reader in the table that is still being filled.
    """
    if is_recursive(type_):
        return _later(type_, ids)
    read = _compiled_reader(type_, ids, shallow=shallow)
    stray: Stray | None = getattr(type_, "stray", None)
    if stray is not None:
        read = _refusing_stray(read, type_, stray)
    find_unchosen = unchosen_finder(type_)
    return with_all_there(read, find_unchosen) if find_unchosen else read


def _refusing_stray(read: Read, type_: type[Any], stray: Stray) -> Read:
    known = fields_by_name(type_)

    def find_stray(raw: Any) -> list[FieldViolation]:
        return [
            FieldViolation(name, stray.description, ViolatedRule.FIELD_NOT_ALLOWED)
            for name, item in (raw.items() if type(raw) is dict else ())
            if name not in known
            and (not stray.names or name in stray.names)
            and item not in stray.unless
        ]

    return with_all_there(read, find_stray)


def _later(type_: type[Any], ids: IdMode) -> Read:
    compiled: list[Read] = []

    def read_recursive(raw: Any) -> Any:
        if not compiled:
            compiled.append(_compiled_reader(type_, ids, shallow=False))
        return compiled[0](raw)

    return read_recursive


def _compiled_reader(type_: type[Any], ids: IdMode, *, shallow: bool) -> Read:
    fields = [field for field in fields_of(type_) if field.shape.mark(ReadOnly) is None]
    entries = entries_of(type_) if shallow else None
    table: dict[str, tuple[str, str, Read]] = {}
    for field in fields:
        read = _unread(field.shape) if field is entries else _field_reader(type_, field, ids)
        table.update(dict.fromkeys(field.names, (field.attribute, field.wire_name, read)))
    required = {field.attribute: missing(field) for field in fields if field.required}
    required_names = required.keys()
    one_of: OneOf | None = getattr(type_, "one_of", None)
    entry_of = table.get

    def read_struct(raw: Any) -> Any:
        if type(raw) is not dict:
            raise wrong_format("OBJECT")
        values: dict[str, Any] = {}
        found: dict[str, Violated] = {}
        for name, item in raw.items():
            entry = entry_of(name)
            if entry is None or item is None:
                continue
            attribute, wire_name, read = entry
            try:
                values[attribute] = read(item)
            except Violated as problem:
                named = _within(wire_name, problem.violations)
                found[attribute] = Violated(*named, more=problem.more)
        if found or not required_names <= values.keys():
            more = sum(each.more for each in found.values())
            raise Violated(*_problems(found, required, values, one_of), more=more)
        if one_of is not None:
            misaligned = misalignment(one_of, values, values)
            if misaligned:
                raise Violated(misaligned)
        return type_(**values)

    return read_struct


def _unread(shape: Shape) -> Read:
    read_size = _size_reader(shape)

    def read_nothing(raw: Any) -> tuple[Any, ...]:
        read_size(raw)
        return ()

    return read_nothing


def _problems(
    found: dict[str, Violated],
    required: dict[str, FieldViolation],
    values: dict[str, Any],
    one_of: OneOf | None,
) -> Iterator[FieldViolation]:
    """All violations of an object: of its fields, what is missing, and what excludes itself."""
    problems = [problem.violations for problem in found.values()]
    for attribute, absent in required.items():
        if attribute not in values and attribute not in found:
            problems.append((absent,))
    misaligned = misalignment(one_of, {**found, **values}, values) if one_of else None
    if misaligned:
        problems.append((misaligned,))
    return chain.from_iterable(none_hidden(problems))
