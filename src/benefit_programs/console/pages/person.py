"""A person: what is left, of what, until when, and why."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

from benefit_programs.console.page import EVERYBODY, GET, Answer, page
from benefit_programs.console.people import person_of
from benefit_programs.console.visit import Visit
from benefit_programs.domain.operations import RULES

LEDGER_DAYS = 60
LEDGER_DAYS_MAX = 3_650
LEDGER_ROWS_MAX = 1_000
LEDGER_POOLS_MAX = 20
"""Of how many packs the ledger is shown; the others have a page each."""

_USUAL_REASONS = frozenset(rule.reason for rule in RULES.values() if rule.reason)
"""What the service says itself, which the kind of the entry says already."""


@page(GET, "/people/{kind}/{id}", roles=EVERYBODY, template="person.html")
async def show(visit: Visit) -> Answer:
    person = await person_of(visit)
    overview = await visit.call("getOverview", {"beneficiary": person.identity})
    programs = overview.get("programs", [])
    days = _days(visit.query.get("days", ""))
    pools = [pool for program in programs for pool in program.get("pools", ())]
    since = datetime.fromisoformat(overview["date"]) - timedelta(days=days)
    return {
        "person": person,
        "programs": programs,
        "pools": pools,
        "has_more": overview.get("hasMore", False),
        "usual_reasons": _USUAL_REASONS,
        "ledger": await _ledger(visit, pools, since),
        "days": days,
        "more_days": min(days * 6, LEDGER_DAYS_MAX),
    }


def _days(text: str) -> int:
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(LEDGER_DAYS_MAX))
    return min(max(int(text), 1), LEDGER_DAYS_MAX) if is_number else LEDGER_DAYS


async def _ledger(
    visit: Visit, pools: list[dict[str, Any]], since: datetime
) -> list[dict[str, Any]]:
    """What has happened to the credits since then, the newest first, with what was left."""
    asked = pools[:LEDGER_POOLS_MAX]
    statements = await asyncio.gather(
        *(
            visit.call(
                "getStatement",
                {
                    "poolId": pool["id"],
                    "fromDate": f"{since:%Y-%m-%dT%H:%M:%SZ}",
                    "cursorPaging": {"limit": LEDGER_ROWS_MAX},
                },
            )
            for pool in asked
        )
    )
    rows = [
        {**row, "pool": pool}
        for pool, statement in zip(asked, statements, strict=True)
        for row in statement.get("rows", ())
    ]
    return sorted(rows, key=lambda row: (row["date"], row["revision"]), reverse=True)
