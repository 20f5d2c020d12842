"""Find: one box for a name, or an id of anything that leads to a person."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, NamedTuple

from benefit_programs.console.languages import gettext as _
from benefit_programs.console.languages import later
from benefit_programs.console.page import EVERYBODY, GET, Answer, Done, Menu, page
from benefit_programs.console.people import Person, people_of, search_people
from benefit_programs.console.visit import Visit
from benefit_programs.domain.errors import Invalid

TEXT_LENGTH_MAX = 200
HITS_MAX = 20


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
    hits = await _hits(visit, text) if text else []
    if len(hits) == 1 and "all" not in visit.query:
        return Done(hits[0].person.path)
    return {"text": text, "hits": hits}


async def _hits(visit: Visit, text: str) -> list[Hit]:
    """Everybody whom the text finds, each once, by the first thing that it was."""
    ways = [
        (_("Name"), search_people(visit, text, limit=HITS_MAX)),
        (_("Member"), _by_beneficiary(visit, text)),
        (_("Program"), _by_query(visit, "queryPrograms", "programs", {"id": text})),
        (_("Order"), _by_query(visit, "queryPrograms", "programs", {"externalId": text})),
        (_("Pack"), _by_query(visit, "queryPools", "pools", {"id": text})),
        (_("Ledger entry"), _by_query(visit, "queryTransactions", "transactions", {"id": text})),
        (
            _("Booking"),
            _by_query(visit, "queryTransactions", "transactions", {"externalReference": text}),
        ),
    ]
    found = await asyncio.gather(*(each for _by, each in ways))
    people: dict[Person, str] = {}
    for (by, _way), some in zip(ways, found, strict=True):
        for person in some:
            people.setdefault(person, by)
    shown = list(people.items())[:HITS_MAX]
    pools = await asyncio.gather(*(_pools(visit, person) for person, _by in shown))
    return [Hit(person, by, some) for (person, by), some in zip(shown, pools, strict=True)]


async def _by_beneficiary(visit: Visit, text: str) -> list[Person]:
    fields = ("memberId", "wixUserId")
    found = await asyncio.gather(
        *(
            _none_if_refused(
                visit.call("queryPools", _query({f"beneficiary.{field}": text}, limit=1))
            )
            for field in fields
        )
    )
    having = [{field: text} for field, some in zip(fields, found, strict=True) if some.get("pools")]
    return await people_of(visit, having)


async def _by_query(visit: Visit, method: str, name: str, filter_: dict[str, Any]) -> list[Person]:
    found = await _none_if_refused(visit.call(method, _query(filter_, limit=HITS_MAX)))
    return await people_of(visit, (each.get("beneficiary") or {} for each in found.get(name, ())))


async def _pools(visit: Visit, person: Person) -> list[dict[str, Any]]:
    """The packs of somebody that have something to say: what is over is left out."""
    found = await _none_if_refused(visit.call("getOverview", {"beneficiary": person.identity}))
    return [pool for program in found.get("programs", ()) for pool in program.get("pools", ())]


def _query(filter_: dict[str, Any], *, limit: int) -> dict[str, Any]:
    return {"query": {"filter": filter_, "cursorPaging": {"limit": limit}}}


async def _none_if_refused(asking: Awaitable[Any]) -> dict[str, Any]:
    """The answer, or nothing where the text can't be what is asked for: no GUID, too long."""
    try:
        answer: dict[str, Any] = await asking
    except Invalid:
        return {}
    return answer
