"""Pool items and pool definition items: the items of benefits. Contract: section 3."""

from __future__ import annotations

import hashlib
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import pytest

from benefit_programs.domain.entities import (
    Item,
    Pool,
    PoolOrigin,
    PoolStatus,
    Program,
    ProgramStatus,
    SnapshotBenefit,
)
from benefit_programs.storage import item_specs
from benefit_programs.storage.query import GUIDS_DEFAULT, Query, Statement, plan_page
from benefit_programs.storage.rows import CODECS
from benefit_programs.storage.sqlite import connect
from tests.support.calls import NAMESPACE, Caller, benefit, details, guid

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

Document = dict[str, Any]


class Gym:
    """A program definition with a pool definition of two benefits, and its members' programs."""

    def __init__(
        self, service: Service, program_definition: Document, definition: Document
    ) -> None:
        self.service = service
        self.program_definition = program_definition
        self.definition = definition

    @classmethod
    async def open(cls, service: Service) -> Gym:
        program_definition = await service.create_program_definition(
            externalId="gold", displayName="Gold", description="All year"
        )
        definition = await service.create_pool_definition(
            displayName="Tokens",
            description="One per visit",
            programDefinitionIds=[program_definition["id"]],
            details={
                **details(
                    benefit("towel", price="1.5", displayName="Towel", description="Large"),
                    benefit("mug", price="0"),
                ),
                "creditConfiguration": {
                    "amount": "100",
                    "unitType": "TOKEN",
                    "unitDisplayName": "tokens",
                },
            },
        )
        return cls(service, program_definition, definition)

    async def add(self, key: str, external_id: str, category: str | None = None) -> str:
        """Put an item into a benefit, and return its id."""
        reference = {"externalId": external_id, **({"category": category} if category else {})}
        answer = await self.service.call(
            "addItemsToBenefit", {**self.named(key), "itemReferences": [reference]}
        )
        return answer["results"][0]["itemMetadata"]["id"]  # type: ignore[no-any-return]

    async def remove(self, key: str, external_id: str) -> None:
        references = [{"externalId": external_id}]
        await self.service.call(
            "removeItemsFromBenefit", {**self.named(key), "itemReferences": references}
        )

    def named(self, key: str) -> Document:
        return {"poolDefinitionId": self.definition["id"], "benefitKey": key}

    async def join(self, member_id: str | None = None, **fields: Any) -> Document:
        """Provision a program for a member, and return its only pool."""
        beneficiary = {"memberId": member_id or guid()}
        answer = await self.service.provision(
            program_definition=self.program_definition,
            **{"beneficiary": beneficiary, **fields},
        )
        (pool,) = await self.service.pools_of(answer["program"]["id"])
        return pool


async def pool_items(
    caller: Caller, filter_: Document | None = None, *sort: str, **more: Any
) -> list[Document]:
    """The pool items that a filter finds, sorted by fields, a "-" before those downwards."""
    query = {"filter": filter_ or {}, "sort": sorting(sort), "cursorPaging": {"limit": 1000}}
    return (await caller.call("queryPoolItems", {"query": query, **more}))["poolItems"]  # type: ignore[no-any-return]


async def definition_items(
    caller: Caller, filter_: Document | None = None, *sort: str, **more: Any
) -> list[Document]:
    query = {"filter": filter_ or {}, "sort": sorting(sort)}
    answer = await caller.call("queryPoolDefinitionItems", {"query": query, **more})
    return answer["poolDefinitionItems"]  # type: ignore[no-any-return]


def sorting(names: tuple[str, ...]) -> list[Document]:
    return [
        {"fieldName": name.lstrip("-"), "order": "DESC" if name[0] == "-" else "ASC"}
        for name in names
    ]


def external_ids(found: list[Document]) -> list[str]:
    return [each["externalId"] for each in found]


def derived(first: str, second: str) -> str:
    """The id that two ids make together."""
    return str(UUID(hashlib.md5(f"{first}/{second}".encode()).hexdigest()))


