"""Decoding of whole requests: names, aliases, nulls, and all violations at once."""

from __future__ import annotations

from typing import Any

import pytest

from benefit_programs.domain.errors import FieldViolation, Invalid, ViolatedRule
from benefit_programs.domain.settings import IdMode
from benefit_programs.domain.values import Identity, IdentityType, ItemReference
from benefit_programs.wire.codec import decoder_for, read_json
from benefit_programs.wire.codec.decoding import TREE_DEPTH_MAX, TREE_VALUES_MAX
from benefit_programs.wire.types import (
    balances,
    common,
    items,
    pool_definitions,
    pools,
    program_definitions,
    programs,
)

GUID = "e8c3366e-0c4f-3024-a034-1e0c79146d4c"
OTHER_GUID = "00000000-0000-0000-0000-000000000000"

REDEEM: dict[str, Any] = {
    "poolId": GUID,
    "itemReference": {"externalId": "mug", "providerAppId": GUID, "category": "merch"},
    "benefitKey": "gym10",
    "idempotencyKey": "visit-1",
    "namespace": "gym",
}


def violations_of(
    type_: type[Any], raw: object, ids: IdMode = IdMode.DEFAULT
) -> list[FieldViolation]:
    with pytest.raises(Invalid) as refused:
        decoder_for(type_).decode(raw, ids=ids)
    return list(refused.value.violations)


def rules_of(type_: type[Any], raw: object) -> dict[str, str]:
    return {each.field: each.violated_rule.value for each in violations_of(type_, raw)}


def benefit(**fields: object) -> dict[str, object]:
    return {"benefitKey": "gym10", "providerAppId": GUID, **fields}


def definition(**details: object) -> dict[str, object]:
    details = {"benefits": [benefit()], **details}
    return {"poolDefinition": {"namespace": "gym", "details": details}}


def test_snake_case_and_camel_case_mean_the_same() -> None:
    """The published example in snake_case decodes to what its camelCase form decodes to."""
    decoder = decoder_for(programs.ProvisionProgramRequest)
    snake = {
        "pool_definition_reference": {"program_definition_id": GUID},
        "beneficiary": {"identity_type": "MEMBER", "member_id": OTHER_GUID},
        "namespace": "benefit_programs_app",
        "display_name": "New Program",
        "external_program_id": "myProgram17",
    }
    camel = {
        "poolDefinitionLookupId": {"programDefinitionId": GUID},
        "beneficiary": {"identityType": "MEMBER", "memberId": OTHER_GUID},
        "namespace": "benefit_programs_app",
        "displayName": "New Program",
        "externalProgramId": "myProgram17",
    }
    assert decoder.decode(snake).value == decoder.decode(camel).value
    assert decoder.decode(camel).value.external_program_id == "myProgram17"


def test_free_form_keys_are_the_callers_own() -> None:
    """Keys inside free-form objects keep their style."""
    raw = {**REDEEM, "additionalData": {"snake_key": {"camelKey": 1}}}
    value = decoder_for(pools.RedeemBenefitRequest).decode(raw).value
    assert value.additional_data == {"snake_key": {"camelKey": 1}}


def test_unknown_fields_are_ignored() -> None:
    """What the contract doesn't know changes nothing."""
    decoder = decoder_for(pools.RedeemBenefitRequest)
    assert decoder.decode({**REDEEM, "surprise": {"x": 1}}).value == decoder.decode(REDEEM).value


def test_all_violations_are_reported_at_once() -> None:
    """Each broken rule is told with the full path of its field."""
    raw = {
        "poolId": 3,
        "itemReference": {"externalId": ""},
        "benefitKey": "x" * 65,
        "count": 0,
        "namespace": "",
        "beneficiary": {"memberId": GUID, "wixUserId": GUID},
    }
    assert rules_of(pools.RedeemBenefitRequest, raw) == {
        "poolId": "FORMAT",
        "itemReference.externalId": "MIN_LENGTH",
        "itemReference.providerAppId": "REQUIRED_FIELD",
        "benefitKey": "MAX_LENGTH",
        "count": "MIN",
        "namespace": "MIN_LENGTH",
        "beneficiary.wixUserId": "ONE_OF_ALIGNMENT",
        "idempotencyKey": "REQUIRED_FIELD",
    }


