"""Takes requests from the allowance that all processes of a PostgreSQL database share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from benefit_programs.domain.allowances import REQUESTS

NANOSECONDS = 1_000_000_000

TAKE_REQUESTS = f"""
insert into allowances as a (tenant_id, kind, full_at)
values ($1, '{REQUESTS}', (extract(epoch from clock_timestamp()) * {NANOSECONDS})::bigint + $2)
on conflict (tenant_id, kind) do update
set full_at = case when a.full_at > excluded.full_at + $4 then excluded.full_at
    else greatest(a.full_at + $2, excluded.full_at) end
where a.full_at <= excluded.full_at + $3 or a.full_at > excluded.full_at + $4
returning a.kind
"""
"""The tenant, and three spans of time: what the requests cost, and, from now plus that cost on,
until when the bucket must be full for them to be there, and from when on its moment makes no sense.

There is a row if they were taken. Only the database's own clock is asked. Where somebody has set
it back by more than a bucket, the bucket begins anew.
"""


class Executing(Protocol):
    async def execute(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]: ...


async def take_requests(
    store: Executing, tenant_id: int, *, size: int, per_second: int, burst: int
) -> bool:
    """Take all of so many requests or none; whether the allowance had them.

    ``size`` is at most ``burst``. Raises StoreUnavailable, StoreTimeout or StoreConflict.
    """
    cost, whole = size * NANOSECONDS // per_second, burst * NANOSECONDS // per_second
    spans = (cost, whole - 2 * cost, 2 * whole - cost)
    return bool(await store.execute(TAKE_REQUESTS, (tenant_id, *spans)))
