"""Rows of the database to rows of the domain and back, compiled once per type."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Generic, TypeVar

import msgspec

from benefit_programs.domain.indexes import fields_of
from benefit_programs.domain.rows import Row
from benefit_programs.storage.tables import TABLES, Document, column_types

R = TypeVar("R", bound=Row)
Values = tuple[Any, ...]


class RowCodec(Generic[R]):
    """One type's columns, in the table's order, and the two conversions."""

    def __init__(self, entity: type[R]) -> None:
        table = TABLES[entity]
        self.entity = entity
        self.table = table.name
        self.columns = entity.__struct_fields__
        self.types = {name: table.c[name].type for name in self.columns}
        self._readers: list[tuple[int, Callable[[Any], Any]]] = []
        self._writers: dict[tuple[str, ...], Callable[[Row], Values]] = {}
        for position, (name, (plain, _)) in enumerate(column_types(entity).items()):
            if self.types[name] is Document:
                self._readers.append((position, msgspec.json.Decoder(plain).decode))
            elif isinstance(plain, type) and issubclass(plain, StrEnum):
                self._readers.append((position, {str(m): m for m in plain}.__getitem__))
            elif plain is bool:
                self._readers.append((position, bool))

    def read(self, values: Values) -> R:
        """The row for the values of ``columns``."""
        fields = dict(zip(self.columns, values, strict=True))
        for position, convert in self._readers:
            value = values[position]
            if value is not None:
                fields[self.columns[position]] = convert(value)
        return self.entity(**fields)

    def values(self, row: Row, columns: tuple[str, ...]) -> Values:
        """The row's values for these columns, as the drivers take them."""
        return self.writer(columns)(row)

    def writer(self, columns: tuple[str, ...]) -> Callable[[Row], Values]:
        """What takes the values of these columns from rows, made once and kept."""
        known = self._writers.get(columns)
        if known is None:
            documents = [self.types[name] is Document for name in columns]
            known = self._writers[columns] = _writer(columns, documents)
        return known


def _writer(columns: tuple[str, ...], documents: list[bool]) -> Callable[[Row], Values]:
    take = fields_of(columns)
    if not any(documents):
        return take
    positions = [position for position, is_document in enumerate(documents) if is_document]

    def write(row: Row) -> Values:
        values = list(take(row))
        for position in positions:
            values[position] = _document(values[position])
        return tuple(values)

    return write


def _document(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


CODECS: dict[type[Row], RowCodec[Any]] = {entity: RowCodec(entity) for entity in TABLES}


def changed_columns(pairs: list[tuple[Row, Row]], codec: RowCodec[Any]) -> tuple[str, ...]:
    """The columns in which any of the rows differs from what is stored."""
    take = fields_of(codec.columns)
    changed: set[int] = set()
    for old, new in pairs:
        for position, (before, after) in enumerate(zip(take(old), take(new), strict=True)):
            if before is not after and before != after:
                changed.add(position)
    return tuple(codec.columns[position] for position in sorted(changed))