def test_paths_carry_indexes() -> None:
    """A violation inside a list names the entry."""
    raw = definition(benefits=[benefit(), benefit(price="-1")])
    (found,) = violations_of(pool_definitions.CreatePoolDefinitionRequest, raw)
    assert found.field == "poolDefinition.details.benefits[1].price"
    assert found.violated_rule is ViolatedRule.DECIMAL_GTE
    assert found.data == {"threshold": "0"}


def test_limits_and_formats_tell_their_data() -> None:
    """Limits carry their threshold, formats their type."""
    found = violations_of(pools.RedeemBenefitRequest, {**REDEEM, "count": 0, "poolId": "x"})
    assert {each.field: each.data for each in found} == {
        "count": {"threshold": 1},
        "poolId": {"type": "GUID"},
    }


@pytest.mark.parametrize("raw", [None, [], "x", 1])
def test_a_request_is_an_object(raw: object) -> None:
    """What is no object is refused as a whole."""
    (found,) = violations_of(pools.RedeemBenefitRequest, raw)
    assert (found.field, found.violated_rule, found.data) == ("", "FORMAT", {"type": "OBJECT"})


def test_null_stands_for_absent_where_something_is_required() -> None:
    """A required field that is null is missing."""
    assert rules_of(pools.RedeemBenefitRequest, {**REDEEM, "namespace": None}) == {
        "namespace": "REQUIRED_FIELD"
    }


def test_nulls_are_told_apart_from_absent_fields() -> None:
    """A change knows what was sent as null, by attribute path."""
    raw = {
        "pool": {"id": GUID, "revision": "1", "displayName": None, "details": {"benefits": None}}
    }
    decoded = decoder_for(pools.UpdatePoolRequest).decode(raw)
    assert decoded.nulls == {"pool.display_name", "pool.details.benefits"}


def test_updates_are_what_was_sent() -> None:
    """What is absent stays, null clears, and a mask clears what it names and nobody sent."""
    program = {"id": GUID, "revision": "1", "displayName": "New", "extendedFields": None}
    decoder = decoder_for(programs.UpdateProgramRequest)
    decoded = decoder.decode({"program": program})
    assert decoded.updates("program") == {"display_name": "New", "extended_fields": None}
    assert decoded.updates("program", ["display_name"]) == {"display_name": "New"}
    bare = decoder.decode({"program": {"id": GUID, "revision": "1"}})
    assert bare.updates("program", ["display_name"]) == {"display_name": None}
    assert bare.updates("program") == {}


def test_a_whole_entity_can_be_written_back() -> None:
    """Readonly and immutable fields of a change are ignored, whatever they hold."""
    program = {
        "_id": GUID,
        "_createdDate": "2026-01-01T00:00:00.000Z",
        "id": GUID,
        "revision": "7",
        "createdDate": {"odd": True},
        "status": "NO_SUCH_STATUS",
        "namespace": 17,
        "externalId": "",
        "beneficiary": {"memberId": GUID, "wixUserId": GUID},
        "programDefinition": {"id": "x", "_id": "y"},
        "displayName": "New",
    }
    value = decoder_for(programs.UpdateProgramRequest).decode({"program": program}).value
    assert value.program == programs.ProgramChange(id=GUID, revision=7, display_name="New")


def test_server_made_ids_of_benefits_are_ignored() -> None:
    """Item set ids in what a client sends are neither checked nor kept."""
    raw = definition(benefits=[benefit(itemSetId="whatever")])
    value = decoder_for(pool_definitions.CreatePoolDefinitionRequest).decode(raw).value
    benefits = value.pool_definition.details.benefits
    assert benefits is not None
    assert benefits[0].item_set_id is None


