"""The methods of items. Contract: Prices and item sets, Bulk, Revisions and PATCH, listItems."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.api.handlers import items as handlers
from benefit_programs.domain.event_rows import Event
from tests.support.calls import NAMESPACE, Caller, benefit, details, guid
from tests.support.lifecycle import run_jobs

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio


async def new_benefit(caller: Caller, **fields: Any) -> dict[str, Any]:
    """A new pool definition's only benefit."""
    definition = await caller.create_pool_definition(**fields)
    return definition["details"]["benefits"][0]  # type: ignore[no-any-return]


def item_of(owner: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An item as a client sends it, of a benefit."""
    return {
        "externalId": guid(),
        "itemSetId": owner["itemSetId"],
        "providerAppId": owner["providerAppId"],
        "namespace": NAMESPACE,
        **fields,
    }


async def create(caller: Caller, owner: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = await caller.call("createItem", {"item": item_of(owner, **fields)})
    return answer["item"]  # type: ignore[no-any-return]


async def listed(caller: Caller, **filter_: Any) -> list[str]:
    """The external ids that a list gives, sorted."""
    answer = await caller.call("listItems", {"filter": filter_})
    return sorted(each["externalId"] for each in answer["items"])


async def test_a_new_item_is_answered_whole(service: Service) -> None:
    """Creating answers with everything that was sent, at revision 1, and it reads back the same."""
    sent = item_of(
        await new_benefit(service),
        category="merch",
        displayName="Mug",
        extendedFields={"namespaces": {"@gym/app": {"shelf_id": 7}}},
    )
    created = (await service.call("createItem", {"item": sent}))["item"]
    assert sent.items() <= created.items()
    assert created["revision"] == "1"
    assert created["createdDate"] == created["updatedDate"]
    assert (await service.call("getItem", {"itemId": created["id"]}))["item"] == created
    assert await service.slugs_of(created["id"]) == ["created"]


async def test_an_item_is_unique_by_its_reference_in_its_item_set(service: Service) -> None:
    """The same app, category and external id in one item set is 409; no category is ""."""
    owner = await new_benefit(service)
    first = await create(service, owner, externalId="mug")
    for category in ({}, {"category": ""}):
        again = {"item": item_of(owner, externalId="mug", **category)}
        refused = await service.refusal("createItem", again)
        assert (refused.status, refused.code) == (409, "ITEM_ALREADY_EXISTS")
        assert refused.data["itemId"] == first["id"]
    await create(service, owner, externalId="mug", category="merch")
    await create(service, owner, externalId="Mug")
    await create(service, await new_benefit(service), externalId="mug")
    assert "category" not in first


async def test_an_item_set_that_no_benefit_has_is_not_found(service: Service) -> None:
    """An item set that never was is 404, and so is another tenant's."""
    owner = await new_benefit(service)
    other = await new_benefit(await service.another_tenant())
    for stranger in (guid(), other["itemSetId"]):
        refused = await service.refusal("createItem", {"item": item_of(owner, itemSetId=stranger)})
        assert (refused.status, refused.code) == (404, "ITEM_SET_NOT_FOUND")
        assert refused.data == {"itemSetId": stranger}


async def test_an_item_set_lives_as_long_as_a_benefit_has_it(service: Service) -> None:
    """A removed benefit's item set takes items while a pool has the benefit, and is 404 after."""
    definition = await service.create_pool_definition()
    (owner,) = definition["details"]["benefits"]
    program = (await service.provision(pool_definition=definition))["program"]
    change = {"id": definition["id"], "revision": "1", "details": {"benefits": []}}
    await service.call(
        "updatePoolDefinition", {"poolDefinition": change, "cascade": "FUTURE_PROVISIONS"}
    )
    await create(service, owner)
    request = {"poolDefinitionId": definition["id"], "cascade": "FUTURE_PROVISIONS"}
    await service.call("deletePoolDefinition", request)
    await create(service, owner)
    await service.call("endProgram", {"programId": program["id"]})
    refused = await service.refusal("createItem", {"item": item_of(owner)})
    assert refused.code == "ITEM_SET_NOT_FOUND"


async def test_an_item_agrees_with_its_benefit(service: Service) -> None:
    """Another provider app or namespace than the benefit's is 400 with both paths."""
    owner = await new_benefit(service)
    wrong = item_of(owner, providerAppId=guid(), namespace="pool")
    refused = await service.refusal("createItem", {"item": wrong})
    assert refused.status == 400
    assert refused.fields == {"item.providerAppId": "OTHER", "item.namespace": "OTHER"}
    bulk = await service.call("bulkCreateItems", {"items": [item_of(owner), wrong]})
    error = bulk["results"][1]["itemMetadata"]["error"]
    assert [each["field"] for each in error["data"]["fieldViolations"]] == [
        "items[1].providerAppId",
        "items[1].namespace",
    ]


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("externalId", "", "MIN_LENGTH"),
        ("externalId", "x" * 65, "MAX_LENGTH"),
        ("itemSetId", "mine", "FORMAT"),
        ("providerAppId", 5, "FORMAT"),
        ("namespace", None, "REQUIRED_FIELD"),
        ("category", "x" * 21, "MAX_LENGTH"),
        ("displayName", "x" * 401, "MAX_LENGTH"),
    ],
)
async def test_a_bad_field_is_refused(
    service: Service, field: str, value: object, rule: str
) -> None:
    """What breaks a rule of the contract is 400 with its path and the rule."""
    sent = {**item_of({"itemSetId": guid(), "providerAppId": guid()}), field: value}
    refused = await service.refusal("createItem", {"item": sent})
    assert (refused.status, refused.fields) == (400, {f"item.{field}": rule})


