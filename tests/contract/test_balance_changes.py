"""Changes of a balance by hand and their reverts. Contract: Change balance, Revert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.calls import benefit, guid
from tests.support.wallet import Wallet, open_wallet

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

LARGEST = "922337203685477.5807"


# Adjust


async def test_an_adjustment_up_and_down(service: Service) -> None:
    """A value above 0 adds, one below takes; both are transactions of what was changed."""
    wallet = await open_wallet(service)
    up = await wallet.adjust("12.5")
    assert up["balance"]["amount"] == {"available": "112.5", "reserved": "0"}
    assert up["balance"]["lastTransactionId"] == up["transactionId"]
    down = await wallet.adjust("-0.0001")
    assert down["balance"]["amount"]["available"] == "112.4999"
    directions = []
    for each in (up, down):
        row = await wallet.transaction(each["transactionId"])
        directions.append((row["amount"], row["source"], row["target"]))
        assert row["correlationId"] == row["id"]
    assert directions == [
        ("12.5", "EXTERNAL", "AVAILABLE"),
        ("0.0001", "AVAILABLE", "EXTERNAL"),
    ]
    assert await wallet.balance() == down["balance"]
    assert await service.slugs_of(wallet.pool_id) == ["created+provisioned", "updated", "updated"]


async def test_source_and_target_give_the_direction(service: Service) -> None:
    """From AVAILABLE or to EXTERNAL takes, from EXTERNAL or to AVAILABLE adds."""
    wallet = await open_wallet(service)
    await wallet.adjust("10", sourceBalanceType="AVAILABLE")
    await wallet.adjust("10", targetBalanceType="EXTERNAL")
    assert await wallet.available() == "80"
    await wallet.adjust("1", sourceBalanceType="EXTERNAL", targetBalanceType="AVAILABLE")
    assert await wallet.available() == "81"


async def test_below_zero_exceeds_the_limits(service: Service) -> None:
    """What is there can be taken to the last unit, and not one unit more."""
    wallet = await open_wallet(service)
    refused = await wallet.adjust_refused("-100.0001")
    assert (refused.status, refused.code) == (428, "BALANCE_EXCEEDED_LIMITS")
    assert refused.data == {
        "balance": {"available": "100", "reserved": "0"},
        "requested": "-100.0001",
        "lowerLimit": "0",
        "sourceBalanceType": "AVAILABLE",
        "targetBalanceType": "EXTERNAL",
    }
    await wallet.adjust("-100")
    assert await wallet.available() == "0"


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
    wallet = await open_wallet(service)
    if available is None:
        refused = await wallet.adjust_refused(value, **options)
        assert refused.code == "BALANCE_EXCEEDED_LIMITS"
        assert await wallet.available() == "100"
    elif available == "100":
        await wallet.leave(adjustOptions={"value": value, **options})
        assert await wallet.available() == "100"
    else:
        answer = await wallet.adjust(value, **options)
        assert answer["balance"]["amount"]["available"] == available
        row = await wallet.transaction(answer["transactionId"])
        if row["amount"] != value.removeprefix("-"):
            assert row["requestedValues"]["amount"] == value.removeprefix("-")
        else:
            assert "requestedValues" not in row


async def test_the_largest_amount_is_the_end(service: Service) -> None:
    """A balance holds up to the largest amount; a sum past it exceeds the limits."""
    wallet = await open_wallet(service, amount="0")
    await wallet.adjust(LARGEST)
    refused = await wallet.adjust_refused("0.0001")
    assert (refused.status, refused.code) == (428, "BALANCE_EXCEEDED_LIMITS")
    assert refused.data["upperLimit"] == LARGEST
    await wallet.adjust("-" + LARGEST)
    await wallet.adjust(LARGEST)
    assert await wallet.available() == LARGEST


# Set


async def test_setting_writes_the_difference(service: Service) -> None:
    """SET makes a transaction of what changes, in the right direction."""
    wallet = await open_wallet(service)
    up = await wallet.transaction((await wallet.set_balance("150"))["transactionId"])
    assert (up["amount"], up["target"]) == ("50", "AVAILABLE")
    down = await wallet.transaction((await wallet.set_balance("0"))["transactionId"])
    assert (down["amount"], down["target"]) == ("150", "EXTERNAL")


async def test_what_changes_nothing_makes_no_transaction(service: Service) -> None:
    """SET to the same value and ADJUST by 0 leave no transaction and no revision."""
    wallet = await open_wallet(service)
    before = await wallet.balance()
    assert await wallet.leave(setOptions={"value": "100"}) == before
    assert await wallet.leave(adjustOptions={"value": "0"}) == before
    assert await wallet.balance() == before
    assert len(await wallet.transactions()) == 1


async def test_a_key_that_changed_nothing_is_used(service: Service) -> None:
    """The key of a change that changed nothing can't be used for another change."""
    wallet = await open_wallet(service)
    key = guid()
    await wallet.leave(setOptions={"value": "100"}, idempotencyKey=key)
    again = wallet.change(idempotencyKey=key, setOptions={"value": "5"})
    refused = await service.refusal("changeBalance", again)
    assert (refused.status, refused.code) == (409, "ALREADY_EXECUTED")
    assert refused.data == {"idempotencyKey": key, "sameRequest": False}
    assert await wallet.available() == "100"


