"""What servers of 0.2.0 leave behind that go on beside servers of a newer version.

They count rate limits by the instants at which periods begin, and newer ones by dates (revision
0002). A migration puts in order what they wrote before it. What they write after it is put in order
here, once the last of them has stopped: until then a limit counts both apart.

Only PostgreSQL has several servers, so only there anything is left behind.
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import Any

import msgspec

from benefit_programs.storage import postgres
from benefit_programs.storage.connecting import connect
from benefit_programs.storage.migrations.functions import nearest_date

LAST_DATE = 2_932_896
"""The last day of the year 9999, in days since 1970: what is beyond is an instant."""

POOLS_AT_ONCE = 100
"""So many pools are locked together."""

_IS_LEFT = f"is_rolling is null and period_start > {LAST_DATE}"

HAS_LEFTOVERS = f"select exists (select 1 from quotas where {_IS_LEFT})"

_TENANTS = f"""
select t.id, coalesce(t.settings->>'time_zone', 'UTC') from tenants t
where t.id in (select tenant_id from quotas where {_IS_LEFT}) order by t.id
"""
_LOCK_POOLS = f"""
select p.id from pools p where p.tenant_id = $1 and p.id in (
    select q.pool_id from quotas q where q.tenant_id = $1 and q.{_IS_LEFT}
    order by q.pool_id limit {POOLS_AT_ONCE}
) order by p.id for update
"""
_TAKE = f"""
delete from quotas where tenant_id = $1 and pool_id = any($2::uuid[]) and {_IS_LEFT}
returning pool_id, quota_id, period_start, used
"""
_ADD = """
insert into quotas (tenant_id, pool_id, quota_id, period_start, used) values ($1, $2, $3, $4, $5)
on conflict (tenant_id, pool_id, quota_id, period_start)
do update set used = quotas.used + excluded.used
"""
_SHARES = """
select id, details from transactions
where tenant_id = $1 and pool_id = any($2::uuid[]) and operation in ('REDEEM', 'REALLOCATE')
and details->'quota_shares' is not null
"""
_CORRECT = "update transactions set details = $3 where tenant_id = $1 and id = $2"


async def settle_leftovers(url: str) -> int:
    """Count by dates what old servers counted by instants; how many counts that were.

    Takes a database with the newest schema, whose servers may be at work. Raises StoreUnavailable,
    StoreTimeout or StoreConflict; whoever runs it again continues.
    """
    settled = 0
    with postgres.translated_errors():
        connection = await connect(url)
        try:
            for tenant_id, zone in await connection.fetch(_TENANTS):
                date_of = partial(nearest_date, zone=zone)
                while moved := await _settle_pools(connection, tenant_id, date_of):
                    settled += moved
        finally:
            await connection.close()
    return settled


async def _settle_pools(connection: Any, tenant_id: int, date_of: Any) -> int:
    async with connection.transaction():
        pools = [pool_id for (pool_id,) in await connection.fetch(_LOCK_POOLS, tenant_id)]
        left = await connection.fetch(_TAKE, tenant_id, pools)
        used: dict[tuple[Any, Any, int], int] = defaultdict(int)
        for pool_id, quota_id, start, number in left:
            used[pool_id, quota_id, date_of(start)] += number
        await connection.executemany(
            _ADD, [(tenant_id, *place, number) for place, number in sorted(used.items())]
        )
        rows = await connection.fetch(_SHARES, tenant_id, pools)
        corrected = [(tenant_id, row_id, _by_dates(details, date_of)) for row_id, details in rows]
        await connection.executemany(_CORRECT, corrected)
    return len(left)


def _by_dates(details: str, date_of: Any) -> str:
    document: dict[str, Any] = msgspec.json.decode(details)
    for share in document["quota_shares"]:
        if share["period_start"] > LAST_DATE and not share.get("is_rolling"):
            share["period_start"] = date_of(share["period_start"])
    return msgspec.json.encode(document).decode()
