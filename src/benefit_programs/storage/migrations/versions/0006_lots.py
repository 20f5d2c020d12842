"""Lots and reservations, and what callers call a transaction.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "uuid": sa.Text().with_variant(postgresql.UUID(as_uuid=False), "postgresql"),
    "text": sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
    "whole": sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
    "document": sa.Text().with_variant(postgresql.JSON(), "postgresql"),
}


def upgrade() -> None:
    # A column with a constant default is added without a pass over the table.
    in_lots = sa.Column("in_lots", _TYPES["whole"], nullable=False, server_default=sa.text("0"))
    op.add_column("pools", in_lots)
    op.add_column("pools", _column("due whole?"))
    _index("pools", "due, id", "due is not null")
    op.add_column("transactions", _column("external_reference text?"))
    _index("transactions", "external_reference, id", "external_reference is not null")
    _create(
        "lots",
        """
        id uuid, revision whole, created whole, updated whole, pool_id uuid, origin text,
        status text, granted whole, available whole, priority whole, effective_date whole,
        rank text, reserved whole, expiration_date whole?, kept_at_renewal whole,
        display_name text?, external_reference text?, additional_data document?, sequence whole
        """,
        "available",
        "reserved",
    )
    live = "status not in ('SPENT', 'EXPIRED')"
    _index("lots", "pool_id, id", "pool_id is not null")
    _index("lots", "pool_id, rank", live, prefix="live_")
    _index("lots", "expiration_date, id", f"{live} and expiration_date is not null", prefix="live_")
    _index("lots", "external_reference, id", "external_reference is not null")
    _create(
        "reservations",
        """
        id uuid, created whole, updated whole, pool_id uuid, status text, count whole, price whole,
        expiration_date whole, draws document, quota_shares document, captured whole,
        external_reference text?
        """,
    )
    open_ = "status not in ('CAPTURED', 'CANCELED', 'LAPSED')"
    _index("reservations", "pool_id, id", "pool_id is not null")
    _index("reservations", "pool_id, id", open_, prefix="live_")


def _create(name: str, columns: str, *not_negative: str) -> None:
    op.create_table(
        name,
        *map(_column, f"tenant_id whole, {columns}".split(",")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=f"pk_{name}"),
        *(sa.CheckConstraint(f"{each} >= 0", name=f"ck_{name}_{each}") for each in not_negative),
        sqlite_strict=True,
    )


def _column(words: str) -> sa.Column[Any]:
    """A column from words such as ``updated whole``, or ``reason text?`` if it may be empty."""
    name, kind = words.split()
    return sa.Column(name, _TYPES[kind.rstrip("?")], nullable=kind[-1] == "?", autoincrement=False)


def _index(table: str, columns: str, where: str | None = None, *, prefix: str = "") -> None:
    names = columns.split(", ")
    condition = sa.text(where) if where else None
    op.create_index(
        f"ix_{table}_{prefix}{names[0]}",
        table,
        ["tenant_id", *names],
        postgresql_where=condition,
        sqlite_where=condition,
    )