async def test_a_pool_item_is_answered_whole(service: Service) -> None:
    """A pool item names pool, program, definitions, benefit and item; what is extra is absent."""
    gym = await Gym.open(service)
    pool = await gym.join(member := guid())
    item_id = await gym.add("towel", "mug", "merch")
    (item,) = await service.rows(Item)
    (found,) = await pool_items(service)
    towel = gym.definition["details"]["benefits"][0]
    assert found == {
        "id": derived(pool["id"], item_id),
        "revision": "2",
        "createdDate": found["createdDate"],
        "updatedDate": found["updatedDate"],
        "externalId": "mug",
        "category": "merch",
        "providerAppId": towel["providerAppId"],
        "namespace": NAMESPACE,
        "poolId": pool["id"],
        "programId": pool["programId"],
        "externalProgramId": pool["program"]["externalId"],
        "programDefinitionId": gym.program_definition["id"],
        "externalProgramDefinitionId": "gold",
        "poolDefinitionId": gym.definition["id"],
        "itemSetId": towel["itemSetId"],
        "beneficiary": {"memberId": member, "identityType": "MEMBER"},
        "itemId": item_id,
        "benefitKey": "towel",
        "itemSearchKey": f"{towel['providerAppId']}/merch/mug",
        "removed": False,
        "poolRevision": "1",
        "itemRevision": "1",
    }
    read = (await service.call("getItem", {"itemId": item.id}))["item"]
    assert found["createdDate"] == max(read["createdDate"], pool["createdDate"])


async def test_ids_and_revisions_follow_from_pool_and_item(service: Service) -> None:
    """The id stays through changes of both, the revision is their sum, dates are the later ones."""
    gym = await Gym.open(service)
    item_id = await gym.add("mug", "cup")
    pool = await gym.join()
    (before,) = await pool_items(service)
    assert before["createdDate"] == pool["createdDate"]
    assert before["itemSearchKey"] == f"{before['providerAppId']}//cup"
    change = {"id": item_id, "revision": "1", "displayName": "Cup"}
    updated = (await service.call("updateItem", {"item": change}))["item"]
    (after,) = await pool_items(service)
    assert after["id"] == before["id"] == derived(pool["id"], item_id)
    assert (before["revision"], after["revision"]) == ("2", "3")
    assert after["updatedDate"] == updated["updatedDate"]
    (of_definition,) = await definition_items(service)
    assert of_definition["id"] == derived(gym.definition["id"], item_id)


async def test_fields_fill_what_is_asked_for(service: Service) -> None:
    """Each of the fields fills its part of a pool item, and no other's."""
    gym = await Gym.open(service)
    pool = await gym.join(displayName="Ada's year")
    item_id = await gym.add("towel", "a")
    change = {"id": item_id, "revision": "1", "displayName": "A towel"}
    await service.call("updateItem", {"item": change})
    (plain,) = await pool_items(service)
    for field, name, part in (
        (
            "POOL",
            "pool",
            {
                "displayName": "Tokens",
                "description": "One per visit",
                "status": "ACTIVE",
                "creditConfiguration": {
                    "amount": "100",
                    "unitType": "TOKEN",
                    "unitDisplayName": "tokens",
                },
            },
        ),
        ("PROGRAM", "program", pool["program"]),
        (
            "PROGRAM_DEFINITION",
            "programDefinition",
            {
                "id": gym.program_definition["id"],
                "externalId": "gold",
                "displayName": "Gold",
                "description": "All year",
            },
        ),
        ("ITEM", "itemInfo", {"displayName": "A towel"}),
        (
            "BENEFIT",
            "benefitInfo",
            {
                "price": "1.5",
                "benefitKey": "towel",
                "displayName": "Towel",
                "description": "Large",
            },
        ),
        ("BALANCE", "balance", {"available": "100"}),
    ):
        (filled,) = await pool_items(service, fields=[field])
        assert filled == {**plain, name: part}, field
    refused = await service.refusal("queryPoolItems", {"fields": ["LUCK"]})
    assert refused.fields == {"fields[0]": "INVALID_ENUM_VALUE"}


