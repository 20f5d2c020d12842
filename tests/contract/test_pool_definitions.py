"""The eleven methods of pool definitions, without live programs. Contract: sections 2 and 3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.entities import (
    ItemSet,
    PoolDefinition,
)
from benefit_programs.domain.event_rows import Event
from tests.support.answers import GUID
from tests.support.calls import NAMESPACE, benefit, details, guid

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

NOW = "IMMEDIATELY"
LATER = "FUTURE_PROVISIONS"


async def read(service: Service, definition: dict[str, Any]) -> dict[str, Any]:
    answer = await service.call("getPoolDefinition", {"poolDefinitionId": definition["id"]})
    return answer["poolDefinition"]  # type: ignore[no-any-return]


async def update(service: Service, change: dict[str, Any], **more: Any) -> dict[str, Any]:
    request = {"poolDefinition": change, "cascade": NOW, **more}
    answer = await service.call("updatePoolDefinition", request)
    return answer["poolDefinition"]  # type: ignore[no-any-return]


def item_sets(definition: dict[str, Any]) -> dict[str, str]:
    benefits = definition["details"]["benefits"]
    return {each["benefitKey"]: each["itemSetId"] for each in benefits}


WHOLE = {
    "namespace": NAMESPACE,
    "displayName": "Tokens",
    "description": "A token per visit",
    "details": {
        "benefits": [
            {
                "benefitKey": "gym10",
                "providerAppId": "0f5d41ac-5dd8-4b6c-9e9d-1b6f4b3f2b11",
                "price": "10",
                "displayName": "Towel",
                "description": "A towel",
                "additionalData": {"shelf_no": 3, "tags": ["a", None]},
                "policyExpression": {
                    "type": "POLICY",
                    "policyOptions": {
                        "type": "RATE_LIMITED",
                        "rateLimitedOptions": {"times": 2, "timePeriod": "DAY"},
                    },
                },
            },
            {
                "benefitKey": "gym20",
                "providerAppId": "0f5d41ac-5dd8-4b6c-9e9d-1b6f4b3f2b11",
                "price": "20.5",
            },
        ],
        "creditConfiguration": {
            "amount": "0.25",
            "rolloverConfiguration": {"enabled": True, "balanceCap": "5"},
            "unitDisplayName": "tokens",
            "unitType": "token",
        },
        "policyExpression": {
            "type": "POLICY",
            "policyOptions": {
                "type": "FIXED_INTERVAL",
                "fixedIntervalOptions": {"fromHour": 6, "toHour": 22},
            },
        },
        "additionalData": {"colour": "red"},
    },
    "extendedFields": {"namespaces": {"@gym/app": {"club_id": 7}}},
}


def without_server_ids(definition: dict[str, Any]) -> dict[str, Any]:
    """What the caller sent of a definition."""
    benefits = []
    for each in definition["details"]["benefits"]:
        kept = {name: value for name, value in each.items() if name != "itemSetId"}
        benefits.append(kept)
    sent = {name: definition[name] for name in WHOLE}
    sent["details"] = {**definition["details"], "benefits": benefits}
    return sent


async def test_a_new_definition_is_answered_whole(service: Service) -> None:
    """Creating answers with all that was sent, an item set for each benefit and ids of quotas."""
    created = await service.create_pool_definition(**WHOLE)
    assert created["revision"] == "1"
    sets = item_sets(created)
    assert len(set(sets.values())) == 2
    assert all(GUID.fullmatch(each) for each in sets.values())
    sent = without_server_ids(created)
    policy = sent["details"]["benefits"][0]["policyExpression"]["policyOptions"]
    assert GUID.fullmatch(policy["rateLimitedOptions"].pop("quotaId"))
    assert sent == WHOLE
    assert {row.id for row in await service.rows(ItemSet)} == set(sets.values())
    again = await read(service, created)
    policy["rateLimitedOptions"].pop("quotaId", None)
    assert item_sets(again) == sets


async def test_it_reads_back_as_it_was_answered(service: Service) -> None:
    """Get and query give the entity that create answered with."""
    program = await service.create_program_definition(externalId="gold", displayName="Gold")
    created = await service.create_pool_definition(**WHOLE, programDefinitionIds=[program["id"]])
    assert created["programDefinitionIds"] == [program["id"]]
    (info,) = created["programDefinitions"]
    assert (info["id"], info["externalId"]) == (program["id"], "gold")
    assert await read(service, created) == created
    answer = await service.call("queryPoolDefinitions")
    assert answer["poolDefinitions"] == [created]


async def test_the_item_set_is_the_servers(service: Service) -> None:
    """An item set id and a quota id that a caller sends are ignored."""
    own = guid()
    created = await service.create_pool_definition(details=details(benefit("a", itemSetId=own)))
    assert item_sets(created)["a"] != own


async def test_details_are_checked_together(service: Service) -> None:
    """All that is wrong about a definition is told at once, each with its path."""
    wrong = details(
        benefit("a", price="-1"),
        benefit("", price="0.00001"),
        {"benefitKey": "b", "price": "1"},
        benefit("c", price="x"),
        amount="922337203685477.5808",
    )
    new = {"namespace": "n" * 21, "details": wrong, "displayName": "d" * 129}
    refused = await service.refusal("createPoolDefinition", {"poolDefinition": new})
    assert refused.status == 400
    where = "poolDefinition.details"
    assert refused.fields == {
        "poolDefinition.namespace": "MAX_LENGTH",
        "poolDefinition.displayName": "MAX_LENGTH",
        f"{where}.benefits[0].price": "DECIMAL_GTE",
        f"{where}.benefits[1].benefitKey": "MIN_LENGTH",
        f"{where}.benefits[1].price": "DECIMAL_MAX_SCALE",
        f"{where}.benefits[2].providerAppId": "REQUIRED_FIELD",
        f"{where}.benefits[3].price": "FORMAT",
        f"{where}.creditConfiguration.amount": "DECIMAL_LTE",
    }


async def test_benefit_keys_are_unique(service: Service) -> None:
    """Two benefits with one key are refused, with the path of the second."""
    new = {"namespace": NAMESPACE, "details": details(benefit("a"), benefit("b"), benefit("a"))}
    refused = await service.refusal("createPoolDefinition", {"poolDefinition": new})
    assert refused.fields == {"poolDefinition.details.benefits[2].benefitKey": "OTHER"}


async def test_without_credits_only_price_zero_is_legal(service: Service) -> None:
    """A price above 0 needs a credit configuration; price 0 or none doesn't."""
    free = details(benefit("a", price="0"), amount=None)
    free["benefits"].append({"benefitKey": "b", "providerAppId": guid()})
    created = await service.create_pool_definition(details=free)
    assert "creditConfiguration" not in created["details"]
    priced = details(benefit("a", price="0.0001"), amount=None)
    new = {"namespace": NAMESPACE, "details": priced}
    refused = await service.refusal("createPoolDefinition", {"poolDefinition": new})
    assert refused.fields == {"poolDefinition.details.benefits[0].price": "OTHER"}
    change = {"id": created["id"], "revision": "1", "details": {"benefits": priced["benefits"]}}
    request = {"poolDefinition": change, "cascade": LATER}
    refused = await service.refusal("updatePoolDefinition", request)
    assert refused.fields == {"poolDefinition.details.benefits[0].price": "OTHER"}


