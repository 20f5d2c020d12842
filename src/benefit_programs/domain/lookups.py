"""The ways in which commands find rows. Each is served by a primary key or an index."""

from __future__ import annotations

from typing import Any

from benefit_programs.domain.audit_rows import AuditEntry
from benefit_programs.domain.clocks import Clock
from benefit_programs.domain.details import ROLLING_TIMES_MAX
from benefit_programs.domain.entities import (
    Agenda,
    Assignment,
    IdempotencyKey,
    Item,
    ItemSet,
    Job,
    JobPage,
    Lot,
    Order,
    Pool,
    PoolDefinition,
    Program,
    ProgramDefinition,
    Quota,
    Reservation,
    Snapshot,
    SnapshotBenefit,
    Transaction,
)
from benefit_programs.domain.event_rows import Event, Removal
from benefit_programs.domain.indexes import Index, RareIndex
from benefit_programs.domain.scheduled_changes import (
    CHANGES_OF_DEFINITION_MAX,
    CHANGES_OF_PROGRAM_MAX,
    ScheduledChange,
)
from benefit_programs.domain.settings import IN_REQUEST_MAX
from benefit_programs.domain.webhooks.rows import (
    WebhookDelivery,
    WebhookEndpoint,
    WebhookKey,
    WebhookProgress,
    WebhookSecret,
)

PROGRAM_DEFINITION = Index(ProgramDefinition, "id")
NAMED_PROGRAM_DEFINITION = Index(ProgramDefinition, "id", leads_on=False)
"""For the names that an answer shows, and nothing else."""

PROGRAM_DEFINITION_BY_EXTERNAL_ID = Index(ProgramDefinition, "namespace", "external_id")
PROGRAM_DEFINITION_OF_ANY_NAMESPACE = Index(ProgramDefinition, "external_id", limit=1)
POOL_DEFINITION = Index(PoolDefinition, "id")
SNAPSHOT = Index(Snapshot, "id", unheld=True)
BENEFITS_OF_ITEM_SET = Index(SnapshotBenefit, "item_set_id", limit=500)
ASSIGNMENTS_OF_POOL_DEFINITION = Index(Assignment, "pool_definition_id")
ASSIGNMENTS_OF_PROGRAM_DEFINITION = Index(Assignment, "program_definition_id")
ITEM_SET = Index(ItemSet, "id")
ITEM = Index(Item, "id")
ITEM_BY_REFERENCE = Index(
    Item,
    *("external_id", "provider_app_id", "category", "item_set_id"),
    leads_on=False,
    unheld=True,
)
"""Whoever deletes an item waits for nobody who redeems it."""

PROGRAM = Index(Program, "id")
NAMED_PROGRAM = Index(Program, "id", leads_on=False)
"""For the names that an answer shows, and nothing else."""

PROGRAM_BY_EXTERNAL_ID = Index(Program, "namespace", "external_id")
PROGRAM_OF_ANY_NAMESPACE = Index(Program, "external_id", limit=1)
POOL = Index(Pool, "id")
POOLS_OF_PROGRAM = Index(Pool, "program_id")
TRANSACTION = Index(Transaction, "id")
RESERVING_TRANSACTION = Index(Transaction, "id")
"""The transaction of a reservation, for what never changes of it: its pool, and what it is for."""

TRANSACTION_BY_KEY = RareIndex(Transaction, "pool_id", "operation", "idempotency_key", unheld=True)
TRANSACTIONS_OF_CHAIN = Index(Transaction, "correlation_id")
QUOTA = Index(Quota, "pool_id", "quota_id", "period_start", leads_on=False)
USES_MAX = 2 * ROLLING_TIMES_MAX + 1
"""How many uses of a limit that rolls are looked at: of more, one of two windows is too full."""

WALK_USES = Index(
    Quota, "pool_id", "quota_id", after="period_start", limit=USES_MAX, leads_on=False
)
"""The uses of a limit that rolls which come after an instant, in their order."""

SCHEDULED_CHANGE = Index(ScheduledChange, "id")
CHANGES_OF_PROGRAM = Index(
    ScheduledChange, "program_id", limit=CHANGES_OF_PROGRAM_MAX + 1, live=True, leads_on=False
)
CHANGES_OF_POOL_DEFINITION = Index(
    ScheduledChange, "pool_definition_id", limit=CHANGES_OF_DEFINITION_MAX + 1, live=True
)
IDEMPOTENCY_KEY = RareIndex(
    IdempotencyKey, "subject_id", "operation", "idempotency_key", unheld=True
)

