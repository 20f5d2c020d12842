"""What a filter may not say, and where the answer points."""

from __future__ import annotations

from typing import Any

import pytest

from benefit_programs.domain.errors import VIOLATIONS_MAX, Invalid
from benefit_programs.domain.violations import DESCRIPTION_LENGTH_MAX
from benefit_programs.domain.words import SHOWN_LENGTH_MAX
from benefit_programs.storage.query import (
    GUIDS_DEFAULT,
    GUIDS_OPEN,
    GUIDS_STRICT,
    FieldKind,
    read_filter,
)
from benefit_programs.storage.query.sizes import CONDITIONS_MAX, DEPTH_MAX, MEMBERS_MAX
from benefit_programs.storage.query.values import TEXT_LENGTH_MAX
from tests.unit.query.sample import SPEC

GUID = "01890a5d-ac96-774b-bcce-b302099a8057"


def violations_of(
    filter_: Any, guids: frozenset[FieldKind] = GUIDS_DEFAULT
) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        read_filter(SPEC.fields, filter_, path="query.filter", guids=guids)
    return [(found.field, str(found.violated_rule)) for found in refused.value.violations]


@pytest.mark.parametrize(
    ("filter_", "path", "rule"),
    [
        ([], "", "FORMAT"),
        ("x", "", "FORMAT"),
        ({"nope": 1}, ".nope", "FIELD_NOT_ALLOWED"),
        ({"program": {"id": GUID}}, ".program", "FIELD_NOT_ALLOWED"),
        ({"external_id": "x"}, ".external_id", "FIELD_NOT_ALLOWED"),
        ({"$nor": []}, ".$nor", "FIELD_NOT_ALLOWED"),
        ({"namespace": {"$regex": "x"}}, ".namespace.$regex", "FIELD_NOT_ALLOWED"),
        ({"namespace": {"$eq": "x", "y": 1}}, ".namespace.y", "FIELD_NOT_ALLOWED"),
        ({"namespace": {}}, ".namespace", "FORMAT"),
        ({"namespace": 1}, ".namespace", "FORMAT"),
        ({"namespace": ["x"]}, ".namespace", "FORMAT"),
        ({"namespace": "\x00"}, ".namespace", "FORMAT"),
        ({"namespace": "\ud800"}, ".namespace", "FORMAT"),
        ({"namespace": {"$gt": None}}, ".namespace.$gt", "FORMAT"),
        ({"namespace": {"$startsWith": None}}, ".namespace.$startsWith", "FORMAT"),
        ({"namespace": {"$exists": "true"}}, ".namespace.$exists", "FORMAT"),
        ({"namespace": {"$isEmpty": 1}}, ".namespace.$isEmpty", "FORMAT"),
        ({"namespace": {"$in": "x"}}, ".namespace.$in", "FORMAT"),
        ({"namespace": {"$in": ["x", 1]}}, ".namespace.$in[1]", "FORMAT"),
        ({"tags": {"$hasAll": ["x", None]}}, ".tags.$hasAll[1]", "FORMAT"),
        ({"namespace": "x" * (TEXT_LENGTH_MAX + 1)}, ".namespace", "MAX_LENGTH"),
        ({"id": "x"}, ".id", "FORMAT"),
        ({"id": {"$startsWith": 5}}, ".id.$startsWith", "FORMAT"),
        ({"definitionIds": [GUID, "x"]}, ".definitionIds[1]", "FORMAT"),
        ({"program.id": GUID + "0"}, ".program.id", "FORMAT"),
        ({"programId": GUID + "\n"}, ".programId", "FORMAT"),
        ({"status": "active"}, ".status", "INVALID_ENUM_VALUE"),
        ({"status": {"$in": ["ENDED", "X"]}}, ".status.$in[1]", "INVALID_ENUM_VALUE"),
        ({"createdDate": 5}, ".createdDate", "FORMAT"),
        ({"createdDate": "yesterday"}, ".createdDate", "FORMAT"),
        ({"createdDate": "2026-02-30T00:00:00Z"}, ".createdDate", "FORMAT"),
        ({"createdDate": {"$date": 5}}, ".createdDate", "FORMAT"),
        ({"beneficiary": "x"}, ".beneficiary", "FORMAT"),
        ({"beneficiary": {}}, ".beneficiary", "ONE_OF_ALIGNMENT"),
        ({"beneficiary": {"appId": GUID}}, ".beneficiary", "ONE_OF_ALIGNMENT"),
        ({"beneficiary": {"memberId": "x"}}, ".beneficiary.memberId", "FORMAT"),
        (
            {"beneficiary": {"memberId": GUID, "wixUserId": GUID}},
            ".beneficiary",
            "ONE_OF_ALIGNMENT",
        ),
        (
            {"beneficiary": {"memberId": GUID, "identityType": "WIX_USER"}},
            ".beneficiary.identityType",
            "ONE_OF_ALIGNMENT",
        ),
        ({"$and": {}}, ".$and", "FORMAT"),
        ({"$and": ["x"]}, ".$and[0]", "FORMAT"),
        ({"$not": []}, ".$not", "FORMAT"),
        ({"$and": [{"externalId": {"$gt": 5}}]}, ".$and[0].externalId.$gt", "FORMAT"),
        ({"$or": [{}, {"$not": {"id": {"$not": "x"}}}]}, ".$or[1].$not.id.$not", "FORMAT"),
    ],
)
def test_violations_name_their_place(filter_: Any, path: str, rule: str) -> None:
    """Each mistake is told with its own path and rule."""
    assert violations_of(filter_) == [(f"query.filter{path}", rule)]


