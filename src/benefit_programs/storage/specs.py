"""What each query method reads: its tables and its fields. Contract: methods, query language."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from functools import cache, partial
from typing import Any

from msgspec.structs import replace

from benefit_programs.domain.audit_rows import AuditEntry
from benefit_programs.domain.entities import (
    BENEFICIARY_COLUMNS,
    Job,
    Lot,
    LotStatus,
    Pool,
    PoolDefinition,
    Program,
    ProgramDefinition,
    Reservation,
    ReservationStatus,
    Transaction,
)
from benefit_programs.domain.people.rows import Person
from benefit_programs.domain.rows import Row
from benefit_programs.domain.scheduled_changes import ScheduledChange
from benefit_programs.domain.values import Id
from benefit_programs.domain.webhooks.rows import WebhookDelivery, WebhookEndpoint
from benefit_programs.storage.console import USER_COLUMNS
from benefit_programs.storage.directory import KEY_COLUMNS
from benefit_programs.storage.query import (
    Dialect,
    Field,
    FieldKind,
    IdentityColumns,
    PostgresDialect,
    QuerySpec,
    index_fields,
)
from benefit_programs.storage.query.fields import NOW, TENANT, LookUp, NameTest
from benefit_programs.storage.rows import CODECS
from benefit_programs.storage.statements import postgres_columns, sqlite_columns
from benefit_programs.storage.tables import TABLES, column_types, live_condition

TRANSACTION_STATUSES = frozenset({"PENDING", "COMPLETED", "FAILED"})


def columns_of(entity: type[Row], alias: str, dialect: Dialect) -> str:
    """A select list that the entity's codec reads."""
    codec = CODECS[entity]
    if isinstance(dialect, PostgresDialect):
        return postgres_columns(codec, alias)
    return sqlite_columns(codec, alias)


def spec_of(
    method: str,
    entity: type[Row],
    alias: str,
    dialect: Dialect,
    fields: Iterable[Field],
    *,
    indexed: Iterable[str],
    aliases: dict[str, str] | None = None,
) -> QuerySpec:
    """What a query of one table reads; id and date of creation are fields of every one."""
    identifier = Field("id", f"{alias}.id", FieldKind.ID)
    created = Field("createdDate", f"{alias}.created", FieldKind.INSTANT, made_ids=f"{alias}.id")
    return QuerySpec(
        method=method,
        source=f"{TABLES[entity].name} {alias}",
        columns=columns_of(entity, alias, dialect),
        tenant=f"{alias}.tenant_id",
        id=identifier,
        indexed=frozenset({"id", *indexed}),
        fields=index_fields((identifier, created, *fields), aliases=aliases),
    )


def field_of(
    entity: type[Row], alias: str, name: str, column: str, kind: FieldKind | None = None
) -> Field:
    """A field with the values of a column; the row type says what they are, ``kind`` says more."""
    values, nullable = column_types(entity)[column]
    sql = f"{alias}.{column}"
    if values == Id:
        return Field(name, sql, FieldKind.ID, nullable=nullable)
    if issubclass(values, StrEnum):
        return Field(
            name, sql, FieldKind.ENUM, nullable=nullable, names=frozenset(map(str, values))
        )
    return Field(name, sql, kind or FieldKind.TEXT, nullable=nullable)


def _beneficiary(alias: str) -> tuple[Field, Field, Field]:
    """The whole identity, and those of its ids that have names of their own."""
    columns = IdentityColumns(*(f"{alias}.{each}" for each in BENEFICIARY_COLUMNS))
    return (Field("beneficiary", "", FieldKind.IDENTITY, identity=columns), *_identity(alias))


def _identity(alias: str) -> tuple[Field, Field]:
    return (
        field_of(Pool, alias, "beneficiary.memberId", "member_id", FieldKind.IDENTITY_ID),
        field_of(Pool, alias, "beneficiary.wixUserId", "wix_user_id", FieldKind.IDENTITY_ID),
    )


def _benefits(owner: str) -> tuple[Field, Field]:
    members = (
        f"snapshot_benefits b WHERE b.tenant_id = {owner}.tenant_id"
        f" AND b.snapshot_id = {owner}.snapshot_id"
    )
    return (
        Field("details.benefits.itemSetId", "b.item_set_id", FieldKind.ID, list_members=members),
        Field(
            "details.benefits.providerAppId",
            "b.provider_app_id",
            FieldKind.IDENTITY_ID,
            list_members=members,
        ),
    )


