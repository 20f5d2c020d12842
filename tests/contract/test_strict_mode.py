"""Strict mode: what a request says that would be ignored is refused, and told where it belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.api.strictness import STRICT_HEADER
from benefit_programs.domain.words import SHOWN_LENGTH_MAX
from benefit_programs.wire.codec.strictness import VIOLATIONS_MAX
from tests.support.calls import NAMESPACE, Caller, Refused, details, guid

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

STRICT = {"x_benefits_strict": "true"}
LENIENT = {"x_benefits_strict": "false"}

Found = dict[str, tuple[str | None, str]]


def told(violations: list[dict[str, Any]]) -> Found:
    """The violations that strict mode adds: rule and description by field."""
    return {
        each["field"]: (each["ruleName"], each["description"])
        for each in violations
        if str(each.get("ruleName")).endswith("_field")
    }


async def refused(caller: Caller, name: str, document: dict[str, Any]) -> Found:
    """What a strict request is refused with."""
    refusal = await caller.refusal(name, document, **STRICT)
    assert refusal.status == 400
    return told(refusal.violations)


def new_pool_definition(**fields: Any) -> dict[str, Any]:
    return {"namespace": NAMESPACE, "details": details(), **fields}


async def provisioned(service: Service) -> dict[str, Any]:
    definition = await service.create_pool_definition()
    answer = await service.provision(pool_definition=definition)
    program: dict[str, Any] = answer["program"]
    return program


# Where fields belong.


async def test_a_cascade_belongs_beside_the_pool_definition(service: Service) -> None:
    """What is one object too deep is told beside which object it belongs."""
    body = {"poolDefinition": new_pool_definition(cascade="IMMEDIATELY")}
    assert await refused(service, "createPoolDefinition", body) == {
        "poolDefinition.cascade": ("misplaced_field", "belongs beside poolDefinition")
    }


async def test_a_filter_belongs_in_the_query(service: Service) -> None:
    """What is outside of its object is told which one it belongs in, however deep that is."""
    body = {"filter": {"namespace": NAMESPACE}, "limit": 3, "query": {"limit": 2}}
    assert await refused(service, "queryPrograms", body) == {
        "filter": ("misplaced_field", "belongs in query"),
        "limit": ("misplaced_field", "belongs in query.cursorPaging"),
        "query.limit": ("misplaced_field", "belongs in cursorPaging"),
    }


async def test_fields_have_other_names(service: Service) -> None:
    """Words that people use, typing errors, snake case and aliases are told the field's name."""
    body = {
        "pool_id": guid(),
        "quantity": 2,
        "itemReference": {"externalID": "mug", "providerAppId": guid()},
        "benefitkey": "gym10",
        "idempotencyKey": "k",
        "namespace": NAMESPACE,
    }
    assert await refused(service, "redeemBenefit", body) == {
        "pool_id": ("misnamed_field", "is called poolId"),
        "quantity": ("misnamed_field", "is called count"),
        "itemReference.externalID": ("misnamed_field", "is called externalId"),
        "benefitkey": ("misnamed_field", "is called benefitKey"),
    }
    alias = {"poolDefinitionReference": {"pool_definition_id": guid()}}
    assert await refused(service, "provisionProgram", alias) == {
        "poolDefinitionReference": ("misnamed_field", "is called poolDefinitionLookupId"),
    }


async def test_what_is_readonly_cannot_be_changed(service: Service) -> None:
    """What was chosen at creation can't be changed; what the service sets, it alone sets."""
    program = await provisioned(service)
    body = {
        "program": {
            "id": program["id"],
            "revision": program["revision"],
            "beneficiary": program["beneficiary"],
            "namespace": "other",
            "status": "PAUSED",
        }
    }
    assert await refused(service, "updateProgram", body) == {
        "program.beneficiary": ("readonly_field", "can't be changed"),
        "program.namespace": ("readonly_field", "can't be changed"),
        "program.status": ("readonly_field", "is set by the service"),
    }
    benefits = details()["benefits"]
    benefits[0]["itemSetId"] = guid()
    made = {"poolDefinition": new_pool_definition(id=guid(), details={"benefits": benefits})}
    assert await refused(service, "createPoolDefinition", made) == {
        "poolDefinition.id": ("readonly_field", "is set by the service"),
        "poolDefinition.details.benefits[0].itemSetId": (
            "readonly_field",
            "is set by the service",
        ),
    }


async def test_an_unknown_field_is_told_those_that_exist(service: Service) -> None:
    """Where nothing is near, the fields of the object are listed."""
    body = {"programDefinition": {"namespace": "gym", "externalId": "x", "zzz": 1}}
    known = (
        "namespace, externalId, displayName, description, extendedFields, renewalConfiguration,"
        " endDate, endsAfter, whilePaused, pausedDaysMax"
    )
    assert await refused(service, "createProgramDefinition", body) == {
        "programDefinition.zzz": ("unknown_field", f"is no field here; there are {known}")
    }


