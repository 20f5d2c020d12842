"""The types, methods and errors of the service against the contract's own data.

What differs on purpose stands in ``DEVIATIONS``, each with its reason; a deviation that is no
longer one fails too.
"""

from __future__ import annotations

import inspect
import json
from enum import Enum
from fnmatch import fnmatchcase
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from benefit_programs.api.errors import STATUS_BY_ERROR
from benefit_programs.api.method import Method
from benefit_programs.api.methods import METHODS
from benefit_programs.api.roles import JOB_READ
from benefit_programs.domain import details, entities, errors, explanations, values
from benefit_programs.domain.constraints import (
    Addition,
    DecimalText,
    FreeForm,
    Guid,
    Immutable,
    InstantText,
    Int32,
    Int64Text,
    ReadOnly,
    Requires,
    Size,
    Text,
    Undocumented,
)
from benefit_programs.wire.codec.fields import FieldPlan, Shape, fields_of
from benefit_programs.wire.codec.naming import to_camel
from benefit_programs.wire.types import (
    async_jobs,
    balances,
    common,
    eligibility,
    items,
    pool_definition_items,
    pool_definitions,
    pool_items,
    pools,
    program_definitions,
    programs,
    reservations,
    transactions,
)

DATA = Path(__file__).parent / "data"
CONTRACT_METHODS: dict[str, dict[str, Any]] = json.loads((DATA / "methods.json").read_text())
OF_CONTRACT = {name: method for name, method in METHODS.items() if not method.is_addition}
CONTRACT_TYPES: dict[str, dict[str, dict[str, Any]]] = json.loads((DATA / "types.json").read_text())
CONTRACT_ENUMS: dict[str, dict[str, list[str]]] = json.loads((DATA / "enums.json").read_text())

SHARED = (common, details, explanations, entities, values)
MODULES: dict[str, tuple[ModuleType, ...]] = {
    "program-definitions": (program_definitions,),
    "pool-definitions": (pool_definitions,),
    "programs": (programs,),
    "pools": (pools, eligibility, reservations),
    "items": (items,),
    "pool-definition-items": (pool_definition_items,),
    "pool-items": (pool_items,),
    "balances": (balances,),
    "transactions": (transactions,),
    "async-jobs": (async_jobs,),
}

RENAMED: dict[tuple[str, str], type[Any]] = {
    ("pool-definitions", "Type"): details.PolicyType,
    ("pools", "Type"): details.PolicyType,
    ("pools", "Update"): pools.RenewalUpdate,
    ("pools", "PoolRenewalActionType"): entities.RenewalActionType,
    ("pools", "ItemReference"): common.ItemReferenceData,
    ("pools", "PoolProgramInfo"): explanations.ProgramInfo,
    ("pools", "PoolDefinitionLookupId"): programs.PoolDefinitionLookupId,
    ("items", "Filter"): items.ItemFilter,
    ("items", "Type"): items.ItemFilterType,
    ("items", "CursorPaging"): common.ItemCursorPaging,
    ("items", "CursorQuery"): common.ItemCursorQuery,
    ("pool-definition-items", "ItemReference"): pool_definition_items.BenefitItemReference,
    ("pool-definition-items", "CreditConfiguration"): common.CreditConfigurationInfo,
    ("pool-definition-items", "CursorPaging"): common.LargeCursorPaging,
    ("pool-definition-items", "CursorQuery"): common.LargeCursorQuery,
    ("pool-items", "CreditConfiguration"): common.CreditConfigurationInfo,
    ("pool-items", "CursorPaging"): common.LargeCursorPaging,
    ("pool-items", "CursorQuery"): common.LargeCursorQuery,
    ("balances", "Item"): transactions.TransactionItem,
    ("balances", "TransactionDetails"): transactions.TransactionDetails,
    ("balances", "NotEnoughBalance"): errors.NotEnoughBalanceToRevert,
    ("transactions", "Item"): transactions.TransactionItem,
    ("async-jobs", "{ appId: string }"): async_jobs.JobCreatorApp,
}
"""Types that have another name here, because the contract uses one name for several."""


class InputTypes(NamedTuple):
    """An entity, and how clients send it on creation and on change."""

    entity: type[Any]
    new: type[Any] | None = None
    change: type[Any] | None = None


