"""The client speaks the whole contract, and says what it offers."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from enum import Enum
from pathlib import Path
from typing import Any, get_type_hints, is_typeddict

import msgspec
import pytest

import benefit_programs.client as package
import hatch_build
from benefit_programs.api.methods import METHODS
from benefit_programs.client import asynchronous, core, synchronous, types
from benefit_programs.client.generated.routes import ROUTES
from benefit_programs.client.types import events
from benefit_programs.wire.codec.fields import fields_by_name
from benefit_programs.wire.events import EVENT_TYPES
from benefit_programs.wire.types import (
    async_jobs,
    audit,
    balances,
    beneficiaries,
    calendars,
    eligibility,
    items,
    lots,
    overviews,
    people,
    pool_definition_items,
    pool_definitions,
    pool_items,
    pools,
    program_definitions,
    programs,
    reservations,
    scheduled_changes,
    settings,
    statements,
    transactions,
    webhooks,
)
from tools import generate_client

SOURCE = Path(package.__file__).parent

# The service's entities and results, and the client's classes for them.
TWINS: list[tuple[type[Any], type[Any]]] = [
    (program_definitions.ProgramDefinition, package.ProgramDefinition),
    (pool_definitions.PoolDefinition, package.PoolDefinition),
    (pool_definitions.NewPoolDefinition, package.NewPoolDefinition),
    (programs.Program, package.Program),
    (programs.ProvisionProgramResponse, package.ProvisionedProgram),
    (pools.Pool, package.Pool),
    (pools.RedeemBenefitResponse, package.Redemption),
    (pools.BulkUpdatePoolsResponse, package.BulkResult[package.Pool]),
    (reservations.Reservation, package.Reservation),
    (reservations.BulkReservationsResponse, package.BulkResult[package.Redemption]),
    (eligibility.BenefitResult, package.BenefitResult),
    (eligibility.BenefitSelector, package.BenefitSelector),
    (items.Item, package.Item),
    (items.NewItem, package.NewItem),
    (items.ByItemSetIdAndReferenceFilter, package.ItemSetReferenceFilter),
    (pool_definition_items.PoolDefinitionItem, package.PoolDefinitionItem),
    (pool_items.PoolItem, package.PoolItem),
    (balances.Balance, package.Balance),
    (balances.ChangeBalanceResponse, package.ChangedBalance),
    (transactions.Transaction, package.Transaction),
    (lots.Lot, package.Lot),
    (lots.GrantCreditsResponse, package.ChangedLot),
    (async_jobs.Job, package.Job),
    (beneficiaries.EraseBeneficiaryResponse, package.Erasure),
    (beneficiaries.MergeBeneficiaryResponse, package.Merge),
    (beneficiaries.KeptRecord, package.KeptRecord),
    (async_jobs.JobItem, package.JobItem),
    (settings.TenantSettingsData, package.TenantSettings),
    (webhooks.WebhookEndpoint, package.WebhookEndpoint),
    (webhooks.CreateWebhookEndpointResponse, package.CreatedWebhookEndpoint),
    (webhooks.WebhookProgress, package.WebhookProgress),
    (webhooks.TestWebhookEndpointResponse, package.WebhookTest),
    (webhooks.WebhookDelivery, package.WebhookDelivery),
    (webhooks.WebhookKey, package.WebhookKey),
    (statements.GetBalanceAsOfResponse, package.BalanceAsOf),
    (statements.GetStatementsResponse, package.StatementOfPools),
    (statements.GetActivityResponse, package.Activity),
    (statements.StatementSummary, package.StatementSummary),
    (statements.StatementRow, package.StatementRow),
    (scheduled_changes.ScheduledChange, package.ScheduledChange),
    (audit.AuditEntry, package.AuditEntry),
    (overviews.GetOverviewResponse, package.Overview),
    (people.Person, package.Person),
    (people.NewPerson, package.NewPerson),
    (calendars.TimetableResponse, package.Timetable),
]

# What can't be sent: the service refuses it until balances can be reserved.
NOT_OFFERED = frozenset({"sourceBalanceType", "targetBalanceType", "supersededTransactionId"})


def modules() -> list[Any]:
    packages = (package, asynchronous, core, synchronous, types)
    return [
        importlib.import_module(f"{each.__name__}.{found.name}")
        for each in packages
        for found in pkgutil.iter_modules(each.__path__)
    ]


def test_every_method_is_offered() -> None:
    """The client calls each method of the service somewhere."""
    source = "".join(path.read_text("utf-8") for path in (SOURCE / "asynchronous").glob("*.py"))
    assert [name for name in ROUTES if f'"{name}"' not in source] == []


def test_generated_parts_are_up_to_date() -> None:
    """Routes, enums, filters, errors and exports are what the server's tables make: `make docs`."""
    assert generate_client.differing() == []


def test_sync_client_is_up_to_date() -> None:
    """The sync client is what the async one makes: `make test`, or `python hatch_build.py`."""
    present = {path: path.read_text("utf-8") for path in (SOURCE / "synchronous").glob("*.py")}
    assert present == hatch_build.modules()


