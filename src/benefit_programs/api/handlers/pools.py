"""The methods that read and update pools."""

from __future__ import annotations

from typing import Any

from benefit_programs.api import views
from benefit_programs.api.call import Call, count_results, execute_each, updates_of
from benefit_programs.api.codec import Decoded
from benefit_programs.api.types import pools as wire
from benefit_programs.domain.entities import Pool
from benefit_programs.domain.errors import PoolNotFound
from benefit_programs.domain.lookups import POOL, PROGRAM, PROGRAM_DEFINITION
from benefit_programs.domain.pools import UpdatePool
from benefit_programs.storage import specs
from benefit_programs.storage.rows import CODECS


async def get(call: Call, request: wire.GetPoolRequest) -> wire.GetPoolResponse:
    """GetPool."""
    row = await call.one(POOL, request.pool_id)
    if row is None:
        raise PoolNotFound(pool_id=request.pool_id)
    (pool,) = await describe(call, [row])
    return wire.GetPoolResponse(pool=pool)


async def query(call: Call, request: wire.QueryPoolsRequest) -> wire.QueryPoolsResponse:
    """queryPools; a member sees its own."""
    spec = specs.pools(call.services.reader.dialect)
    found = await call.page(spec, request.query, scope=own_rows(call))
    read = CODECS[Pool].read
    return wire.QueryPoolsResponse(
        pools=tuple(await describe(call, [read(row) for row in found.rows])),
        metadata=views.metadata_of(found.page),
    )


async def update(call: Call, request: wire.UpdatePoolRequest) -> wire.UpdatePoolResponse:
    """UpdatePool."""
    change = request.pool
    described = await call.execute(
        UpdatePool(id=change.id, revision=change.revision, updates=call.updates("pool"))
    )
    (pool,) = await describe(call, [described.pool])
    return wire.UpdatePoolResponse(pool=pool)


async def bulk_update(
    call: Call, request: wire.BulkUpdatePoolsRequest
) -> wire.BulkUpdatePoolsResponse:
    """BulkUpdatePools."""
    assert call.bulk is not None

    def command_of(index: int, entry: Decoded[wire.MaskedPool]) -> UpdatePool:
        change = entry.value.pool
        return UpdatePool(
            id=change.id,
            revision=change.revision,
            updates=updates_of(entry, "pool"),
            path=f"pools[{index}].pool",
        )

    results = await execute_each(
        call, call.bulk.entries, command_of, lambda entry, _: entry.value.pool.id
    )
    rows = [result.answer.pool for result in results if result.answer is not None]
    pools = iter(await describe(call, rows) if request.return_entity else ())
    return wire.BulkUpdatePoolsResponse(
        results=tuple(
            wire.BulkPoolResult(
                item_metadata=result.metadata,
                item=next(pools, None) if result.answer is not None else None,
            )
            for result in results
        ),
        bulk_action_metadata=count_results(results),
    )


def own_rows(call: Call) -> dict[str, Any] | None:
    """The filter that binds a member's key to its own rows."""
    if not call.principal.is_member:
        return None
    return {"beneficiary.memberId": call.principal.caller.id}


async def describe(call: Call, rows: list[Pool]) -> list[wire.Pool]:
    """Pools with the names of their programs and definitions, in a few statements."""
    snapshots = await call.services.reader.snapshots(
        call.tenant_id,
        [
            snapshot_id
            for row in rows
            for snapshot_id in (row.snapshot_id, row.renewal_snapshot_id)
            if snapshot_id is not None
        ],
    )
    programs = {
        row.id: row for row in await call.many(PROGRAM, [(row.program_id,) for row in rows])
    }
    definition_ids = [
        (row.program_definition_id,) for row in rows if row.program_definition_id is not None
    ]
    definitions = {row.id: row for row in await call.many(PROGRAM_DEFINITION, definition_ids)}
    return [
        views.pool(
            row,
            snapshots,
            program=programs.get(row.program_id),
            definition=definitions.get(row.program_definition_id or ""),
        )
        for row in rows
    ]
