"""Reading pools, balances, transactions and jobs, and what is common to all queries.

Contract: section 2, Query language.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.api.methods import METHODS
from benefit_programs.storage import reader
from benefit_programs.wire.types.common import SCAN_LIMIT_MAX
from tests.support.calls import NAMESPACE, benefit, details, guid, page_of

if TYPE_CHECKING:
    from tests.support.calls import Document
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

CONTRACT = Path(__file__).parent.parent / "conformance" / "data" / "methods.json"
GROUPS = {
    name: method["query"]["groups"]
    for name, method in json.loads(CONTRACT.read_text(encoding="utf-8")).items()
    if name.startswith("query") and name in METHODS
}


async def new_pools(service: Service, *amounts: str, **fields: Any) -> list[dict[str, Any]]:
    """A program with a pool for each amount; its pools in the order of the amounts."""
    definition = await service.create_program_definition()
    made_from = [
        await service.create_pool_definition(
            details=details(amount=amount), programDefinitionIds=[definition["id"]]
        )
        for amount in amounts
    ]
    answer = await service.provision(program_definition=definition, **fields)
    by_definition = {
        each["poolDefinitionId"]: each for each in await service.pools_of(answer["program"]["id"])
    }
    return [by_definition[each["id"]] for each in made_from]


async def found(service: Service, name: str, filter_: Document) -> list[str]:
    """The ids that a query finds, in its order."""
    rows, _ = page_of(await service.call(name, {"query": {"filter": filter_}}))
    return [each["id"] for each in rows]


@pytest.mark.parametrize(
    ("name", "request_", "code"),
    [
        ("getPool", "poolId", "POOL_NOT_FOUND"),
        ("getBalance", "poolId", "BALANCE_NOT_FOUND"),
        ("getTransaction", "transactionId", "TRANSACTION_NOT_FOUND"),
        ("getAsyncJob", "jobId", "JOB_NOT_FOUND"),
        ("listAsyncJobItems", "jobId", "JOB_NOT_FOUND"),
    ],
)
async def test_what_is_not_there_is_not_found(
    service: Service, name: str, request_: str, code: str
) -> None:
    """An id that nobody has is 404 with the id, one that is no GUID is 400 with the field."""
    unknown = guid()
    refused = await service.refusal(name, {request_: unknown})
    assert (refused.status, refused.code, refused.data) == (404, code, {request_: unknown})
    refused = await service.refusal(name, {request_: "nonsense"})
    assert (refused.status, refused.fields) == (400, {request_: "FORMAT"})


async def test_other_tenants_rows_are_not_there(service: Service) -> None:
    """Pools, balances, transactions and jobs of a tenant don't exist for another."""
    definition = await service.create_pool_definition()
    answer = await service.provision(pool_definition=definition)
    (pool,) = await service.pools_of(answer["program"]["id"])
    balance = (await service.call("getBalance", {"poolId": pool["id"]}))["balance"]
    other = await service.another_tenant()
    for name, request in (
        ("getPool", {"poolId": pool["id"]}),
        ("getBalance", {"poolId": pool["id"]}),
        ("getTransaction", {"transactionId": balance["lastTransactionId"]}),
        ("getAsyncJob", {"jobId": answer["jobId"]}),
        ("listAsyncJobItems", {"jobId": answer["jobId"]}),
    ):
        assert (await other.refusal(name, request)).status == 404, name
    for name in ("queryPools", "queryBalances", "queryTransactions", "queryPrograms"):
        assert await found(other, name, {}) == []
    assert (await other.call("listBalances", {"poolIds": [pool["id"]]}))["balances"] == []


async def test_an_id_may_be_written_in_any_case(service: Service) -> None:
    """GUIDs are taken in upper case, and answered in lower case."""
    (pool,) = await new_pools(service, "1")
    upper = pool["id"].upper()
    assert (await service.call("getPool", {"poolId": upper}))["pool"] == pool
    assert await found(service, "queryPools", {"id": {"$in": [upper]}}) == [pool["id"]]


