"""Audit: who changed what, when, through what, and why."""

from __future__ import annotations

from typing import Any

from benefit_programs.console.languages import later
from benefit_programs.console.page import BACK_OFFICE, GET, Answer, Menu, page
from benefit_programs.console.people import people_of
from benefit_programs.console.queries import SCAN_LIMIT, is_scan_cut
from benefit_programs.console.visit import PAGE_ROWS_MAX, Visit

_ABOUT = ("entityId", "programId", "poolId")
"""What an id may be of: the changed entity, or the program or pool that it belongs to."""


@page(
    GET,
    "/audit",
    roles=BACK_OFFICE,
    template="audit.html",
    menu=Menu(text=later("Audit"), order=120, key="a"),
)
async def show(visit: Visit) -> Answer:
    """``entity``, ``member``, ``principal``, ``request``, ``from`` and ``to`` narrow it."""
    asked = {name: visit.query.get(name, "").strip() for name in _PARAMETERS}
    query: dict[str, Any] = {"filter": _filter(visit, asked), "cursorPaging": visit.paging()}
    if (asked["principal"] or asked["request"]) and not (asked["entity"] or asked["member"]):
        query["scanLimit"] = SCAN_LIMIT  # entries have no other index: each redemption makes one
    found = await visit.call("queryAuditEntries", {"query": query})
    entries = found.get("auditEntries", [])
    is_cut = "scanLimit" in query and is_scan_cut(entries, PAGE_ROWS_MAX, found["metadata"])
    return {
        "asked": {name: text for name, text in asked.items() if text},
        "entries": entries,
        "people": await _people(visit, entries),
        "metadata": found.get("metadata"),
        "scanned": SCAN_LIMIT if is_cut else None,
    }


_PARAMETERS = ("entity", "member", "principal", "request", "from", "to")


def _filter(visit: Visit, asked: dict[str, str]) -> dict[str, Any]:
    found: list[dict[str, Any]] = []
    if asked["entity"]:
        found.append({"$or": [{name: asked["entity"]} for name in _ABOUT]})
    for name, field in (
        ("member", "beneficiary.memberId"),
        ("principal", "principal.id"),
        ("request", "requestId"),
    ):
        if asked[name]:
            found.append({field: asked[name]})
    since, end = visit.query.instant("from", visit.zone), visit.query.end("to", visit.zone)
    found += [
        {"createdDate": {operator: instant}}
        for operator, instant in (("$gte", since), ("$lt", end))
        if instant
    ]
    return {"$and": found} if found else {}


async def _people(visit: Visit, entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Whom entries concern, by the entries' ids."""
    concerned = [each for each in entries if each.get("beneficiary")]
    people = await people_of(visit, [each["beneficiary"] for each in concerned])
    named = {person.id: person for person in people}
    return {
        each["id"]: person
        for each in concerned
        for text in each["beneficiary"].values()
        if (person := named.get(text))
    }