KEYS_OF_SUBJECT = Index(IdempotencyKey, "subject_id")
"""The keys of a subject that has few: one redemption by whichever pools pay."""

LOT = Index(Lot, "id")
LOTS_TO_BURN = Index(Lot, "pool_id", after="rank", limit=2, live=True, sums="available")
"""The first lots in the burn order: most of what is spent needs no more of them."""

MORE_LOTS_TO_BURN = Index(Lot, "pool_id", after="rank", limit=50, live=True, sums="available")
"""The same for what needs more than those."""

LOTS_OF_POOL = Index(Lot, "pool_id", after="rank", limit=2_000, live=True)
"""All lots of a pool that are live or still to come: from the rank "" on."""

RESERVATION = Index(Reservation, "id")
RESERVATIONS_MAX = 1_000
"""How many reservations of a pool may be open."""

RESERVATIONS_OF_POOL = Index(Reservation, "pool_id", limit=RESERVATIONS_MAX + 1, live=True)

LIVE_POOL_OF_SNAPSHOT = Index(Pool, "snapshot_id", limit=1, live=True)

CHUNK_SIZE = 100
"""How many pools a job changes in one commit."""

SMALL_CHUNK_SIZE = 10
"""The same while others use the engine, for whom a commit must not take long."""

PROGRAM_CHUNK_SIZE = 50
"""In how many programs a job may open a pool in one commit, or how many pools in one program."""

BEFORE_ALL_IDS = "00000000-0000-0000-0000-000000000000"
"""Where a walk through rows in the order of their ids begins."""

LIVE_POOLS_OF_PROGRAM = Index(Pool, "program_id", limit=IN_REQUEST_MAX + 1, live=True)
LIVE_POOLS_OF_POOL_DEFINITION = Index(
    Pool, "pool_definition_id", limit=IN_REQUEST_MAX + 1, live=True
)
LIVE_POOLS_OF_PROGRAM_DEFINITION = Index(
    Pool, "program_definition_id", limit=IN_REQUEST_MAX + 1, live=True
)
LIVE_PROGRAMS_OF_PROGRAM_DEFINITION = Index(
    Program, "program_definition_id", limit=IN_REQUEST_MAX + 1, live=True
)
POOLS_OF_PROGRAM_BY_DEFINITION = Index(Pool, "program_id", "pool_definition_id")

WALK_POOLS_OF_PROGRAM = Index(Pool, "program_id", after="id", limit=CHUNK_SIZE, live=True)
WALK_POOLS_OF_POOL_DEFINITION = Index(
    Pool, "pool_definition_id", after="id", limit=CHUNK_SIZE, live=True
)
WALK_POOLS_OF_PROGRAM_DEFINITION = Index(
    Pool, "program_definition_id", after="id", limit=CHUNK_SIZE, live=True
)
WALK_PROGRAMS_OF_PROGRAM_DEFINITION = Index(
    Program, "program_definition_id", after="id", limit=PROGRAM_CHUNK_SIZE, live=True
)

ERASURE_CHUNK_SIZE = 1_000
"""How many rows that came of a person's pools an erasure looks through in one commit."""

WALK_LOTS = Index(Lot, after="id", limit=ERASURE_CHUNK_SIZE)
WALK_RESERVATIONS = Index(Reservation, after="id", limit=ERASURE_CHUNK_SIZE)
WALK_TRANSACTIONS = Index(Transaction, after="id", limit=ERASURE_CHUNK_SIZE)
WALK_EVENTS = Index(Event, after="id", limit=ERASURE_CHUNK_SIZE)
WALK_AUDIT = Index(AuditEntry, after="id", limit=ERASURE_CHUNK_SIZE)

ENTRIES_OF_SUBJECT = Index(AuditEntry, "subject_id", limit=ERASURE_CHUNK_SIZE)
"""The audit entries of what was done with a person's programs as a whole, which are few."""

