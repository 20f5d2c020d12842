"""The types of the wire as JSON Schemas (2020-12), made from their fields and marks."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import Any, get_origin

from benefit_programs.domain.constraints import (
    Addition,
    Alias,
    Chosen,
    DecimalText,
    Duration,
    Entries,
    FreeForm,
    Guid,
    Immutable,
    InstantText,
    Int32,
    Int64Text,
    Mark,
    MaskText,
    OneOf,
    ReadOnly,
    Requires,
    Size,
    Text,
    TimeZone,
    Undocumented,
)
from benefit_programs.domain.durations import DURATION_LENGTH_MAX, DURATION_YEARS_MAX
from benefit_programs.domain.values import AMOUNT_MAX
from benefit_programs.wire.codec.fields import FieldPlan, Shape, fields_of
from benefit_programs.wire.codec.formats import GIVEN_ID_LENGTH_MAX, MASK_NAMES_MAX, amount_text
from benefit_programs.wire.codec.naming import to_camel
from benefit_programs.wire.descriptions import description_of

Schema = dict[str, Any]
Describe = Callable[[type[Any], str], str | None]

PLACE = "#/components/schemas/"
_TIME_PATTERN = "(T([0-9]{1,8}H)?([0-9]{1,9}M)?([0-9]{1,10}([.][0-9]{1,3})?S)?)?$"
_EXACT_PATTERN = f"([0-9]{{1,5}}W)?([0-9]{{1,6}}D)?{_TIME_PATTERN}"
_SOME_UNIT = "(?=[0-9]|T[0-9])"
FIXED_DURATION_PATTERN = f"^P{_SOME_UNIT}{_EXACT_PATTERN}"
DURATION_PATTERN = f"^P{_SOME_UNIT}([0-9]{{1,4}}Y)?([0-9]{{1,5}}M)?{_EXACT_PATTERN}"
GIVEN_IDS = f"any 1 to {GIVEN_ID_LENGTH_MAX} printable characters"

GIVEN_BY_PATH = "May be left out where the path has it; must not differ."

_PLAIN = {bool: "boolean", int: "integer"}
_SHARED_MODULES = ("benefit_programs.domain.", "benefit_programs.wire.types.common")


def about(type_: type[Any]) -> str:
    """A type's docstring on one line."""
    return " ".join(inspect.cleandoc(type_.__doc__ or "").split())


def named_types_in(types: Iterable[type[Any]]) -> list[type[Any]]:
    """These structs, and all structs and enums that they hold, each once."""
    found: dict[type[Any], None] = {}
    waiting = list(types)
    while waiting:
        type_ = waiting.pop(0)
        if type_ not in found:
            found[type_] = None
            waiting += [] if issubclass(type_, Enum) else held_by(type_)
    return list(found)


def held_by(type_: type[Any]) -> list[type[Any]]:
    shapes = [field.shape for field in fields_of(type_)]
    inner = [shape.element if shape.is_list else shape for shape in shapes]
    return [
        shape.kind
        for shape in inner
        if shape.is_struct or (isinstance(shape.kind, type) and issubclass(shape.kind, Enum))
    ]


def names_of(types: Iterable[type[Any]]) -> dict[type[Any], str]:
    """A name for each type: its own, with its family before it where several share it."""
    by_name: defaultdict[str, list[type[Any]]] = defaultdict(list)
    for type_ in types:
        by_name[type_.__name__].append(type_)
    return {
        type_: name if len(sharing) == 1 or _is_shared(type_) else _family(type_) + name
        for name, sharing in by_name.items()
        for type_ in sharing
    }


def _is_shared(type_: type[Any]) -> bool:
    return type_.__module__.startswith(_SHARED_MODULES)


def _family(type_: type[Any]) -> str:
    module = to_camel(type_.__module__.rpartition(".")[2])
    return module[0].upper() + module[1:]


