"""What is heard of all tenants while nodes of a cluster are lost or silent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from benefit_programs.domain.store import NodeUnavailable, StoreTimeout
from benefit_programs.storage import all_tenants
from benefit_programs.storage.all_tenants import AllTenants, Question, about_all
from benefit_programs.storage.query import Dialect, PostgresDialect, SqliteDialect

pytestmark = pytest.mark.anyio

ALL = about_all("select a.tenant_id from agenda a where a.kind = $1 among[a]")
NODES = {1: [10, 11], 2: [20]}


class Cluster:
    """Two nodes that answer with their tenants, unless they are lost or silent."""

    def __init__(self, dialect: Dialect | None = None) -> None:
        self.dialect = dialect or PostgresDialect()
        self.lost: set[int] = set()
        self.silence = asyncio.Event()
        self.silent: set[int] = set()
        self.asked: list[str] = []

    async def fetch(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        self.asked.append(sql)
        if sql == ALL.whole:
            return await self._answer([*NODES])
        if sql == ALL.of_some:
            (node,) = (each for each, ids in NODES.items() if ids == parameters[-1])
            return await self._answer([node])
        return [(True,)] if "to_regclass" in sql else [*NODES.items()]

    async def _answer(self, nodes: list[int]) -> list[tuple[Any, ...]]:
        if self.lost & {*nodes}:
            raise NodeUnavailable
        if self.silent & {*nodes}:
            if len(nodes) > 1:
                raise StoreTimeout
            await self.silence.wait()
        return [(each,) for node in nodes for each in NODES[node]]


async def ask(tenants: AllTenants) -> list[int]:
    return [row[0] for row in await tenants.fetch(ALL, ("jobs",))]


def test_one_text_makes_both_statements() -> None:
    """The list of tenants comes last, and narrows the tables that are named."""
    assert about_all("select 1 from a, b where a.x = $1 among[a] among[b]") == Question(
        "select 1 from a, b where a.x = $1  ",
        "select 1 from a, b where a.x = $1 and a.tenant_id = any($2::bigint[])"
        " and b.tenant_id = any($2::bigint[])",
    )


async def test_all_are_asked_together_while_all_is_well() -> None:
    """One statement asks for all tenants."""
    cluster = Cluster()
    assert await ask(AllTenants(cluster)) == [10, 11, 20]
    assert cluster.asked == [ALL.whole]


async def test_a_lost_node_leaves_the_others() -> None:
    """The tenants of other nodes are heard of, also in the rounds that follow."""
    cluster = Cluster()
    cluster.lost = {1}
    tenants = AllTenants(cluster)
    assert await ask(tenants) == [20]
    cluster.asked.clear()
    assert await ask(tenants) == [20]
    assert cluster.asked == [ALL.of_some, ALL.of_some]


async def test_a_node_that_is_back_is_asked_with_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After some time all are asked together again, and one by one only if that fails."""
    monkeypatch.setattr(all_tenants, "NODES_SECONDS", 0)
    cluster = Cluster()
    cluster.lost = {1}
    tenants = AllTenants(cluster)
    assert await ask(tenants) == [20]
    cluster.lost.clear()
    cluster.asked.clear()
    assert await ask(tenants) == [10, 11, 20]
    assert cluster.asked == [ALL.whole]


async def test_a_silent_node_is_heard_later() -> None:
    """Nobody waits long for it, it isn't asked twice, and its late answer counts."""
    cluster = Cluster()
    cluster.silent = {1}
    tenants = AllTenants(cluster)
    assert await ask(tenants) == [20]
    cluster.asked.clear()
    cluster.silence.set()
    assert sorted(await ask(tenants)) == [10, 11, 20]
    assert cluster.asked == [ALL.of_some]


async def test_what_is_no_cluster_fails_as_a_whole() -> None:
    """A single database that takes too long isn't asked in parts."""
    cluster = Cluster(SqliteDialect())
    cluster.silent = {1}
    with pytest.raises(StoreTimeout):
        await ask(AllTenants(cluster))
    assert cluster.asked == [ALL.whole]
