"""Move dates: all ends of programs and of credits of a definition, by some days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from benefit_programs.console.groups import OVER, PART_MAX, each_of, outcome, part_of
from benefit_programs.console.languages import gettext as _
from benefit_programs.console.languages import ngettext
from benefit_programs.console.offers import Offer, all_offers, offer_of
from benefit_programs.console.page import GET, MANAGERS, POST, Answer, Done, page
from benefit_programs.console.people import by_beneficiary, key_of
from benefit_programs.console.pools import with_pools
from benefit_programs.console.visit import Fields, Visit
from benefit_programs.domain.errors import Invalid, ViolatedRule

DAYS_USUALLY = 7
DAYS_MAX = 366
SHOWN_MAX = 20

LOTS_SCANNED = 10_000
"""Among how many lots, with their packs, one page looks for those of a definition."""

_PROGRAM, _LOT = "program", "lot"
_METHODS = {_PROGRAM: "updateProgram", _LOT: "updateLot"}
_DATES = {_PROGRAM: "endDate", _LOT: "expirationDate"}


class Move(NamedTuple):
    """A date that moves, of a revision: whatever is changed meanwhile stays as it is then."""

    kind: str
    id: str
    revision: str
    date: str

    @property
    def text(self) -> str:
        return " ".join(self)


@page(GET, "/bulk/move", roles=MANAGERS, template="move.html")
async def preview(visit: Visit) -> Answer:
    if "offer" not in visit.query:
        return {"offer": None, "offers": await all_offers(visit)}
    offer, days = await offer_of(visit, visit.query["offer"]), _days(visit.query)
    programs, after_programs = await _programs(visit, offer)
    lots, after_lots = await _lots(visit, offer)
    rows = [(_PROGRAM, each) for each in programs] + [(_LOT, each) for each in lots]
    moves = [_moved(visit, kind, each, days) for kind, each in rows]
    by = await by_beneficiary(visit, (each for _kind, each in rows[:SHOWN_MAX]))
    return {
        "offer": offer,
        "days": days,
        "programs": len(programs),
        "lots": len(lots),
        "moves": "\n".join(each.text for each in moves),
        "shown": [
            (by[key_of(each)], each, each[_DATES[kind]], move.date)
            for (kind, each), move in zip(rows[:SHOWN_MAX], moves, strict=False)
        ],
        "count": len(moves),
        "after": {"programs": after_programs, "lots": after_lots},
        "has_more": (after_programs, after_lots) != (OVER, OVER),
        "part": PART_MAX,
    }


@page(POST, "/bulk/move", roles=MANAGERS)
async def move(visit: Visit) -> Answer:
    form = visit.form
    moves = list(_read(form["moves"]))
    reason = form.get("reason", "").strip() or None

    async def change(each: Move) -> None:
        changed = {"id": each.id, "revision": each.revision, _DATES[each.kind]: each.date}
        await visit.call(_METHODS[each.kind], {each.kind: changed, "reason": reason})

    results = await each_of(moves, change)
    done = results[""]
    said = outcome(ngettext("%(num)s date was moved.", "%(num)s dates were moved.", done), results)
    after = {name: form[name] for name in ("programs", "lots")}
    if set(after.values()) == {OVER}:
        return Done("/bulk", said)
    days = str(_days(form))
    return Done(visit.at("/bulk/move", offer=form["offer"], days=days, **after), said)


def _days(fields: Fields) -> int:
    try:
        days = int(fields.get("days", "") or DAYS_USUALLY)
    except ValueError:
        days = 0
    if days == 0 or abs(days) > DAYS_MAX:
        said = _("must be a number of days, at most %(days)s, and not 0", days=DAYS_MAX)
        raise Invalid.because("days", said, ViolatedRule.FORMAT)
    return days


async def _programs(visit: Visit, offer: Offer) -> tuple[list[dict[str, Any]], str]:
    """Programs of the definition that end by themselves. A pack alone has lots only."""
    if offer.field != "programDefinitionId":
        return [], OVER
    filter_ = {
        "programDefinitionId": offer.id,
        "status": {"$in": ["ACTIVE", "PAUSED"]},
        "endDate": {"$exists": True},
    }
    return await part_of(visit, "queryPrograms", "programs", filter_, visit.query.get("programs"))


async def _lots(visit: Visit, offer: Offer) -> tuple[list[dict[str, Any]], str]:
    filter_ = {
        offer.field: offer.id,
        "status": {"$in": ["LIVE", "FUTURE"]},
        "expirationDate": {"$exists": True},
    }
    lots, after = await part_of(
        visit, "queryLots", "lots", filter_, visit.query.get("lots"), scan_limit=LOTS_SCANNED
    )
    return await with_pools(visit, lots), after


def _moved(visit: Visit, kind: str, row: dict[str, Any], days: int) -> Move:
    """By whole days of the tenant's zone: the time of the day stays."""
    there = datetime.fromisoformat(row[_DATES[kind]]).astimezone(visit.zone)
    moved = (there + timedelta(days=days)).astimezone(UTC)
    text = f"{moved:%Y-%m-%dT%H:%M:%S}.{moved.microsecond // 1000:03d}Z"
    return Move(kind, row["id"], str(row["revision"]), text)


def _read(text: str) -> Iterator[Move]:
    lines = text.split("\n")
    for line in filter(None, (each.strip() for each in lines)):
        parts = line.split(" ")
        if len(parts) != len(Move._fields) or parts[0] not in _METHODS or len(lines) > 2 * PART_MAX:
            raise Invalid.because("moves", "must be what the preview has shown")
        yield Move(*parts)
