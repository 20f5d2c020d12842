"""What can be sold: program definitions, and pool definitions that belong to none."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from benefit_programs.api.errors import NotFoundRoute
from benefit_programs.console.visit import Visit
from benefit_programs.storage.query.spec import LIMIT_MAX

OFFERS_MAX = LIMIT_MAX
"""How many definitions of each kind are offered, the newest."""


class Offer(NamedTuple):
    """Something to sell, with the packs that it gives."""

    field: str
    definition: dict[str, Any]
    packs: list[dict[str, Any]]

    @property
    def id(self) -> str:
        return str(self.definition["id"])

    @property
    def name(self) -> str:
        return str(
            self.definition.get("displayName") or self.definition.get("externalId") or self.id
        )


async def all_offers(visit: Visit) -> list[Offer]:
    """All offers by name. One that gives nothing yet can't be sold, and is left out."""
    query = {"query": {"cursorPaging": {"limit": OFFERS_MAX}}}
    definitions, packs = await asyncio.gather(
        visit.call("queryProgramDefinitions", query), visit.call("queryPoolDefinitions", query)
    )
    by_definition: dict[str, list[dict[str, Any]]] = {}
    offers = []
    for pack in packs.get("poolDefinitions", ()):
        for definition_id in pack.get("programDefinitionIds", ()):
            by_definition.setdefault(definition_id, []).append(pack)
        if not pack.get("programDefinitionIds"):
            offers.append(Offer("poolDefinitionId", pack, [pack]))
    offers += [
        Offer("programDefinitionId", each, by_definition[each["id"]])
        for each in definitions.get("programDefinitions", ())
        if each["id"] in by_definition
    ]
    return sorted(offers, key=lambda each: (each.name.casefold(), each.id))


async def offer_of(visit: Visit, definition_id: str) -> Offer:
    """One of them. Raises NotFoundRoute for anything else."""
    for each in await all_offers(visit):
        if each.id == definition_id:
            return each
    raise NotFoundRoute
