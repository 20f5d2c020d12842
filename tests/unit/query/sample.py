"""A table with every kind of field, on both engines, for the tests of the query language."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any
from uuid import UUID

import apsw
import asyncpg

from benefit_programs.storage.query import (
    GUIDS_DEFAULT,
    Dialect,
    Field,
    FieldKind,
    IdentityColumns,
    Page,
    PostgresDialect,
    Query,
    QuerySpec,
    SqliteDialect,
    Statement,
    index_fields,
    plan_page,
    register_functions,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TENANT, OTHER_TENANT = 1, 2
EPOCH = 1_790_000_000_000
SECRET = b"a secret of the tests"
STATUSES = frozenset({"ACTIVE", "PAUSED", "ENDED"})

TABLES = """
create table samples (
    tenant_id {whole} not null, id {id} not null, created {whole} not null,
    changed {whole}, namespace {text} not null, category {text} not null, external_id {text},
    status {text} not null, program_id {id},
    anonymous_visitor_id {text}, member_id {text}, wix_user_id {text},
    primary key (tenant_id, id));
create index ix_samples_external_id on samples (tenant_id, external_id, id);
create index ix_samples_namespace on samples (tenant_id, namespace, id);
create table sample_tags (
    tenant_id {whole} not null, sample_id {id} not null, tag {text} not null);
create index ix_sample_tags on sample_tags (tenant_id, sample_id);
create table sample_definitions (
    tenant_id {whole} not null, sample_id {id} not null, definition_id {id} not null);
create index ix_sample_definitions on sample_definitions (tenant_id, sample_id);
"""

FIELDS = (
    ID := Field("id", "s.id", FieldKind.ID),
    Field("createdDate", "s.created", FieldKind.INSTANT, made_ids="s.id"),
    Field("changedDate", "s.changed", FieldKind.INSTANT, nullable=True),
    Field("namespace", "s.namespace", FieldKind.TEXT),
    Field("category", "s.category", FieldKind.TEXT, empty_is_absent=True),
    Field("externalId", "s.external_id", FieldKind.EXTERNAL_ID, nullable=True),
    Field("status", "s.status", FieldKind.ENUM, names=STATUSES),
    Field("programId", "s.program_id", FieldKind.ID, nullable=True),
    Field("beneficiary.memberId", "s.member_id", FieldKind.IDENTITY_ID, nullable=True),
    Field(
        "beneficiary",
        "",
        FieldKind.IDENTITY,
        nullable=True,
        identity=IdentityColumns("s.anonymous_visitor_id", "s.member_id", "s.wix_user_id"),
    ),
    Field(
        "tags",
        "t.tag",
        FieldKind.TEXT,
        list_members="sample_tags t WHERE t.tenant_id = s.tenant_id AND t.sample_id = s.id",
    ),
    Field(
        "definitionIds",
        "d.definition_id",
        FieldKind.ID,
        list_members="sample_definitions d WHERE d.tenant_id = s.tenant_id AND d.sample_id = s.id",
    ),
    Field("note", "s.namespace", FieldKind.TEXT, sortable=False),
)

SPEC = QuerySpec(
    method="querySamples",
    source="samples s",
    columns="s.id, s.namespace",
    tenant="s.tenant_id",
    id=ID,
    indexed=frozenset({"id", "externalId", "namespace"}),
    fields=index_fields(FIELDS, aliases={"program.id": "programId"}),
)


class Engine(ABC):
    """A database with the sample's tables."""

    dialect: Dialect

    @abstractmethod
    def execute(self, sql: str, rows: Iterable[Sequence[object]] = ((),)) -> None: ...

    @abstractmethod
    def fetch(self, statement: Statement) -> list[tuple[Any, ...]]: ...

    @abstractmethod
    def close(self) -> None: ...

    def clear(self) -> None:
        for table in ("samples", "sample_tags", "sample_definitions"):
            self.execute(f"delete from {table}")

    def insert(self, rows: Sequence[dict[str, Any]], tenant_id: int = TENANT) -> None:
        self.execute(insertion("samples", 12), [stored(row, tenant_id) for row in rows])
        for table, name in (("sample_tags", "tags"), ("sample_definitions", "definitionIds")):
            members = [(tenant_id, row["id"], member) for row in rows for member in row[name]]
            self.execute(insertion(table, 3), members)

    def remove(self, row_id: str) -> None:
        for table, column in (
            ("samples", "id"),
            ("sample_tags", "sample_id"),
            ("sample_definitions", "sample_id"),
        ):
            self.execute(f"delete from {table} where tenant_id = 1 and {column} = $1", [(row_id,)])

    def read(self, query: Query) -> Page:
        plan = plan_page(
            SPEC, query, dialect=self.dialect, tenant_id=TENANT, ids=GUIDS_DEFAULT, secret=SECRET
        )
        if (scan := plan.scan_statement) is not None:
            plan.bound(self.fetch(scan))
        rows = self.fetch(plan.statement)
        probe = plan.probe_statement(rows)
        return plan.page(rows, self.fetch(probe) if probe else ())


class SqliteEngine(Engine):
    def __init__(self) -> None:
        self.dialect = SqliteDialect()
        self.connection = apsw.Connection(":memory:")
        register_functions(self.connection)
        self.execute(TABLES.format(whole="integer", id="text", text="text"))

    def execute(self, sql: str, rows: Iterable[Sequence[object]] = ((),)) -> None:
        for row in rows:
            self.connection.execute(sql, tuple(row))

    def fetch(self, statement: Statement) -> list[tuple[Any, ...]]:
        return self.connection.execute(statement.sql, statement.parameters).fetchall()

    def close(self) -> None:
        self.connection.close()


class PostgresEngine(Engine):
    def __init__(self, url: str) -> None:
        self.dialect = PostgresDialect()
        self.runner = asyncio.Runner()
        self.connection = self.runner.run(connect(url))
        tables = TABLES.format(whole="bigint", id="uuid", text='text collate "C"')
        self.runner.run(self.connection.execute(tables))

    def execute(self, sql: str, rows: Iterable[Sequence[object]] = ((),)) -> None:
        self.runner.run(self.connection.executemany(sql, rows))

    def fetch(self, statement: Statement) -> list[tuple[Any, ...]]:
        return self.runner.run(self.connection.fetch(statement.sql, *statement.parameters))

    def close(self) -> None:
        self.runner.run(self.connection.close())
        self.runner.close()


async def connect(url: str) -> Any:
    return await asyncpg.connect(url)


def insertion(table: str, width: int) -> str:
    places = ", ".join(f"${number}" for number in range(1, width + 1))
    return f"insert into {table} values ({places})"


def stored(row: dict[str, Any], tenant_id: int) -> tuple[object, ...]:
    key, identity = row["beneficiary"] or (None, None)
    keys = ("anonymousVisitorId", "memberId", "wixUserId")
    return (
        tenant_id,
        row["id"],
        row["createdDate"],
        row["changedDate"],
        row["namespace"],
        row["category"] or "",
        row["externalId"],
        row["status"],
        row["programId"],
        *(identity if key == column else None for column in keys),
    )


def sample_row(number: int, **values: Any) -> dict[str, Any]:
    """Make a row with little in it, and an id that follows its creation."""
    return {
        "id": str(UUID(int=(EPOCH << 80) + number)),
        "createdDate": EPOCH,
        "changedDate": None,
        "namespace": f"n{number % 10}",
        "category": None,
        "externalId": str(number),
        "status": "ACTIVE",
        "programId": None,
        "beneficiary": None,
        "tags": [],
        "definitionIds": [],
    } | values
