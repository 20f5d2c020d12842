"""Every statement names its tenant for every table of tenants that it reads or changes.

So PostgreSQL needs one tenant's rows alone, and a cluster that is distributed by tenant one node
alone. It is what the planner knows of each table that counts, not what the text says: a condition
that follows from others is as good, and one that the planner can't use is none.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from benefit_programs.api.methods import METHODS
from benefit_programs.domain import lookups
from benefit_programs.domain.indexes import Index
from benefit_programs.domain.people.lookups import PERSON, PERSON_OF, PERSON_WORD
from benefit_programs.domain.state import Mode
from benefit_programs.storage import agenda, backlog, statements
from benefit_programs.storage.all_tenants import Question
from benefit_programs.storage.postgres import PostgresStore
from benefit_programs.storage.rows import CODECS
from benefit_programs.storage.statements import Writing
from benefit_programs.storage.tables import TABLES
from benefit_programs.storage.verification import verify_store
from tests.conformance.world import REQUESTS, settle
from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

ENGINES = ["postgres"]

OF_TENANTS = frozenset(table.name for table in TABLES.values())
CONDITIONS = ("Index Cond", "Recheck Cond", "Filter")
LITERALS = {"uuid": "00000000-0000-4000-8000-000000000000", "bigint": "1", "text": "a"}

INDEXES: list[Index[Any]] = [
    *(value for value in vars(lookups).values() if isinstance(value, Index)),
    *(PERSON, *PERSON_OF.values(), PERSON_WORD),
]

TAKING = re.compile("(?i)delete|remove|end|expire|erase|cancel|merge|withdraw")
"""Methods after which others find nothing any more."""

QUESTIONS = [
    each for module in (agenda, backlog) for each in vars(module).values() if type(each) is Question
]
ABOUT_ALL = {each.whole for each in QUESTIONS}
"""What asks which tenants have work, and is asked of each node where one is lost."""

Asked = dict[str, tuple[Any, ...]]
"""Statements, each with the parameters that it was given first."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What the driver is asked from now on."""
    asked: Asked = {}
    fetch = asyncpg.Connection.fetch

    async def note(self: Any, query: str, *values: Any, **options: Any) -> Any:
        asked.setdefault(query, values)
        return await fetch(self, query, *values, **options)

    monkeypatch.setattr(asyncpg.Connection, "fetch", note)
    return asked


@pytest.fixture
async def connection(service: Service) -> AsyncIterator[Any]:
    """A connection as batches have it."""
    assert isinstance(service.store, PostgresStore)
    async with service.store._keyed.acquire() as connection:
        yield connection


async def explain(connection: Any, sql: str, values: tuple[Any, ...]) -> dict[str, Any]:
    (row,) = await asyncpg.Connection.fetch(connection, f"explain (format json) {sql}", *values)
    plan: dict[str, Any] = json.loads(row[0])[0]["Plan"]
    return plan


async def unnamed(connection: Any, sql: str, values: tuple[Any, ...]) -> list[str]:
    """What a plan says of tables of tenants of which it needs more than one tenant's rows."""
    plan = await explain(connection, sql, values)
    return [
        json.dumps(scan)
        for scan in _scans(plan)
        if not re.search(r"\btenant_id = '\d+'::bigint", _said(scan))
    ]


async def all_unnamed(connection: Any, asked: Asked) -> dict[str, list[str]]:
    found = {
        sql: await unnamed(connection, sql, values)
        for sql, values in [*asked.items()]
        if sql not in ABOUT_ALL
    }
    return {sql: scans for sql, scans in found.items() if scans}


def _scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    is_read = plan["Node Type"] != "ModifyTable"
    if is_read and plan.get("Relation Name") in OF_TENANTS:
        yield plan
    for part in plan.get("Plans", ()):
        yield from _scans(part)


def _said(scan: dict[str, Any]) -> str:
    return " ".join(scan.get(each, "") for each in CONDITIONS)


def _made_up(sql: str) -> tuple[Any, ...]:
    """Values for the parameters, of the types that the statement gives them."""
    types = {int(n): (t, array) for n, t, array in re.findall(r"\$(\d+)::(\w+)(\[\])?", sql)}
    values: list[Any] = [1]
    for number in range(2, max(types, default=1) + 1):
        kind, is_list = types[number]
        value: Any = LITERALS.get(kind.lower(), "1")
        value = int(value) if kind.lower() == "bigint" else value
        values.append([value] if is_list else value)
    return tuple(values)


def _of_batches() -> Iterator[str]:
    """All that batches and jobs may load, lock, count and write."""
    for index in INDEXES:
        for mode in Mode:
            yield statements.postgres_select(index, mode)
        if index.after is not None:
            yield statements.postgres_count(index)
            yield statements.postgres_next(index)
    for one, other in itertools.pairwise(INDEXES):
        if one.entity is other.entity:
            yield statements.postgres_lock((one, other))
    for entity, codec in CODECS.items():
        changed = tuple(each for each in codec.columns if each not in entity.key)
        insert, delete = Writing("insert", entity, codec.columns), Writing("delete", entity, ())
        update = Writing("update", entity, changed[-1:])
        yield statements.postgres_writing((insert, update, delete) if changed else (insert, delete))
    for index in INDEXES:
        if index.is_own_key:
            codec, probes = CODECS[index.entity], (lookups.TRANSACTION_BY_KEY,)
            others = (lookups.ITEM_BY_REFERENCE,)
            changed = tuple(each for each in codec.columns if each not in index.entity.key)
            yield statements.postgres_first(index, probes, others)
            yield statements.postgres_hold(index)
            yield statements.postgres_guarded(
                index, changed[-1:], ((Writing("insert", index.entity, codec.columns), 2),)
            )


async def test_questions_about_some_tenants_name_them(connection: Any) -> None:
    """Where a node is lost, questions about all tenants need the rows of the others alone."""
    assert len(QUESTIONS) == 8
    for question in QUESTIONS:
        types = (await connection.prepare(question.whole)).get_parameters()
        values = ["a" if each.name == "text" else 1 for each in types]
        plan = await explain(connection, question.of_some, (*values, [3, 5]))
        for scan in _scans(plan):
            assert "tenant_id = ANY ('{3,5}'::bigint[])" in _said(scan), (question, scan)


async def test_batches_name_their_tenant(connection: Any) -> None:
    """Whatever a batch may load, lock and write is one tenant's."""
    for sql in _of_batches():
        assert await unnamed(connection, sql, _made_up(sql)) == [], sql


async def test_methods_name_their_tenant(service: Service, connection: Any, asked: Asked) -> None:
    """So is what each method reads, with the batches and jobs that follow from it."""
    world = await settle(service)
    # What takes something away comes last.
    for method in sorted(METHODS, key=lambda name: (bool(TAKING.search(name)), name)):
        await service.send(method, REQUESTS[method](world))
    await service.running.runner.settle()
    assert len(asked) > 150
    assert await all_unnamed(connection, asked) == {}


async def test_verifying_names_the_tenant(service: Service, connection: Any, asked: Asked) -> None:
    """Checks look at one tenant at a time."""
    await verify_store(service.store, tenant_ids=[service.tenant.id])
    assert len(asked) > 100
    assert await all_unnamed(connection, asked) == {}
