"""An independent look at the books: what must hold of a tenant's rows whatever was done to it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any
from zlib import crc32

from benefit_programs.domain.entities import (
    BalanceType,
    Item,
    Pool,
    PoolDefinition,
    Program,
    ProgramDefinition,
    Transaction,
)
from benefit_programs.domain.event_rows import Event, Removal
from benefit_programs.storage.postgres import PostgresStore
from benefit_programs.storage.verification import verify_store

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

    from tests.support.inprocess import Service

VERIFIED_ON_SQLITE = 4
VERIFIED_ON_POSTGRES = 8

_COUNTED: dict[str, type[Any]] = {
    "program_definition": ProgramDefinition,
    "pool_definition": PoolDefinition,
    "item": Item,
    "program": Program,
    "pool": Pool,
}


def chosen(node_id: str, one_in: int) -> bool:
    """Whether a test is one of a sample, always the same."""
    return crc32(node_id.encode()) % one_in == 0


async def require_sound(request: pytest.FixtureRequest, service: Service) -> None:
    """Fail unless the tenant's books are sound.

    Every test is audited. The invariants are checked after one test in so many, always the same.
    """
    await audit(service)
    is_postgres = isinstance(service.store, PostgresStore)
    one_in = VERIFIED_ON_POSTGRES if is_postgres else VERIFIED_ON_SQLITE
    if chosen(request.node.nodeid, one_in):
        assert await verify_store(service.store, tenant_ids=[service.tenant.id]) == []


async def audit(service: Service) -> None:
    """Fail unless balances are the sums of their transactions and events tell of every change."""
    pools, transactions = await service.rows(Pool), await service.rows(Transaction)
    require_sums(pools, transactions)
    programs = await service.rows(Program)
    external_ids = [(each.namespace, each.external_id) for each in programs]
    assert len(external_ids) == len(set(external_ids)), "two programs share an external id"
    events = await service.rows(Event)
    if await service.rows(Removal):
        # Old events are gone, maybe while they were read: verifying the invariants tells what must
        # still be there.
        return
    last = require_gapless(events)
    for name, entity in _COUNTED.items():
        for row in await service.rows(entity):
            counted = last.get((name, row.id), 0)
            assert counted == row.sequence, (
                f"{name} {row.id}: {row.sequence} changes, {counted} events"
            )


def require_sums(pools: Iterable[Pool], transactions: Iterable[Transaction]) -> None:
    """Fail unless each balance is the sum of its transactions, and none is below 0."""
    sums: defaultdict[tuple[str, BalanceType], int] = defaultdict(int)
    newest: dict[str, Transaction] = {}
    for each in transactions:
        assert each.amount >= 0, each
        sums[each.pool_id, each.source] -= each.amount
        sums[each.pool_id, each.target] += each.amount
        if each.pool_id not in newest or (
            newest[each.pool_id].balance_revision < each.balance_revision
        ):
            newest[each.pool_id] = each
    for pool in pools:
        assert pool.available == sums[pool.id, BalanceType.AVAILABLE] >= 0, pool
        assert pool.reserved == sums[pool.id, BalanceType.RESERVED] >= 0, pool
        if pool.id in newest:
            assert newest[pool.id].id == pool.last_transaction_id, pool
            assert newest[pool.id].available_after == pool.available, pool


def require_gapless(events: Iterable[Event]) -> dict[tuple[str, str], int]:
    """The last number of each entity's events. Fail unless they count from 1 without a gap."""
    last: dict[tuple[str, str], int] = {}
    for event in sorted(events, key=lambda each: each.sequence):
        if event.entity == "balance":
            continue
        entity = (event.entity, event.entity_id)
        count = 1 + event.slug.count("+")
        assert event.sequence == last.get(entity, 0) + count, f"a gap before {event}"
        last[entity] = event.sequence
    return last
