"""The tables, made from the row types: a column for each field.

A column is said once, by the annotation of its field; what a table has beyond its columns is said
here. Tests compare what the migrations make with this.

``tenant_id`` comes first in every primary key, unique key and index of a tenant's table, so one
tenant's statements never touch another's rows. The tables of the directory (who the tenants are,
and which keys open them) are the only ones that are read before a tenant is known.

Ids are ``uuid`` on PostgreSQL and text on SQLite, amounts 64-bit integers of 1/10,000 credit,
instants 64-bit integers of milliseconds, documents JSON text that is never searched. Text
compares by code point on both engines.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

import msgspec

from benefit_programs.domain import entities, values
from benefit_programs.domain.allowances import Allowance
from benefit_programs.domain.audit_rows import AuditEntry
from benefit_programs.domain.clocks import Clock
from benefit_programs.domain.entities import JobStatus
from benefit_programs.domain.event_rows import Event, Removal
from benefit_programs.domain.people.rows import Person, PersonWord
from benefit_programs.domain.rows import Row
from benefit_programs.domain.scheduled_changes import ScheduledChange
from benefit_programs.domain.webhooks import rows as webhooks
from benefit_programs.storage.console import ConsoleInvitation, ConsoleSession, ConsoleUser
from benefit_programs.storage.console_forms import ConsoleForm
from benefit_programs.storage.directory import ApiKey, Tenant


class ColumnType(StrEnum):
    """How values are stored; each is called what PostgreSQL calls it."""

    ID = "uuid"
    TEXT = "text"
    WHOLE = "bigint"
    DOCUMENT = "json"


EVENT_POSITIONS = "event_positions"
"""The sequence on PostgreSQL that gives events their places in the feed."""


class Default(NamedTuple):
    """What a row gets in a column that it is inserted without, as SQL."""

    postgres: str
    sqlite: str


class Column(NamedTuple):
    """One column of a table."""

    name: str
    type: ColumnType
    nullable: bool = False
    default: Default | None = None


class Index(NamedTuple):
    """One index: its columns in order, and what its rows have in common, as SQL."""

    name: str
    columns: tuple[str, ...]
    unique: bool = False
    postgres_where: str | None = None
    sqlite_where: str | None = None


@dataclass(frozen=True, eq=False)
class Table:
    """What statements and examinations must know of a table.

    It says it without a library of its own: to load one takes each start longer than all tables.
    """

    name: str
    columns: dict[str, Column]
    key: tuple[str, ...]
    indexes: tuple[Index, ...]
    not_negative: tuple[str, ...] = ()
    only_key: bool = False
    """Whether SQLite keeps it in its key alone."""


_ZERO = Default("0", "0")
_POSITION = Column(
    "position", ColumnType.WHOLE, default=Default(f"nextval('{EVENT_POSITIONS}')", "0")
)
"""The place of an event in the feed, which the store gives and no decider sees."""


class _Index(NamedTuple):
    columns: tuple[str, ...]
    unique: str
    live: bool
    sparse: bool
    led: bool
    only: str
    given: str


LISTED_STATUSES = 2
"""How many statuses are said in a list. Of a longer one SQLite makes a table, for each row anew."""


def _index(
    *columns: str,
    unique: str = "",
    live: bool = False,
    sparse: bool = False,
    led: bool = False,
    only: str = "",
    given: str = "",
) -> _Index:
    """An index that is named for its first column, or for what ``unique`` calls it.

    ``live`` leaves out rows whose life is over, ``sparse`` those that lack one of the columns.
    ``only`` is the one status that rows in it have, ``given`` another column that none lacks.
    One that is ``led`` serves only who names its first column. Where nobody has analyzed a table,
    PostgreSQL 18 would look for rows by their ids in it, and read all of it.
    """
    return _Index(columns, unique, live, sparse, led, only, given)


def live_condition(entity: type[Row], status: str = "status") -> str:
    """What leaves out the rows whose life is over, in the words of the partial indexes.

    PostgreSQL has them with lists, and takes a list for the same as its members one by one.
    """
    if len(entity.over) == LISTED_STATUSES:
        return _listed_condition(entity, status)
    return " and ".join(f"{status} <> '{each}'" for each in entity.over)


def _listed_condition(entity: type[Row], status: str = "status") -> str:
    over = [f"'{each}'" for each in entity.over]
    return f"{status} <> {over[0]}" if len(over) == 1 else f"{status} not in ({', '.join(over)})"


@cache
def column_types(entity: type[msgspec.Struct]) -> dict[str, tuple[Any, bool]]:
    """The type of each column's values, and whether it may be empty."""
    hints = get_type_hints(entity, include_extras=True)
    return {name: _without_none(hints[name]) for name in entity.__struct_fields__}


def _without_none(hint: Any) -> tuple[Any, bool]:
    kinds = get_args(hint)
    if type(None) not in kinds:
        return hint, False
    (plain,) = (kind for kind in kinds if kind is not type(None))
    return plain, True


def _columns(entity: type[msgspec.Struct], added: tuple[str, ...] = ()) -> list[Column]:
    return [
        Column(name, stored_as(plain), null, _ZERO if name in added else None)
        for name, (plain, null) in column_types(entity).items()
    ]