class Schemas:
    """The schemas of requests and answers, which refer to each other by name.

    ``given`` tells of a request what its path holds, so that its body may leave it out. ``full``
    names the types of whole answers, whose fields are always there, but for those that it lists.
    ``describe`` says what a field of a type holds.
    """

    def __init__(
        self,
        types: Iterable[type[Any]],
        *,
        given: dict[type[Any], frozenset[str]],
        full: dict[type[Any], frozenset[str]],
        describe: Describe = description_of,
    ) -> None:
        known = named_types_in(types)
        self.names = names_of(known)
        self._given = given
        self._full = full
        self._describe = describe
        assert len(set(self.names.values())) == len(known), "two types share a name"

    def all(self) -> dict[str, Schema]:
        found = {name: self._schema_of(type_) for type_, name in self.names.items()}
        return dict(sorted(found.items()))

    def reference(self, type_: type[Any]) -> Schema:
        return {"$ref": PLACE + self.names[type_]}

    def of_field(self, type_: type[Any], field: FieldPlan) -> Schema:
        """The schema of a field, with what the field holds and what its format says."""
        schema = self.of_shape(field.shape)
        for mark in field.shape.marks:
            schema |= _said_by(mark)
        text = self._describe(type_, field.attribute)
        sentences = [each for each in (text, schema.pop("description", None)) if each]
        return schema | ({"description": " ".join(sentences)} if sentences else {})

    def of_shape(self, shape: Shape) -> Schema:
        for mark in reversed(shape.marks):
            write = _WRITERS.get(type(mark))
            if write is not None:
                return write(mark)
        if shape.is_list:
            size = shape.mark(Size) or Size()
            limits = {"minItems": size.minimum or None, "maxItems": size.maximum}
            return {"type": "array", "items": self.of_shape(shape.element), **_present(limits)}
        if shape.kind in self.names:
            return self.reference(shape.kind)
        if get_origin(shape.kind) is dict:
            return {"type": "object"}
        return {"type": _PLAIN.get(shape.kind, "string")}

    def _schema_of(self, type_: type[Any]) -> Schema:
        if issubclass(type_, Enum):
            names = [member.name for member in type_]
            return {"type": "string", "description": about(type_), "enum": names}
        fields = fields_of(type_)
        required = [field.wire_name for field in fields if self._is_required(type_, field)]
        schema = {
            "type": "object",
            "description": about(type_),
            "properties": {field.wire_name: self._property(type_, field) for field in fields},
            "required": required or None,
        }
        one_of: OneOf | None = getattr(type_, "one_of", None)
        return _present(schema) | (_choice(one_of) if one_of else {})

    def _is_required(self, type_: type[Any], field: FieldPlan) -> bool:
        if type_ in self._full:
            is_optional = field.wire_name in self._full[type_]
            is_of_contract = not (field.shape.mark(Undocumented) or field.shape.mark(Addition))
            return is_of_contract and not is_optional
        return field.required and field.wire_name not in self._given.get(type_, ())

    def _property(self, type_: type[Any], field: FieldPlan) -> Schema:
        schema = self.of_field(type_, field)
        if field.wire_name in self._given.get(type_, ()):
            said = schema.get("description", "")
            schema["description"] = f"{said} {GIVEN_BY_PATH}".strip()
        inner = field.shape.kind
        if field.shape.is_struct and field.required and "id" in self._given.get(inner, ()):
            owner_is_entry = type_ not in self._given
            schema |= {"required": ["id"]} if owner_is_entry else {}
        return schema


def _said_by(mark: Mark) -> Schema:
    """What a mark says beside the form of the value."""
    if isinstance(mark, Alias):
        return {"x-aliases": [mark.name]}
    if isinstance(mark, Requires):
        return {"required": [to_camel(mark.attribute)]}
    if isinstance(mark, Chosen):
        return _chosen(mark)
    key = _KEYWORDS.get(type(mark))
    return {key: True} if key else {}


def _chosen(mark: Chosen) -> Schema:
    if mark.beside:
        return {"description": f"Required where there are {to_camel(mark.beside[-1])}."}
    return {"not": {"pattern": "^UNKNOWN"}}


