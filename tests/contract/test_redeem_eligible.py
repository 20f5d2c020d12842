"""A redemption by whichever pools of a beneficiary pay: the order, splits, refusals, keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.calls import NAMESPACE, Document, Refused, benefit, guid
from tests.support.wallet import Wallet, add_item, open_another, open_wallet

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

LATER = "2030-05-01T10:00:00.000Z"

TWO_A_DAY = {
    "type": "POLICY",
    "policyOptions": {
        "type": "RATE_LIMITED",
        "rateLimitedOptions": {"times": 2, "timePeriod": "DAY"},
    },
}

APP = guid()
ITEM = {"externalId": "yoga", "providerAppId": APP}


class Member:
    """A member with pools that hold one item, and calls for them."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.beneficiary = {"memberId": guid()}

    async def opens(
        self, *benefits: Document, amount: str = "100", expires: str | None = None, **more: Any
    ) -> Wallet:
        """One more pool whose benefits all hold the item; its credits may expire."""
        fields: Document = {"creditConfiguration": {"amount": amount}}
        if expires is not None:
            fields["creditConfiguration"]["expiresAfter"] = expires
        given = benefits or (benefit("class"),)
        wallet = await open_wallet(
            self.service,
            *({**each, "providerAppId": APP} for each in given),
            amount=None,
            program={"beneficiary": self.beneficiary},
            **fields,
            **more,
        )
        for each in wallet.definition["details"]["benefits"]:
            await add_item(self.service, each, "yoga")
        return wallet

    def asked(self, **fields: Any) -> Document:
        return {
            "itemReference": ITEM,
            "namespace": NAMESPACE,
            "beneficiary": self.beneficiary,
            "idempotencyKey": guid(),
            **fields,
        }

    async def redeem(self, **fields: Any) -> list[Document]:
        answer = await self.service.call("redeemEligible", self.asked(**fields))
        return answer["redemptions"]  # type: ignore[no-any-return]

    async def refused(self, **fields: Any) -> Refused:
        return await self.service.refusal("redeemEligible", self.asked(**fields))


@pytest.fixture
def member(service: Service) -> Member:
    return Member(service)


def paid(redemptions: list[Document]) -> list[tuple[str, str, int, str]]:
    return [
        (each["poolId"], each["benefitKey"], each["count"], each["amount"]) for each in redemptions
    ]


async def test_the_soonest_to_expire_pays_first(member: Member) -> None:
    """Then the next; what never expires pays last, though its pool is the oldest."""
    never = await member.opens(amount="10")
    late = await member.opens(amount="10", expires="P60D")
    soon = await member.opens(amount="10", expires="P30D")
    order = [(await member.redeem())[0]["poolId"] for _ in range(3)]
    assert order == [soon.pool_id, late.pool_id, never.pool_id]
    assert (await member.refused()).code == "NO_ELIGIBLE_BENEFIT"


async def test_the_oldest_pool_pays_first_of_equals(member: Member) -> None:
    """And within a pool the first benefit of the definition that can."""
    first = await member.opens(benefit("dear", price="60"), benefit("cheap", price="20"))
    second = await member.opens(benefit("class", price="1"))
    keys = [
        (each["poolId"], each["benefitKey"]) for _ in range(4) for each in await member.redeem()
    ]
    assert keys == [
        (first.pool_id, "dear"),
        (first.pool_id, "cheap"),
        (first.pool_id, "cheap"),
        (second.pool_id, "class"),
    ]


async def test_it_is_a_redemption_like_any_other(member: Member) -> None:
    """Its transaction, its event and its way back are those of a redemption."""
    wallet = await member.opens()
    (made,) = await member.redeem(
        count=2, targetDate=LATER, externalReference="booking:1", additionalData={"seat": 7}
    )
    assert paid([made]) == [(wallet.pool_id, "class", 2, "20")]
    transaction = await wallet.transaction(made["transactionId"])
    assert (transaction["amount"], transaction["externalReference"]) == ("20", "booking:1")
    assert transaction["details"]["effectiveDate"] == LATER
    answer = await member.service.call("listEvents", {"entityId": wallet.pool_id})
    (event,) = [each for each in answer["events"] if each["slug"] == "benefit_redeemed"]
    told = event["actionEvent"]["body"]["redemptionDetails"]
    assert (told["itemCount"], told["additionalData"]) == (2, {"seat": 7})
    await wallet.cancel(made["transactionId"])
    assert await wallet.available() == "100"


