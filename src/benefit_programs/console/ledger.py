"""What has happened to the credits of somebody, line by line, in words."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from benefit_programs.console.languages import gettext as _
from benefit_programs.console.visit import Visit
from benefit_programs.console.words import entry_words, figure_words, said_reason

LINES_MAX = 100
"""How many lines of a pack a person's page shows, the newest ones."""

LEDGER_POOLS_MAX = 20
"""Of how many packs a page shows the lines."""

STATEMENT_PAGES_MAX = 10
STATEMENT_ROWS_MAX = 1_000
TRANSACTIONS_MAX = 100


@dataclass(frozen=True, kw_only=True)
class Line:
    """An entry of the ledger of a pack, with what was left after it."""

    row: Mapping[str, Any]
    """The row of the pack's statement."""

    pool: Mapping[str, Any]
    transaction: Mapping[str, Any]
    """The transaction; empty while it isn't booked yet."""

    is_open: bool
    """Whether nothing has taken it back, or stands in its place."""

    @property
    def words(self) -> str:
        """What it is."""
        if self.details.get("movedFromTransactionId"):
            return _("Paid in place of another pack")
        return (
            entry_words(self.transaction) if self.transaction else figure_words(self.row["figure"])
        )

    @property
    def reason(self) -> str:
        """Why, if somebody has said it."""
        return said_reason(self.transaction)

    @property
    def details(self) -> Mapping[str, Any]:
        details: Mapping[str, Any] = self.transaction.get("details") or {}
        return details

    @property
    def item(self) -> str:
        """The name of the item, or its id."""
        return item_name(self.transaction) or self.row.get("itemExternalId") or ""

    @property
    def target_date(self) -> str | None:
        """For when it was used, if that wasn't at once."""
        return target_date_of(self.transaction)

    @property
    def takes_back(self) -> str:
        """What takes it back, if anything does: the last part of a path."""
        return way_back(self.row["figure"], self.row) if self.transaction and self.is_open else ""


class Statement(NamedTuple):
    """The rows of a pack's statement, and what they add up to."""

    rows: list[dict[str, Any]]
    summary: dict[str, Any]


def item_name(transaction: Mapping[str, Any]) -> str:
    """The name of a transaction's item, or its id."""
    item = (transaction.get("details") or {}).get("item") or {}
    return item.get("displayName") or item.get("externalId") or ""


def target_date_of(transaction: Mapping[str, Any]) -> str | None:
    """For when something was used, if it wasn't at once."""
    date: str | None = (transaction.get("details") or {}).get("effectiveDate")
    return date if item_name(transaction) and date != transaction.get("createdDate") else None


def way_back(figure: str, entry: Mapping[str, Any]) -> str:
    """What takes an entry back that is open: of a use or of a change by hand, else nothing."""
    if figure == "REDEEMED":
        return "give-back"
    return "undo" if figure == "ADJUSTED" and not entry.get("relatedTransactionId") else ""


def open_ones(transactions: Sequence[Mapping[str, Any]]) -> set[str]:
    """The ids of those that none of the others takes back or stands in for."""
    over = {each.get("supersededTransactionId") for each in transactions}
    back = {each.get("relatedTransactionId") for each in transactions}
    return {
        each["id"]
        for each in transactions
        if each["id"] not in over and (each.get("correlationId") or each["id"]) not in back
    }


async def newest_lines(visit: Visit, pools: Sequence[Mapping[str, Any]], since: str) -> list[Line]:
    """What has happened to the credits of packs since an instant, the newest first.

    Of each pack it is the newest lines, however many there are.
    """
    asked = pools[:LEDGER_POOLS_MAX]
    begins = await asyncio.gather(*(_newest(visit, pool["id"], since) for pool in asked))
    return await _lines(visit, asked, await _statements(visit, asked, begins))


async def all_lines(
    visit: Visit, pools: Sequence[Mapping[str, Any]], since: str, *, limit: int
) -> tuple[list[Line], list[Mapping[str, Any]]]:
    """All that has happened to the credits of packs since an instant, up to a limit.

    Also the summary of each pack's statement.
    """
    statements = await _statements(visit, pools, [since] * len(pools))
    lines = await _lines(visit, pools, statements)
    return lines[:limit], [each.summary for each in statements]


async def _newest(visit: Visit, pool_id: str, since: str) -> str:
    """When the newest entries of a pack begin: at an instant, or later if there are many."""
    query = {
        "filter": {"pool.id": pool_id, "createdDate": {"$gte": since}},
        "sort": [{"fieldName": "createdDate", "order": "DESC"}],
        "cursorPaging": {"limit": LINES_MAX},
    }
    answer = await visit.call("queryTransactions", {"query": query})
    if not answer["metadata"]["hasNext"]:
        return since
    begin: str = answer["transactions"][-1]["createdDate"]
    return begin


async def _statements(
    visit: Visit, asked: Sequence[Mapping[str, Any]], begins: Sequence[str]
) -> list[Statement]:
    return await asyncio.gather(
        *(_statement(visit, pool["id"], begin) for pool, begin in zip(asked, begins, strict=True))
    )


async def _lines(
    visit: Visit, asked: Sequence[Mapping[str, Any]], statements: Sequence[Statement]
) -> list[Line]:
    rows = [(row, pool) for pool, some in zip(asked, statements, strict=True) for row in some.rows]
    rows.sort(key=lambda each: (each[0]["date"], each[0]["revision"]), reverse=True)
    transactions = await _transactions(
        visit, [id_ for row, _pool in rows if (id_ := row.get("transactionId"))]
    )
    are_open = open_ones(list(transactions.values()))
    return [
        Line(
            row=row,
            pool=pool,
            transaction=transactions.get(row.get("transactionId") or "", {}),
            is_open=row.get("transactionId") in are_open,
        )
        for row, pool in rows
    ]


async def _statement(visit: Visit, pool_id: str, since: str) -> Statement:
    """A pack's statement; of very many rows the oldest ones."""
    rows: list[dict[str, Any]] = []
    summary: dict[str, Any] = {}
    paging: dict[str, Any] = {"limit": STATEMENT_ROWS_MAX}
    for _page in range(STATEMENT_PAGES_MAX):
        asked = {"poolId": pool_id, "fromDate": since, "cursorPaging": paging}
        answer = await visit.call("getStatement", asked)
        rows += answer.get("rows", ())
        summary = summary or answer["summary"]
        following = answer["metadata"]["cursors"].get("next")
        if following is None:
            break
        paging = {"limit": STATEMENT_ROWS_MAX, "cursor": following}
    return Statement(rows, summary)


async def _transactions(visit: Visit, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Transactions by their ids."""
    answers = await asyncio.gather(
        *(
            visit.call(
                "queryTransactions",
                {
                    "query": {
                        "filter": {"id": {"$in": ids[start : start + TRANSACTIONS_MAX]}},
                        "cursorPaging": {"limit": TRANSACTIONS_MAX},
                    }
                },
            )
            for start in range(0, len(ids), TRANSACTIONS_MAX)
        )
    )
    return {row["id"]: row for answer in answers for row in answer.get("transactions", ())}
