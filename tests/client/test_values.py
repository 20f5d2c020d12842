"""Values between Python and the wire."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import msgspec
import pytest

from benefit_programs.client import (
    UNSET,
    AdjustBalance,
    AnonymousVisitor,
    App,
    Balance,
    BenefitPrograms,
    Details,
    DetailsChange,
    Identity,
    ItemReference,
    Member,
    NewItem,
    NotEnoughBalance,
    PoolChange,
    PoolStatus,
    Program,
    ProgramStatus,
    TimedOut,
    WixUser,
)
from benefit_programs.client.core.balances import change_options
from benefit_programs.client.core.calls import Call, Response
from benefit_programs.client.core.failures import BY_CODE, error_of
from benefit_programs.client.core.wire import (
    changes,
    document,
    masked,
    reads,
    reads_nothing,
    to_wire,
)

PROGRAM = {
    "id": "p",
    "revision": "9007199254740993",
    "createdDate": "2026-11-23T01:02:03.456Z",
    "updatedDate": "2026-11-23T02:02:03.456+01:00",
    "status": "ACTIVE",
    "namespace": "gym",
    "externalId": "null",
    "beneficiary": {"memberId": "m", "identityType": "MEMBER"},
}


def read_program(**more: object) -> Program:
    return reads(Program)(msgspec.json.encode(PROGRAM | more))


def test_answers_become_python() -> None:
    """Revisions are whole numbers, instants have a time zone, and text stays text."""
    program = read_program()
    assert program.revision == 9_007_199_254_740_993
    assert program.created_date == datetime(2026, 11, 23, 1, 2, 3, 456_000, tzinfo=UTC)
    assert program.updated_date == program.created_date
    assert program.external_id == "null"
    assert program.display_name is None
    assert program.status is ProgramStatus.ACTIVE


def test_newer_servers_are_understood() -> None:
    """Fields and values that this version doesn't know do no harm, and values are kept."""
    program = read_program(
        status="SLEEPING", brandNew={"a": 1}, beneficiary={"robotId": "r", "identityType": "ROBOT"}
    )
    assert program.status == "SLEEPING"
    assert str(program.status) == "SLEEPING"
    assert isinstance(program.status, ProgramStatus)
    assert not program.status.is_known
    assert ProgramStatus.ACTIVE.is_known
    assert program.beneficiary == Identity("r")
    assert program.status not in set(ProgramStatus)


@pytest.mark.parametrize("kind", [Member, WixUser, AnonymousVisitor, App])
def test_identities_travel(kind: type[Identity]) -> None:
    """An identity that is sent comes back as the same."""
    program = read_program(beneficiary=to_wire(kind("x")) | {"identityType": "ANY"})
    assert program.beneficiary == kind("x")
    assert {program.beneficiary: 1}[kind("x")] == 1
    assert program.beneficiary != Identity("x")


def test_identities_can_be_matched() -> None:
    """A match statement tells whom an identity names."""
    match read_program().beneficiary:
        case WixUser():
            raise AssertionError
        case Member(member_id):
            assert member_id == "m"
    with pytest.raises(ValueError, match="can't be sent"):
        to_wire(Identity("x"))


@pytest.mark.parametrize(
    ("value", "text"),
    [("1.5", "1.5"), (2, "2"), (Decimal("1E+3"), "1000"), (Decimal("0.0001"), "0.0001")],
)
def test_amounts_travel_as_plain_digits(value: Decimal | int | str, text: str) -> None:
    """Amounts are sent in digits, however they were made, and are never rounded."""
    assert change_options(AdjustBalance(value=value))["adjustOptions"] == {"value": text}


def test_floats_are_no_amounts() -> None:
    """A float is refused before anything is sent."""
    with pytest.raises(TypeError, match="Decimal"):
        change_options(AdjustBalance(value=0.1))  # type: ignore[arg-type]


def test_instants_need_a_time_zone() -> None:
    """Instants are sent in UTC, to the millisecond; one without a zone is refused."""
    berlin = timezone(timedelta(hours=1))
    moment = datetime(2026, 11, 23, 2, 0, 0, 1_999, tzinfo=berlin)
    assert to_wire(moment) == "2026-11-23T01:00:00.001Z"
    with pytest.raises(ValueError, match="time zone"):
        to_wire(datetime(2026, 11, 23))  # noqa: DTZ001 - what must be refused


def test_absent_and_cleared_differ() -> None:
    """In an update UNSET is absent and None is null; elsewhere None is absent."""
    assert changes(id="x", display_name=None, description=UNSET) == {"id": "x", "displayName": None}
    assert document(id="x", display_name=None, description=UNSET) == {"id": "x"}
    change = PoolChange(id="x", revision=3, display_name=None, field_mask=["display_name"])
    assert masked("pool", change) == {
        "pool": {"id": "x", "revision": "3", "displayName": None},
        "fieldMask": "displayName",
    }


def test_details_change_part_by_part() -> None:
    """Whole details name what they have; a change of details can clear a part."""
    assert to_wire(Details(benefits=[])) == {"benefits": []}
    assert to_wire(DetailsChange(policy_expression=None)) == {"policyExpression": None}
    assert to_wire(DetailsChange()) == {}


def test_free_form_objects_keep_their_names() -> None:
    """Names inside extended fields and additional data are the caller's own."""
    item = NewItem(
        external_id="e",
        item_set_id="s",
        provider_app_id="a",
        namespace="n",
        extended_fields={"@me/app": {"snake_case": Decimal("1.0")}},
    )
    extended = {"namespaces": {"@me/app": {"snake_case": "1.0"}}}
    assert to_wire(item)["extendedFields"] == extended
    assert document(additional_data={"snake_case": 1}) == {"additionalData": {"snake_case": 1}}