async def test_definition_items_always_name_their_program_definitions(service: Service) -> None:
    """Program definitions are named by id and external id, and described if that is asked for."""
    gym = await Gym.open(service)
    item_id = await gym.add("towel", "a")
    await service.create_pool_definition()
    (plain,) = await definition_items(service)
    towel = gym.definition["details"]["benefits"][0]
    named = {"id": gym.program_definition["id"], "externalId": "gold"}
    assert plain == {
        "id": derived(gym.definition["id"], item_id),
        "revision": "2",
        "createdDate": plain["createdDate"],
        "updatedDate": plain["updatedDate"],
        "externalId": "a",
        "providerAppId": towel["providerAppId"],
        "namespace": NAMESPACE,
        "poolDefinitionId": gym.definition["id"],
        "itemSetId": towel["itemSetId"],
        "programDefinitions": [named],
        "itemId": item_id,
        "benefitKey": "towel",
        "itemSearchKey": f"{towel['providerAppId']}//a",
        "removed": False,
        "poolDefinitionRevision": "1",
        "itemRevision": "1",
    }
    described = {**named, "displayName": "Gold", "description": "All year"}
    for field, name, part in (
        ("PROGRAM_DEFINITION", "programDefinitions", [described]),
        ("ITEM", "itemInfo", {}),
        (
            "BENEFIT",
            "benefitInfo",
            {"price": "1.5", "displayName": "Towel", "description": "Large"},
        ),
        (
            "POOL_DEFINITION",
            "poolDefinition",
            {
                "displayName": "Tokens",
                "description": "One per visit",
                "creditConfiguration": {
                    "amount": "100",
                    "unitType": "TOKEN",
                    "unitDisplayName": "tokens",
                },
            },
        ),
    ):
        (filled,) = await definition_items(service, fields=[field])
        assert filled == {**plain, name: part}, field


async def test_one_item_shows_in_every_pool_at_once(service: Service) -> None:
    """Adding an item writes one row and shows in all pools; removing it leaves no trace."""
    gym = await Gym.open(service)
    pools = [await gym.join() for _ in range(5)]
    await gym.add("towel", "a")
    assert len(await service.rows(Item)) == 1
    found = await pool_items(service)
    assert sorted(each["poolId"] for each in found) == sorted(each["id"] for each in pools)
    await gym.remove("towel", "a")
    assert await pool_items(service) == await definition_items(service) == []


async def test_ended_pools_have_no_items(service: Service) -> None:
    """Pool items of ended pools are left out, those of paused ones are not."""
    gym = await Gym.open(service)
    kept, gone = await gym.join(programStatus="PAUSED"), await gym.join()
    await gym.add("towel", "a")
    await service.call("endProgram", {"programId": gone["programId"]})
    assert [each["poolId"] for each in await pool_items(service)] == [kept["id"]]


async def test_pool_items_are_found_by_each_field(service: Service) -> None:
    """Every field of the contract filters with operators, and absence is a value too."""
    gym = await Gym.open(service)
    pool = await gym.join(member := guid(), externalProgramId="year-1")
    await gym.add("towel", "a")
    await gym.add("mug", "b", "merch")
    lone = await service.create_pool_definition()
    reference = {"poolDefinitionId": lone["id"], "benefitKey": "towel"}
    await service.call("addItemsToBenefit", {**reference, "itemReferences": [{"externalId": "c"}]})
    await service.provision(pool_definition=lone, beneficiary={"wixUserId": guid()})
    (first,) = await pool_items(service, {"externalId": "a"})
    app = first["providerAppId"]
    cases: list[tuple[Document, list[str]]] = [
        ({"id": first["id"]}, ["a"]),
        ({"id": {"$ne": first["id"].upper()}}, ["b", "c"]),
        ({"createdDate": {"$gte": first["createdDate"]}, "poolId": pool["id"]}, ["a", "b"]),
        ({"beneficiary.memberId": member}, ["a", "b"]),
        ({"beneficiary.memberId": {"$ne": member}}, ["c"]),
        ({"beneficiary.memberId": None}, ["c"]),
        ({"benefitKey": {"$in": ["mug", "soap"]}}, ["b"]),
        ({"category": "merch"}, ["b"]),
        ({"category": {"$exists": False}}, ["a", "c"]),
        ({"category": {"$lt": "z"}}, ["b"]),
        ({"externalProgramDefinitionId": {"$startsWith": "GO"}}, ["a", "b"]),
        ({"externalProgramDefinitionId": {"$exists": False}}, ["c"]),
        ({"externalProgramId": "year-1"}, ["a", "b"]),
        ({"itemSearchKey": f"{app}//a"}, ["a"]),
        ({"itemSearchKey": {"$startsWith": f"{app.upper()}/"}}, ["a"]),
        ({"itemSetId": first["itemSetId"]}, ["a"]),
        ({"namespace": NAMESPACE, "$not": {"externalId": "b"}}, ["a", "c"]),
        ({"poolDefinitionId": gym.definition["id"]}, ["a", "b"]),
        ({"programDefinitionId": {"$ne": gym.program_definition["id"]}}, ["c"]),
        ({"programId": pool["programId"]}, ["a", "b"]),
        ({"providerAppId": {"$nin": [app]}}, ["b", "c"]),
        ({"$and": [{"poolId": pool["id"]}, {"externalId": {"$gt": "a"}}]}, ["b"]),
    ]
    for filter_, expected in cases:
        assert external_ids(await pool_items(service, filter_, "externalId")) == expected, filter_
    refused = await service.refusal("queryPoolItems", {"query": {"filter": {"itemId": "x"}}})
    assert refused.fields == {"query.filter.itemId": "FIELD_NOT_ALLOWED"}


