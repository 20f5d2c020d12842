"""What was changed of somebody's things, by whom; and a statement to print."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from benefit_programs.console.ledger import all_lines
from benefit_programs.console.page import EVERYBODY, GET, Answer, page
from benefit_programs.console.people import person_of
from benefit_programs.console.visit import Visit

CHANGES_SHOWN = 50
STATEMENT_DAYS = 90
STATEMENT_LINES_MAX = 2_000


@page(GET, "/people/{kind}/{id}/changes", roles=EVERYBODY, template="changes.html")
async def changes(visit: Visit) -> Answer:
    """Who changed what, when, through what, and why: the newest first."""
    person = await person_of(visit)
    paging: dict[str, Any] = {"limit": CHANGES_SHOWN}
    query: dict[str, Any] = {"filter": {f"beneficiary.{person.field}": person.id}}
    if cursor := visit.query.get("cursor"):
        query, paging = {}, paging | {"cursor": cursor}
    answer = await visit.call("queryAuditEntries", {"query": {**query, "cursorPaging": paging}})
    return {
        "person": person,
        "entries": answer.get("auditEntries", []),
        "metadata": answer.get("metadata"),
    }


@page(GET, "/people/{kind}/{id}/statement", roles=EVERYBODY, template="statement.html")
async def statement(visit: Visit) -> Answer:
    """What there was, what came and went, and what is left, pack by pack."""
    person = await person_of(visit)
    overview = await visit.call("getOverview", {"beneficiary": person.identity})
    now = datetime.fromisoformat(overview["date"]).astimezone(visit.zone)
    begin = visit.query.instant("from", visit.zone)
    if begin is None:
        first = (now - timedelta(days=STATEMENT_DAYS)).replace(hour=0, minute=0, second=0)
        begin = f"{first.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    pools = [pool for program in overview.get("programs", ()) for pool in program.get("pools", ())]
    lines, summaries = await all_lines(visit, pools, begin, limit=STATEMENT_LINES_MAX)
    return {
        "person": person,
        "from_date": begin,
        "to_date": overview["date"],
        "from_day": f"{datetime.fromisoformat(begin).astimezone(visit.zone):%Y-%m-%d}",
        "packs_shown": [
            {
                "pool": pool,
                "summary": summary,
                "lines": [each for each in reversed(lines) if each.pool["id"] == pool["id"]],
            }
            for pool, summary in zip(pools, summaries, strict=True)
        ],
        "is_cut": len(lines) >= STATEMENT_LINES_MAX,
    }
