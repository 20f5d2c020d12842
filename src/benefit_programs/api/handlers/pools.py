"""The methods that read and update pools."""

from __future__ import annotations

from typing import Any

from benefit_programs.api.call import Call, bulk_answer, execute_each, updates_of
from benefit_programs.api.explanations import Names
from benefit_programs.api.method import GET, MANAGE, PATCH, POST, READ_LIMITED, method
from benefit_programs.domain.entities import Pool
from benefit_programs.domain.errors import InvalidRevision, PoolNotFound
from benefit_programs.domain.lookups import POOL
from benefit_programs.domain.pools import UpdatePool
from benefit_programs.storage import specs
from benefit_programs.wire import views
from benefit_programs.wire.types import pools as wire


@method(
    "getPool",
    GET,
    "/benefit-programs/v1/pools/{poolId}",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.POOL_READ",
    refuses=(PoolNotFound,),
)
async def get(call: Call, request: wire.GetPoolRequest) -> wire.GetPoolResponse:
    row = await call.get(POOL, request.pool_id, missing=PoolNotFound(pool_id=request.pool_id))
    (pool,) = await describe(call, [row])
    return wire.GetPoolResponse(pool=pool)


@method(
    "updatePool",
    PATCH,
    "/benefit-programs/v1/pools/{pool.id}",
    MANAGE,
    "BENEFIT_PROGRAMS.POOL_UPDATE",
    refuses=(PoolNotFound, InvalidRevision),
)
async def update(call: Call, request: wire.UpdatePoolRequest) -> wire.UpdatePoolResponse:
    described = await call.execute(_update_command(request.pool, call.updates("pool")))
    (pool,) = await describe(call, [described.pool])
    return wire.UpdatePoolResponse(pool=pool)


@method(
    "queryPools",
    POST,
    "/benefit-programs/v1/pools/query",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.POOL_READ",
    spec=specs.pools,
    for_members=True,
)
async def query(call: Call, request: wire.QueryPoolsRequest) -> wire.QueryPoolsResponse:
    rows, metadata = await call.page(Pool, request.query)
    return wire.QueryPoolsResponse(pools=tuple(await describe(call, rows)), metadata=metadata)


@method(
    "bulkUpdatePools",
    POST,
    "/benefit-programs/v1/bulk/pools",
    MANAGE,
    "BENEFIT_PROGRAMS.POOL_UPDATE",
    refuses=(PoolNotFound, InvalidRevision),
)
async def bulk_update(
    call: Call, request: wire.BulkUpdatePoolsRequest
) -> wire.BulkUpdatePoolsResponse:
    results = await execute_each(
        call,
        lambda index, entry: _update_command(
            entry.value.pool, updates_of(entry, "pool"), f"pools[{index}].pool"
        ),
        lambda entry, _: entry.value.pool.id,
    )
    rows = [result.answer.pool for result in results if result.answer is not None]
    if not request.return_entity:
        return bulk_answer(wire.BulkUpdatePoolsResponse, wire.BulkPoolResult, results)
    pools = iter(await describe(call, rows))
    return bulk_answer(
        wire.BulkUpdatePoolsResponse, wire.BulkPoolResult, results, lambda _: next(pools)
    )


def _update_command(
    change: wire.PoolChange, updates: dict[str, Any], path: str = "pool"
) -> UpdatePool:
    return UpdatePool(id=change.id, revision=change.revision, updates=updates, path=path)


async def describe(call: Call, rows: list[Pool]) -> list[wire.Pool]:
    """Pools with the names of their programs and definitions, in a few statements."""
    ids = [each for row in rows for each in (row.snapshot_id, row.renewal_snapshot_id)]
    snapshots = await call.snapshots([each for each in ids if each is not None])
    names = await Names.of_pools(call, rows)
    return [
        views.pool(
            row,
            snapshots,
            program=names.programs.get(row.program_id),
            definition=names.definitions.get(row.program_definition_id),
        )
        for row in rows
    ]