async def test_bulk_entries_fail_alone(service: Service) -> None:
    """Bad, double and stray entries fail with their codes, and the others are created."""
    owner = await new_benefit(service)
    entries = [
        item_of(owner, externalId="a"),
        item_of(owner, externalId="a"),
        item_of(owner, itemSetId="x"),
        item_of(owner, itemSetId=guid()),
        item_of(owner, externalId="b"),
    ]
    answer = await service.call("bulkCreateItems", {"items": entries, "returnEntity": True})
    metadata = [each["itemMetadata"] for each in answer["results"]]
    assert [each["originalIndex"] for each in metadata] == [0, 1, 2, 3, 4]
    assert [each.get("error", {}).get("code") for each in metadata] == [
        None,
        "ITEM_ALREADY_EXISTS",
        "VALIDATION_ERROR",
        "ITEM_SET_NOT_FOUND",
        None,
    ]
    created = [each["item"] for each in answer["results"] if "item" in each]
    assert [each["externalId"] for each in created] == ["a", "b"]
    assert created[1]["id"] == metadata[4]["id"]
    assert answer["bulkActionMetadata"] == {
        "totalSuccesses": 2,
        "totalFailures": 3,
        "undetailedFailures": 0,
    }
    for size in (0, 101):
        refused = await service.refusal("bulkCreateItems", {"items": [item_of(owner)] * size})
        assert (refused.status, [*refused.fields]) == (400, ["items"])


async def test_an_update_changes_what_was_sent_and_counts_up(service: Service) -> None:
    """A PATCH changes the name, keeps what it doesn't name, and ignores what can't change."""
    created = await create(service, await new_benefit(service), displayName="Mug")
    sent = {**created, "displayName": "Cup", "externalId": "other", "category": "stolen"}
    updated = (await service.call("updateItem", {"item": sent}))["item"]
    assert updated == created | {
        "displayName": "Cup",
        "revision": "2",
        "updatedDate": updated["updatedDate"],
    }
    stale = await service.refusal("updateItem", {"item": sent})
    assert (stale.status, stale.code) == (409, "INVALID_REVISION")
    assert stale.data == {"revisionViolation": {"entityId": created["id"]}}
    missing = await service.refusal("updateItem", {"item": {"id": created["id"]}})
    assert missing.fields == {"item.revision": "REQUIRED_FIELD"}
    cleared = {"id": created["id"], "revision": "2", "displayName": None}
    assert "displayName" not in (await service.call("updateItem", {"item": cleared}))["item"]
    assert await service.slugs_of(created["id"]) == ["created", "updated", "updated"]


