"""Queries that fetch their pages by themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar, cast

from benefit_programs.client.asynchronous.session import AsyncSession
from benefit_programs.client.core.queries import Plan
from benefit_programs.client.errors import NotOneRow

T = TypeVar("T")
FilterT = TypeVar("FilterT")
SortT = TypeVar("SortT", bound=str)


@dataclass(frozen=True)
class AsyncPage(Generic[T]):
    """One page of rows, from which the next and the previous one can be fetched."""

    items: tuple[T, ...]
    next_cursor: str | None
    """Where the next page begins; None on the last one. It may be kept, and used much later."""
    prev_cursor: str | None
    """Where the previous page begins; None on the first one."""
    _listing: AsyncListing[T]

    @property
    def has_next(self) -> bool:
        """Whether a page follows."""
        return self.next_cursor is not None

    @property
    def has_prev(self) -> bool:
        """Whether a page precedes."""
        return self.prev_cursor is not None

    async def next(self) -> AsyncPage[T] | None:
        """Fetch the page that follows; None if there is none."""
        return await self._listing.page(self.next_cursor) if self.next_cursor else None

    async def prev(self) -> AsyncPage[T] | None:
        """Fetch the page that precedes, in the same order; None if there is none."""
        return await self._listing.page(self.prev_cursor) if self.prev_cursor else None

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


class AsyncListing(Generic[T]):
    """Rows that are fetched page by page while they are looped over.

    Nothing is asked before the first row is. Rows that are added or removed meanwhile neither
    repeat nor hide others.
    """

    def __init__(self, session: AsyncSession, plan: Plan[T]) -> None:
        self._session = session
        self._plan = plan

    def limit(self, rows_per_page: int) -> Self:
        """The same with this many rows on a page: 1 to 100, of items up to 1000; 50 by default."""
        return type(self)(self._session, self._plan.limited(rows_per_page))

    async def page(self, cursor: str | None = None) -> AsyncPage[T]:
        """Fetch the first page, or the one that a cursor of another page stands for."""
        rows = await self._session.send(self._plan.call(cursor))
        return AsyncPage(rows.items, rows.next_cursor, rows.prev_cursor, self)

    async def pages(self) -> AsyncIterator[AsyncPage[T]]:
        """All pages, in their order."""
        page: AsyncPage[T] | None = await self.page()
        while page is not None:
            yield page
            page = await page.next()

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for row in page:
                yield row

    async def first(self) -> T | None:
        """Fetch the first row alone; None if there is none."""
        page = await self.limit(1).page()
        return page.items[0] if page.items else None

    async def one(self) -> T:
        """Fetch the only row. Raises NotOneRow if there is none, or if there are several."""
        page = await self.limit(2).page()
        if len(page) != 1:
            raise NotOneRow(self._plan.name, is_empty=not page.items)
        return page.items[0]

    async def to_list(self) -> list[T]:
        """Fetch all rows."""
        return [row async for row in self]


class AsyncQuery(AsyncListing[T], Generic[T, FilterT, SortT]):
    """Rows that a filter finds, in an order; queries are made from queries and never change.

    Without a filter all rows are found; without a sort the newest come first.
    """

    def filter(self, conditions: FilterT) -> Self:
        """The same with conditions that must be met too."""
        return type(self)(self._session, self._plan.filtered(cast("dict[str, Any]", conditions)))

    def sort(self, *fields: SortT) -> Self:
        """The same in the order of up to 5 fields; one with a minus before it is descending."""
        return type(self)(self._session, self._plan.sorted_by(fields))


def begin(
    session: AsyncSession,
    plan: Plan[T],
    conditions: FilterT | None,
    sort: Sequence[SortT],
) -> AsyncQuery[T, FilterT, SortT]:
    """A query of a method, with what its caller has said at once."""
    planned = plan.filtered(cast("dict[str, Any] | None", conditions)).sorted_by(sort)
    return AsyncQuery(session, planned)
