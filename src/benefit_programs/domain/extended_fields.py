"""Extended fields: who may read and write each namespace, and how updates merge.

Namespaces merge: one that an update doesn't send stays, one that it sends is replaced whole, one
that it sends as None is removed. A namespace with a schema belongs to the apps that the schema
names; for everybody else but administrators it is as if it weren't there, so that what they send
of it is passed over, like all that a caller can't set, and what is stored of it stays.

Values are checked against their schema at the edge, not here: a namespace is replaced whole, so
what was sent is what will be stored, and the check needs nothing that a commit could change.
Contract: Extended fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from benefit_programs.domain.constraints import FREE_FORM_BYTES_MAX
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import Item, Pool, PoolDefinition, Program, ProgramDefinition
from benefit_programs.domain.errors import Invalid, ViolatedRule
from benefit_programs.domain.settings import ExtendedEntity, ExtendedFieldSchema, TenantSettings
from benefit_programs.domain.values import Identity, IdentityType, Updates

Namespaces = dict[str, Any]

NOTHING: frozenset[str] = frozenset()

Extended = TypeVar("Extended", ProgramDefinition, PoolDefinition, Item, Program, Pool)

_KINDS: dict[type[object], ExtendedEntity] = {
    ProgramDefinition: ExtendedEntity.PROGRAM_DEFINITION,
    PoolDefinition: ExtendedEntity.POOL_DEFINITION,
    Program: ExtendedEntity.PROGRAM,
    Pool: ExtendedEntity.POOL,
    Item: ExtendedEntity.ITEM,
}


def may_read(schema: ExtendedFieldSchema, caller: Identity) -> bool:
    """Whether the caller sees the namespace of a schema."""
    if caller.type is IdentityType.APP:
        return caller.id in schema.read_app_ids or caller.id in schema.write_app_ids
    return caller.type is IdentityType.WIX_USER


def may_write(schema: ExtendedFieldSchema, caller: Identity) -> bool:
    """Whether the caller sets the namespace of a schema."""
    if caller.type is IdentityType.APP:
        return caller.id in schema.write_app_ids
    return caller.type is IdentityType.WIX_USER


def hidden_namespaces(
    settings: TenantSettings, caller: Identity
) -> Mapping[ExtendedEntity, frozenset[str]]:
    """The namespaces that the caller doesn't see, of each entity that has any."""
    hidden: dict[ExtendedEntity, frozenset[str]] = {}
    for schema in settings.extended_field_schemas:
        if not may_read(schema, caller):
            known = hidden.get(schema.entity, NOTHING)
            hidden[schema.entity] = known | {schema.namespace}
    return hidden


def closed_namespaces(
    settings: TenantSettings, entity: ExtendedEntity, caller: Identity
) -> frozenset[str]:
    """The namespaces of an entity that the caller can't set."""
    if not settings.extended_field_schemas:
        return NOTHING
    return frozenset(
        schema.namespace
        for schema in settings.extended_field_schemas
        if schema.entity is entity and not may_write(schema, caller)
    )


def accepted(sent: Namespaces | None, context: Context, kind: type[Extended]) -> Namespaces | None:
    """The extended fields of a new entity: what the caller may set of those that were sent."""
    if sent is None:
        return None
    closed = closed_namespaces(context.settings, _KINDS[kind], context.caller)
    return merge_namespaces(None, sent, closed)


def merge_namespaces(
    current: Namespaces | None, sent: Namespaces | None, closed: frozenset[str] = NOTHING
) -> Namespaces | None:
    """Extended fields after an update; closed namespaces stay as they are. None clears the rest."""
    stored = current or {}
    if sent is None:
        return {name: fields for name, fields in stored.items() if name in closed} or None
    changed = {name: fields for name, fields in sent.items() if name not in closed}
    after = {**stored, **changed}
    return {name: fields for name, fields in after.items() if fields is not None} or None


def merged(updates: Updates, row: Extended, context: Context, *, path: str) -> Updates:
    """The extended fields of an entity after an update; nothing if the update sends none.

    Raises Invalid if they grow too large; ``path`` is where the entity stands in the request.
    """
    if "extended_fields" not in updates:
        return {}
    closed = closed_namespaces(context.settings, _KINDS[type(row)], context.caller)
    fields = merge_namespaces(row.extended_fields, updates["extended_fields"], closed)
    if len(msgspec.json.encode(fields)) > FREE_FORM_BYTES_MAX:
        raise Invalid.because(
            f"{path}.extendedFields.namespaces",
            f"must have at most {FREE_FORM_BYTES_MAX} bytes together with what is there",
            ViolatedRule.MAX_LENGTH,
            data={"threshold": FREE_FORM_BYTES_MAX},
        )
    return {"extended_fields": fields}
