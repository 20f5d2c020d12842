"""What the queries of items, pool items and pool definition items read.

Pool items and pool definition items have no rows of their own: they are pools (or definitions)
joined with the benefits of their snapshots and with the items of those. Adding an item to a
definition with a million pools writes one row, and every query shows it at once.
"""

from __future__ import annotations

from functools import cache

from msgspec.structs import replace

from benefit_programs.domain.entities import Item
from benefit_programs.domain.pool_items import PoolDefinitionItem, PoolItem
from benefit_programs.storage.query import (
    LIMIT_MAX_OF_ITEMS,
    Dialect,
    Field,
    FieldKind,
    PostgresDialect,
    QuerySpec,
    index_fields,
)
from benefit_programs.storage.specs import spec_of

SEARCH_KEY = "i.provider_app_id || '/' || i.category || '/' || i.external_id"

BENEFITS_AND_ITEMS = (
    " JOIN snapshot_benefits b"
    " ON b.tenant_id = {owner}.tenant_id AND b.snapshot_id = {owner}.snapshot_id"
    " JOIN items i ON i.tenant_id = b.tenant_id AND i.item_set_id = b.item_set_id"
)


@cache
def items(dialect: Dialect, method: str = "queryItems") -> QuerySpec:
    """queryItems, and the methods that find items as it does: the columns of an Item."""
    fields = (Field("namespace", "i.namespace", FieldKind.TEXT), *_reference())
    indexed = ("externalId", "itemSetId", "namespace")
    spec = spec_of(method, Item, "i", dialect, fields, indexed=indexed)
    return replace(spec, limit_max=LIMIT_MAX_OF_ITEMS)


@cache
def item_ids(dialect: Dialect, method: str) -> QuerySpec:
    """What finds items as queryItems does, but gives their ids alone."""
    return replace(items(dialect, method), columns=_text("i.id", dialect))


@cache
def pool_items(dialect: Dialect) -> QuerySpec:
    """queryPoolItems: the columns of a PoolItem, of pools that haven't ended."""
    identifier = Field("id", dialect.derived_id("p.id", "i.id"), FieldKind.ID)
    created = dialect.greater_of("p.created", "i.created")
    columns = {
        "revision": "p.revision + i.revision",
        "created": created,
        "updated": dialect.greater_of("p.updated", "i.updated"),
        "namespace": "p.namespace",
        "pool_id": _text("p.id", dialect),
        "program_id": _text("p.program_id", dialect),
        "program_external_id": "p.program_external_id",
        "program_display_name": "g.display_name",
        "program_definition_id": _text("p.program_definition_id", dialect),
        "program_definition_external_id": "p.program_definition_external_id",
        "pool_definition_id": _text("p.pool_definition_id", dialect),
        "anonymous_visitor_id": "p.anonymous_visitor_id",
        "member_id": "p.member_id",
        "wix_user_id": "p.wix_user_id",
        "pool_revision": "p.revision",
        "snapshot_id": _text("p.snapshot_id", dialect),
        "status": "p.status",
        "available": "p.available",
        "due": "p.due",
        "program_due": "p.program_due",
        **_item_columns(identifier, dialect),
    }
    return QuerySpec(
        method="queryPoolItems",
        source="pools p"
        + BENEFITS_AND_ITEMS.format(owner="p")
        + " JOIN programs g ON g.tenant_id = p.tenant_id AND g.id = p.program_id",
        columns=", ".join(columns[name] for name in PoolItem._fields),
        tenant="p.tenant_id",
        id=identifier,
        indexed=frozenset(
            {"beneficiary.memberId", "poolId", "programId", "program.id", "externalProgramId"}
        ),
        fields=index_fields(
            (
                identifier,
                Field("createdDate", created, FieldKind.INSTANT),
                *_owner(),
                *_program(),
                *_reference(),
                *_place(),
            ),
            aliases={"program.id": "programId", "programDefinition.id": "programDefinitionId"},
        ),
        conditions=("p.status <> 'ENDED'",),
        limit_max=LIMIT_MAX_OF_ITEMS,
    )


