"""Finds the fields of a request that its type doesn't have, for strict mode.

The contract ignores such fields. Strict mode makes each of them a violation that says where the
field belongs, what it is called, or that callers can't set it. Decoding isn't involved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec

from benefit_programs.domain.constraints import Immutable, MaskText, ReadOnly, Size
from benefit_programs.domain.errors import FieldViolation, ViolatedRule
from benefit_programs.domain.words import nearest, shortened
from benefit_programs.wire.codec.fields import (
    FieldPlan,
    Shape,
    entries_of,
    fields_of,
    once,
)
from benefit_programs.wire.codec.naming import join, to_camel
from benefit_programs.wire.codec.query_strings import position_in

VIOLATIONS_MAX = 20
"""How many violations strict mode adds to a request, or to an entry of a bulk request."""

DEPTH_MAX = 64
"""How deep objects are followed; deeper ones are refused by those who read them."""

UNKNOWN_FIELD = "unknown_field"
MISPLACED_FIELD = "misplaced_field"
MISNAMED_FIELD = "misnamed_field"
READONLY_FIELD = "readonly_field"

_OTHER_WORDS = {
    "quantity": "count",
    "qty": "count",
    "itemCount": "count",
    "amount": "value",
    "name": "displayName",
    "title": "displayName",
    "status": "programStatus",
    "externalId": "externalProgramId",
    "userId": "memberId",
    "date": "targetDate",
    "item": "itemReference",
}
"""What people call fields, and how the contract calls them where it has such a field."""

Steps = tuple[str, ...]
"""The names on the wire of objects, each inside the one before; a list ends in ``[]``."""


class _Object(msgspec.Struct, frozen=True):
    """An object of a request: its type, its path with indexes, and the steps from the root."""

    root: type[Any]
    kind: type[Any]
    path: str = ""
    steps: Steps = ()

    def inner(self, field: FieldPlan, type_: type[Any], position: int | None = None) -> _Object:
        """The object in a field of this one, or at a position of a list there."""
        name, step = field.wire_name, field.wire_name
        if field.shape.is_list:
            name, step = f"{name}[{position or 0}]", f"{name}[]"
        return _Object(self.root, type_, join(self.path, name), (*self.steps, step))

    def violation(self, name: str, rule_name: str, description: str) -> FieldViolation:
        path = join(self.path, shortened(name))
        return FieldViolation(path, description, ViolatedRule.OTHER, rule_name)


def strangers(type_: type[Any], raw: object) -> tuple[FieldViolation, ...]:
    """The violations of a document: fields that a request of this type doesn't have."""
    return tuple(islice(_strangers_in(_Object(type_, type_), raw), VIOLATIONS_MAX))


def strangers_beside_entries(type_: type[Any], raw: object) -> tuple[FieldViolation, ...]:
    """The same, without the entries of a bulk request."""
    entries = entries_of(type_)
    if entries is not None and isinstance(raw, dict):
        raw = {name: item for name, item in raw.items() if name != entries.wire_name}
    return strangers(type_, raw)


def strangers_of_entry(
    type_: type[Any], field: FieldPlan, index: int, raw: object
) -> tuple[FieldViolation, ...]:
    """The same for one entry of a bulk request, whose list is ``field``."""
    kind = field.shape.element
    if not kind.is_struct:
        return ()
    entry = _Object(type_, type_).inner(field, kind.kind, index)
    return tuple(islice(_strangers_in(entry, raw), VIOLATIONS_MAX))


def strange_parameters(type_: type[Any], names: Iterable[str]) -> tuple[FieldViolation, ...]:
    """The violations of the names of a query string's parameters."""
    root = _Object(type_, type_)
    found = (each for name in names for each in _strange_steps(root, name.split(".")))
    return tuple(islice(found, VIOLATIONS_MAX))


def _strange_steps(holder: _Object, names: list[str]) -> Iterator[FieldViolation]:
    first, *others = names[:DEPTH_MAX]
    first, position = position_in(first)
    field = _fields_by_wire_name(holder.kind).get(first)
    if field is None or field.shape.mark(ReadOnly):
        yield _strange(holder, first)
    elif others:
        inner = _object_in(field.shape)
        if inner is None:
            description = "has no fields of its own"
            yield holder.violation(".".join(names), UNKNOWN_FIELD, description)
        else:
            yield from _strange_steps(holder.inner(field, inner, position), others)


def _strangers_in(holder: _Object, raw: object) -> Iterator[FieldViolation]:
    if not isinstance(raw, dict) or len(holder.steps) > DEPTH_MAX:
        return
    followed = _followed(holder.kind)
    for name, item in raw.items():
        if name not in followed:
            yield _strange(holder, name)
            continue
        field = followed[name]
        if field is not None:
            yield from _strangers_of_field(holder, field, item)


def _strangers_of_field(
    holder: _Object, field: FieldPlan, item: object
) -> Iterator[FieldViolation]:
    if field.shape.mark(MaskText):
        yield from _strange_in_mask(holder, field, item)
        return
    inner = _object_in(field.shape)
    if inner is None:
        return
    if not field.shape.is_list:
        yield from _strangers_in(holder.inner(field, inner), item)
    elif isinstance(item, list):
        size = field.shape.mark(Size) or Size()
        for index, each in enumerate(item[: size.maximum]):
            yield from _strangers_in(holder.inner(field, inner, index), each)