async def test_masks_name_fields_of_the_entity(service: Service) -> None:
    """A mask is read strictly in each of its forms."""
    program = await provisioned(service)
    change = {"id": program["id"], "revision": program["revision"]}
    forms: list[Any] = ["beneficiary,displayName", ["beneficiary"], {"paths": ["beneficiary"]}]
    for form in forms:
        body = {"program": change, "fieldMask": form}
        assert await refused(service, "updateProgram", body) == {
            "fieldMask": ("readonly_field", "beneficiary can't be changed")
        }


# Bulk requests, parameters, keys and settings.


async def test_each_entry_of_a_bulk_request_is_refused_alone(service: Service) -> None:
    """An entry with a strange field fails with its own path; the others are done."""
    document = {
        "poolDefinitions": [
            new_pool_definition(),
            new_pool_definition(colour="red", displayname="x"),
            {"namespace": NAMESPACE, "revision": "1"},
        ]
    }
    answer = await service.call("bulkCreatePoolDefinitions", document, **STRICT)
    good, bad, worse = (each["itemMetadata"] for each in answer["results"])
    assert good["success"]
    assert bad["error"]["code"] == "VALIDATION_ERROR"
    violations = bad["error"]["data"]["fieldViolations"]
    assert [each["field"] for each in violations] == [
        "poolDefinitions[1].colour",
        "poolDefinitions[1].displayname",
    ]
    violations = worse["error"]["data"]["fieldViolations"]
    assert [each["field"] for each in violations] == [
        "poolDefinitions[2].details",
        "poolDefinitions[2].revision",
    ]
    assert len((await service.call("queryPoolDefinitions"))["poolDefinitions"]) == 1


async def test_a_mask_of_an_entry_is_the_entrys_own(service: Service) -> None:
    """The mask beside a change of many is held against that change."""
    change = {"poolDefinition": {"id": guid(), "revision": "1"}, "fieldMask": "display_name"}
    document = {"poolDefinitions": [change], "cascade": "IMMEDIATELY"}
    answer = await service.call("bulkUpdatePoolDefinitions", document, **STRICT)
    error = answer["results"][0]["itemMetadata"]["error"]
    assert told(error["data"]["fieldViolations"]) == {
        "poolDefinitions[0].fieldMask": ("misnamed_field", "display_name is called displayName")
    }


async def test_a_bulk_request_of_a_wrong_shape_is_refused_whole(service: Service) -> None:
    """What is strange beside the entries refuses all of them, and what is in them is told too."""
    document = {
        "pool_definitions": [],
        "poolDefinitions": [new_pool_definition(colour="red", cascade="IMMEDIATELY")],
        "returnEntities": True,
    }
    known = "namespace, details, displayName, programDefinitionIds, extendedFields, description"
    assert await refused(service, "bulkCreatePoolDefinitions", document) == {
        "pool_definitions": ("misnamed_field", "is called poolDefinitions"),
        "returnEntities": ("misnamed_field", "is called returnEntity"),
        "poolDefinitions[0].cascade": ("misplaced_field", "belongs beside poolDefinitions"),
        "poolDefinitions[0].colour": ("unknown_field", f"is no field here; there are {known}"),
    }
    assert not await service.has_rows()


async def test_parameters_are_read_strictly(service: Service) -> None:
    """Names of a query string are held against the request, objects among them too."""
    assert await refused(
        service, "listBalances", {"limit": 1, "pool_ids": guid(), "cursorPaging.size": 3}
    ) == {
        "limit": ("misplaced_field", "belongs in cursorPaging"),
        "pool_ids": ("misnamed_field", "is called poolIds"),
        "cursorPaging.size": ("unknown_field", "is no field here; there are limit, cursor"),
    }
    path = "/benefit-programs/v1/items"
    filters = ("filter.byReferenceOptions.filters", '{"external_id": "mug"}')
    headers = {STRICT_HEADER: "true"}
    response = await service.request("GET", path, params=[filters], headers=headers)
    assert told(Refused(response).violations) == {
        "filter.byReferenceOptions.filters[0].external_id": (
            "misnamed_field",
            "is called externalId",
        )
    }


async def test_fields_in_the_wrong_part_of_a_request_are_told(service: Service) -> None:
    """A POST takes no parameters, and a DELETE no body."""
    headers = {STRICT_HEADER: "true"}
    base = "/benefit-programs/v1/pool-definitions"
    params = {"cascade": "IMMEDIATELY"}
    body = {"poolDefinition": new_pool_definition()}
    response = await service.request("POST", base, params=params, json=body, headers=headers)
    assert told(Refused(response).violations) == {
        "cascade": ("misplaced_field", "belongs in the body")
    }
    response = await service.request("DELETE", f"{base}/{guid()}", json=params, headers=headers)
    assert told(Refused(response).violations) == {
        "": ("misplaced_field", "belongs in the query string, not in a body")
    }


