"""Use: what somebody can use or book, by which pack, and if not, why."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from benefit_programs.console.items import (
    Item,
    items_of_namespaces,
    items_of_pools,
    read_item,
)
from benefit_programs.console.languages import gettext as _
from benefit_programs.console.page import FRONT_DESK, GET, POST, Answer, Done, page
from benefit_programs.console.pages.entry import COUNT_DIGITS_MAX, give_back_of
from benefit_programs.console.pages.packs import reason_of
from benefit_programs.console.people import person_at, person_of
from benefit_programs.console.repeats import once
from benefit_programs.console.verdicts import ELIGIBLE, verdict_words
from benefit_programs.console.visit import Fields, Visit
from benefit_programs.domain.errors import Invalid, ViolatedRule

ITEMS_SHOWN_MAX = 30
QUESTIONS_MAX = 100
"""How many packs with items are judged at once."""


class Verdict(NamedTuple):
    """What one pack says of an item."""

    pool: Mapping[str, Any]
    item: Item
    """The item, to be paid by the pack."""

    can_pay: bool
    words: str


class Judged(NamedTuple):
    """An item, and what each pack that holds it says."""

    item: Item
    verdicts: list[Verdict]

    @property
    def can_be_used(self) -> bool:
        return any(each.can_pay for each in self.verdicts)

    @property
    def has_choice(self) -> bool:
        """Whether more than one pack can pay."""
        return len([each for each in self.verdicts if each.can_pay]) > 1


@page(GET, "/people/{kind}/{id}/use", roles=FRONT_DESK, template="use.html")
async def show(visit: Visit) -> Answer:
    person = await person_of(visit)
    overview = await visit.call("getOverview", {"beneficiary": person.identity})
    pools = {
        pool["id"]: pool
        for program in overview.get("programs", ())
        for pool in program.get("pools", ())
    }
    namespaces = sorted({program["namespace"] for program in overview.get("programs", ())})
    text = visit.query.get("q", "").strip()
    held, others = await asyncio.gather(
        items_of_pools(visit, list(pools)), items_of_namespaces(visit, namespaces)
    )
    wanted = [item for item in held if item.fits(text)]
    shown = dict(list(_within({item: held[item] for item in wanted[:ITEMS_SHOWN_MAX]})))
    unpaid = [item for item in others if item not in held and item.fits(text)]
    judged = await _judged(visit, shown, pools)
    judged += [Judged(item, []) for item in unpaid[: ITEMS_SHOWN_MAX - len(judged)]]
    return {
        "person": person,
        "has_packs": bool(pools),
        "text": text,
        "count": visit.query.get("count", "") or "1",
        "on": visit.query.get("on", ""),
        "judged": sorted(judged, key=lambda each: not each.can_be_used),
        "has_more": len(judged) < len(wanted) + len(unpaid),
    }


def _within(
    items: Mapping[Item, list[dict[str, Any]]],
) -> Iterator[tuple[Item, list[dict[str, Any]]]]:
    """As many items as can be judged at once."""
    questions = 0
    for item, rows in items.items():
        questions += len(rows)
        if questions > QUESTIONS_MAX:
            return
        yield item, rows


async def _judged(
    visit: Visit,
    items: Mapping[Item, list[dict[str, Any]]],
    pools: Mapping[str, Mapping[str, Any]],
) -> list[Judged]:
    """What the packs say of items: for the places and the date that are asked for."""
    asked = _asked(visit, visit.query)
    by_namespace: dict[str, list[Item]] = {}
    for item in items:
        by_namespace.setdefault(item.namespace, []).append(item)
    answers = await asyncio.gather(
        *(
            visit.call(
                "bulkCheckBenefitEligibility",
                {
                    "benefitSelectors": list(_questions(some, items, asked)),
                    "namespace": namespace,
                },
            )
            for namespace, some in by_namespace.items()
        )
    )
    results = iter([each for answer in answers for each in answer.get("results", ())])
    return [
        Judged(
            item,
            [
                _verdict(
                    next(results),
                    pools[row["poolId"]],
                    replace(item, payer=(row["poolId"], row["benefitKey"])),
                    asked["count"],
                )
                for row in items[item]
            ],
        )
        for some in by_namespace.values()
        for item in some
    ]


def _questions(
    some: Iterable[Item], rows: Mapping[Item, list[dict[str, Any]]], asked: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    for item in some:
        for row in rows[item]:
            yield {
                "poolId": row["poolId"],
                "benefitKey": row["benefitKey"],
                "itemReference": item.reference,
                **asked,
            }


def _verdict(answer: Mapping[str, Any], pool: Mapping[str, Any], item: Item, count: int) -> Verdict:
    """What a pack says, by the API's answer to the question about it."""
    result = answer["result"]["benefitResults"][0]
    return Verdict(pool, item, result["type"] == ELIGIBLE, verdict_words(result, count))


def _asked(visit: Visit, fields: Fields) -> dict[str, Any]:
    """For how many places, and for when, as a part of a request."""
    count = fields.get("count", "").strip() or "1"
    if not count.isdecimal() or len(count) > COUNT_DIGITS_MAX:
        raise Invalid.because("count", _("must be a whole number"), ViolatedRule.FORMAT)
    date = fields.get("instant") or fields.instant("on", visit.zone)
    return {"count": int(count)} | ({"targetDate": date} if date else {})


@page(POST, "/people/{kind}/{id}/use", roles=FRONT_DESK)
async def use(visit: Visit) -> Answer:
    """Redeem an item: from the pack that the form names, else from whichever pays."""
    person, item = person_at(visit.path), read_item(visit.form["item"])
    request = {
        "itemReference": item.reference,
        "namespace": item.namespace,
        "beneficiary": person.identity,
        **_asked(visit, visit.form),
        **reason_of(visit),
    }
    if reference := visit.form.get("reference", "").strip():
        request["externalReference"] = reference
    if item.payer:
        pool_id, benefit_key = item.payer
        more = {"poolId": pool_id, "benefitKey": benefit_key}
        paid = {**await once(visit, "redeemBenefit", request | more), "poolId": pool_id}
    else:
        answer = await once(visit, "redeemEligible", request)
        paid = answer["redemptions"][0]
    pool = (await visit.call("getPool", {"poolId": paid["poolId"]}))["pool"]
    said = _("Redeemed; “%(pack)s” pays.", pack=pool.get("displayName") or _("Pack"))
    return Done(person.path, said, give_back_of(person, paid["transactionId"]))