@cache
def pool_definition_items(dialect: Dialect) -> QuerySpec:
    """queryPoolDefinitionItems: the columns of a PoolDefinitionItem."""
    identifier = Field("id", dialect.derived_id("p.id", "i.id"), FieldKind.ID)
    created = dialect.greater_of("p.created", "i.created")
    columns = {
        "revision": "p.revision + i.revision",
        "created": created,
        "updated": dialect.greater_of("p.updated", "i.updated"),
        "namespace": "p.namespace",
        "pool_definition_id": _text("p.id", dialect),
        "pool_definition_revision": "p.revision",
        "snapshot_id": _text("p.snapshot_id", dialect),
        **_item_columns(identifier, dialect),
    }
    return QuerySpec(
        method="queryPoolDefinitionItems",
        source="pool_definitions p" + BENEFITS_AND_ITEMS.format(owner="p"),
        columns=", ".join(columns[name] for name in PoolDefinitionItem._fields),
        tenant="p.tenant_id",
        id=identifier,
        indexed=frozenset({"poolDefinitionId"}),
        fields=index_fields(
            (
                identifier,
                Field("createdDate", created, FieldKind.INSTANT),
                Field("namespace", "p.namespace", FieldKind.TEXT),
                Field("poolDefinitionId", "p.id", FieldKind.ID),
                *_program_definitions(),
                *_reference(),
                *_place(),
            )
        ),
        limit_max=LIMIT_MAX_OF_ITEMS,
    )


def _text(column: str, dialect: Dialect) -> str:
    """An id in a select list: text on every engine."""
    return f"{column}::text" if isinstance(dialect, PostgresDialect) else column


def _item_columns(identifier: Field, dialect: Dialect) -> dict[str, str]:
    return {
        "id": _text(identifier.sql, dialect),
        "external_id": "i.external_id",
        "category": "i.category",
        "provider_app_id": "i.provider_app_id",
        "item_set_id": _text("i.item_set_id", dialect),
        "item_id": _text("i.id", dialect),
        "display_name": "i.display_name",
        "benefit_key": "b.benefit_key",
        "search_key": SEARCH_KEY,
        "item_revision": "i.revision",
    }


def _reference() -> tuple[Field, ...]:
    """What names an item within a tenant."""
    return (
        Field("category", "i.category", FieldKind.TEXT, empty_is_absent=True),
        Field("externalId", "i.external_id", FieldKind.EXTERNAL_ID),
        Field("itemSetId", "i.item_set_id", FieldKind.ID),
        Field("providerAppId", "i.provider_app_id", FieldKind.IDENTITY_ID),
    )


def _place() -> tuple[Field, ...]:
    """Where an item stands: its benefit, and its reference as one text."""
    return (
        Field("benefitKey", "b.benefit_key", FieldKind.TEXT),
        Field("itemSearchKey", f"({SEARCH_KEY})", FieldKind.TEXT),
    )


def _owner() -> tuple[Field, ...]:
    return (
        Field("beneficiary.memberId", "p.member_id", FieldKind.IDENTITY_ID, nullable=True),
        Field("namespace", "p.namespace", FieldKind.TEXT),
        Field("poolId", "p.id", FieldKind.ID),
        Field("poolDefinitionId", "p.pool_definition_id", FieldKind.ID),
    )


def _program() -> tuple[Field, ...]:
    """The program of a pool. Its external id is found where it has an index."""
    return (
        Field("programId", "p.program_id", FieldKind.ID),
        Field("externalProgramId", "g.external_id", FieldKind.EXTERNAL_ID),
        Field("programDefinitionId", "p.program_definition_id", FieldKind.ID, nullable=True),
        Field(
            "externalProgramDefinitionId",
            "p.program_definition_external_id",
            FieldKind.EXTERNAL_ID,
            nullable=True,
        ),
    )


def _program_definitions() -> tuple[Field, ...]:
    """The program definitions that a pool definition belongs to."""
    places = "assignments a WHERE a.tenant_id = p.tenant_id AND a.pool_definition_id = p.id"
    definitions = (
        "assignments a JOIN program_definitions g"
        " ON g.tenant_id = a.tenant_id AND g.id = a.program_definition_id"
        " WHERE a.tenant_id = p.tenant_id AND a.pool_definition_id = p.id"
    )
    return (
        Field(
            "programDefinitions.id", "a.program_definition_id", FieldKind.ID, list_members=places
        ),
        Field(
            "programDefinitions.externalId",
            "g.external_id",
            FieldKind.EXTERNAL_ID,
            list_members=definitions,
        ),
    )