async def test_all_violations_of_a_strict_request_are_told_at_once(service: Service) -> None:
    """What breaks a rule and what is strange are in one answer, a filter's violations too."""
    document = {"query": {"filter": {"colour": 1}, "limits": 3, "cursorPaging": {"limit": 0}}}
    for paging in ({"limit": 0}, {"limit": 1}):
        document["query"]["cursorPaging"] = paging
        refusal = await service.refusal("queryPrograms", document, **STRICT)
        assert {"query.filter.colour", "query.limits"} <= set(refusal.fields)
        assert ("query.cursorPaging.limit" in refusal.fields) == (paging["limit"] == 0)


async def test_free_form_objects_keep_their_keys(service: Service) -> None:
    """Keys that are the caller's own are nobody's fields, in strict mode too."""
    definition = new_pool_definition(
        extendedFields={"namespaces": {"@gym/club": {"snake_case": 1}}},
        details=details(additionalData={"cascade": 1, "own_key": {"x": 1}}),
    )
    made = await service.call("createPoolDefinition", {"poolDefinition": definition}, **STRICT)
    assert made["poolDefinition"]["details"]["additionalData"] == {
        "cascade": 1,
        "own_key": {"x": 1},
    }


async def test_who_asks_for_nothing_gets_the_contract(service: Service) -> None:
    """Without the header, and with one that says no, strange fields are ignored."""
    for headers in ({}, LENIENT):
        definition = new_pool_definition(colour="red", id=guid())
        document = {"poolDefinition": definition, "limit": 1}
        made = (await service.call("createPoolDefinition", document, **headers))["poolDefinition"]
        assert made["id"] != definition["id"]


async def test_a_tenant_may_ask_for_all_its_requests(service: Service) -> None:
    """The setting makes every request strict but those whose header says no."""
    document = {"query": {"limit": 1}}
    await service.call("queryPrograms", document)
    changed = await service.call("updateSettings", {"settings": {"strictRequests": True}})
    assert changed["settings"]["strictRequests"] is True
    assert (await service.refusal("queryPrograms", document)).fields == {"query.limit": "OTHER"}
    assert (await service.refusal("queryPrograms", document, **STRICT)).status == 400
    await service.call("queryPrograms", document, **LENIENT)
    another = await service.another_tenant()
    await another.call("queryPrograms", document)
    await service.call("updateSettings", {"settings": {"strictRequests": None}})
    await service.call("queryPrograms", document)


async def test_strict_mode_holds_for_members_and_apps(service: Service) -> None:
    """Every kind of key may ask for it; what a key may not do is refused before."""
    member, app = await service.as_member(guid()), await service.as_app()
    for caller in (member, app):
        assert await refused(caller, "queryPools", {"query": {"limit": 1}}) == {
            "query.limit": ("misplaced_field", "belongs in cursorPaging")
        }
        await caller.call("queryPools", {"query": {"cursorPaging": {"limit": 1}}}, **STRICT)
    forbidden = await member.refusal("queryPrograms", {"limit": 1}, **STRICT)
    assert forbidden.status == 403


async def test_the_header_is_true_or_false(service: Service) -> None:
    """A header that can't be understood is refused rather than passed over."""
    for value in ("", "yes", "1"):
        refusal = await service.refusal("queryPrograms", {}, x_benefits_strict=value)
        assert refusal.fields == {STRICT_HEADER: "FORMAT"}
    await service.call("queryPrograms", {}, x_benefits_strict="TRUE")


async def test_answers_repeat_little_of_what_was_sent(service: Service) -> None:
    """Long names are cut, and of many strange fields the first are told."""
    long_name = "x" * 10_000
    (field,) = await refused(service, "queryPrograms", {long_name: 1})
    assert len(field) == SHOWN_LENGTH_MAX
    many = {f"strange{number}": 1 for number in range(10_000)}
    assert len(await refused(service, "queryPrograms", many)) == VIOLATIONS_MAX
    assert len(await refused(service, "queryPrograms", {"query": {"sort": [many]}})) == (
        VIOLATIONS_MAX
    )


async def test_deep_objects_are_refused_as_ever(service: Service) -> None:
    """Strict mode follows objects no deeper than they may be."""
    expression: dict[str, Any] = {"type": "POLICY"}
    for _ in range(200):
        expression = {"operatorNotOptions": {"expression": expression, "strange": 1}}
    definition = new_pool_definition(details=details(policyExpression=expression))
    refusal = await service.refusal(
        "createPoolDefinition", {"poolDefinition": definition}, **STRICT
    )
    path = "poolDefinition.details.policyExpression"
    assert refusal.fields[path] == "OTHER"
    assert len(refusal.violations) <= VIOLATIONS_MAX + 1
