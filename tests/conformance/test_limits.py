"""Every limit of every field, over HTTP: a value at the edge, and one past it.

Cases are made from the contract's own data (``data/*.json``), and from what differs on purpose
(``data/deviations.json``). A value at the edge is accepted if no violation names its field; the
call may fail for other reasons.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from benefit_programs.api.methods import METHODS
from tests.conformance.documents import ABSENT, request_with, violations_of
from tests.conformance.request_fields import (
    DEVIATIONS,
    ENUMS,
    TYPES,
    RequestField,
    choices_of_request,
    fields_of_request,
)
from tests.conformance.request_fields import METHODS as CONTRACT_METHODS
from tests.support.calls import guid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

ENGINES = ["sqlite"]

AMOUNT_MAX = "922337203685477.5807"
PAST_AMOUNT_MAX = "922337203685477.5808"
WIDE = "\U0001f600"
"""One character that is two code units, and four bytes."""

WIDE_LENGTH_MAX = 1_000
"""Longer texts are made of narrow characters: no address is as long as they would be."""


class Case(NamedTuple):
    """One value of a field, and the rule that it breaks, if it breaks one."""

    value: Any
    rule: str | None = None
    data: dict[str, Any] | None = None


def format_of(name: str) -> dict[str, Any]:
    return {"type": name}


def threshold(limit: Any) -> dict[str, Any]:
    return {"threshold": limit}


def cases_of(field: RequestField) -> Iterator[Case]:
    """What to try with a field that is no list."""
    kind, said = field.base_type, field.contract
    if kind in ENUMS[field.module]:
        names = [name for name in ENUMS[field.module][kind] if not name.startswith("UNKNOWN")]
        yield from map(Case, names)
        # A pool definition's cascade that makes no sense has a rule name, which goes with OTHER.
        is_named = (field.module, kind) == ("pool-definitions", "Cascade")
        yield Case("NOPE", "OTHER" if is_named else "INVALID_ENUM_VALUE")
    elif kind in TYPES[field.module] or kind.startswith("Record<"):
        yield Case({})
        yield Case("text", "FORMAT", format_of("OBJECT"))
    elif kind == "boolean":
        yield Case(True)
        yield Case("yes", "FORMAT", format_of("BOOL"))
    elif kind == "Date":
        yield Case("2028-02-29T23:59:59.999+02:00")
        yield Case("2026-02-29T00:00:00.000Z", "FORMAT", format_of("DATE_TIME"))
    elif kind == "number":
        yield from number_cases(said)
    elif "decimal" in said:
        yield from decimal_cases(said["decimal"])
    elif field.path.lower().endswith("revision"):
        yield Case(str(2**63 - 1))
        yield Case(str(2**63), "FORMAT", format_of("INT64"))
    else:
        yield from text_cases(said)


def number_cases(said: dict[str, Any]) -> Iterator[Case]:
    low, high = said.get("min"), said.get("max")
    yield Case(low if low is not None else -(2**31) if high is not None else 0)
    yield Case(high if high is not None else 2**31 - 1)
    if low is not None:
        yield Case(low - 1, "MIN", threshold(low))
    if high is not None:
        yield Case(high + 1, "MAX", threshold(high))
    else:
        yield Case(2**31, "FORMAT", format_of("INT32"))
    yield Case("many", "FORMAT", format_of("INT32"))


def decimal_cases(said: dict[str, Any]) -> Iterator[Case]:
    scale = said["maxScale"]
    yield from map(Case, ("0", "0." + "0" * (scale - 1) + "1", AMOUNT_MAX))
    yield Case("0." + "0" * scale + "1", "DECIMAL_MAX_SCALE", threshold(scale))
    yield Case(PAST_AMOUNT_MAX, "DECIMAL_LTE", threshold(AMOUNT_MAX))
    yield Case("1,5", "FORMAT", format_of("DECIMAL"))
    if said.get("gte") == "0":
        yield Case("-0.0001", "DECIMAL_GTE", threshold("0"))
    else:
        yield Case("-" + AMOUNT_MAX)
        yield Case("-" + PAST_AMOUNT_MAX, "DECIMAL_GTE", threshold("-" + AMOUNT_MAX))


def text_cases(said: dict[str, Any]) -> Iterator[Case]:
    form = said.get("format")
    if form == "GUID":
        yield Case(guid().upper())
        yield Case("x" * 36, "FORMAT", format_of("GUID"))
        return
    limits = {"minLength": 1, "maxLength": 64} if form == "GIVEN_ID" else said
    low, high = limits.get("minLength"), limits.get("maxLength")
    if low:
        yield Case("x" * low)
        yield Case("x" * (low - 1), "MIN_LENGTH", threshold(low))
    if high:
        character = WIDE if high < WIDE_LENGTH_MAX else "x"
        yield Case(character * high)
        yield Case(character * high + "x", "MAX_LENGTH", threshold(high))
    if form == "GIVEN_ID":
        yield Case("two\nlines", "FORMAT", format_of("PRINTABLE_STRING"))


def list_cases(field: RequestField) -> Iterator[Case]:
    """What to try with the list itself."""
    entry = next((case.value for case in cases_of(field) if case.rule is None), "text")
    low, high = field.contract.get("minSize"), field.contract.get("maxSize")
    if high:
        yield Case([entry] * high)
        yield Case([entry] * (high + 1), "MAX_SIZE", threshold(high))
    if low:
        yield Case([entry] * low)
        yield Case([entry] * (low - 1), "MIN_SIZE", threshold(low))
    if not field.is_mask:
        yield Case("text", "FORMAT", format_of("LIST"))


def all_cases(field: RequestField, *, in_query: bool) -> Iterator[tuple[str, Case]]:
    """Each case with the path of what it is about."""
    if not field.is_list:
        yield from ((field.path, case) for case in cases_of(field) if not in_path(field, case))
        return
    for case in list_cases(field):
        if not in_query or (case.rule != "MIN_SIZE" and case.value != "text"):
            yield field.path, case
    if not field.is_mask:
        yield from ((f"{field.path}[0]", case) for case in cases_of(field))


def has_choice(field: RequestField) -> bool:
    """Whether an empty object is refused for another reason than its form."""
    return "oneOf" in TYPES[field.module].get(field.base_type, {})


def in_path(field: RequestField, case: Case) -> bool:
    """Whether a value is none that a path can hold: an address with an empty part is another."""
    return case.value == "" and any(
        field.path in method.path_parameters for method in METHODS.values()
    )


async def base_of(service: Service, method: str) -> dict[str, Any]:
    """What must be right of a request before its entries are looked at."""
    if method.endswith("ProgramDefinition") and method.startswith(("add", "remove")):
        return {"poolDefinitionId": guid(), "programDefinitionId": guid()}
    if not method.endswith(("ItemsToBenefit", "ItemsFromBenefit")):
        return {}
    definition = await service.create_pool_definition()
    key = definition["details"]["benefits"][0]["benefitKey"]
    return {"poolDefinitionId": definition["id"], "benefitKey": key, "namespace": "gym"}


@pytest.mark.parametrize("method", CONTRACT_METHODS)
async def test_limits_hold_at_their_edges(service: Service, method: str) -> None:
    """A value at a limit is taken, one past it is refused with its path, its rule and its data."""
    in_query = METHODS[method].request_in == "query"
    base = await base_of(service, method)
    wrong = []
    for field in fields_of_request(method):
        further = {each["rule"] for each in field.matching("judgedFurther")}
        further |= {"ONE_OF_ALIGNMENT"} if has_choice(field) else set()
        for path, case in all_cases(field, in_query=in_query):
            request = request_with(method, path, case.value, base)
            found = [
                (each["violatedRule"], each.get("data"))
                for each in await violations_of(service, request)
                if each["field"] == path and each["violatedRule"] not in further - {case.rule}
            ]
            is_refused = case.rule is not None and not field.is_ignored
            if found != ([(case.rule, case.data)] if is_refused else []):
                wrong.append((path, str(case)[:120], found))
    assert wrong == []


def required_paths(method: str) -> list[str]:
    """The paths of fields that must be there, but for those that the address holds."""
    in_address = {"id", *METHODS[method].path_parameters}
    contract = CONTRACT_METHODS[method]
    by_plain_path = {field.path.replace("[0]", ""): field for field in fields_of_request(method)}
    also = [
        field.path
        for field in by_plain_path.values()
        if field.matching("alsoRequired") and not field.is_ignored
    ]
    named = [name for name in contract["requiredFields"] if name not in in_address]
    return sorted({*(by_plain_path[name].path for name in named), *also})


@pytest.mark.parametrize("method", CONTRACT_METHODS)
async def test_required_fields_are_required(service: Service, method: str) -> None:
    """What must be there and isn't, or is null, is named by a violation."""
    nulls = (None,) if METHODS[method].request_in == "body" else ()
    base = await base_of(service, method)
    wrong = []
    for path in required_paths(method):
        for value in (ABSENT, *nulls):
            request = request_with(method, path, value, base)
            found = await violations_of(service, request)
            if [each["violatedRule"] for each in found if each["field"] == path] != [
                "OTHER" if path == "cascade" else "REQUIRED_FIELD"
            ]:
                wrong.append((path, value, found))
    assert wrong == []


