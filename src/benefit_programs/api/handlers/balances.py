"""The methods that read balances."""

from __future__ import annotations

from typing import Any

from benefit_programs.api import views
from benefit_programs.api.call import Call
from benefit_programs.api.handlers.pools import own_rows
from benefit_programs.api.types import balances as wire
from benefit_programs.api.types.common import CursorQuery
from benefit_programs.domain.entities import Pool
from benefit_programs.domain.errors import BalanceNotFound
from benefit_programs.domain.lookups import POOL
from benefit_programs.storage import specs
from benefit_programs.storage.rows import CODECS


async def get(call: Call, request: wire.GetBalanceRequest) -> wire.GetBalanceResponse:
    """GetBalance."""
    row = await call.one(POOL, request.pool_id)
    if row is None:
        raise BalanceNotFound(pool_id=request.pool_id)
    (balance,) = await describe(call, [row])
    return wire.GetBalanceResponse(balance=balance)


async def list_(call: Call, request: wire.ListBalancesRequest) -> wire.ListBalancesResponse:
    """listBalances: those of the named pools, or all."""
    spec = specs.listed_balances(call.services.reader.dialect)
    named: dict[str, Any] = {"id": {"$in": list(request.pool_ids)}} if request.pool_ids else {}
    query = CursorQuery(filter=named, cursor_paging=request.cursor_paging)
    found = await call.page(spec, query, path="")
    return wire.ListBalancesResponse(
        balances=tuple(await _describe_rows(call, found.rows)),
        metadata=views.metadata_of(found.page),
    )


async def query(call: Call, request: wire.QueryBalancesRequest) -> wire.QueryBalancesResponse:
    """queryBalances; a member sees its own."""
    spec = specs.balances(call.services.reader.dialect)
    found = await call.page(spec, request.query, scope=own_rows(call))
    return wire.QueryBalancesResponse(
        balances=tuple(await _describe_rows(call, found.rows)),
        metadata=views.metadata_of(found.page),
    )


async def _describe_rows(call: Call, rows: list[tuple[Any, ...]]) -> list[wire.Balance]:
    return await describe(call, [CODECS[Pool].read(row) for row in rows])


async def describe(call: Call, rows: list[Pool]) -> list[wire.Balance]:
    """The balances of pools."""
    reader = call.services.reader
    snapshots = await reader.snapshots(call.tenant_id, [row.snapshot_id for row in rows])
    return [views.balance(row, snapshots[row.snapshot_id]) for row in rows]
