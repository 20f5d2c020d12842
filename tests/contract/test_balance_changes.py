"""Changes of a balance by hand and their reverts. Contract: Change balance, Revert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.calls import benefit, guid
from tests.support.desk import Desk, open_desk

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

LARGEST = "922337203685477.5807"


# Adjust


async def test_an_adjustment_up_and_down(service: Service) -> None:
    """A value above 0 adds, one below takes; both are transactions of what was changed."""
    desk = await open_desk(service)
    up = await desk.adjust("12.5")
    assert up["balance"]["amount"] == {"available": "112.5", "reserved": "0"}
    assert up["balance"]["lastTransactionId"] == up["transactionId"]
    down = await desk.adjust("-0.0001")
    assert down["balance"]["amount"]["available"] == "112.4999"
    directions = []
    for each in (up, down):
        row = await desk.transaction(each["transactionId"])
        directions.append((row["amount"], row["source"], row["target"]))
        assert row["correlationId"] == row["id"]
    assert directions == [
        ("12.5", "EXTERNAL", "AVAILABLE"),
        ("0.0001", "AVAILABLE", "EXTERNAL"),
    ]
    assert await desk.balance() == down["balance"]
    assert await service.slugs_of(desk.pool_id) == ["created+provisioned", "updated", "updated"]


async def test_source_and_target_give_the_direction(service: Service) -> None:
    """From AVAILABLE or to EXTERNAL takes, from EXTERNAL or to AVAILABLE adds."""
    desk = await open_desk(service)
    await desk.adjust("10", sourceBalanceType="AVAILABLE")
    await desk.adjust("10", targetBalanceType="EXTERNAL")
    assert await desk.available() == "80"
    await desk.adjust("1", sourceBalanceType="EXTERNAL", targetBalanceType="AVAILABLE")
    assert await desk.available() == "81"


async def test_below_zero_exceeds_the_limits(service: Service) -> None:
    """What is there can be taken to the last unit, and not one unit more."""
    desk = await open_desk(service)
    refused = await desk.adjust_refused("-100.0001")
    assert (refused.status, refused.code) == (428, "BALANCE_EXCEEDED_LIMITS")
    assert refused.data == {
        "balance": {"available": "100", "reserved": "0"},
        "requested": "-100.0001",
        "lowerLimit": "0",
        "sourceBalanceType": "AVAILABLE",
        "targetBalanceType": "EXTERNAL",
    }
    await desk.adjust("-100")
    assert await desk.available() == "0"


LIMITS: list[tuple[str, dict[str, str], str | None]] = [
    # available 100 before; None: refused
    ("50", {"upperLimit": "150"}, "150"),
    ("50.0001", {"upperLimit": "150"}, None),
    ("-60", {"lowerLimit": "40"}, "40"),
    ("-60.0001", {"lowerLimit": "40"}, None),
    ("1", {"upperLimit": "90"}, None),
    ("-20", {"upperLimit": "90"}, "80"),
    ("-1", {"lowerLimit": "120"}, None),
    ("0", {"upperLimit": "90"}, "100"),
    ("0", {"lowerLimit": "120", "limitRule": "FAIL"}, "100"),
    ("0", {"upperLimit": "90", "limitRule": "SOFT_ENFORCE"}, "100"),
    ("50", {"upperLimit": "120", "limitRule": "SOFT_ENFORCE"}, "120"),
    ("-90", {"lowerLimit": "40", "limitRule": "SOFT_ENFORCE"}, "40"),
    ("-200", {"limitRule": "SOFT_ENFORCE"}, "0"),
    ("5", {"upperLimit": "120", "limitRule": "SOFT_ENFORCE"}, "105"),
    ("-50", {"upperLimit": "90", "limitRule": "SOFT_ENFORCE"}, "100"),
    ("50", {"lowerLimit": "120", "limitRule": "SOFT_ENFORCE"}, "100"),
    ("50", {"upperLimit": "120", "limitRule": "HARD_ENFORCE"}, "120"),
    ("5", {"upperLimit": "90", "limitRule": "HARD_ENFORCE"}, "90"),
    ("5", {"lowerLimit": "120", "limitRule": "HARD_ENFORCE"}, "120"),
    ("0", {"lowerLimit": "120", "limitRule": "HARD_ENFORCE"}, "120"),
    ("-500", {"limitRule": "HARD_ENFORCE"}, "0"),
    (LARGEST, {"upperLimit": "120", "limitRule": "HARD_ENFORCE"}, "120"),
    ("-" + LARGEST, {"lowerLimit": "7", "limitRule": "HARD_ENFORCE"}, "7"),
]


@pytest.mark.parametrize(("value", "options", "available"), LIMITS)
async def test_limits_and_their_rules(
    service: Service, value: str, options: dict[str, str], available: str | None
) -> None:
    """FAIL refuses, SOFT_ENFORCE never crosses a limit, HARD_ENFORCE brings it inside."""
    desk = await open_desk(service)
    if available is None:
        refused = await desk.adjust_refused(value, **options)
        assert refused.code == "BALANCE_EXCEEDED_LIMITS"
        assert await desk.available() == "100"
    elif available == "100":
        await desk.leave(adjustOptions={"value": value, **options})
        assert await desk.available() == "100"
    else:
        answer = await desk.adjust(value, **options)
        assert answer["balance"]["amount"]["available"] == available
        row = await desk.transaction(answer["transactionId"])
        if row["amount"] != value.removeprefix("-"):
            assert row["requestedValues"]["amount"] == value.removeprefix("-")
        else:
            assert "requestedValues" not in row


async def test_the_largest_amount_is_the_end(service: Service) -> None:
    """A balance holds up to the largest amount; a sum past it exceeds the limits."""
    desk = await open_desk(service, amount="0")
    await desk.adjust(LARGEST)
    refused = await desk.adjust_refused("0.0001")
    assert (refused.status, refused.code) == (428, "BALANCE_EXCEEDED_LIMITS")
    assert refused.data["upperLimit"] == LARGEST
    await desk.adjust("-" + LARGEST)
    await desk.adjust(LARGEST)
    assert await desk.available() == LARGEST


# Set


async def test_setting_writes_the_difference(service: Service) -> None:
    """SET makes a transaction of what changes, in the right direction."""
    desk = await open_desk(service)
    up = await desk.transaction((await desk.set_balance("150"))["transactionId"])
    assert (up["amount"], up["target"]) == ("50", "AVAILABLE")
    down = await desk.transaction((await desk.set_balance("0"))["transactionId"])
    assert (down["amount"], down["target"]) == ("150", "EXTERNAL")


async def test_what_changes_nothing_makes_no_transaction(service: Service) -> None:
    """SET to the same value and ADJUST by 0 leave no transaction and no revision."""
    desk = await open_desk(service)
    before = await desk.balance()
    assert await desk.leave(setOptions={"value": "100"}) == before
    assert await desk.leave(adjustOptions={"value": "0"}) == before
    assert await desk.balance() == before
    assert len(await desk.transactions()) == 1


async def test_a_key_that_changed_nothing_is_used(service: Service) -> None:
    """The key of a change that changed nothing can't be used for another change."""
    desk = await open_desk(service)
    key = guid()
    await desk.leave(setOptions={"value": "100"}, idempotencyKey=key)
    again = desk.change(idempotencyKey=key, setOptions={"value": "5"})
    refused = await service.refusal("changeBalance", again)
    assert (refused.status, refused.code) == (409, "ALREADY_EXECUTED")
    assert refused.data == {"idempotencyKey": key}
    assert await desk.available() == "100"