INPUTS = (
    InputTypes(
        program_definitions.ProgramDefinition,
        program_definitions.NewProgramDefinition,
        program_definitions.ProgramDefinitionChange,
    ),
    InputTypes(
        pool_definitions.PoolDefinition,
        pool_definitions.NewPoolDefinition,
        pool_definitions.PoolDefinitionChange,
    ),
    InputTypes(programs.Program, change=programs.ProgramChange),
    InputTypes(pools.Pool, change=pools.PoolChange),
    InputTypes(items.Item, items.NewItem, items.ItemChange),
    InputTypes(transactions.TransactionDetails, transactions.NewTransactionDetails),
)

CAPTURE = "our method is called captureBenefitReservation"
WITHOUT_USE = "no field of the contract has it"
OMITTED: dict[str, str] = {
    "pools.ReleaseBenefitReservationRequest": CAPTURE,
    "pools.ReleaseBenefitReservationResponse": CAPTURE,
    "pools.ProvisionPoolsForProgramResponseType": WITHOUT_USE,
    "pools.PoolSelectorType": WITHOUT_USE,
    "pool-definition-items.PoolDefinitionItemRemoved": "a view has no events of its own",
    "pool-items.PoolItemRemoved": "a view has no events of its own",
    "balances.Type": WITHOUT_USE,
    "balances.TransactionReversibility": WITHOUT_USE,
}

DEVIATIONS: dict[tuple[str, str], str] = {
    ("*.CursorPaging.limit", "min"): "a page of none makes no sense: below 1 is refused",
    ("*.Cursors.*", "maxLength"): "one type for all families; our cursors are far shorter",
    ("*.benefitKey", "minLength"): "an empty key names nothing",
    ("*.idempotencyKey", "minLength"): "an empty key would make different calls the same",
    ("*.FixedIntervalPolicy.*", "min"): "clocks have no hours or minutes below 0",
    ("*.RateLimitedPolicy.times", "min"): "a rate limit of none could never be fulfilled",
    ("*.RateLimitedPolicy.rollingDuration", "extra"): "an addition",
    ("*.IdentificationData.appId", "extra"): "answers name apps, as the contract's events do",
    ("*.IdentificationData.identityType", "readonly"): "requests may send it, if it agrees",
    ("*.ProgramDefinitionInfo.*", "readonly"): "no request holds it",
    ("*.PoolProgramInfo.*", "readonly"): "no request holds it",
    ("*.BalanceAmount.*", "readonly"): "no request holds it",
    ("pools.CancelBenefitReservationRequest.idempotencyKey", "extra"): "a retry must be safe",
    ("programs.ProgramDefinitionInfo.*", "extra"): "one type for all families; absent here",
    ("*.ProgramDefinitionInfo.*", "undocumented"): "one type for all families",
    ("pools.Pool.displayName", "maxLength"): "may be copied from a pool definition, which has 128",
    ("pools.Update.displayName", "maxLength"): "as the pool's",
    ("*.PoolInfo.displayName", "maxLength"): "as the pool's",
    ("*.PoolDefinitionInfo.displayName", "maxLength"): "as the pool definition's own",
    ("*.itemSearchKey", "maxLength"): "external and app ids may have 64 characters",
    ("pools.AlreadyExecuted.*", "extra"): "what the first execution answered",
    ("pools.BenefitAlreadyRedeemed.transactionId", "extra"): "what the first execution answered",
    ("pools.BenefitAlreadyRedeemed.sameRequest", "extra"): "whether that was the same request",
    ("pools.BenefitAlreadyRedeemed.context", "extra"): "errors about a pool tell of it",
    ("programs.ProgramAlreadyExists.programId", "extra"): "the program that is there",
    ("balances.SetOptions.value", "decimal"): "a balance is set to 0 or more",
    ("balances.SetInitialOptions.value", "decimal"): "a balance is set to 0 or more",
}
"""What differs on purpose: a pattern of fields and an aspect, with the reason."""

ADDED_PERMISSION_IDS = {"getAsyncJob": [JOB_READ], "listAsyncJobItems": [JOB_READ]}
"""Ids where the contract has none, so that roles can have these methods."""

