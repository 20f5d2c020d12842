"""Finds what a beneficiary has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from benefit_programs.domain.entities import beneficiary_columns
from benefit_programs.domain.values import Identity


class Fetches(Protocol):
    async def fetch(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]: ...


_PROGRAMS = {
    column: f"""
    select cast(id as text) from programs
    where tenant_id = $1 and {column} = $2 and id > $3 order by id limit $4
    """
    for column in ("anonymous_visitor_id", "member_id", "wix_user_id")
}
"""By the column of the identity, each of which has an index."""


async def programs_of(
    store: Fetches, tenant_id: int, identity: Identity, position: str, *, limit: int
) -> tuple[str, ...]:
    """The ids of a beneficiary's next programs after an id, also of those without pools."""
    columns = beneficiary_columns(identity)
    column = next(name for name, value in columns.items() if value is not None)
    found = await store.fetch(_PROGRAMS[column], (tenant_id, identity.id, position, limit))
    return tuple(row[0] for row in found)
