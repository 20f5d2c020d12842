"""Programs that renew, pause and end by themselves, changes with a date, clocks of sandboxes.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "uuid": sa.Text().with_variant(postgresql.UUID(as_uuid=False), "postgresql"),
    "text": sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
    "whole": sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
    "document": sa.Text().with_variant(postgresql.JSON(), "postgresql"),
}

_ADDED = """
    program_definitions terms document
    programs calendar document
    programs next_renewal whole
    programs end_date whole
    programs due whole
    pools program_due whole
    pools stopped whole
    pools alerts document
    orders at whole
    orders stops_clock whole
    orders has_alerts whole
"""

_CHANGES = """
    id uuid, created whole, updated whole, kind text, status text, date whole, due whole?,
    program_id uuid?, pool_definition_id uuid?, program_definition_id uuid?, until whole?,
    payload document?, reason text?
"""

_CLOCKS = "kind text, at whole, ahead whole, until whole?, job_id uuid?"


def upgrade() -> None:
    for line in _ADDED.strip().splitlines():
        table, name, kind = line.split()
        op.add_column(table, sa.Column(name, _TYPES[kind], nullable=True))
    for table in ("pools", "lots"):
        shift = sa.Column("shift", _TYPES["whole"], nullable=False, server_default=sa.text("0"))
        op.add_column(table, shift)
    for name in ("due", "next_renewal", "end_date"):
        _index("programs", f"{name}, id", f"{name} is not null")
    _index("pools", "stopped, id", "stopped is not null")
    op.create_table(
        "scheduled_changes",
        *(_column(each) for each in f"tenant_id whole, {_CHANGES}".split(",")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_scheduled_changes"),
        sqlite_strict=True,
    )
    op.create_table(
        "clocks",
        *(_column(each) for each in f"tenant_id whole, {_CLOCKS}".split(",")),
        sa.PrimaryKeyConstraint("tenant_id", "kind", name="pk_clocks"),
        sqlite_strict=True,
    )
    waiting = "status not in ('DONE', 'REFUSED', 'WITHDRAWN')"
    _index("scheduled_changes", "due, id", f"{waiting} and due is not null", prefix="live_")
    _index("scheduled_changes", "date, id", waiting, prefix="live_")
    _index("scheduled_changes", "program_id, id", "program_id is not null")
    _index("scheduled_changes", "pool_definition_id, id", "pool_definition_id is not null")


def _column(words: str) -> sa.Column[Any]:
    """A column from words such as ``updated whole``, or ``reason text?`` if it may be empty."""
    name, kind = words.split()
    return sa.Column(name, _TYPES[kind.rstrip("?")], nullable=kind[-1] == "?", autoincrement=False)


def _index(table: str, columns: str, where: str, *, prefix: str = "") -> None:
    names = columns.split(", ")
    op.create_index(
        f"ix_{table}_{prefix}{names[0]}",
        table,
        ["tenant_id", *names],
        postgresql_where=sa.text(where),
        sqlite_where=sa.text(where),
    )
