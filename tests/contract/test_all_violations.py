"""A request that is refused is told all that is wrong with it, in one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.errors import VIOLATIONS_MAX
from tests.support.calls import NAMESPACE, details, guid

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

ENGINES = ["sqlite"]

CASCADE = ("cascade", "OTHER", "cascade_is_required")
FORMAT = "FORMAT"
REQUIRED = "REQUIRED_FIELD"


async def told(service: Service, method: str, request: dict[str, Any]) -> set[tuple[str, ...]]:
    """What the answer says: field, rule, and the rule's name where it has one."""
    refused = await service.refusal(method, request)
    assert refused.status == 400
    return {
        tuple(each[key] for key in ("field", "violatedRule", "ruleName") if key in each)
        for each in refused.violations
    }


async def test_entries_of_a_list_that_is_too_long(service: Service) -> None:
    """A list with too many entries is refused for its size, and for what its entries break."""
    ids = [guid() for _ in range(21)]
    ids[3] = "three"
    new = {"namespace": "", "details": details(), "programDefinitionIds": ids}
    assert await told(service, "createPoolDefinition", {"poolDefinition": new}) == {
        ("poolDefinition.namespace", "MIN_LENGTH"),
        ("poolDefinition.programDefinitionIds", "MAX_SIZE"),
        ("poolDefinition.programDefinitionIds[3]", FORMAT),
        CASCADE,
    }


async def test_entries_past_the_size_are_not_judged(service: Service) -> None:
    """A list of any length gets no more violations than a list of the right size and its own."""
    refused = await service.refusal("listBalances", {"poolIds": ["x"] * 1_000})
    rules = [each["violatedRule"] for each in refused.violations]
    assert rules == ["MAX_SIZE"] + [FORMAT] * (VIOLATIONS_MAX - 1)
    assert refused.body["message"].endswith("; and 1 more")


async def test_answers_name_so_many_violations(service: Service) -> None:
    """However much is wrong, an answer names no more than its limit, and says how much more."""
    leaf: dict[str, Any] = {}
    for _ in range(3):
        leaf = {"type": "OPERATOR_AND", "operatorAndOptions": {"expressions": [leaf] * 10}}
    new = {"namespace": NAMESPACE, "details": details(policyExpression=leaf)}
    refused = await service.refusal("createPoolDefinition", {"poolDefinition": new})
    assert len(refused.violations) == VIOLATIONS_MAX
    assert refused.body["message"].endswith("; and 900 more")


async def test_bulk_answers_name_so_many_violations(service: Service) -> None:
    """The same holds for all entries of a bulk request together; each is told something."""
    entries: list[dict[str, Any]] = [{}] * 30 + [{"externalId": "x"}] * 30
    answer = await service.call("bulkCreateItems", {"items": entries})
    errors = [each["itemMetadata"]["error"] for each in answer["results"]]
    counts = [len(each["data"]["fieldViolations"]) for each in errors]
    alone = await service.refusal("createItem", {"item": {}})
    assert sum(counts) == VIOLATIONS_MAX
    assert counts[0] == len(alone.violations) > 1
    assert counts[-1] == 1
    assert errors[0]["description"] == "The request is not valid."
    more = len((await service.refusal("createItem", {"item": entries[-1]})).violations) - 1
    assert errors[-1]["description"].endswith(f" {more} more violations are not named.")


async def test_filter_that_is_too_large_is_not_read(service: Service) -> None:
    """A member can't have half a megabyte judged: the size is refused, and nothing inside."""
    members = {"id": {"$in": [1] * 500}}
    caller = await service.as_member(guid())
    query = {"filter": {"$or": [members] * 499}, "cursorPaging": {"limit": 0}}
    refused = await caller.refusal("queryPools", {"query": query})
    assert refused.fields == {"query.filter": "MAX_LENGTH", "query.cursorPaging.limit": "MIN"}
    query = {"filter": {"$or": [members] * 90}}
    refused = await caller.refusal("queryPools", {"query": query})
    assert len(refused.violations) == VIOLATIONS_MAX
    assert refused.body["message"].endswith(f"; and {90 * 500 - VIOLATIONS_MAX} more")


