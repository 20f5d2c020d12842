"""Webhooks: endpoints with their secrets and progress, deliveries, and keys for JWTs.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "uuid": sa.Text().with_variant(postgresql.UUID(as_uuid=False), "postgresql"),
    "text": sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
    "whole": sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
    "document": sa.Text().with_variant(postgresql.JSON(), "postgresql"),
}


def upgrade() -> None:
    _create(
        "webhook_endpoints",
        "id",
        """
        id uuid, revision whole, created whole, updated whole, url text, format text, status text,
        description text?, pause_reason text?, event_types document, namespaces document,
        delivery_log text, sequence whole
        """,
    )
    active = "status not in ('INACTIVE', 'PAUSED')"
    _index("ix_webhook_endpoints_live_id", "webhook_endpoints", "id", active)
    _create(
        "webhook_secrets",
        "endpoint_id, id",
        "endpoint_id uuid, id uuid, created whole, sealed text, expires whole?",
    )
    _create(
        "webhook_progress",
        "endpoint_id",
        "endpoint_id uuid, position whole, lease whole, lease_owner text?, delivered whole?",
    )
    _create(
        "webhook_deliveries",
        "id",
        """
        id uuid, created whole, updated whole, endpoint_id uuid, event_id uuid, event_type text,
        entity_id uuid, position whole, part whole, origin text, status text, due whole,
        first_attempt whole?, attempts whole, tries document
        """,
    )
    _index("ix_webhook_deliveries_endpoint_id", "webhook_deliveries", "endpoint_id, id")
    pending = "status not in ('DELIVERED', 'PARKED')"
    _index(
        "ix_webhook_deliveries_live_endpoint_id", "webhook_deliveries", "endpoint_id, due", pending
    )
    _create("webhook_keys", "id", "id uuid, created whole, public_key text, sealed text")


def downgrade() -> None:
    for name in (
        "webhook_keys",
        "webhook_deliveries",
        "webhook_progress",
        "webhook_secrets",
        "webhook_endpoints",
    ):
        op.drop_table(name)


def _create(name: str, key: str, columns: str) -> None:
    op.create_table(
        name,
        *map(_column, f"tenant_id whole, {columns}".split(",")),
        sa.PrimaryKeyConstraint("tenant_id", *key.split(", "), name=f"pk_{name}"),
        sqlite_strict=True,
    )


def _column(words: str) -> sa.Column[Any]:
    """A column from words such as ``updated whole``, or ``reason text?`` if it may be empty."""
    name, kind = words.split()
    return sa.Column(name, _TYPES[kind.rstrip("?")], nullable=kind[-1] == "?", autoincrement=False)


def _index(name: str, table: str, columns: str, where: str | None = None) -> None:
    condition = sa.text(where) if where else None
    op.create_index(
        name,
        table,
        ["tenant_id", *columns.split(", ")],
        postgresql_where=condition,
        sqlite_where=condition,
    )
