"""The ways in which commands find rows. Each is served by a primary key or an index."""

from __future__ import annotations

from benefit_programs.domain.entities import (
    Assignment,
    IdempotencyKey,
    Item,
    ItemSet,
    Job,
    Pool,
    PoolDefinition,
    Program,
    ProgramDefinition,
    Quota,
    Snapshot,
    SnapshotBenefit,
    Transaction,
)
from benefit_programs.domain.state import Index

PROGRAM_DEFINITION = Index(ProgramDefinition, "id")
PROGRAM_DEFINITION_BY_EXTERNAL_ID = Index(ProgramDefinition, "namespace", "external_id")
POOL_DEFINITION = Index(PoolDefinition, "id")
SNAPSHOT = Index(Snapshot, "id")
SNAPSHOT_BENEFITS = Index(SnapshotBenefit, "snapshot_id")
BENEFITS_OF_ITEM_SET = Index(SnapshotBenefit, "item_set_id", limit=500)
ASSIGNMENTS_OF_POOL_DEFINITION = Index(Assignment, "pool_definition_id")
ASSIGNMENTS_OF_PROGRAM_DEFINITION = Index(Assignment, "program_definition_id")
ITEM_SET = Index(ItemSet, "id")
ITEM_SETS_OF_POOL_DEFINITION = Index(ItemSet, "pool_definition_id")
ITEM = Index(Item, "id")
ITEM_BY_REFERENCE = Index(Item, "external_id", "provider_app_id", "category", "item_set_id")
PROGRAM = Index(Program, "id")
PROGRAM_BY_EXTERNAL_ID = Index(Program, "namespace", "external_id")
POOL = Index(Pool, "id")
POOLS_OF_PROGRAM = Index(Pool, "program_id")
TRANSACTION = Index(Transaction, "id")
TRANSACTION_BY_KEY = Index(Transaction, "pool_id", "operation", "idempotency_key")
TRANSACTIONS_OF_CHAIN = Index(Transaction, "correlation_id")
TRANSACTION_GIVING_BACK = Index(Transaction, "related_transaction_id")
QUOTA = Index(Quota, "pool_id", "quota_id", "period_start")
IDEMPOTENCY_KEY = Index(IdempotencyKey, "subject_id", "operation", "idempotency_key")

LIVE_POOL_OF_SNAPSHOT = Index(Pool, "snapshot_id", limit=1, live=True)
LIVE_POOL_OF_POOL_DEFINITION = Index(Pool, "pool_definition_id", limit=1, live=True)
LIVE_PROGRAM_OF_PROGRAM_DEFINITION = Index(Program, "program_definition_id", limit=1, live=True)
JOB = Index(Job, "id")
