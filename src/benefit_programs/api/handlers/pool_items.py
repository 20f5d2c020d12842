"""The query of pool items."""

from __future__ import annotations

from collections.abc import Collection

from benefit_programs.api.call import Call, metadata_of
from benefit_programs.api.method import POST, READ_LIMITED, method
from benefit_programs.domain.errors import Invalid, ViolatedRule
from benefit_programs.domain.lookups import POOL, PROGRAM_DEFINITION
from benefit_programs.domain.pool_items import PoolItem
from benefit_programs.storage import item_specs
from benefit_programs.wire import item_views
from benefit_programs.wire.types import pool_items as wire

MEMBER = "beneficiary.memberId"


@method(
    "queryPoolItems",
    POST,
    "/benefit-programs/v1/pool-items/query",
    READ_LIMITED,
    "benefit_programs:v1:pool_item:query_pool_items",
    "BENEFIT_PROGRAMS.POOL_READ",
    spec=item_specs.pool_items,
    for_members=True,
)
async def query(call: Call, request: wire.QueryPoolItemsRequest) -> wire.QueryPoolItemsResponse:
    """An app says whose items it asks for."""
    found = await call.find(
        request.query,
        extra={"fields": list(request.fields or ())},
        check=_require_member if call.principal.is_app else None,
    )
    rows = [PoolItem._make(row) for row in found.rows]
    if wire.RequestedFields.BALANCE in found.extra.get("fields", ()):
        rows = await _usable(call, rows)
    return wire.QueryPoolItemsResponse(
        pool_items=await _describe(call, rows, found.extra.get("fields", ())),
        metadata=metadata_of(found.page),
    )


def _require_member(pinned: frozenset[str]) -> None:
    """Refuse an app's query that isn't about given members."""
    if MEMBER not in pinned:
        raise Invalid.because(
            f"query.filter.{MEMBER}",
            "an app must say in the filter's top conjunction whose items it asks for",
            ViolatedRule.REQUIRED_FIELD,
        )


async def _usable(call: Call, rows: list[PoolItem]) -> list[PoolItem]:
    """The same with what their pools have now, also where something has just come due."""
    now = call.now
    due = {row.pool_id for row in rows if row.due is not None and row.due <= now}
    if not due:
        return rows
    pools = await call.usable(await call.many(POOL, zip(due)))
    available = {pool.id: pool.available for pool in pools}
    return [row._replace(available=available.get(row.pool_id, row.available)) for row in rows]


async def _describe(
    call: Call, rows: list[PoolItem], fields: Collection[str]
) -> tuple[wire.PoolItem, ...]:
    """Pool items with what was asked for, in a few statements."""
    wants = wire.RequestedFields
    snapshots = (
        await call.snapshots([row.snapshot_id for row in rows])
        if wants.POOL in fields or wants.BENEFIT in fields
        else {}
    )
    described = rows if wants.PROGRAM_DEFINITION in fields else []
    definitions = await call.by_id(
        PROGRAM_DEFINITION, (row.program_definition_id for row in described)
    )
    return tuple(
        item_views.pool_item(
            row,
            fields,
            snapshot=snapshots.get(row.snapshot_id),
            definition=definitions.get(row.program_definition_id),
        )
        for row in rows
    )