def test_a_pool_definition_needs_benefits() -> None:
    """On creation the details must have a list of benefits, which may be empty."""
    raw = {"poolDefinition": {"namespace": "gym", "details": {}}}
    assert rules_of(pool_definitions.CreatePoolDefinitionRequest, raw) == {
        "poolDefinition.details.benefits": "REQUIRED_FIELD"
    }
    decoder_for(pool_definitions.CreatePoolDefinitionRequest).decode(definition(benefits=[]))


def test_external_program_id_is_an_alias_on_creation() -> None:
    """A program definition's external id may come under its other name."""
    raw = {"programDefinition": {"namespace": "gym", "externalProgramId": "myProgram17"}}
    value = decoder_for(program_definitions.CreateProgramDefinitionRequest).decode(raw).value
    assert value.program_definition.external_id == "myProgram17"


@pytest.mark.parametrize(
    "type_", [common.CursorQuery, common.LargeCursorQuery, common.ItemCursorQuery]
)
@pytest.mark.parametrize("offset", [1, 50, -1, "50", "x", 0.5, [], {}])
@pytest.mark.parametrize("name", ["paging", "cursorPaging", "cursor_paging"])
def test_pages_have_no_offset(type_: type[common.CursorQuery], offset: object, name: str) -> None:
    """An offset is refused, for pages go by cursor; what else is wrong is told too."""
    with pytest.raises(Invalid) as refused:
        decoder_for(type_).decode({name: {"offset": offset, "limit": 0}})
    assert {(each.field, each.violated_rule) for each in refused.value.violations} == {
        ("cursorPaging.offset", ViolatedRule.FIELD_NOT_ALLOWED),
        ("cursorPaging.limit", ViolatedRule.MIN),
    }


@pytest.mark.parametrize("offset", [0, None, "0"])
def test_no_offset_is_no_matter(offset: object) -> None:
    """The first page may be asked for by an offset of 0, as clients do that count pages."""
    raw = {"paging": {"offset": offset, "limit": 7}}
    expected = common.CursorQuery(cursor_paging=common.CursorPaging(limit=7))
    assert decoder_for(common.CursorQuery).decode(raw).value == expected


def test_paging_is_an_alias() -> None:
    """A query's limit may come as query.paging.limit."""
    raw = {"query": {"paging": {"limit": 7}}}
    value = decoder_for(programs.QueryProgramsRequest).decode(raw).value
    assert value.query == common.CursorQuery(cursor_paging=common.CursorPaging(limit=7))


@pytest.mark.parametrize(
    ("type_", "limit_max"),
    [(programs.QueryProgramsRequest, 100), (items.QueryItemsRequest, 1000)],
)
def test_page_limits_have_edges(type_: type[Any], limit_max: int) -> None:
    """A page has at least 1 row and at most what its family allows."""
    for limit in (1, limit_max):
        decoder_for(type_).decode({"query": {"cursorPaging": {"limit": limit}}})
    for limit, rule in ((0, "MIN"), (limit_max + 1, "MAX")):
        raw = {"query": {"cursorPaging": {"limit": limit}}}
        assert rules_of(type_, raw) == {"query.cursorPaging.limit": rule}


@pytest.mark.parametrize(
    "mask",
    [
        "displayName,extended_fields",
        ["displayName", "extendedFields"],
        {"paths": ["display_name", "extended_fields"]},
    ],
)
def test_field_masks_have_three_forms(mask: object) -> None:
    """Text, list and object name the same attributes."""
    raw = {"program": {"id": GUID, "revision": "1"}, "fieldMask": mask}
    value = decoder_for(programs.UpdateProgramRequest).decode(raw).value
    assert value.field_mask == ("display_name", "extended_fields")


