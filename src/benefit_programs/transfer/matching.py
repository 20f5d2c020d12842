"""Rows of another tenant: its definitions have other ids here, and the same names.

Program definitions go by namespace and external id. Pool definitions go by namespace and the key
that a file of definitions has given them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from benefit_programs.transfer.files import Line
from benefit_programs.transfer.lookups import (
    WALK_POOL_DEFINITIONS,
    WALK_PROGRAM_DEFINITIONS,
    Lookups,
    walk,
)

Name = tuple[str, str, str]

KEY_NAMESPACE = "benefits-file"
"""Extended fields of this namespace keep the key of a pool definition, which has no other name."""


async def matching_ids(store: Lookups, source: int, target: int) -> dict[str, str]:
    """The ids that definitions of one tenant have in another one; without those that it lacks."""
    names = await _names(store, source)
    ids = {name: each for each, name in (await _names(store, target)).items()}
    return {each: ids[name] for each, name in names.items() if name in ids}


def with_ids(lines: Iterable[Line], ids: Mapping[str, str]) -> Iterator[Line]:
    """The rows of a file with other ids of definitions; those that aren't known stay."""
    for line in lines:
        yield replace(line, document=_renamed(line.document, ids))


def _renamed(document: dict[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    found = dict(document)
    for name in ("programDefinitionId", "poolDefinitionId"):
        if isinstance(value := found.get(name), str):
            found[name] = ids.get(value, value)
    for name in ("balances", "lots"):
        if isinstance(stated := found.get(name), list):
            found[name] = [
                _renamed(each, ids) if isinstance(each, dict) else each for each in stated
            ]
    return found


async def _names(store: Lookups, tenant_id: int) -> dict[str, Name]:
    """The names of a tenant's definitions, by their ids; pool definitions may have none."""
    names = {
        row.id: ("program", row.namespace, row.external_id)
        async for row in walk(store, tenant_id, WALK_PROGRAM_DEFINITIONS)
    }
    async for row in walk(store, tenant_id, WALK_POOL_DEFINITIONS):
        key = (row.extended_fields or {}).get(KEY_NAMESPACE, {}).get("key")
        if isinstance(key, str):
            names[row.id] = ("pool", row.namespace, key)
    return names
