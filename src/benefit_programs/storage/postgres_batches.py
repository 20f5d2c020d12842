"""How batches run on a connection to PostgreSQL: held, or unheld.

A held batch has a transaction. It locks its rows in key order, through one statement a table.

A batch of one command is often alone, and then each round trip counts. If it is about a single row,
it reads that without holding it, and writes in one statement, which is a transaction of its own and
writes nothing if that row isn't as it was read. Such a batch reads nothing besides but what needs
no lock in a held one either (``Index.unheld``). If it asks for more, it holds its row from then on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from time import perf_counter
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.indexes import Index, Key
from benefit_programs.domain.rows import Row
from benefit_programs.domain.state import Mode, State, Wanted, Written
from benefit_programs.domain.store import (
    BatchRun,
    Load,
    Loaded,
    StoreConflict,
    StoreUnavailable,
    Write,
)
from benefit_programs.storage import statements
from benefit_programs.storage.positions import POSTGRES_HOLD
from benefit_programs.storage.rows import CODECS, changed_columns, statement_on
from benefit_programs.storage.statements import Writing
from benefit_programs.storage.tables import TABLES
from benefit_programs.tracing import statement

Answer = TypeVar("Answer")

COPIED_ROWS_MIN = 32
"""From how many new rows of a table on a batch copies them in: in lists they take twice as long.