async def test_definition_items_are_found_by_each_field(service: Service) -> None:
    """Every field of the contract filters, lists by their members and by having none."""
    gym = await Gym.open(service)
    silver = await service.create_program_definition(externalId="silver")
    request = {
        "poolDefinitionId": gym.definition["id"],
        "programDefinitionId": silver["id"],
        "cascade": "IMMEDIATELY",
    }
    await service.call("addPoolDefinitionToProgramDefinition", request)
    await gym.add("towel", "a")
    await gym.add("mug", "b", "merch")
    lone = await service.create_pool_definition()
    reference = {"poolDefinitionId": lone["id"], "benefitKey": "towel"}
    await service.call("addItemsToBenefit", {**reference, "itemReferences": [{"externalId": "c"}]})
    (first,) = await definition_items(service, {"externalId": "a"})
    gold = gym.program_definition["id"]
    cases: list[tuple[Document, list[str]]] = [
        ({"id": first["id"]}, ["a"]),
        ({"createdDate": first["createdDate"], "externalId": "a"}, ["a"]),
        ({"benefitKey": "towel"}, ["a", "c"]),
        ({"category": {"$exists": True}}, ["b"]),
        ({"itemSearchKey": {"$in": [first["itemSearchKey"]]}}, ["a"]),
        ({"itemSetId": {"$ne": first["itemSetId"]}}, ["b", "c"]),
        ({"namespace": {"$gt": NAMESPACE}}, []),
        ({"poolDefinitionId": lone["id"]}, ["c"]),
        ({"providerAppId": first["providerAppId"]}, ["a"]),
        ({"programDefinitions.id": {"$hasAll": [gold, silver["id"]]}}, ["a", "b"]),
        ({"programDefinitions.id": {"$hasSome": [gold, guid()]}}, ["a", "b"]),
        ({"programDefinitions.id": gold}, ["a", "b"]),
        ({"programDefinitions.id": {"$exists": False}}, ["c"]),
        ({"programDefinitions.externalId": {"$hasAll": ["gold", "bronze"]}}, []),
        ({"programDefinitions.externalId": {"$startsWith": "Sil"}}, ["a", "b"]),
        ({"programDefinitions.externalId": []}, ["c"]),
    ]
    for filter_, expected in cases:
        found = await definition_items(service, filter_, "externalId")
        assert external_ids(found) == expected, filter_
    ordered = await definition_items(service, {}, "programDefinitions.externalId", "-externalId")
    assert external_ids(ordered) == ["c", "b", "a"]


async def test_pool_items_are_sorted(service: Service) -> None:
    """The newest come first, ties by id; absent values are first upwards and last downwards."""
    gym = await Gym.open(service)
    await gym.join()
    await gym.join()
    for key, external_id, category in (("towel", "a", None), ("mug", "b", "z"), ("mug", "c", "y")):
        await gym.add(key, external_id, category)
    found = await pool_items(service)
    assert found == sorted(found, key=lambda row: (row["createdDate"], row["id"]), reverse=True)
    by_category = await pool_items(service, {}, "category", "externalId")
    assert external_ids(by_category) == ["a", "a", "c", "c", "b", "b"]
    assert (
        external_ids(await pool_items(service, {}, "-category")) == external_ids(by_category)[::-1]
    )
    by_id = await pool_items(service, {}, "id")
    assert [row["id"] for row in by_id] == sorted(row["id"] for row in found)