async def test_pools_are_queried_by_each_field(service: Service) -> None:
    """Pools are found by their own fields, their benefits', their beneficiary and program."""
    member = guid()
    (wanted,) = await new_pools(
        service, "1", beneficiary={"memberId": member}, programStatus="PAUSED"
    )
    await new_pools(service, "1", beneficiary={"wixUserId": guid()}, namespace="own")
    (gives,) = wanted["details"]["benefits"]
    filters: list[Document] = [
        {"id": wanted["id"]},
        {"beneficiary.memberId": member},
        {"beneficiary.wixUserId": None, "namespace": {"$exists": True}},
        {"beneficiary.wixUserId": {"$exists": False}},
        {"namespace": NAMESPACE},
        {"poolDefinitionId": wanted["poolDefinitionId"]},
        {"programDefinitionId": wanted["programDefinitionId"]},
        {"programDefinition.id": wanted["programDefinitionId"]},
        {"programId": wanted["programId"]},
        {"program.id": wanted["programId"]},
        {"status": "PAUSED"},
        {"details.benefits.itemSetId": gives["itemSetId"]},
        {"details.benefits.providerAppId": {"$hasAll": [gives["providerAppId"]]}},
        {"$and": [{"status": {"$ne": "ACTIVE"}}, {"status": {"$ne": "ENDED"}}]},
    ]
    for each in filters:
        assert await found(service, "queryPools", each) == [wanted["id"]], each


async def test_a_pool_is_found_by_its_whole_beneficiary(service: Service) -> None:
    """The beneficiary as an object finds those who are it, whichever kind they are."""
    person = {"anonymousVisitorId": guid()}
    (wanted,) = await new_pools(service, "1", beneficiary=person)
    await new_pools(service, "1")
    assert await found(service, "queryPools", {"beneficiary": person}) == [wanted["id"]]
    whole = {"beneficiary": wanted["beneficiary"]}
    assert await found(service, "queryPools", whole) == [wanted["id"]]


async def test_a_balance_tells_of_its_pool(service: Service) -> None:
    """A balance carries what its pool, program and definitions are, and its credits."""
    definition = await service.create_program_definition(externalId="gold")
    rollover = {"enabled": True, "balanceCap": "5"}
    credit = {"amount": "2.5", "rolloverConfiguration": rollover}
    made_from = await service.create_pool_definition(
        details={"benefits": [benefit("a")], "creditConfiguration": credit},
        programDefinitionIds=[definition["id"]],
    )
    program = (await service.provision(program_definition=definition))["program"]
    (pool,) = await service.pools_of(program["id"])
    balance = (await service.call("getBalance", {"poolId": pool["id"]}))["balance"]
    assert balance["poolInfo"] == {
        "id": pool["id"],
        "poolDefinitionId": made_from["id"],
        "programDefinitionId": definition["id"],
        "programId": program["id"],
        "creditAmount": "2.5",
        "namespace": NAMESPACE,
        "externalProgramDefinitionId": "gold",
        "externalProgramId": program["externalId"],
        "creditRolloverConfiguration": rollover,
        "status": "ACTIVE",
    }
    assert balance["beneficiary"] == program["beneficiary"]
    assert await found(service, "queryBalances", {}) == [balance["id"]]
    definition_of_pool = {"poolInfo.poolDefinitionId": made_from["id"], "poolInfo.status": "ACTIVE"}
    for few in ("2.5", "3", 4):
        low = {"amount.available": {"$lte": few}, **definition_of_pool}
        assert await found(service, "queryBalances", low) == [balance["id"]]
    assert await found(service, "queryBalances", {"amount.available": {"$lt": "2.5"}}) == []
    for wrong in ({"$lt": "2,5"}, {"$lt": True}, {"$lt": "0.00001"}, {"$startsWith": "2"}):
        query = {"query": {"filter": {"amount.available": wrong}}}
        assert (await service.refusal("queryBalances", query)).status == 400
    listed = await service.call("listBalances")
    assert listed["balances"] == [balance]


async def test_balances_are_listed_for_some_pools_or_all(service: Service) -> None:
    """The parameter poolIds repeats; without it all are listed; nested parameters are dotted."""
    pools = await new_pools(service, "1", "2", "3")
    ids = [each["id"] for each in pools]
    listed = await service.call("listBalances", {"poolIds": [ids[0], ids[2], guid()]})
    assert {each["id"] for each in listed["balances"]} == {ids[0], ids[2]}
    seen, request = [], {"cursorPaging": {"limit": 2}}
    for _ in ids:
        page = await service.call("listBalances", request)
        seen.append([each["id"] for each in page["balances"]])
        cursor = page["metadata"]["cursors"].get("next")
        if cursor is None:
            break
        request = {"cursorPaging": {"limit": 2, "cursor": cursor}}
    assert [len(page) for page in seen] == [2, 1]
    assert {each for page in seen for each in page} == set(ids)