@pytest.mark.parametrize("method", CONTRACT_METHODS)
async def test_fields_exclude_each_other(service: Service, method: str) -> None:
    """Of fields that exclude each other, two are refused, and none where one is needed."""
    wrong = []
    by_path = {field.path: field for field in fields_of_request(method)}
    for path, fields, is_needed in choices_of_request(method):
        inside = [f"{path}.{name}".lstrip(".") for name in fields]
        if inside[0] not in by_path:
            continue  # a policy inside a policy, which is like the one outside
        both = request_with(method, inside[0], valid_value(by_path[inside[0]]))
        second = request_with(method, inside[1], valid_value(by_path[inside[1]]))
        merge(both.document, second.document)
        found = await violations_of(service, both)
        if ("ONE_OF_ALIGNMENT", inside[1]) not in pairs(found):
            wrong.append((path, "two", found))
        none = request_with(method, f"{path}.unknown".lstrip("."), 1)
        found = await violations_of(service, none)
        if is_needed != (("ONE_OF_ALIGNMENT", path) in pairs(found)):
            wrong.append((path, "none", found))
    assert wrong == []


def valid_value(field: RequestField) -> Any:
    return next(case.value for case in cases_of(field) if case.rule is None)


def pairs(violations: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["violatedRule"], each["field"]) for each in violations]


def merge(document: Any, other: Any) -> None:
    """Add what the other has, at every depth."""
    for name, value in other.items():
        mine = document.setdefault(name, value)
        if isinstance(mine, dict) and isinstance(value, dict):
            merge(mine, value)
        elif isinstance(mine, list) and mine and isinstance(mine[0], dict):
            merge(mine[0], value[0])


def test_no_deviation_is_stale() -> None:
    """Each deviation is about a field of a request."""
    fields = [field for method in CONTRACT_METHODS for field in fields_of_request(method)]
    for kind, deviations in DEVIATIONS.items():
        found = [each for field in fields for each in field.matching(kind)]
        assert [each for each in deviations if each not in found] == []