@pytest.mark.parametrize("cascade", [None, "UNKNOWN_CASCADE"])
async def test_a_change_says_when_it_reaches_pools(service: Service, cascade: str | None) -> None:
    """Without a cascade update, delete, add and remove are 400, and so is create into programs."""
    program = await service.create_program_definition()
    pool = await service.create_pool_definition()
    both = {"poolDefinitionId": pool["id"], "programDefinitionId": program["id"]}
    change = {"id": pool["id"], "revision": "1"}
    new = {"namespace": NAMESPACE, "details": details(), "programDefinitionIds": [program["id"]]}
    more = {"cascade": cascade} if cascade else {}
    for name, request in (
        ("updatePoolDefinition", {"poolDefinition": change}),
        ("bulkUpdatePoolDefinitions", {"poolDefinitions": [{"poolDefinition": change}]}),
        ("deletePoolDefinition", {"poolDefinitionId": pool["id"]}),
        ("bulkDeletePoolDefinitions", {"poolDefinitionIds": [pool["id"]]}),
        ("addPoolDefinitionToProgramDefinition", both),
        ("removePoolDefinitionFromProgramDefinition", both),
        ("createPoolDefinition", {"poolDefinition": new}),
        ("bulkCreatePoolDefinitions", {"poolDefinitions": [new]}),
    ):
        refused = await service.refusal(name, {**request, **more})
        (violation,) = refused.violations
        assert (violation["field"], violation.get("ruleName")) == ("cascade", "cascade_is_required")
    assert await read(service, pool) == pool


