"""Who may use the console: users, links, sessions, forms that were sent; what its pages ask for.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(postgresql.UUID(as_uuid=False), "postgresql")
_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "console_users",
        sa.Column("id", _ID, nullable=False),
        sa.Column("tenant_id", _WHOLE, nullable=False, autoincrement=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("role", _TEXT, nullable=False),
        sa.Column("email", _TEXT, nullable=True),
        sa.Column("created", _WHOLE, nullable=False, autoincrement=False),
        sa.Column("revoked", _WHOLE, nullable=True, autoincrement=False),
        sa.PrimaryKeyConstraint("id", name="pk_console_users"),
        sqlite_strict=True,
    )
    for name, columns in (("name", ["tenant_id", "name"]), ("email", ["email", "tenant_id"])):
        op.create_index(
            f"uq_console_users_{name}",
            "console_users",
            columns,
            unique=True,
            postgresql_where=sa.text("revoked is null"),
            sqlite_where=sa.text("revoked is null"),
        )
    op.create_table(
        "console_invitations",
        sa.Column("secret_hash", _TEXT, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("expires", _WHOLE, nullable=False, autoincrement=False),
        sa.Column("used", _WHOLE, nullable=True, autoincrement=False),
        sa.PrimaryKeyConstraint("secret_hash", name="pk_console_invitations"),
        sqlite_strict=True,
    )
    op.create_table(
        "console_sessions",
        sa.Column("secret_hash", _TEXT, nullable=False),
        sa.Column("user_id", _ID, nullable=True),
        sa.Column("key_id", _ID, nullable=True),
        sa.Column("created", _WHOLE, nullable=False, autoincrement=False),
        sa.Column("seen", _WHOLE, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("secret_hash", name="pk_console_sessions"),
        sqlite_strict=True,
    )
    op.create_table(
        "console_forms",
        sa.Column("key_hash", _TEXT, nullable=False),
        sa.Column("content_hash", _TEXT, nullable=False),
        sa.Column("begun", _WHOLE, nullable=False, autoincrement=False),
        sa.Column("done", _TEXT, nullable=True),
        sa.PrimaryKeyConstraint("key_hash", name="pk_console_forms"),
        sqlite_strict=True,
    )
    _create_partial_index("jobs", "failed_id", ["id"], "status = 'FAILED'")
    _create_partial_index(
        "webhook_deliveries", "parked_endpoint_id", ["endpoint_id", "id"], "status = 'PARKED'"
    )
    _create_partial_index(
        "programs",
        "end_date_program_definition_id",
        ["program_definition_id", "id"],
        "end_date is not null",
    )

    if op.get_context().dialect.name == "sqlite":
        _say_statuses_one_by_one()


def _say_statuses_one_by_one() -> None:
    """Make indexes over open rows anew: of a list of three SQLite makes a table for each row."""
    waiting = "status <> 'DONE' and status <> 'REFUSED' and status <> 'WITHDRAWN'"
    held = "status <> 'CAPTURED' and status <> 'CANCELED' and status <> 'LAPSED'"
    for table, column, condition in (
        ("reservations", "pool_id", held),
        ("scheduled_changes", "due", f"{waiting} and due is not null"),
        ("scheduled_changes", "date", waiting),
    ):
        op.drop_index(f"ix_{table}_live_{column}", table)
        _create_partial_index(table, f"live_{column}", [column, "id"], condition)


def _create_partial_index(table: str, name: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(
        f"ix_{table}_{name}",
        table,
        ["tenant_id", *columns],
        postgresql_where=where,
        sqlite_where=where,
    )