def test_all_violations_are_told_at_once() -> None:
    """One mistake doesn't hide another."""
    filter_ = {"id": "x", "$or": [{"nope": 1}, {"status": {"$eq": "X", "$foo": 1}}]}
    assert violations_of(filter_) == [
        ("query.filter.id", "FORMAT"),
        ("query.filter.$or[0].nope", "FIELD_NOT_ALLOWED"),
        ("query.filter.$or[1].status.$eq", "INVALID_ENUM_VALUE"),
        ("query.filter.$or[1].status.$foo", "FIELD_NOT_ALLOWED"),
    ]


def test_format_of_guids_is_told() -> None:
    """The violation of an id says what it should have been."""
    with pytest.raises(Invalid) as refused:
        read_filter(SPEC.fields, {"id": "x"}, path="filter", guids=GUIDS_DEFAULT)
    assert [found.data for found in refused.value.violations] == [{"type": "GUID"}]


def test_which_ids_are_guids_is_a_setting() -> None:
    """Strict wants GUIDs of external ids, open takes any identity, and both keep our own ids."""
    identity = {"beneficiary": {"memberId": "user-1"}, "beneficiary.memberId": "user-1"}
    external = {"externalId": "myProgram17"}
    read_filter(SPEC.fields, external, path="filter", guids=GUIDS_DEFAULT)
    read_filter(SPEC.fields, identity | external, path="filter", guids=GUIDS_OPEN)
    assert violations_of(external, GUIDS_STRICT) == [("query.filter.externalId", "FORMAT")]
    assert len(violations_of(identity, GUIDS_DEFAULT)) == 2
    assert violations_of({"id": "x"}, GUIDS_OPEN) == [("query.filter.id", "FORMAT")]


def nested(depth: int) -> dict[str, Any]:
    filter_: dict[str, Any] = {"namespace": "x"}
    for _ in range(depth - 1):
        filter_ = {"$not": filter_}
    return filter_


@pytest.mark.parametrize(
    ("allowed", "refused", "rule"),
    [
        (nested(DEPTH_MAX), nested(DEPTH_MAX + 1), "MAX"),
        (
            {"$and": [{"namespace": "x"}] * CONDITIONS_MAX},
            {"$and": [{"namespace": "x"}] * (CONDITIONS_MAX + 1)},
            "MAX_SIZE",
        ),
        (
            {"$or": [{"namespace": "x", "externalId": "y"}] * (CONDITIONS_MAX // 2)},
            {"$or": [{"namespace": "x", "externalId": "y"}] * (CONDITIONS_MAX // 2 + 1)},
            "MAX_SIZE",
        ),
        (
            {"namespace": {"$in": ["x"] * MEMBERS_MAX}},
            {"namespace": {"$in": ["x"] * (MEMBERS_MAX + 1)}},
            "MAX_SIZE",
        ),
    ],
)
def test_filters_have_limits(allowed: Any, refused: Any, rule: str) -> None:
    """A filter at a limit is read, one past it is refused with a single violation."""
    read_filter(SPEC.fields, allowed, path="query.filter", guids=GUIDS_DEFAULT)
    assert [found for _, found in violations_of(refused)] == [rule]


@pytest.mark.parametrize(
    ("too_large", "place", "rule"),
    [
        ({f"name{number}": 1 for number in range(CONDITIONS_MAX + 1)}, "", "MAX_SIZE"),
        ({"$or": ["x"] * (CONDITIONS_MAX + 1)}, "", "MAX_SIZE"),
        ({"$or": [{"$and": [{}] * 251}, {"$and": [{}] * 250}]}, "", "MAX_SIZE"),
        ({"id": {"$in": [1] * (MEMBERS_MAX + 1), "$eq": 1}}, ".id.$in", "MAX_SIZE"),
        ({"nope": [1] * (MEMBERS_MAX + 1)}, ".nope", "MAX_SIZE"),
        ({"id": "x", "$not": nested(DEPTH_MAX)}, ".$not" * DEPTH_MAX, "MAX"),
        ({"id": {"$not": nested(DEPTH_MAX)}}, ".id" + ".$not" * DEPTH_MAX, "MAX"),
    ],
)
def test_what_is_too_large_is_not_read(too_large: Any, place: str, rule: str) -> None:
    """A filter past a limit is told that alone, whatever else is wrong inside."""
    assert violations_of(too_large) == [(f"query.filter{place}", rule)]


def test_what_an_answer_names_is_limited() -> None:
    """Of many violations an answer names the first ones, and says how many more there are."""
    wrong = {"$or": [{"id": {"$in": [1] * MEMBERS_MAX}}] * 40}
    with pytest.raises(Invalid) as refused:
        read_filter(SPEC.fields, wrong, path="filter", guids=GUIDS_DEFAULT)
    named = [each.field for each in refused.value.violations]
    assert named == [f"filter.$or[0].id.$in[{index}]" for index in range(VIOLATIONS_MAX)]
    assert refused.value.more == 40 * MEMBERS_MAX - VIOLATIONS_MAX
    assert str(refused.value).endswith("; and 19900 more")


def test_long_names_are_not_repeated() -> None:
    """A name that the caller made up is cut where an answer would say it."""
    name = "x" * 50_000
    with pytest.raises(Invalid) as refused:
        read_filter(SPEC.fields, {name: 1}, path="filter", guids=GUIDS_DEFAULT)
    (told,) = refused.value.violations
    assert len(told.field) == len("filter.") + SHOWN_LENGTH_MAX
    assert len(told.description) <= DESCRIPTION_LENGTH_MAX
    assert told.field.startswith("filter.xxx")
