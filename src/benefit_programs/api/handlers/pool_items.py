"""The query of pool items."""

from __future__ import annotations

from collections.abc import Collection

from benefit_programs.api import item_views, views
from benefit_programs.api.call import Call
from benefit_programs.api.handlers.pools import own_rows
from benefit_programs.api.types import pool_items as wire
from benefit_programs.domain.errors import Invalid, ViolatedRule
from benefit_programs.domain.lookups import PROGRAM_DEFINITION
from benefit_programs.storage import item_specs
from benefit_programs.storage.item_specs import PoolItemRow

MEMBER = "beneficiary.memberId"


async def query(call: Call, request: wire.QueryPoolItemsRequest) -> wire.QueryPoolItemsResponse:
    """QueryPoolItems; a member sees its own, and an app says whose it asks for."""
    found = await call.page(
        item_specs.pool_items(call.services.reader.dialect),
        request.query,
        scope=own_rows(call),
        extra={"fields": list(request.fields or ())},
        check=_require_member if call.principal.is_app else None,
    )
    rows = [PoolItemRow._make(row) for row in found.rows]
    return wire.QueryPoolItemsResponse(
        pool_items=await _describe(call, rows, found.extra.get("fields", ())),
        metadata=views.metadata_of(found.page),
    )


def _require_member(pinned: frozenset[str]) -> None:
    """Refuse an app's query that isn't about given members."""
    if MEMBER not in pinned:
        raise Invalid.because(
            f"query.filter.{MEMBER}",
            "an app must say in the filter's top conjunction whose items it asks for",
            ViolatedRule.REQUIRED_FIELD,
        )


async def _describe(
    call: Call, rows: list[PoolItemRow], fields: Collection[str]
) -> tuple[wire.PoolItem, ...]:
    """Pool items with what was asked for, in a few statements."""
    wants = wire.RequestedFields
    snapshots = (
        await call.services.reader.snapshots(call.tenant_id, [row.snapshot_id for row in rows])
        if wants.POOL in fields or wants.BENEFIT in fields
        else {}
    )
    keys = [(row.program_definition_id,) for row in rows if row.program_definition_id is not None]
    found = await call.many(PROGRAM_DEFINITION, keys if wants.PROGRAM_DEFINITION in fields else [])
    definitions = {row.id: row for row in found}
    return tuple(
        item_views.pool_item(
            row,
            fields,
            snapshot=snapshots.get(row.snapshot_id),
            definition=definitions.get(row.program_definition_id or ""),
        )
        for row in rows
    )