ENUM_DEVIATIONS: dict[tuple[str, str], str] = {
    ("IdentityType", "APP"): "answers name apps, as the contract's events do",
    ("JobStatus", "UNKNOWN"): "a job always has a status",
    ("TimePeriod", "WEEK"): "an addition",
    ("TimePeriod", "YEAR"): "an addition",
    ("TimePeriod", "LIFETIME"): "an addition",
    ("TimePeriod", "ROLLING"): "an addition",
    ("TimePeriod", "CYCLE"): "an addition",
}

REQUIRED_DEVIATIONS: dict[str, str] = {
    "*.cascade": "a change must say when it reaches what was made, single or in bulk",
    "*.id": "the path's id is merged into the body",
    "*.*Options.value": "an option without its value says nothing",
    "*.fieldName": "an order needs the field that it is about",
    "*.timePeriod": "a rate limit needs its period",
    "*.times": "a rate limit needs its number",
    "*.expression": "an operator needs its operand",
    "*.expressions": "an operator needs its operands",
    "*.benefitKey": "a benefit without its key can't be named, nor kept through an update",
    "*.providerAppId": "a benefit without its app holds no items",
    "bulkDeleteItemsByFilter.filter": "to delete all items must be said, by an empty filter",
    "bulkUpdatePoolDefinitions.poolDefinitions": "a bulk request has 1 to 100 entries",
    "bulkUpdateItems.items": "a bulk request has 1 to 100 entries",
    "bulkUpdatePools.pools": "a bulk request has 1 to 100 entries",
    "bulkCheckBenefitEligibility.benefitSelectors": "a bulk request has 1 to 100 entries",
}


def find(module: str, name: str) -> type[Any] | None:
    """Our type for a name of the contract."""
    if (module, name) in RENAMED:
        return RENAMED[module, name]
    places = (*MODULES[module], *SHARED, errors)
    found = next((vars(place)[name] for place in places if name in vars(place)), None)
    return found if inspect.isclass(found) else None


def contract_of(module: str, name: str) -> dict[str, Any]:
    fields: dict[str, Any] = CONTRACT_TYPES[module][name]["fields"]
    return fields


def describe(field: FieldPlan) -> dict[str, Any]:
    """What the contract's data would say about the field, except for its type."""
    shape = field.shape
    inner = shape.element if shape.is_list else shape
    said: dict[str, Any] = {}
    for mark in (*shape.marks, *(inner.marks if shape.is_list else ())):
        match mark:
            case Guid():
                said["format"] = "GUID"
            case Text():
                said |= {"maxLength": mark.max_length, "minLength": mark.min_length or None}
            case DecimalText():
                said["decimal"] = {"maxScale": 4} | (
                    {} if mark.at_least is None else {"gte": str(mark.at_least)}
                )
            case Int32():
                said |= {"min": mark.minimum, "max": mark.maximum}
            case Size():
                said |= {"minSize": mark.minimum or None, "maxSize": mark.maximum}
            case ReadOnly():
                said["readonly"] = True
            case Immutable():
                said["immutable"] = True
            case Undocumented():
                said["undocumented"] = True
    return {key: value for key, value in said.items() if value is not None}


def is_addition(field: FieldPlan) -> bool:
    """Whether a field is marked as the service's own, and may be missing."""
    return field.shape.mark(Addition) is not None and not field.required


def type_fits(module: str, contract_type: str, shape: Shape) -> bool:
    """Whether a field holds what the contract's type says."""
    if contract_type.endswith("[]"):
        inner = shape.element if shape.is_list else None
        return inner is not None and type_fits(module, contract_type.removesuffix("[]"), inner)
    if contract_type.startswith("Record<"):
        return shape.mark(FreeForm) is not None
    text_marks = [shape.mark(mark) for mark in (DecimalText, Int64Text)]
    plain = {
        "string": shape.kind is str or any(text_marks),
        "Date": shape.mark(InstantText) is not None,
        "number": shape.mark(Int32) is not None,
        "boolean": shape.kind is bool,
    }
    if contract_type in plain:
        return plain[contract_type]
    expected = find(module, contract_type)
    variants = [each for inputs in INPUTS if inputs.entity is expected for each in inputs]
    return shape.kind in (expected, *variants)


