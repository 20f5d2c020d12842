"""The tables, described once for both engines; migrations and row codecs come from here.

``tenant_id`` comes first in every primary key, unique key and index of a tenant's table, so one
tenant's statements never touch another's rows. The tables of the directory (who the tenants are,
and which keys open them) are the only ones that are read before a tenant is known.

Ids are ``uuid`` on PostgreSQL and text on SQLite, amounts 64-bit integers of 1/10,000 credit,
instants 64-bit integers of milliseconds, documents JSON text that is never searched. Text
compares by code point on both engines.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from benefit_programs.domain import entities

Id = sa.Text().with_variant(postgresql.UUID(as_uuid=False), "postgresql")
Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
Whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Document = sa.Text().with_variant(postgresql.JSON(), "postgresql")

metadata = sa.MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"}
)


def _tenant_table(
    name: str, key: tuple[str, ...], *parts: sa.Column[Any] | sa.Index | sa.CheckConstraint
) -> sa.Table:
    """A tenant's table: the tenant leads its primary key."""
    return sa.Table(
        name,
        metadata,
        sa.Column("tenant_id", Whole, nullable=False),
        *parts,
        sa.PrimaryKeyConstraint("tenant_id", *key, name=f"pk_{name}"),
        sqlite_strict=True,
    )


def _column(name: str, type_: sa.types.TypeEngine[Any], *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=null)


def _index(name: str, *columns: str, unique: bool = False, where: str | None = None) -> sa.Index:
    """An index that the tenant leads; ``where`` leaves out the rows that it can't serve."""
    condition = sa.text(where) if where else None
    return sa.Index(
        name,
        "tenant_id",
        *columns,
        unique=unique,
        postgresql_where=condition,
        sqlite_where=condition,
    )


def _entity_columns() -> tuple[sa.Column[Any], ...]:
    return (
        _column("id", Id),
        _column("revision", Whole),
        _column("created", Whole),
        _column("updated", Whole),
    )


def _beneficiary_columns() -> tuple[sa.Column[Any], ...]:
    return (
        _column("anonymous_visitor_id", Text, null=True),
        _column("member_id", Text, null=True),
        _column("wix_user_id", Text, null=True),
    )


def _program_definition_columns() -> tuple[sa.Column[Any], ...]:
    return (
        _column("program_definition_id", Id, null=True),
        _column("program_definition_external_id", Text, null=True),
    )


program_definitions = _tenant_table(
    "program_definitions",
    ("id",),
    *_entity_columns(),
    _column("namespace", Text),
    _column("external_id", Text),
    _column("display_name", Text, null=True),
    _column("description", Text, null=True),
    _column("extended_fields", Document, null=True),
    _column("sequence", Whole),
    _index("uq_program_definitions_external_id", "namespace", "external_id", unique=True),
    _index("ix_program_definitions_external_id", "external_id", "id"),
    _index("ix_program_definitions_namespace", "namespace", "id"),
)

snapshots = _tenant_table(
    "snapshots",
    ("id",),
    _column("id", Id),
    _column("created", Whole),
    _column("details", Document),
    _column("display_name", Text, null=True),
    _column("description", Text, null=True),
)

snapshot_benefits = _tenant_table(
    "snapshot_benefits",
    ("snapshot_id", "benefit_key"),
    _column("snapshot_id", Id),
    _column("benefit_key", Text),
    _column("ordinal", Whole),
    _column("item_set_id", Id),
    _column("provider_app_id", Text),
    _column("price", Whole),
    _index("ix_snapshot_benefits_item_set_id", "item_set_id", "snapshot_id"),
    _index("ix_snapshot_benefits_provider_app_id", "provider_app_id", "snapshot_id"),
)

pool_definitions = _tenant_table(
    "pool_definitions",
    ("id",),
    *_entity_columns(),
    _column("namespace", Text),
    _column("snapshot_id", Id),
    _column("extended_fields", Document, null=True),
    _column("sequence", Whole),
    _column("cascades", Whole),
    _index("ix_pool_definitions_namespace", "namespace", "id"),
    _index("ix_pool_definitions_snapshot_id", "snapshot_id"),
)

assignments = _tenant_table(
    "assignments",
    ("pool_definition_id", "program_definition_id"),
    _column("pool_definition_id", Id),
    _column("program_definition_id", Id),
    _column("ordinal", Whole),
    _index("ix_assignments_program_definition_id", "program_definition_id", "pool_definition_id"),
)

