"""Today: what was redeemed by item, and whom to speak to: who is low, expires, renews or ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from benefit_programs.api.errors import NotFoundRoute, StatementTimeout
from benefit_programs.console.days import entries_of, lines_of
from benefit_programs.console.languages import later
from benefit_programs.console.page import FRONT_DESK, GET, Answer, Menu, page
from benefit_programs.console.people import Person, by_beneficiary, key_of
from benefit_programs.console.pools import pools_of, with_pools
from benefit_programs.console.queries import SCAN_LIMIT, is_scan_cut
from benefit_programs.console.visit import Visit
from benefit_programs.console.words import refusal_words
from benefit_programs.domain.errors import Invalid, ViolatedRule

DAYS_AHEAD = 7
FEW = {"low": 20}
FEW_OF_OTHERS = 5
"""How many are shown of each list on the page of the day: whom to sell to next is asked most."""

ENTRIES_SHOWN_MAX = 30
ROWS_MAX = 50
LOW_DEFAULT = "1"


class Row(NamedTuple):
    """Somebody in a list: of which pack or program, with which credits, when, or through when."""

    person: Person
    name: str
    amount: str | None = None
    date: str | None = None
    end: str | None = None


@dataclass(frozen=True, kw_only=True)
class Found:
    """A page of a list; or in words why there is none."""

    rows: list[Row] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
    scanned: int | None = None
    """Among how many packs it was looked for, if there are others."""


class List(NamedTuple):
    """A list of people to speak to."""

    title: str
    empty: str
    find: Callable[[Visit, dict[str, Any]], Awaitable[Found]]


@page(
    GET,
    "/today",
    roles=FRONT_DESK,
    template="today.html",
    menu=Menu(text=later("Today"), order=40, key="t"),
)
async def show(visit: Visit) -> Answer:
    day = _day(visit)
    start, end = _midnight(visit, day), _midnight(visit, day + timedelta(days=1))
    is_today = day == visit.now.date()
    lists = LISTS if is_today else {}
    (entries, is_cut), *found = await asyncio.gather(
        entries_of(visit, start, end),
        *(_find(visit, name, {"limit": FEW.get(name, FEW_OF_OTHERS)}) for name in lists),
    )
    shown = entries[:ENTRIES_SHOWN_MAX]
    people = await by_beneficiary(visit, shown)
    return {
        "day": start.isoformat(),
        "is_today": is_today,
        "before": str(day - timedelta(days=1)),
        "after": str(day + timedelta(days=1)),
        "lines": lines_of(entries),
        "entries": [(each, people[key_of(each)]) for each in shown],
        "is_cut": is_cut,
        "lists": [(name, LISTS[name], each) for name, each in zip(lists, found, strict=True)],
    }


@page(GET, "/today/{which}", roles=FRONT_DESK, template="speak_to.html")
async def speak_to(visit: Visit) -> Answer:
    which = visit.path["which"]
    if which not in LISTS:
        raise NotFoundRoute
    paging: dict[str, Any] = {"limit": ROWS_MAX}
    if visit.query.get("cursor"):
        paging["cursor"] = visit.query["cursor"]
    return {
        "which": which,
        "list": LISTS[which],
        "found": await _find(visit, which, paging),
        "left": _left(visit),
        "days": DAYS_AHEAD,
    }


def _day(visit: Visit) -> date:
    text = visit.query.get("day", "")
    if not text:
        return visit.now.date()
    try:
        day = date.fromisoformat(text)
        return day if abs(day - visit.now.date()) < timedelta(days=36_500) else visit.now.date()
    except ValueError:
        raise Invalid.because("day", "must be a date", ViolatedRule.FORMAT) from None


def _midnight(visit: Visit, day: date) -> datetime:
    return datetime.combine(day, time(), visit.zone)


async def _find(visit: Visit, which: str, paging: dict[str, Any]) -> Found:
    try:
        return await LISTS[which].find(visit, paging)
    except StatementTimeout as refusal:  # the rest of the page is there all the same
        return Found(problem=refusal_words(refusal))


def _left(visit: Visit) -> str:
    return visit.query.amount("left") if visit.query.get("left") else LOW_DEFAULT


async def _low(visit: Visit, paging: dict[str, Any]) -> Found:
    """Packs that are sold by credits, and have so many or less; the newest first."""
    filter_ = {"amount.available": {"$lte": _left(visit)}, "poolInfo.status": "ACTIVE"}
    asked = _query(paging, filter_)
    asked["query"]["scanLimit"] = SCAN_LIMIT  # balances have no index: it would cost each change
    answer = await visit.call("queryBalances", asked)
    is_cut = is_scan_cut(answer["balances"], paging["limit"], answer["metadata"])
    counted = [each for each in answer["balances"] if "creditAmount" in each["poolInfo"]]
    pools = await pools_of(visit, (each["id"] for each in counted))
    people = await by_beneficiary(visit, counted)
    rows = [
        Row(
            people[key_of(each)],
            pools[each["id"]].get("displayName", ""),
            each["amount"]["available"],
        )
        for each in counted
    ]
    return Found(rows=rows, metadata=answer["metadata"], scanned=SCAN_LIMIT if is_cut else None)


async def _expiring(visit: Visit, paging: dict[str, Any]) -> Found:
    filter_ = {"status": "LIVE", "expirationDate": _this_week(visit)}
    answer = await visit.call("queryLots", _query(paging, filter_, "expirationDate"))
    lots = await with_pools(visit, answer["lots"])
    people = await by_beneficiary(visit, lots)
    rows = [
        Row(
            people[key_of(each)],
            each["displayName"],
            each["available"],
            end=each["expirationDate"],
        )
        for each in lots
    ]
    return Found(rows=rows, metadata=answer["metadata"])


async def _renewing(visit: Visit, paging: dict[str, Any]) -> Found:
    filter_ = {"status": "ACTIVE", "nextRenewalDate": _this_week(visit)}
    return await _programs(visit, paging, filter_, "nextRenewalDate", "date")


async def _ending(visit: Visit, paging: dict[str, Any]) -> Found:
    filter_ = {"status": {"$in": ["ACTIVE", "PAUSED"]}, "endDate": _this_week(visit)}
    return await _programs(visit, paging, filter_, "endDate", "end")


async def _programs(
    visit: Visit, paging: dict[str, Any], filter_: dict[str, Any], by: str, shown_as: str
) -> Found:
    answer = await visit.call("queryPrograms", _query(paging, filter_, by))
    programs = answer["programs"]
    names = await _definitions(visit, programs)
    people = await by_beneficiary(visit, programs)
    rows = [
        Row(
            people[key_of(each)],
            each.get("displayName") or names.get(each.get("programDefinitionId"), ""),
            **{shown_as: each.get(by)},
        )
        for each in programs
    ]
    return Found(rows=rows, metadata=answer["metadata"])


LISTS = {
    "low": List(later("Little left"), later("Nobody has so little left."), _low),
    "expiring": List(
        later("Credits that expire this week"), later("No credits expire this week."), _expiring
    ),
    "renewing": List(
        later("Renewals of this week"), later("No program renews this week."), _renewing
    ),
    "ending": List(later("Ends of this week"), later("No program ends this week."), _ending),
}


def _query(paging: dict[str, Any], filter_: dict[str, Any], by: str | None = None) -> Any:
    if "cursor" in paging:
        return {"query": {"cursorPaging": paging}}
    sort = {"sort": [{"fieldName": by, "order": "ASC"}]} if by else {}
    return {"query": {"filter": filter_, "cursorPaging": paging, **sort}}


def _this_week(visit: Visit) -> dict[str, str]:
    now = visit.now
    return {"$gte": now.isoformat(), "$lt": (now + timedelta(days=DAYS_AHEAD)).isoformat()}


async def _definitions(visit: Visit, programs: list[Any]) -> dict[str | None, str]:
    """The names of the definitions of some programs."""
    ids = sorted(
        {each["programDefinitionId"] for each in programs if "programDefinitionId" in each}
    )
    if not ids:
        return {}
    query = {"filter": {"id": {"$in": ids}}, "cursorPaging": {"limit": ROWS_MAX}}
    answer = await visit.call("queryProgramDefinitions", {"query": query})
    return {each["id"]: each.get("displayName", "") for each in answer["programDefinitions"]}
