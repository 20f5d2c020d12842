"""What a database holds, in numbers: by these a copy is recognised as one of today."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from benefit_programs.domain.values import Instant

COUNTED = (
    "program_definitions",
    "pool_definitions",
    "items",
    "programs",
    "pools",
    "transactions",
    "events",
)
"""The tables whose rows are counted."""

Statement = tuple[str, Sequence[Any]]


class CountableStore(Protocol):
    async def fetch_together(self, statements: Sequence[Statement]) -> list[list[tuple[Any, ...]]]:
        """The rows of several reads, which see the same commits, however long they take."""
        ...


class Newest(msgspec.Struct, frozen=True):
    """A transaction that no other one is newer than."""

    id: str
    created: Instant


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows each counted table has, and the newest transaction, if there is any."""

    rows: dict[str, int]
    newest: Newest | None


async def read_contents(store: CountableStore, tenant_ids: Sequence[int]) -> Contents:
    """Count what some tenants have at one moment."""
    statements: list[Statement] = []
    for tenant_id in tenant_ids:
        statements += [(_COUNT.format(table=each), (tenant_id,)) for each in COUNTED]
        statements.append((_NEWEST, (tenant_id,)))
    found = await store.fetch_together(statements)
    width = len(COUNTED) + 1
    tenants = [found[start : start + width] for start in range(0, len(found), width)]
    counts = {
        name: sum(tenant[place][0][0] for tenant in tenants) for place, name in enumerate(COUNTED)
    }
    newest = [Newest(row_id, created) for tenant in tenants for row_id, created in tenant[-1]]
    return Contents(rows=counts, newest=max(newest, key=lambda each: each.id, default=None))


_COUNT = "select count(*) from {table} where tenant_id = $1"
_NEWEST = """
select cast(id as text), created from transactions where tenant_id = $1 order by id desc limit 1
"""
