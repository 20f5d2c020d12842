"""What each query method reads: its tables and its fields. Contract: methods, query language."""

from __future__ import annotations

from functools import cache

from benefit_programs.domain.entities import (
    Pool,
    PoolDefinition,
    PoolStatus,
    Program,
    ProgramDefinition,
    ProgramStatus,
    Row,
    Transaction,
)
from benefit_programs.storage.query import (
    Dialect,
    Field,
    FieldKind,
    IdentityColumns,
    PostgresDialect,
    QuerySpec,
    index_fields,
)
from benefit_programs.storage.rows import CODECS
from benefit_programs.storage.statements import postgres_columns, sqlite_columns

TRANSACTION_STATUSES = frozenset({"PENDING", "COMPLETED", "FAILED"})


def columns_of(entity: type[Row], alias: str, dialect: Dialect) -> str:
    """A select list that the entity's codec reads."""
    codec = CODECS[entity]
    if isinstance(dialect, PostgresDialect):
        return postgres_columns(codec, alias)
    return sqlite_columns(codec, alias)


def _created(alias: str) -> Field:
    return Field("createdDate", f"{alias}.created", FieldKind.INSTANT, follows_id=True)


def _id(alias: str) -> Field:
    return Field("id", f"{alias}.id", FieldKind.ID)


def _identity(alias: str) -> tuple[Field, Field]:
    return (
        Field("beneficiary.memberId", f"{alias}.member_id", FieldKind.IDENTITY_ID, nullable=True),
        Field(
            "beneficiary.wixUserId", f"{alias}.wix_user_id", FieldKind.IDENTITY_ID, nullable=True
        ),
    )


def _benefits(owner: str) -> tuple[Field, Field]:
    members = (
        f"snapshot_benefits b WHERE b.tenant_id = {owner}.tenant_id"
        f" AND b.snapshot_id = {owner}.snapshot_id"
    )
    return (
        Field("details.benefits.itemSetId", "b.item_set_id", FieldKind.ID, list_members=members),
        Field(
            "details.benefits.providerAppId",
            "b.provider_app_id",
            FieldKind.IDENTITY_ID,
            list_members=members,
        ),
    )


@cache
def program_definitions(dialect: Dialect) -> QuerySpec:
    """queryProgramDefinitions: the columns of a ProgramDefinition."""
    identifier = _id("d")
    return QuerySpec(
        method="queryProgramDefinitions",
        source="program_definitions d",
        columns=columns_of(ProgramDefinition, "d", dialect),
        tenant="d.tenant_id",
        id=identifier,
        indexed=frozenset({"id", "externalId", "namespace"}),
        fields=index_fields(
            (
                identifier,
                _created("d"),
                Field("externalId", "d.external_id", FieldKind.EXTERNAL_ID),
                Field("namespace", "d.namespace", FieldKind.TEXT),
            )
        ),
    )


@cache
def pool_definitions(dialect: Dialect) -> QuerySpec:
    """queryPoolDefinitions: the columns of a PoolDefinition."""
    identifier = _id("d")
    return QuerySpec(
        method="queryPoolDefinitions",
        source="pool_definitions d",
        columns=columns_of(PoolDefinition, "d", dialect),
        tenant="d.tenant_id",
        id=identifier,
        indexed=frozenset({"id", "namespace"}),
        fields=index_fields(
            (
                identifier,
                _created("d"),
                Field("namespace", "d.namespace", FieldKind.TEXT),
                *_benefits("d"),
                Field(
                    "programDefinitionIds",
                    "a.program_definition_id",
                    FieldKind.ID,
                    list_members=(
                        "assignments a WHERE a.tenant_id = d.tenant_id"
                        " AND a.pool_definition_id = d.id"
                    ),
                ),
            )
        ),
    )


@cache
def programs(dialect: Dialect) -> QuerySpec:
    """queryPrograms: the columns of a Program."""
    identifier = _id("p")
    return QuerySpec(
        method="queryPrograms",
        source="programs p",
        columns=columns_of(Program, "p", dialect),
        tenant="p.tenant_id",
        id=identifier,
        indexed=frozenset({"id", "externalId", "programDefinitionId", "programDefinition.id"}),
        fields=index_fields(
            (
                identifier,
                _created("p"),
                Field("externalId", "p.external_id", FieldKind.EXTERNAL_ID),
                Field("namespace", "p.namespace", FieldKind.TEXT),
                Field(
                    "programDefinitionId",
                    "p.program_definition_id",
                    FieldKind.ID,
                    nullable=True,
                ),
                Field(
                    "status", "p.status", FieldKind.ENUM, names=frozenset(map(str, ProgramStatus))
                ),
            ),
            aliases={"programDefinition.id": "programDefinitionId"},
        ),
    )