async def test_a_definition_outside_programs_needs_no_cascade(service: Service) -> None:
    """Create without program definitions takes no cascade, alone and in bulk."""
    new = {"namespace": NAMESPACE, "details": details()}
    await service.call("createPoolDefinition", {"poolDefinition": new})
    answer = await service.call("bulkCreatePoolDefinitions", {"poolDefinitions": [new, new]})
    assert answer["bulkActionMetadata"]["totalSuccesses"] == 2


async def test_the_parts_of_details_change_one_by_one(service: Service) -> None:
    """Inside details a part is replaced whole if sent, cleared by null, and kept if absent."""
    created = await service.create_pool_definition(**WHOLE)
    credit = {"creditConfiguration": {"amount": "7"}, "additionalData": None}
    changed = await update(service, {"id": created["id"], "revision": "1", "details": credit})
    expected = {**created["details"], "creditConfiguration": {"amount": "7"}}
    del expected["additionalData"]
    assert changed["details"] == expected
    assert changed["displayName"] == created["displayName"]
    cleared = {"policyExpression": None}
    changed = await update(service, {"id": created["id"], "revision": "2", "details": cleared})
    del expected["policyExpression"]
    assert changed["details"] == expected
    assert await read(service, created) == changed


async def test_credits_can_be_cleared_once_nothing_costs(service: Service) -> None:
    """A null creditConfiguration is refused while a benefit has a price, and cleared with it."""
    created = await service.create_pool_definition(details=details(benefit("a")))
    change = {"id": created["id"], "revision": "1", "details": {"creditConfiguration": None}}
    request = {"poolDefinition": change, "cascade": NOW}
    refused = await service.refusal("updatePoolDefinition", request)
    assert refused.fields == {"poolDefinition.details.benefits[0].price": "OTHER"}
    free = {"creditConfiguration": None, "benefits": [benefit("a", price="0")]}
    changed = await update(service, {**change, "details": free})
    assert "creditConfiguration" not in changed["details"]


async def test_a_benefit_keeps_its_item_set_by_its_key(service: Service) -> None:
    """The same key keeps its item set and provider app; a new or renamed key gets a new set."""
    app = guid()
    created = await service.create_pool_definition(
        details=details(benefit("a", providerAppId=app), benefit("b"), benefit("c"))
    )
    before = item_sets(created)
    sent = [benefit("renamed"), benefit("c", price="3"), benefit("a", itemSetId=guid())]
    change = {"id": created["id"], "revision": "1", "details": {"benefits": sent}}
    changed = await update(service, change)
    after = item_sets(changed)
    assert list(after) == ["renamed", "c", "a"]
    assert (after["a"], after["c"]) == (before["a"], before["c"])
    assert after["renamed"] not in before.values()
    assert changed["details"]["benefits"][2]["providerAppId"] == app
    assert changed["details"]["benefits"][1]["price"] == "3"


