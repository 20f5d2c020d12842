"""Queries of pages: a page of a list, by filter or by the cursor of the page before."""

from __future__ import annotations

from typing import Any

from benefit_programs.console.visit import Visit

NEWEST_FIRST = ({"fieldName": "createdDate", "order": "DESC"},)
OLDEST_FIRST = ({"fieldName": "createdDate", "order": "ASC"},)


async def query(
    visit: Visit,
    method: str,
    filter_: dict[str, Any],
    *,
    limit: int,
    sort: tuple[dict[str, str], ...] = OLDEST_FIRST,
    cursor: str | None = None,
) -> dict[str, Any]:
    """One page of a query's answer. A cursor keeps filter and order of the page before."""
    paging: dict[str, Any] = {"limit": limit}
    asked: dict[str, Any] = {"cursorPaging": paging}
    if cursor:
        paging["cursor"] = cursor
    else:
        asked |= {"filter": filter_, "sort": list(sort)}
    answer: dict[str, Any] = await visit.call(method, {"query": asked})
    return answer