async def test_entries_of_a_bulk_request_of_the_wrong_size(service: Service) -> None:
    """A bulk request that is refused as a whole is refused for its entries too."""
    request = {"items": [{"externalId": guid()}] + [{}] * 100, "returnEntity": "perhaps"}
    found = await told(service, "bulkCreateItems", request)
    assert {("items", "MAX_SIZE"), ("returnEntity", FORMAT)} < found
    assert ("items[0].namespace", REQUIRED) in found
    assert ("items[0].externalId", REQUIRED) not in found
    assert ("items[1].externalId", REQUIRED) in found
    assert ("items[100].externalId", REQUIRED) not in found


@pytest.mark.parametrize("method", ["addItemsToBenefit", "removeItemsFromBenefit"])
async def test_items_of_a_benefit_that_is_not_named(service: Service, method: str) -> None:
    """Whoever names no benefit hears of the items that are none, too."""
    request = {"poolDefinitionId": "none", "itemReferences": [{}, {"externalId": "x" * 65}]}
    assert await told(service, method, request) == {
        ("poolDefinitionId", FORMAT),
        ("benefitKey", REQUIRED),
        ("itemReferences[0].externalId", REQUIRED),
        ("itemReferences[1].externalId", "MAX_LENGTH"),
    }


CHANGE = {"displayName": "x" * 129}
ENTRY = {"poolDefinition": CHANGE}
LACKS = ("revision", REQUIRED), ("displayName", "MAX_LENGTH")


def prefixed(place: str) -> set[tuple[str, ...]]:
    return {(f"{place}poolDefinition.{field}", rule) for field, rule in LACKS}


UNDECIDED: list[tuple[str, dict[str, Any], set[tuple[str, ...]]]] = [
    ("updatePoolDefinition", {"poolDefinition": {"id": guid(), **CHANGE}}, prefixed("")),
    (
        "bulkUpdatePoolDefinitions",
        {"poolDefinitions": [ENTRY]},
        prefixed("poolDefinitions[0].") | {("poolDefinitions[0].poolDefinition.id", REQUIRED)},
    ),
    ("bulkDeletePoolDefinitions", {"poolDefinitionIds": ["x"]}, {("poolDefinitionIds[0]", FORMAT)}),
    ("deletePoolDefinition", {"poolDefinitionId": "x"}, {("poolDefinitionId", FORMAT)}),
    (
        "addPoolDefinitionToProgramDefinition",
        {"poolDefinitionId": "x"},
        {("poolDefinitionId", FORMAT), ("programDefinitionId", REQUIRED)},
    ),
    (
        "removePoolDefinitionFromProgramDefinition",
        {"poolDefinitionId": "x"},
        {("poolDefinitionId", FORMAT), ("programDefinitionId", REQUIRED)},
    ),
]


@pytest.mark.parametrize("cascade", [{}, {"cascade": "UNKNOWN_CASCADE"}])
@pytest.mark.parametrize(("method", "request_", "others"), UNDECIDED)
async def test_cascade_that_is_not_chosen(
    service: Service,
    method: str,
    request_: dict[str, Any],
    others: set[tuple[str, ...]],
    cascade: dict[str, Any],
) -> None:
    """Not to say when a change reaches what was made is told beside all else."""
    assert await told(service, method, request_ | cascade) == others | {CASCADE}


@pytest.mark.parametrize(("method", "request_", "others"), UNDECIDED)
async def test_cascade_that_makes_no_sense(
    service: Service, method: str, request_: dict[str, Any], others: set[tuple[str, ...]]
) -> None:
    """What is no cascade is told by a rule name of its own, beside all else."""
    unsupported = ("cascade", "OTHER", "cascade_value_not_supported")
    assert await told(service, method, request_ | {"cascade": "LATER"}) == others | {unsupported}


