"""The events of a change, as they are stored beside it.

``slug`` names the event; where one change makes several events of one entity, it names them all in
their order, joined by "+", and ``sequence`` is the last one's. A row with a ``transaction_id`` also
stands for the creation of that transaction and the update of its balance.
"""

from __future__ import annotations

from typing import Any

from benefit_programs.domain.command import Context
from benefit_programs.domain.entities import (
    Event,
    Item,
    Pool,
    PoolDefinition,
    Program,
    ProgramDefinition,
    Snapshot,
)
from benefit_programs.domain.event_catalog import KNOWN

CREATED = "created"
UPDATED = "updated"
DELETED = "deleted"

Eventful = ProgramDefinition | PoolDefinition | Item | Program

_NAMES: dict[type[object], str] = {
    ProgramDefinition: "program_definition",
    PoolDefinition: "pool_definition",
    Item: "item",
    Program: "program",
}

POOL_STATE = (
    "revision",
    "updated",
    "status",
    "previous_status",
    "snapshot_id",
    "pool_definition_revision",
    "renewal_count",
    "renewal_action",
    "renewal_snapshot_id",
    "renewal_revision",
    "extended_fields",
)
"""What can change of a pool, and so stands in its events."""


def tell(context: Context, row: Eventful, slug: str, **more: Any) -> Event:
    """The event of a change that left an entity as ``row``, whose sequence counts it already."""
    entity = _NAMES[type(row)]
    assert (entity, slug) in KNOWN, f"the catalog has no {slug} of a {entity}"
    return Event(
        id=context.new_id(),
        created=context.now,
        entity=entity,
        entity_id=row.id,
        sequence=row.sequence,
        slug=slug,
        body={"entity": row, **more},
    )


def tell_of_pool_definition(
    context: Context,
    row: PoolDefinition,
    slug: str,
    *,
    snapshot: Snapshot,
    program_definition_ids: list[str],
    **more: Any,
) -> Event:
    """The event of a change that left a pool definition as it is now."""
    return tell(
        context,
        row,
        slug,
        snapshot=snapshot,
        program_definition_ids=program_definition_ids,
        **more,
    )


def tell_of_pool(
    context: Context, pool: Pool, slug: str, *, transaction_id: str | None = None, **more: Any
) -> Event:
    """The event of a change that left a pool as it is now.

    What never changes of a pool isn't repeated, and its details are named by their snapshot.
    """
    assert ("pool", slug) in KNOWN, f"the catalog has no {slug} of a pool"
    state = {name: value for name in POOL_STATE if (value := getattr(pool, name)) is not None}
    return Event(
        id=context.new_id(),
        created=context.now,
        entity="pool",
        entity_id=pool.id,
        sequence=pool.sequence,
        slug=slug,
        body={"pool": state, **more},
        transaction_id=transaction_id,
    )


def tell_of_balance(context: Context, pool: Pool, transaction_id: str) -> Event:
    """The event of a change of a balance that is no event of its pool."""
    return Event(
        id=context.new_id(),
        created=context.now,
        entity="balance",
        entity_id=pool.id,
        sequence=pool.balance_revision,
        slug=UPDATED,
        body={},
        transaction_id=transaction_id,
    )