@cache
def program_definitions(dialect: Dialect) -> QuerySpec:
    field = partial(field_of, ProgramDefinition, "d")
    fields = (
        field("externalId", "external_id", FieldKind.EXTERNAL_ID),
        field("namespace", "namespace"),
    )
    indexed = ("externalId", "namespace")
    return spec_of(
        "queryProgramDefinitions", ProgramDefinition, "d", dialect, fields, indexed=indexed
    )


@cache
def pool_definitions(dialect: Dialect) -> QuerySpec:
    memberships = "assignments a WHERE a.tenant_id = d.tenant_id AND a.pool_definition_id = d.id"
    fields = (
        field_of(PoolDefinition, "d", "namespace", "namespace"),
        *_benefits("d"),
        Field(
            "programDefinitionIds",
            "a.program_definition_id",
            FieldKind.ID,
            list_members=memberships,
        ),
    )
    indexed = ("namespace",)
    return spec_of("queryPoolDefinitions", PoolDefinition, "d", dialect, fields, indexed=indexed)


@cache
def programs(dialect: Dialect) -> QuerySpec:
    """Read programs. Whose they are is no field of the contract's, but what is asked for most."""
    field = partial(field_of, Program, "p")
    fields = (
        *_beneficiary("p"),
        field("externalId", "external_id", FieldKind.EXTERNAL_ID),
        field("namespace", "namespace"),
        field("programDefinitionId", "program_definition_id"),
        field("status", "status"),
        field("endDate", "end_date", FieldKind.INSTANT),
        field("nextRenewalDate", "next_renewal", FieldKind.INSTANT),
    )
    return spec_of(
        "queryPrograms",
        Program,
        "p",
        dialect,
        fields,
        indexed=(
            *("beneficiary", "beneficiary.memberId", "beneficiary.wixUserId", "externalId"),
            *("programDefinitionId", "programDefinition.id"),
        ),
        aliases={"programDefinition.id": "programDefinitionId"},
    )


@cache
def pools(dialect: Dialect) -> QuerySpec:
    field = partial(field_of, Pool, "p")
    fields = (
        *_beneficiary("p"),
        field("namespace", "namespace"),
        field("poolDefinitionId", "pool_definition_id"),
        field("programDefinitionId", "program_definition_id"),
        field("programId", "program_id"),
        field("status", "status"),
        *_benefits("p"),
    )
    aliases = {"program.id": "programId", "programDefinition.id": "programDefinitionId"}
    indexed = ("beneficiary", "beneficiary.memberId", "beneficiary.wixUserId", "poolDefinitionId")
    return spec_of(
        "queryPools",
        Pool,
        "p",
        dialect,
        fields,
        indexed=(*indexed, *aliases, *aliases.values()),
        aliases=aliases,
    )


@cache
def balances(dialect: Dialect) -> QuerySpec:
    """queryBalances: the columns of the Pool that has the balance."""
    field = partial(field_of, Pool, "p")
    fields = (
        *_identity("p"),
        Field("amount.available", "p.available", FieldKind.AMOUNT),
        field("poolInfo.poolDefinitionId", "pool_definition_id"),
        field("poolInfo.status", "status"),
    )
    indexed = ("beneficiary.memberId", "beneficiary.wixUserId", "poolInfo.poolDefinitionId")
    return spec_of("queryBalances", Pool, "p", dialect, fields, indexed=indexed)


@cache
def listed_balances(dialect: Dialect) -> QuerySpec:
    """listBalances: as queryBalances, in pages of its own."""
    return replace(balances(dialect), method="listBalances")


