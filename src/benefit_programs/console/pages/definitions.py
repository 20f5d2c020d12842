"""Definitions of packs: what they give, at which prices, and changes that reach packs or don't."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import Any

from benefit_programs.console.definition_files import definitions_file
from benefit_programs.console.details import bare, name_of, rules_of, terms
from benefit_programs.console.languages import gettext as _
from benefit_programs.console.languages import later
from benefit_programs.console.page import (
    BACK_OFFICE,
    EVERYBODY,
    GET,
    MANAGERS,
    POST,
    Answer,
    Done,
    File,
    Menu,
    Undo,
    page,
)
from benefit_programs.console.queries import query
from benefit_programs.console.visit import Visit, segment
from benefit_programs.domain.errors import Invalid, ItemNotFound, ViolatedRule

DEFINITIONS = 50
ITEMS_SHOWN = 20
PACKS_COUNTED = 100
"""Up to how many packs are counted that a change reaches."""


@page(
    GET,
    "/definitions",
    roles=BACK_OFFICE,
    template="definitions.html",
    menu=Menu(text=later("Definitions"), order=70, key="d"),
)
async def show_all(visit: Visit) -> Answer:
    found = await query(
        visit, "queryPoolDefinitions", {}, limit=DEFINITIONS, cursor=visit.query.get("cursor")
    )
    definitions = found["poolDefinitions"]
    return {
        "definitions": definitions,
        "namespaces": sorted({each["namespace"] for each in definitions}),
        "metadata": found["metadata"],
        "name_of": name_of,
    }


@page(GET, "/definitions/export/{namespace}", roles=BACK_OFFICE)
async def export(visit: Visit) -> Answer:
    """A namespace as the file of `benefits apply`."""
    namespace = visit.path["namespace"]
    name = re.sub(r"[^A-Za-z0-9._-]", "_", namespace)
    body = await definitions_file(visit, namespace)
    return File(body, "application/json", f"{name}.json")


@page(GET, "/definitions/{id}", roles=EVERYBODY, template="definition.html")
async def show(visit: Visit) -> Answer:
    definition = await _get(visit)
    details = definition["details"]
    benefits = details.get("benefits", [])
    own = {"poolDefinitionId": definition["id"]}
    items, packs, waiting = await asyncio.gather(
        asyncio.gather(*(_items(visit, each) for each in benefits)),
        # Without a filter by status, which would look at all that have ended.
        query(visit, "queryPools", own, limit=PACKS_COUNTED),
        query(
            visit,
            "queryScheduledChanges",
            {**own, "status": "WAITING"},
            limit=PACKS_COUNTED,
        ),
    )
    return {
        "definition": definition,
        "details": details,
        # The form of those who may change it has the credits already.
        "terms": list(terms(details))[visit.may(change) :],
        "rules": rules_of(details),
        "benefits": [
            {"benefit": each, "name": name_of(each), "rules": rules_of(each), "items": some}
            for each, some in zip(benefits, items, strict=True)
        ],
        "packs": sum(each["status"] != "ENDED" for each in packs["pools"]),
        "counted": PACKS_COUNTED,
        "has_more_packs": packs["metadata"]["hasNext"],
        "waiting": waiting["scheduledChanges"],
        "may_change": visit.may(change),
        "sees_all": visit.may(show_all),
    }


@page(POST, "/definitions/{id}", roles=MANAGERS)
async def change(visit: Visit) -> Answer:
    """Change name, credits and prices; the fields that a form leaves out stay."""
    definition, form = await _get(visit), visit.form
    before, changed = _fields(definition), {}
    for name in before:
        if name in form:
            changed[name] = form[name].strip() if name == "name" else form.amount(name)
    details = _with_amounts(definition["details"], changed)
    request: dict[str, Any] = {"id": definition["id"], "revision": form["revision"]}
    if details != definition["details"]:
        request["details"] = bare(details)
    if changed.get("name", before["name"]) != before["name"]:
        request["displayName"] = changed["name"]
    path = f"/definitions/{segment(definition['id'])}"
    if len(request) == 2:  # noqa: PLR2004 - id and revision alone
        return Done(path, _("Nothing was changed."))
    cascade = form["cascade"]
    answer = await visit.call(
        "updatePoolDefinition", {"poolDefinition": request, "cascade": cascade}
    )
    revision = str(answer["poolDefinition"]["revision"])
    fields = {name: text for name, text in before.items() if name in changed}
    undo = Undo(path=path, fields={**fields, "revision": revision, "cascade": cascade})
    return Done(path, _(_SAID.get(cascade, _SAID["FUTURE_PROVISIONS"])), undo)


_SAID = {
    "IMMEDIATELY": later("Changed, for existing packs too."),
    "NEXT_RENEWAL": later("Changed. Existing packs follow at their next renewal."),
    "FUTURE_PROVISIONS": later("Changed for packs to come."),
}


@page(POST, "/definitions/{id}/items", roles=MANAGERS)
async def add_item(visit: Visit) -> Answer:
    definition = await _get(visit)
    benefit = _benefit(definition, visit.form["benefit"])
    external_id = visit.form["item"].strip()
    new = {
        "externalId": external_id,
        "itemSetId": benefit["itemSetId"],
        "providerAppId": benefit["providerAppId"],
        "namespace": definition["namespace"],
        **{
            name: text
            for name in ("displayName", "category")
            if (text := visit.form.get(name, "").strip())
        },
    }
    item = (await visit.call("createItem", {"item": new}))["item"]
    path = f"/definitions/{segment(definition['id'])}"
    undo = Undo(
        path=f"{path}/items/remove", fields={"benefit": visit.form["benefit"], **_sent(item)}
    )
    return Done(path, _("Added %(item)s.", item=external_id), undo)


@page(POST, "/definitions/{id}/items/remove", roles=MANAGERS)
async def remove_item(visit: Visit) -> Answer:
    form = visit.form
    with suppress(ItemNotFound):  # a form that is sent twice finds it gone
        await visit.call("deleteItem", {"itemId": form["id"]})
    path = f"/definitions/{segment(visit.path['id'])}"
    names = ("benefit", "item", "displayName", "category")
    undo = Undo(path=f"{path}/items", fields={name: form.get(name, "") for name in names})
    return Done(path, _("Removed %(item)s.", item=form["item"]), undo)


async def _get(visit: Visit) -> dict[str, Any]:
    answer = await visit.call("getPoolDefinition", {"poolDefinitionId": visit.path["id"]})
    definition: dict[str, Any] = answer["poolDefinition"]
    return definition


async def _items(visit: Visit, benefit: dict[str, Any]) -> list[dict[str, Any]]:
    """The first items of a benefit, and one more if there are more than are shown."""
    filter_ = {"itemSetId": benefit["itemSetId"]}
    items: list[dict[str, Any]] = (
        await query(visit, "queryItems", filter_, limit=ITEMS_SHOWN + 1)
    )["items"]
    return items


def _sent(item: dict[str, Any]) -> dict[str, str]:
    return {
        "id": item["id"],
        "item": item["externalId"],
        "displayName": item.get("displayName", ""),
        "category": item.get("category", ""),
    }


def _benefit(definition: dict[str, Any], key: str) -> dict[str, Any]:
    benefits: list[dict[str, Any]] = definition["details"].get("benefits", [])
    for each in benefits:
        if each["benefitKey"] == key:
            return each
    raise Invalid.because("benefit", "is none of this definition", ViolatedRule.VALIDATION)


def _fields(definition: dict[str, Any]) -> dict[str, str]:
    """What the form can change, by the names of its fields."""
    details = definition["details"]
    configuration = details.get("creditConfiguration")
    credits_ = {"amount": configuration.get("amount", "0")} if configuration else {}
    prices = {
        f"price-{each['benefitKey']}": each.get("price", "0")
        for each in details.get("benefits", ())
    }
    return {"name": definition.get("displayName", ""), **credits_, **prices}


def _with_amounts(details: dict[str, Any], changed: dict[str, str]) -> dict[str, Any]:
    """Details with the credits and prices of a form; what it leaves as it was stays the same."""
    after = dict(details)
    if "amount" in changed and changed["amount"] != details["creditConfiguration"].get("amount"):
        after["creditConfiguration"] = {
            **details["creditConfiguration"],
            "amount": changed["amount"],
        }
    after["benefits"] = [
        each
        if (price := changed.get(f"price-{each['benefitKey']}", each.get("price", "0")))
        == each.get("price", "0")
        else {**each, "price": price}
        for each in details.get("benefits", ())
    ]
    return after