async def test_set_initial_needs_an_untouched_balance(service: Service) -> None:
    """SET_INITIAL works once, before any transaction."""
    desk = await open_desk(service, amount="0")
    first = await service.call("changeBalance", desk.change(setInitialOptions={"value": "7"}))
    assert first["balance"]["amount"]["available"] == "7"
    for opened in (desk, await open_desk(service)):
        refused = await service.refusal(
            "changeBalance", opened.change(setInitialOptions={"value": "8"})
        )
        assert (refused.status, refused.code) == (409, "BALANCE_ALREADY_INITIALIZED")


# What both have in common


async def test_a_change_is_done_once_per_key(service: Service) -> None:
    """A used key names the first transaction; a refused call uses up no key."""
    desk = await open_desk(service)
    key = guid()
    refused = await service.refusal(
        "changeBalance", desk.change(idempotencyKey=key, adjustOptions={"value": "-500"})
    )
    assert refused.code == "BALANCE_EXCEEDED_LIMITS"
    request = desk.change(idempotencyKey=key, adjustOptions={"value": "5"})
    first = await service.call("changeBalance", request)
    for again in (request, {**request, "adjustOptions": {"value": "-999"}}):
        refused = await service.refusal("changeBalance", again)
        assert (refused.status, refused.code) == (409, "ALREADY_EXECUTED")
        assert refused.data == {"idempotencyKey": key, "transactionId": first["transactionId"]}
    assert await desk.available() == "105"


