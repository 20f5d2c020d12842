"""Rows of the database to rows of the domain and back, compiled once per type."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Generic, TypeVar, get_args, get_type_hints

import msgspec

from benefit_programs.domain.entities import Row
from benefit_programs.storage.tables import TABLES, Document

R = TypeVar("R", bound=Row)
Values = tuple[Any, ...]


class RowCodec(Generic[R]):
    """One type's columns, in the table's order, and the two conversions."""

    def __init__(self, entity: type[R]) -> None:
        table = TABLES[entity]
        hints = get_type_hints(entity)
        self.entity = entity
        self.table = table.name
        self.columns = tuple(column.name for column in table.columns if column.name != "tenant_id")
        self.types = {column.name: column.type for column in table.columns}
        self._readers: list[tuple[int, Callable[[Any], Any]]] = []
        self._documents: set[str] = set()
        for position, name in enumerate(self.columns):
            plain = _without_none(hints[name])
            if self.types[name] is Document:
                self._readers.append((position, msgspec.json.Decoder(plain).decode))
                self._documents.add(name)
            elif isinstance(plain, type) and issubclass(plain, StrEnum):
                self._readers.append((position, {str(m): m for m in plain}.__getitem__))

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
        documents = self._documents
        return tuple(
            [
                _document(getattr(row, name)) if name in documents else getattr(row, name)
                for name in columns
            ]
        )


def _without_none(hint: Any) -> Any:
    """The type of a column's values where there are any."""
    kinds = get_args(hint)
    return next(kind for kind in kinds if kind is not type(None)) if type(None) in kinds else hint


def _document(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


CODECS: dict[type[Row], RowCodec[Any]] = {entity: RowCodec(entity) for entity in TABLES}


def changed_columns(pairs: list[tuple[Row, Row]], codec: RowCodec[Any]) -> tuple[str, ...]:
    """The columns in which any of the rows differs from what is stored."""
    changed = set()
    for old, new in pairs:
        for name in codec.columns:
            before, after = getattr(old, name), getattr(new, name)
            if before is not after and before != after:
                changed.add(name)
    return tuple(name for name in codec.columns if name in changed)
