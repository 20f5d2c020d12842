"""The statements that batches run, made once from the tables for each engine and kept.

PostgreSQL takes a list a column, so that one statement does a whole batch; SQLite takes a few rows
at a time: to begin and end a statement takes it about as long as to find a row.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, Literal, NamedTuple

from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.indexes import Index
from benefit_programs.domain.rows import Row
from benefit_programs.domain.state import Mode
from benefit_programs.storage.positions import HOLD_POSITIONS
from benefit_programs.storage.rows import CODECS, RowCodec
from benefit_programs.storage.tables import TABLES, ColumnType, live_condition

WRITINGS_MAX = 1_000
"""How many texts are kept of what batches write: each set of changed columns has its own."""

SQLITE_ROWS = 8
"""How many rows one statement looks up or inserts on SQLite, while a batch has so many."""

_LOCKS = {Mode.READ: "", Mode.SHARE: " for share of t", Mode.LOCK: " for no key update of t"}
_VERSION = "t.xmin::text"
"""Which transaction has written a row as it is: another one with each change."""


def _postgres_type(codec: RowCodec[Any], column: str) -> str:
    return codec.types[column].value


def postgres_columns(codec: RowCodec[Any], alias: str) -> str:
    """A select list in the codec's order; ids come as text."""
    return ", ".join(
        f"{alias}.{name}::text" if codec.types[name] is ColumnType.ID else f"{alias}.{name}"
        for name in codec.columns
    )


def sqlite_columns(codec: RowCodec[Any], alias: str) -> str:
    return ", ".join(f"{alias}.{name}" for name in codec.columns)


def _order(entity: type[Row], alias: str) -> str:
    return ", ".join(f"{alias}.{name}" for name in entity.key)


def _sequence(index: Index[Any]) -> str:
    """The order in which an index gives its rows: a walk goes along its own column."""
    if index.after in index.entity.distinct:
        return f"t.{index.after}"
    key = [name for name in index.entity.key if name != index.after]
    return ", ".join(f"t.{name}" for name in ([index.after] if index.after else []) + key)


def _conditions(index: Index[Any]) -> str:
    """What leaves out the rows whose life is over, in the words of the partial indexes."""
    if not index.live:
        return ""
    return f" and {live_condition(index.entity, 't.status')}"


def _key_columns(index: Index[Any]) -> tuple[str, ...]:
    return index.columns if index.after is None else (*index.columns, index.after)


def _match(index: Index[Any], values: list[str]) -> str:
    """How a row fits a key: equal, but for the column that a walk goes along."""
    signs = ["="] * len(index.columns) + [">"] * (index.after is not None)
    columns = _key_columns(index)
    return " and ".join(
        f"t.{column} {sign} {value}"
        for column, sign, value in zip(columns, signs, values, strict=True)
    )


def _postgres_found(index: Index[Any], *, first: int) -> str:
    """The rows ``t`` of many keys, which come as a list a column from parameter ``first`` on.

    Each key is looked up by itself: a plan that was made when the table was small, and is kept,
    can't turn into one that reads all rows of the tenant. ``offset 0`` keeps it so.
    """
    codec, columns = CODECS[index.entity], _key_columns(index)
    keys = ", ".join(
        f"${number}::{_postgres_type(codec, column)}[]"
        for number, column in enumerate(columns, start=first)
    )
    names = [f"k{number}" for number in range(len(columns))]
    bound = "offset 0"
    if index.limit is not None:
        bound = f"order by {_sequence(index)} limit {index.limit}"
    return (
        f"unnest({keys}) as k({', '.join(names)}) cross join lateral"
        f" (select * from {codec.table} t"
        f" where t.tenant_id = $1 and {_match(index, names)}{_conditions(index)} {bound}) t"
    )


@cache
def postgres_select(index: Index[Any], mode: Mode) -> str:
    """Rows by many keys at once: $1 the tenant, then a list a key column.

    What is held is held in the order of the rows' own keys, whatever index found them.
    """
    columns, order = postgres_columns(CODECS[index.entity], "t"), _order(index.entity, "t")
    if index.columns == ("id",) and index.after is None:
        return _postgres_taken(index.entity, "$2::uuid[]", mode, columns, _conditions(index))
    if mode is Mode.READ:
        return f"select {columns} from {_postgres_found(index, first=2)} order by {order}"
    return _postgres_held([_postgres_found(index, first=2)], index.entity, mode, columns)


