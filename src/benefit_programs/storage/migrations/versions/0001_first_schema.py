"""The first schema: the directory, and the tables of tenants.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# A migration is history: it says what it means itself, and asks nothing of today's tables.
_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "uuid": sa.Text().with_variant(postgresql.UUID(as_uuid=False), "postgresql"),
    "text": sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
    "whole": sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
    "document": sa.Text().with_variant(postgresql.JSON(), "postgresql"),
}


def _create(name: str, key: str, columns: str, *checks: sa.CheckConstraint) -> None:
    """Make a table of columns such as ``updated whole``, or ``reason text?`` if it may be empty."""
    op.create_table(
        name,
        *map(_column, columns.split(",")),
        sa.PrimaryKeyConstraint(*key.split(", "), name=f"pk_{name}"),
        *checks,
        sqlite_strict=True,
    )


def _column(words: str) -> sa.Column[Any]:
    name, kind = words.split()
    return sa.Column(name, _TYPES[kind.rstrip("?")], nullable=kind[-1] == "?", autoincrement=False)


def _create_of_tenants(name: str, key: str, columns: str, *checks: sa.CheckConstraint) -> None:
    _create(name, f"tenant_id, {key}", f"tenant_id whole, {columns}", *checks)


def _index(name: str, table: str, columns: str, where: str | None = None) -> None:
    """Index a table of tenants; the name tells whether its rows are unique by these columns."""
    condition = sa.text(where) if where else None
    op.create_index(
        name,
        table,
        ["tenant_id", *columns.split(", ")],
        unique=name.startswith("uq_"),
        postgresql_where=condition,
        sqlite_where=condition,
    )


def upgrade() -> None:
    _create_definitions()
    _create_items()
    _create_programs()
    _create_pools()
    _create_transactions()
    _create_orders()
    _create_jobs()
    _create_directory()
    _expect_uneven_values()
    _leave_room_for_balances()


def downgrade() -> None:
    tables = """
        secrets api_keys tenants events job_pages jobs orders agenda idempotency_keys transactions
        quotas pools programs items item_sets assignments pool_definitions snapshot_benefits
        snapshots program_definitions
    """
    for table in tables.split():
        op.drop_table(table)


def _create_definitions() -> None:
    _create_of_tenants(
        "program_definitions",
        "id",
        """
        id uuid, revision whole, created whole, updated whole, namespace text, external_id text,
        display_name text?, description text?, extended_fields document?, sequence whole,
        order_number whole
        """,
    )
    _index("ix_program_definitions_external_id", "program_definitions", "external_id, id")
    _index("ix_program_definitions_namespace", "program_definitions", "namespace, id")
    _index("uq_program_definitions_external_id", "program_definitions", "namespace, external_id")
    _create_of_tenants(
        "snapshots",
        "id",
        "id uuid, created whole, details document, display_name text?, description text?",
    )
    _create_of_tenants(
        "snapshot_benefits",
        "snapshot_id, benefit_key",
        """
        snapshot_id uuid, benefit_key text, ordinal whole, item_set_id uuid, provider_app_id text,
        price whole
        """,
    )
    _index("ix_snapshot_benefits_item_set_id", "snapshot_benefits", "item_set_id, snapshot_id")
    _index(
        "ix_snapshot_benefits_provider_app_id", "snapshot_benefits", "provider_app_id, snapshot_id"
    )
    _create_of_tenants(
        "pool_definitions",
        "id",
        """
        id uuid, revision whole, created whole, updated whole, namespace text, snapshot_id uuid,
        extended_fields document?, sequence whole, order_number whole
        """,
    )
    _index("ix_pool_definitions_namespace", "pool_definitions", "namespace, id")
    _index("ix_pool_definitions_snapshot_id", "pool_definitions", "snapshot_id")
    _create_of_tenants(
        "assignments",
        "pool_definition_id, program_definition_id",
        "pool_definition_id uuid, program_definition_id uuid, ordinal whole",
    )
    _index(
        "ix_assignments_program_definition_id",
        "assignments",
        "program_definition_id, pool_definition_id",
    )


def _create_items() -> None:
    _create_of_tenants(
        "item_sets",
        "id",
        "id uuid, pool_definition_id uuid, benefit_key text, provider_app_id text, namespace text",
    )
    _index("ix_item_sets_pool_definition_id", "item_sets", "pool_definition_id, id")
    _index("ix_item_sets_provider_app_id", "item_sets", "provider_app_id, namespace")
    _create_of_tenants(
        "items",
        "id",
        """
        id uuid, revision whole, created whole, updated whole, item_set_id uuid,
        provider_app_id text, category text, external_id text, namespace text, display_name text?,
        extended_fields document?, sequence whole
        """,
    )
    _index("ix_items_item_set_id", "items", "item_set_id, id")
    _index("ix_items_namespace", "items", "namespace, id")
    _index("uq_items_reference", "items", "external_id, provider_app_id, category, item_set_id")


def _create_programs() -> None:
    _create_of_tenants(
        "programs",
        "id",
        """
        anonymous_visitor_id text?, member_id text?, wix_user_id text?, id uuid, revision whole,
        created whole, updated whole, status text, namespace text, external_id text,
        target_status text?, program_definition_id uuid?, program_definition_external_id text?,
        display_name text?, extended_fields document?, sequence whole, order_number whole
        """,
    )
    _index("ix_programs_external_id", "programs", "external_id, id")
    _index(
        "ix_programs_live_program_definition_id",
        "programs",
        "program_definition_id, id",
        "status <> 'ENDED'",
    )
    _index("ix_programs_program_definition_id", "programs", "program_definition_id, id")
    _index("uq_programs_external_id", "programs", "namespace, external_id")


def _create_pools() -> None:
    _create_of_tenants(
        "pools",
        "id",
        """
        anonymous_visitor_id text?, member_id text?, wix_user_id text?, id uuid, revision whole,
        created whole, updated whole, program_id uuid, program_external_id text,
        pool_definition_id uuid, pool_definition_revision whole, snapshot_id uuid, status text,
        origin text, namespace text, available whole, balance_revision whole, balance_updated whole,
        reserved whole, last_transaction_id uuid?, program_definition_id uuid?,
        program_definition_external_id text?, previous_status text?, renewal_count whole,
        renewal_action text?, renewal_snapshot_id uuid?, renewal_revision whole?,
        extended_fields document?, sequence whole, order_number whole
        """,
        sa.CheckConstraint("available >= 0", name="ck_pools_available"),
        sa.CheckConstraint("reserved >= 0", name="ck_pools_reserved"),
    )
    _index(
        "ix_pools_anonymous_visitor_id",
        "pools",
        "anonymous_visitor_id, id",
        "anonymous_visitor_id is not null",
    )
    _index(
        "ix_pools_live_pool_definition_id", "pools", "pool_definition_id, id", "status <> 'ENDED'"
    )
    _index(
        "ix_pools_live_program_definition_id",
        "pools",
        "program_definition_id, id",
        "status <> 'ENDED'",
    )
    _index("ix_pools_live_snapshot_id", "pools", "snapshot_id, id", "status <> 'ENDED'")
    _index("ix_pools_member_id", "pools", "member_id, id", "member_id is not null")
    _index("ix_pools_pool_definition_id", "pools", "pool_definition_id, id")
    _index("ix_pools_program_definition_id", "pools", "program_definition_id, id")
    _index("ix_pools_program_id", "pools", "program_id, pool_definition_id, id")
    _index("ix_pools_wix_user_id", "pools", "wix_user_id, id", "wix_user_id is not null")
    _create_of_tenants(
        "quotas",
        "pool_id, quota_id, period_start",
        "pool_id uuid, quota_id uuid, period_start whole, used whole",
        sa.CheckConstraint("used >= 0", name="ck_quotas_used"),
    )


def _create_transactions() -> None:
    _create_of_tenants(
        "transactions",
        "id",
        """
        id uuid, pool_id uuid, created whole, operation text, amount whole, source text,
        target text, available_after whole, balance_revision whole, snapshot_id uuid,
        details document, correlation_id uuid, idempotency_key text?, related_transaction_id uuid?,
        superseded_transaction_id uuid?, item_id uuid?, party_type text?, party_id text?,
        requested_amount whole?
        """,
    )
    _index("ix_transactions_correlation_id", "transactions", "correlation_id, id")
    _index("ix_transactions_pool_id", "transactions", "pool_id, id")
    _index(
        "uq_transactions_idempotency_key",
        "transactions",
        "pool_id, operation, idempotency_key",
        "idempotency_key is not null",
    )
    _index(
        "uq_transactions_related",
        "transactions",
        "related_transaction_id",
        "related_transaction_id is not null",
    )
    _index(
        "uq_transactions_superseded",
        "transactions",
        "superseded_transaction_id",
        "superseded_transaction_id is not null",
    )
    _create_of_tenants(
        "idempotency_keys",
        "subject_id, operation, idempotency_key",
        "subject_id uuid, operation text, idempotency_key text, created whole, result_id uuid?",
    )


def _create_orders() -> None:
    _create_of_tenants("agenda", "kind", "kind text, newest_order whole, since whole?")
    _create_of_tenants(
        "orders",
        "number",
        """
        number whole, kind text, phase text, cascade text, stands whole, job_id uuid?,
        pool_definition_id uuid?, program_definition_id uuid?, program_id uuid?, opened_id uuid?,
        snapshot_id uuid?, revision whole, status text?
        """,
    )
    for column in ("pool_definition_id", "program_definition_id", "program_id"):
        _index(f"ix_orders_{column}", "orders", f"{column}, number", f"{column} is not null")
    _index("ix_orders_job_id", "orders", "job_id, opened_id")
    _index("ix_orders_phase", "orders", "phase, stands, number")


def _create_jobs() -> None:
    _create_of_tenants(
        "jobs",
        "id",
        """
        id uuid, created whole, updated whole, kind text, status text, subject_id uuid,
        created_by_type text, created_by_id text, total whole, success_count whole,
        fail_count whole, errors document?, items document?, stage whole, position text?,
        order_number whole, due whole, lease_owner text?, attempts whole, reason text?,
        payload document?
        """,
    )
    for column, more in (("id", ""), ("subject_id", ", order_number")):
        live = "status not in ('FINISHED', 'FAILED')"
        _index(f"ix_jobs_live_{column}", "jobs", column + more, live)
    _create_of_tenants("job_pages", "job_id, number", "job_id uuid, number whole, items document")
    _create_of_tenants(
        "events",
        "id",
        """
        id uuid, created whole, entity text, entity_id uuid, sequence whole, slug text,
        body document, transaction_id uuid?
        """,
    )


def _create_directory() -> None:
    _create("tenants", "id", "id whole, site_id uuid, name text, created whole, settings document")
    op.create_index("uq_tenants_site_id", "tenants", ["site_id"], unique=True)
    _create(
        "api_keys",
        "id",
        """
        id uuid, name text, created whole, tenant_ids document, grants document, expires whole?,
        revoked whole?, secret_hash text
        """,
    )
    op.create_index("uq_api_keys_secret_hash", "api_keys", ["secret_hash"], unique=True)
    _create("secrets", "name", "name text, value text")


def _expect_uneven_values() -> None:
    """Have PostgreSQL plan for one large tenant, and for pools and item sets with very many rows.

    By the averages, and where nothing is known yet, a look-up by a whole key would seem to need no
    more than its owner's index, and would read a busy pool from its first transaction on.
    """
    if op.get_context().dialect.name != "postgresql":
        return
    for table, column in (("transactions", "pool_id"), ("items", "item_set_id")):
        op.execute(f"alter table {table} alter column {column} set (n_distinct = 200)")
        op.execute(_ONE_TENANT.format(table=table))


# Statistics can be given since PostgreSQL 18; before, the first ANALYZE brings them.
_ONE_TENANT = """
do $$ begin
  if cast(current_setting('server_version_num') as int) >= 180000 then
    perform pg_restore_attribute_stats(
      'schemaname', cast(current_schema() as text), 'relname', '{table}',
      'attname', 'tenant_id', 'inherited', false,
      'null_frac', cast(0 as real), 'avg_width', 8, 'n_distinct', cast(1 as real));
  end if;
end $$
"""


def _leave_room_for_balances() -> None:
    """Let PostgreSQL write a pool's new balance beside the old one, so that no index changes.

    In a full page there is no room, and each of the table's indexes would get an entry.
    """
    if op.get_context().dialect.name == "postgresql":
        op.execute("alter table pools set (fillfactor = 80)")
