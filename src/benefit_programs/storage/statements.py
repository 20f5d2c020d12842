"""The statements that batches run, made once from the tables for each engine and kept.

PostgreSQL takes a list a column (``unnest``), so that one statement does a whole batch; SQLite
takes one row at a time, which is the fastest way in a process of its own.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy.dialects import postgresql

from benefit_programs.domain.entities import Row
from benefit_programs.domain.state import Index, Mode
from benefit_programs.storage.rows import CODECS, RowCodec
from benefit_programs.storage.tables import Id

_LOCKS = {Mode.READ: "", Mode.SHARE: " for share of t", Mode.LOCK: " for no key update of t"}
_POSTGRES = postgresql.dialect()  # type: ignore[no-untyped-call]


def _postgres_type(codec: RowCodec[Any], column: str) -> str:
    return str(codec.types[column].compile(_POSTGRES)).split()[0]


def postgres_columns(codec: RowCodec[Any], alias: str) -> str:
    """A select list in the codec's order; ids come as text."""
    return ", ".join(
        f"{alias}.{name}::text" if codec.types[name] is Id else f"{alias}.{name}"
        for name in codec.columns
    )


def sqlite_columns(codec: RowCodec[Any], alias: str) -> str:
    """A select list in the codec's order."""
    return ", ".join(f"{alias}.{name}" for name in codec.columns)


def _order(entity: type[Row], alias: str) -> str:
    return ", ".join(f"{alias}.{name}" for name in entity.key)


def _conditions(index: Index[Any]) -> str:
    return " and t.status <> 'ENDED'" if index.live else ""


@cache
def postgres_select(index: Index[Any], mode: Mode) -> str:
    """Rows by many keys at once ($1 the tenant, then a list a key column), locked in key order."""
    codec = CODECS[index.entity]
    keys = ", ".join(
        f"${number}::{_postgres_type(codec, column)}[]"
        for number, column in enumerate(index.columns, start=2)
    )
    names = ", ".join(f"k{number}" for number in range(len(index.columns)))
    match = " and ".join(f"t.{column} = k{number}" for number, column in enumerate(index.columns))
    order, lock = _order(index.entity, "t"), _LOCKS[mode]
    columns = postgres_columns(codec, "t")
    if index.limit is None:
        return (
            f"select {columns} from unnest({keys}) as k({names}) join {codec.table} t"
            f" on t.tenant_id = $1 and {match}{_conditions(index)} order by {order}{lock}"
        )
    return (
        f"select {columns} from unnest({keys}) as k({names}) cross join lateral"
        f" (select * from {codec.table} t where t.tenant_id = $1 and {match}{_conditions(index)}"
        f" order by {order} limit {index.limit}{lock}) t order by {order}"
    )


@cache
def postgres_lock(indexes: tuple[Index[Any], ...]) -> str:
    """Lock what several indexes find in one table, in one pass and in key order."""
    entity = indexes[0].entity
    codec = CODECS[entity]
    number, matches = 1, []
    for index in indexes:
        columns = ", ".join(f"t.{column}" for column in index.columns)
        lists = []
        for column in index.columns:
            number += 1
            lists.append(f"${number}::{_postgres_type(codec, column)}[]")
        matches.append(f"({columns}) in (select * from unnest({', '.join(lists)}))")
    return (
        f"select 1 from {codec.table} t where t.tenant_id = $1 and ({' or '.join(matches)})"
        f" order by {_order(entity, 't')}{_LOCKS[Mode.LOCK]}"
    )


@cache
def postgres_insert(entity: type[Row]) -> str:
    """New rows: $1 the tenant, then a list a column."""
    codec = CODECS[entity]
    lists = ", ".join(
        f"${number}::{_postgres_type(codec, column)}[]"
        for number, column in enumerate(codec.columns, start=2)
    )
    return (
        f"insert into {codec.table} (tenant_id, {', '.join(codec.columns)})"
        f" select $1, * from unnest({lists})"
    )


@cache
def postgres_update(entity: type[Row], columns: tuple[str, ...]) -> str:
    """Changed rows: $1 the tenant, a list a key column, then a list a changed column."""
    codec = CODECS[entity]
    names = (*entity.key, *columns)
    lists = ", ".join(
        f"${number}::{_postgres_type(codec, column)}[]"
        for number, column in enumerate(names, start=2)
    )
    aliases = ", ".join(f"u_{name}" for name in names)
    assignments = ", ".join(f"{name} = u_{name}" for name in columns)
    match = " and ".join(f"t.{name} = u_{name}" for name in entity.key)
    return (
        f"update {codec.table} t set {assignments} from unnest({lists}) as u({aliases})"
        f" where t.tenant_id = $1 and {match}"
    )


@cache
def postgres_delete(entity: type[Row]) -> str:
    """Rows that are gone: $1 the tenant, then a list a key column."""
    codec = CODECS[entity]
    lists = ", ".join(
        f"${number}::{_postgres_type(codec, column)}[]"
        for number, column in enumerate(entity.key, start=2)
    )
    aliases = ", ".join(f"u_{name}" for name in entity.key)
    match = " and ".join(f"t.{name} = u_{name}" for name in entity.key)
    return (
        f"delete from {codec.table} t using unnest({lists}) as u({aliases})"
        f" where t.tenant_id = $1 and {match}"
    )


@cache
def sqlite_select(index: Index[Any]) -> str:
    """Rows by one key: ?1 the tenant, then the key."""
    codec = CODECS[index.entity]
    match = " and ".join(
        f"t.{column} = ?{number}" for number, column in enumerate(index.columns, start=2)
    )
    limit = "" if index.limit is None else f" limit {index.limit}"
    return (
        f"select {sqlite_columns(codec, 't')} from {codec.table} t"
        f" where t.tenant_id = ?1 and {match}{_conditions(index)}"
        f" order by {_order(index.entity, 't')}{limit}"
    )


@cache
def sqlite_insert(entity: type[Row]) -> str:
    """One new row: the tenant, then the columns."""
    codec = CODECS[entity]
    marks = ", ".join("?" * (len(codec.columns) + 1))
    return f"insert into {codec.table} (tenant_id, {', '.join(codec.columns)}) values ({marks})"


@cache
def sqlite_update(entity: type[Row], columns: tuple[str, ...]) -> str:
    """One changed row: the tenant, the key, then the changed columns."""
    codec = CODECS[entity]
    first = 2 + len(entity.key)
    assignments = ", ".join(
        f"{name} = ?{number}" for number, name in enumerate(columns, start=first)
    )
    match = " and ".join(f"{name} = ?{number}" for number, name in enumerate(entity.key, start=2))
    return f"update {codec.table} set {assignments} where tenant_id = ?1 and {match}"


@cache
def sqlite_delete(entity: type[Row]) -> str:
    """One row that is gone: the tenant, then the key."""
    codec = CODECS[entity]
    match = " and ".join(f"{name} = ?{number}" for number, name in enumerate(entity.key, start=2))
    return f"delete from {codec.table} where tenant_id = ?1 and {match}"