@cache
def postgres_lock(indexes: tuple[Index[Any], ...]) -> str:
    """Lock what several indexes find in one table, in one pass and in key order."""
    first, found = 2, []
    for index in indexes:
        found.append(_postgres_found(index, first=first))
        first += len(_key_columns(index))
    return _postgres_held(found, indexes[0].entity, Mode.LOCK, "1")


def _postgres_held(found: list[str], entity: type[Row], mode: Mode, columns: str) -> str:
    """Hold rows in one order: first their keys are found, then the rows are taken by them."""
    if entity.key != ("id",):
        keys = _order(entity, "t")
        rows = " union all ".join(f"select {keys} from {each}" for each in found)
        return (
            f"select {columns} from {CODECS[entity].table} t"
            f" where t.tenant_id = $1 and ({keys}) in ({rows}) order by {keys}{_LOCKS[mode]}"
        )
    ids = " union all ".join(f"select t.id from {each}" for each in found)
    return _postgres_taken(entity, f"array({ids})", mode, columns)


def _postgres_taken(
    entity: type[Row], ids: str, mode: Mode, columns: str, conditions: str = ""
) -> str:
    return (
        f"select {columns} from {CODECS[entity].table} t"
        f" where t.tenant_id = $1 and t.id = any({ids}){conditions} order by t.id{_LOCKS[mode]}"
    )


@cache
def postgres_count(index: Index[Any]) -> str:
    """How many rows a walk has before it: $1 the tenant, then the key."""
    return f"select count(*) {_postgres_ahead(index)}"


@cache
def postgres_next(index: Index[Any]) -> str:
    """Where a walk comes to next, whatever the row holds: $1 the tenant, then the key."""
    after = f"t.{index.after}"
    return f"select {after}::text {_postgres_ahead(index)} order by {after} limit 1"


@cache
def sqlite_count(index: Index[Any]) -> str:
    """How many rows a walk has before it: ?1 the tenant, then the key."""
    return f"select count(*) {_sqlite_ahead(index)}"


@cache
def sqlite_next(index: Index[Any]) -> str:
    """Where a walk comes to next, whatever the row holds: ?1 the tenant, then the key."""
    return f"select t.{index.after} {_sqlite_ahead(index)} order by t.{index.after} limit 1"


def _postgres_ahead(index: Index[Any]) -> str:
    codec = CODECS[index.entity]
    values = [
        f"${number}::{_postgres_type(codec, column)}"
        for number, column in enumerate(_key_columns(index), start=2)
    ]
    return _ahead(index, "$1", values)


def _sqlite_ahead(index: Index[Any]) -> str:
    values = [f"?{number}" for number in range(2, len(_key_columns(index)) + 2)]
    return _ahead(index, "?1", values)


def _ahead(index: Index[Any], tenant: str, values: list[str]) -> str:
    return (
        f"from {CODECS[index.entity].table} t"
        f" where t.tenant_id = {tenant} and {_match(index, values)}{_conditions(index)}"
    )