def _is_struct(kind: type[Any]) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def missing(theirs: type[Any], ours: Any, seen: frozenset[Any] = frozenset()) -> list[str]:
    """The fields that the service has and the client's class hasn't, all the way down."""
    if (theirs, ours) in seen:
        return []
    info = msgspec.inspect.type_info(ours)
    assert isinstance(info, msgspec.inspect.StructType)
    known = {each.encode_name: each.type for each in info.fields}
    lacking = []
    for name, field in fields_by_name(theirs).items():
        if name != field.wire_name:
            continue
        if name not in known:
            lacking.append(f"{theirs.__name__}.{name}")
            continue
        shape = field.shape.element if field.shape.is_list else field.shape
        inner = _struct_of(known[name])
        if shape.is_struct and inner is not None:
            lacking += missing(shape.kind, inner, seen | {(theirs, ours)})
    return lacking


def _struct_of(info: Any) -> Any:
    """The struct in a type that may be a union or a list."""
    if isinstance(info, msgspec.inspect.StructType):
        return info.cls
    inner = [*getattr(info, "types", ()), getattr(info, "item_type", None)]
    return next((found for each in inner if each and (found := _struct_of(each))), None)


@pytest.mark.parametrize(("theirs", "ours"), TWINS)
def test_every_field_is_offered(theirs: type[Any], ours: type[Any]) -> None:
    """Each field that the service can answer with is an attribute of the client's class."""
    assert missing(theirs, ours) == []


def test_every_parameter_is_offered() -> None:
    """Each field of a request can be given to the method that sends it."""
    named = set()
    for module in modules():
        for _, kind in inspect.getmembers(module, inspect.isclass):
            for _, function in inspect.getmembers(kind, inspect.isfunction):
                named |= set(inspect.signature(function).parameters)
            if _is_struct(kind):
                named |= set(kind.__struct_fields__)
    given = {make_camel(each) for each in named} | {
        "reservations",
        "advance",  # the duration of clock.advance
        "poolDefinitionLookupId",  # one of the two ids
        "benefitSelectors",
        "itemReferences",  # items
        "cursorPaging",  # limit
        "paging",
        "poolSelector",  # pool_statuses
        "query",
        "type",
        *("adjustOptions", "setOptions", "setInitialOptions"),  # the class of the change
        *("item", "lot", "pool", "program", "poolDefinition", "programDefinition"),  # their fields
        "webhookEndpoint",
    }
    wanted = {
        field.wire_name
        for each in METHODS.values()
        for field in fields_by_name(each.request).values()
    }
    assert wanted - given == set()
    adjusting = {make_camel(name) for name in package.AdjustBalance.__struct_fields__}
    changes = fields_by_name(balances.AdjustOptions).values()
    assert {field.wire_name for field in changes} - adjusting == NOT_OFFERED


def make_camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(each.capitalize() for each in others)


def test_error_tree_is_drawn() -> None:
    """The picture at the top of the errors names every class below it."""
    picture = package.errors.__doc__ or ""
    unnamed = [
        name
        for name, kind in vars(package.errors).items()
        if inspect.isclass(kind)
        and issubclass(kind, package.BenefitProgramsError)
        and name not in picture
    ]
    assert unnamed == []


def test_exports_are_exact() -> None:
    """What is public is listed once, and is there."""
    assert len(package.__all__) == len(set(package.__all__))
    assert [name for name in package.__all__ if not hasattr(package, name)] == []
    public = {
        name
        for name, value in vars(package).items()
        if not name.startswith("_") and not inspect.ismodule(value) and name != "annotations"
    }
    assert public == set(package.__all__) - {"policies"}


def test_everything_public_is_documented() -> None:
    """Each public class, function, method and property has a docstring of its own."""
    bare = []
    for name in package.__all__:
        value = getattr(package, name)
        if inspect.isclass(value) and not is_typeddict(value):
            members = {
                f"{name}.{each}": member
                for each, member in vars(value).items()
                if not each.startswith("_")
                and (inspect.isfunction(member) or isinstance(member, property | classmethod))
            }
            bare += [
                each for each, member in {name: value, **members}.items() if not member.__doc__
            ]
    assert bare == []


def test_type_hints_are_found() -> None:
    """Every hint of a public class can be read when the program runs."""
    for name in package.__all__:
        value = getattr(package, name)
        if inspect.isclass(value) and not issubclass(value, Enum):
            get_type_hints(value)


def test_both_clients_are_the_same() -> None:
    """Each class of the async client has a sync one with the same methods and parameters."""
    for name in package.__all__:
        value = getattr(package, name)
        if inspect.isclass(value) and f"Async{name}" in package.__all__:
            assert signatures(value) == signatures(getattr(package, f"Async{name}"))


def signatures(kind: type[Any]) -> dict[str, list[str]]:
    return {
        name.replace("aclose", "close").replace("__a", "__"): [
            *inspect.signature(member).parameters
        ]
        for name, member in vars(kind).items()
        if inspect.isfunction(member)
    }


def test_the_entity_of_every_event_has_a_type() -> None:
    """What the service tells events of, the client reads as its own types."""
    told = {kind.rpartition(".")[2] for kind in EVENT_TYPES}
    known = {name.rpartition(".")[2] for name in events.ENTITIES}
    assert {
        kind for kind in told if not kind.startswith(tuple(f"{name}_" for name in known))
    } == set()
