"""The fields of every query against a plain evaluation of its own answers.

What the language means is judged in the property tests; here it is about the fields: which values
they have, of which kind they are, what is absent, and what is a list.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from benefit_programs.api.methods import METHODS
from tests.conformance.gymnasium import CATEGORIES, EXTERNAL_IDS, NAMESPACES, Gymnasium
from tests.support.calls import guid, page_of
from tests.unit.query import brute_force

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

Row = dict[str, Any]

QUERIES = (
    *("queryProgramDefinitions", "queryPoolDefinitions", "queryPrograms", "queryPools"),
    *("queryItems", "queryPoolItems", "queryPoolDefinitionItems"),
    *("queryBalances", "queryTransactions"),
)
LISTS = {
    *("details.benefits.itemSetId", "details.benefits.providerAppId"),
    *("programDefinitionIds", "programDefinitions.id", "programDefinitions.externalId"),
}
TEXTS = {
    *("namespace", "category", "externalId", "benefitKey", "itemSearchKey", "status"),
    *("externalProgramId", "externalProgramDefinitionId", "programDefinitions.externalId"),
    *("externalReference", "idempotencyKey", "poolInfo.status"),
}
AMOUNTS = {"amount.available"}
INSTANTS = {"createdDate", "endDate", "nextRenewalDate"}
STATUSES = {
    "queryPrograms": ("ACTIVE", "PAUSED", "ENDED"),
    "queryPools": ("ACTIVE", "PAUSED", "ENDED"),
    "queryTransactions": ("COMPLETED", "PENDING"),
    "queryBalances": ("ACTIVE", "PAUSED", "ENDED"),
}
RANGES = ("$gt", "$gte", "$lt", "$lte")
OPERATORS = (
    *("$eq", "$ne", *RANGES, "$in", "$nin", "$startsWith"),
    *("$isEmpty", "$exists", "$hasAll", "$hasSome"),
)
ROWS_MAX = 200


@pytest.fixture
async def gymnasium(service: Service, monkeypatch: pytest.MonkeyPatch) -> tuple[Gymnasium, Random]:
    """Random entities, the same in each run but for their ids; the evaluator knows our fields."""
    names = {name for method in QUERIES for name in METHODS[method].fields}
    monkeypatch.setattr(brute_force, "LISTS", LISTS)
    monkeypatch.setattr(brute_force, "IDS", names - TEXTS - INSTANTS - AMOUNTS - {"beneficiary"})
    monkeypatch.setattr(brute_force, "INSTANTS", INSTANTS)
    monkeypatch.setattr(brute_force, "AMOUNTS", AMOUNTS)
    aliases = {"program.id": "programId", "programDefinition.id": "programDefinitionId"}
    monkeypatch.setattr(brute_force, "ALIASES", aliases)
    random = Random(20261123)
    gymnasium = Gymnasium(service, random)
    await gymnasium.fill()
    return gymnasium, random


async def rows_of(service: Service, method: str) -> list[Row]:
    """All rows of a query, as the evaluator takes them."""
    names = set(METHODS[method].fields) - set(brute_force.ALIASES)
    pages = await service.pages(method, {"cursorPaging": {"limit": 100}})
    if any(name.startswith("beneficiary.") for name in names):
        names.add("beneficiary")
    return [{name: plain(row, name) for name in names} for page in pages for row in page]


def plain(row: Row, name: str) -> Any:
    """A field of an answer, found along its dotted name, through lists."""
    if name in INSTANTS:
        return brute_force.plain(name, row[name]) if name in row else None
    if name == "beneficiary":
        (found,) = ((key, each) for key, each in row[name].items() if key != "identityType")
        return found
    found: list[Any] = [row]
    for step in name.split("."):
        found = [each[step] for each in found if step in each]
        found = [each for one in found for each in (one if isinstance(one, list) else [one])]
    if name in AMOUNTS:
        return brute_force.plain(name, found[0])
    return found if name in LISTS else next(iter(found), None)


class Values(NamedTuple):
    """Makes operands for the filters of one method."""

    random: Random
    method: str
    rows: list[Row]

    def value(self, name: str) -> Any:
        """A value that some row has, or one that none has, as a client writes it."""
        known = [each for row in self.rows for each in brute_force.present(row, name)]
        if known and self.random.random() < 0.8:
            return self._written(name, self.random.choice(known))
        if name in INSTANTS:
            return "2026-01-01T12:00:00.000+02:00"
        if name == "beneficiary":
            return {"memberId": guid()}
        if name in AMOUNTS:
            return "12.5"
        if name.endswith("status"):
            return self.random.choice(STATUSES[self.method])
        texts = [*filter(None, CATEGORIES), *EXTERNAL_IDS, *NAMESPACES]
        return self.random.choice(texts) if name in TEXTS else guid().upper()

    def operand(self, name: str, operator: str) -> Any:
        """What may stand beside an operator."""
        if operator in {"$exists", "$isEmpty"}:
            return self.random.random() < 0.5
        if operator in {"$in", "$nin", "$hasAll", "$hasSome"}:
            return [self.value(name) for _ in range(self.random.randint(0, 3))]
        if operator == "$startsWith":
            text = brute_force.text(name, self._stored(name))
            prefix = text[: self.random.randint(0, 4)]
            return self.random.choice((prefix, prefix.upper(), prefix.swapcase()))
        if operator in {"$eq", "$ne"} and self.random.random() < 0.2:
            return None
        return self.value(name)

    def _written(self, name: str, value: Any) -> Any:
        if name in INSTANTS:
            return brute_force.iso(value)
        if name in AMOUNTS:
            return str(value)
        return dict([value]) if isinstance(value, tuple) else value

    def _stored(self, name: str) -> Any:
        value = self.value(name)
        return brute_force.plain(name, value)


async def found(service: Service, method: str, query: Row) -> list[str]:
    rows, _ = page_of(await service.call(method, {"query": query}))
    return [row["id"] for row in rows]


def expected(rows: list[Row], filter_: Any, sort: list[tuple[str, str]]) -> list[str]:
    return [row["id"] for row in brute_force.select(rows, filter_, sort)]


@pytest.mark.parametrize("method", QUERIES)
async def test_every_field_filters_with_every_operator(
    service: Service, gymnasium: tuple[Gymnasium, Random], method: str
) -> None:
    """Each field finds with each operator exactly the rows whose answers say so."""
    rows = await rows_of(service, method)
    assert len(rows) > 2
    values = Values(gymnasium[1], method, rows)
    wrong = []
    for name in sorted(METHODS[method].fields):
        assert any(brute_force.present(row, name) for row in rows), f"{name}: no row has one"
        for operator in set(OPERATORS) - ({"$startsWith"} if name in AMOUNTS else set()):
            filter_ = {name: {operator: values.operand(name, operator)}}
            query = {"filter": filter_, "cursorPaging": {"limit": 100}}
            answer = await found(service, method, query)
            if answer != expected(rows, filter_, []):
                wrong.append((filter_, len(answer), len(expected(rows, filter_, []))))
    assert wrong == []


def own(name: str) -> str:
    """The field's own name: by an alias it is the same field again."""
    return brute_force.ALIASES.get(name, name)


