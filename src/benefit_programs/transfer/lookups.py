"""Reading a store by keys, as many at once as there are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable
from typing import Protocol, TypeVar

from benefit_programs.domain.entities import Pool, PoolDefinition, Program, ProgramDefinition
from benefit_programs.domain.indexes import Index, Key
from benefit_programs.domain.lookups import BEFORE_ALL_IDS
from benefit_programs.domain.rows import Row

R = TypeVar("R", bound=Row)

PAGE_SIZE = 200
"""How many rows are read together."""

PAGES_MAX = 10_000_000

WALK_PROGRAM_DEFINITIONS = Index(ProgramDefinition, after="id", limit=PAGE_SIZE)
WALK_POOL_DEFINITIONS = Index(PoolDefinition, after="id", limit=PAGE_SIZE)


class Lookups(Protocol):
    async def look_up(self, tenant_id: int, index: Index[R], keys: Iterable[Key]) -> list[R]: ...


async def rows_of(
    store: Lookups, tenant_id: int, index: Index[R], keys: Collection[Key]
) -> list[R]:
    """The rows that an index has under these keys, of which there may be none."""
    return await store.look_up(tenant_id, index, keys) if keys else []


async def pools_of(
    store: Lookups, tenant_id: int, index: Index[Pool], programs: Iterable[Program]
) -> dict[str, list[Pool]]:
    """The pools that an index by program has, by the ids of their programs."""
    found: dict[str, list[Pool]] = {}
    keys = [(program.id,) for program in programs]
    for pool in await rows_of(store, tenant_id, index, keys):
        found.setdefault(pool.program_id, []).append(pool)
    return found


async def walk(store: Lookups, tenant_id: int, index: Index[R]) -> AsyncIterator[R]:
    """All rows of a tenant in the order of their ids."""
    async for page in pages(store, tenant_id, index):
        for row in page:
            yield row


async def pages(store: Lookups, tenant_id: int, index: Index[R]) -> AsyncIterator[list[R]]:
    """All rows of a tenant, page by page in the order of their ids."""
    after = BEFORE_ALL_IDS
    for _ in range(PAGES_MAX):
        found = await rows_of(store, tenant_id, index, [(after,)])
        if not found:
            return
        yield found
        after = found[-1].id  # type: ignore[attr-defined]