item_sets = _tenant_table(
    "item_sets",
    ("id",),
    _column("id", Id),
    _column("pool_definition_id", Id),
    _column("benefit_key", Text),
    _column("provider_app_id", Text),
    _column("namespace", Text),
    _index("ix_item_sets_pool_definition_id", "pool_definition_id", "id"),
    _index("ix_item_sets_provider_app_id", "provider_app_id", "namespace"),
)

items = _tenant_table(
    "items",
    ("id",),
    *_entity_columns(),
    _column("item_set_id", Id),
    _column("provider_app_id", Text),
    _column("category", Text),
    _column("external_id", Text),
    _column("namespace", Text),
    _column("display_name", Text, null=True),
    _column("extended_fields", Document, null=True),
    _column("sequence", Whole),
    _index(
        "uq_items_reference",
        "external_id",
        "provider_app_id",
        "category",
        "item_set_id",
        unique=True,
    ),
    _index("ix_items_item_set_id", "item_set_id", "id"),
    _index("ix_items_namespace", "namespace", "id"),
)

programs = _tenant_table(
    "programs",
    ("id",),
    *_beneficiary_columns(),
    *_entity_columns(),
    _column("status", Text),
    _column("namespace", Text),
    _column("external_id", Text),
    _column("target_status", Text, null=True),
    *_program_definition_columns(),
    _column("display_name", Text, null=True),
    _column("extended_fields", Document, null=True),
    _column("sequence", Whole),
    _index("uq_programs_external_id", "namespace", "external_id", unique=True),
    _index("ix_programs_external_id", "external_id", "id"),
    _index("ix_programs_program_definition_id", "program_definition_id", "id"),
    _index(
        "ix_programs_live_program_definition_id",
        "program_definition_id",
        "id",
        where="status <> 'ENDED'",
    ),
)

pools = _tenant_table(
    "pools",
    ("id",),
    *_beneficiary_columns(),
    *_entity_columns(),
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
    *_program_definition_columns(),
    _column("previous_status", Text, null=True),
    _column("renewal_count", Whole),
    _column("renewal_action", Text, null=True),
    _column("renewal_snapshot_id", Id, null=True),
    _column("renewal_revision", Whole, null=True),
    _column("extended_fields", Document, null=True),
    _column("sequence", Whole),
    _column("cascades", Whole),
    _column("action_id", Id, null=True),
    _index("ix_pools_program_id", "program_id", "pool_definition_id", "id"),
    _index("ix_pools_pool_definition_id", "pool_definition_id", "id"),
    _index("ix_pools_program_definition_id", "program_definition_id", "id"),
    _index("ix_pools_snapshot_id", "snapshot_id", "id", where="status <> 'ENDED'"),
    _index(
        "ix_pools_live_pool_definition_id",
        "pool_definition_id",
        "id",
        where="status <> 'ENDED'",
    ),
    _index(
        "ix_pools_live_program_definition_id",
        "program_definition_id",
        "id",
        where="status <> 'ENDED'",
    ),
    _index(
        "ix_pools_anonymous_visitor_id",
        "anonymous_visitor_id",
        "id",
        where="anonymous_visitor_id is not null",
    ),
    _index("ix_pools_member_id", "member_id", "id", where="member_id is not null"),
    _index("ix_pools_wix_user_id", "wix_user_id", "id", where="wix_user_id is not null"),
    sa.CheckConstraint("available >= 0", name="ck_pools_available"),
    sa.CheckConstraint("reserved >= 0", name="ck_pools_reserved"),
)

transactions = _tenant_table(
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
    _index("ix_transactions_pool_id", "pool_id", "id"),
    _index("ix_transactions_correlation_id", "correlation_id", "id"),
    _index(
        "uq_transactions_idempotency_key",
        "pool_id",
        "operation",
        "idempotency_key",
        unique=True,
        where="idempotency_key is not null",
    ),
    _index(
        "uq_transactions_related",
        "related_transaction_id",
        unique=True,
        where="related_transaction_id is not null",
    ),
    _index(
        "uq_transactions_superseded",
        "superseded_transaction_id",
        unique=True,
        where="superseded_transaction_id is not null",
    ),
)

quotas = _tenant_table(
    "quotas",
    ("pool_id", "quota_id", "period_start"),
    _column("pool_id", Id),
    _column("quota_id", Id),
    _column("period_start", Whole),
    _column("used", Whole),
    sa.CheckConstraint("used >= 0", name="ck_quotas_used"),
)