async def test_a_removed_key_that_returns_gets_a_new_item_set(service: Service) -> None:
    """An item set lives as long as its benefit: a key that comes back starts anew."""
    created = await service.create_pool_definition(details=details(benefit("a"), benefit("b")))
    change: dict[str, Any] = {"id": created["id"], "revision": "1"}
    await update(service, {**change, "details": {"benefits": [benefit("b")]}})
    change["revision"] = "2"
    after = await update(service, {**change, "details": {"benefits": [benefit("a"), benefit("b")]}})
    assert item_sets(after)["a"] != item_sets(created)["a"]
    assert item_sets(after)["b"] == item_sets(created)["b"]


async def test_an_update_keeps_and_clears_what_it_says(service: Service) -> None:
    """Names stay unless sent, null clears them, and the revision grows by 1."""
    created = await service.create_pool_definition(**WHOLE)
    change = {"id": created["id"], "revision": "1", "description": None, "displayName": "New"}
    changed = await update(service, change)
    assert "description" not in changed
    assert (changed["displayName"], changed["revision"]) == ("New", "2")
    assert changed["details"] == created["details"]


async def test_a_whole_entity_may_be_written_back(service: Service) -> None:
    """What was read may be sent back, readonly fields and all; only what differs changes."""
    program = await service.create_program_definition()
    created = await service.create_pool_definition(**WHOLE, programDefinitionIds=[program["id"]])
    sent = {**created, "_id": created["id"], "namespace": "stolen", "displayName": "New"}
    changed = await update(service, sent)
    expected = {"revision": "2", "displayName": "New", "updatedDate": changed["updatedDate"]}
    assert changed == created | expected


async def test_a_mask_names_what_may_change(service: Service) -> None:
    """Masked fields change or are cleared, others stay whatever was sent."""
    created = await service.create_pool_definition(**WHOLE)
    change = {"id": created["id"], "revision": "1", "displayName": "New", "description": "New"}
    changed = await update(service, change, fieldMask={"paths": ["displayName", "extendedFields"]})
    assert (changed["displayName"], changed["description"]) == ("New", created["description"])
    assert "extendedFields" not in changed


async def test_another_revision_is_refused(service: Service) -> None:
    """An update on another revision is 409 with the entity's id; without one it is 400."""
    created = await service.create_pool_definition()
    change = {"id": created["id"], "revision": "2", "displayName": "New"}
    request = {"poolDefinition": change, "cascade": NOW}
    refused = await service.refusal("updatePoolDefinition", request)
    assert (refused.status, refused.code) == (409, "INVALID_REVISION")
    assert refused.data == {"revisionViolation": {"entityId": created["id"]}}
    del change["revision"]
    refused = await service.refusal("updatePoolDefinition", request)
    assert refused.fields == {"poolDefinition.revision": "REQUIRED_FIELD"}
    assert await read(service, created) == created


async def test_program_definitions_are_replaced_whole(service: Service) -> None:
    """A PATCH with programDefinitionIds names all places from then on, in order; null clears."""
    a, b, c = [(await service.create_program_definition())["id"] for _ in range(3)]
    created = await service.create_pool_definition(programDefinitionIds=[a, b])
    change: dict[str, Any] = {"id": created["id"], "revision": "1"}
    changed = await update(service, {**change, "programDefinitionIds": [c, b]})
    assert changed["programDefinitionIds"] == [c, b]
    assert await read(service, created) == changed
    cleared = await update(service, {**change, "revision": "2", "programDefinitionIds": None})
    assert cleared.get("programDefinitionIds", []) == []