async def test_cascade_of_a_new_definition_that_makes_no_sense(service: Service) -> None:
    """A new definition is refused for it, whether it joins others or not."""
    new = {"namespace": NAMESPACE, "details": details()}
    for ids in ([], [guid()]):
        request = {"poolDefinition": new | {"programDefinitionIds": ids}, "cascade": 5}
        assert await told(service, "createPoolDefinition", request) == {
            ("cascade", "OTHER", "cascade_value_not_supported")
        }


async def test_cascade_that_a_new_definition_needs(service: Service) -> None:
    """A new definition needs a cascade where it joins others, however that is written."""
    new = {"namespace": NAMESPACE, "details": details()}
    joining = new | {"program_definition_ids": [guid()]}
    single, bulk = "createPoolDefinition", "bulkCreatePoolDefinitions"
    assert await told(service, single, {"pool_definition": joining}) == {CASCADE}
    assert await told(service, bulk, {"pool_definitions": [new, joining]}) == {CASCADE}
    unchosen = {"cascade": "UNKNOWN_CASCADE"}
    assert await told(service, single, {"poolDefinition": joining, **unchosen}) == {CASCADE}
    assert await told(service, bulk, {"poolDefinitions": [joining], **unchosen}) == {CASCADE}
    alone = new | {"programDefinitionIds": []}
    await service.call(single, {"poolDefinition": alone})
    await service.call(single, {"poolDefinition": new, **unchosen})
    await service.call(bulk, {"poolDefinitions": [alone, new]})


async def test_details_without_benefits(service: Service) -> None:
    """Details that lack their benefits are told so beside what else they break."""
    new = {"namespace": NAMESPACE, "details": {"creditConfiguration": {"amount": "-1"}}}
    assert await told(service, "createPoolDefinition", {"poolDefinition": new}) == {
        ("poolDefinition.details.creditConfiguration.amount", "DECIMAL_GTE"),
        ("poolDefinition.details.benefits", REQUIRED),
    }


TWICE = [{"benefitKey": "a", "providerAppId": guid(), "price": "1"}] * 2


async def test_details_that_no_pool_can_live_by(service: Service) -> None:
    """What details break as a whole is told beside what other fields break."""
    new = {"namespace": "", "details": {"benefits": TWICE}}
    broken = {
        ("namespace", "MIN_LENGTH"),
        ("details.benefits[0].price", "OTHER", "price_needs_credit_configuration"),
        ("details.benefits[1].price", "OTHER", "price_needs_credit_configuration"),
        ("details.benefits[1].benefitKey", "OTHER", "benefit_key_is_unique"),
    }
    request = {"poolDefinition": new, "cascade": "LATER"}
    assert await told(service, "createPoolDefinition", request) == {
        ("cascade", "OTHER", "cascade_value_not_supported"),
        *((f"poolDefinition.{field}", *rule) for field, *rule in broken),
    }
    answer = await service.call("bulkCreatePoolDefinitions", {"poolDefinitions": [new]})
    violations = answer["results"][0]["itemMetadata"]["error"]["data"]["fieldViolations"]
    assert {each["field"] for each in violations} == {
        f"poolDefinitions[0].{field}" for field, *_ in broken
    }


@pytest.mark.parametrize("name", ["poolDefinition", "pool"])
async def test_changes_that_name_a_benefit_twice(service: Service, name: str) -> None:
    """A key that is there twice is told beside what else a change breaks."""
    change = {"id": guid(), "details": {"benefits": TWICE}}
    request = {name: change, "cascade": "IMMEDIATELY"}
    assert await told(service, f"update{name[0].upper()}{name[1:]}", request) == {
        (f"{name}.revision", REQUIRED),
        (f"{name}.details.benefits[1].benefitKey", "OTHER", "benefit_key_is_unique"),
    }