class Writing(NamedTuple):
    """One kind of change to one table: what is done, and through which columns."""

    kind: Literal["insert", "update", "delete"]
    entity: type[Row]
    columns: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that a list of values is given for, in their order."""
        return self.columns if self.kind == "insert" else (*self.entity.key, *self.columns)


@lru_cache(maxsize=WRITINGS_MAX)
def postgres_first(
    index: Index[Any], probes: tuple[Index[Any], ...], others: tuple[Index[Any], ...] = ()
) -> str:
    """One row, its version, whether each probe would find something, and one row of each other.

    $1 the tenant, then the row's key, then the keys of the probes, then those of the others, whose
    columns are empty where there is none.
    """
    codec, first = CODECS[index.entity], 2 + len(index.columns)
    selected, joined = f"{postgres_columns(codec, 't')}, {_VERSION}", ""
    for each in (*probes, *others):
        of_each = CODECS[each.entity]
        match = _match(each, _scalars(of_each, each.columns, first))
        first += len(each.columns)
        found = f"from {of_each.table} t where t.tenant_id = $1 and {match}"
        if each in probes:
            selected += f", exists (select 1 {found})"
        else:
            alias, columns = f"o{first}", postgres_columns(of_each, "t")
            names = ", ".join(of_each.columns)
            joined += f" left join lateral (select {columns} {found}) {alias} ({names}) on true"
            selected += f", {alias}.*"
    match = _match(index, _scalars(codec, index.columns, 2))
    return f"select {selected} from {codec.table} t{joined} where t.tenant_id = $1 and {match}"


@cache
def postgres_hold(index: Index[Any]) -> str:
    """Hold a row that is as it was: $1 the tenant, $2 the version that was read, then the key."""
    return (
        f"select 1 from {CODECS[index.entity].table} t where {_unchanged(index)}{_LOCKS[Mode.LOCK]}"
    )


@lru_cache(maxsize=WRITINGS_MAX)
def postgres_guarded(
    index: Index[Any], changed: tuple[str, ...], inserts: tuple[tuple[Writing, int], ...]
) -> str:
    """Change a row and insert numbers of others if it is as it was: 1 if so, else 0.

    $1 the tenant, $2 the version that was read, the row's key, its changed values, then all values
    of the new rows, one row after the other.
    """
    codec, first = CODECS[index.entity], 3 + len(index.columns)
    guard = postgres_hold(index)
    if changed:
        values = _scalars(codec, changed, first)
        pairs = zip(changed, values, strict=True)
        assignments = ", ".join(f"{name} = {value}" for name, value in pairs)
        guard = f"update {codec.table} t set {assignments} where {_unchanged(index)} returning 1"
    first += len(changed)
    parts = [f"guard as ({guard})"]
    for number, (writing, count) in enumerate(inserts):
        codec, rows = CODECS[writing.entity], []
        for _ in range(count):
            rows.append(f"({', '.join(_scalars(codec, writing.columns, first))})")
            first += len(writing.columns)
        held = f" and {HOLD_POSITIONS}" if writing.entity is Event else ""
        parts.append(
            f"w{number} as (insert into {codec.table} (tenant_id, {', '.join(writing.columns)})"
            f" select $1::bigint, * from (values {', '.join(rows)}) as new"
            f" where exists (select 1 from guard){held})"
        )
    return f"with {', '.join(parts)} select count(*) from guard"


def _unchanged(index: Index[Any]) -> str:
    values = _scalars(CODECS[index.entity], index.columns, 3)
    return f"t.tenant_id = $1 and {_match(index, values)} and {_VERSION} = $2::text"


def _scalars(codec: RowCodec[Any], columns: tuple[str, ...], first: int) -> list[str]:
    return [
        f"${number}::{_postgres_type(codec, column)}"
        for number, column in enumerate(columns, start=first)
    ]


@lru_cache(maxsize=WRITINGS_MAX)
def postgres_writing(writings: tuple[Writing, ...]) -> str:
    """All changes of a batch in one statement: $1 the tenant, then the lists of each in turn.

    A list has the values of a column, as JSON.
    """
    first, parts = 2, []
    for writing in writings:
        parts.append(_postgres_part(writing, first))
        first += len(writing.names)
    if len(parts) == 1:
        return parts[0]
    bound = ", ".join(f"w{number} as ({part})" for number, part in enumerate(parts))
    return f"with {bound} select 1"


def _postgres_part(writing: Writing, first: int) -> str:
    codec, names = CODECS[writing.entity], writing.names
    lists = ", ".join(_listed(number) for number in range(first, first + len(names)))
    taken = [_taken(codec, name, f"u_{name}") for name in names]
    aliases = ", ".join(f"u_{name}" for name in names)
    rows = f"rows from ({lists}) as u({aliases})"
    if writing.kind == "insert":
        held = f" where {HOLD_POSITIONS}" if writing.entity is Event else ""
        return (
            f"insert into {codec.table} (tenant_id, {', '.join(names)})"
            f" select $1::bigint, {', '.join(taken)} from {rows}{held}"
        )
    key = len(writing.entity.key)
    match = " and ".join(
        f"t.{name} = {value}" for name, value in zip(names[:key], taken[:key], strict=True)
    )
    # The first condition narrows the table by its key before the join, whatever the plan.
    leading = f"select {_taken(codec, names[0], 'k')} from {_listed(first)} k"
    narrowed = f"t.{names[0]} = any(array({leading}))"
    if writing.kind == "delete":
        return (
            f"delete from {codec.table} t using {rows}"
            f" where t.tenant_id = $1 and {narrowed} and {match}"
        )
    assignments = ", ".join(
        f"{name} = {value}" for name, value in zip(names[key:], taken[key:], strict=True)
    )
    return (
        f"update {codec.table} t set {assignments} from {rows}"
        f" where t.tenant_id = $1 and {narrowed} and {match}"
    )


def _listed(number: int) -> str:
    """The values of a list, as text. It comes as JSON, which the driver needn't look into.

    Of an array it asks each value what it is: that took longer than all else about a batch.
    """
    return f"json_array_elements_text(${number}::json)"


def _taken(codec: RowCodec[Any], column: str, value: str) -> str:
    """A column's value, from text."""
    if column in codec.flags:
        return f"{value}::boolean::int::bigint"
    if codec.types[column] is ColumnType.TEXT:
        return value
    return f"{value}::{_postgres_type(codec, column)}"