idempotency_keys = _tenant_table(
    "idempotency_keys",
    ("subject_id", "operation", "idempotency_key"),
    _column("subject_id", Id),
    _column("operation", Text),
    _column("idempotency_key", Text),
    _column("created", Whole),
    _column("result_id", Id, null=True),
)

jobs = _tenant_table(
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
    _index("ix_jobs_live", "id", where="status not in ('FINISHED', 'FAILED')"),
)

job_pages = _tenant_table(
    "job_pages",
    ("job_id", "number"),
    _column("job_id", Id),
    _column("number", Whole),
    _column("items", Document),
)

unfinished_cascades = _tenant_table(
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
    _index("ix_unfinished_cascades_pool_definition_id", "pool_definition_id", "id"),
    _index("ix_unfinished_cascades_program_definition_id", "program_definition_id", "id"),
)

unfinished_actions = _tenant_table(
    "unfinished_actions",
    ("program_id",),
    _column("program_id", Id),
    _column("id", Id),
    _column("kind", Text),
    _column("status", Text),
    _column("earlier", Document),
)

unopened_pools = _tenant_table(
    "unopened_pools",
    ("program_id", "pool_definition_id"),
    _column("program_id", Id),
    _column("pool_definition_id", Id),
    _column("job_id", Id),
    _column("snapshot_id", Id),
    _column("revision", Whole),
    _column("cascades", Whole),
    _index("ix_unopened_pools_pool_definition_id", "pool_definition_id", "program_id"),
)

pending_changes = _tenant_table(
    "pending_changes",
    ("program_definition_id", "pool_definition_id"),
    _column("program_definition_id", Id),
    _column("pool_definition_id", Id),
    _column("kind", Text),
    _column("snapshot_id", Id),
    _column("revision", Whole),
    _column("cascades", Whole),
    _column("created", Whole),
    _index("ix_pending_changes_pool_definition_id", "pool_definition_id"),
)

pending_ends = _tenant_table(
    "pending_ends",
    ("program_definition_id",),
    _column("program_definition_id", Id),
    _column("created", Whole),
)

work = _tenant_table(
    "work",
    ("kind",),
    _column("kind", Text),
    _column("since", Whole),
)

events = _tenant_table(
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

tenants = sa.Table(
    "tenants",
    metadata,
    sa.Column("id", Whole, primary_key=True, autoincrement=False),
    sa.Column("site_id", Id, nullable=False),
    sa.Column("name", Text, nullable=False),
    sa.Column("created", Whole, nullable=False),
    sa.Column("settings", Document, nullable=False),
    sa.Index("uq_tenants_site_id", "site_id", unique=True),
    sqlite_strict=True,
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("secret_hash", Text, nullable=False),
    sa.Column("name", Text, nullable=False),
    sa.Column("created", Whole, nullable=False),
    sa.Column("tenant_ids", Document, nullable=False),
    sa.Column("grants", Document, nullable=False),
    sa.Column("expires", Whole, nullable=True),
    sa.Column("revoked", Whole, nullable=True),
    sa.Index("uq_api_keys_secret_hash", "secret_hash", unique=True),
    sqlite_strict=True,
)

secrets = sa.Table(
    "secrets",
    metadata,
    sa.Column("name", Text, primary_key=True),
    sa.Column("value", Text, nullable=False),
    sqlite_strict=True,
)

DIRECTORY = (tenants, api_keys, secrets)
"""The tables that are read before a tenant is known."""

TABLES: dict[type[entities.Row], sa.Table] = {
    entities.ProgramDefinition: program_definitions,
    entities.Snapshot: snapshots,
    entities.SnapshotBenefit: snapshot_benefits,
    entities.PoolDefinition: pool_definitions,
    entities.Assignment: assignments,
    entities.ItemSet: item_sets,
    entities.Item: items,
    # What isn't finished stands before programs and pools. Its rows are waited for first, so that
    # the pools that a job opens with its last commit are found behind them.
    entities.PendingChange: pending_changes,
    entities.UnfinishedCascade: unfinished_cascades,
    entities.UnopenedPool: unopened_pools,
    entities.Program: programs,
    entities.Pool: pools,
    entities.Transaction: transactions,
    entities.Quota: quotas,
    entities.IdempotencyKey: idempotency_keys,
    entities.PendingEnd: pending_ends,
    entities.UnfinishedAction: unfinished_actions,
    entities.Work: work,
    entities.Job: jobs,
    entities.JobPage: job_pages,
    entities.Event: events,
}
"""Where rows of each type are stored, in the order in which locks are taken and rows written."""