@cache
def pools(dialect: Dialect) -> QuerySpec:
    """queryPools: the columns of a Pool."""
    identifier = _id("p")
    beneficiary = IdentityColumns("p.anonymous_visitor_id", "p.member_id", "p.wix_user_id")
    return QuerySpec(
        method="queryPools",
        source="pools p",
        columns=columns_of(Pool, "p", dialect),
        tenant="p.tenant_id",
        id=identifier,
        indexed=frozenset(
            {
                "id",
                "beneficiary",
                "beneficiary.memberId",
                "beneficiary.wixUserId",
                "poolDefinitionId",
                "programDefinitionId",
                "programDefinition.id",
                "programId",
                "program.id",
            }
        ),
        fields=index_fields(
            (
                identifier,
                _created("p"),
                Field("beneficiary", "", FieldKind.IDENTITY, identity=beneficiary),
                *_identity("p"),
                Field("namespace", "p.namespace", FieldKind.TEXT),
                Field("poolDefinitionId", "p.pool_definition_id", FieldKind.ID),
                Field(
                    "programDefinitionId",
                    "p.program_definition_id",
                    FieldKind.ID,
                    nullable=True,
                ),
                Field("programId", "p.program_id", FieldKind.ID),
                Field("status", "p.status", FieldKind.ENUM, names=frozenset(map(str, PoolStatus))),
                *_benefits("p"),
            ),
            aliases={"program.id": "programId", "programDefinition.id": "programDefinitionId"},
        ),
    )


@cache
def balances(dialect: Dialect) -> QuerySpec:
    """queryBalances: the columns of the Pool that has the balance."""
    identifier = _id("p")
    return QuerySpec(
        method="queryBalances",
        source="pools p",
        columns=columns_of(Pool, "p", dialect),
        tenant="p.tenant_id",
        id=identifier,
        indexed=frozenset({"id", "beneficiary.memberId", "beneficiary.wixUserId"}),
        fields=index_fields((identifier, _created("p"), *_identity("p"))),
    )


@cache
def listed_balances(dialect: Dialect) -> QuerySpec:
    """listBalances: as queryBalances, in pages of its own."""
    spec = balances(dialect)
    return QuerySpec(
        method="listBalances",
        source=spec.source,
        columns=spec.columns,
        tenant=spec.tenant,
        id=spec.id,
        fields=spec.fields,
        indexed=spec.indexed,
    )


@cache
def transactions(dialect: Dialect) -> QuerySpec:
    """queryTransactions: the columns of a Transaction, then those of its Pool."""
    identifier = _id("t")
    return QuerySpec(
        method="queryTransactions",
        source="transactions t JOIN pools p ON p.tenant_id = t.tenant_id AND p.id = t.pool_id",
        columns=f"{columns_of(Transaction, 't', dialect)}, {columns_of(Pool, 'p', dialect)}",
        tenant="t.tenant_id",
        id=identifier,
        indexed=frozenset(
            {
                "id",
                "beneficiary.memberId",
                "beneficiary.wixUserId",
                "correlationId",
                "pool.id",
                "relatedTransactionId",
            }
        ),
        fields=index_fields(
            (
                identifier,
                _created("t"),
                *_identity("p"),
                Field("correlationId", "t.correlation_id", FieldKind.ID),
                Field("details.item.id", "t.item_id", FieldKind.ID, nullable=True),
                Field("pool.id", "t.pool_id", FieldKind.ID),
                Field(
                    "relatedTransactionId",
                    "t.related_transaction_id",
                    FieldKind.ID,
                    nullable=True,
                ),
                Field(
                    "status",
                    "'COMPLETED'",
                    FieldKind.ENUM,
                    names=TRANSACTION_STATUSES,
                    sortable=False,
                ),
            )
        ),
    )