@cache
def transactions(dialect: Dialect) -> QuerySpec:
    """queryTransactions: the columns of a Transaction, then those of its Pool."""
    field = partial(field_of, Transaction, "t")
    status = Field(
        "status", "'COMPLETED'", FieldKind.ENUM, names=TRANSACTION_STATUSES, sortable=False
    )
    fields = (
        *_identity("p"),
        field("correlationId", "correlation_id"),
        field("externalReference", "external_reference"),
        field("idempotencyKey", "idempotency_key"),
        field("details.item.id", "item_id"),
        field("pool.id", "pool_id"),
        field("relatedTransactionId", "related_transaction_id"),
        status,
    )
    indexed = (
        "beneficiary.memberId",
        "beneficiary.wixUserId",
        "correlationId",
        "externalReference",
        "pool.id",
        "relatedTransactionId",
    )
    alone = spec_of("queryTransactions", Transaction, "t", dialect, fields, indexed=indexed)
    return replace(
        alone,
        source=f"{alone.source} JOIN pools p ON p.tenant_id = t.tenant_id AND p.id = t.pool_id",
        columns=f"{alone.columns}, {columns_of(Pool, 'p', dialect)}",
    )


@cache
def reservations(dialect: Dialect) -> QuerySpec:
    """queryReservations: the columns of a Reservation, then those of its Pool."""
    field, of_pool = partial(field_of, Reservation, "r"), partial(field_of, Pool, "p")
    fields = (
        *_identity("p"),
        of_pool("namespace", "namespace"),
        field("poolId", "pool_id"),
        of_pool("programId", "program_id"),
        of_pool("programDefinitionId", "program_definition_id"),
        of_pool("poolDefinitionId", "pool_definition_id"),
        _reservation_status(),
        field("expirationDate", "expiration_date", FieldKind.INSTANT),
        field("externalReference", "external_reference"),
    )
    indexed = ("beneficiary.memberId", "beneficiary.wixUserId", "poolId", "programId")
    alone = spec_of("queryReservations", Reservation, "r", dialect, fields, indexed=indexed)
    return replace(
        alone,
        source=f"{alone.source} JOIN pools p ON p.tenant_id = r.tenant_id AND p.id = r.pool_id",
        columns=f"{alone.columns}, {columns_of(Pool, 'p', dialect)}",
    )


@cache
def lots(dialect: Dialect) -> QuerySpec:
    """queryLots: the columns of a Lot, then those of its Pool."""
    field, of_pool = partial(field_of, Lot, "l"), partial(field_of, Pool, "p")
    fields = (
        *_identity("p"),
        field("effectiveDate", "effective_date", FieldKind.INSTANT),
        field("expirationDate", "expiration_date", FieldKind.INSTANT),
        field("externalReference", "external_reference"),
        field("origin", "origin"),
        field("poolId", "pool_id"),
        _lot_status(),
        of_pool("namespace", "namespace"),
        of_pool("poolDefinitionId", "pool_definition_id"),
        of_pool("programDefinitionId", "program_definition_id"),
        of_pool("programId", "program_id"),
    )
    indexed = ("beneficiary.memberId", "beneficiary.wixUserId", "externalReference", "poolId")
    alone = spec_of("queryLots", Lot, "l", dialect, fields, indexed=(*indexed, "programId"))
    return replace(
        alone,
        source=f"{alone.source} JOIN pools p ON p.tenant_id = l.tenant_id AND p.id = l.pool_id",
        columns=f"{alone.columns}, {columns_of(Pool, 'p', dialect)}",
    )


_STANDS = "(p.stopped IS NOT NULL)"
"""Whether a pause has stopped the clock of a pool."""


def _stored_or(status: str, test: str) -> str:
    """Whether a lot has a status: as it is stored while the clock stands, or else by a test."""
    return f"CASE WHEN {_STANDS} THEN l.status = '{status}' ELSE {test} END"


def _reservation_status() -> Field:
    """A reservation lapses at its date, whether or not that is booked."""
    is_open, ends = live_condition(Reservation, "r.status"), "r.expiration_date"
    tests = {str(each): f"r.status = '{each}'" for each in ReservationStatus}
    tests[ReservationStatus.OPEN] = f"({ends} > {NOW} OR {_STANDS})"
    tests[ReservationStatus.LAPSED] = (
        f"(r.status = '{ReservationStatus.LAPSED}'"
        f" OR ({is_open} AND {ends} <= {NOW} AND NOT {_STANDS}))"
    )
    return _status(tests, is_open, (ReservationStatus.OPEN,))


def _status(tests: Mapping[Any, str], is_open: str, open_names: Collection[str]) -> Field:
    """A status that changes with time, by what is true of the rows that have each of its names.

    Those with an open one fulfil ``is_open`` too, the condition of the partial indexes.
    """
    named = tuple(
        NameTest(str(name), test, is_open if name in open_names else "")
        for name, test in tests.items()
    )
    names = frozenset(each.name for each in named)
    return Field("status", "", FieldKind.ENUM, sortable=False, names=names, tests=named)


