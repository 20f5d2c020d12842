"""Queries and lists, and the requests of their pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Self, TypeVar

from benefit_programs.client.core.calls import Call
from benefit_programs.client.core.wire import Reader, Rows, camel, document, to_wire

T = TypeVar("T")

SORTS_MAX = 5


@dataclass(frozen=True, kw_only=True)
class Plan(Generic[T]):
    """A method that answers in pages, and what is asked of it."""

    name: str
    read: Reader[Rows[T]]
    conditions: tuple[dict[str, Any], ...] = ()
    order: tuple[dict[str, str], ...] = ()
    rows_per_page: int | None = None
    paging_field: str = "query.cursorPaging"
    beside: Mapping[str, Any] = field(default_factory=dict)
    """What goes with each page."""
    first_only: Mapping[str, Any] = field(default_factory=dict)
    """What goes with the first page; the cursors of the others carry it."""

    def filtered(self, conditions: Mapping[str, Any] | None) -> Self:
        """Return the same with further conditions."""
        if not conditions:
            return self
        return replace(self, conditions=(*self.conditions, filter_to_wire(conditions)))

    def sorted_by(self, fields: Sequence[str]) -> Self:
        """The same in another order; a field with a minus before it is descending."""
        return replace(self, order=tuple(_sorting(field) for field in fields))

    def limited(self, rows_per_page: int | None) -> Self:
        return replace(self, rows_per_page=rows_per_page)

    def call(self, cursor: str | None = None) -> Call[Rows[T]]:
        """The call for the first page, or for the one that a cursor stands for."""
        paging = document(limit=self.rows_per_page, cursor=cursor)
        if self.paging_field != "query.cursorPaging":
            asked: dict[str, Any] = {self.paging_field: paging} if paging else {}
            if cursor is None:
                asked |= self.first_only
            return Call(name=self.name, fields={**self.beside, **asked}, read=self.read)
        query: dict[str, Any] = {"cursorPaging": paging} if paging else {}
        if cursor is None:
            query |= self._filter_and_sort()
        return Call(name=self.name, fields={**self.beside, "query": query}, read=self.read)

    def _filter_and_sort(self) -> dict[str, Any]:
        asked: dict[str, Any] = {}
        if self.conditions:
            several = len(self.conditions) > 1
            asked["filter"] = {"$and": [*self.conditions]} if several else self.conditions[0]
        if self.order:
            asked["sort"] = list(self.order)
        return asked


def filter_to_wire(conditions: Mapping[str, Any]) -> dict[str, Any]:
    """A filter with the wire's names; what operators compare with keeps its own."""
    return {
        name if name.startswith("$") else camel(name): _condition(name, value)
        for name, value in conditions.items()
    }


def _condition(name: str, value: Any) -> Any:
    match name, value:
        case (("$and" | "$or"), Sequence()):
            return [filter_to_wire(each) for each in value]
        case "$not", Mapping():
            return filter_to_wire(value)
    return to_wire(value)


def _sorting(field: str) -> dict[str, str]:
    descending = field.startswith("-")
    name = camel(field.removeprefix("-"))
    return {"fieldName": name, "order": "DESC" if descending else "ASC"}