async def test_twenty_program_definitions_are_the_limit(service: Service) -> None:
    """A pool definition belongs to at most 20, by create, by update and by add."""
    ids = [(await service.create_program_definition())["id"] for _ in range(21)]
    full = await service.create_pool_definition(programDefinitionIds=ids[:20])
    assert full["programDefinitionIds"] == ids[:20]
    new = {"namespace": NAMESPACE, "details": details(), "programDefinitionIds": ids}
    refused = await service.refusal(
        "createPoolDefinition", {"poolDefinition": new, "cascade": LATER}
    )
    assert refused.fields == {"poolDefinition.programDefinitionIds": "MAX_SIZE"}
    request = {
        "poolDefinitionId": full["id"],
        "programDefinitionId": ids[20],
        "cascade": LATER,
    }
    refused = await service.refusal("addPoolDefinitionToProgramDefinition", request)
    assert refused.status == 400
    assert refused.violations[0]["data"] == {"threshold": 20}


async def test_unknown_program_definitions_are_not_found(service: Service) -> None:
    """Create, update, add, remove and find name a program definition that must be there."""
    pool, unknown = await service.create_pool_definition(), guid()
    both = {"poolDefinitionId": pool["id"], "programDefinitionId": unknown, "cascade": LATER}
    new = {"namespace": NAMESPACE, "details": details(), "programDefinitionIds": [unknown]}
    change = {"id": pool["id"], "revision": "1", "programDefinitionIds": [unknown]}
    for name, request in (
        ("createPoolDefinition", {"poolDefinition": new, "cascade": LATER}),
        ("updatePoolDefinition", {"poolDefinition": change, "cascade": LATER}),
        ("addPoolDefinitionToProgramDefinition", both),
        ("removePoolDefinitionFromProgramDefinition", both),
        (
            "findPoolDefinitionsByProgramDefinition",
            {"programDefinitionId": unknown, "namespace": NAMESPACE},
        ),
    ):
        refused = await service.refusal(name, request)
        assert (refused.status, refused.code) == (404, "PROGRAM_DEFINITION_NOT_FOUND"), name
        assert refused.data == {"programDefinitionId": unknown}


async def test_an_unknown_definition_is_not_found(service: Service) -> None:
    """Get, update, delete, add and remove of an id that nobody has answer 404 with the id."""
    unknown, program = guid(), await service.create_program_definition()
    both = {"poolDefinitionId": unknown, "programDefinitionId": program["id"], "cascade": NOW}
    change = {"id": unknown, "revision": "1"}
    for name, request in (
        ("getPoolDefinition", {"poolDefinitionId": unknown}),
        ("deletePoolDefinition", {"poolDefinitionId": unknown, "cascade": NOW}),
        ("updatePoolDefinition", {"poolDefinition": change, "cascade": NOW}),
        ("addPoolDefinitionToProgramDefinition", both),
        ("removePoolDefinitionFromProgramDefinition", both),
    ):
        refused = await service.refusal(name, request)
        assert (refused.status, refused.code) == (404, "POOL_DEFINITION_NOT_FOUND"), name
        assert refused.data == {"poolDefinitionId": unknown}


async def test_it_is_added_to_and_removed_from_program_definitions(service: Service) -> None:
    """Add and remove answer with the definition as it is then; doing it again changes nothing."""
    program = await service.create_program_definition()
    pool = await service.create_pool_definition()
    both = {
        "poolDefinitionId": pool["id"],
        "programDefinitionId": program["id"],
        "cascade": NOW,
    }
    for name, places, revision in (
        ("addPoolDefinitionToProgramDefinition", [program["id"]], "2"),
        ("addPoolDefinitionToProgramDefinition", [program["id"]], "2"),
        ("removePoolDefinitionFromProgramDefinition", [], "3"),
        ("removePoolDefinitionFromProgramDefinition", [], "3"),
    ):
        answer = (await service.call(name, both))["poolDefinition"]
        assert answer.get("programDefinitionIds", []) == places
        assert answer["revision"] == revision
        assert await read(service, pool) == answer


