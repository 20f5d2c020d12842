"""The methods that read pools."""

from __future__ import annotations

from typing import Any

from benefit_programs.api import views
from benefit_programs.api.call import Call
from benefit_programs.api.types import pools as wire
from benefit_programs.domain.entities import Pool
from benefit_programs.domain.errors import PoolNotFound
from benefit_programs.domain.lookups import POOL, PROGRAM, PROGRAM_DEFINITION
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