async def test_extended_fields_merge_by_namespace(service: Service) -> None:
    """An update replaces the namespaces it sends, removes those sent as null, keeps the others."""
    fields = {"namespaces": {"@a/one": {"x": 1, "y": 2}, "@b/two": {"z": 3}, "@c/three": {}}}
    created = await create(service, await new_benefit(service), extendedFields=fields)
    change = {"namespaces": {"@a/one": {"x": 5}, "@b/two": None}}
    sent = {"id": created["id"], "revision": "1", "extendedFields": change}
    updated = (await service.call("updateItem", {"item": sent}))["item"]
    assert updated["extendedFields"] == {"namespaces": {"@a/one": {"x": 5}, "@c/three": {}}}


async def test_bulk_updates_see_each_other(service: Service) -> None:
    """The same item twice: the second entry sees what the first did; a mask narrows each."""
    created = await create(service, await new_benefit(service), displayName="Mug")
    change = {"id": created["id"], "displayName": "Cup"}
    entries = [
        {"item": {**change, "revision": "1"}, "fieldMask": "displayName"},
        {"item": {**change, "revision": "1"}},
        {"item": {**change, "revision": "2", "displayName": "Bowl"}, "fieldMask": "extendedFields"},
        {"item": {"id": guid(), "revision": "1"}},
    ]
    answer = await service.call("bulkUpdateItems", {"items": entries, "returnEntity": True})
    codes = [each["itemMetadata"].get("error", {}).get("code") for each in answer["results"]]
    assert codes == [None, "INVALID_REVISION", None, "ITEM_NOT_FOUND"]
    assert answer["results"][2]["item"]["displayName"] == "Cup"
    assert answer["results"][2]["item"]["revision"] == "3"


async def test_a_deleted_item_is_gone(service: Service) -> None:
    """A deletion answers {} and is told of; the item is 404 after, and its reference is free."""
    owner = await new_benefit(service)
    created = await create(service, owner, externalId="mug")
    assert await service.call("deleteItem", {"itemId": created["id"]}) == {}
    assert await service.slugs_of(created["id"]) == ["created", "deleted"]
    for name in ("getItem", "deleteItem"):
        refused = await service.refusal(name, {"itemId": created["id"]})
        assert (refused.status, refused.code) == (404, "ITEM_NOT_FOUND")
        assert refused.data == {"itemId": created["id"]}
    assert (await create(service, owner, externalId="mug"))["id"] != created["id"]


async def test_bulk_deletions_fail_alone(service: Service) -> None:
    """An id that is unknown, repeated, of another tenant or malformed fails; the others go."""
    one = await create(service, await new_benefit(service))
    other = await service.another_tenant()
    theirs = await create(other, await new_benefit(other))
    ids = [guid(), one["id"], one["id"], theirs["id"], "x"]
    answer = await service.call("bulkDeleteItems", {"itemIds": ids})
    codes = [each["itemMetadata"].get("error", {}).get("code") for each in answer["results"]]
    missing = "ITEM_NOT_FOUND"
    assert codes == [missing, None, missing, missing, "VALIDATION_ERROR"]
    assert answer["results"][1]["itemMetadata"]["id"] == one["id"]
    assert (await other.call("getItem", {"itemId": theirs["id"]}))["item"] == theirs


async def test_a_query_finds_items_by_each_field(service: Service) -> None:
    """Every field of an item's query filters with operators and sorts, the category by absence."""
    owner = await new_benefit(service)
    plain = await create(service, owner, externalId="a")
    merch = await create(service, owner, externalId="b", category="merch")
    await create(service, await new_benefit(service), externalId="c")
    mine = {"itemSetId": owner["itemSetId"]}

    async def found(filter_: dict[str, Any], *sort: str) -> list[str]:
        order = [{"fieldName": name} for name in sort]
        answer = await service.call("queryItems", {"query": {"filter": filter_, "sort": order}})
        return [each["externalId"] for each in answer["items"]]

    assert await found({}) == ["c", "b", "a"]
    assert await found(mine, "externalId") == ["a", "b"]
    assert await found({"category": None}) == ["c", "a"]
    assert await found({**mine, "category": {"$exists": False}}) == ["a"]
    assert await found({**mine, "category": {"$ne": "merch"}}) == ["a"]
    assert await found(mine, "category") == ["a", "b"]
    assert await found({"providerAppId": owner["providerAppId"].upper()}) == ["b", "a"]
    assert await found({"id": {"$in": [plain["id"], merch["id"]]}}) == ["b", "a"]
    assert await found({"namespace": {"$startsWith": "GY"}, "externalId": {"$gt": "b"}}) == ["c"]
    assert await found({"createdDate": {"$lte": plain["createdDate"]}, "externalId": "a"}) == ["a"]
    refused = await service.refusal("queryItems", {"query": {"filter": {"displayName": "x"}}})
    assert refused.fields == {"query.filter.displayName": "FIELD_NOT_ALLOWED"}