COMPARED = {
    "format", "maxLength", "minLength", "decimal", "min", "max", "minSize", "maxSize",
    "readonly", "immutable", "undocumented",
}  # fmt: skip


def differences(module: str, name: str, type_: type[Any]) -> list[tuple[str, str, str]]:
    """Each difference as (field, what differs, how). Marked additions are none."""
    ours = {field.wire_name: field for field in fields_of(type_) if not is_addition(field)}
    theirs = contract_of(module, name)
    is_error = issubclass(type_, errors.Refusal)
    found = [(f"{module}.{name}.{each}", "extra", "") for each in ours.keys() - theirs.keys()]
    for each, contract in theirs.items():
        place = f"{module}.{name}.{each}"
        if each not in ours:
            found.append((place, "missing", ""))
            continue
        if is_error:
            continue
        if not type_fits(module, contract["type"], ours[each].shape):
            found.append((place, "type", f"{contract['type']} {ours[each].shape}"))
        said = describe(ours[each])
        found += [
            (place, aspect, f"{contract.get(aspect)} {said.get(aspect)}")
            for aspect in sorted(COMPARED)
            if contract.get(aspect) != said.get(aspect)
        ]
    return found


ALL_TYPES = [(module, name) for module, types in CONTRACT_TYPES.items() for name in types]
USED = [key for key in ALL_TYPES if ".".join(key) not in OMITTED]


def all_differences() -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    for module, name in USED:
        type_ = find(module, name)
        assert type_ is not None, f"{module}.{name} is missing"
        found += differences(module, name, type_)
    return found


def matching(place: str, aspect: str) -> list[tuple[str, str]]:
    return [key for key in DEVIATIONS if key[1] == aspect and fnmatchcase(place, key[0])]


@pytest.mark.parametrize(("module", "name"), ALL_TYPES)
def test_type_is_there(module: str, name: str) -> None:
    """Each type of the contract is one of ours, or is left out for a reason."""
    assert (find(module, name) is not None) != (f"{module}.{name}" in OMITTED)


@pytest.mark.parametrize(("module", "name"), USED)
def test_type_has_the_contracts_fields(module: str, name: str) -> None:
    """Fields, formats, limits and marks are the contract's, but for named deviations."""
    type_ = find(module, name)
    assert type_ is not None
    unknown = [each for each in differences(module, name, type_) if not matching(*each[:2])]
    assert unknown == []


def test_no_deviation_of_requirement_is_stale() -> None:
    """Each named deviation about required fields is one."""
    different = [
        f"{method.name}.{name}"
        for method in OF_CONTRACT.values()
        for name in required_names(method.request)
        ^ set(CONTRACT_METHODS[method.name]["requiredFields"])
    ]
    assert [
        pattern
        for pattern in REQUIRED_DEVIATIONS
        if not any(fnmatchcase(name, pattern) for name in different)
    ] == []


def test_no_deviation_is_stale() -> None:
    """Each named deviation is one."""
    found = {key for place, aspect, _ in all_differences() for key in matching(place, aspect)}
    assert found == DEVIATIONS.keys()


ALL_ENUMS = [(module, name) for module, found in CONTRACT_ENUMS.items() for name in found]


@pytest.mark.parametrize(("module", "name"), ALL_ENUMS)
def test_enum_has_the_contracts_values(module: str, name: str) -> None:
    """Values of enumerations are the contract's, but for named deviations."""
    if f"{module}.{name}" in OMITTED:
        return
    type_ = find(module, name)
    assert type_ is not None
    assert issubclass(type_, Enum)
    ours, theirs = {member.value for member in type_}, set(CONTRACT_ENUMS[module][name])
    assert {value for value in ours ^ theirs if (name, value) not in ENUM_DEVIATIONS} == set()


@pytest.mark.parametrize("inputs", INPUTS)
def test_input_types_have_what_clients_may_set(inputs: InputTypes) -> None:
    """What is created or changed has the entity's fields, less those that the server sets."""
    entity = {field.wire_name: field for field in fields_of(inputs.entity)}
    marks = {name: (describe(field)) for name, field in entity.items()}
    server_made = {"id", "revision", "createdDate", "updatedDate"}
    new = {
        name
        for name, said in marks.items()
        if name not in server_made and (not said.get("readonly") or said.get("immutable"))
    }
    change = {name for name, said in marks.items() if not {"readonly", "immutable"} & said.keys()}
    expected = ((inputs.new, new), (inputs.change, change | {"id", "revision"}))
    for type_, names in expected:
        if type_ is not None:
            assert {field.wire_name for field in fields_of(type_)} == names


