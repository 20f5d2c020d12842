"""The packs that rows of other methods name only by their ids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from benefit_programs.console.visit import Visit
from benefit_programs.storage.query.spec import LIMIT_MAX


async def pools_of(visit: Visit, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Packs by their ids."""
    wanted = sorted(set(ids))
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(wanted), LIMIT_MAX):
        some = wanted[start : start + LIMIT_MAX]
        query = {"filter": {"id": {"$in": some}}, "cursorPaging": {"limit": LIMIT_MAX}}
        answer = await visit.call("queryPools", {"query": query})
        found |= {each["id"]: each for each in answer["pools"]}
    return found


async def with_pools(visit: Visit, lots: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lots of packs that haven't ended, each with the name of its own or of its pack."""
    pools = await pools_of(visit, (each["poolId"] for each in lots))
    return [
        {"displayName": pools[each["poolId"]].get("displayName", ""), **each}
        for each in lots
        if pools[each["poolId"]]["status"] != "ENDED"
    ]