async def test_balances_are_listed_for_at_most_100_pools(service: Service) -> None:
    """101 pool ids are 400, and so is one that is no GUID, with its index."""
    refused = await service.refusal("listBalances", {"poolIds": [guid()] * 101})
    assert refused.fields == {"poolIds": "MAX_SIZE"}
    refused = await service.refusal("listBalances", {"poolIds": [guid(), "x"]})
    assert refused.fields == {"poolIds[1]": "FORMAT"}


async def test_transactions_are_queried_by_each_field(service: Service) -> None:
    """Transactions are found by pool, beneficiary, correlation and status, and read by id."""
    member = guid()
    (pool,) = await new_pools(service, "1", beneficiary={"memberId": member})
    await new_pools(service, "1")
    balance = (await service.call("getBalance", {"poolId": pool["id"]}))["balance"]
    wanted = balance["lastTransactionId"]
    read = (await service.call("getTransaction", {"transactionId": wanted}))["transaction"]
    assert (read["pool"]["id"], read["pool"]["creditAmount"]) == (pool["id"], "1")
    filters: list[Document] = [
        {"id": wanted},
        {"pool.id": pool["id"]},
        {"beneficiary.memberId": member},
        {"correlationId": wanted},
        {"status": "COMPLETED", "pool.id": pool["id"]},
        {"relatedTransactionId": None, "pool.id": pool["id"]},
        {"details.item.id": {"$exists": False}, "pool.id": pool["id"]},
    ]
    for each in filters:
        assert await found(service, "queryTransactions", each) == [wanted], each
    assert await found(service, "queryTransactions", {"status": "PENDING"}) == []


async def test_the_items_of_a_job_are_paged(service: Service) -> None:
    """Each item of a job is on exactly one page; a cursor of another job is refused."""
    definition = await service.create_program_definition()
    for _ in range(5):
        await service.create_pool_definition(programDefinitionIds=[definition["id"]])
    job_id = (await service.provision(program_definition=definition))["jobId"]
    other = (await service.provision(program_definition=definition))["jobId"]
    first = await service.call("listAsyncJobItems", {"jobId": job_id, "paging": {"limit": 3}})
    cursor = first["metadata"]["cursors"]["next"]
    paging = {"limit": 3, "cursor": cursor}
    second = await service.call("listAsyncJobItems", {"jobId": job_id, "paging": paging})
    items = [*first["jobItems"], *second["jobItems"]]
    assert len({each["id"] for each in items}) == 5
    assert {each["jobId"] for each in items} == {job_id}
    assert "next" not in second["metadata"]["cursors"]
    paging = {"cursor": second["metadata"]["cursors"]["prev"], "limit": 3}
    again = await service.call("listAsyncJobItems", {"jobId": job_id, "paging": paging})
    assert again["jobItems"] == first["jobItems"]
    refused = await service.refusal("listAsyncJobItems", {"jobId": other, "paging": paging})
    assert refused.status == 400


@pytest.mark.parametrize("name", GROUPS)
async def test_every_declared_field_filters_and_sorts(service: Service, name: str) -> None:
    """Each field that the contract declares can be filtered by and, if it says so, sorted by."""
    for group in GROUPS[name]:
        for field in group["fields"]:
            for condition in ({"$exists": True}, {"$ne": None}, None):
                await found(service, name, {field: condition})
            if group["sort"] != "NONE":
                for order in ("ASC", "DESC"):
                    sort = [{"fieldName": field, "order": order}]
                    await service.call(name, {"query": {"sort": sort}})


@pytest.mark.parametrize("name", GROUPS)
async def test_another_field_is_refused(service: Service, name: str) -> None:
    """A filter or sort by a field that isn't declared is 400 with its path."""
    refused = await service.refusal(name, {"query": {"filter": {"nonsense": 1}}})
    assert list(refused.fields) == ["query.filter.nonsense"]
    sort = [{"fieldName": "createdDate"}, {"fieldName": "nonsense"}]
    refused = await service.refusal(name, {"query": {"sort": sort}})
    assert list(refused.fields) == ["query.sort[1].fieldName"]


async def test_pages_have_limits(service: Service) -> None:
    """A limit below 1 or above 100, and a sixth sort, are 400 with their paths."""
    for limit, rule in ((0, "MIN"), (-1, "MIN"), (101, "MAX")):
        query: Document = {"cursorPaging": {"limit": limit}}
        refused = await service.refusal("queryPools", {"query": query})
        assert refused.fields == {"query.cursorPaging.limit": rule}
        refused = await service.refusal("listBalances", query)
        assert refused.fields == {"cursorPaging.limit": rule}
    query = {"sort": [{"fieldName": "id"}] * 6}
    refused = await service.refusal("queryPools", {"query": query})
    assert refused.fields == {"query.sort": "MAX_SIZE"}