PROGRAMS_OF_VISITOR = Index(Program, "anonymous_visitor_id", limit=IN_REQUEST_MAX + 1)
POOLS_OF_VISITOR = Index(Pool, "anonymous_visitor_id", limit=IN_REQUEST_MAX + 1)
WALK_PROGRAMS_OF_VISITOR = Index(
    Program, "anonymous_visitor_id", after="id", limit=PROGRAM_CHUNK_SIZE
)

MERGES_MAX = 100
"""How many merges of a tenant jobs may have to do at the same time."""

LIVE_JOBS_OF_KIND = Index(Job, "kind", limit=MERGES_MAX + 1, live=True)
LIVE_JOBS_OF_SUBJECT = Index(Job, "kind", "subject_id", limit=MERGES_MAX + 1, live=True)
REMOVAL = Index(Removal, "kind")

AGENDA = Index(Agenda, "kind")
BEFORE_ALL_INSTANTS = -(2**62)
"""Where a walk through rows in the order of their instants begins."""

FIRST_DUE_POOL = Index(Pool, after="due", limit=1)
FIRST_DUE_PROGRAM = Index(Program, after="due", limit=1)
FIRST_DUE_CASCADE = Index(ScheduledChange, after="due", limit=1, live=True)
FIRST_DUE: tuple[Index[Any], ...] = (FIRST_DUE_POOL, FIRST_DUE_PROGRAM, FIRST_DUE_CASCADE)
"""What finds the first row of each kind that something happens to by itself."""

DUE_AT_ONCE_MAX = 50
"""How many rows with something due are looked at while the clock of a sandbox is set forward."""

WALK_DUE_POOLS = Index(Pool, after="due", limit=DUE_AT_ONCE_MAX)
WALK_DUE_PROGRAMS = Index(Program, after="due", limit=DUE_AT_ONCE_MAX)
CLOCK = Index(Clock, "kind")

ORDER_OF_JOB = Index(Order, "job_id", limit=1)
ORDERS_OF_POOL_DEFINITION = Index(Order, "pool_definition_id", empty_leads_on=False)
ORDERS_OF_PROGRAM_DEFINITION = Index(Order, "program_definition_id", empty_leads_on=False)
ORDERS_OF_PROGRAM = Index(Order, "program_id", empty_leads_on=False)
WALK_POOLS_TO_OPEN = Index(Order, "job_id", after="opened_id", limit=PROGRAM_CHUNK_SIZE)
OLDEST_ORDER_IN_PHASE = Index(Order, "phase", "stands", after="number", limit=1)

SWEEP_SIZE = 200
"""How many jobs, pages of jobs or orders one commit removes."""

JOB = Index(Job, "id")
WALK_JOBS = Index(Job, after="id", limit=SWEEP_SIZE)
LIVE_JOBS = Index(Job, after="id", limit=1, live=True)
JOB_PAGE = Index(JobPage, "job_id", "number")
WALK_ORDERS_IN_PHASE = Index(Order, "phase", "stands", after="number", limit=SWEEP_SIZE)
WALK_JOB_PAGES = Index(JobPage, "job_id", after="number", limit=SWEEP_SIZE)

WEBHOOK_ENDPOINTS_MAX = 50
"""How many webhook endpoints a tenant may have."""

WEBHOOK_KEYS_MAX = 3
"""How many key pairs for JWTs a tenant keeps: the newest signs, the others still verify."""

PENDING_DELIVERIES_MAX = 1_000
"""How many deliveries may wait for one endpoint; then it is told nothing new until some end."""

WEBHOOK_ENDPOINT = Index(WebhookEndpoint, "id")
WALK_WEBHOOK_ENDPOINTS = Index(WebhookEndpoint, after="id", limit=WEBHOOK_ENDPOINTS_MAX)
WEBHOOK_SECRETS = Index(WebhookSecret, "endpoint_id")
WEBHOOK_PROGRESS = Index(WebhookProgress, "endpoint_id")
WEBHOOK_DELIVERY = Index(WebhookDelivery, "id")
WALK_DELIVERIES = Index(WebhookDelivery, after="id", limit=SWEEP_SIZE)
PENDING_DELIVERIES = Index(
    WebhookDelivery, "endpoint_id", limit=2 * PENDING_DELIVERIES_MAX, live=True
)
WALK_WEBHOOK_KEYS = Index(WebhookKey, after="id", limit=WEBHOOK_KEYS_MAX)
