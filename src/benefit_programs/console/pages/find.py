"""Find: one box for a name, or an id of anything that leads to a person."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, NamedTuple

from benefit_programs.console.languages import gettext as _
from benefit_programs.console.languages import later
from benefit_programs.console.page import EVERYBODY, GET, Answer, Done, Menu, page
from benefit_programs.console.people import Person, people_of, search_people
from benefit_programs.console.visit import Visit
from benefit_programs.domain.errors import Invalid

TEXT_LENGTH_MAX = 200
HITS_MAX = 20


class Way(NamedTuple):
    """Something that a text may be: the method that finds it, and the name of its rows."""

    by: str
    method: str
    rows: str
    field: str


_WAYS = (
    *(
        Way(later("Member"), "queryPrograms", "programs", f"beneficiary.{field}")
        for field in ("memberId", "wixUserId")
    ),
    Way(later("Program"), "queryPrograms", "programs", "id"),
    Way(later("Order"), "queryPrograms", "programs", "externalId"),
    Way(later("Pack"), "queryPools", "pools", "id"),
    Way(later("Ledger entry"), "queryTransactions", "transactions", "id"),
    Way(later("Booking"), "queryTransactions", "transactions", "externalReference"),
    Way(later("Lot"), "queryLots", "lots", "id"),
    Way(later("Lot"), "queryLots", "lots", "externalReference"),
)
"""What a text may be beside a name. A reservation has the id and the booking of its entry."""


class Hit(NamedTuple):
    """A person who was found, by what, and which packs are shown beside the name."""

    person: Person
    by: str
    pools: list[dict[str, Any]]


@page(
    GET,
    "/find",
    roles=EVERYBODY,
    template="find.html",
    menu=Menu(text=later("Find"), order=10, key="f"),
)
async def find(visit: Visit) -> Answer:
    text = visit.query.get("q", "").strip()[:TEXT_LENGTH_MAX]
    cursor = visit.query.get("cursor")
    if not text:
        return {"text": text, "hits": [], "metadata": {}}
    # Side by side: a system of the tenant's that is asked for names may take its time, but once.
    (named, following), found = await asyncio.gather(
        _named(visit, text, cursor), _by_ids(visit, "" if cursor else text)
    )
    for person in named:
        found.setdefault(person, person.email or person.phone)
    if len(found) == 1 and not following and "all" not in visit.query and not cursor:
        return Done(next(iter(found)).path)
    return {
        "text": text,
        "hits": await _hits(visit, found),
        "metadata": {"cursors": {"next": following}},
    }


async def _named(
    visit: Visit, text: str, cursor: str | None
) -> tuple[Sequence[Person], str | None]:
    """Those whose names begin with the words, and where the next ones are."""
    try:
        return await search_people(visit, text, limit=HITS_MAX, cursor=cursor)
    except Invalid:  # a text without a letter or digit
        return (), None


async def _by_ids(visit: Visit, text: str) -> dict[Person, str]:
    """Everybody whom the text leads to as an id, each once, by the first thing that it was."""
    if not text:
        return {}
    found = await asyncio.gather(*(_none_if_refused(_rows(visit, way, text)) for way in _WAYS))
    by: dict[tuple[str, str], str] = {}
    beneficiaries: list[Mapping[str, Any]] = []
    for way, rows in zip(_WAYS, found, strict=True):
        for row in rows:
            beneficiaries.append(beneficiary := row.get("beneficiary") or {})
            for item in beneficiary.items():
                by.setdefault(item, _(way.by))
    people = await people_of(visit, beneficiaries[:HITS_MAX])
    return {person: by[person.field, person.id] for person in people}


async def _rows(visit: Visit, way: Way, text: str) -> list[dict[str, Any]]:
    query = {"filter": {way.field: text}, "cursorPaging": {"limit": HITS_MAX}}
    answer = await visit.call(way.method, {"query": query})
    rows: list[dict[str, Any]] = answer.get(way.rows, [])
    return rows


async def _hits(visit: Visit, found: Mapping[Person, str]) -> list[Hit]:
    pools = await asyncio.gather(*(_pools(visit, person) for person in found))
    return [Hit(person, by, some) for (person, by), some in zip(found.items(), pools, strict=True)]


async def _pools(visit: Visit, person: Person) -> list[dict[str, Any]]:
    """The packs of somebody that have something to say: what is over is left out."""
    found = await visit.call("getOverview", {"beneficiary": person.identity})
    return [pool for program in found.get("programs", ()) for pool in program.get("pools", ())]


async def _none_if_refused(asking: Awaitable[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The rows, or none where the text can't be what is asked for: no GUID, too long."""
    try:
        return await asking
    except Invalid:
        return []
