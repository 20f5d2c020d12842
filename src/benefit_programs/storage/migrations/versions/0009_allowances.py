"""What tenants may still ask, over all processes.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "allowances",
        sa.Column("tenant_id", _WHOLE, nullable=False, autoincrement=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("full_at", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "kind", name="pk_allowances"),
        sqlite_strict=True,
    )
