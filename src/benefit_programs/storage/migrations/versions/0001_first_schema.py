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
Id = sa.Text().with_variant(postgresql.UUID(as_uuid=False), "postgresql")
Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
Whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Document = sa.Text().with_variant(postgresql.JSON(), "postgresql")


def upgrade() -> None:
    _create_program_definitions()
    _create_snapshots()
    _create_snapshot_benefits()
    _create_pool_definitions()
    _create_assignments()
    _create_item_sets()
    _create_items()
    _create_programs()
    _create_pools()
    _create_transactions()
    _create_quotas()
    _create_idempotency_keys()
    _create_pending_changes()
    _create_pending_ends()
    _create_unfinished_work()
    _create_work()
    _create_jobs()
    _create_job_pages()
    _create_events()
    _create_tenants()
    _create_api_keys()
    _create_secrets()
    _expect_uneven_values()
    _leave_room_for_balances()


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


def downgrade() -> None:
    tables = (
        "secrets",
        "api_keys",
        "tenants",
        "events",
        "job_pages",
        "jobs",
        "work",
        "unopened_pools",
        "unfinished_actions",
        "unfinished_cascades",
        "pending_ends",
        "pending_changes",
        "idempotency_keys",
        "quotas",
        "transactions",
        "pools",
        "programs",
        "items",
        "item_sets",
        "assignments",
        "pool_definitions",
        "snapshot_benefits",
        "snapshots",
        "program_definitions",
    )
    for table in tables:
        op.drop_table(table)


def _create_table(name: str, key: tuple[str, ...], *parts: sa.schema.SchemaItem) -> None:
    """Make a table of tenants, each of whose rows has its key within its tenant."""
    op.create_table(
        name,
        _column("tenant_id", Whole),
        *parts,
        sa.PrimaryKeyConstraint("tenant_id", *key, name=f"pk_{name}"),
        sqlite_strict=True,
    )


def _column(name: str, type_: sa.types.TypeEngine[Any], *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=null)


def _index(
    name: str, table: str, *columns: str, unique: bool = False, where: str | None = None
) -> None:
    condition = sa.text(where) if where else None
    op.create_index(
        name, table, columns, unique=unique, postgresql_where=condition, sqlite_where=condition
    )


def _create_program_definitions() -> None:
    _create_table(
        "program_definitions",
        ("id",),
        _column("id", Id),
        _column("revision", Whole),
        _column("created", Whole),
        _column("updated", Whole),
        _column("namespace", Text),
        _column("external_id", Text),
        _column("display_name", Text, null=True),
        _column("description", Text, null=True),
        _column("extended_fields", Document, null=True),
        _column("sequence", Whole),
    )
    _index(
        "ix_program_definitions_external_id",
        "program_definitions",
        "tenant_id",
        "external_id",
        "id",
    )
    _index(
        "ix_program_definitions_namespace", "program_definitions", "tenant_id", "namespace", "id"
    )
    _index(
        "uq_program_definitions_external_id",
        "program_definitions",
        "tenant_id",
        "namespace",
        "external_id",
        unique=True,
    )


def _create_snapshots() -> None:
    _create_table(
        "snapshots",
        ("id",),
        _column("id", Id),
        _column("created", Whole),
        _column("details", Document),
        _column("display_name", Text, null=True),
        _column("description", Text, null=True),
    )


def _create_snapshot_benefits() -> None:
    _create_table(
        "snapshot_benefits",
        ("snapshot_id", "benefit_key"),
        _column("snapshot_id", Id),
        _column("benefit_key", Text),
        _column("ordinal", Whole),
        _column("item_set_id", Id),
        _column("provider_app_id", Text),
        _column("price", Whole),
    )
    _index(
        "ix_snapshot_benefits_item_set_id",
        "snapshot_benefits",
        "tenant_id",
        "item_set_id",
        "snapshot_id",
    )
    _index(
        "ix_snapshot_benefits_provider_app_id",
        "snapshot_benefits",
        "tenant_id",
        "provider_app_id",
        "snapshot_id",
    )


