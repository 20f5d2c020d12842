"""Extended fields at the edge: values are checked on the way in, namespaces hidden on the way out.

Both are compiled from the types of a method, so that a new method or a new place in an answer is
covered without a line of its own; and neither costs anything where a tenant has no schemas.
Contract: Extended fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from benefit_programs.api.authentication import Principal
from benefit_programs.api.method import Method
from benefit_programs.domain.errors import FieldViolation, Invalid, ViolatedRule
from benefit_programs.domain.extended_fields import closed_namespaces, hidden_namespaces
from benefit_programs.domain.settings import ExtendedEntity, TenantSettings
from benefit_programs.wire.codec import Bulk, Decoded, Shape, fields_of, to_camel
from benefit_programs.wire.codec.fields import entries_of, is_recursive, once
from benefit_programs.wire.events import shown_entities
from benefit_programs.wire.types import (
    items,
    pool_definitions,
    pools,
    program_definitions,
    programs,
)
from benefit_programs.wire.types.events import DomainEvent

Hidden = Mapping[ExtendedEntity, frozenset[str]]
Hide = Callable[[Any, Hidden], None]

ENTITIES: dict[type[Any], ExtendedEntity] = {
    program_definitions.ProgramDefinition: ExtendedEntity.PROGRAM_DEFINITION,
    program_definitions.NewProgramDefinition: ExtendedEntity.PROGRAM_DEFINITION,
    program_definitions.ProgramDefinitionChange: ExtendedEntity.PROGRAM_DEFINITION,
    pool_definitions.PoolDefinition: ExtendedEntity.POOL_DEFINITION,
    pool_definitions.NewPoolDefinition: ExtendedEntity.POOL_DEFINITION,
    pool_definitions.PoolDefinitionChange: ExtendedEntity.POOL_DEFINITION,
    programs.Program: ExtendedEntity.PROGRAM,
    programs.ProgramChange: ExtendedEntity.PROGRAM,
    pools.Pool: ExtendedEntity.POOL,
    pools.PoolChange: ExtendedEntity.POOL,
    items.Item: ExtendedEntity.ITEM,
    items.NewItem: ExtendedEntity.ITEM,
    items.ItemChange: ExtendedEntity.ITEM,
}
"""The types of the wire whose extended fields callers set; those of others stay empty."""

FIELDS = "extendedFields"
ATTRIBUTE = "extended_fields"
MASK = "field_mask"


class FieldRules:
    """What one method has to see to about extended fields; mostly nothing."""

    def __init__(self, method: Method) -> None:
        self._place = place_in(method.request)
        self._entries = to_camel(method.bulk_field or "")
        self._hide = hider_for(method.response)

    def check(self, decoded: Decoded[Any], principal: Principal) -> None:
        """Refuse a request whose extended fields disagree with the tenant's schemas."""
        if self._place is None or not has_rules(principal.settings):
            return
        violations = tuple(disagreements(self._place, decoded.value, principal, ""))
        if violations:
            raise Invalid(violations)

    def check_entries(self, bulk: Bulk[Any], principal: Principal) -> Bulk[Any]:
        """The bulk request, with a refusal in the place of each entry that disagrees."""
        place = self._place
        if place is None or not has_rules(principal.settings):
            return bulk
        entries: list[Decoded[Any] | Invalid] = []
        for index, entry in enumerate(bulk.entries):
            violations: tuple[FieldViolation, ...] = ()
            if not isinstance(entry, Invalid):
                path = f"{self._entries}[{index}]"
                violations = tuple(disagreements(place, entry.value, principal, path))
            entries.append(Invalid(violations) if violations else entry)
        return Bulk(bulk.request, tuple(entries))

    def hide(self, document: dict[str, Any], principal: Principal) -> None:
        """Take out of an encoded answer what the caller doesn't see."""
        if self._hide is not None and principal.settings.extended_field_schemas:
            self._hide(document, hidden_namespaces(principal.settings, principal.caller))


def has_rules(settings: TenantSettings) -> bool:
    """Whether what is sent must be checked at all."""
    return bool(settings.extended_field_schemas) or settings.extended_fields_require_schema


# Values on the way in


class Place(msgspec.Struct, frozen=True):
    """Where a request, or an entry of it, has an entity with extended fields."""

    attributes: tuple[str, ...]
    entity: ExtendedEntity


@once
def place_in(request: type[Any]) -> Place | None:
    """The place of extended fields in a request or, for a bulk request, in each of its entries."""
    entries = entries_of(request)
    shape = entries.shape.element if entries else Shape(request)
    return _place(shape, ()) if shape.is_struct else None


def _place(shape: Shape, attributes: tuple[str, ...]) -> Place | None:
    entity = ENTITIES.get(shape.kind)
    if entity is not None:
        return Place(attributes, entity)
    if attributes:
        return None
    for field in fields_of(shape.kind):
        found = _place(field.shape, (field.attribute,)) if field.shape.is_struct else None
        if found is not None:
            return found
    return None


