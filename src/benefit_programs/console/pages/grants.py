"""Give credits to all: each active pack of a definition gets a lot of its own."""

from __future__ import annotations

from typing import Any

from benefit_programs.api.errors import NotFoundRoute
from benefit_programs.console.groups import OVER, each_of, outcome, part_of
from benefit_programs.console.languages import ngettext
from benefit_programs.console.offers import all_offers
from benefit_programs.console.page import GET, MANAGERS, POST, Answer, Done, page
from benefit_programs.console.queries import SCAN_LIMIT
from benefit_programs.console.visit import Visit
from benefit_programs.domain.errors import AlreadyExecuted

FIELDS = ("pack", "amount", "expires", "name", "reason")
"""What a page says to the next one that goes on."""


@page(GET, "/bulk/grant", roles=MANAGERS, template="grant.html")
async def show(visit: Visit) -> Answer:
    packs = await _packs(visit)
    if "pack" not in visit.query:
        return {"pack": None, "packs": list(packs.values())}
    if visit.query["pack"] not in packs:
        raise NotFoundRoute
    pack = packs[visit.query["pack"]]
    cursor = visit.query.get("after")
    pools, after = await _pools(visit, pack["id"], cursor)
    return {
        "pack": pack,
        "count": len(pools),
        "has_more": after != OVER,
        "following": after,
        "given": {name: visit.query.get(name, "") for name in FIELDS},
        "given_kept": {name: visit.query.get(name) for name in FIELDS if name != "pack"},
        "run": visit.query.get("run", ""),
        "after": cursor or "",
    }


@page(POST, "/bulk/grant", roles=MANAGERS)
async def grant(visit: Visit) -> Answer:
    form = visit.form
    run, cursor = form.get("run", "") or form["key"], form.get("after", "") or None
    lot = {
        "amount": form.amount("amount"),
        "expirationDate": form.end("expires", visit.zone),
        "displayName": form.get("name", "").strip() or None,
        "reason": form.get("reason", "").strip() or None,
    }
    pools, after = await _pools(visit, form["pack"], cursor)

    async def change(pool: dict[str, Any]) -> None:
        # One key for each pack: whoever repeats a part of it, or all, gives nothing twice.
        request = {"poolId": pool["id"], "idempotencyKey": f"{run}:{pool['id']}", **lot}
        try:
            await visit.call("grantCredits", request)
        except AlreadyExecuted as before:
            if not before.same_request:
                raise

    results = await each_of(pools, change)
    said = outcome(
        ngettext("%(num)s pack has them.", "%(num)s packs have them.", results[""]), results
    )
    if after == OVER:
        return Done("/bulk", said)
    given = {name: form.get(name, "") for name in FIELDS}
    return Done(visit.at("/bulk/grant", **given, run=run, after=after), said)


async def _pools(
    visit: Visit, pack_id: str, cursor: str | None
) -> tuple[list[dict[str, Any]], str]:
    active = {"poolDefinitionId": pack_id, "status": "ACTIVE"}
    return await part_of(visit, "queryPools", "pools", active, cursor, scan_limit=SCAN_LIMIT)


async def _packs(visit: Visit) -> dict[str, dict[str, Any]]:
    """The pool definitions that are sold, by their ids, in the order of their names."""
    packs = {pack["id"]: pack for offer in await all_offers(visit) for pack in offer.packs}
    named = sorted(packs.values(), key=lambda each: (each.get("displayName", ""), each["id"]))
    counted = (each for each in named if each["details"].get("creditConfiguration"))
    return {each["id"]: each for each in counted}
