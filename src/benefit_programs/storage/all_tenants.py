"""Questions about all tenants, which are answered also where a node of a cluster is lost.

On one database a question is one statement. On a cluster this statement asks all nodes at once, and
fails if one of them doesn't answer. Then each node is asked for the tenants that it has. Those of
the lost one have to wait, and nobody else does.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import structlog

from benefit_programs.domain.store import NodeUnavailable, StoreTimeout
from benefit_programs.storage.query import Dialect, PostgresDialect

NODES_SECONDS = 15.0
"""For how long nodes are asked one by one, before all are asked together again."""

NODE_SECONDS_MAX = 1.0
"""How long an answer waits for a node; what comes later is in the next answer."""

_AMONG = re.compile(r"\bamong\[(\w+)\]")
_PARAMETER = re.compile(r"\$(\d+)")

_IS_CLUSTER = "select to_regclass('pg_catalog.pg_dist_placement') is not null"

_TENANTS_BY_NODE = """
select p.groupid, array_agg(t.id) from tenants t
join pg_catalog.pg_dist_placement p
on p.shardid = get_shard_id_for_distribution_column('agenda'::regclass, t.id)
group by p.groupid order by p.groupid
"""
"""Citus' own tables say which node has the rows of a tenant; tenants' tables are colocated."""

_log = structlog.get_logger("benefit_programs.storage")


class Question(NamedTuple):
    """A statement about all tenants, and the same about some, which come as the last parameter."""

    whole: str
    of_some: str


def about_all(sql: str) -> Question:
    """Make both from one text: ``among[a]`` stands where the rows of ``a`` are narrowed."""
    last = 1 + max((int(number) for number in _PARAMETER.findall(sql)), default=0)
    narrowed = rf"and \1.tenant_id = any(${last}::bigint[])"
    return Question(_AMONG.sub("", sql), _AMONG.sub(narrowed, sql))


class AskedStore(Protocol):
    """A store that is asked."""

    dialect: Dialect

    async def fetch(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]: ...


class _Node(NamedTuple):
    number: int
    tenant_ids: list[int]


class AllTenants:
    """Asks a store about all tenants."""

    def __init__(self, store: AskedStore) -> None:
        self._store = store
        self._nodes: list[_Node] = []
        self._nodes_until = 0.0
        self._asking: dict[tuple[Question, int], asyncio.Task[list[tuple[Any, ...]]]] = {}

    async def fetch(self, question: Question, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of an answer; where a node of a cluster is lost, those of the others.

        Rows that sum up tenants may then come in several parts. Raises StoreUnavailable, or
        StoreTimeout.
        """
        clock = asyncio.get_running_loop().time
        if clock() >= self._nodes_until:
            try:
                return await self._store.fetch(question.whole, parameters)
            except (NodeUnavailable, StoreTimeout) as error:
                if not await self._is_cluster():
                    raise
                _log.warning("a node of the database is away", reason=str(error))
            rows = await self._store.fetch(_TENANTS_BY_NODE, ())
            self._nodes = [_Node(number, tenant_ids) for number, tenant_ids in rows]
            self._nodes_until = clock() + NODES_SECONDS
        return await self._ask_nodes(question, parameters)

    async def _is_cluster(self) -> bool:
        if not isinstance(self._store.dialect, PostgresDialect):
            return False
        return await self._store.fetch(_IS_CLUSTER, ()) == [(True,)]

    async def _ask_nodes(
        self, question: Question, parameters: Sequence[Any]
    ) -> list[tuple[Any, ...]]:
        """What the nodes answer in time. One that says nothing isn't asked a second time."""
        asking = self._asking
        for node in self._nodes:
            if (question, node.number) not in asking:
                task = asyncio.create_task(self._ask(node, question, parameters))
                asking[question, node.number] = task
        own = [key for key in asking if key[0] == question]
        if own:
            await asyncio.wait([asking[key] for key in own], timeout=NODE_SECONDS_MAX)
        answers = [asking.pop(key) for key in own if asking[key].done()]
        return [row for answer in answers for row in answer.result()]

    async def _ask(
        self, node: _Node, question: Question, parameters: Sequence[Any]
    ) -> list[tuple[Any, ...]]:
        try:
            return await self._store.fetch(question.of_some, (*parameters, node.tenant_ids))
        except (NodeUnavailable, StoreTimeout):
            return []
