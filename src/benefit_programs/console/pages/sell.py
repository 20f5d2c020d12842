"""Sell: a definition, a person, and the number of the order."""

from __future__ import annotations

from benefit_programs.console.languages import gettext as _
from benefit_programs.console.languages import later
from benefit_programs.console.offers import all_offers, offer_of
from benefit_programs.console.page import FRONT_DESK, GET, POST, Answer, Done, Menu, Undo, page
from benefit_programs.console.people import Person, person_at
from benefit_programs.console.picking import pick
from benefit_programs.console.visit import Visit

NAME_LENGTH_MAX = 64
"""How long the name of a program may be; that of a pool definition may be longer."""


@page(
    GET,
    "/sell",
    roles=FRONT_DESK,
    template="sell.html",
    menu=Menu(text=later("Sell"), order=60, key="s"),
)
async def show(visit: Visit) -> Answer:
    if "offer" not in visit.query:
        given = {name: visit.query[name] for name in ("kind", "id") if name in visit.query}
        return {"offer": None, "offers": await all_offers(visit), "given": given}
    offer = await offer_of(visit, visit.query["offer"])
    picked = await pick(visit, "/sell", offer=offer.id)
    if isinstance(picked, Done):
        return picked
    if not isinstance(picked, Person):
        return {"offer": offer, "picker": picked}
    return {"offer": offer, "picker": None, "person": picked}


@page(POST, "/sell", roles=FRONT_DESK)
async def sell(visit: Visit) -> Answer:
    form = visit.form
    offer, person = await offer_of(visit, form["offer"]), person_at(form)
    sold = await visit.call(
        "provisionProgram",
        {
            "poolDefinitionLookupId": {offer.field: offer.id},
            "beneficiary": person.identity,
            "namespace": offer.definition["namespace"],
            # Without an order the form's own key is one: sent twice, it is sold once.
            "externalProgramId": form.get("order", "").strip() or form["key"],
            "displayName": offer.definition.get("displayName", "")[:NAME_LENGTH_MAX] or None,
        },
    )
    undo = Undo(path="/sell/undo", fields={"program": sold["program"]["id"], **person.parameters})
    return Done(person.path, _("%(offer)s was sold.", offer=offer.name), undo)


@page(POST, "/sell/undo", roles=FRONT_DESK)
async def undo(visit: Visit) -> Answer:
    form = visit.form
    await visit.call("endProgram", {"programId": form["program"], "reason": _("Sold by mistake")})
    return Done(person_at(form).path, _("The sale was taken back."))
