"""Items as buttons name them: the reference that methods take, with the namespace and a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from benefit_programs.console.visit import Visit
from benefit_programs.domain.errors import Invalid, ViolatedRule

ITEMS_MAX = 1_000
"""How many items of somebody's packs a page looks at."""

UNPAID_MAX = 200
"""How many items that no pack of somebody's holds a page looks at."""


class _Written(msgspec.Struct, forbid_unknown_fields=True):
    """An item as the value of a button."""

    id: str
    app: str
    space: str
    category: str | None = None
    pool: str | None = None
    benefit: str | None = None


@dataclass(frozen=True, order=True)
class Item:
    """An item, in the order of names."""

    name: str
    external_id: str
    provider_app_id: str
    namespace: str
    category: str = ""
    payer: tuple[str, str] | None = None
    """The pack that is to pay and its benefit, if somebody has chosen."""

    @property
    def reference(self) -> dict[str, str]:
        """The item as methods take it."""
        named = {"externalId": self.external_id, "providerAppId": self.provider_app_id}
        return named | ({"category": self.category} if self.category else {})

    @property
    def value(self) -> str:
        """The item as the value of a field of a form."""
        written = _Written(
            self.external_id,
            self.provider_app_id,
            self.namespace,
            self.category or None,
            *(self.payer or ()),
        )
        return msgspec.json.encode(written).decode()

    def fits(self, text: str) -> bool:
        """Whether a text is part of the name or the id."""
        return text.casefold() in f"{self.name}\n{self.external_id}".casefold()


def read_item(text: str) -> Item:
    """An item from the value of a button. Raises Invalid."""
    try:
        written = msgspec.json.decode(text, type=_Written)
    except msgspec.MsgspecError:
        raise Invalid.because("item", "must be chosen", ViolatedRule.FORMAT) from None
    payer = (written.pool, written.benefit) if written.pool and written.benefit else None
    category = written.category or ""
    return Item(written.id, written.id, written.app, written.space, category, payer)


def item_of(row: Mapping[str, Any], name: str | None, namespace: str) -> Item:
    """The item of a row on the wire; its id stands for a name that it lacks."""
    return Item(
        name or row["externalId"],
        row["externalId"],
        row["providerAppId"],
        namespace,
        row.get("category") or "",
    )


async def items_of_pools(visit: Visit, pool_ids: list[str]) -> dict[Item, list[dict[str, Any]]]:
    """The items that packs pay for, each with the rows of the packs and benefits that do."""
    if not pool_ids:
        return {}
    answer = await visit.call(
        "queryPoolItems",
        {
            "query": {
                "filter": {"poolId": {"$in": pool_ids}},
                "cursorPaging": {"limit": ITEMS_MAX},
            },
            "fields": ["ITEM", "BENEFIT"],
        },
    )
    found: dict[Item, list[dict[str, Any]]] = {}
    for row in answer.get("poolItems", ()):
        item = item_of(row, (row.get("itemInfo") or {}).get("displayName"), row["namespace"])
        found.setdefault(item, []).append(row)
    return dict(sorted(found.items()))


async def items_of_namespaces(visit: Visit, namespaces: list[str]) -> list[Item]:
    """Some of all items there are, each once."""
    if not namespaces:
        return []
    query = {
        "filter": {"namespace": {"$in": namespaces}},
        "cursorPaging": {"limit": UNPAID_MAX},
    }
    answer = await visit.call("queryItems", {"query": query})
    return sorted(
        {item_of(row, row.get("displayName"), row["namespace"]) for row in answer.get("items", ())}
    )