async def test_a_page_of_items_has_up_to_a_thousand(service: Service) -> None:
    """The limit of a page is 1,000, and follow-up pages need the cursor alone."""
    owner = await new_benefit(service)
    for number in range(3):
        await create(service, owner, externalId=f"item-{number}")
    paging = {"limit": 2}
    query = {"filter": {"itemSetId": owner["itemSetId"]}, "cursorPaging": paging}
    first = await service.call("queryItems", {"query": query})
    assert (first["metadata"]["count"], first["metadata"]["hasNext"]) == (2, True)
    cursor = first["metadata"]["cursors"]["next"]
    second = await service.call(
        "queryItems", {"query": {"cursorPaging": {"limit": 1000, "cursor": cursor}}}
    )
    assert [each["externalId"] for each in second["items"]] == ["item-0"]
    refused = await service.refusal("queryItems", {"query": {"cursorPaging": {"limit": 1001}}})
    assert refused.fields == {"query.cursorPaging.limit": "MAX"}


async def test_a_list_may_name_a_filter_type_alone(service: Service) -> None:
    """What the official client sends, a type without references, lists everything in pages."""
    owner = await new_benefit(service)
    for number in range(3):
        await create(service, owner, externalId=str(number))
    request: dict[str, Any] = {
        "filter": {"type": "BY_REFERENCE"},
        "cursorPaging": {"limit": "2"},
    }
    first = await service.call("listItems", request)
    cursor = first["metadata"]["cursors"]["next"]
    second = await service.call("listItems", {"cursorPaging": {"cursor": cursor}})
    assert [each["externalId"] for each in (*first["items"], *second["items"])] == ["2", "1", "0"]


async def test_a_list_takes_references(service: Service) -> None:
    """References come as JSON, by position or by repetition; each narrows by what it names."""
    one, two = await new_benefit(service), await new_benefit(service)
    for owner in (one, two):
        await create(service, owner, externalId="a")
        await create(service, owner, externalId="b", category="merch")
        await create(service, owner, externalId="b")
    app, other = one["providerAppId"], two["providerAppId"]
    by_reference = "filter.byReferenceOptions.filters"

    async def found(*pairs: tuple[str, str]) -> list[tuple[str, str, str]]:
        path = "/benefit-programs/v1/items"
        response = await service.request("GET", path, params=list(pairs))
        assert response.status_code == 200, response.text
        return sorted(
            (each["itemSetId"], each["externalId"], each.get("category", ""))
            for each in response.json()["items"]
        )

    mine, theirs = one["itemSetId"], two["itemSetId"]
    reference = {"externalId": "b", "category": "merch", "providerAppId": app}
    assert await found((by_reference, json.dumps(reference))) == [(mine, "b", "merch")]
    assert await found(
        (f"{by_reference}[1].provider_app_id", other),
        (f"{by_reference}[0].externalId", "a"),
        (f"{by_reference}[1].externalId", "b"),
        (f"{by_reference}[0].providerAppId", app),
        (f"{by_reference}[1].category", ""),
    ) == sorted([(mine, "a", ""), (theirs, "b", "")])
    assert await found(
        (f"{by_reference}.externalId", "a"),
        (f"{by_reference}.providerAppId", app),
        (f"{by_reference}.externalId", "b"),
        (f"{by_reference}.providerAppId", other),
    ) == sorted([(mine, "a", ""), (theirs, "b", ""), (theirs, "b", "merch")])
    by_item_set = "filter.byItemSetIdAndReferenceOptions.filters"
    pairs = [{"itemSetId": mine, "externalId": "a"}, {"itemSetId": theirs, "externalId": "b"}]
    assert await found(
        ("filter.type", "BY_ITEM_SET_ID_AND_REFERENCE"),
        *((by_item_set, json.dumps(pair)) for pair in pairs),
    ) == sorted([(mine, "a", ""), (theirs, "b", ""), (theirs, "b", "merch")])