async def test_those_of_a_program_definition_are_found(service: Service) -> None:
    """Find gives a program definition's pool definitions of the namespace, oldest first."""
    program = await service.create_program_definition()
    places = [program["id"]]
    first = await service.create_pool_definition(programDefinitionIds=places)
    await service.create_pool_definition(programDefinitionIds=places, namespace="other")
    await service.create_pool_definition()
    second = await service.create_pool_definition(programDefinitionIds=places)
    request = {"programDefinitionId": program["id"], "namespace": NAMESPACE}
    answer = await service.call("findPoolDefinitionsByProgramDefinition", request)
    assert answer["poolDefinitions"] == [first, second]


async def test_a_deleted_definition_is_gone(service: Service) -> None:
    """Deleting answers {}, and takes the definition out of its program definitions."""
    program = await service.create_program_definition()
    pool = await service.create_pool_definition(programDefinitionIds=[program["id"]])
    request = {"poolDefinitionId": pool["id"], "cascade": NOW}
    assert await service.call("deletePoolDefinition", request) == {}
    assert (await service.refusal("deletePoolDefinition", request)).status == 404
    asked = {"programDefinitionId": program["id"], "namespace": NAMESPACE}
    found = await service.call("findPoolDefinitionsByProgramDefinition", asked)
    assert found["poolDefinitions"] == []


async def test_bulk_create_judges_each_entry_alone(service: Service) -> None:
    """A bad entry fails alone with its violations; the others are made, in their order."""
    good = {"namespace": NAMESPACE, "details": details()}
    twice = {"namespace": NAMESPACE, "details": details(benefit("a"), benefit("a"))}
    entries = [good, {"namespace": ""}, {**good, "programDefinitionIds": [guid()]}, twice, 5, good]
    request = {"poolDefinitions": entries, "cascade": LATER, "returnEntity": True}
    answer = await service.call("bulkCreatePoolDefinitions", request)
    assert answer["bulkActionMetadata"] == {
        "totalSuccesses": 2,
        "totalFailures": 4,
        "undetailedFailures": 0,
    }
    metadata = [each["itemMetadata"] for each in answer["results"]]
    assert [each["originalIndex"] for each in metadata] == list(range(6))
    assert [each["success"] for each in metadata] == [True, False, False, False, False, True]
    codes = [each["error"]["code"] for each in metadata if not each["success"]]
    invalid = "VALIDATION_ERROR"
    assert codes == [invalid, "PROGRAM_DEFINITION_NOT_FOUND", invalid, invalid]
    fields = [each["field"] for each in metadata[1]["error"]["data"]["fieldViolations"]]
    assert set(fields) == {"poolDefinitions[1].namespace", "poolDefinitions[1].details"}
    (violation,) = metadata[3]["error"]["data"]["fieldViolations"]
    assert violation["field"] == "poolDefinitions[3].details.benefits[1].benefitKey"
    made = [each["item"]["id"] for each in answer["results"] if "item" in each]
    assert made == [metadata[0]["id"], metadata[5]["id"]]
    assert {row.id for row in await service.rows(PoolDefinition)} == set(made)


async def test_bulk_answers_show_entities_only_if_asked(service: Service) -> None:
    """Without returnEntity a bulk answer has ids alone."""
    new = {"namespace": NAMESPACE, "details": details()}
    answer = await service.call("bulkCreatePoolDefinitions", {"poolDefinitions": [new]})
    (result,) = answer["results"]
    assert "item" not in result
    assert (await read(service, result["itemMetadata"]))["revision"] == "1"


async def test_bulk_takes_1_to_100_entries(service: Service) -> None:
    """An empty list and one of 101 entries are 400 as a whole; 100 are fine."""
    new = {"namespace": NAMESPACE, "details": details()}
    for entries, rule in (([], "MIN_SIZE"), ([new] * 101, "MAX_SIZE"), (None, "REQUIRED_FIELD")):
        refused = await service.refusal("bulkCreatePoolDefinitions", {"poolDefinitions": entries})
        assert refused.fields == {"poolDefinitions": rule}
    answer = await service.call("bulkCreatePoolDefinitions", {"poolDefinitions": [new] * 100})
    assert answer["bulkActionMetadata"]["totalSuccesses"] == 100


