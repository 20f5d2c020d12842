"""A redemption that another pool pays from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.calls import Document, Refused, benefit, guid
from tests.support.wallet import Wallet, add_item, open_another, open_wallet

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

LATER = "2030-05-01T10:00:00.000Z"
MUCH_LATER = "2030-06-01T10:00:00.000Z"

ONE_A_DAY = {
    "type": "POLICY",
    "policyOptions": {
        "type": "RATE_LIMITED",
        "rateLimitedOptions": {"times": 1, "timePeriod": "DAY"},
    },
}


async def two_pools(service: Service, **terms: Any) -> tuple[Wallet, Wallet]:
    """Two pools of one member with the same benefit, the second a copy of the definition."""
    wallet = await open_wallet(service, benefit("class", **terms))
    beneficiary = wallet.program["beneficiary"]
    return wallet, await open_another(service, wallet.definition, beneficiary=beneficiary)


def asked(transaction_id: str, target: Wallet, **fields: Any) -> Document:
    return {
        "transactionId": transaction_id,
        "poolId": target.pool_id,
        "idempotencyKey": guid(),
        **fields,
    }


async def move(transaction_id: str, target: Wallet, **fields: Any) -> Document:
    return await target.caller.call("moveRedemption", asked(transaction_id, target, **fields))


async def move_refused(transaction_id: str, target: Wallet, **fields: Any) -> Refused:
    return await target.caller.refusal("moveRedemption", asked(transaction_id, target, **fields))


async def test_another_pool_pays(service: Service) -> None:
    """One pool gets its credits back, the other one is redeemed; each side names the other."""
    old, new = await two_pools(service)
    redeemed = await old.redeem(count=2, targetDate=LATER, externalReference="booking:1")
    answer = await move(redeemed, new)
    assert answer["returned"] == "20"
    assert (await old.available(), await new.available()) == ("100", "80")
    redemption = await new.transaction(answer["transactionId"])
    cancellation = await old.transaction(answer["cancellationTransactionId"])
    assert redemption["details"]["movedFromTransactionId"] == redeemed
    assert cancellation["details"]["movedToTransactionId"] == redemption["id"]
    assert cancellation["relatedTransactionId"] == redeemed
    assert redemption["correlationId"] == redemption["id"]
    assert (redemption["details"]["itemCount"], redemption["details"]["effectiveDate"]) == (
        2,
        LATER,
    )
    assert redemption["externalReference"] == "booking:1"
    assert (await service.slugs_of(old.pool_id))[-1] == "redemption_canceled"
    assert (await service.slugs_of(new.pool_id))[-1] == "benefit_redeemed"


async def test_what_moved_is_a_redemption_like_any_other(service: Service) -> None:
    """It is reallocated, moved on and canceled, and says nothing of where it came from then."""
    old, new = await two_pools(service)
    there = (await move(await old.redeem(count=3), new))["transactionId"]
    moved = await new.reallocate(there, LATER)
    assert "movedFromTransactionId" not in (await new.transaction(moved))["details"]
    back = (await move(moved, old))["transactionId"]
    details = (await old.transaction(await old.cancel(back)))["details"]
    assert not {"movedFromTransactionId", "movedToTransactionId"} & details.keys()
    assert (await old.available(), await new.available()) == ("100", "100")


async def test_only_what_stands_moves(service: Service) -> None:
    """Items that were canceled before stay canceled; the others are paid at the new price."""
    old, new = await two_pools(service)
    pool = await new.pool()
    pool["details"]["benefits"][0]["price"] = "1.5"
    update = {"id": new.pool_id, "revision": pool["revision"], "details": pool["details"]}
    await service.call("updatePool", {"pool": update})
    redeemed = await old.redeem(count=3)
    part = {"transactionId": redeemed, "idempotencyKey": guid(), "totalCount": 1}
    await service.call("cancelRedemption", part)
    answer = await move(redeemed, new)
    assert answer["returned"] == "20"
    assert (await old.available(), await new.available()) == ("100", "97")


async def test_terms_of_cancellation_take_nothing_from_a_move(service: Service) -> None:
    """The class is still taken: all credits return, whatever a cancellation would leave."""
    old, new = await two_pools(service, cancellationTerms=[{"before": "P90D", "percent": "0"}])
    assert (await move(await old.redeem(), new))["returned"] == "10"


async def test_a_move_is_checked_like_a_redemption(service: Service) -> None:
    """The pool, its status, the benefit, its policy and the balance, in this order."""
    old, new = await two_pools(service, policyExpression=ONE_A_DAY)
    redeemed = await old.redeem(targetDate=LATER)
    refused = await move_refused(redeemed, new, poolId=guid())
    assert (refused.status, refused.code) == (404, "POOL_NOT_FOUND")
    refused = await move_refused(redeemed, new, benefitKey="other")
    assert (refused.status, refused.code) == (404, "BENEFIT_NOT_FOUND")
    await new.redeem(targetDate=LATER)
    refused = await move_refused(redeemed, new)
    assert (refused.status, refused.code) == (428, "POLICY_EXPRESSION_EVALUATED_TO_FALSE")
    later = await old.redeem(targetDate=MUCH_LATER)
    await new.set_balance("9.9999")
    refused = await move_refused(later, new)
    assert (refused.status, refused.code) == (428, "NOT_ENOUGH_BALANCE")
    assert refused.data["programInfo"]["id"] == new.program["id"]
    await service.call("pauseProgram", {"programId": new.program["id"], "idempotencyKey": guid()})
    refused = await move_refused(later, new)
    assert (refused.status, refused.code) == (428, "POOL_NOT_ACTIVE")
    # From a pool that has ended it may go; its share of the rate limit is free again.
    await service.call("resumeProgram", {"programId": new.program["id"], "idempotencyKey": guid()})
    await new.set_balance("10")
    await service.call("endProgram", {"programId": old.program["id"]})
    await move(later, new)
    assert (await old.available(), await new.available()) == ("90", "0")


async def test_what_cannot_move_is_refused(service: Service) -> None:
    """Another member's pool, the same pool, and what isn't a standing redemption."""
    old, new = await two_pools(service)
    strange = await open_another(service, old.definition)
    redeemed = await old.redeem()
    refused = await move_refused(redeemed, strange)
    assert (refused.status, refused.code) == (404, "POOL_NOT_FOUND")
    refused = await move_refused(redeemed, old)
    assert (refused.status, refused.fields) == (400, {"poolId": "OTHER"})
    assert refused.violations[0]["ruleName"] == "another_pool"
    refused = await move_refused(guid(), new)
    assert (refused.status, refused.code) == (404, "TRANSACTION_NOT_FOUND")
    change = (await old.adjust("1"))["transactionId"]
    refused = await move_refused(change, new)
    assert (refused.status, refused.code) == (428, "TRANSACTION_NOT_MOVABLE")
    moved = await old.reallocate(redeemed, LATER)
    refused = await move_refused(redeemed, new)
    assert (refused.status, refused.code) == (428, "NOT_LATEST_TRANSACTION")
    canceled = await old.cancel(moved)
    refused = await move_refused(moved, new)
    assert (refused.status, refused.code) == (428, "REDEMPTION_ALREADY_CANCELED")
    assert refused.data == {"cancellationTransactionId": canceled}
    assert await new.available() == "100"


async def test_a_key_moves_once(service: Service) -> None:
    """The refusal of a used key names the new redemption, also after that was canceled."""
    old, new = await two_pools(service)
    redeemed, key = await old.redeem(), guid()
    there = (await move(redeemed, new, idempotencyKey=key))["transactionId"]
    await new.cancel(there)
    for fields, same in (({}, True), ({"benefitKey": "class"}, False)):
        refused = await move_refused(redeemed, new, idempotencyKey=key, **fields)
        assert (refused.status, refused.code) == (409, "ALREADY_EXECUTED")
        assert (refused.data["transactionId"], refused.data["sameRequest"]) == (there, same)
    # The key of a redemption of the new pool, and that of a cancellation in the old one.
    other, taken, used = await old.redeem(), guid(), guid()
    first = await new.redeem(idempotencyKey=taken)
    refused = await move_refused(other, new, idempotencyKey=taken)
    assert (refused.code, refused.data["transactionId"]) == ("ALREADY_EXECUTED", first)
    nothing = {"transactionId": other, "idempotencyKey": used, "totalCount": 0}
    await service.call("cancelRedemption", nothing)
    assert (await move_refused(other, new, idempotencyKey=used)).code == "ALREADY_EXECUTED"


async def test_moved_isnt_canceled(service: Service) -> None:
    """A late total for the old redemption is refused, for its items are still taken."""
    old, new = await two_pools(service)
    redeemed = await old.redeem(count=2)
    await move(redeemed, new)
    late = {"transactionId": redeemed, "idempotencyKey": guid(), "totalCount": 1}
    refused = await service.refusal("cancelRedemption", late)
    assert refused.code == "REDEMPTION_ALREADY_CANCELED"


async def test_the_first_benefit_that_holds_the_item_pays(service: Service) -> None:
    """Without a key of a benefit; with one it is that benefit, if it holds the item."""
    old = await open_wallet(service, benefit("class"))
    app = old.benefit()["providerAppId"]
    both = [benefit(key, providerAppId=app, price=price) for key, price in (("a", "1"), ("b", "2"))]
    new = await open_wallet(
        service,
        benefit("other"),
        *both,
        program={"beneficiary": old.program["beneficiary"]},
    )
    for key in ("a", "b"):
        await add_item(service, new.benefit(key), "item of class")
    first = await move(await old.redeem(), new)
    second = await move(await old.redeem(), new, benefitKey="b")
    keys = [
        (await new.transaction(each["transactionId"]))["details"]["benefitKey"]
        for each in (first, second)
    ]
    assert keys == ["a", "b"]
    refused = await move_refused(await old.redeem(), new, benefitKey="other")
    assert refused.code == "BENEFIT_NOT_FOUND"
    assert await new.available() == "97"