ONE_OF_CASES = [
    ({"poolDefinitionLookupId": {}}, "poolDefinitionLookupId"),
    (
        {"poolDefinitionLookupId": {"poolDefinitionId": GUID, "programDefinitionId": GUID}},
        "poolDefinitionLookupId.programDefinitionId",
    ),
    ({"beneficiary": {}}, "beneficiary"),
    ({"beneficiary": {"memberId": GUID, "identityType": "WIX_USER"}}, "beneficiary.identityType"),
]


@pytest.mark.parametrize(("change", "field"), ONE_OF_CASES)
def test_exactly_one_alternative_is_taken(change: dict[str, object], field: str) -> None:
    """None, both, or one that the type contradicts are refused."""
    raw = {
        "poolDefinitionLookupId": {"poolDefinitionId": GUID},
        "beneficiary": {"memberId": GUID},
        "namespace": "gym",
        "externalProgramId": "p1",
    }
    decoder_for(programs.ProvisionProgramRequest).decode(raw)
    assert rules_of(programs.ProvisionProgramRequest, {**raw, **change}) == {
        field: "ONE_OF_ALIGNMENT"
    }


def test_a_list_of_items_may_name_a_filter_type_alone() -> None:
    """The type without references is what the official client sends, and no error."""
    pairs = [("filter.type", "BY_REFERENCE"), ("cursorPaging.limit", "10")]
    value = decoder_for(items.ListItemsRequest).decode_query_string(pairs).value
    assert value.filter == items.ItemFilter(type=items.ItemFilterType.BY_REFERENCE)
    assert value.cursor_paging == common.ItemCursorPaging(limit=10)


def test_query_strings_repeat_keys_for_lists() -> None:
    """A repeated key makes a list, and dots lead inside."""
    pairs = [("poolIds", GUID), ("pool_ids", OTHER_GUID), ("cursorPaging.cursor", "abc"), ("x", "")]
    value = decoder_for(balances.ListBalancesRequest).decode_query_string(pairs).value
    assert value == balances.ListBalancesRequest(
        pool_ids=(GUID, OTHER_GUID), cursor_paging=common.CursorPaging(cursor="abc")
    )


def test_text_in_the_place_of_an_object_is_refused() -> None:
    """A query string that gives an object as text is a violation."""
    with pytest.raises(Invalid) as refused:
        decoder_for(balances.ListBalancesRequest).decode_query_string([("cursorPaging", "x")])
    assert refused.value.violations[0].data == {"type": "OBJECT"}


def test_query_strings_that_go_too_deep_are_ignored() -> None:
    """Dots inside what has no fields name nothing."""
    pairs = [("cursorPaging.limit.x", "1"), ("poolIds.x", "1")]
    value = decoder_for(balances.ListBalancesRequest).decode_query_string(pairs).value
    assert value == balances.ListBalancesRequest(cursor_paging=common.CursorPaging())


def test_bulk_entries_fail_alone() -> None:
    """A bad entry has its own violations, with the path in the request; the others decode."""
    good = {"externalId": "a", "itemSetId": GUID, "providerAppId": GUID, "namespace": "gym"}
    raw = {"items": [good, {**good, "itemSetId": "x"}, 5], "returnEntity": True}
    bulk = decoder_for(items.BulkCreateItemsRequest).decode_entries(raw)
    first, second, third = bulk.entries
    assert bulk.request == items.BulkCreateItemsRequest(items=(), return_entity=True)
    assert not isinstance(first, Invalid)
    assert first.value.external_id == "a"
    assert isinstance(second, Invalid)
    assert [each.field for each in second.violations] == ["items[1].itemSetId"]
    assert isinstance(third, Invalid)
    assert [each.field for each in third.violations] == ["items[2]"]


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        ({}, "REQUIRED_FIELD"),
        ({"itemIds": []}, "MIN_SIZE"),
        ({"itemIds": [GUID] * 101}, "MAX_SIZE"),
        ({"itemIds": "x"}, "FORMAT"),
    ],
)
def test_bulk_size_fails_the_request(raw: object, rule: str) -> None:
    """A bulk request has 1 to 100 entries, or fails as a whole."""
    with pytest.raises(Invalid) as refused:
        decoder_for(items.BulkDeleteItemsRequest).decode_entries(raw)
    assert [(each.field, each.violated_rule) for each in refused.value.violations] == [
        ("itemIds", rule)
    ]