async def test_what_cant_pay_is_passed_by(member: Member) -> None:
    """Paused and ended pools, policies and balances that don't allow it, all count as they are."""
    paused, ended, poor = [await member.opens(expires="P1D") for _ in range(3)]
    limited = await member.opens(benefit("class", policyExpression=TWO_A_DAY), expires="P2D")
    last = await member.opens()
    key = {"programId": paused.program["id"], "idempotencyKey": guid()}
    await member.service.call("pauseProgram", key)
    await member.service.call("endProgram", {"programId": ended.program["id"]})
    await poor.set_balance("29.9999")
    await limited.redeem(itemReference=ITEM)
    assert paid(await member.redeem(count=3)) == [(last.pool_id, "class", 3, "30")]
    await last.set_balance("0")
    refused = await member.refused(count=3)
    assert (refused.status, refused.code) == (428, "NO_ELIGIBLE_BENEFIT")
    kinds = {each["type"] for each in refused.data["benefitResults"]}
    assert kinds == {
        "POOL_NOT_ACTIVE",
        "NOT_ENOUGH_BALANCE",
        "POLICY_EXPRESSION_EVALUATED_TO_FALSE",
    }
    assert len(refused.data["benefitResults"]) == 4


async def test_refusals_explain_as_eligibility_does(member: Member) -> None:
    """Each result says what the answer about eligibility says of the same benefit."""
    wallet = await member.opens(amount="5")
    refused = await member.refused(targetDate=LATER)
    asked = {
        "itemReference": ITEM,
        "namespace": NAMESPACE,
        "beneficiary": member.beneficiary,
        "count": 1,
        "targetDate": LATER,
    }
    answer = await member.service.call("checkBenefitEligibilityByFilter", asked)
    (expected,) = answer["results"]
    assert refused.data["benefitResults"] == expected["benefitResults"]
    assert await wallet.available() == "5"


async def test_several_pay_together_for_whole_items(member: Member) -> None:
    """In the same order, each for as many whole items as it can."""
    first = await member.opens(amount="25", expires="P10D")
    second = await member.opens(amount="19.9999")
    third = await member.opens(benefit("class", price="5"), amount="100")
    assert (await member.refused(count=24)).code == "NO_ELIGIBLE_BENEFIT"
    made = await member.redeem(count=5, split=True)
    assert paid(made) == [
        (first.pool_id, "class", 2, "20"),
        (second.pool_id, "class", 1, "10"),
        (third.pool_id, "class", 2, "10"),
    ]
    rest = [await each.available() for each in (first, second, third)]
    assert rest == ["5", "9.9999", "90"]


async def test_all_or_nothing_is_split(member: Member) -> None:
    """Where one item can't be paid, nothing is; no event and no transaction tells of it."""
    first, second = [await member.opens(amount="10") for _ in range(2)]
    refused = await member.refused(count=3, split=True)
    assert (refused.status, refused.code) == (428, "NO_ELIGIBLE_BENEFIT")
    assert [each["type"] for each in refused.data["benefitResults"]] == ["NOT_ENOUGH_BALANCE"] * 2
    for each in (first, second):
        assert await each.available() == "10"
        assert len(await each.transactions()) == 1
    assert len(await member.redeem(count=2, split=True)) == 2


async def test_benefits_of_one_pool_share_its_credits_and_limits(member: Member) -> None:
    """What the first of them has taken isn't there for the second."""
    both = [benefit(key, price=price) for key, price in (("a", "10"), ("b", "20"))]
    wallet = await member.opens(*both, amount="50", policyExpression=TWO_A_DAY)
    other = await member.opens(benefit("class", price="1"), amount="1")
    made = await member.redeem(count=3, split=True, targetDate=LATER)
    assert paid(made) == [(wallet.pool_id, "a", 2, "20"), (other.pool_id, "class", 1, "1")]
    refused = await wallet.redeem_refused("b", itemReference=ITEM, targetDate=LATER)
    assert refused.code == "POLICY_EXPRESSION_EVALUATED_TO_FALSE"


