"""Statistics for SQLite's planner, so that it never walks a whole tenant.

Without statistics SQLite takes a search by the first column of an index to find about ten rows. In
every index here that column is the tenant, which has them all: a join would go through the items of
a tenant for each of its pools. The figures written here say what is true of any large tenant, and
make plans that don't change from one day to the next. Whoever runs ANALYZE replaces them.
"""

from __future__ import annotations

from typing import Any

import apsw

ROWS = 100_000_000
"""So many rows a table is said to have: too many to read them all for one tenant's sake."""

ROWS_OF_TENANT = 1_000_000
"""So many of them are said to be one tenant's."""

FEW_ROWS = 20
"""So many rows are said to share the columns that an index is looked up by."""

MANY_ROWS = 10_000
"""So many rows are said to share a value of which there are few, such as a namespace."""

FEW_VALUES = frozenset({"namespace", "program_definition_id", "pool_definition_id", "snapshot_id"})
"""Columns that many rows of pools, programs or items share."""

_INDEXES = """
    SELECT m.name, l.name, l."unique", group_concat(c.name, ',' ORDER BY c.seqno)
    FROM sqlite_schema m, pragma_index_list(m.name) l, pragma_index_info(l.name) c
    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'
    GROUP BY m.name, l.name, l."unique"
"""


def write_statistics(connection: apsw.Connection) -> None:
    """Write statistics for a file's tables; connections that open it from now on use them."""
    found: Any = connection.execute(_INDEXES).fetchall()
    indexes: list[tuple[str, str, int, str]] = found
    # ANALYZE alone can make the table of statistics; what it finds of one small table is dropped.
    connection.execute("ANALYZE tenants")
    connection.execute("DELETE FROM sqlite_stat1")
    connection.executemany(
        "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)",
        [
            (table, index, _statistics(table, columns.split(","), unique=bool(unique)))
            for table, index, unique, columns in indexes
            if columns.startswith("tenant_id,")
        ],
    )


def _statistics(table: str, columns: list[str], *, unique: bool) -> str:
    """The rows of an index, then how many share its first columns: one, two, and so on."""
    shares = [ROWS_OF_TENANT]
    for position, column in enumerate(columns[1:], start=1):
        last = position == len(columns) - 1
        if last and (unique or column == "id"):
            shares.append(1)
        elif column in FEW_VALUES and table in {"pools", "programs", "items"}:
            shares.append(min(shares[-1], MANY_ROWS))
        else:
            shares.append(min(max(shares[-1] // FEW_ROWS, 2), FEW_ROWS))
    return " ".join(map(str, [ROWS, *shares]))