def _create_pool_definitions() -> None:
    _create_table(
        "pool_definitions",
        ("id",),
        _column("id", Id),
        _column("revision", Whole),
        _column("created", Whole),
        _column("updated", Whole),
        _column("namespace", Text),
        _column("snapshot_id", Id),
        _column("extended_fields", Document, null=True),
        _column("sequence", Whole),
        _column("cascades", Whole),
    )
    _index("ix_pool_definitions_namespace", "pool_definitions", "tenant_id", "namespace", "id")
    _index("ix_pool_definitions_snapshot_id", "pool_definitions", "tenant_id", "snapshot_id")


def _create_assignments() -> None:
    _create_table(
        "assignments",
        ("pool_definition_id", "program_definition_id"),
        _column("pool_definition_id", Id),
        _column("program_definition_id", Id),
        _column("ordinal", Whole),
    )
    _index(
        "ix_assignments_program_definition_id",
        "assignments",
        "tenant_id",
        "program_definition_id",
        "pool_definition_id",
    )


def _create_item_sets() -> None:
    _create_table(
        "item_sets",
        ("id",),
        _column("id", Id),
        _column("pool_definition_id", Id),
        _column("benefit_key", Text),
        _column("provider_app_id", Text),
        _column("namespace", Text),
    )
    _index("ix_item_sets_pool_definition_id", "item_sets", "tenant_id", "pool_definition_id", "id")
    _index("ix_item_sets_provider_app_id", "item_sets", "tenant_id", "provider_app_id", "namespace")


def _create_items() -> None:
    _create_table(
        "items",
        ("id",),
        _column("id", Id),
        _column("revision", Whole),
        _column("created", Whole),
        _column("updated", Whole),
        _column("item_set_id", Id),
        _column("provider_app_id", Text),
        _column("category", Text),
        _column("external_id", Text),
        _column("namespace", Text),
        _column("display_name", Text, null=True),
        _column("extended_fields", Document, null=True),
        _column("sequence", Whole),
    )
    _index("ix_items_item_set_id", "items", "tenant_id", "item_set_id", "id")
    _index("ix_items_namespace", "items", "tenant_id", "namespace", "id")
    _index(
        "uq_items_reference",
        "items",
        "tenant_id",
        "external_id",
        "provider_app_id",
        "category",
        "item_set_id",
        unique=True,
    )


def _create_programs() -> None:
    _create_table(
        "programs",
        ("id",),
        _column("anonymous_visitor_id", Text, null=True),
        _column("member_id", Text, null=True),
        _column("wix_user_id", Text, null=True),
        _column("id", Id),
        _column("revision", Whole),
        _column("created", Whole),
        _column("updated", Whole),
        _column("status", Text),
        _column("namespace", Text),
        _column("external_id", Text),
        _column("target_status", Text, null=True),
        _column("program_definition_id", Id, null=True),
        _column("program_definition_external_id", Text, null=True),
        _column("display_name", Text, null=True),
        _column("extended_fields", Document, null=True),
        _column("sequence", Whole),
    )
    _index("ix_programs_external_id", "programs", "tenant_id", "external_id", "id")
    _index(
        "ix_programs_live_program_definition_id",
        "programs",
        "tenant_id",
        "program_definition_id",
        "id",
        where="status <> 'ENDED'",
    )
    _index(
        "ix_programs_program_definition_id", "programs", "tenant_id", "program_definition_id", "id"
    )
    _index(
        "uq_programs_external_id", "programs", "tenant_id", "namespace", "external_id", unique=True
    )


def _create_pools() -> None:
    _create_table(
        "pools",
        ("id",),
        _column("anonymous_visitor_id", Text, null=True),
        _column("member_id", Text, null=True),
        _column("wix_user_id", Text, null=True),
        _column("id", Id),
        _column("revision", Whole),
        _column("created", Whole),
        _column("updated", Whole),
        _column("program_id", Id),
        _column("program_external_id", Text),
        _column("pool_definition_id", Id),
        _column("pool_definition_revision", Whole),
        _column("snapshot_id", Id),
        _column("status", Text),
        _column("origin", Text),
        _column("namespace", Text),
        _column("available", Whole),
        _column("balance_revision", Whole),
        _column("balance_updated", Whole),
        _column("reserved", Whole),
        _column("last_transaction_id", Id, null=True),
        _column("program_definition_id", Id, null=True),
        _column("program_definition_external_id", Text, null=True),
        _column("previous_status", Text, null=True),
        _column("renewal_count", Whole),
        _column("renewal_action", Text, null=True),
        _column("renewal_snapshot_id", Id, null=True),
        _column("renewal_revision", Whole, null=True),
        _column("extended_fields", Document, null=True),
        _column("sequence", Whole),
        _column("cascades", Whole),
        _column("action_id", Id, null=True),
        sa.CheckConstraint("available >= 0", name="ck_pools_available"),
        sa.CheckConstraint("reserved >= 0", name="ck_pools_reserved"),
    )
    _create_indexes_of_pools()