async def test_two_benefits_of_one_pool_may_pay(member: Member) -> None:
    """Two redemptions of one pool in one commit, each with its own transaction and event."""
    limited = benefit("a", price="10", policyExpression=TWO_A_DAY)
    wallet = await member.opens(limited, benefit("b", price="20"), expires="P10D")
    made = await member.redeem(count=4, split=True, targetDate=LATER)
    assert paid(made) == [(wallet.pool_id, "a", 2, "20"), (wallet.pool_id, "b", 2, "40")]
    assert (await member.service.slugs_of(wallet.pool_id))[-2:] == ["benefit_redeemed"] * 2
    assert await wallet.available() == "40"
    for each in made:
        await wallet.cancel(each["transactionId"])
    assert await wallet.available() == "100"


async def test_a_key_pays_once(member: Member) -> None:
    """It holds for the member in the namespace, whichever pool paid; the error has all of it."""
    for _ in range(2):
        await member.opens(amount="10")
    key = guid()
    made = await member.redeem(count=2, split=True, idempotencyKey=key)
    await member.opens()
    for fields, same in (({"count": 2, "split": True}, True), ({"count": 1}, False)):
        refused = await member.refused(idempotencyKey=key, **fields)
        assert (refused.status, refused.code) == (409, "ELIGIBLE_ALREADY_REDEEMED")
        assert (refused.data["redemptions"], refused.data["sameRequest"]) == (made, same)
    # Another member, and a redemption of one pool, have keys of their own.
    other = Member(member.service)
    wallet = await other.opens()
    await other.redeem(idempotencyKey=key)
    await wallet.redeem(itemReference=ITEM, idempotencyKey=key)


async def test_a_refused_key_may_be_used(member: Member) -> None:
    """What was refused has used up nothing."""
    wallet = await member.opens(amount="5")
    key = guid()
    assert (await member.refused(idempotencyKey=key)).code == "NO_ELIGIBLE_BENEFIT"
    await wallet.adjust("5")
    await member.redeem(idempotencyKey=key)


async def test_nothing_that_holds_the_item(member: Member) -> None:
    """Without a pool there are no results; an app that nobody knows is named."""
    wallet = await member.opens()
    stranger = Member(member.service)
    refused = await stranger.refused()
    assert (refused.code, refused.data) == ("NO_ELIGIBLE_BENEFIT", {"benefitResults": []})
    unknown = {"externalId": "yoga", "providerAppId": guid()}
    refused = await member.refused(itemReference=unknown)
    assert (refused.status, refused.code) == (400, "INVALID_ITEM_REFERENCE")
    refused = await member.refused(namespace="other")
    assert refused.code == "INVALID_ITEM_REFERENCE"
    assert await wallet.available() == "100"


async def test_credits_of_a_day_pay_for_that_day(member: Member) -> None:
    """Where credits are judged on the day of use, those that expire before don't pay."""
    configuration = {"amount": "10", "expiresAfter": "P10D", "validOn": "TARGET_DATE"}
    soon = await open_wallet(
        member.service,
        benefit("class", providerAppId=APP),
        amount=None,
        program={"beneficiary": member.beneficiary},
        creditConfiguration=configuration,
    )
    await add_item(member.service, soon.benefit(), "yoga")
    never = await member.opens()
    assert (await member.redeem(targetDate=LATER))[0]["poolId"] == never.pool_id
    assert (await member.redeem())[0]["poolId"] == soon.pool_id


async def test_pools_have_a_limit(member: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """More pools than are locked at once are refused, and named as the reason."""
    monkeypatch.setattr("benefit_programs.api.handlers.returns.PAYING_POOLS_MAX", 2)
    first = await member.opens()
    await open_another(member.service, first.definition, beneficiary=member.beneficiary)
    await member.redeem()
    await open_another(member.service, first.definition, beneficiary=member.beneficiary)
    refused = await member.refused()
    assert (refused.status, refused.fields) == (400, {"beneficiary": "OTHER"})
    assert refused.violations[0]["ruleName"] == "too_many_pools"