async def test_a_list_is_narrowed_by_a_namespace(service: Service) -> None:
    """Only the items of the namespace are listed."""
    await create(service, await new_benefit(service), externalId="a")
    owner = await new_benefit(service, namespace="pool")
    await create(service, owner, externalId="b", namespace="pool")
    assert await listed(service, namespace="pool") == ["b"]
    assert await listed(service) == ["a", "b"]


async def test_a_list_takes_a_hundred_different_references(service: Service) -> None:
    """A hundred references that share nothing are one list, which pages to its end."""
    owners = [await new_benefit(service) for _ in range(3)]
    for number, owner in enumerate(owners):
        await create(service, owner, externalId=str(number), category=f"c{number}")
    references = [
        {
            "itemSetId": owner["itemSetId"],
            "externalId": str(number),
            "category": f"c{number}",
            "providerAppId": owner["providerAppId"],
        }
        for number, owner in enumerate(owners)
    ]
    strangers = [
        {"itemSetId": guid(), "externalId": guid(), "category": guid()[:20], "providerAppId": app}
        for app in (guid() for _ in range(97))
    ]
    filters = [json.dumps(each) for each in (*strangers, *references)]
    request: dict[str, Any] = {
        "filter": {"byItemSetIdAndReferenceOptions": {"filters": filters}},
        "cursorPaging": {"limit": 2},
    }
    first = await service.call("listItems", request)
    paging = {"cursor": first["metadata"]["cursors"]["next"]}
    second = await service.call("listItems", {"cursorPaging": paging})
    assert [each["externalId"] for each in (*first["items"], *second["items"])] == ["2", "1", "0"]


@pytest.mark.parametrize(
    ("filter_", "field", "rule"),
    [
        ({"type": "BY_LUCK"}, "filter.type", "INVALID_ENUM_VALUE"),
        (
            {"byReferenceOptions": {"filters": ["mug"]}},
            "filter.byReferenceOptions.filters[0]",
            "FORMAT",
        ),
        (
            {"byReferenceOptions": {"filters": ['{"providerAppId": "x"}']}},
            "filter.byReferenceOptions.filters[0].providerAppId",
            "FORMAT",
        ),
        (
            {"byReferenceOptions": {"filters": {"externalId": ["a", "b"], "category": "c"}}},
            "filter.byReferenceOptions.filters",
            "FORMAT",
        ),
        (
            {"byReferenceOptions": {"filters": ["{}"] * 101}},
            "filter.byReferenceOptions.filters",
            "MAX_SIZE",
        ),
        (
            {
                "type": "BY_REFERENCE",
                "byItemSetIdAndReferenceOptions": {"filters": ['{"externalId": "a"}']},
            },
            "filter.type",
            "ONE_OF_ALIGNMENT",
        ),
    ],
)
async def test_a_bad_list_is_refused(
    service: Service, filter_: dict[str, Any], field: str, rule: str
) -> None:
    """References that are none, too many, or of another type than named are 400."""
    refused = await service.refusal("listItems", {"filter": filter_})
    assert (refused.status, refused.fields) == (400, {field: rule})


