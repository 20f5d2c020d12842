"""Who beneficiaries are, and the words to find them by.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(postgresql.UUID(as_uuid=False), "postgresql")
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_BENEFICIARY = ("anonymous_visitor_id", "member_id", "wix_user_id")


def upgrade() -> None:
    op.create_table(
        "people",
        _column("tenant_id", _WHOLE),
        *(sa.Column(each, _TEXT, nullable=True) for each in _BENEFICIARY),
        _column("id", _ID),
        *(_column(each, _WHOLE) for each in ("revision", "created", "updated")),
        _column("search", _TEXT),
        *(
            sa.Column(each, _TEXT, nullable=True)
            for each in ("display_name", "email", "phone", "note")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_people"),
        sqlite_strict=True,
    )
    for each in _BENEFICIARY:
        op.create_index(
            f"uq_people_{each}",
            "people",
            ["tenant_id", each],
            unique=True,
            postgresql_where=sa.text(f"{each} is not null"),
            sqlite_where=sa.text(f"{each} is not null"),
        )
    op.create_table(
        "person_words",
        _column("tenant_id", _WHOLE),
        _column("word", _TEXT),
        _column("person_id", _ID),
        sa.PrimaryKeyConstraint("tenant_id", "word", "person_id", name="pk_person_words"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _column(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, autoincrement=False)