_KEYWORDS: dict[type[Mark], str] = {
    ReadOnly: "readOnly",
    Immutable: "x-immutable",
    Undocumented: "x-undocumented",
    Addition: "x-addition",
    Entries: "x-judged-one-by-one",
}


def _present(schema: Schema) -> Schema:
    return {name: value for name, value in schema.items() if value is not None}


def _text(mark: Text) -> Schema:
    limits = {"minLength": mark.min_length or None, "maxLength": mark.max_length}
    return {"type": "string", **_present(limits)}


def _id(mark: Guid) -> Schema:
    if mark.kind == "external":
        description = f"By default {GIVEN_IDS}; a GUID if the tenant's ids are strict."
        limits = {"minLength": 1, "maxLength": GIVEN_ID_LENGTH_MAX}
        return {"type": "string", **limits, "description": description}
    if mark.kind == "entity":
        return {"type": "string", "format": "uuid"}
    description = f"A GUID; {GIVEN_IDS} if the tenant's ids are open."
    return {"type": "string", "format": "uuid", "description": description}


def _amount(mark: DecimalText) -> Schema:
    sign = "-?" if mark.at_least is None else ""
    # What must be more than nothing has a digit that says so.
    above = "(?=.*[1-9])" if mark.at_least else ""
    return {
        "type": "string",
        "format": "decimal",
        "pattern": f"^{above}{sign}[0-9]{{1,15}}(\\.[0-9]{{1,4}})?$",
        "description": f"Credits, at most {amount_text(AMOUNT_MAX)}.",
    }


def _duration(mark: Duration) -> Schema:
    return {
        "type": "string",
        "pattern": FIXED_DURATION_PATTERN if mark.is_fixed else DURATION_PATTERN,
        "maxLength": DURATION_LENGTH_MAX,
        "description": f"An ISO 8601 duration, at most {DURATION_YEARS_MAX} years.",
    }


def _int32(mark: Int32) -> Schema:
    limits = {"minimum": mark.minimum, "maximum": mark.maximum}
    return {"type": "integer", "format": "int32", **_present(limits)}


def _free_form(mark: FreeForm) -> Schema:
    description = f"At most {mark.bytes_max} bytes as JSON."
    return {"type": "object", "description": description, "additionalProperties": True}


def _mask(_: MaskText) -> Schema:
    names = {"type": "array", "items": {"type": "string"}, "maxItems": MASK_NAMES_MAX}
    properties = {"paths": names | {"description": "The names."}}
    paths = {"type": "object", "properties": properties}
    return {
        "description": "Names of top-level fields: `a,b`, a list, or an object with `paths`.",
        "anyOf": [{"type": "string"}, names, paths],
    }


_WRITERS: dict[type[Mark], Callable[[Any], Schema]] = {
    Text: _text,
    Guid: _id,
    DecimalText: _amount,
    InstantText: lambda _: {"type": "string", "format": "date-time"},
    Duration: _duration,
    Int64Text: lambda _: {"type": "string", "format": "int64", "pattern": "^-?[0-9]{1,19}$"},
    Int32: _int32,
    FreeForm: _free_form,
    MaskText: _mask,
    TimeZone: lambda _: {"type": "string", "description": "The IANA name of a time zone."},
}


def _choice(one_of: OneOf) -> Schema:
    """Exactly one of the fields, or at most one where none is required."""
    choices = list(_choices(one_of))
    if not one_of.required:
        fields = [to_camel(name) for name in one_of.fields]
        choices.append({"not": {"anyOf": [{"required": [name]} for name in fields]}})
    return {"oneOf": choices}


def _choices(one_of: OneOf) -> Iterator[Schema]:
    fields = [to_camel(attribute) for attribute in (*one_of.fields, *one_of.answered)]
    for index, field in enumerate(fields):
        choice: Schema = {"required": [field]}
        if one_of.tag and index < len(one_of.tags):
            # A tag that fits one choice alone would let another field pass beside it.
            others = [{"required": [other]} for other in fields if other != field]
            choice["properties"] = {to_camel(one_of.tag): {"const": str(one_of.tags[index])}}
            choice["not"] = {"anyOf": others}
        yield choice
