"""The tables of tenants over the nodes of a Citus cluster, by tenant (ADR 40).

All of them are cut by ``tenant_id`` in the same way, so that all rows of a tenant are on one node.
The directory and the sequence of events' positions stay where they are: on the coordinator, to
which all servers connect.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from benefit_programs.storage.tables import TABLES

CITUS_VERSION_MIN = (11, 3)

ONE_BY_ONE = "set local citus.multi_shard_modify_mode = 'sequential'"
"""For changes of the schema: a transaction that makes tables and changes others needs it."""

_NAMES = [table.name for table in TABLES.values()]
_FIRST = _NAMES[0]
"""The table whose shards all others go with."""

_VERSION = "select extversion from pg_extension where extname = 'citus'"
_IS_COORDINATOR = "select citus_is_coordinator()"
_NODES = """
select count(*) from pg_dist_node where noderole = 'primary' and isactive and shouldhaveshards
"""
_STATE = """
select c.relname, p.partmethod = 'h', column_to_column_name(p.logicalrelid, p.partkey),
    p.colocationid
from pg_class c left join pg_dist_partition p on p.logicalrelid = c.oid
where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
and c.relname = any($1::text[])
"""
_HAS_ROWS = "select exists (select 1 from {table})"
_DISTRIBUTE = (
    "select create_distributed_table($1::text::regclass, 'tenant_id', colocate_with => $2)"
)
_FORGET_LOCAL = "select truncate_local_data_after_distributing_table($1::text::regclass)"


class CannotDistribute(Exception):
    """Why tables can't be distributed; the message says what to do."""


class _Table(NamedTuple):
    name: str
    is_hashed: bool | None
    """None if it isn't distributed."""
    column: str | None
    colocation: int | None


async def has_citus(connection: Any) -> bool:
    """Whether the database is, or may become, one of a cluster."""
    return await connection.fetchval(_VERSION) is not None


async def is_distributed(connection: Any) -> bool:
    """Whether the tables of tenants were distributed before.

    Raises CannotDistribute on a worker, where nothing but shards may be.
    """
    if not await has_citus(connection):
        return False
    if not await connection.fetchval(_IS_COORDINATOR):
        raise CannotDistribute("This node is a worker: name the coordinator in the database URL.")
    return any(each.is_hashed is not None for each in await _read(connection))


async def distribute_tables(connection: Any) -> list[str]:
    """Distribute the tables of tenants that aren't yet, and list them. Needs a transaction.

    Rows go with their tables. Raises CannotDistribute, and changes nothing then.
    """
    await _require_cluster(connection)
    tables = {each.name: each for each in await _read(connection)}
    _refuse_others(tables)
    names = [name for name in _NAMES if name in tables and tables[name].is_hashed is None]
    await connection.execute(ONE_BY_ONE)
    for name in names:
        had_rows = await connection.fetchval(_HAS_ROWS.format(table=name))
        await connection.execute(_DISTRIBUTE, name, "none" if name == _FIRST else _FIRST)
        if had_rows:
            await connection.execute(_FORGET_LOCAL, name)
    return names


async def _read(connection: Any) -> list[_Table]:
    return [_Table(*row) for row in await connection.fetch(_STATE, _NAMES)]


async def _require_cluster(connection: Any) -> None:
    version = await connection.fetchval(_VERSION)
    if version is None:
        raise CannotDistribute(
            "The database isn't on a Citus cluster: run `create extension citus` in it on each "
            "node, and add the workers with citus_add_node."
        )
    if tuple(int(part) for part in version.split("-")[0].split(".")) < CITUS_VERSION_MIN:
        needed = ".".join(map(str, CITUS_VERSION_MIN))
        raise CannotDistribute(f"The cluster has Citus {version}: {needed} or later is needed.")
    if not await connection.fetchval(_NODES):
        raise CannotDistribute("The cluster has no node for shards: add one with citus_add_node.")


def _refuse_others(tables: dict[str, _Table]) -> None:
    """Leave alone what somebody has distributed in another way: nothing would run on it."""
    first = tables[_FIRST]
    for each in tables.values():
        if each.is_hashed is None:
            continue
        if not each.is_hashed or each.column != "tenant_id":
            raise CannotDistribute(
                f"The table {each.name} is distributed, but not by tenant_id: "
                f"run `select undistribute_table('{each.name}')` first."
            )
        if each.colocation != first.colocation:
            raise CannotDistribute(
                f"The table {each.name} isn't colocated with {_FIRST}: "
                f"run `select undistribute_table('{each.name}')` first."
            )