async def test_a_change_says_what_it_was_for(service: Service) -> None:
    """Details and the instructing party are kept; without a party it is the caller."""
    desk = await open_desk(service)
    member = guid()
    said = {
        "reason": "A visit",
        "origin": "gate",
        "itemCount": 2,
        "benefitKey": "towel",
        "effectiveDate": "2026-11-01T08:00:00.000Z",
    }
    request = desk.change(
        adjustOptions={"value": "1", "beneficiary": desk.program["beneficiary"]},
        transactionDetails=said,
        instructingParty={"memberId": member},
    )
    row = await desk.transaction((await service.call("changeBalance", request))["transactionId"])
    assert row["details"] == said
    assert row["instructingParty"] == {"identityType": "MEMBER", "memberId": member}
    app = await service.as_app(app_id := guid())
    mine = Desk(app, desk.definition, desk.program, desk.pool_id)
    row = await desk.transaction((await mine.adjust("1"))["transactionId"])
    assert row["instructingParty"]["appId"] == app_id


async def test_unknown_balances_are_not_found(service: Service) -> None:
    """A balance that isn't there, or is somebody else's, is not found."""
    desk = await open_desk(service)
    for options in (
        {"poolId": guid(), "setOptions": {"value": "1"}},
        {"setOptions": {"value": "1", "beneficiary": {"memberId": guid()}}},
        {"adjustOptions": {"value": "1", "beneficiary": {"memberId": guid()}}},
    ):
        refused = await service.refusal("changeBalance", desk.change(**options))
        assert (refused.status, refused.code) == (404, "BALANCE_NOT_FOUND")
    stranger = Desk(await service.another_tenant(), desk.definition, desk.program, desk.pool_id)
    assert (await stranger.adjust_refused("1")).code == "BALANCE_NOT_FOUND"


async def test_every_status_takes_changes(service: Service) -> None:
    """A paused pool's balance is changed as well."""
    desk = await open_desk(service, program={"programStatus": "PAUSED"})
    await desk.adjust("1")
    await desk.set_balance("3")
    assert await desk.available() == "3"


WRONG: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({}, {"": "ONE_OF_ALIGNMENT"}),
    (
        {"adjustOptions": {"value": "1"}, "setOptions": {"value": "1"}},
        {"setOptions": "ONE_OF_ALIGNMENT"},
    ),
    ({"setOptions": {"value": "1"}, "type": "ADJUST"}, {"type": "ONE_OF_ALIGNMENT"}),
    ({"setOptions": {"value": "-1"}}, {"setOptions.value": "DECIMAL_GTE"}),
    ({"setInitialOptions": {"value": "-1"}}, {"setInitialOptions.value": "DECIMAL_GTE"}),
    ({"adjustOptions": {"value": "0.00001"}}, {"adjustOptions.value": "DECIMAL_MAX_SCALE"}),
    ({"adjustOptions": {"value": "922337203685477.5808"}}, {"adjustOptions.value": "DECIMAL_LTE"}),
    ({"adjustOptions": {"value": "9" * 30}}, {"adjustOptions.value": "DECIMAL_LTE"}),
    ({"adjustOptions": {"value": "1e3"}}, {"adjustOptions.value": "FORMAT"}),
    ({"adjustOptions": {"value": "NaN"}}, {"adjustOptions.value": "FORMAT"}),
    (
        {"adjustOptions": {"value": "1", "lowerLimit": "-1"}},
        {"adjustOptions.lowerLimit": "FIELD_NOT_ALLOWED"},
    ),
    (
        {"adjustOptions": {"value": "1", "lowerLimit": "5", "upperLimit": "4"}},
        {"adjustOptions.upperLimit": "DECIMAL_GTE"},
    ),
    (
        {"adjustOptions": {"value": "1", "sourceBalanceType": "RESERVED"}},
        {"adjustOptions.sourceBalanceType": "FIELD_NOT_ALLOWED"},
    ),
    (
        {"adjustOptions": {"value": "1", "targetBalanceType": "RESERVED"}},
        {"adjustOptions.targetBalanceType": "FIELD_NOT_ALLOWED"},
    ),
    (
        {
            "adjustOptions": {
                "value": "1",
                "sourceBalanceType": "AVAILABLE",
                "targetBalanceType": "AVAILABLE",
            }
        },
        {"adjustOptions.targetBalanceType": "FIELD_NOT_ALLOWED"},
    ),
    (
        {"setOptions": {"value": "1", "targetBalanceType": "RESERVED"}},
        {"setOptions.targetBalanceType": "FIELD_NOT_ALLOWED"},
    ),
    (
        {"adjustOptions": {"value": "1", "supersededTransactionId": guid()}},
        {"adjustOptions.supersededTransactionId": "FIELD_NOT_ALLOWED"},
    ),
    (
        {"adjustOptions": {"value": "1", "limitRule": "MAYBE"}},
        {"adjustOptions.limitRule": "INVALID_ENUM_VALUE"},
    ),
]


