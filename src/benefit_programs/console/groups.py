"""Changes of many: in parts that a request can do, with what became of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

from benefit_programs.console.languages import gettext as _
from benefit_programs.console.visit import Visit
from benefit_programs.console.words import refusal_words
from benefit_programs.domain.errors import Refusal
from benefit_programs.storage.query.spec import LIMIT_MAX

PART_MAX = 500
"""How many rows one request changes; the page goes on with the next ones."""

AT_ONCE_MAX = 50
"""How many of them are under way at the same time."""

OVER = "-"
"""In place of a cursor: nothing follows."""

T = TypeVar("T")


async def part_of(
    visit: Visit,
    method: str,
    rows: str,
    filter_: dict[str, Any],
    cursor: str | None,
    *,
    scan_limit: int | None = None,
) -> tuple[list[dict[str, Any]], str]:
    """The next rows of a query, at most a part, and where the ones after them begin.

    With a limit of what is looked at, the part may be small, or empty, and others follow.
    """
    if cursor == OVER:
        return [], OVER
    found: list[dict[str, Any]] = []
    while len(found) < PART_MAX:
        paging = {"limit": LIMIT_MAX} | ({"cursor": cursor} if cursor else {})
        query: dict[str, Any] = {"cursorPaging": paging, "scanLimit": scan_limit}
        query |= {} if cursor else {"filter": filter_}
        answer = await visit.call(method, {"query": query})
        found += answer.get(rows, ())
        cursor = answer["metadata"]["cursors"].get("next")
        if cursor is None:
            return found, OVER
        if len(answer.get(rows, ())) < LIMIT_MAX:
            break  # enough was looked at for one request
    return found, str(cursor)


async def each_of(rows: Iterable[T], change: Callable[[T], Awaitable[Any]]) -> Counter[str]:
    """Change all rows, each for itself; how often nothing refused it (""), and how often what."""
    results: Counter[str] = Counter()
    waiting = list(rows)

    async def changed(row: T) -> str:
        try:
            await change(row)
        except Refusal as refusal:
            return refusal_words(refusal)
        return ""

    for start in range(0, len(waiting), AT_ONCE_MAX):
        some: Sequence[T] = waiting[start : start + AT_ONCE_MAX]
        results.update(await asyncio.gather(*(changed(row) for row in some)))
    return results


def outcome(said: str, results: Counter[str]) -> str:
    """What was done, and why some of it wasn't."""
    refused = [f"{words} ({count})" for words, count in results.most_common() if words]
    if not refused:
        return said
    return " ".join((said, _("Not done:"), *refused))