def _create_indexes_of_pools() -> None:
    for column in ("pool_definition_id", "program_definition_id"):
        _index(
            f"ix_pools_live_{column}",
            "pools",
            "tenant_id",
            column,
            "id",
            where="status <> 'ENDED'",
        )
    _index(
        "ix_pools_member_id", "pools", "tenant_id", "member_id", "id", where="member_id is not null"
    )
    _index("ix_pools_pool_definition_id", "pools", "tenant_id", "pool_definition_id", "id")
    _index("ix_pools_program_definition_id", "pools", "tenant_id", "program_definition_id", "id")
    _index("ix_pools_program_id", "pools", "tenant_id", "program_id", "pool_definition_id", "id")
    _index(
        "ix_pools_snapshot_id",
        "pools",
        "tenant_id",
        "snapshot_id",
        "id",
        where="status <> 'ENDED'",
    )
    _index(
        "ix_pools_anonymous_visitor_id",
        "pools",
        "tenant_id",
        "anonymous_visitor_id",
        "id",
        where="anonymous_visitor_id is not null",
    )
    _index(
        "ix_pools_wix_user_id",
        "pools",
        "tenant_id",
        "wix_user_id",
        "id",
        where="wix_user_id is not null",
    )


def _create_transactions() -> None:
    _create_table(
        "transactions",
        ("id",),
        _column("id", Id),
        _column("pool_id", Id),
        _column("created", Whole),
        _column("operation", Text),
        _column("amount", Whole),
        _column("source", Text),
        _column("target", Text),
        _column("available_after", Whole),
        _column("balance_revision", Whole),
        _column("snapshot_id", Id),
        _column("details", Document),
        _column("correlation_id", Id),
        _column("idempotency_key", Text, null=True),
        _column("related_transaction_id", Id, null=True),
        _column("superseded_transaction_id", Id, null=True),
        _column("item_id", Id, null=True),
        _column("party_type", Text, null=True),
        _column("party_id", Text, null=True),
        _column("requested_amount", Whole, null=True),
    )
    _index("ix_transactions_correlation_id", "transactions", "tenant_id", "correlation_id", "id")
    _index("ix_transactions_pool_id", "transactions", "tenant_id", "pool_id", "id")
    _index(
        "uq_transactions_idempotency_key",
        "transactions",
        "tenant_id",
        "pool_id",
        "operation",
        "idempotency_key",
        unique=True,
        where="idempotency_key is not null",
    )
    _index(
        "uq_transactions_related",
        "transactions",
        "tenant_id",
        "related_transaction_id",
        unique=True,
        where="related_transaction_id is not null",
    )
    _index(
        "uq_transactions_superseded",
        "transactions",
        "tenant_id",
        "superseded_transaction_id",
        unique=True,
        where="superseded_transaction_id is not null",
    )


def _create_quotas() -> None:
    _create_table(
        "quotas",
        ("pool_id", "quota_id", "period_start"),
        _column("pool_id", Id),
        _column("quota_id", Id),
        _column("period_start", Whole),
        _column("used", Whole),
        sa.CheckConstraint("used >= 0", name="ck_quotas_used"),
    )


def _create_idempotency_keys() -> None:
    _create_table(
        "idempotency_keys",
        ("subject_id", "operation", "idempotency_key"),
        _column("subject_id", Id),
        _column("operation", Text),
        _column("idempotency_key", Text),
        _column("created", Whole),
        _column("result_id", Id, null=True),
    )