async def test_bulk_update_has_a_mask_per_entry(service: Service) -> None:
    """Each entry is changed by its own mask and revision, and fails by itself."""
    a = await service.create_pool_definition(displayName="a", description="a")
    b = await service.create_pool_definition(displayName="b")
    unknown = guid()
    entries = [
        {
            "poolDefinition": {"id": a["id"], "revision": "1", "displayName": "A"},
            "fieldMask": "displayName,description",
        },
        {"poolDefinition": {"id": b["id"], "revision": "4", "displayName": "B"}},
        {"poolDefinition": {"id": unknown, "revision": "1"}},
        {"poolDefinition": {"id": b["id"]}},
    ]
    request = {"poolDefinitions": entries, "cascade": NOW, "returnEntity": True}
    answer = await service.call("bulkUpdatePoolDefinitions", request)
    first, second, third, fourth = (each["itemMetadata"] for each in answer["results"])
    assert (first["id"], first["success"]) == (a["id"], True)
    assert second["error"]["code"] == "INVALID_REVISION"
    assert second["error"]["data"] == {"revisionViolation": {"entityId": b["id"]}}
    assert (third["id"], third["error"]["code"]) == (unknown, "POOL_DEFINITION_NOT_FOUND")
    violations = fourth["error"]["data"]["fieldViolations"]
    assert violations[0]["field"] == "poolDefinitions[3].poolDefinition.revision"
    changed = answer["results"][0]["item"]
    assert (changed["displayName"], "description" in changed) == ("A", False)
    assert await read(service, b) == b


async def test_the_same_id_twice_in_bulk_is_taken_in_order(service: Service) -> None:
    """The second entry of an id sees what the first did: its revision must be the next one."""
    created = await service.create_pool_definition()
    change = {"id": created["id"], "displayName": "x"}
    entries = [{"poolDefinition": {**change, "revision": each}} for each in ("1", "2", "2")]
    request = {"poolDefinitions": entries, "cascade": NOW, "returnEntity": True}
    answer = await service.call("bulkUpdatePoolDefinitions", request)
    successes = [each["itemMetadata"]["success"] for each in answer["results"]]
    assert successes == [True, True, False]
    assert answer["results"][1]["item"]["revision"] == "3"
    request = {"poolDefinitionIds": [created["id"]] * 2, "cascade": NOW}
    answer = await service.call("bulkDeletePoolDefinitions", request)
    first, second = (each["itemMetadata"] for each in answer["results"])
    assert first["success"]
    assert second["error"]["code"] == "POOL_DEFINITION_NOT_FOUND"


async def test_bulk_delete_judges_each_id_alone(service: Service) -> None:
    """Ids that aren't there, or are none, fail by themselves; the others are deleted."""
    created, unknown = await service.create_pool_definition(), guid()
    request = {"poolDefinitionIds": [unknown, "nonsense", created["id"]], "cascade": NOW}
    answer = await service.call("bulkDeletePoolDefinitions", request)
    codes = [each["itemMetadata"].get("error", {}).get("code") for each in answer["results"]]
    assert codes == ["POOL_DEFINITION_NOT_FOUND", "VALIDATION_ERROR", None]
    assert await service.rows(PoolDefinition) == []


async def test_each_change_has_its_events(service: Service) -> None:
    """Create, update, add, remove and delete are told in order, with the chosen cascade."""
    program = await service.create_program_definition()
    pool = await service.create_pool_definition(displayName="a")
    await update(service, {"id": pool["id"], "revision": "1", "displayName": "b"})
    both = {"poolDefinitionId": pool["id"], "programDefinitionId": program["id"], "cascade": NOW}
    await service.call("addPoolDefinitionToProgramDefinition", both)
    await service.call("removePoolDefinitionFromProgramDefinition", both)
    request = {"poolDefinitionId": pool["id"], "cascade": NOW}
    await service.call("deletePoolDefinition", request)
    assert await service.slugs_of(pool["id"]) == [
        "created",
        "updated",
        "updated+added_to_program_definition",
        "updated+removed_from_program_definition",
        "deleted",
    ]
    events = [row for row in await service.rows(Event) if row.entity_id == pool["id"]]
    added = events[2].body
    assert (added["program_definition_id"], added["cascade_type"]) == (program["id"], NOW)
    assert added["program_definition_ids"] == [program["id"]]
    assert events[1].body["snapshot"]["display_name"] == "b"