def stored_as(plain: Any) -> ColumnType:
    """How the values of a type are stored. TypeError for a type that has no place in a table."""
    if plain == values.Id:
        return ColumnType.ID
    if plain in (int, bool):
        return ColumnType.WHOLE
    kind = get_origin(plain) or plain
    if issubclass(kind, str):
        return ColumnType.TEXT
    if issubclass(kind, dict | tuple | msgspec.Struct):
        return ColumnType.DOCUMENT
    raise TypeError(f"{plain} can't be stored")


def _table(
    entity: type[Row],
    name: str,
    *indexes: _Index,
    not_negative: tuple[str, ...] = (),
    added: tuple[str, ...] = (),
    beside: tuple[Column, ...] = (),
    only_key: bool = False,
) -> tuple[type[Row], Table]:
    """A tenant's table: the tenant leads its primary key and its indexes.

    ``added`` are whole numbers that came later, and are 0 in the rows from before.
    ``beside`` are columns that are no fields of the row type. One that is ``only_key`` is kept by
    SQLite in its key alone.
    """
    columns = _by_name([Column("tenant_id", ColumnType.WHOLE), *_columns(entity, added), *beside])
    made = tuple(_made_index(name, columns, entity, each) for each in indexes)
    key = ("tenant_id", *entity.key)
    return entity, Table(name, columns, key, made, not_negative, only_key)


def _by_name(columns: Iterable[Column]) -> dict[str, Column]:
    return {each.name: each for each in columns}


def _made_index(table: str, columns: dict[str, Column], entity: type[Row], index: _Index) -> Index:
    where = []
    if index.sparse:
        where += [f"{each} is not null" for each in index.columns if columns[each].nullable]
    if index.led:
        where.append(f"{index.columns[0]} is not null")
    if index.only:
        where.append(f"status = '{index.only}'")
    if index.given:
        where.append(f"{index.given} is not null")
    live = index.live
    on_postgres, on_sqlite = (
        " and ".join(words) or None
        for words in (
            [_listed_condition(entity), *where] if live else where,
            [live_condition(entity), *where] if live else where,
        )
    )
    kept = [*(["live"] if live else []), index.only.lower(), index.given]
    named = (
        f"uq_{table}_{index.unique}"
        if index.unique
        else "_".join(("ix", table, *filter(None, kept), index.columns[0]))
    )
    columns_led = ("tenant_id", *index.columns)
    return Index(named, columns_led, bool(index.unique), on_postgres, on_sqlite)


def _directory_table(
    name: str,
    key: str,
    *columns: Column,
    unique: str | None = None,
    indexes: tuple[Index, ...] = (),
) -> Table:
    if unique:
        indexes = (*indexes, Index(f"uq_{name}_{unique}", (unique,), unique=True))
    return Table(name, _by_name(columns), (key,), indexes)


def _of_not_revoked(name: str, *columns: str) -> Index:
    """What of those who aren't revoked no two have in common."""
    words = "revoked is null"
    named = f"uq_console_users_{name}"
    return Index(named, columns, unique=True, postgres_where=words, sqlite_where=words)


def _text(name: str) -> Column:
    return Column(name, ColumnType.TEXT)


DIRECTORY = (
    _directory_table("tenants", "id", *_columns(Tenant), unique="site_id"),
    _directory_table(
        "api_keys", "id", *_columns(ApiKey), _text("secret_hash"), unique="secret_hash"
    ),
    _directory_table("secrets", "name", _text("name"), _text("value")),
    _directory_table(
        "console_users",
        "id",
        *_columns(ConsoleUser),
        indexes=(
            _of_not_revoked("name", "tenant_id", "name"),
            _of_not_revoked("email", "email", "tenant_id"),
        ),
    ),
    _directory_table("console_invitations", "secret_hash", *_columns(ConsoleInvitation)),
    _directory_table("console_sessions", "secret_hash", *_columns(ConsoleSession)),
    _directory_table("console_forms", "key_hash", *_columns(ConsoleForm)),
)
"""The tables that are read before a tenant is known."""

