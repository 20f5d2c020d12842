"""Redeem: an item, a person, and the pack that pays."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from benefit_programs.console.formats import credits_text
from benefit_programs.console.languages import gettext as _
from benefit_programs.console.languages import later
from benefit_programs.console.page import (
    FRONT_DESK,
    GET,
    POST,
    Answer,
    Done,
    Menu,
    Undo,
    page,
)
from benefit_programs.console.people import Person, people_of, person_at
from benefit_programs.console.picking import pick
from benefit_programs.console.visit import Fields, Visit
from benefit_programs.domain.errors import Invalid, InvalidItemReference
from benefit_programs.storage.query.spec import LIMIT_MAX_OF_ITEMS

ITEMS_SHOWN_MAX = 100
TEXT_LENGTH_MAX = 64
COUNT_DIGITS_MAX = 9

_NEVER = "9999"
"""Sorts behind every date."""


class Choice(NamedTuple):
    """A benefit that has the item, and why it can't pay now if it can't."""

    pool_id: str
    benefit_key: str
    pool: str
    benefit: str
    left: str
    price: str
    expiry: str | None
    refusal: str | None
    details: dict[str, Any]

    @property
    def value(self) -> str:
        return f"{self.pool_id} {self.benefit_key}"


@page(
    GET,
    "/redeem",
    roles=FRONT_DESK,
    template="redeem.html",
    menu=Menu(text=later("Redeem"), order=30, key="r"),
)
async def show(visit: Visit) -> Answer:
    if "item" not in visit.query:
        return await _items(visit)
    item = await _item(visit, visit.query["item"])
    picked = await pick(visit, "/redeem", item=item["id"])
    if isinstance(picked, Done):
        return picked
    if not isinstance(picked, Person):
        return {"item": item, "picker": picked}
    choices = await _choices(visit, item, picked)
    return {"item": item, "picker": None, "person": picked, "choices": choices}


@page(POST, "/redeem", roles=FRONT_DESK)
async def redeem(visit: Visit) -> Answer:
    form = visit.form
    item, person = await _item(visit, form["item"]), person_at(form)
    pool_id, _space, benefit_key = form["choice"].partition(" ")
    count = _count(form)
    request = {
        "poolId": pool_id,
        "benefitKey": benefit_key,
        "itemReference": _reference(item),
        "namespace": item["namespace"],
        "beneficiary": person.identity,
        "count": count,
        "targetDate": form.instant("date", visit.zone),
        "idempotencyKey": form["key"],
    }
    redeemed = await visit.call("redeemBenefit", request)
    said = await _said(visit, item, person, pool_id, count)
    fields = {"transaction": redeemed["transactionId"], "item": item["id"]}
    return Done(
        visit.at("/redeem", item=item["id"]), said, Undo(path="/redeem/undo", fields=fields)
    )


@page(POST, "/redeem/undo", roles=FRONT_DESK)
async def undo(visit: Visit) -> Answer:
    form = visit.form
    await visit.call(
        "cancelRedemption",
        {
            "transactionId": form["transaction"],
            "idempotencyKey": form["key"],
            "reason": _("Redeemed by mistake"),
        },
    )
    return Done(visit.at("/redeem", item=form["item"]), _("It was given back."))


async def _items(visit: Visit) -> Answer:
    """What can be redeemed, each item of a provider once, by name."""
    text = visit.query.get("find", "").strip()[:TEXT_LENGTH_MAX]
    found = [await _queried(visit, {})]
    if text:
        found.append(await _queried(visit, {"externalId": {"$startsWith": text}}))
    items: dict[tuple[str | None, ...], dict[str, Any]] = {}
    for each in (item for answer in found for item in answer.get("items", ())):
        if text.casefold() in f"{each.get('displayName', '')} {each['externalId']}".casefold():
            items.setdefault((each["namespace"], *_reference(each).values()), each)
    ordered = sorted(items.values(), key=lambda each: (_name_of(each).casefold(), each["id"]))
    return {
        "item": None,
        "text": text,
        "items": ordered[:ITEMS_SHOWN_MAX],
        "has_more": len(ordered) > ITEMS_SHOWN_MAX or found[0]["metadata"]["hasNext"],
    }


async def _queried(visit: Visit, filter_: dict[str, Any]) -> dict[str, Any]:
    paging = {"limit": LIMIT_MAX_OF_ITEMS}
    found: dict[str, Any] = await visit.call(
        "queryItems", {"query": {"filter": filter_, "cursorPaging": paging}}
    )
    return found


async def _item(visit: Visit, item_id: str) -> dict[str, Any]:
    found = await visit.call("getItem", {"itemId": item_id})
    return {**found["item"], "name": _name_of(found["item"])}


def _name_of(item: dict[str, Any]) -> str:
    return item.get("displayName") or item["externalId"]


def _reference(item: dict[str, Any]) -> dict[str, Any]:
    return {name: item.get(name) for name in ("externalId", "category", "providerAppId")}


def _count(form: Fields) -> int:
    text = form.get("count", "1")
    if not (text.isascii() and text.isdecimal() and len(text) <= COUNT_DIGITS_MAX):
        raise Invalid.because("count", _("must be a whole number"))
    return int(text)


async def _choices(visit: Visit, item: dict[str, Any], person: Person) -> list[Choice]:
    """What may pay, the one first that the service would take: whose credits expire soonest."""
    asked = {
        "namespace": item["namespace"],
        "itemReference": _reference(item),
        "count": 1,
        "beneficiary": person.identity,
        "poolSelector": {"poolStatuses": ["ACTIVE", "PAUSED"]},
    }
    try:
        checked, overview = await asyncio.gather(
            visit.call("checkBenefitEligibilityByFilter", asked),
            visit.call("getOverview", {"beneficiary": person.identity}),
        )
    except InvalidItemReference:  # nothing in the namespace has items of its provider any more
        return []
    expiries = {
        pool["id"]: (pool.get("nextExpiry") or {}).get("date")
        for program in overview.get("programs", ())
        for pool in program.get("pools", ())
    }
    results = (each for result in checked["results"] for each in result["benefitResults"])
    choices = [_choice(result, expiries) for result in results]
    return sorted(choices, key=lambda each: (each.refusal is not None, each.expiry or _NEVER))


def _choice(result: dict[str, Any], expiries: dict[str, str | None]) -> Choice:
    kind = result["type"]
    details = next(each for name, each in result.items() if name != "type")
    pool, benefit = details.get("poolInfo", {}), details.get("benefitInfo", {})
    return Choice(
        pool_id=details["poolId"],
        benefit_key=benefit.get("benefitKey", ""),
        pool=pool.get("displayName", ""),
        benefit=benefit.get("displayName") or benefit.get("benefitKey", ""),
        left=pool.get("balance", {}).get("available", "0"),
        price=benefit.get("price", "0"),
        expiry=expiries.get(details["poolId"]),
        refusal=None if kind == "ELIGIBLE_BENEFIT" else kind,
        details=details,
    )


async def _said(
    visit: Visit, item: dict[str, Any], person: Person, pool_id: str, count: int
) -> str:
    """What was done, and what is left."""
    (balance, named) = await asyncio.gather(
        visit.call("getBalance", {"poolId": pool_id}), people_of(visit, [person.identity])
    )
    values = {
        "name": named[-1].shown,
        "item": item["name"],
        "left": credits_text(balance["balance"]["amount"]["available"]),
    }
    if count == 1:
        return _("%(name)s: %(item)s. %(left)s left.", **values)
    return _("%(name)s: %(count)s times %(item)s. %(left)s left.", count=count, **values)