def _strange_in_mask(holder: _Object, mask: FieldPlan, item: object) -> Iterator[FieldViolation]:
    """What a mask names that the object beside it has no place for."""
    masked = next(each for each in fields_of(holder.kind) if each.shape.is_struct)
    entity = holder.inner(masked, masked.shape.kind)
    names = item.get("paths") if isinstance(item, dict) else item
    if isinstance(names, str):
        names = [each.strip() for each in names.split(",") if each.strip()]
    for name in names if isinstance(names, list) else ():
        first = str(name).partition(".")[0]
        if first not in _fields_by_wire_name(entity.kind):
            found = _strange(entity, first)
            description = f"{shortened(first)} {found.description}"
            yield holder.violation(mask.wire_name, found.rule_name or "", description)


def _object_in(shape: Shape) -> type[Any] | None:
    """The type of the objects that a field holds, alone or in a list; None if it holds none."""
    inner = shape.element if shape.is_list else shape
    return inner.kind if inner.is_struct else None


def _strange(holder: _Object, name: str) -> FieldViolation:
    """What to say of a name that an object has no place for: the best of what there is to say."""
    return (
        _set_by_service(holder, name)
        or _called_otherwise(holder, name)
        or _placed_elsewhere(holder, name)
        or _misspelt(holder, name)
        or _unknown(holder, name)
    )


def _set_by_service(holder: _Object, name: str) -> FieldViolation | None:
    """A field that answers have and requests can't set."""
    settable = {each.attribute for each in _settable(holder.kind)}
    entity: type[Any] = getattr(holder.kind, "entity", holder.kind)
    for field in fields_of(entity):
        if name in field.names and field.attribute not in settable:
            was_chosen = (
                entity is not holder.kind
                and field.attribute != "id"
                and field.shape.mark(Immutable)
            )
            description = "can't be changed" if was_chosen else "is set by the service"
            return holder.violation(name, READONLY_FIELD, description)
    return None


def _called_otherwise(holder: _Object, name: str) -> FieldViolation | None:
    """Another style of a name, or an alias."""
    for field in _settable(holder.kind):
        if name in field.names:
            return _misnamed(holder, name, field.wire_name)
    return None


def _placed_elsewhere(holder: _Object, name: str) -> FieldViolation | None:
    """A field of another object of the request; the nearest one counts."""
    places = _places(holder.root).get(name)
    if not places:
        return None
    nearest = min(places, key=lambda each: _distance(each, holder.steps))
    return holder.violation(name, MISPLACED_FIELD, _way(holder.steps, nearest))


def _misspelt(holder: _Object, name: str) -> FieldViolation | None:
    names = tuple(field.wire_name for field in _settable(holder.kind))
    camel = to_camel(shortened(name))
    word = _OTHER_WORDS.get(camel)
    meant = word if word in names else nearest(camel, names)
    return _misnamed(holder, name, meant) if meant else None


def _unknown(holder: _Object, name: str) -> FieldViolation:
    names = ", ".join(field.wire_name for field in _settable(holder.kind))
    description = f"is no field here; there are {names}" if names else "is no field here"
    return holder.violation(name, UNKNOWN_FIELD, description)


def _misnamed(holder: _Object, name: str, wire_name: str) -> FieldViolation:
    return holder.violation(name, MISNAMED_FIELD, f"is called {wire_name}")


def _way(here: Steps, there: Steps) -> str:
    """How to tell where a field belongs that was found in the object ``here``."""
    common = _common(here, there)
    if common == len(there):
        return f"belongs beside {here[common].removesuffix('[]')}"
    return f"belongs in {'.'.join(there[common:] if common == len(here) else there)}"


def _common(one: Steps, other: Steps) -> int:
    """How many steps two ways have in common."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _distance(one: Steps, other: Steps) -> int:
    return len(one) + len(other) - 2 * _common(one, other)


@once
def _fields_by_wire_name(type_: type[Any]) -> dict[str, FieldPlan]:
    return {field.wire_name: field for field in fields_of(type_)}


@once
def _followed(type_: type[Any]) -> dict[str, FieldPlan | None]:
    """The names that an object may have, with the fields that must be looked into."""
    return {
        field.wire_name: field if _object_in(field.shape) or field.shape.mark(MaskText) else None
        for field in _settable(type_)
    }


@once
def _settable(type_: type[Any]) -> tuple[FieldPlan, ...]:
    return tuple(each for each in fields_of(type_) if each.shape.mark(ReadOnly) is None)


@once
def _places(root: type[Any]) -> dict[str, tuple[Steps, ...]]:
    """The objects of a request that have a field of a name, nearest to the root first."""
    places: dict[str, tuple[Steps, ...]] = {}
    waiting: list[tuple[type[Any], Steps, frozenset[type[Any]]]] = [(root, (), frozenset())]
    for type_, steps, above in waiting:
        for field in _settable(type_):
            for name in field.names:
                if steps not in places.get(name, ()):
                    places[name] = (*places.get(name, ()), steps)
            inner = _object_in(field.shape)
            if inner is not None and inner not in above:
                step = f"{field.wire_name}[]" if field.shape.is_list else field.wire_name
                waiting.append((inner, (*steps, step), above | {type_}))
    return places
