"""Queries of pages: a page of a list, by filter or by the cursor of the page before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benefit_programs.console.visit import Visit

NEWEST_FIRST = ({"fieldName": "createdDate", "order": "DESC"},)

SCAN_LIMIT = 50_000
"""Among how many rows a page looks for some that no index finds. It can go on behind them."""

OLDEST_FIRST = ({"fieldName": "createdDate", "order": "ASC"},)


def is_scan_cut(rows: Sequence[Any], limit: int, metadata: Mapping[str, Any]) -> bool:
    """Whether a page is short only because no more rows were looked at."""
    return len(rows) < limit and "next" in metadata["cursors"]


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