Of fewer, one round trip more takes longer than that.
"""

SYSTEM = "postgresql"
"""The kind of database, as traces name it."""

_encode = msgspec.json.Encoder().encode

_MOVED = "a row that was read has changed"
UNCONFIRMED = "the commit took too long; it may wait for a standby that is away"


class Batch(Generic[Answer]):
    """A batch under way: the step that it waits at, or, without one, what it has returned."""

    def __init__(self, tenant_id: int, steps: BatchRun[Answer]) -> None:
        self.tenant_id = tenant_id
        self.step: Load | Write | None = None
        self.answer: Answer
        self._steps = steps
        self._advance(None)

    def go_on(self, loaded: Loaded) -> None:
        """Give it what its step has found."""
        self._advance(loaded)

    def _advance(self, loaded: Loaded | None) -> None:
        try:
            self.step = next(self._steps) if loaded is None else self._steps.send(loaded)
        except StopIteration as end:
            self.step, self.answer = None, end.value


async def run_held(batch: Batch[Answer], connection: Any) -> Answer:
    """Run a batch to its end in a transaction that was begun."""
    while (step := batch.step) is not None:
        loaded: Loaded = {}
        if isinstance(step, Load):
            with statement_on(step.wanted, "load", SYSTEM):
                loaded = await _load(connection, batch.tenant_id, step.wanted)
        else:
            with statement("write", SYSTEM):
                await _write(connection, batch.tenant_id, step.state)
        batch.go_on(loaded)
    return batch.answer


def can_be_unheld(step: Load | Write | None) -> bool:
    """Whether a batch that begins so is about a single row, as far as it is known by then."""
    return isinstance(step, Load) and _is_free(step.wanted) and len(_locked_keys(step.wanted)) == 1


class _Guard(NamedTuple):
    """The row that an unheld batch is about, and which version of it was read."""

    found_by: Index[Any]
    key: Key
    version: str

    def has_all(self, changed: list[tuple[type[Row], tuple[Row, Row]]]) -> bool:
        """Whether no other row has changed."""
        return not changed or (
            len(changed) == 1
            and changed[0][0] is self.found_by.entity
            and self.found_by.key_of(changed[0][1][1]) == self.key
        )


class UnheldBatch:
    """A batch that ``can_be_unheld``, on a connection without a transaction."""

    def __init__(self, batch: Batch[Any], connection: Any, *, seconds_max: float) -> None:
        self.commit_seconds: float | None = None
        """How long it took to write and commit, if it has."""

        self._batch = batch
        self._connection = connection
        self._seconds_max = seconds_max
        self._guard: _Guard | None = None
        self._has_begun = False

    async def run(self) -> bool:
        """Run it to its end, or until it has to be held: whether it is at its end.

        Raises StoreConflict if its row isn't any more as it was read.
        """
        while (step := self._batch.step) is not None:
            if isinstance(step, Load):
                with statement_on(step.wanted, "load", SYSTEM):
                    loaded = await self._load(step.wanted)
                if loaded is None:
                    return False
                self._batch.go_on(loaded)
            else:
                change = self._guard and _Change.of(step.state, self._guard)
                if change is None:
                    return False
                with statement("write", SYSTEM):
                    await self._write(change)
                self._batch.go_on({})
        return True

    async def hold(self) -> None:
        """Hold its row as it was read, in a transaction that was begun.

        Raises StoreConflict if it isn't any more.
        """
        if (guard := self._guard) is not None:
            sql = statements.postgres_hold(guard.found_by)
            values = (self._batch.tenant_id, guard.version, *guard.key)
            if not await self._connection.fetch(sql, *values):
                raise StoreConflict(_MOVED)

    async def _load(self, wanted: Wanted) -> Loaded | None:
        """What is wanted, or nothing if it must be held, or read under a lock."""
        locked = _locked_keys(wanted)
        if not _is_free(wanted) or (locked and self._has_begun):
            return None
        loaded: Loaded = {}
        for index, key in locked:
            loaded = await self._read_first(index, key, wanted)
        self._has_begun = True
        for index, keys in wanted.items():
            if index not in loaded:
                loaded[index] = await read(self._connection, self._batch.tenant_id, index, keys)
        return loaded

    async def _read_first(self, index: Index[Any], key: Key, wanted: Wanted) -> Loaded:
        """The row that the batch is about, and with it what else is wanted by a single key.

        Of what is rare it tells what there isn't.
        """
        single = [each for each, keys in wanted.items() if each is not index and len(keys) == 1]
        probes = tuple(each for each in single if each.rare)
        others = tuple(each for each in single if not each.rare and statements.is_unique(each))
        sql = statements.postgres_first(index, probes, others)
        values = [value for each in (*probes, *others) for value in next(iter(wanted[each]))]
        records = await self._connection.fetch(sql, self._batch.tenant_id, *key, *values)
        if not records:
            return {index: []}
        columns = iter(records[0])
        loaded: Loaded = {index: _rows_in(columns, index)}
        self._guard = _Guard(index, key, next(columns))
        for each in probes:
            if not next(columns):
                loaded[each] = []
        for each in others:
            loaded[each] = _rows_in(columns, each)
        return loaded

    async def _write(self, change: _Change) -> None:
        started = perf_counter()
        try:
            ((written,),) = await self._connection.fetch(
                change.sql, self._batch.tenant_id, *change.values, timeout=self._seconds_max
            )
        except TimeoutError:
            # By then it is no limit of the server: each statement has one, commits have none.
            raise StoreUnavailable(UNCONFIRMED) from None
        if not written:
            raise StoreConflict(_MOVED)
        self.commit_seconds = perf_counter() - started


class _Change(NamedTuple):
    """One statement for what a batch writes: new rows, and the row that it is about."""

    sql: str
    values: list[Any]

    @classmethod
    def of(cls, state: State, guard: _Guard) -> _Change | None:
        """The statement, or nothing if it would have to do more than that."""
        written = [*state.written(), Written(Event, state.events, [], [])]
        changed = [(each.entity, pair) for each in written for pair in each.changed]
        if not guard.has_all(changed) or any(
            each.gone or len(each.new) > INSERTED_ROWS_MAX for each in written
        ):
            return None
        codec = CODECS[guard.found_by.entity]
        columns = changed_columns([pair for _, pair in changed], codec)
        values = [guard.version, *guard.key]
        for _, (_, row) in changed:
            values += codec.values(row, columns)
        inserts: list[tuple[Writing, int]] = []
        for entity, new, _, _ in written:
            if new:
                writing = Writing("insert", entity, CODECS[entity].columns_of(new))
                inserts.append((writing, len(new)))
                write = CODECS[entity].writer(writing.columns)
                for row in new:
                    values += write(row)
        return cls(statements.postgres_guarded(guard.found_by, columns, tuple(inserts)), values)


INSERTED_ROWS_MAX = 4
"""How many new rows of a table are written so; each number of them has a text of its own."""


def _rows_in(columns: Iterator[Any], index: Index[Any]) -> list[Row]:
    """The row that the next columns are, or none if its key is empty."""
    codec = CODECS[index.entity]
    values = tuple(islice(columns, len(codec.columns)))
    return [] if values[codec.columns.index(index.entity.key[0])] is None else [codec.read(values)]


def _locked_keys(wanted: Wanted) -> list[tuple[Index[Any], Key]]:
    return [
        (index, key)
        for index, keys in wanted.items()
        for key, mode in keys.items()
        if mode is Mode.LOCK
    ]


def _is_free(wanted: Wanted) -> bool:
    """Whether nothing is wanted but to change rows by their own keys, and what is read unheld."""
    return all(
        mode is Mode.READ if index.unheld else index.is_own_key and mode is Mode.LOCK
        for index, keys in wanted.items()
        for mode in keys.values()
    )


async def _load(connection: Any, tenant_id: int, wanted: Wanted) -> Loaded:
    loaded: Loaded = {}
    by_entity: dict[type[Row], list[Index[Any]]] = {}
    for index in wanted:
        by_entity.setdefault(index.entity, []).append(index)
    for entity in sorted(by_entity, key=_ORDER.__getitem__):
        await _lock_across_indexes(connection, tenant_id, wanted, by_entity[entity])
        for index in by_entity[entity]:
            keys = wanted[index]
            sql = statements.postgres_select(index, max(keys.values()))
            records = await connection.fetch(sql, tenant_id, *_columns_of(keys))
            read = CODECS[entity].read
            loaded[index] = [read(record) for record in records]
    return loaded


async def _lock_across_indexes(
    connection: Any, tenant_id: int, wanted: Wanted, indexes: list[Index[Any]]
) -> None:
    """Where a table is locked through several indexes, lock all of it in one order first."""
    locked = tuple(index for index in indexes if max(wanted[index].values()) is Mode.LOCK)
    if len(locked) > 1:
        lists = [values for index in locked for values in _columns_of(wanted[index])]
        await connection.fetch(statements.postgres_lock(locked), tenant_id, *lists)


async def _write(connection: Any, tenant_id: int, state: State) -> None:
    writings: list[Writing] = []
    lists: list[str] = []
    copied: list[tuple[type[Row], Sequence[Row]]] = []

    def add(writing: Writing, rows: Iterable[Row]) -> None:
        values = CODECS[writing.entity].writer(writing.names)
        writings.append(writing)
        lists.extend(_encode(each).decode() for each in zip(*map(values, rows), strict=True))

    def insert(entity: type[Row], rows: Sequence[Row]) -> None:
        if len(rows) >= COPIED_ROWS_MIN:
            copied.append((entity, rows))
        elif rows:
            add(Writing("insert", entity, CODECS[entity].columns_of(rows)), rows)

    for entity, new, changed, gone in state.written():
        insert(entity, new)
        columns = changed_columns(changed, CODECS[entity])
        if columns:
            add(Writing("update", entity, columns), [row for _, row in changed])
        if gone:
            add(Writing("delete", entity, ()), gone)
    insert(Event, state.events)
    if writings:
        await connection.fetch(statements.postgres_writing(tuple(writings)), tenant_id, *lists)
    for entity, rows in copied:
        await _copy(connection, tenant_id, entity, rows)


async def _copy(connection: Any, tenant_id: int, entity: type[Row], rows: Sequence[Row]) -> None:
    """Insert many rows of a table."""
    codec = CODECS[entity]
    values = codec.writer(codec.columns)
    if entity is Event:
        await connection.fetch(POSTGRES_HOLD)
    await connection.copy_records_to_table(
        codec.table,
        columns=("tenant_id", *codec.columns),
        records=[(tenant_id, *values(row)) for row in rows],
    )


async def read(
    connection: Any, tenant_id: int, index: Index[Any], keys: Collection[Key]
) -> list[Any]:
    """The rows that an index has under keys, as they are."""
    sql = statements.postgres_select(index, Mode.READ)
    records = await connection.fetch(sql, tenant_id, *_columns_of(keys))
    return list(map(CODECS[index.entity].read, records))


def _columns_of(keys: Collection[Key]) -> list[tuple[Any, ...]]:
    return list(zip(*keys, strict=True))


_ORDER = {entity: position for position, entity in enumerate(TABLES)}