async def test_queries_filter_by_each_field(service: Service) -> None:
    """Definitions are found by their own fields, their benefits' and their program definitions."""
    program = await service.create_program_definition()
    app = guid()
    wanted = await service.create_pool_definition(
        details=details(benefit("a"), benefit("b", providerAppId=app)),
        programDefinitionIds=[program["id"]],
    )
    other = await service.create_pool_definition(namespace="other")
    filters: list[dict[str, Any]] = [
        {"id": wanted["id"].upper()},
        {"namespace": NAMESPACE},
        {"createdDate": wanted["createdDate"], "namespace": {"$ne": "other"}},
        {"details.benefits.providerAppId": app},
        {"details.benefits.itemSetId": {"$hasSome": list(item_sets(wanted).values())}},
        {"details.benefits.itemSetId": {"$hasAll": list(item_sets(wanted).values())}},
        {"programDefinitionIds": program["id"]},
        {"programDefinitionIds": {"$hasSome": [program["id"], guid()]}},
        {"$and": [{"namespace": {"$startsWith": "G"}}, {"programDefinitionIds": program["id"]}]},
        {"$or": [{"id": wanted["id"]}, {"id": guid()}]},
        {"$not": {"id": other["id"]}},
    ]
    for each in filters:
        answer = await service.call("queryPoolDefinitions", {"query": {"filter": each}})
        assert [row["id"] for row in answer["poolDefinitions"]] == [wanted["id"]], each
    everything = {"query": {"filter": {"createdDate": {"$lte": other["createdDate"]}}}}
    assert len((await service.call("queryPoolDefinitions", everything))["poolDefinitions"]) == 2


async def test_pages_hold_every_row_once(service: Service) -> None:
    """Paging by any order gives each row once, ties broken by id."""
    new = {"namespace": NAMESPACE, "details": details()}
    await service.call("bulkCreatePoolDefinitions", {"poolDefinitions": [new] * 13})
    made = {row.id for row in await service.rows(PoolDefinition)}
    for order in ("ASC", "DESC"):
        sort = [{"fieldName": "namespace", "order": order}]
        query = {"sort": sort, "cursorPaging": {"limit": 5}}
        pages = await service.pages("queryPoolDefinitions", query)
        ids = [each["id"] for page in pages for each in page]
        assert [len(page) for page in pages] == [5, 5, 3]
        assert set(ids) == made
        assert ids == sorted(ids, reverse=order == "DESC")


async def test_another_tenant_sees_nothing(service: Service) -> None:
    """A tenant's pool definitions can't be read, changed, found or joined by another one."""
    created = await service.create_pool_definition()
    other = await service.another_tenant()
    program = await other.create_program_definition()
    asked = {"poolDefinitionId": created["id"], "cascade": NOW}
    both = {**asked, "programDefinitionId": program["id"]}
    change = {"poolDefinition": {"id": created["id"], "revision": "1"}, "cascade": NOW}
    for name, request in (
        ("getPoolDefinition", {"poolDefinitionId": created["id"]}),
        ("updatePoolDefinition", change),
        ("deletePoolDefinition", asked),
        ("addPoolDefinitionToProgramDefinition", both),
    ):
        assert (await other.refusal(name, request)).code == "POOL_DEFINITION_NOT_FOUND"
    assert (await other.call("queryPoolDefinitions"))["poolDefinitions"] == []
    assert await read(service, created) == created