def test_addresses_are_escaped() -> None:
    """Whatever an id holds, it stays one part of the path; an empty one is refused."""
    call = Call(name="getPool", fields={"poolId": "../a?b"}, read=reads_nothing)
    assert call.request({}, None).target == "/benefit-programs/v1/pools/..%2Fa%3Fb"
    with pytest.raises(ValueError, match="poolId"):
        Call(name="getPool", fields={"poolId": ""}, read=reads_nothing).request({}, None)


def test_lists_travel_in_the_address() -> None:
    """Parameters of a GET are dotted and repeated, objects in lists are JSON."""
    fields = {
        "filter": {"namespace": "a b", "byReferenceOptions": {"filters": [{"externalId": "x"}]}},
        "cursorPaging": {"limit": 5},
    }
    target = Call(name="listItems", fields=fields, read=reads_nothing).request({}, None).target
    assert target == (
        "/benefit-programs/v1/items?filter.namespace=a+b"
        "&filter.byReferenceOptions.filters=%7B%22externalId%22%3A%22x%22%7D&cursorPaging.limit=5"
    )


def test_balances_have_amounts() -> None:
    """Amounts are exact decimals."""
    dates = {"createdDate": PROGRAM["createdDate"], "updatedDate": PROGRAM["updatedDate"]}
    wire = {"id": "x", "revision": "1", "beneficiary": {"memberId": "m"}, **dates}
    balance = reads(Balance)(msgspec.json.encode(wire | {"amount": {"available": "0.1"}}))
    assert balance.available + balance.available + balance.available == Decimal("0.3")
    assert balance.amount.reserved == 0


def test_errors_are_typed() -> None:
    """An error's facts are attributes; what is missing or of another kind is None."""
    wire = {
        "message": "m",
        "details": {
            "applicationError": {
                "code": "NOT_ENOUGH_BALANCE",
                "description": "d",
                "data": {
                    "poolId": "p",
                    "availableBalance": "1.5",
                    "requestedBalance": "a lot",
                    "itemReference": {"externalId": "e", "providerAppId": "a"},
                },
            }
        },
    }
    error = error_of(Response(428, {"x-request-id": "r"}, msgspec.json.encode(wire)))
    assert isinstance(error, NotEnoughBalance)
    assert (error.status, error.code, error.request_id) == (428, "NOT_ENOUGH_BALANCE", "r")
    assert (error.available, error.requested) == (Decimal("1.5"), None)
    assert error.item_reference == ItemReference(external_id="e", provider_app_id="a")
    assert str(error) == "428 NOT_ENOUGH_BALANCE: d"


def test_unknown_codes_raise_the_class_of_their_status() -> None:
    """A code of a newer server is still a conflict, and tells its code."""
    wire = b'{"message":"m","details":{"applicationError":{"code":"NEW_ONE","description":"d"}}}'
    error = error_of(Response(409, {}, wire))
    assert type(error).__name__ == "Conflict"
    assert getattr(error, "code", None) == "NEW_ONE"


@pytest.mark.parametrize("kind", [*BY_CODE.values()])
def test_errors_travel_between_processes(kind: type) -> None:
    """Every error can be pickled with all that it knows."""
    error = kind("because", status=409, code="X", data={"poolId": "p"}, request_id="r")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert (copy.args, vars(copy)) == (error.args, vars(error))
    timeout = pickle.loads(pickle.dumps(TimedOut("slow", request_id="r")))
    assert (str(timeout), timeout.request_id) == ("slow", "r")


def test_enums_are_texts() -> None:
    """A value of an enum is the wire's own text."""
    assert PoolStatus.ACTIVE == "ACTIVE"
    assert PoolStatus("ACTIVE") is PoolStatus.ACTIVE
    assert pickle.loads(pickle.dumps(PoolStatus.ACTIVE)) is PoolStatus.ACTIVE
    assert pickle.loads(pickle.dumps(PoolStatus("NEW"))) == "NEW"


def test_wrong_options_are_refused() -> None:
    """A negative number of retries is a mistake, told at once."""
    with pytest.raises(ValueError, match="max_retries"):
        BenefitPrograms("http://localhost:8080", "key", max_retries=-1)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "localhost:8080",
        "ftp://localhost",
        "http://",
        "http://[::1",
        "http://localhost:port",
        "http://localhost/?a=b",
        "http://localhost/#a",
    ],
)
def test_address_that_cannot_be_called_is_refused(address: str) -> None:
    """An address that no request can go to is a mistake, told at once."""
    with pytest.raises(ValueError, match=r"^base_url must be an address such as"):
        BenefitPrograms(address, "key")


@pytest.mark.parametrize("key", ["hush\n", "hush\r", " hush", "hush\0hush", "husch\u00fc"])
def test_key_that_cannot_be_sent_is_not_repeated(key: str) -> None:
    """A key with characters that no header has is a mistake, told at once and without it."""
    with pytest.raises(ValueError, match=r"^api_key must have") as told:
        BenefitPrograms("http://localhost:8080", key)
    assert "hus" not in str(told.value)
    with BenefitPrograms("http://localhost:8080", "key") as client:
        with pytest.raises(ValueError, match="site_id"):
            client.with_options(site_id=key)
        with pytest.raises(ValueError, match="request_id"):
            client.with_options(request_id=key)