async def test_pages_neither_repeat_nor_hide(service: Service) -> None:
    """Items that are added and removed meanwhile neither repeat nor hide others; fields stay."""
    gym = await Gym.open(service)
    await gym.join()
    for number in range(6):
        await gym.add("towel", str(number))
    order = sorting(("externalId",))
    query: Document = {"sort": order, "cursorPaging": {"limit": 2}}
    page = await service.call("queryPoolItems", {"query": query, "fields": ["BALANCE"]})
    seen = external_ids(page["poolItems"])
    await gym.remove("towel", "1")
    await gym.remove("towel", "3")
    await gym.add("towel", "00")
    await gym.add("towel", "45")
    while page["metadata"]["hasNext"]:
        paging = {"limit": 2, "cursor": page["metadata"]["cursors"]["next"]}
        page = await service.call("queryPoolItems", {"query": {"cursorPaging": paging}})
        assert all(row["balance"] == {"available": "100"} for row in page["poolItems"])
        seen += external_ids(page["poolItems"])
    assert seen == ["0", "1", "2", "4", "45", "5"]
    paging = {"limit": 100, "cursor": page["metadata"]["cursors"]["prev"]}
    back = await service.call("queryPoolItems", {"query": {"cursorPaging": paging}})
    assert external_ids(back["poolItems"]) == ["0", "00", "2", "4"]


async def test_a_member_sees_its_own(service: Service) -> None:
    """A member's key sees its own pool items, whatever it asks for, and no definition items."""
    gym = await Gym.open(service)
    mine = await gym.join(member_id := guid())
    theirs = await gym.join(other_id := guid())
    await gym.add("towel", "a")
    member = await service.as_member(member_id)
    assert [each["poolId"] for each in await pool_items(member)] == [mine["id"]]
    assert await pool_items(member, {"beneficiary.memberId": other_id}) == []
    assert await pool_items(member, {"poolId": theirs["id"]}) == []
    everything = {"$or": [{"externalId": "a"}, {"beneficiary.memberId": other_id}]}
    assert len(await pool_items(member, everything)) == 1
    for name in ("queryPoolDefinitionItems", "queryItems", "countItems"):
        assert (await member.refusal(name, {})).status == 403
    await service.refusal("queryPoolItems", {"query": {"cursorPaging": {"cursor": "x"}}})


async def test_an_app_says_whose_items_it_asks_for(service: Service) -> None:
    """An app must pin the member in the top conjunction, also through $in; elsewhere is 400."""
    gym = await Gym.open(service)
    await gym.join(member_id := guid())
    await gym.add("towel", "a")
    app = await service.as_app()
    member = {"beneficiary.memberId": member_id}
    for filter_ in (
        member,
        {"$and": [{"externalId": "a"}, {"$and": [member]}]},
        {"beneficiary.memberId": {"$in": [member_id, guid()]}},
    ):
        assert external_ids(await pool_items(app, filter_)) == ["a"]
    for filter_ in (
        {},
        {"externalId": "a"},
        {"$or": [member, {"externalId": "a"}]},
        {"beneficiary.memberId": {"$ne": member_id}},
        {"beneficiary.memberId": None},
    ):
        refused = await app.refusal("queryPoolItems", {"query": {"filter": filter_}})
        assert refused.status == 400
        assert refused.fields == {"query.filter.beneficiary.memberId": "REQUIRED_FIELD"}
    assert len(await definition_items(app)) == 1


async def test_items_of_tenants_are_apart(service: Service) -> None:
    """A tenant sees nothing of another's pools and items, and takes none of its cursors."""
    gym = await Gym.open(service)
    await gym.join()
    for number in range(2):
        await gym.add("towel", str(number))
    other = await service.another_tenant()
    assert await pool_items(other) == await definition_items(other) == []
    page = await service.call("queryPoolItems", {"query": {"cursorPaging": {"limit": 1}}})
    paging = {"cursorPaging": {"cursor": page["metadata"]["cursors"]["next"]}}
    for caller, name in ((other, "queryPoolItems"), (service, "queryPoolDefinitionItems")):
        refused = await caller.refusal(name, {"query": paging})
        assert refused.fields == {"query.cursorPaging.cursor": "FORMAT"}


@pytest.mark.parametrize("name", ["queryPoolItems", "queryPoolDefinitionItems"])
async def test_a_page_has_up_to_a_thousand(service: Service, name: str) -> None:
    """The limit of a page is 1,000; beyond it, or below 1, is 400."""
    await service.call(name, {"query": {"cursorPaging": {"limit": 1000}}})
    for limit, rule in ((1001, "MAX"), (0, "MIN")):
        refused = await service.refusal(name, {"query": {"cursorPaging": {"limit": limit}}})
        assert refused.fields == {"query.cursorPaging.limit": rule}


