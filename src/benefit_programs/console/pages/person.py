"""A person: who it is, what is left, of what, until when, and why."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

from benefit_programs.console.languages import gettext as _
from benefit_programs.console.ledger import LINES_MAX, newest_lines
from benefit_programs.console.page import (
    EVERYBODY,
    FRONT_DESK,
    GET,
    MANAGERS,
    POST,
    Answer,
    Done,
    Undo,
    page,
)
from benefit_programs.console.people import Person, people_of, person_at, person_of
from benefit_programs.console.visit import Visit
from benefit_programs.domain.errors import Invalid

LEDGER_DAYS = 60
LEDGER_DAYS_MAX = 3_650

ENDED_MAX = 20
"""How many programs that have ended a page names."""

WAITING_MAX = 100

DESCRIPTIONS = ("displayName", "email", "phone", "note")
"""What can be said of a person."""


@page(GET, "/people/{kind}/{id}", roles=EVERYBODY, template="person.html")
async def show(visit: Visit) -> Answer:
    nobody = person_at(visit.path)
    overview = await visit.call("getOverview", {"beneficiary": nobody.identity})
    person = Person(nobody.field, nobody.id, overview.get("person") or {})
    if not person.name:
        (person,) = await people_of(visit, [nobody.identity])
    programs = sorted(overview.get("programs", []), key=_is_used_up)
    days = _days(visit.query.get("days", ""))
    pools = [pool for program in programs for pool in program.get("pools", ())]
    since = datetime.fromisoformat(overview["date"]) - timedelta(days=days)
    lines, reservations, waiting, ended = await asyncio.gather(
        newest_lines(visit, pools, f"{since:%Y-%m-%dT%H:%M:%SZ}"),
        _reservations(visit, pools),
        _waiting(visit, [program["id"] for program in programs]),
        _ended(visit, person),
    )
    return {
        "person": person,
        "now": overview["date"],
        "programs": programs,
        "pools": pools,
        "has_more": overview.get("hasMore", False),
        "lines": lines,
        "lines_max": LINES_MAX,
        "has_earlier": len(pools)
        > len([each for each in lines if each.row["figure"] == "PROVISIONED"]),
        "reservations": reservations,
        "waiting": waiting,
        "ended": ended,
        "days": days,
        "more_days": min(days * 6, LEDGER_DAYS_MAX),
        "may_serve": visit.may_as(FRONT_DESK),
        "may_manage": visit.may_as(MANAGERS),
    }


@page(POST, "/people/{kind}/{id}/edit", roles=FRONT_DESK)
async def edit(visit: Visit) -> Answer:
    """Say who it is; what stood there before is kept for an undo."""
    person = await person_of(visit, directory_only=True)
    said = {field: visit.form.get(field, "").strip() for field in DESCRIPTIONS}
    said["note"] = said["note"].replace("\r\n", "\n")
    if not any(said.values()) and not person.row:
        raise Invalid.because("displayName", "is required")
    if person.row:
        change = {"id": person.row["id"], "revision": visit.form["revision"]}
        change |= {field: text or None for field, text in said.items()}
        answer = await visit.call("updatePerson", {"person": change})
    else:
        known = {field: text for field, text in said.items() if text}
        request = {"person": {"beneficiary": person.identity, **known}}
        answer = await visit.call("setPerson", request)
    before = {field: person.row.get(field, "") for field in DESCRIPTIONS}
    fields = before | {"revision": answer["person"]["revision"]}
    undo = Undo(path=f"{person.path}/edit", fields=fields) if person.row else None
    return Done(person.path, _("Saved."), undo)


def _is_used_up(program: dict[str, Any]) -> bool:
    """Whether nothing of it can be used now: what can stands first."""
    pools = program.get("pools", ())
    return not any(each["isUsable"] for pool in pools for each in pool.get("benefits", ()))


def _days(text: str) -> int:
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(LEDGER_DAYS_MAX))
    return min(max(int(text), 1), LEDGER_DAYS_MAX) if is_number else LEDGER_DAYS


async def _reservations(visit: Visit, pools: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The open reservations of packs, by id: with their items."""
    holding = [pool["id"] for pool in pools if pool.get("reservations")]
    if not holding:
        return {}
    query = {
        "filter": {"poolId": {"$in": holding}, "status": "OPEN"},
        "cursorPaging": {"limit": WAITING_MAX},
    }
    answer = await visit.call("queryReservations", {"query": query})
    return {row["id"]: row for row in answer.get("reservations", ())}


async def _waiting(visit: Visit, program_ids: list[str]) -> dict[str, list[dict[str, Any]]]:
    """What is to happen to programs at a date, by program."""
    found: dict[str, list[dict[str, Any]]] = {each: [] for each in program_ids}
    if found:
        query = {
            "filter": {"programId": {"$in": program_ids}, "status": "WAITING"},
            "cursorPaging": {"limit": WAITING_MAX},
        }
        answer = await visit.call("queryScheduledChanges", {"query": query})
        for row in answer.get("scheduledChanges", ()):
            found[row["programId"]].append(row)
    return found


async def _ended(visit: Visit, person: Person) -> list[dict[str, Any]]:
    """The newest programs of somebody that have ended."""
    query = {
        "filter": {"beneficiary": person.identity, "status": "ENDED"},
        "sort": [{"fieldName": "createdDate", "order": "DESC"}],
        "cursorPaging": {"limit": ENDED_MAX},
    }
    answer = await visit.call("queryPrograms", {"query": query})
    return [{**each, "ended": _ended_at(each)} for each in answer.get("programs", ())]


def _ended_at(program: dict[str, Any]) -> str:
    """When a program ended: at its end, or before it when somebody ended it."""
    changed: str = program["updatedDate"]
    return min(changed, program.get("endDate") or changed)
