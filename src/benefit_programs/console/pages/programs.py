"""A program and its packs: how it stands, what comes next, and what can be done with it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

from benefit_programs.console import charts
from benefit_programs.console.details import compared, name_of
from benefit_programs.console.languages import gettext as _
from benefit_programs.console.languages import later
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
from benefit_programs.console.pages import ledger
from benefit_programs.console.people import people_of
from benefit_programs.console.queries import query
from benefit_programs.console.timetables import dates_in_words
from benefit_programs.console.visit import Visit, segment
from benefit_programs.domain.entities import ProgramStatus
from benefit_programs.domain.errors import (
    AlreadyExecuted,
    PoolDefinitionNotFound,
    ProgramStatusTransitionNotAllowed,
)

DATES = 8
PACKS = 100
CHANGES = 100
CHART_DAYS = 90
CHART_ROWS_MAX = 1_000
LOTS_SHOWN = 50

_KINDS = {
    "PAUSE": later("Pause"),
    "RESUME": later("Go on"),
    "END": later("End"),
}


@page(GET, "/programs/{id}", roles=EVERYBODY, template="program.html")
async def show(visit: Visit) -> Answer:
    program = (await visit.call("getProgram", {"programId": visit.path["id"]}))["program"]
    own = {"programId": program["id"]}
    packs, timetable, waiting, people = await asyncio.gather(
        query(visit, "queryPools", own, limit=PACKS),
        visit.call("getProgramTimetable", {**own, "limit": DATES}),
        query(visit, "queryScheduledChanges", {**own, "status": "WAITING"}, limit=CHANGES),
        people_of(visit, [program.get("beneficiary") or {}]),
    )
    pools = packs["pools"]
    left = await asyncio.gather(*(_left(visit, each["id"]) for each in pools))
    return {
        "program": program,
        "person": people[0] if people else None,
        "pools": list(zip(pools, left, strict=True)),
        "dates": dates_in_words(timetable, {each["id"]: _name(each) for each in pools}),
        "time_zone": timetable.get("timeZone"),
        "waiting": [
            {**each, "what": _(_KINDS[each["kind"]])} for each in waiting["scheduledChanges"]
        ],
        "serves": visit.may(pause),
        "manages": visit.may(renew),
    }


@page(GET, "/pools/{id}", roles=EVERYBODY, template="pool.html")
async def show_pool(visit: Visit) -> Answer:
    pool = (await visit.call("getPool", {"poolId": visit.path["id"]}))["pool"]
    own = {"poolId": pool["id"]}
    now = visit.now
    since = now - timedelta(days=CHART_DAYS)
    left, lots, statement, definition, people, changes = await asyncio.gather(
        _left(visit, pool["id"]),
        visit.call("listLots", {**own, "cursorPaging": {"limit": LOTS_SHOWN}}),
        visit.call(
            "getStatement",
            {
                **own,
                "fromDate": since.isoformat(timespec="seconds"),
                "cursorPaging": {"limit": CHART_ROWS_MAX},
            },
        ),
        _definition(visit, pool),
        people_of(visit, [pool.get("beneficiary") or {}]),
        visit.call("getProgram", {"programId": pool["programId"]}),
    )
    pending = (pool.get("renewalAction") or {}).get("updateOptions")
    found = [each for each in lots["lots"] if each["available"] != "0" or each["reserved"] != "0"]
    return {
        "pool": pool,
        "name": _name(pool),
        "left": left,
        "program": changes["program"],
        "person": people[0] if people else None,
        "definition": definition,
        "compared": compared(definition, pool) if definition else [],
        "pending": compared({**pool, **pending}, pool) if pending else [],
        "lots": found,
        "has_more_lots": lots["metadata"]["hasNext"],
        "chart": charts.balance(statement, since=since, until=now),
        "lots_chart": charts.lots(found, since=since, until=now),
        "statement": statement,
        "sees_ledger": visit.may(ledger.show),
        "days": CHART_DAYS,
        "benefits": [(name_of(each), each) for each in pool["details"].get("benefits", ())],
    }


async def _left(visit: Visit, pool_id: str) -> dict[str, Any]:
    amount: dict[str, Any] = (await visit.call("getBalance", {"poolId": pool_id}))["balance"][
        "amount"
    ]
    return amount


async def _definition(visit: Visit, pool: dict[str, Any]) -> dict[str, Any] | None:
    """The definition that a pack was made from, if it is still there."""
    try:
        answer = await visit.call(
            "getPoolDefinition", {"poolDefinitionId": pool["poolDefinitionId"]}
        )
    except PoolDefinitionNotFound:
        return None
    definition: dict[str, Any] = answer["poolDefinition"]
    return definition


def _name(pool: dict[str, Any]) -> str:
    return pool.get("displayName") or _("Pack")


@page(POST, "/programs/{id}/pause", roles=FRONT_DESK)
async def pause(visit: Visit) -> Answer:
    """Pause it now, or from a date on; until a date, or until somebody lets it go on."""
    request = _action(visit)
    until = visit.form.end("through", visit.zone)
    if begin := visit.form.instant("date", visit.zone):
        return await _schedule(visit, "PAUSE", begin, until=until)
    await _once(visit, "pauseProgram", {**request, **({"untilDate": until} if until else {})})
    return Done(_path(visit), _("Paused."), _undo(visit, "resume"))


@page(POST, "/programs/{id}/resume", roles=FRONT_DESK)
async def resume(visit: Visit) -> Answer:
    if begin := visit.form.instant("date", visit.zone):
        return await _schedule(visit, "RESUME", begin)
    await _once(visit, "resumeProgram", _action(visit))
    return Done(_path(visit), _("It goes on."), _undo(visit, "pause"))


@page(POST, "/programs/{id}/renew", roles=MANAGERS)
async def renew(visit: Visit) -> Answer:
    restarts = visit.form.get("restarts") == "yes"
    await visit.call("renewProgram", {**_action(visit), "restartTimetable": restarts})
    return Done(_path(visit), _("Renewed."))


@page(POST, "/programs/{id}/end", roles=FRONT_DESK)
async def end(visit: Visit) -> Answer:
    if at := visit.form.end("last", visit.zone):
        return await _schedule(visit, "END", at)
    request = _action(visit)
    del request["idempotencyKey"]
    try:
        await visit.call("endProgram", request)
    except ProgramStatusTransitionNotAllowed as refusal:
        # It has no key: a form that is sent twice finds that it has ended.
        if refusal.current_status is not ProgramStatus.ENDED:
            raise
    return Done(_path(visit), _("Ended."))


@page(POST, "/programs/{id}/withdraw", roles=FRONT_DESK)
async def withdraw(visit: Visit) -> Answer:
    await visit.call("withdrawScheduledChange", {"scheduledChangeId": visit.form["change"]})
    return Done(_path(visit), _("What was planned was withdrawn."))


def _action(visit: Visit) -> dict[str, Any]:
    reason = visit.form.get("reason", "").strip()
    return {
        "programId": visit.path["id"],
        "idempotencyKey": visit.form["key"],
        **({"reason": reason} if reason else {}),
    }


async def _once(visit: Visit, method: str, request: dict[str, Any]) -> None:
    """Do it, unless this very form has done it: one that is sent twice is as good as once."""
    with suppress(AlreadyExecuted):
        await visit.call(method, request)


async def _schedule(visit: Visit, kind: str, date: str, *, until: str | None = None) -> Done:
    """Plan a change for a date."""
    request = {
        **_action(visit),
        "kind": kind,
        "date": date,
        **({"untilDate": until} if until else {}),
    }
    change = (await visit.call("scheduleProgramChange", request))["scheduledChange"]
    return Done(_path(visit), _("Planned."), _undo(visit, "withdraw", change=change["id"]))


def _undo(visit: Visit, action: str, **fields: str) -> Undo:
    return Undo(path=f"{_path(visit)}/{action}", fields=fields)


def _path(visit: Visit) -> str:
    return f"/programs/{segment(visit.path['id'])}"