async def test_set_initial_needs_an_untouched_balance(service: Service) -> None:
    """SET_INITIAL works once, before any transaction."""
    wallet = await open_wallet(service, amount="0")
    first = await service.call("changeBalance", wallet.change(setInitialOptions={"value": "7"}))
    assert first["balance"]["amount"]["available"] == "7"
    for opened in (wallet, await open_wallet(service)):
        refused = await service.refusal(
            "changeBalance", opened.change(setInitialOptions={"value": "8"})
        )
        assert (refused.status, refused.code) == (409, "BALANCE_ALREADY_INITIALIZED")


# What both have in common


async def test_a_change_is_done_once_per_key(service: Service) -> None:
    """A used key names the first transaction; a refused call uses up no key."""
    wallet = await open_wallet(service)
    key = guid()
    refused = await service.refusal(
        "changeBalance", wallet.change(idempotencyKey=key, adjustOptions={"value": "-500"})
    )
    assert refused.code == "BALANCE_EXCEEDED_LIMITS"
    request = wallet.change(idempotencyKey=key, adjustOptions={"value": "5"})
    first = await service.call("changeBalance", request)
    for again in (request, {**request, "adjustOptions": {"value": "-999"}}):
        refused = await service.refusal("changeBalance", again)
        assert (refused.status, refused.code) == (409, "ALREADY_EXECUTED")
        assert refused.data.pop("sameRequest") is (again is request)
        assert refused.data == {"idempotencyKey": key, "transactionId": first["transactionId"]}
    assert await wallet.available() == "105"


async def test_a_change_says_what_it_was_for(service: Service) -> None:
    """Details and the instructing party are kept; without a party it is the caller."""
    wallet = await open_wallet(service)
    member = guid()
    said = {
        "reason": "A visit",
        "origin": "gate",
        "itemCount": 2,
        "benefitKey": "towel",
        "effectiveDate": "2026-11-01T08:00:00.000Z",
    }
    request = wallet.change(
        adjustOptions={"value": "1", "beneficiary": wallet.program["beneficiary"]},
        transactionDetails=said,
        instructingParty={"memberId": member},
    )
    row = await wallet.transaction((await service.call("changeBalance", request))["transactionId"])
    assert row["details"] == said
    assert row["instructingParty"] == {"identityType": "MEMBER", "memberId": member}
    app = await service.as_app(app_id := guid())
    mine = Wallet(app, wallet.definition, wallet.program, wallet.pool_id)
    row = await wallet.transaction((await mine.adjust("1"))["transactionId"])
    assert row["instructingParty"]["appId"] == app_id


async def test_unknown_balances_are_not_found(service: Service) -> None:
    """A balance that isn't there, or is somebody else's, is not found."""
    wallet = await open_wallet(service)
    for options in (
        {"poolId": guid(), "setOptions": {"value": "1"}},
        {"setOptions": {"value": "1", "beneficiary": {"memberId": guid()}}},
        {"adjustOptions": {"value": "1", "beneficiary": {"memberId": guid()}}},
    ):
        refused = await service.refusal("changeBalance", wallet.change(**options))
        assert (refused.status, refused.code) == (404, "BALANCE_NOT_FOUND")
    stranger = Wallet(
        await service.another_tenant(), wallet.definition, wallet.program, wallet.pool_id
    )
    assert (await stranger.adjust_refused("1")).code == "BALANCE_NOT_FOUND"


async def test_every_status_takes_changes(service: Service) -> None:
    """A paused pool's balance is changed as well."""
    wallet = await open_wallet(service, program={"programStatus": "PAUSED"})
    await wallet.adjust("1")
    await wallet.set_balance("3")
    assert await wallet.available() == "3"


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
    wallet = await open_wallet(service)
    refused = await service.refusal("changeBalance", wallet.change(**options))
    assert (refused.status, refused.fields) == (400, broken)
    assert await wallet.available() == "100"


