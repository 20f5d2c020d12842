"""Finds the items of a namespace that a filter names, for a job that deletes them in chunks.

Ids grow with time, so a walk from the oldest on ends at the newest item that was there as the job
was asked for, however many are created meanwhile.
"""

from __future__ import annotations

from typing import Any

from benefit_programs.domain.item_deletion import ItemSearch
from benefit_programs.domain.settings import IdMode
from benefit_programs.storage import item_specs
from benefit_programs.storage.query import Query
from benefit_programs.storage.reader import Reader

_METHOD = "bulkDeleteItemsByFilter"


class ItemFinder:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def newest(self, tenant_id: int, search: ItemSearch, *, ids: IdMode) -> str | None:
        """The newest item that the filter finds. Raises Invalid for a filter that can't be read."""
        found = await self._find(tenant_id, search, {}, ("id", "DESC"), limit=1, ids=ids)
        return found[0] if found else None

    async def after(
        self, tenant_id: int, search: ItemSearch, position: str, *, limit: int, ids: IdMode
    ) -> tuple[str, ...]:
        """The next items after an id, the oldest first, up to the search's end."""
        bounds = {"$gt": position, "$lte": search.until}
        return await self._find(tenant_id, search, bounds, ("id", "ASC"), limit=limit, ids=ids)

    async def _find(
        self,
        tenant_id: int,
        search: ItemSearch,
        bounds: dict[str, Any],
        order: tuple[str, str],
        *,
        limit: int,
        ids: IdMode,
    ) -> tuple[str, ...]:
        row_filter = {"namespace": search.namespace, **({"id": bounds} if bounds else {})}
        spec = item_specs.item_ids(self._reader.dialect, _METHOD)
        query = Query(filter=search.filter, sort=(order,), limit=limit, path="")
        found = await self._reader.page(tenant_id, spec, query, ids=ids, row_filter=row_filter)
        return tuple(row[0] for row in found.rows)