def _create_jobs() -> None:
    _create_table(
        "jobs",
        ("id",),
        _column("id", Id),
        _column("created", Whole),
        _column("updated", Whole),
        _column("kind", Text),
        _column("status", Text),
        _column("subject_id", Id),
        _column("created_by_type", Text),
        _column("created_by_id", Text),
        _column("total", Whole),
        _column("success_count", Whole),
        _column("fail_count", Whole),
        _column("errors", Document, null=True),
        _column("items", Document, null=True),
        _column("stage", Whole),
        _column("position", Id, null=True),
        _column("lease_owner", Text, null=True),
        _column("lease_until", Whole, null=True),
        _column("attempts", Whole),
        _column("retry_at", Whole, null=True),
        _column("reason", Text, null=True),
        _column("payload", Document, null=True),
    )
    _index("ix_jobs_live", "jobs", "tenant_id", "id", where="status not in ('FINISHED', 'FAILED')")


def _create_job_pages() -> None:
    _create_table(
        "job_pages",
        ("job_id", "number"),
        _column("job_id", Id),
        _column("number", Whole),
        _column("items", Document),
    )


def _create_unfinished_work() -> None:
    _create_table(
        "unfinished_cascades",
        ("id",),
        _column("id", Id),
        _column("kind", Text),
        _column("cascade", Text),
        _column("number", Whole),
        _column("revision", Whole),
        _column("pool_definition_id", Id, null=True),
        _column("program_definition_id", Id, null=True),
        _column("snapshot_id", Id, null=True),
        _column("until", Id, null=True),
        _column("earlier", Document, null=True),
    )
    for column in ("pool_definition_id", "program_definition_id"):
        name = f"ix_unfinished_cascades_{column}"
        _index(name, "unfinished_cascades", "tenant_id", column, "id")
    _create_table(
        "unfinished_actions",
        ("program_id",),
        _column("program_id", Id),
        _column("id", Id),
        _column("kind", Text),
        _column("status", Text),
        _column("earlier", Document),
    )
    _create_table(
        "unopened_pools",
        ("program_id", "pool_definition_id"),
        _column("program_id", Id),
        _column("pool_definition_id", Id),
        _column("job_id", Id),
        _column("snapshot_id", Id),
        _column("revision", Whole),
        _column("cascades", Whole),
    )
    _index(
        "ix_unopened_pools_pool_definition_id",
        "unopened_pools",
        "tenant_id",
        "pool_definition_id",
        "program_id",
    )


def _create_pending_changes() -> None:
    _create_table(
        "pending_changes",
        ("program_definition_id", "pool_definition_id"),
        _column("program_definition_id", Id),
        _column("pool_definition_id", Id),
        _column("kind", Text),
        _column("snapshot_id", Id),
        _column("revision", Whole),
        _column("cascades", Whole),
        _column("created", Whole),
    )
    name = "ix_pending_changes_pool_definition_id"
    _index(name, "pending_changes", "tenant_id", "pool_definition_id")


def _create_pending_ends() -> None:
    _create_table(
        "pending_ends",
        ("program_definition_id",),
        _column("program_definition_id", Id),
        _column("created", Whole),
    )


def _create_work() -> None:
    _create_table(
        "work",
        ("kind",),
        _column("kind", Text),
        _column("since", Whole),
    )


def _create_events() -> None:
    _create_table(
        "events",
        ("id",),
        _column("id", Id),
        _column("created", Whole),
        _column("entity", Text),
        _column("entity_id", Id),
        _column("sequence", Whole),
        _column("slug", Text),
        _column("body", Document),
        _column("transaction_id", Id, null=True),
    )


def _create_tenants() -> None:
    op.create_table(
        "tenants",
        sa.Column("id", Whole, nullable=False, autoincrement=False),
        _column("site_id", Id),
        _column("name", Text),
        _column("created", Whole),
        _column("settings", Document),
        sa.PrimaryKeyConstraint("id", name="pk_tenants"),
        sqlite_strict=True,
    )
    _index("uq_tenants_site_id", "tenants", "site_id", unique=True)


def _create_api_keys() -> None:
    op.create_table(
        "api_keys",
        _column("id", Id),
        _column("secret_hash", Text),
        _column("name", Text),
        _column("created", Whole),
        _column("tenant_ids", Document),
        _column("grants", Document),
        _column("expires", Whole, null=True),
        _column("revoked", Whole, null=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sqlite_strict=True,
    )
    _index("uq_api_keys_secret_hash", "api_keys", "secret_hash", unique=True)


def _create_secrets() -> None:
    op.create_table(
        "secrets",
        _column("name", Text),
        _column("value", Text),
        sa.PrimaryKeyConstraint("name", name="pk_secrets"),
        sqlite_strict=True,
    )