INDEX_CASES = [
    ("beneficiary.memberId", ["ix_pools_member_id"]),
    ("poolId", ["pk_pools", "sqlite_autoindex_pools_1"]),
    ("programId", ["ix_pools_program_id", "ix_pools_live_program_id"]),
    ("externalProgramId", ["ix_programs_external_id"]),
    ("itemSetId", ["ix_pools_live_snapshot_id"]),
    ("externalId", ["uq_items_reference"]),
]


async def test_pool_items_are_found_through_indexes(
    own_service: Service, database_url: str
) -> None:
    """A filter by an id that callers have reads through an index that begins with it."""
    dialect, tenant_id = own_service.store.dialect, own_service.tenant.id
    async with explaining(database_url, tenant_id) as explain:
        for field, indexes in INDEX_CASES:
            plan = plan_page(
                item_specs.pool_items(dialect),
                Query(filter={field: guid()}),
                dialect=dialect,
                tenant_id=tenant_id,
                ids=GUIDS_DEFAULT,
                secret=b"",
            )
            steps = await explain(plan.statement)
            assert any(index in steps for index in indexes), f"{field}: {steps}"
            assert "(tenant_id=?)" not in steps, f"{field} goes through a whole tenant: {steps}"


@asynccontextmanager
async def explaining(
    url: str, tenant_id: int
) -> AsyncIterator[Callable[[Statement], Awaitable[str]]]:
    """Ask the engine how it would run a statement on large tables.

    SQLite is told by the schema how large they are, PostgreSQL looks at what is put there for it.
    """
    if url.startswith("sqlite"):
        with closing(connect(Path(url.removeprefix("sqlite:///")), read_only=True)) as file:

            async def explain_on_sqlite(statement: Statement) -> str:
                sql = f"EXPLAIN QUERY PLAN {statement.sql}"
                return "\n".join(str(row[3]) for row in file.execute(sql, statement.parameters))

            yield explain_on_sqlite
        return
    connection = await asyncpg.connect(url)

    async def explain_on_postgres(statement: Statement) -> str:
        rows = await connection.fetch(f"EXPLAIN {statement.sql}", *statement.parameters)
        return "\n".join(row[0] for row in rows)

    await connection.execute("BEGIN")
    await fill(connection, tenant_id)
    yield explain_on_postgres
    await connection.execute("ROLLBACK")
    await connection.close()


async def fill(connection: Any, tenant_id: int) -> None:
    """Give a tenant many definitions with a few pools each, and tell the planner."""
    definitions = [(guid(), guid(), guid(), guid()) for _ in range(1000)]
    benefits = [
        SnapshotBenefit(
            snapshot_id=snapshot_id,
            benefit_key="towel",
            ordinal=0,
            item_set_id=item_set_id,
            provider_app_id=app_id,
            price=0,
        )
        for _, snapshot_id, item_set_id, app_id in definitions
    ]
    entity = {"revision": 1, "created": 0, "updated": 0, "namespace": NAMESPACE}
    items = [
        Item(
            id=guid(),
            item_set_id=item_set_id,
            provider_app_id=app_id,
            category="",
            external_id=guid(),
            **entity,
        )
        for _, _, item_set_id, app_id in definitions
        for _ in range(3)
    ]
    programs = [
        Program(
            id=guid(),
            member_id=guid(),
            external_id=guid(),
            status=ProgramStatus.ACTIVE,
            **entity,
        )
        for _ in range(5000)
    ]
    pools = [
        Pool(
            id=guid(),
            member_id=program.member_id,
            program_id=program.id,
            program_external_id=program.external_id,
            pool_definition_id=definitions[number % 1000][0],
            pool_definition_revision=1,
            snapshot_id=definitions[number % 1000][1],
            status=PoolStatus.ACTIVE,
            origin=PoolOrigin.PROVISION,
            available=0,
            balance_revision=1,
            balance_updated=0,
            **entity,
        )
        for number, program in enumerate(programs)
    ]
    for rows in (benefits, items, programs, pools):
        codec = CODECS[type(rows[0])]
        await connection.copy_records_to_table(
            codec.table,
            records=[(tenant_id, *codec.values(row, codec.columns)) for row in rows],
            columns=["tenant_id", *codec.columns],
        )
    await connection.execute("ANALYZE")


async def test_a_pool_row_is_written_by_no_item(service: Service) -> None:
    """Items come and go without a change of any pool."""
    gym = await Gym.open(service)
    await gym.join()
    before = await service.rows(Pool)
    await gym.add("towel", "a")
    await gym.remove("towel", "a")
    assert await service.rows(Pool) == before
