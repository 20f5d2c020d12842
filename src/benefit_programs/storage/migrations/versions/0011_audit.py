"""Who changed what: the audit.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(postgresql.UUID(as_uuid=False), "postgresql")
_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

_INDEXED = ("entity_id", "program_id", "pool_id", "subject_id")


def upgrade() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("tenant_id", _WHOLE, nullable=False, autoincrement=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("created", _WHOLE, nullable=False),
        sa.Column("principal_kind", _TEXT, nullable=False),
        sa.Column("principal_id", _TEXT),
        sa.Column("method", _TEXT),
        sa.Column("request_id", _TEXT),
        sa.Column("entity", _TEXT),
        sa.Column("entity_id", _ID),
        sa.Column("program_id", _ID),
        sa.Column("pool_id", _ID),
        sa.Column("subject_id", _ID),
        sa.Column("changed_count", _WHOLE),
        sa.Column("reason", _TEXT),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_audit_entries"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    for column in _INDEXED:
        condition = sa.text(f"{column} is not null")
        op.create_index(
            f"ix_audit_entries_{column}",
            "audit_entries",
            ["tenant_id", column, "id"],
            postgresql_where=condition,
            sqlite_where=condition,
        )
