"""The ledger of one day, counted by items."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from benefit_programs.console.visit import Visit
from benefit_programs.domain.entities import Operation
from benefit_programs.domain.operations import RULES
from benefit_programs.domain.values import first_id
from benefit_programs.storage.query.spec import LIMIT_MAX

ENTRIES_MAX = 1_000
"""How many entries of a day are counted, the newest."""

REDEEMED, RETURNED, MISSED = "redeemed", "returned", "missed"

_REASONS = {
    RULES[Operation.REDEEM].reason: REDEEMED,
    RULES[Operation.CANCEL].reason: RETURNED,
    RULES[Operation.REVERT].reason: RETURNED,
    RULES[Operation.RELEASE].reason: MISSED,
}
"""What an entry of a benefit means at the desk, by the operation's reason."""


@dataclass(kw_only=True)
class Line:
    """An item, and how often it was redeemed, given back and missed."""

    name: str
    redeemed: int = 0
    returned: int = 0
    missed: int = 0


async def entries_of(visit: Visit, start: datetime, end: datetime) -> tuple[list[Any], bool]:
    """The entries of benefits between two moments, the newest first, and whether there are more."""
    # Ids grow with time, and go by an index however large the ledger is.
    ids = {"$gte": first_id(_instant(start)), "$lt": first_id(_instant(end))}
    query: dict[str, Any] = {"filter": {"id": ids}, "cursorPaging": {"limit": LIMIT_MAX}}
    entries: list[dict[str, Any]] = []
    while len(entries) < ENTRIES_MAX:
        answer = await visit.call("queryTransactions", {"query": query})
        entries += answer["transactions"]
        following = answer["metadata"]["cursors"].get("next")
        if following is None:
            break
        query = {"cursorPaging": {"limit": LIMIT_MAX, "cursor": following}}
    else:
        return _meant(entries), True
    return _meant(entries), False


def lines_of(entries: Iterable[dict[str, Any]]) -> list[Line]:
    """The items of some entries, those that were redeemed most often first."""
    lines: dict[str, Line] = {}
    for each in entries:
        line = lines.setdefault(each["name"], Line(name=each["name"]))
        count = each["details"].get("itemCount", 1)
        setattr(line, each["kind"], getattr(line, each["kind"]) + count)
    return sorted(lines.values(), key=lambda line: (-line.redeemed, line.name.casefold()))


def _meant(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    named = ((each, _kind(each)) for each in entries)
    return [{**each, "kind": kind, "name": _name(each)} for each, kind in named if kind]


def _kind(entry: dict[str, Any]) -> str | None:
    """What an entry means; nothing for one that isn't about a benefit.

    Who comes late to cancel and gets nothing back hasn't come, and a reservation that ended by
    itself, thus without anybody's key, was never used.
    """
    details = entry["details"]
    kind = _REASONS.get(details.get("reason")) if details.get("benefitKey") else None
    if kind == RETURNED and details.get("forfeited") and entry.get("amount", "0") == "0":
        return MISSED
    if kind == MISSED and entry.get("idempotencyKey"):
        return None
    return kind


def _name(entry: dict[str, Any]) -> str:
    details, pool = entry["details"], entry.get("pool", {})
    item = details.get("item", {})
    return str(
        item.get("displayName")
        or pool.get("benefitDisplayName")
        or item.get("externalId")
        or details["benefitKey"]
    )


def _instant(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