async def test_items_are_counted(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A count takes the query's filter and gives the number, up to what is counted at most."""
    owner = await new_benefit(service)
    for number in range(3):
        await create(service, owner, externalId=str(number), displayName="x")
    filter_ = {"itemSetId": owner["itemSetId"], "externalId": {"$ne": "0"}}
    assert await service.call("countItems", {"filter": filter_}) == {"count": 2}
    assert await service.call("countItems", {}) == {"count": 3}
    assert await service.call("countItems", {"filter": {"itemSetId": guid()}}) == {"count": 0}
    refused = await service.refusal("countItems", {"filter": {"displayName": "x"}})
    assert refused.fields == {"filter.displayName": "FIELD_NOT_ALLOWED"}
    monkeypatch.setattr(handlers, "COUNT_MAX", 2)
    refused = await service.refusal("countItems", {})
    assert (refused.status, refused.code) == (428, "TOO_MANY_TO_COUNT")
    assert await service.call("countItems", {"filter": filter_}) == {"count": 2}


async def test_items_of_tenants_are_apart(service: Service) -> None:
    """Nothing of another tenant's items is read, counted or changed."""
    other = await service.another_tenant()
    theirs = await create(other, await new_benefit(other))
    change = {"item": {"id": theirs["id"], "revision": "1", "displayName": "stolen"}}
    for name, request in (("getItem", {"itemId": theirs["id"]}), ("updateItem", change)):
        assert (await service.refusal(name, request)).code == "ITEM_NOT_FOUND"
    assert await service.call("countItems", {}) == {"count": 0}
    assert await listed(service) == []


async def test_items_of_a_benefit_are_added_and_removed_by_reference(service: Service) -> None:
    """Items take the benefit's app and the definition's namespace; each entry fails alone."""
    definition = await service.create_pool_definition(
        details=details(benefit("towel"), benefit("mug"))
    )
    towel = definition["details"]["benefits"][0]
    named = {"poolDefinitionId": definition["id"], "benefitKey": "towel"}
    references = [
        {"externalId": "a"},
        {"externalId": "a", "category": "x"},
        {"externalId": "a"},
        {"externalId": ""},
    ]
    added = await service.call("addItemsToBenefit", {**named, "itemReferences": references})
    metadata = [each["itemMetadata"] for each in added["results"]]
    codes = [each.get("error", {}).get("code") for each in metadata]
    assert codes == [None, None, "ITEM_ALREADY_EXISTS", "VALIDATION_ERROR"]
    first = (await service.call("getItem", {"itemId": metadata[0]["id"]}))["item"]
    assert first["providerAppId"] == towel["providerAppId"]
    assert (first["itemSetId"], first["namespace"]) == (towel["itemSetId"], NAMESPACE)
    assert "category" not in first

    gone = [{"externalId": "a"}, {"externalId": "a"}, {"externalId": "b"}]
    removed = await service.call("removeItemsFromBenefit", {**named, "itemReferences": gone})
    metadata = [each["itemMetadata"] for each in removed["results"]]
    codes = [each.get("error", {}).get("code") for each in metadata]
    assert codes == [None, "NOT_FOUND", "NOT_FOUND"]
    assert metadata[0]["id"] == first["id"]
    assert metadata[2]["error"]["data"] == {"externalId": "b"}
    assert removed["bulkActionMetadata"]["totalFailures"] == 2
    assert await service.slugs_of(first["id"]) == ["created", "deleted"]
    assert await service.call("countItems", {}) == {"count": 1}


async def test_only_a_definition_s_benefit_takes_items(service: Service) -> None:
    """An unknown definition or key is 404 as a whole, and so is another tenant's definition."""
    definition = await service.create_pool_definition()
    theirs = await (await service.another_tenant()).create_pool_definition()
    for name in ("addItemsToBenefit", "removeItemsFromBenefit"):
        for owner, key in ((guid(), "towel"), (definition["id"], "soap"), (theirs["id"], "towel")):
            request = {
                "poolDefinitionId": owner,
                "benefitKey": key,
                "itemReferences": [{"externalId": "a"}],
            }
            refused = await service.refusal(name, request)
            assert (refused.status, refused.code) == (404, "POOL_DEFINITION_BENEFIT_NOT_FOUND")
            assert refused.data == {"poolDefinitionId": owner, "benefitKey": key}


async def test_items_are_deleted_by_a_filter(service: Service) -> None:
    """All items of the namespace that the filter finds go, each with its event, and a job tells."""
    owner = await new_benefit(service)
    for first in range(0, 250, 50):
        entries = [
            item_of(owner, externalId=f"item-{number:03}", category="old")
            for number in range(first, first + 50)
        ]
        await service.call("bulkCreateItems", {"items": entries})
    kept = await create(service, owner, externalId="kept")
    elsewhere = await new_benefit(service, namespace="pool")
    await create(service, elsewhere, externalId="other", namespace="pool", category="old")
    other = await service.another_tenant()
    await create(other, await new_benefit(other), category="old")

    request = {"namespace": NAMESPACE, "filter": {"category": "old"}}
    answer = await service.call("bulkDeleteItemsByFilter", request)
    await service.running.runner.settle()
    job = (await service.call("getAsyncJob", {"jobId": answer["jobId"]}))["job"]
    assert job["status"] == "FINISHED"
    assert (job["counts"]["total"], job["counts"]["successCount"]) == (250, 250)
    remaining = await service.call("queryItems", {"query": {"sort": [{"fieldName": "externalId"}]}})
    assert [each["externalId"] for each in remaining["items"]] == ["kept", "other"]
    assert await other.call("countItems", {}) == {"count": 1}
    deleted = [event for event in await service.rows(Event) if event.slug == "deleted"]
    assert len({event.entity_id for event in deleted}) == 250
    assert (await service.call("getItem", {"itemId": kept["id"]}))["item"] == kept


async def test_a_deletion_goes_on_where_it_was_left(idle_service: Service) -> None:
    """The answer comes at once; whichever runner takes the job up later does each item once."""
    service = idle_service
    owner = await new_benefit(service)
    for first in range(0, 250, 50):
        entries = [
            item_of(owner, externalId=f"item-{number:03}") for number in range(first, first + 50)
        ]
        await service.call("bulkCreateItems", {"items": entries})
    everything = {"namespace": NAMESPACE, "filter": {}}
    answer = await service.call("bulkDeleteItemsByFilter", everything)
    job = (await service.call("getAsyncJob", {"jobId": answer["jobId"]}))["job"]
    assert job["status"] == "INITIALIZED"
    late = await create(service, owner, externalId="late")
    await run_jobs(service)
    job = (await service.call("getAsyncJob", {"jobId": answer["jobId"]}))["job"]
    assert (job["status"], job["counts"]["successCount"]) == ("FINISHED", 250)
    listed = await service.call("queryItems", {"query": {}})
    assert [each["id"] for each in listed["items"]] == [late["id"]]
    told = await service.call("listAsyncJobItems", {"jobId": answer["jobId"]})
    assert told["metadata"]["hasNext"]


async def test_a_deletion_by_an_empty_filter_empties_the_namespace(service: Service) -> None:
    """An empty filter finds all; where nothing is found, the job says so."""
    await create(service, await new_benefit(service))
    for total in (1, 0):
        everything = {"namespace": NAMESPACE, "filter": {}}
        answer = await service.call("bulkDeleteItemsByFilter", everything)
        await service.running.runner.settle()
        job = (await service.call("getAsyncJob", {"jobId": answer["jobId"]}))["job"]
        assert (job["status"], job["counts"]["total"]) == ("FINISHED", total)
    assert await service.call("countItems", {}) == {"count": 0}


async def test_a_bad_deletion_deletes_nothing(service: Service) -> None:
    """Without namespace or filter, or with a field that isn't known, it is 400 and nothing goes."""
    await create(service, await new_benefit(service))
    where, by = {"namespace": NAMESPACE}, {"category": "old"}
    for request, fields in (
        ({"filter": {}}, {"namespace"}),
        ({**where, "filter": {"luck": 1}}, {"filter.luck"}),
        (where, {"filter"}),
        ({**where, "filter": None}, {"filter"}),
        ({**where, "filtre": by}, {"filter", "filtre"}),
        ({**where, "query": {"filter": by}}, {"filter", "query"}),
        ({**where, "filter": {}, "category": "old"}, {"category"}),
        ({**where, "filter": {}, "cascade": None, "Filter": by}, {"cascade", "Filter"}),
    ):
        refused = await service.refusal("bulkDeleteItemsByFilter", request)
        assert (refused.status, set(refused.fields)) == (400, fields)
    await service.running.runner.settle()
    assert await service.call("countItems", {}) == {"count": 1}