def _lot_status() -> Field:
    """What a lot is now, whether or not it is booked. What is stored says where to look.

    Where a pause has stopped the clock, it stays what is stored.
    """
    is_open = live_condition(Lot, "l.status")
    ends = "l.expiration_date"
    lives = f"l.effective_date <= {NOW} AND ({ends} IS NULL OR {ends} > {NOW})"
    tests = {
        LotStatus.FUTURE: _stored_or("FUTURE", f"l.effective_date > {NOW}"),
        LotStatus.LIVE: _stored_or("LIVE", lives),
        LotStatus.SPENT: "l.status = 'SPENT'",
        LotStatus.EXPIRED: (
            f"(l.status = 'EXPIRED' OR ({is_open} AND {ends} <= {NOW} AND NOT {_STANDS}))"
        ),
    }
    return _status(tests, is_open, (LotStatus.FUTURE, LotStatus.LIVE))


@cache
def scheduled_changes(dialect: Dialect) -> QuerySpec:
    field = partial(field_of, ScheduledChange, "s")
    fields = (
        field("programId", "program_id"),
        field("poolDefinitionId", "pool_definition_id"),
        field("programDefinitionId", "program_definition_id"),
        field("kind", "kind"),
        field("status", "status"),
        field("date", "date", FieldKind.INSTANT),
    )
    indexed = ("programId", "poolDefinitionId")
    alone = spec_of("queryScheduledChanges", ScheduledChange, "s", dialect, fields, indexed=indexed)
    return replace(alone, default_sort=(("date", "ASC"),))


def _by(name: str, *look_ups: LookUp) -> Field:
    """A field of what audit entries concern."""
    kind = FieldKind.IDENTITY_ID if name.startswith("beneficiary.") else FieldKind.ID
    return Field(name, "t.id", kind, sortable=False, look_ups=look_ups)


def _of_entries(column: str) -> LookUp:
    """Entries that name it themselves."""
    return LookUp(f"SELECT a.id FROM audit_entries a WHERE a.tenant_id = {TENANT}", f"a.{column}")


def _of_transactions(column: str) -> LookUp:
    """Entries of transactions, by their pools ``p``."""
    return LookUp(
        f"SELECT x.id FROM pools p JOIN transactions x ON x.tenant_id = {TENANT}"
        f" AND x.pool_id = p.id WHERE p.tenant_id = {TENANT}",
        column,
    )


def _of_pools(column: str) -> LookUp:
    """Entries that name a pool, by the pools ``p``."""
    return LookUp(
        f"SELECT a.id FROM pools p JOIN audit_entries a ON a.tenant_id = {TENANT}"
        f" AND a.pool_id = p.id WHERE p.tenant_id = {TENANT}",
        column,
    )


def _of_programs(column: str) -> LookUp:
    """Entries that name a program, by the programs ``p``."""
    return LookUp(
        f"SELECT a.id FROM programs p JOIN audit_entries a ON a.tenant_id = {TENANT}"
        f" AND a.program_id = p.id WHERE p.tenant_id = {TENANT}",
        column,
    )


_BENEFICIARIES = (
    ("beneficiary.memberId", "p.member_id"),
    ("beneficiary.wixUserId", "p.wix_user_id"),
    ("beneficiary.anonymousVisitorId", "p.anonymous_visitor_id"),
)


@cache
def audit_entries(dialect: Dialect) -> QuerySpec:
    """queryAuditEntries: what has no ids of its own is found by those of what it belongs to."""
    field = partial(field_of, AuditEntry, "t")
    fields = (
        field("principal.kind", "principal_kind"),
        field("principal.id", "principal_id"),
        field("method", "method"),
        replace(field("entityType", "entity"), sql="COALESCE(t.entity, 'TRANSACTION')"),
        field("requestId", "request_id"),
        _by("entityId", _of_entries("id"), _of_entries("entity_id")),
        _by("poolId", _of_entries("pool_id"), _of_transactions("p.id")),
        _by(
            "programId",
            _of_entries("program_id"),
            _of_pools("p.program_id"),
            _of_transactions("p.program_id"),
        ),
        *(
            _by(name, _of_programs(column), _of_pools(column), _of_transactions(column))
            for name, column in _BENEFICIARIES
        ),
    )
    return spec_of(
        "queryAuditEntries",
        AuditEntry,
        "t",
        dialect,
        fields,
        indexed=("entityId", "poolId", "programId", "beneficiary.memberId"),
    )


