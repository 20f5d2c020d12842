"""Look-ups that are gathered: everybody gets their own rows, and nobody is left waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from benefit_programs.domain.entities import Quota
from benefit_programs.domain.indexes import Index, Key
from benefit_programs.domain.store import StoreTimeout
from benefit_programs.storage.gathering import GATHERED_KEYS_MAX, GatheredLookUps

pytestmark = pytest.mark.anyio

BY_POOL = Index(Quota, "pool_id")
WALK = Index(Quota, "pool_id", after="quota_id", limit=10)
TENANT = 1


class Table:
    """Two rows under each key, found by statements that end when they are let go."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, list[Key]]] = []
        self.gate = asyncio.Event()
        self.error: Exception | None = None
        self.look_ups = GatheredLookUps(self.select)

    async def select(self, tenant_id: int, index: Index[Any], keys: Sequence[Key]) -> list[Any]:
        """One statement."""
        assert index.entity is Quota
        self.asked.append((tenant_id, list(keys)))
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return [
            Quota(pool_id=key[0], quota_id=quota, period_start=0, used=tenant_id)
            for quota in ("a", "b")
            for key in keys
        ]

    def ask(
        self, *keys: str, tenant_id: int = TENANT, index: Index[Quota] = BY_POOL
    ) -> asyncio.Task[list[Quota]]:
        """A caller who looks some keys up."""
        return asyncio.create_task(
            self.look_ups.look_up(tenant_id, index, [(key,) for key in keys])
        )


async def all_have_asked() -> None:
    """Let every task run until it waits."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_callers_at_the_same_time_share_a_statement() -> None:
    """The first caller goes at once, the others together, and each gets the rows of its keys."""
    table = Table()
    callers = [table.ask(f"p{number}", f"p{number + 1}") for number in range(20)]
    await all_have_asked()
    table.gate.set()
    for number, rows in enumerate(await asyncio.gather(*callers)):
        wanted = {(f"p{each}", quota) for each in (number, number + 1) for quota in ("a", "b")}
        assert len(rows) == len(wanted)
        assert {(row.pool_id, row.quota_id) for row in rows} == wanted
    first, second = table.asked
    assert first == (TENANT, [("p0",), ("p1",)])
    assert second == (TENANT, [(f"p{number}",) for number in range(1, 21)])


async def test_a_caller_may_begin_several_look_ups_at_once() -> None:
    """Each has its statement before the first has ended; late callers share the next."""
    table = Table()
    other = Index(Quota, "pool_id")
    begun = [table.look_ups.begin(TENANT, index, [("p0",)]) for index in (BY_POOL, other)]
    await all_have_asked()
    assert table.asked == [(TENANT, [("p0",)])] * 2
    late = [table.look_ups.begin(TENANT, BY_POOL, [(key,)]) for key in ("p1", "p2")]
    table.gate.set()
    found = await asyncio.gather(*begun, *late)
    assert [{row.pool_id for row in rows} for rows in found] == [{"p0"}, {"p0"}, {"p1"}, {"p2"}]
    assert table.asked[2:] == [(TENANT, [("p1",), ("p2",)])]


async def test_a_caller_alone_has_a_statement_of_its_own() -> None:
    """After everybody was served, the next caller goes at once again."""
    table = Table()
    table.gate.set()
    for number in range(3):
        assert [row.pool_id for row in await table.ask(f"p{number}")] == [f"p{number}"] * 2
    assert [keys for _, keys in table.asked] == [[("p0",)], [("p1",)], [("p2",)]]


async def test_tenants_never_share_a_statement() -> None:
    """Callers of another tenant are asked for by themselves, and see none but their own rows."""
    table = Table()
    callers = [table.ask("p", tenant_id=tenant) for tenant in (1, 2, 1, 2)]
    await all_have_asked()
    table.gate.set()
    assert [{row.used for row in rows} for rows in await asyncio.gather(*callers)] == [
        {1},
        {2},
        {1},
        {2},
    ]
    assert sorted(tenant for tenant, _ in table.asked) == [1, 1, 2, 2]


async def test_walks_are_not_gathered() -> None:
    """Rows after a position belong to no single key, so each walk has its own statement."""
    table = Table()
    callers = [table.ask("p", index=WALK) for _ in range(3)]
    await all_have_asked()
    assert len(table.asked) == len(callers)
    table.gate.set()
    await asyncio.gather(*callers)


async def test_a_statement_takes_a_bounded_number_of_keys() -> None:
    """Callers that don't fit wait for the next statement; one with very many keys has its own."""
    table = Table()
    many = [f"m{number}" for number in range(GATHERED_KEYS_MAX + 1)]
    callers = [table.ask("p"), *(table.ask(f"q{number}") for number in range(3)), table.ask(*many)]
    await all_have_asked()
    table.gate.set()
    found = await asyncio.gather(*callers)
    assert [len(rows) for rows in found] == [2, 2, 2, 2, 2 * len(many)]
    assert [len(keys) for _, keys in table.asked] == [1, 3, len(many)]


async def test_everybody_hears_of_an_error() -> None:
    """Who shared a statement that failed hears why, and the next callers are served."""
    table = Table()
    table.error = StoreTimeout("too long")
    callers = [table.ask(f"p{number}") for number in range(4)]
    await all_have_asked()
    table.gate.set()
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    assert [type(each) for each in outcomes] == [StoreTimeout] * 4
    table.error = None
    assert len(await table.ask("p")) == 2


async def test_a_caller_who_goes_away_takes_nothing_from_the_others() -> None:
    """The others are served when the first caller is cancelled, or one of those who wait is."""
    table = Table()
    first, second, third = (table.ask(f"p{number}") for number in range(3))
    await all_have_asked()
    first.cancel()
    second.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    table.gate.set()
    assert [row.pool_id for row in await third] == ["p2", "p2"]
    assert first.cancelled()
    assert second.cancelled()
