"""What a database's tables and indexes lack of what this version describes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benefit_programs.storage.examining import ExaminedPostgres
from benefit_programs.storage.tables import TABLES_BY_NAME

if TYPE_CHECKING:
    from benefit_programs.storage.examining import Examined

_POSTGRES_COLUMNS = """
select c.relname, a.attname, a.attnotnull and not a.atthasdef from pg_attribute a
join pg_class c on c.oid = a.attrelid
where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
and a.attnum > 0 and not a.attisdropped
"""
_POSTGRES_INDEXES = """
select c.relname, i.indisvalid from pg_index i join pg_class c on c.oid = i.indexrelid
where c.relnamespace = current_schema()::regnamespace
"""
_SQLITE_COLUMNS = """
select m.name, c.name, c."notnull" and c.dflt_value is null
from sqlite_schema m, pragma_table_info(m.name) c where m.type = 'table'
"""
_SQLITE_INDEXES = "select name, 1 from sqlite_schema where type = 'index'"


class Drift(NamedTuple):
    """Names of what is missing, doesn't work, or is in the way."""

    tables: list[str]
    columns: list[str]
    indexes: list[str]
    invalid_indexes: list[str]
    """Those that an interrupted build has left."""

    foreign_columns: list[str]
    """Columns of our tables that aren't ours and must be filled: no row can be added."""


async def read_drift(database: Examined) -> Drift:
    """Raises StoreUnavailable or StoreTimeout."""
    is_postgres = isinstance(database, ExaminedPostgres)
    columns = {
        (table, column): must_be_filled
        for table, column, must_be_filled in await database.fetch(
            _POSTGRES_COLUMNS if is_postgres else _SQLITE_COLUMNS
        )
    }
    indexes = dict(await database.fetch(_POSTGRES_INDEXES if is_postgres else _SQLITE_INDEXES))
    there = {table for table, _ in columns}
    known = {
        (table.name, column.name)
        for table in TABLES_BY_NAME.values()
        for column in table.columns.values()
    }
    tables = [name for name in TABLES_BY_NAME if name not in there]
    wanted = [
        index.name
        for table in TABLES_BY_NAME.values()
        if table.name in there
        for index in table.indexes
    ]
    return Drift(
        tables=sorted(tables),
        columns=sorted(f"{t}.{c}" for t, c in known - columns.keys() if t in there),
        indexes=sorted(name for name in wanted if name not in indexes),
        invalid_indexes=sorted(name for name, is_valid in indexes.items() if not is_valid),
        foreign_columns=sorted(
            f"{t}.{c}"
            for (t, c), must_be_filled in columns.items()
            if must_be_filled and t in TABLES_BY_NAME and (t, c) not in known
        ),
    )
