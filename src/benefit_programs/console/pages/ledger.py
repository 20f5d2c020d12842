"""The ledger: every change of a balance, the newest first, and as a file."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from benefit_programs.console import entries
from benefit_programs.console.csv_files import csv_file, plain
from benefit_programs.console.languages import later
from benefit_programs.console.page import BACK_OFFICE, GET, Answer, Menu, page
from benefit_programs.console.people import Person, people_of, search_people
from benefit_programs.console.queries import NEWEST_FIRST, query
from benefit_programs.console.visit import Fields, Visit
from benefit_programs.console.words import refusal_words
from benefit_programs.domain.errors import Invalid

ROWS = 50
FILE_ROWS_MAX = 5_000
FILTERS = ("who", "pool", "reference", "since", "until")
FILE_HEAD = (
    *("id", "date", "member", "name", "pack", "what", "credits", "benefit", "item", "count"),
    *("booking", "reason", "packId", "programId"),
)


@page(
    GET,
    "/ledger",
    roles=BACK_OFFICE,
    template="ledger.html",
    menu=Menu(text=later("Ledger"), order=80, key="l"),
)
async def show(visit: Visit) -> Answer:
    asked = {name: visit.query.get(name, "").strip() for name in FILTERS}
    problem, found = "", {}
    try:
        cursor = visit.query.get("cursor")
        found = await _transactions(visit, asked, limit=ROWS, cursor=cursor)
    except Invalid as refusal:
        problem = refusal_words(refusal)
    transactions = found.get("transactions", [])
    return {
        "asked": asked,
        "given": {name: text for name, text in asked.items() if text},
        "problem": problem,
        "rows": await _rows(visit, transactions),
        "metadata": found.get("metadata"),
        "file_rows": FILE_ROWS_MAX,
    }


@page(GET, "/ledger.csv", roles=BACK_OFFICE)
async def file(visit: Visit) -> Answer:
    """The newest entries that the filters leave, with ids, for spreadsheets."""
    asked = {name: visit.query.get(name, "").strip() for name in FILTERS}
    transactions: list[dict[str, Any]] = []
    cursor = None
    while len(transactions) < FILE_ROWS_MAX:
        found = await _transactions(visit, asked, limit=100, cursor=cursor)
        transactions += found["transactions"]
        cursor = found["metadata"]["cursors"].get("next")
        if not cursor:
            break
    rows = await _rows(visit, transactions)
    return csv_file("ledger.csv", FILE_HEAD, (_line(each, visit) for each in rows))


async def _transactions(
    visit: Visit, asked: dict[str, str], *, limit: int, cursor: str | None
) -> dict[str, Any]:
    filter_ = {} if cursor else await _filter(visit, asked)
    return await query(
        visit, "queryTransactions", filter_, limit=limit, sort=NEWEST_FIRST, cursor=cursor
    )


async def _filter(visit: Visit, asked: dict[str, str]) -> dict[str, Any]:
    """The filter of what was asked. Raises Invalid."""
    found: dict[str, Any] = {}
    if asked["who"]:
        found |= await _beneficiary(visit, asked["who"])
    if asked["pool"]:
        found["pool.id"] = asked["pool"]
    if asked["reference"]:
        found["externalReference"] = asked["reference"]
    fields = Fields(asked)
    dates = {
        "$gte": fields.instant("since", visit.zone),
        "$lt": fields.end("until", visit.zone),
    }
    created = {name: at for name, at in dates.items() if at}
    return found | ({"createdDate": created} if created else {})


async def _beneficiary(visit: Visit, text: str) -> dict[str, str]:
    """Whom a text means: the only one of a name, or else a member by the id."""
    named, _more = await search_people(visit, text, limit=2)
    person = named[0] if len(named) == 1 else Person("memberId", text)
    return {f"beneficiary.{person.field}": person.id}


async def _rows(visit: Visit, transactions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a line shows of each transaction."""
    identities = [each.get("beneficiary") or {} for each in transactions]
    unique = list({str(sorted(each.items())): each for each in identities if each}.values())
    named = {person.id: person for person in await people_of(visit, unique)}
    return [
        {
            "transaction": each,
            "details": each.get("details") or {},
            "what": entries.entry_words(each),
            "reason": entries.own_reason(each),
            "change": entries.change(each),
            "person": next((named[i] for i in identity.values() if i in named), None),
        }
        for each, identity in zip(transactions, identities, strict=True)
    ]


def _line(row: dict[str, Any], visit: Visit) -> tuple[str, ...]:
    transaction, details = row["transaction"], row["details"]
    pool, item = transaction.get("pool") or {}, details.get("item") or {}
    person: Person | None = row["person"]
    local = datetime.fromisoformat(transaction["createdDate"]).astimezone(visit.zone)
    return (
        transaction["id"],
        local.isoformat(timespec="seconds"),
        plain(person.id if person else ""),
        plain(person.name if person else ""),
        plain(pool.get("displayName")),
        row["what"],
        row["change"],
        plain(details.get("benefitKey")),
        plain(item.get("externalId")),
        str(details.get("itemCount") or ""),
        plain(transaction.get("externalReference")),
        plain(row["reason"]),
        pool.get("id", ""),
        pool.get("programId", ""),
    )
