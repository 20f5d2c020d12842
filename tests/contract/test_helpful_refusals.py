"""Refusals tell what was sent, what is wanted and what may be meant, and repeat little of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.violations import VIOLATIONS_MAX
from benefit_programs.domain.words import SHOWN_LENGTH_MAX
from benefit_programs.storage.query.language import HINTS_MAX
from tests.support.calls import NAMESPACE, Refused, guid

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

QUERY = "/benefit-programs/v1/programs/query"


def descriptions(refusal: Refused) -> dict[str, str]:
    return {each["field"]: each["description"] for each in refusal.violations}


async def test_a_wrong_content_type_is_named(service: Service) -> None:
    """What cURL sends by itself is told, beside what is wanted; a long one is cut."""
    form = "application/x-www-form-urlencoded"
    for sent, told in ((form, form), ("x" * 1_000, "x" * (SHOWN_LENGTH_MAX - 1) + "\u2026")):
        headers = {"content-type": sent}
        refusal = Refused(await service.request("POST", QUERY, content=b"{}", headers=headers))
        assert (refusal.status, refusal.code) == (415, "UNSUPPORTED_MEDIA_TYPE")
        assert refusal.data == {"contentType": told, "supported": ["application/json"]}
        assert refusal.body["message"] == (
            "The body must be JSON, with the content-type application/json. "
            f"Its content-type is {told}."
        )


@pytest.mark.parametrize(
    ("body", "said", "place"),
    [
        (b'{"query": }', "invalid character", (1, 11)),
        (b'{\n  "query": {},\n}', "trailing comma in object", (3, 1)),
        ('{"\u00e4\u00f6": 1, x}'.encode(), "object keys must be strings", (1, 11)),
        (b'{"query": {', "it ends too early", (1, 12)),
        (b'{"query":\n "\xff"}', "no UTF-8", (2, 3)),
        (b"query=1", "invalid character", (1, 1)),
        (b"{} {}", "trailing characters", (1, 4)),
    ],
)
async def test_broken_json_is_told_its_place(
    service: Service, body: bytes, said: str, place: tuple[int, int]
) -> None:
    """Line and column, both from 1, are where reading stopped."""
    headers = {"content-type": "application/json"}
    refusal = Refused(await service.request("POST", QUERY, content=body, headers=headers))
    (violation,) = refusal.violations
    line, column = place
    assert violation["data"] == {"type": "JSON", "line": line, "column": column}
    assert violation["description"].startswith("the body must be valid JSON: ")
    assert said in violation["description"]
    assert violation["description"].endswith(f"at line {line}, column {column}")


async def test_formats_are_told_by_example(service: Service) -> None:
    """A value that is no amount, instant or GUID is told what one looks like."""
    document = {
        "poolId": guid(),
        "idempotencyKey": "k",
        "adjustOptions": {"value": "much"},
        "transactionDetails": {"effectiveDate": "tomorrow", "count": "some"},
    }
    told = descriptions(await service.refusal("changeBalance", document))
    assert told["adjustOptions.value"] == 'must be a valid DECIMAL, such as "12.5"'
    told = descriptions(await service.refusal("getPool", {"poolId": "7"}))
    assert told["poolId"].startswith("must be a valid GUID, such as ")


async def test_a_misspelt_member_is_told_the_nearest(service: Service) -> None:
    """Members of enums are told with the one that may be meant, in filters and elsewhere."""
    definition = {"poolDefinitionId": guid(), "cascade": "IMEDIATLY"}
    told = descriptions(await service.refusal("deletePoolDefinition", definition))
    assert told["cascade"] == (
        "must be one of NEXT_RENEWAL, IMMEDIATELY, FUTURE_PROVISIONS; IMMEDIATELY may be meant"
    )
    told = descriptions(await service.refusal("provisionProgram", {"programStatus": "active"}))
    assert told["programStatus"] == "must be one of ACTIVE, PAUSED; ACTIVE may be meant"
    query = {"query": {"filter": {"status": "PAUSD"}}}
    told = descriptions(await service.refusal("queryPrograms", query))
    assert told["query.filter.status"].endswith("; PAUSED may be meant")
    query = {"query": {"filter": {"status": "x" * 5_000}}}
    told = descriptions(await service.refusal("queryPrograms", query))
    assert "may be meant" not in told["query.filter.status"]
    assert "xxx" not in told["query.filter.status"]


async def test_unknown_names_of_a_query_are_told_those_that_exist(service: Service) -> None:
    """A field that nothing is filtered or sorted by is told the nearest, else all that are."""
    told = descriptions(
        await service.refusal(
            "queryPrograms",
            {
                "query": {
                    "filter": {"namspace": "gym", "zzz": 1, "$ad": []},
                    "sort": [{"fieldName": "createDate"}, {"fieldName": "zzz"}],
                }
            },
        )
    )
    filterable = "zzz is no field of this filter; there are "
    assert told["query.filter.namspace"] == (
        "namspace is no field of this filter; namespace may be meant"
    )
    assert told["query.filter.zzz"].startswith(filterable)
    assert "namespace" in told["query.filter.zzz"]
    assert told["query.filter.$ad"] == "$ad is no operator here; $and may be meant"
    assert told["query.sort[0].fieldName"] == (
        "createDate is no field to sort by; createdDate may be meant"
    )
    assert told["query.sort[1].fieldName"].startswith("zzz is no field to sort by; there are ")


async def test_refusals_of_filters_stay_short(service: Service) -> None:
    """Names are cut, and only the first unknown ones are told what may be meant."""
    unknown: dict[str, Any] = {f"{number}{'x' * 180}": 1 for number in range(400)}
    refusal = await service.refusal("queryPrograms", {"query": {"filter": unknown}})
    assert len(refusal.violations) == VIOLATIONS_MAX
    assert sum("there are" in each["description"] for each in refusal.violations) == HINTS_MAX
    longest = max(len(each["field"]) for each in refusal.violations)
    assert longest == len("query.filter.") + SHOWN_LENGTH_MAX
    operators = {"status": {f"${'y' * 1_000}": 1}}
    refusal = await service.refusal("queryPrograms", {"query": {"filter": operators}})
    assert len(refusal.response.content) < 1_000


async def test_a_program_that_exists_is_named(service: Service) -> None:
    """Who provisions a second time is told the id of the program that is there."""
    definition = await service.create_pool_definition()
    first = await service.provision(pool_definition=definition, externalProgramId="mine")
    document = {
        "poolDefinitionLookupId": {"poolDefinitionId": definition["id"]},
        "beneficiary": {"memberId": guid()},
        "namespace": NAMESPACE,
        "externalProgramId": "mine",
    }
    refusal = await service.refusal("provisionProgram", document)
    assert (refusal.status, refusal.code) == (409, "PROGRAM_ALREADY_EXISTS")
    assert refusal.data["programId"] == first["program"]["id"]


async def test_administrators_are_told_another_namespace(service: Service) -> None:
    """What another namespace has is told to administrators; what none has, and to apps, isn't."""
    definition = await service.create_program_definition(externalId="gold")
    pool_definition = await service.create_pool_definition()
    answer = await service.provision(pool_definition=pool_definition, externalProgramId="one")
    program = answer["program"]
    (pool,) = await service.pools_of(program["id"])
    elsewhere = {"namespace": "sauna"}
    redemption = {
        "poolId": pool["id"],
        "itemReference": {"externalId": "towel", "providerAppId": guid()},
        "benefitKey": "towel",
        "idempotencyKey": "k",
    }
    cases: list[tuple[str, dict[str, Any]]] = [
        ("getProgramDefinitionByExternalIdAndNamespace", {"externalId": definition["externalId"]}),
        ("getProgramByExternalIdAndNamespace", {"externalId": program["externalId"]}),
        ("redeemBenefit", redemption),
    ]
    app = await service.as_app()
    another = await service.another_tenant()
    for name, document in cases:
        refusal = await service.refusal(name, document | elsewhere)
        assert (refusal.status, refusal.data["existsInNamespace"]) == (404, NAMESPACE)
        assert refusal.body["message"].endswith(f" It does in namespace {NAMESPACE}.")
        for caller in (app, another):
            refusal = await caller.refusal(name, document | elsewhere)
            assert refusal.status == 404
            assert "existsInNamespace" not in refusal.data
    unknown = redemption | {"poolId": guid(), "namespace": NAMESPACE}
    assert "existsInNamespace" not in (await service.refusal("redeemBenefit", unknown)).data
    others = redemption | {"beneficiary": {"memberId": guid()}, "namespace": NAMESPACE}
    assert "existsInNamespace" not in (await service.refusal("redeemBenefit", others)).data