# Revert


async def test_a_revert_is_the_opposite(service: Service) -> None:
    """A revert has the same amount the other way, and names what it reverts."""
    wallet = await open_wallet(service)
    up = (await wallet.adjust("5"))["transactionId"]
    down = (await wallet.adjust("-30"))["transactionId"]
    for original, direction in ((up, "EXTERNAL"), (down, "AVAILABLE")):
        row = await wallet.transaction(await wallet.revert(original))
        before = await wallet.transaction(original)
        assert row["relatedTransactionId"] == original
        assert row["correlationId"] == original
        assert (row["amount"], row["target"]) == (before["amount"], direction)
        assert row["source"] == before["target"]
        assert "idempotencyKey" not in row
    assert await wallet.available() == "100"


async def test_a_redemption_is_reverted_whole(service: Service) -> None:
    """Reverting a redemption gives its credits back, however often it was moved."""
    wallet = await open_wallet(service, benefit("towel", price="2.5"))
    first = await wallet.redeem(count=4)
    moved = await wallet.reallocate(first, "2030-05-01T10:00:00Z")
    reverted = await wallet.revert(first)
    assert await wallet.available() == "100"
    assert (await wallet.transaction(reverted))["relatedTransactionId"] == first
    refused = await wallet.cancel_refused(moved)
    assert refused.data == {"cancellationTransactionId": reverted}


async def test_a_transaction_is_reverted_once(service: Service) -> None:
    """A second revert names the first; after a cancellation it names that."""
    wallet = await open_wallet(service)
    adjusted = (await wallet.adjust("5"))["transactionId"]
    reverted = await wallet.revert(adjusted)
    redeemed = await wallet.redeem()
    canceled = await wallet.cancel(redeemed)
    for original, giving_back in ((adjusted, reverted), (redeemed, canceled)):
        refused = await wallet.revert_refused(original)
        assert (refused.status, refused.code) == (428, "CHANGE_ALREADY_REVERTED")
        assert refused.data == {
            "originalTransactionId": original,
            "revertedTransactionId": giving_back,
        }


async def test_what_was_spent_cannot_be_taken_back(service: Service) -> None:
    """Reverting an increase needs its credits to be there still."""
    wallet = await open_wallet(service, amount="0")
    adjusted = (await wallet.adjust("15"))["transactionId"]
    await wallet.redeem()
    refused = await wallet.revert_refused(adjusted)
    assert (refused.status, refused.code) == (428, "NOT_ENOUGH_BALANCE")
    assert await wallet.available() == "5"
    await wallet.adjust("10")
    await wallet.revert(adjusted)
    assert await wallet.available() == "0"


async def test_only_redemptions_and_changes_are_reverted(service: Service) -> None:
    """Provisioning, moves, cancellations and reverts are 400."""
    wallet = await open_wallet(service)
    provisioned = (await wallet.balance())["lastTransactionId"]
    moved = await wallet.reallocate(await wallet.redeem(), "2030-05-01T10:00:00Z")
    canceled = await wallet.cancel(await wallet.redeem())
    reverted = await wallet.revert((await wallet.adjust("5"))["transactionId"])
    for each in (provisioned, moved, canceled, reverted):
        refused = await wallet.revert_refused(each)
        assert (refused.status, refused.fields) == (400, {"transactionId": "OTHER"})


async def test_an_empty_body_reverts(service: Service) -> None:
    """A body without anything is a whole request, for the path names the transaction."""
    wallet = await open_wallet(service)
    adjusted = (await wallet.adjust("5"))["transactionId"]
    path = f"/benefit-programs/v1/balances/changes/{adjusted}/revert"
    response = await service.request("POST", path, json={})
    assert response.status_code == 200, response.text
    assert await wallet.available() == "100"


async def test_giving_back_past_the_largest_amount_is_refused(service: Service) -> None:
    """A cancellation or revert that would overflow the balance is refused, and can come later."""
    wallet = await open_wallet(service)
    first = await wallet.redeem()
    await wallet.set_balance(LARGEST)
    for refused in (await wallet.cancel_refused(first), await wallet.revert_refused(first)):
        assert (refused.status, refused.code) == (428, "BALANCE_EXCEEDED_LIMITS")
    await wallet.set_balance("0")
    await wallet.cancel(first)
    assert await wallet.available() == "10"