@cache
def people(dialect: Dialect) -> QuerySpec:
    updated = field_of(Person, "e", "updatedDate", "updated", FieldKind.INSTANT)
    fields = (*_beneficiary("e"), updated)
    indexed = ("beneficiary", "beneficiary.memberId", "beneficiary.wixUserId")
    return spec_of("queryPeople", Person, "e", dialect, fields, indexed=indexed)


def _indexed_status(entity: type[Row], field: Field) -> Field:
    """A status whose names are written into the statement, as the partial indexes have them."""
    is_live = live_condition(entity, field.sql)
    tests = (
        NameTest(name, f"{field.sql} = '{name}'", "" if name in entity.over else is_live)
        for name in sorted(field.names)
    )
    return replace(field, tests=tuple(tests))


@cache
def webhook_endpoints(dialect: Dialect) -> QuerySpec:
    field = partial(field_of, WebhookEndpoint, "w")
    fields = (field("status", "status"), field("format", "format"), field("url", "url"))
    return spec_of("queryWebhookEndpoints", WebhookEndpoint, "w", dialect, fields, indexed=())


@cache
def webhook_deliveries(dialect: Dialect) -> QuerySpec:
    field = partial(field_of, WebhookDelivery, "v")
    fields = (
        field("webhookEndpointId", "endpoint_id"),
        _indexed_status(WebhookDelivery, field("status", "status")),
        field("origin", "origin"),
        field("eventType", "event_type"),
        field("eventId", "event_id"),
        field("entityId", "entity_id"),
    )
    return spec_of(
        "queryWebhookDeliveries",
        WebhookDelivery,
        "v",
        dialect,
        fields,
        indexed=("webhookEndpointId",),
    )


@cache
def jobs(dialect: Dialect) -> QuerySpec:
    field = partial(field_of, Job, "j")
    status = _indexed_status(Job, field("status", "status"))
    fields = (field("kind", "kind"), status, field("subjectId", "subject_id"))
    return spec_of("queryAsyncJobs", Job, "j", dialect, fields, indexed=())


_ONLY_TENANT = (
    "CASE WHEN json_array_length(k.tenant_ids) = 1 THEN CAST(k.tenant_ids ->> 0 AS BIGINT) END"
)
"""The tenant that a key opens; none if it opens several."""


@cache
def api_keys(_: Dialect) -> QuerySpec:
    """queryApiKeys: the keys that open one tenant alone. There are few keys, and no index."""
    fields = (
        Field("id", "k.id", FieldKind.ID),
        Field("createdDate", "k.created", FieldKind.INSTANT),
        Field("name", "k.name", FieldKind.TEXT),
        Field("expirationDate", "k.expires", FieldKind.INSTANT, nullable=True),
        Field("revokedDate", "k.revoked", FieldKind.INSTANT, nullable=True),
    )
    return QuerySpec(
        method="queryApiKeys",
        source="api_keys k",
        columns=KEY_COLUMNS,
        tenant=_ONLY_TENANT,
        id=fields[0],
        indexed=frozenset({"id"}),
        fields=index_fields(fields),
    )


@cache
def console_users(_: Dialect) -> QuerySpec:
    """queryConsoleUsers: those of one tenant. There are few users, and no index."""
    fields = (
        Field("id", "u.id", FieldKind.ID),
        Field("createdDate", "u.created", FieldKind.INSTANT),
        Field("name", "u.name", FieldKind.TEXT),
        Field("role", "u.role", FieldKind.TEXT),
        Field("email", "u.email", FieldKind.TEXT, nullable=True),
        Field("revokedDate", "u.revoked", FieldKind.INSTANT, nullable=True),
    )
    return QuerySpec(
        method="queryConsoleUsers",
        source="console_users u",
        columns=USER_COLUMNS,
        tenant="u.tenant_id",
        id=fields[0],
        indexed=frozenset({"id"}),
        fields=index_fields(fields),
    )
