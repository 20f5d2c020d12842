"""Takes requests and changes of agents from allowances that all processes of a database share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from benefit_programs.domain.allowances import REQUESTS
from benefit_programs.domain.store import StoreConflict
from benefit_programs.domain.values import Instant
from benefit_programs.storage.directory import ATTEMPTS_MAX, DirectoryStore

NANOSECONDS = 1_000_000_000
_NANOSECONDS_OF_ONE = 1_000_000
"""Those of a millisecond, in which instants are told."""

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


AGENT = "agent"

HOUR = 3_600_000
"""For how long a change counts, in milliseconds."""

_CHANGES = "select kind, full_at from allowances where tenant_id = $1 and kind > $2 and kind < $3"
_FORGET_CHANGES = (
    f"delete from allowances where tenant_id = $1 and kind > '{AGENT}/' and kind < '{AGENT}0'"
    " and full_at <= $2"
)
_TAKE_CHANGE = """
insert into allowances as a (tenant_id, kind, full_at) values ($1, $2, $3)
on conflict (tenant_id, kind) do update set full_at = excluded.full_at
where a.full_at <= $4 or a.full_at > $5
returning kind
"""
"""The tenant, a place, and three moments: until when it is taken then, until when its old change
has counted at most, and from when on its moment makes no sense.
"""


async def take_change(
    store: DirectoryStore, tenant_id: int, key_id: str, per_hour: int, *, now: Instant
) -> bool:
    """Count a change of a key's agents; whether there were fewer than so many within the hour.

    A key has so many places. A change takes one for an hour, so there are never more within any
    hour, in however many processes. Raises StoreUnavailable, StoreTimeout or StoreConflict.
    """
    begun, over = now * _NANOSECONDS_OF_ONE, (now + HOUR) * _NANOSECONDS_OF_ONE
    # Clocks of servers differ; one that was set back by more than an hour locks nobody out.
    senseless = over + HOUR * _NANOSECONDS_OF_ONE
    places = f"{AGENT}/{key_id}"
    await store.execute(_FORGET_CHANGES, (tenant_id, begun))
    for _ in range(ATTEMPTS_MAX):
        rows = await store.fetch_quick(_CHANGES, (tenant_id, f"{places}/", f"{places}0"))
        taken = {kind for kind, until in rows if begun < until <= senseless}
        free = (f"{places}/{number}" for number in range(per_hour))
        place = next((each for each in free if each not in taken), None)
        if place is None or len(taken) >= per_hour:
            return False
        moments = (over, begun, senseless)
        if await store.execute(_TAKE_CHANGE, (tenant_id, place, *moments)):
            return True
    raise StoreConflict("others kept counting changes")