async def test_body_that_contradicts_its_address(service: Service) -> None:
    """An id that differs from the address's is told beside all else."""
    path = f"/benefit-programs/v1/pool-definitions/{guid()}"
    body = {"poolDefinition": {"id": guid(), **CHANGE}}
    response = await service.request("PATCH", path, json=body)
    violations = response.json()["details"]["validationError"]["fieldViolations"]
    assert {(each["field"], each["violatedRule"]) for each in violations} == {
        ("poolDefinition.id", "FIELD_NOT_ALLOWED"),
        ("poolDefinition.revision", REQUIRED),
        ("poolDefinition.displayName", "MAX_LENGTH"),
        ("cascade", "OTHER"),
    }


async def test_changes_of_balances_that_need_holds(service: Service) -> None:
    """All that an adjustment may not say yet is told together, and beside all else."""
    reserving = {
        "sourceBalanceType": "RESERVED",
        "targetBalanceType": "RESERVED",
        "supersededTransactionId": guid(),
        "lowerLimit": "-1",
    }
    refused = {(f"adjustOptions.{field}", "FIELD_NOT_ALLOWED") for field in reserving}
    request = {"poolId": guid(), "idempotencyKey": "1", "adjustOptions": {"value": "1"} | reserving}
    assert await told(service, "changeBalance", request) == refused
    request = {"poolId": "x", "adjustOptions": reserving}
    assert await told(service, "changeBalance", request) == refused | {
        ("poolId", FORMAT),
        ("idempotencyKey", REQUIRED),
        ("adjustOptions.value", REQUIRED),
    }
    request = {"poolId": "x", "setOptions": {"value": "1", "targetBalanceType": "RESERVED"}}
    assert await told(service, "changeBalance", request | {"idempotencyKey": "1"}) == {
        ("poolId", FORMAT),
        ("setOptions.targetBalanceType", "FIELD_NOT_ALLOWED"),
    }


async def test_filters_and_orders(service: Service) -> None:
    """A query is told of each field that it can't filter or sort by, and of each wrong value."""
    query = {
        "filter": {"nothing": 1, "createdDate": {"$gt": "yesterday"}, "id": {"$like": "x"}},
        "sort": [{"fieldName": "nothing"}, {"fieldName": "no more"}],
    }
    found = await told(service, "queryPools", {"query": query})
    assert {field for field, *_ in found} == {
        "query.filter.nothing",
        "query.filter.createdDate.$gt",
        "query.filter.id.$like",
        "query.sort[0].fieldName",
        "query.sort[1].fieldName",
    }


async def test_filters_of_requests_without_shape(service: Service) -> None:
    """Whoever gets the page wrong is told of the filter at once."""
    query = {"filter": {"nothing": 1}, "cursorPaging": {"limit": 0}, "sort": [{}]}
    assert await told(service, "queryPools", {"query": query}) == {
        ("query.filter.nothing", "FIELD_NOT_ALLOWED"),
        ("query.cursorPaging.limit", "MIN"),
        ("query.sort[0].fieldName", REQUIRED),
    }
    query["filter"] = {"programDefinitionId": "none"}
    found = await told(service, "queryPools", {"query": query})
    assert ("query.filter.programDefinitionId", FORMAT) in found
    count = {"filter": {"createdDate": {"$gt": "now"}, "id": {"$like": ""}}}
    assert len(await told(service, "countItems", count)) == 2


async def test_settings(service: Service) -> None:
    """Settings are told of all that is wrong with them, where it stands in the body."""
    settings = {
        "timeZone": "Mars/Olympus",
        "policyProviders": [{"appId": guid(), "url": "nowhere"}],
        "extendedFieldSchemas": [
            {"entity": "POOL", "namespace": "@a/b", "schema": {"type": "no type"}}
        ],
    }
    found = await told(service, "updateSettings", {"settings": settings})
    assert {field for field, *_ in found} == {
        "settings.timeZone",
        "settings.policyProviders[0].secret",
        "settings.policyProviders[0].url",
        "settings.extendedFieldSchemas[0].schema.type",
    }
