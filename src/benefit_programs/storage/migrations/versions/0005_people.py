"""Programs are found by their beneficiary, and running jobs by what they do.

A program has one of the three ids, so it is in one of the three indexes. Jobs that have ended are
in none.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_LIVE = "status not in ('FINISHED', 'FAILED')"


def upgrade() -> None:
    for column in ("anonymous_visitor_id", "member_id", "wix_user_id"):
        _add_index("programs", column, column, "id", where=f"{column} is not null")
    _add_index("jobs", "live_kind", "kind", "subject_id", where=_LIVE)


def _add_index(table: str, name: str, *columns: str, where: str) -> None:
    condition = sa.text(where)
    op.create_index(
        f"ix_{table}_{name}",
        table,
        ["tenant_id", *columns],
        postgresql_where=condition,
        sqlite_where=condition,
    )