@pytest.mark.parametrize("method", QUERIES)
async def test_every_field_sorts(
    service: Service, gymnasium: tuple[Gymnasium, Random], method: str
) -> None:
    """Each field sorts up and down, alone and before another; what is equal goes by its id."""
    rows, random = await rows_of(service, method), gymnasium[1]
    names = sorted(METHODS[method].sortable)
    for name in names:
        for order in ("ASC", "DESC"):
            second = random.choice([each for each in names if own(each) != own(name)])
            for sort in ([(name, order)], [(name, order), (second, random.choice(ORDERS))]):
                wire = [{"fieldName": field, "order": way} for field, way in sort]
                query = {"sort": wire, "cursorPaging": {"limit": 100}}
                assert await found(service, method, query) == expected(rows, {}, sort), sort


ORDERS = ("ASC", "DESC")
ADDS = {
    "queryProgramDefinitions": Gymnasium.add_program_definition,
    "queryPoolDefinitions": Gymnasium.add_pool_definition,
    "queryPrograms": Gymnasium.add_program,
    "queryPools": Gymnasium.add_program,
    "queryBalances": Gymnasium.add_program,
    "queryTransactions": Gymnasium.add_transaction,
    "queryItems": Gymnasium.add_item,
    "queryPoolItems": Gymnasium.add_item,
    "queryPoolDefinitionItems": Gymnasium.add_item,
}
REMOVES: dict[str, Callable[[Gymnasium], Awaitable[str]]] = {
    "queryProgramDefinitions": Gymnasium.remove_program_definition,
    "queryPoolDefinitions": Gymnasium.remove_pool_definition,
    "queryItems": Gymnasium.remove_item,
    "queryPoolItems": Gymnasium.remove_item,
    "queryPoolDefinitionItems": Gymnasium.remove_item,
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("method", QUERIES)
async def test_pages_hold_while_rows_come_and_go(
    service: Service, gymnasium: tuple[Gymnasium, Random], method: str, order: str
) -> None:
    """Forth and back, every row that stays is seen exactly once, in the order of the sort."""
    world, random = gymnasium
    for name in random.sample(sorted(METHODS[method].sortable), 2):
        before = {row["id"] for row in await rows_of(service, method)}
        sort = [{"fieldName": name, "order": order}]
        query: Row = {"sort": sort, "cursorPaging": {"limit": 2}}
        rows, metadata = page_of(await service.call(method, {"query": query}))
        for way in ("next", "prev"):
            seen = [row["id"] for row in rows]
            for _ in range(ROWS_MAX):
                if way not in metadata["cursors"]:
                    break
                await change(world, random, method)
                query = {"cursorPaging": {"limit": 2, "cursor": metadata["cursors"][way]}}
                rows, metadata = page_of(await service.call(method, {"query": query}))
                ids = [row["id"] for row in rows]
                seen = seen + ids if way == "next" else ids + seen
            after = await rows_of(service, method)
            stayed = before & {row["id"] for row in after}
            assert len(seen) == len(set(seen))
            in_order = [key for key in expected(after, {}, [(name, order)]) if key in stayed]
            assert [key for key in seen if key in stayed] == in_order
            before = {row["id"] for row in after}
            query = {"sort": sort, "cursorPaging": {"limit": 100}}
            rows, metadata = await last_page(service, method, sort)


async def last_page(service: Service, method: str, sort: list[Row]) -> tuple[list[Row], Row]:
    """The page from which nothing follows, as it is when nothing changes."""
    query: Row = {"sort": sort, "cursorPaging": {"limit": 2}}
    for _ in range(ROWS_MAX):
        rows, metadata = page_of(await service.call(method, {"query": query}))
        if not metadata["hasNext"]:
            break
        query = {"cursorPaging": {"limit": 2, "cursor": metadata["cursors"]["next"]}}
    return rows, metadata


async def change(world: Gymnasium, random: Random, method: str) -> None:
    """Add a row or remove one, now and then."""
    chance = random.random()
    if chance < 0.15:
        await ADDS[method](world)
    elif chance < 0.3 and method in REMOVES:
        await REMOVES[method](world)


async def test_items_of_a_job_page_back(service: Service) -> None:
    """A page before another ends where that one begins, whatever its limit."""
    definition = await service.create_program_definition()
    for _ in range(5):
        await service.create_pool_definition(programDefinitionIds=[definition["id"]])
    job = (await service.provision(program_definition=definition))["jobId"]

    async def page(**paging: Any) -> tuple[list[str], Row]:
        answer = await service.call("listAsyncJobItems", {"jobId": job, "paging": paging})
        return [each["id"] for each in answer["jobItems"]], answer["metadata"]["cursors"]

    everything, _ = await page()
    first, cursors = await page(limit=3)
    second, cursors = await page(limit=3, cursor=cursors["next"])
    back, _ = await page(limit=100, cursor=cursors["prev"])
    assert (first, second, back) == (everything[:3], everything[3:], everything[:3])
