"""Reading a store by keys, as many at once as there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol, TypeVar

from benefit_programs.domain.indexes import Index, Key
from benefit_programs.domain.rows import Row

R = TypeVar("R", bound=Row)


class Lookups(Protocol):
    async def look_up(self, tenant_id: int, index: Index[R], keys: Iterable[Key]) -> list[R]: ...


async def rows_of(
    store: Lookups, tenant_id: int, index: Index[R], keys: Collection[Key]
) -> list[R]:
    """The rows that an index has under these keys, of which there may be none."""
    return await store.look_up(tenant_id, index, keys) if keys else []