async def test_a_page_is_found_among_so_many_rows(service: Service) -> None:
    """A page that looks at few rows may be empty, and leads to those that it didn't look at."""
    for number in range(5):
        await service.create_program_definition(externalId=str(number), namespace=f"n{number}")
    query: Document = {"filter": {"namespace": {"$lt": "n1"}}}
    whole, _ = page_of(await service.call("queryProgramDefinitions", {"query": query}))
    assert [each["externalId"] for each in whole] == ["0"]
    found_, cursor = [], None
    for _step in range(3):
        paging = {"cursorPaging": {"cursor": cursor}} if cursor else query
        answer = await service.call(
            "queryProgramDefinitions", {"query": {"scanLimit": 2, **paging}}
        )
        rows, metadata = page_of(answer)
        found_.append(rows)
        cursor = metadata["cursors"].get("next")
        assert (metadata["count"], metadata["hasNext"]) == (len(rows), cursor is not None)
        assert "prev" not in metadata["cursors"]
    assert (found_, cursor) == ([[], [], whole], None)


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ({"scanLimit": 0}, "MIN"),
        ({"scanLimit": -1}, "MIN"),
        ({"scanLimit": SCAN_LIMIT_MAX + 1}, "MAX"),
        ({"scanLimit": 1, "sort": [{"fieldName": "namespace"}]}, "FIELD_NOT_ALLOWED"),
    ],
)
async def test_limits_of_scans_are_refused(service: Service, query: Document, rule: str) -> None:
    """None below 1 or above its largest is taken, and none in an order that needs all rows."""
    refused = await service.refusal("queryPools", {"query": query})
    assert (refused.status, refused.fields) == (400, {"query.scanLimit": rule})
    allowed = {"scanLimit": SCAN_LIMIT_MAX, "sort": [{"fieldName": "createdDate"}]}
    assert await service.call("queryPools", {"query": allowed})


async def test_fifty_rows_are_the_usual_page(service: Service) -> None:
    """Without a limit a page has 50 rows; 100 are the most."""
    new = {"namespace": NAMESPACE, "details": details()}
    await service.call("bulkCreatePoolDefinitions", {"poolDefinitions": [new] * 51})
    pages = await service.pages("queryPoolDefinitions")
    assert [len(page) for page in pages] == [50, 1]
    pages = await service.pages("queryPoolDefinitions", {"cursorPaging": {"limit": 100}})
    assert [len(page) for page in pages] == [51]


async def test_an_empty_page_leads_nowhere(service: Service) -> None:
    """A query that finds nothing has no cursors."""
    answer = await service.call("queryPools", {"query": {"filter": {"id": guid()}}})
    assert answer["pools"] == []
    assert answer["metadata"] == {"count": 0, "cursors": {}, "hasNext": False}


async def test_a_cursor_carries_filter_and_sort(service: Service) -> None:
    """Beside a cursor a filter and a sort are ignored, and a new limit is taken."""
    for number in range(5):
        await service.create_program_definition(externalId=str(number))
    query: Document = {
        "filter": {"externalId": {"$gt": "0"}},
        "sort": [{"fieldName": "externalId"}],
        "cursorPaging": {"limit": 1},
    }
    first = await service.call("queryProgramDefinitions", {"query": query})
    cursor = first["metadata"]["cursors"]["next"]
    query = {
        "filter": {"externalId": "0"},
        "sort": [{"fieldName": "externalId", "order": "DESC"}],
        "cursorPaging": {"limit": 2, "cursor": cursor},
    }
    second = await service.call("queryProgramDefinitions", {"query": query})
    assert [each["externalId"] for each in second["programDefinitions"]] == ["2", "3"]


async def test_a_cursor_is_bound_and_signed(service: Service) -> None:
    """A cursor of another method or tenant, or one that was changed, is 400 with its path."""
    for _ in range(2):
        await service.create_program_definition()
    one = {"cursorPaging": {"limit": 1}}
    answer = await service.call("queryProgramDefinitions", {"query": one})
    cursor = answer["metadata"]["cursors"]["next"]
    changed = cursor[:-2] + ("A" if cursor[-2] != "A" else "B") + cursor[-1]
    other = await service.another_tenant()
    for caller, name, given in (
        (service, "queryPrograms", cursor),
        (other, "queryProgramDefinitions", cursor),
        (service, "queryProgramDefinitions", changed),
        (service, "queryProgramDefinitions", "nonsense"),
        (service, "queryProgramDefinitions", cursor + "A"),
    ):
        query = {"cursorPaging": {"limit": 1, "cursor": given}}
        refused = await caller.refusal(name, {"query": query})
        assert refused.status == 400
        assert list(refused.fields) == ["query.cursorPaging.cursor"]