def disagreements(
    place: Place, value: Any, principal: Principal, path: str
) -> Iterator[FieldViolation]:
    """What the extended fields of one value break, which stands at a path."""
    masked = {name.split(".")[0] for name in getattr(value, MASK, None) or ()}
    if masked and ATTRIBUTE not in masked:
        return
    for attribute in place.attributes:
        value = getattr(value, attribute)
        path = f"{path}.{to_camel(attribute)}".removeprefix(".")
    fields = value.extended_fields
    if fields is None or not fields.namespaces:
        return
    settings = principal.settings
    closed = closed_namespaces(settings, place.entity, principal.caller)
    for namespace, sent in fields.namespaces.items():
        # What the caller can't set is passed over, and what is removed needs no shape.
        if sent is not None and namespace not in closed:
            where = f"{path}.{FIELDS}.namespaces.{namespace}"
            yield from _judged(settings, place.entity, namespace, sent, where)


def _judged(
    settings: TenantSettings, entity: ExtendedEntity, namespace: str, sent: Any, where: str
) -> list[FieldViolation]:
    for each in settings.extended_field_schemas:
        if each.namespace == namespace and each.entity is entity:
            # Only here and below: most tenants describe no fields, and it loads a large library.
            from benefit_programs.api.json_schemas import value_violations  # noqa: PLC0415

            return value_violations(each.schema, sent, where)
    if not settings.extended_fields_require_schema:
        return []
    return [FieldViolation(where, "has no schema", ViolatedRule.FIELD_NOT_ALLOWED)]


# Namespaces on the way out


@once
def hider_for(response: type[Any]) -> Hide | None:
    """What takes hidden namespaces out of an encoded answer; None if it can't hold any."""
    entity = ENTITIES.get(response)
    if entity is not None:
        return _entity_hider(entity)
    if is_recursive(response):
        return None
    inner = [
        (field.wire_name, hide)
        for field in fields_of(response)
        if (hide := _shape_hider(field.shape)) is not None
    ]
    if not inner:
        return None

    def hide_inside(document: Any, hidden: Hidden) -> None:
        for name, hide in inner:
            if name in document:
                hide(document[name], hidden)

    return hide_inside


def _shape_hider(shape: Shape) -> Hide | None:
    if not shape.is_list:
        return hider_for(shape.kind) if shape.is_struct else None
    hide = _shape_hider(shape.element)
    if hide is None:
        return None

    def hide_in_each(documents: Any, hidden: Hidden) -> None:
        for each in documents:
            hide(each, hidden)

    return hide_in_each


def _entity_hider(entity: ExtendedEntity) -> Hide:
    def hide_namespaces(document: Any, hidden: Hidden) -> None:
        names = hidden.get(entity)
        if not names or FIELDS not in document:
            return
        # The namespaces are the stored row's own: made anew, never changed.
        seen = {
            name: fields
            for name, fields in document[FIELDS]["namespaces"].items()
            if name not in names
        }
        if seen:
            document[FIELDS] = {"namespaces": seen}
        else:
            del document[FIELDS]

    return hide_namespaces


_WHOLE_ENTITIES: dict[str, ExtendedEntity] = {each.value.lower(): each for each in ExtendedEntity}
"""Of the entities that events show: what their extended fields belong to."""


def hide_in_event(event: DomainEvent, principal: Principal) -> None:
    """Take out of an event's entity what the caller doesn't see."""
    if not principal.settings.extended_field_schemas:
        return
    entity = _WHOLE_ENTITIES.get((event.entity_fqdn or "").rpartition(".")[2])
    if entity is None:
        return
    hidden, hide = hidden_namespaces(principal.settings, principal.caller), _entity_hider(entity)
    for shown in shown_entities(event):
        hide(shown, hidden)


# Schemas as they are registered


def require_usable_schemas(settings: TenantSettings) -> None:
    """Refuse schemas that are broken or too much work, and two for one namespace of an entity."""
    violations = tuple(schema_problems(settings, "extendedFieldSchemas"))
    if violations:
        raise Invalid(violations)


def schema_problems(settings: TenantSettings, path: str) -> Iterator[FieldViolation]:
    """What keeps the schemas of a tenant, which stand at a path, from being used."""
    seen: set[tuple[ExtendedEntity, str]] = set()
    for index, each in enumerate(settings.extended_field_schemas):
        where = f"{path}[{index}]"
        if (each.entity, each.namespace) in seen:
            yield FieldViolation(f"{where}.namespace", "has a schema already")
        seen.add((each.entity, each.namespace))
        from benefit_programs.api.json_schemas import schema_violation  # noqa: PLC0415 - as above

        found = schema_violation(each.schema, f"{where}.schema")
        if found is not None:
            yield found