@cache
def sqlite_select(index: Index[Any]) -> str:
    """Rows by one key: ?1 the tenant, then the key."""
    codec = CODECS[index.entity]
    values = [f"?{number}" for number in range(2, len(_key_columns(index)) + 2)]
    # A single row must not be sorted: it takes SQLite longer than to find it.
    order = "" if is_unique(index) else f" order by {_sqlite_sequence(index)}"
    limit = "" if index.limit is None else f" limit {index.limit}"
    return (
        f"select {sqlite_columns(codec, 't')} from {codec.table} t"
        f" where t.tenant_id = ?1 and {_match(index, values)}{_conditions(index)}{order}{limit}"
    )


@cache
def sqlite_select_several(index: Index[Any]) -> str | None:
    """Rows by ``SQLITE_ROWS`` keys, each behind the tenant; None if a key may find several rows."""
    if not is_unique(index):
        return None
    codec, columns = CODECS[index.entity], ("tenant_id", *index.columns)
    names = [f"k{number}" for number in range(len(columns))]
    match = " and ".join(
        f"t.{column} = {name}" for column, name in zip(columns, names, strict=True)
    )
    return (
        f"with k({', '.join(names)}) as ({_values(len(columns), SQLITE_ROWS)})"
        f" select {sqlite_columns(codec, 't')} from k cross join {codec.table} t"
        f" where {match}{_conditions(index)}"
    )


def _values(columns: int, rows: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return f"values {', '.join([row] * rows)}"


def _sqlite_sequence(index: Index[Any]) -> str:
    """Keep SQLite from an index of all rows that has few open ones in their order.

    It would go through those whose life is over to spare a sort.
    """
    whole = ("tenant_id", *index.columns, *index.entity.key)
    is_tempting = index.live and any(
        each.columns == whole and each.sqlite_where is None for each in TABLES[index.entity].indexes
    )
    return f"+{_sequence(index)}" if is_tempting else _sequence(index)


def is_unique(index: Index[Any]) -> bool:
    """Whether the database has at most one row under each key."""
    unique = [each.columns for each in TABLES[index.entity].indexes if each.unique]
    return index.is_own_key or ("tenant_id", *index.columns) in unique


@cache
def sqlite_insert(entity: type[Row], columns: tuple[str, ...], rows: int = 1) -> str:
    """New rows, of each the tenant and these columns. If one can't be inserted, the batch is over.

    Otherwise SQLite would keep what the statement has changed, to undo it alone.
    """
    return (
        f"insert or rollback into {CODECS[entity].table} (tenant_id, {', '.join(columns)})"
        f" {_values(len(columns) + 1, rows)}"
    )


@cache
def sqlite_insert_events(rows: int = 1) -> str:
    """Events: of each the tenant, the columns, and its position in the feed."""
    return sqlite_insert(Event, (*CODECS[Event].columns, "position"), rows)


@lru_cache(maxsize=WRITINGS_MAX)
def sqlite_update(entity: type[Row], columns: tuple[str, ...]) -> str:
    """One changed row: the tenant, the key, then the changed columns."""
    codec = CODECS[entity]
    first = 2 + len(entity.key)
    assignments = ", ".join(
        f"{name} = ?{number}" for number, name in enumerate(columns, start=first)
    )
    match = " and ".join(f"{name} = ?{number}" for number, name in enumerate(entity.key, start=2))
    return f"update {codec.table} set {assignments} where tenant_id = ?1 and {match}"


@cache
def sqlite_delete(entity: type[Row]) -> str:
    """One row that is gone: the tenant, then the key."""
    codec = CODECS[entity]
    match = " and ".join(f"{name} = ?{number}" for number, name in enumerate(entity.key, start=2))
    return f"delete from {codec.table} where tenant_id = ?1 and {match}"