def nested(levels: int) -> dict[str, Any]:
    tree: dict[str, Any] = {"policyOptions": {"customOptions": {"appId": GUID}}}
    for _ in range(levels):
        tree = {"operatorNotOptions": {"expression": tree}}
    return tree


def test_policies_may_be_nested() -> None:
    """A tree of reasonable depth decodes."""
    decoder_for(pool_definitions.CreatePoolDefinitionRequest).decode(
        definition(policyExpression=nested(22))
    )


@pytest.mark.parametrize("levels", [25, 400, 100_000])
def test_deep_policies_are_refused_not_fatal(levels: int) -> None:
    """A policy tree has a greatest depth; past it there is one violation and no crash."""
    raw = definition(policyExpression=nested(levels))
    (found,) = violations_of(pool_definitions.CreatePoolDefinitionRequest, raw)
    assert found.field == "poolDefinition.details.policyExpression"
    assert found.rule_name == "nesting_too_deep"
    assert found.data == {"threshold": TREE_DEPTH_MAX}


def test_large_policies_are_refused() -> None:
    """A policy tree holds so many values and names; one with more is refused, and not read."""
    request = pool_definitions.CreatePoolDefinitionRequest
    room = TREE_VALUES_MAX - 8  # Six are the policy's, two the list's own.
    decoder_for(request).decode(definition(policyExpression=nested(0) | {"more": [0] * room}))
    raw = definition(policyExpression={"type": 1} | nested(0) | {"more": [0] * (room - 1)})
    (found,) = violations_of(request, raw)
    assert found.field == "poolDefinition.details.policyExpression"
    assert (found.violated_rule, found.data) == ("MAX_SIZE", {"threshold": TREE_VALUES_MAX})


def test_violations_inside_policies_have_their_path() -> None:
    """Recursive types report like all others."""
    inner = {"policyOptions": {"rateLimitedOptions": {"times": 0, "timePeriod": "CENTURY"}}}
    raw = definition(policyExpression={"operatorAndOptions": {"expressions": [inner, inner]}})
    path = "poolDefinition.details.policyExpression.operatorAndOptions.expressions[1]"
    rules = rules_of(pool_definitions.CreatePoolDefinitionRequest, raw)
    assert rules[f"{path}.policyOptions.rateLimitedOptions.times"] == "MIN"
    assert rules[f"{path}.policyOptions.rateLimitedOptions.timePeriod"] == "INVALID_ENUM_VALUE"


def test_identities_are_the_domains() -> None:
    """An identity goes to the domain and back."""
    identity = Identity(IdentityType.MEMBER, GUID)
    assert common.IdentificationData(member_id=GUID).identity() == identity
    assert common.IdentificationData.of(identity).identity() == identity
    app = Identity(IdentityType.APP, GUID)
    assert common.IdentificationData.of(app).app_id == GUID


def test_item_references_are_the_domains() -> None:
    """A missing category is the empty one."""
    data = common.ItemReferenceData(external_id="mug", provider_app_id=GUID)
    assert data.reference() == ItemReference("mug", GUID, "")
    assert common.ItemReferenceData.of(data.reference()) == data


@pytest.mark.parametrize("body", [b"{", b'"\\ud800"', b"\xff", b"[" * 100_000, b"1e999"])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    """A body that can't be read is a violation of the whole."""
    with pytest.raises(Invalid) as refused:
        read_json(body)
    assert refused.value.violations[0].data["type"] == "JSON"


def test_an_empty_body_is_an_empty_object() -> None:
    """No body at all asks for nothing in particular."""
    assert read_json(b"") == {}
