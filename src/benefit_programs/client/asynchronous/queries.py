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
    """One page of rows. It fetches the next and the previous page."""

    items: tuple[T, ...]
    next_cursor: str | None
    """Where the next page begins; None on the last one. It may be kept, and used much later."""
    prev_cursor: str | None
    """Where the previous page begins; None on the first one."""
    _listing: AsyncListing[T]

    @property
    def has_next(self) -> bool:
        """Whether there is a next page."""
        return self.next_cursor is not None

    @property
    def has_prev(self) -> bool:
        """Whether there is a previous page."""
        return self.prev_cursor is not None

    async def next(self) -> AsyncPage[T] | None:
        """Fetch the next page; None if there is none."""
        return await self._listing.page(self.next_cursor) if self.next_cursor else None

    async def prev(self) -> AsyncPage[T] | None:
        """Fetch the previous page, in the same order; None if there is none."""
        return await self._listing.page(self.prev_cursor) if self.prev_cursor else None

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


class AsyncListing(Generic[T]):
    """Rows that are fetched page by page while you loop over them.

    Nothing is sent before you take the first row. If rows are added or removed meanwhile, the
    others still appear exactly once.
    """

    def __init__(self, session: AsyncSession, plan: Plan[T]) -> None:
        self._session = session
        self._plan = plan

    def limit(self, rows_per_page: int) -> Self:
        """Return the same with other pages: 1 to 100 rows, for items up to 1000; default 50."""
        return type(self)(self._session, self._plan.limited(rows_per_page))

    async def page(self, cursor: str | None = None) -> AsyncPage[T]:
        """Fetch the first page, or the page of a cursor."""
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
        """Fetch only the first row; None if there is none."""
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
    """Rows that match a filter, in an order. A query never changes; its methods return new ones.

    Without a filter it finds all rows; without a sort the newest come first.
    """

    def filter(self, conditions: FilterT) -> Self:
        """Return the same with further conditions."""
        return type(self)(self._session, self._plan.filtered(cast("dict[str, Any]", conditions)))

    def sort(self, *fields: SortT) -> Self:
        """Return the same in the order of up to 5 fields; a minus before a field is descending."""
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