@pytest.mark.parametrize("inputs", INPUTS)
def test_input_types_keep_the_entitys_limits(inputs: InputTypes) -> None:
    """A field has the same format and limits in what is sent as in what is answered."""
    entity = {field.wire_name: describe(field) for field in fields_of(inputs.entity)}
    for type_ in (inputs.new, inputs.change):
        for field in fields_of(type_) if type_ else ():
            theirs = dict(entity[field.wire_name])
            theirs.pop("readonly", None)
            theirs.pop("immutable", None)
            if type_ is pools.PoolChange and field.wire_name == "displayName":
                theirs["maxLength"] = 64  # copied names may be longer than given ones
            assert describe(field) == theirs


def test_methods_are_the_contracts() -> None:
    """The table has the contract's methods and no others."""
    assert OF_CONTRACT.keys() == CONTRACT_METHODS.keys()


@pytest.mark.parametrize("method", OF_CONTRACT.values(), ids=lambda method: method.name)
def test_method_is_the_contracts(method: Method) -> None:
    """Verb, path, scope, permissions and types of a method are the contract's."""
    theirs = CONTRACT_METHODS[method.name]
    assert (method.verb, method.path) == (theirs["verb"], theirs["path"])
    assert method.scope == theirs["scope"]
    permission_ids = theirs["permissionIds"] or ADDED_PERMISSION_IDS.get(method.name)
    assert list(method.permission_ids) == permission_ids
    assert method.request is find(theirs["module"], theirs["request"])
    assert method.response is find(theirs["module"], theirs["response"])
    if "requestIn" in theirs:
        assert method.request_in == "query"


def required_names(type_: type[Any], seen: frozenset[type[Any]] = frozenset()) -> set[str]:
    """All dotted names of fields that must be there if what holds them is there."""
    if type_ in seen:
        return set()
    names: set[str] = set()
    for field in fields_of(type_):
        if is_addition(field):
            continue
        if field.required:
            names.add(field.wire_name)
        shape = field.shape.element if field.shape.is_list else field.shape
        if shape.is_struct and not field.shape.mark(ReadOnly):
            inner = required_names(shape.kind, seen | {type_})
            names |= {f"{field.wire_name}.{name}" for name in inner}
        names |= {
            f"{field.wire_name}.{to_camel(mark.attribute)}"
            for mark in field.shape.marks
            if isinstance(mark, Requires)
        }
    return names


@pytest.mark.parametrize("method", OF_CONTRACT.values(), ids=lambda method: method.name)
def test_required_fields_are_the_contracts(method: Method) -> None:
    """Fields are required where the contract requires them, but for named deviations."""
    theirs = set(CONTRACT_METHODS[method.name]["requiredFields"])
    different = {f"{method.name}.{name}" for name in required_names(method.request) ^ theirs}
    assert {
        name
        for name in different
        if not any(fnmatchcase(name, pattern) for pattern in REQUIRED_DEVIATIONS)
    } == set()


def test_error_codes_are_there() -> None:
    """Each error code of the contract has a class, and the class the contract's data."""
    classes = {error.code: error for error in STATUS_BY_ERROR}
    for method in CONTRACT_METHODS.values():
        for error in method.get("applicationErrors", ()):
            assert error["code"] in classes
            if "data" in error:
                found = find(method["module"], error["data"])
                assert found is not None
                names = {field.wire_name for field in fields_of(found)}
                assert contract_of(method["module"], error["data"]).keys() <= names


def test_every_error_has_its_status() -> None:
    """Each class of refusal that stands for a code has a line in the table."""

    def family(type_: type[errors.Refusal]) -> set[type[errors.Refusal]]:
        return {type_}.union(*(family(inner) for inner in type_.__subclasses__()))

    # One that only others are made from has no answer of its own.
    bases = {errors.Refusal, errors.NotFoundInNamespace}
    assert family(errors.Refusal) - bases == STATUS_BY_ERROR.keys()