async def test_absent_values_sort_and_compare_as_declared(service: Service) -> None:
    """Absent values sort first going up; $ne and $nin include them, ranges don't."""
    definition = await service.create_program_definition()
    made_from = await service.create_pool_definition()
    has = (await service.provision(program_definition=definition))["program"]["id"]
    hasnt = (await service.provision(pool_definition=made_from))["program"]["id"]
    name, field = "queryPrograms", "programDefinitionId"
    for order, expected in (("ASC", [hasnt, has]), ("DESC", [has, hasnt])):
        query = {"sort": [{"fieldName": field, "order": order}]}
        rows, _ = page_of(await service.call(name, {"query": query}))
        assert [each["id"] for each in rows] == expected
    assert await found(service, name, {field: {"$ne": definition["id"]}}) == [hasnt]
    assert await found(service, name, {field: {"$nin": [definition["id"]]}}) == [hasnt]
    assert await found(service, name, {"$not": {field: definition["id"]}}) == [hasnt]
    lowest = "00000000-0000-0000-0000-000000000000"
    assert await found(service, name, {field: {"$gte": lowest}}) == [has]


async def test_a_date_that_was_read_finds_its_row(service: Service) -> None:
    """A createdDate finds its row, also with an offset, and ranges are exact."""
    created = await service.create_program_definition()
    date = created["createdDate"]
    local = date.removesuffix("Z") + "+00:00"
    name = "queryProgramDefinitions"
    for condition in (date, local, {"$gte": date}, {"$lte": local}, {"$in": [date]}):
        assert await found(service, name, {"createdDate": condition}) == [created["id"]]
    for condition in ({"$gt": date}, {"$lt": date}, {"$ne": date}):
        assert await found(service, name, {"createdDate": condition}) == []


async def test_text_is_found_by_its_beginning(service: Service) -> None:
    """The operator $startsWith ignores case also beyond ASCII; equality doesn't."""
    made = await service.create_program_definition(externalId="STRASSE_7")
    await service.create_program_definition(externalId="other")
    name = "queryProgramDefinitions"
    # Before PostgreSQL 18 letters have no folded form, only a lower case.
    folded = ["straße"] if getattr(service.store.dialect, "has_casefold", True) else []
    for start in (*folded, "strasse", "STRASSE_", ""):
        ids = await found(service, name, {"externalId": {"$startsWith": start}})
        assert made["id"] in ids
        assert len(ids) == (1 if start else 2)
    assert await found(service, name, {"externalId": "strasse_7"}) == []
    assert await found(service, name, {"externalId": {"$startsWith": "STRASSE%"}}) == []


async def test_a_member_reads_its_own_alone(service: Service) -> None:
    """A member's key sees its own pools and balances, whatever it filters by, and nothing else."""
    member = guid()
    (own,) = await new_pools(service, "1", beneficiary={"memberId": member})
    (foreign,) = await new_pools(service, "1")
    caller = await service.as_member(member)
    for name in ("queryPools", "queryBalances"):
        for filter_ in ({}, {"$or": [{"id": own["id"]}, {"id": foreign["id"]}]}):
            rows, _ = page_of(await caller.call(name, {"query": {"filter": filter_}}))
            assert [each["id"] for each in rows] == [own["id"]]
        query = {"filter": {"id": foreign["id"]}}
        rows, _ = page_of(await caller.call(name, {"query": query}))
        assert rows == []
    for name, request in (
        ("getPool", {"poolId": own["id"]}),
        ("getBalance", {"poolId": own["id"]}),
        ("listBalances", {}),
        ("queryTransactions", {}),
        ("queryPrograms", {}),
        ("getProgram", {"programId": own["programId"]}),
        ("createProgramDefinition", {}),
    ):
        refused = await caller.refusal(name, request)
        assert (refused.status, refused.code) == (403, "PERMISSION_DENIED"), name


async def test_reads_remember_a_bounded_number_of_snapshots(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much one answer takes, no more snapshots are remembered than their limit says."""
    monkeypatch.setattr(reader, "SNAPSHOTS_MAX", 2)
    await new_pools(service, "1", "2", "3")
    page = await service.call("queryPools", {"query": {"filter": {"namespace": NAMESPACE}}})
    assert [each["details"]["creditConfiguration"]["amount"] for each in page["pools"]] == list(
        "321"
    )
    assert 0 < len(service.running.services.reader._snapshots) <= 2
