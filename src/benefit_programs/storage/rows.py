"""Rows of the database to rows of the domain and back, compiled once per type."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from enum import StrEnum
from itertools import compress
from operator import is_not
from typing import Any, Generic, TypeVar

import msgspec
from msgspec.structs import astuple

from benefit_programs.domain.indexes import Index, fields_of
from benefit_programs.domain.rows import Row
from benefit_programs.storage.tables import TABLES, ColumnType, column_types, stored_as
from benefit_programs.tracing import NOTHING, recorded, statement

R = TypeVar("R", bound=Row)
Values = tuple[Any, ...]
Write = Callable[[Row], Sequence[Any]]
"""What takes values from a row, as the drivers take them."""


class RowCodec(Generic[R]):
    """One type's columns, in the table's order, and the two conversions."""

    def __init__(self, entity: type[R]) -> None:
        table = TABLES[entity]
        self.entity = entity
        self.table = table.name
        self.columns = entity.__struct_fields__
        self.types = {name: table.columns[name].type for name in self.columns}
        self.flags = frozenset(
            name for name, (plain, _) in column_types(entity).items() if plain is bool
        )
        """The columns that hold a 1 or a 0 for yes or no."""

        self.read: Callable[[Values], R] = _reader(entity)
        """Makes the row of the values of ``columns``."""

        self._writers: dict[tuple[str, ...], Write] = {}
        self._frequent = tuple(name for name in self.columns if name not in entity.seldom)
        self._seldom_of = fields_of(entity.seldom)
        self._missing = (None,) * len(entity.seldom)

    def columns_of(self, rows: Iterable[Row]) -> tuple[str, ...]:
        """The columns to insert of some rows: without the seldom ones, if all rows lack them."""
        if not self._missing or any(self._seldom_of(row) != self._missing for row in rows):
            return self.columns
        return self._frequent

    def values(self, row: Row, columns: tuple[str, ...]) -> Sequence[Any]:
        """The row's values for these columns, as the drivers take them."""
        return self.writer(columns)(row)

    def writer(self, columns: tuple[str, ...]) -> Write:
        """What takes the values of these columns from rows, made once and kept."""
        known = self._writers.get(columns)
        if known is None:
            take = astuple if columns == self.columns else fields_of(columns)
            documents = [self.types[name] is ColumnType.DOCUMENT for name in columns]
            known = self._writers[columns] = _writer(take, documents)
        return known


def _reader(entity: type[R]) -> Callable[[Values], R]:
    """What makes rows, as source that names each column: a loop over them takes twice as long."""
    names: dict[str, Any] = {"entity": entity}
    fields = []
    for column, (plain, _) in column_types(entity).items():
        value, convert = f"_{column}", _converter(plain)
        if convert is not None:
            names[f"to_{column}"] = convert
            value = f"None if {value} is None else to_{column}({value})"
        fields.append(f"{column}={value}")
    taken = ", ".join(f"_{column}" for column in entity.__struct_fields__)
    source = f"def read(values):\n ({taken},) = values\n return entity({', '.join(fields)})"
    exec(source, names)  # noqa: S102 - made of the names of fields alone
    read: Callable[[Values], R] = names["read"]
    return read


def _converter(plain: Any) -> Callable[[Any], Any] | None:
    """What makes values of a type from those of its column; None if they are the same."""
    if stored_as(plain) is ColumnType.DOCUMENT:
        return msgspec.json.Decoder(plain).decode
    if plain is bool:
        return bool
    if isinstance(plain, type) and issubclass(plain, StrEnum):
        return {str(each): each for each in plain}.__getitem__
    return None


def _writer(take: Callable[[Row], Values], documents: list[bool]) -> Write:
    if not any(documents):
        return take
    positions = [position for position, is_document in enumerate(documents) if is_document]
    encode = msgspec.json.Encoder().encode

    def write(row: Row) -> list[Any]:
        values = list(take(row))
        for position in positions:
            value = values[position]
            if value is not None:
                values[position] = encode(value).decode()
        return values

    return write


CODECS: dict[type[Row], RowCodec[Any]] = {entity: RowCodec(entity) for entity in TABLES}


def changed_columns(pairs: list[tuple[Row, Row]], codec: RowCodec[Any]) -> tuple[str, ...]:
    """The columns in which any of the rows differs from what is stored."""
    positions = range(len(codec.columns))
    changed: set[int] = set()
    for old, new in pairs:
        before, after = astuple(old), astuple(new)
        if changed:
            # Mostly all rows of a batch change alike.
            alike = list(before)
            for position in changed:
                alike[position] = after[position]
            if tuple(alike) == after:
                continue
        # A row's successor shares with it what hasn't changed, so this leaves few to compare.
        for position in compress(positions, map(is_not, before, after)):
            if before[position] != after[position]:
                changed.add(position)
    return tuple(codec.columns[position] for position in sorted(changed))


def statement_on(
    indexes: Iterable[Index[Any]], name: str, system: str
) -> AbstractContextManager[object]:
    """As ``statement``, told with the tables that indexes are of."""
    if recorded() is None:
        return NOTHING
    tables = {CODECS[index.entity].table for index in indexes}
    return statement(name, system, ", ".join(sorted(tables)))