@pytest.mark.parametrize(("options", "broken"), WRONG)
async def test_wrong_changes_are_refused(
    service: Service, options: dict[str, Any], broken: dict[str, str]
) -> None:
    """What makes no sense is 400 with the field and the rule, and changes nothing."""
    desk = await open_desk(service)
    refused = await service.refusal("changeBalance", desk.change(**options))
    assert (refused.status, refused.fields) == (400, broken)
    assert await desk.available() == "100"


# Revert


async def test_a_revert_is_the_opposite(service: Service) -> None:
    """A revert has the same amount the other way, and names what it reverts."""
    desk = await open_desk(service)
    up = (await desk.adjust("5"))["transactionId"]
    down = (await desk.adjust("-30"))["transactionId"]
    for original, direction in ((up, "EXTERNAL"), (down, "AVAILABLE")):
        row = await desk.transaction(await desk.revert(original))
        before = await desk.transaction(original)
        assert row["relatedTransactionId"] == original
        assert row["correlationId"] == original
        assert (row["amount"], row["target"]) == (before["amount"], direction)
        assert row["source"] == before["target"]
        assert "idempotencyKey" not in row
    assert await desk.available() == "100"


async def test_a_redemption_is_reverted_whole(service: Service) -> None:
    """Reverting a redemption gives its credits back, however often it was moved."""
    desk = await open_desk(service, benefit("towel", price="2.5"))
    first = await desk.redeem(count=4)
    moved = await desk.reallocate(first, "2030-05-01T10:00:00Z")
    reverted = await desk.revert(first)
    assert await desk.available() == "100"
    assert (await desk.transaction(reverted))["relatedTransactionId"] == first
    refused = await desk.cancel_refused(moved)
    assert refused.data == {"cancellationTransactionId": reverted}


async def test_a_transaction_is_reverted_once(service: Service) -> None:
    """A second revert names the first; after a cancellation it names that."""
    desk = await open_desk(service)
    adjusted = (await desk.adjust("5"))["transactionId"]
    reverted = await desk.revert(adjusted)
    redeemed = await desk.redeem()
    canceled = await desk.cancel(redeemed)
    for original, giving_back in ((adjusted, reverted), (redeemed, canceled)):
        refused = await desk.revert_refused(original)
        assert (refused.status, refused.code) == (428, "CHANGE_ALREADY_REVERTED")
        assert refused.data == {
            "originalTransactionId": original,
            "revertedTransactionId": giving_back,
        }


async def test_what_was_spent_cannot_be_taken_back(service: Service) -> None:
    """Reverting an increase needs its credits to be there still."""
    desk = await open_desk(service, amount="0")
    adjusted = (await desk.adjust("15"))["transactionId"]
    await desk.redeem()
    refused = await desk.revert_refused(adjusted)
    assert (refused.status, refused.code) == (428, "NOT_ENOUGH_BALANCE")
    assert await desk.available() == "5"
    await desk.adjust("10")
    await desk.revert(adjusted)
    assert await desk.available() == "0"


async def test_only_redemptions_and_changes_are_reverted(service: Service) -> None:
    """Provisioning, moves, cancellations and reverts are 400."""
    desk = await open_desk(service)
    provisioned = (await desk.balance())["lastTransactionId"]
    moved = await desk.reallocate(await desk.redeem(), "2030-05-01T10:00:00Z")
    canceled = await desk.cancel(await desk.redeem())
    reverted = await desk.revert((await desk.adjust("5"))["transactionId"])
    for each in (provisioned, moved, canceled, reverted):
        refused = await desk.revert_refused(each)
        assert (refused.status, refused.fields) == (400, {"transactionId": "OTHER"})


async def test_an_empty_body_reverts(service: Service) -> None:
    """A body without anything is a whole request, for the path names the transaction."""
    desk = await open_desk(service)
    adjusted = (await desk.adjust("5"))["transactionId"]
    path = f"/benefit-programs/v1/balances/changes/{adjusted}/revert"
    response = await service.request("POST", path, json={})
    assert response.status_code == 200, response.text
    assert await desk.available() == "100"


async def test_giving_back_past_the_largest_amount_is_refused(service: Service) -> None:
    """A cancellation or revert that would overflow the balance is refused, and can come later."""
    desk = await open_desk(service)
    first = await desk.redeem()
    await desk.set_balance(LARGEST)
    for refused in (await desk.cancel_refused(first), await desk.revert_refused(first)):
        assert (refused.status, refused.code) == (428, "BALANCE_EXCEEDED_LIMITS")
    await desk.set_balance("0")
    await desk.cancel(first)
    assert await desk.available() == "10"
