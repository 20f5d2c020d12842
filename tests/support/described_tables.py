"""The tables as they are described, as the statements of each engine that make them.

Migrations are written with SQLAlchemy, so these are too: the two texts may only differ in content.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from benefit_programs.storage.tables import TABLES_BY_NAME, Column, ColumnType, Index, Table

_TYPES: dict[ColumnType, sa.types.TypeEngine[Any]] = {
    ColumnType.ID: sa.Text().with_variant(postgresql.UUID(as_uuid=False), "postgresql"),
    ColumnType.TEXT: sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
    ColumnType.WHOLE: sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
    ColumnType.DOCUMENT: sa.Text().with_variant(postgresql.JSON(), "postgresql"),
}


def described(dialect: sa.Dialect) -> list[str]:
    """The statements that make the tables as they are described, without any migration."""
    metadata = sa.MetaData()
    tables = [_table(each, metadata, dialect) for each in TABLES_BY_NAME.values()]
    statements = [each for table in tables for each in _statements(table)]
    return [str(each.compile(dialect=dialect)) for each in statements]


def _statements(table: sa.Table) -> list[ExecutableDDLElement]:
    return [CreateTable(table), *map(CreateIndex, table.indexes)]


def _table(table: Table, metadata: sa.MetaData, dialect: sa.Dialect) -> sa.Table:
    made = sa.Table(
        table.name,
        metadata,
        *(_column(each, dialect) for each in table.columns.values()),
        sa.PrimaryKeyConstraint(*table.key, name=f"pk_{table.name}"),
        *_checks(table),
        sqlite_strict=True,
        sqlite_with_rowid=not table.only_key,
    )
    for index in table.indexes:
        _add_index(made, index)
    return made


def _column(column: Column, dialect: sa.Dialect) -> sa.Column[Any]:
    default = None
    if column.default is not None:
        is_sqlite = dialect.name == "sqlite"
        default = sa.text(column.default.sqlite if is_sqlite else column.default.postgres)
    return sa.Column(
        column.name,
        _TYPES[column.type],
        nullable=column.nullable,
        autoincrement=False,
        server_default=default,
    )


def _checks(table: Table) -> Iterator[sa.CheckConstraint]:
    for each in table.not_negative:
        yield sa.CheckConstraint(f"{each} >= 0", name=f"ck_{table.name}_{each}")


def _add_index(table: sa.Table, index: Index) -> None:
    on_postgres, on_sqlite = (
        None if words is None else sa.text(words)
        for words in (index.postgres_where, index.sqlite_where)
    )
    sa.Index(
        index.name,
        *(table.c[each] for each in index.columns),
        unique=index.unique,
        postgresql_where=on_postgres,
        sqlite_where=on_sqlite,
    )