TABLES: dict[type[Row], Table] = dict(
    (
        _table(
            entities.ProgramDefinition,
            "program_definitions",
            _index("namespace", "external_id", unique="external_id"),
            _index("external_id", "id"),
            _index("namespace", "id"),
        ),
        _table(entities.Snapshot, "snapshots"),
        _table(
            entities.SnapshotBenefit,
            "snapshot_benefits",
            _index("item_set_id", "snapshot_id"),
            _index("provider_app_id", "snapshot_id"),
        ),
        _table(
            entities.PoolDefinition,
            "pool_definitions",
            _index("namespace", "id"),
            _index("snapshot_id"),
        ),
        _table(
            entities.Assignment,
            "assignments",
            _index("program_definition_id", "pool_definition_id"),
        ),
        _table(
            entities.ItemSet,
            "item_sets",
            _index("pool_definition_id", "id"),
            _index("provider_app_id", "namespace"),
        ),
        _table(
            entities.Item,
            "items",
            _index("external_id", "provider_app_id", "category", "item_set_id", unique="reference"),
            _index("item_set_id", "id"),
            _index("namespace", "id"),
        ),
        # Whoever gives an order a number, or opens a pool, holds the definitions first; then the
        # orders that are read behind them are all that there are.
        _table(entities.Agenda, "agenda"),
        _table(
            entities.Order,
            "orders",
            _index("pool_definition_id", "number", sparse=True),
            _index("program_definition_id", "number", sparse=True),
            _index("program_id", "number", sparse=True),
            _index("job_id", "opened_id"),
            _index("phase", "stands", "number"),
        ),
        _table(
            entities.Program,
            "programs",
            _index("namespace", "external_id", unique="external_id"),
            _index("external_id", "id"),
            _index("program_definition_id", "id"),
            _index("program_definition_id", "id", live=True),
            _index("anonymous_visitor_id", "id", sparse=True),
            _index("member_id", "id", sparse=True),
            _index("wix_user_id", "id", sparse=True),
            _index("due", "id", sparse=True),
            _index("next_renewal", "id", sparse=True),
            _index("end_date", "id", sparse=True),
            _index("program_definition_id", "id", given="end_date"),
        ),
        _table(
            ScheduledChange,
            "scheduled_changes",
            _index("due", "id", live=True, sparse=True),
            _index("date", "id", live=True),
            _index("program_id", "id", sparse=True),
            _index("pool_definition_id", "id", sparse=True),
        ),
        _table(
            entities.Pool,
            "pools",
            _index("program_id", "pool_definition_id", "id"),
            _index("pool_definition_id", "id"),
            _index("program_definition_id", "id"),
            _index("snapshot_id", "id", live=True),
            _index("pool_definition_id", "id", live=True),
            _index("program_definition_id", "id", live=True),
            _index("anonymous_visitor_id", "id", sparse=True),
            _index("member_id", "id", sparse=True),
            _index("wix_user_id", "id", sparse=True),
            _index("due", "id", sparse=True),
            _index("stopped", "id", sparse=True),
            not_negative=("available", "reserved"),
            added=("in_lots", "shift"),
        ),
        _table(
            entities.Lot,
            "lots",
            _index("pool_id", "id", led=True),
            _index("pool_id", "rank", live=True),
            _index("expiration_date", "id", live=True, sparse=True),
            _index("external_reference", "id", sparse=True),
            not_negative=("available", "reserved"),
            added=("shift",),
        ),
        _table(
            entities.Reservation,
            "reservations",
            _index("pool_id", "id", led=True),
            _index("pool_id", "id", live=True),
        ),
        _table(
            entities.Transaction,
            "transactions",
            _index("pool_id", "id"),
            _index("correlation_id", "id"),
            _index(
                "pool_id", "operation", "idempotency_key", unique="idempotency_key", sparse=True
            ),
            _index("related_transaction_id", unique="related", sparse=True),
            _index("superseded_transaction_id", unique="superseded", sparse=True),
            _index("external_reference", "id", sparse=True),
        ),
        _table(entities.Quota, "quotas", not_negative=("used",)),
        _table(entities.IdempotencyKey, "idempotency_keys"),
        _table(
            entities.Job,
            "jobs",
            _index("id", live=True),
            _index("kind", "subject_id", live=True),
            _index("subject_id", "order_number", live=True),
            _index("id", only=JobStatus.FAILED),
        ),
        _table(entities.JobPage, "job_pages"),
        _table(
            Event,
            "events",
            _index("position"),
            beside=(_POSITION,),
        ),
        _table(Removal, "removals"),
        # Most entries are of transactions and name no entity, so they are in no index.
        _table(
            AuditEntry,
            "audit_entries",
            _index("entity_id", "id", sparse=True),
            _index("program_id", "id", sparse=True),
            _index("pool_id", "id", sparse=True),
            _index("subject_id", "id", sparse=True),
            only_key=True,
        ),
        _table(webhooks.WebhookEndpoint, "webhook_endpoints", _index("id", live=True)),
        _table(webhooks.WebhookSecret, "webhook_secrets"),
        _table(webhooks.WebhookProgress, "webhook_progress"),
        _table(
            webhooks.WebhookDelivery,
            "webhook_deliveries",
            _index("endpoint_id", "id"),
            _index("endpoint_id", "due", live=True),
            _index("endpoint_id", "id", only=webhooks.DeliveryStatus.PARKED),
        ),
        _table(webhooks.WebhookKey, "webhook_keys"),
        _table(Clock, "clocks"),
        _table(Allowance, "allowances"),
        _table(
            Person,
            "people",
            _index("anonymous_visitor_id", unique="anonymous_visitor_id", sparse=True),
            _index("member_id", unique="member_id", sparse=True),
            _index("wix_user_id", unique="wix_user_id", sparse=True),
        ),
        _table(PersonWord, "person_words", only_key=True),
    )
)
"""Where rows of each type are stored, in the order in which locks are taken and rows written."""

TABLES_BY_NAME: dict[str, Table] = {each.name: each for each in (*DIRECTORY, *TABLES.values())}
"""All tables, the directory's first."""
