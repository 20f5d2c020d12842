"""Whether and why a benefit can be redeemed. Contract: Eligibility."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.storage.eligible import ELIGIBLE_MAX, ELIGIBLE_OF_BENEFICIARY_MAX
from tests.support.calls import NAMESPACE, benefit, guid
from tests.support.wallet import Wallet, add_item, open_another, open_wallet

if TYPE_CHECKING:
    from tests.support.calls import Document
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

APP = "0f5d41ac-5dd8-4b6c-9e9d-1b6f4b3f2b11"
EARLY = {
    "type": "POLICY",
    "policyOptions": {
        "type": "FIXED_INTERVAL",
        "fixedIntervalOptions": {"fromHour": 6, "toHour": 9},
    },
}
TOWEL = {"externalId": "towel", "providerAppId": APP}
MORNING = "2030-05-01T07:00:00Z"
NOON = "2030-05-01T12:00:00Z"


def types(results: list[Document]) -> list[str]:
    return [each["type"] for each in results]


def shared(key: str, **more: Any) -> Document:
    """A benefit of the app that the others have too."""
    return {**benefit(key, **more), "providerAppId": APP}


async def eligible(service: Service, wallet: Wallet, **fields: Any) -> list[Document]:
    request = {"itemReference": wallet.reference(), "namespace": NAMESPACE, **fields}
    answer = await service.call("getEligibleBenefits", request)
    return answer["eligibleBenefits"]  # type: ignore[no-any-return]


async def by_filter(service: Service, wallet: Wallet, **fields: Any) -> list[list[Document]]:
    request = {"itemReference": wallet.reference(), "namespace": NAMESPACE, "count": 1, **fields}
    answer = await service.call("checkBenefitEligibilityByFilter", request)
    return [each["benefitResults"] for each in answer["results"]]


# One pool


async def test_an_eligible_benefit_tells_all_about_itself(service: Service) -> None:
    """The result carries the price and all that is known of pool, benefit and program."""
    wallet = await open_wallet(
        service,
        benefit("towel", price="2.5", displayName="Towel"),
        definition={"displayName": "Tokens"},
        program={"displayName": "Ada"},
    )
    (result,) = await wallet.eligibility("towel")
    assert result["type"] == "ELIGIBLE_BENEFIT"
    assert result["eligibleBenefitOptions"] == {
        "poolId": wallet.pool_id,
        "benefitKey": "towel",
        "itemReference": wallet.reference(),
        "price": "2.5",
        "poolInfo": {
            "balance": {"available": "100", "reserved": "0"},
            "creditAmount": "100",
            "displayName": "Tokens",
            "poolDefinitionId": wallet.definition["id"],
        },
        "benefitInfo": {"displayName": "Towel", "benefitKey": "towel", "price": "2.5"},
        "programInfo": {
            "id": wallet.program["id"],
            "externalId": wallet.program["externalId"],
            "displayName": "Ada",
        },
    }


async def test_asking_changes_nothing(service: Service) -> None:
    """A question leaves no transaction, no event and no count of a limit behind."""
    limit = rate_limit(1)
    wallet = await open_wallet(service, benefit("towel", policyExpression=limit))
    for _ in range(3):
        assert types(await wallet.eligibility()) == ["ELIGIBLE_BENEFIT"]
    assert await service.slugs_of(wallet.pool_id) == ["created+provisioned"]
    await wallet.redeem()


def rate_limit(times: int) -> Document:
    return {
        "type": "POLICY",
        "policyOptions": {
            "type": "RATE_LIMITED",
            "rateLimitedOptions": {"times": times, "timePeriod": "DAY"},
        },
    }


async def test_every_reason_has_its_type(service: Service) -> None:
    """Each refusal of a redemption has its own result, with the numbers of the refusal."""
    strict = benefit("towel", price="10", policyExpression=EARLY)
    wallet = await open_wallet(service, strict, amount="15")
    (poor,) = await wallet.eligibility(count=2, targetDate=MORNING)
    assert poor["type"] == "NOT_ENOUGH_BALANCE"
    told = poor["notEnoughBalanceOptions"]
    assert (told["availableBalance"], told["requestedBalance"]) == ("15", "20")
    (late,) = await wallet.eligibility(targetDate=NOON)
    assert late["type"] == "POLICY_EXPRESSION_EVALUATED_TO_FALSE"
    (failure,) = late["policyExpressionEvaluatedToFalseOptions"]["failureDetails"]
    assert failure["code"]
    (unknown,) = await wallet.eligibility(itemReference={**wallet.reference(), "externalId": "x"})
    assert unknown["type"] == "BENEFIT_NOT_FOUND"
    assert unknown["benefitNotFoundOptions"]["poolId"] == wallet.pool_id
    (missing,) = await wallet.eligibility(benefitKey="sauna")
    assert missing["benefitNotFoundOptions"]["benefitKey"] == "sauna"
    stranger = guid()
    (nowhere,) = await wallet.eligibility(poolId=stranger)
    assert nowhere["type"] == "POOL_NOT_FOUND"
    assert nowhere["poolNotFoundOptions"] == {"poolId": stranger}
    paused = await open_wallet(service, strict, program={"programStatus": "PAUSED"})
    for fields in ({}, {"itemReference": {**paused.reference(), "externalId": "x"}}):
        (result,) = await paused.eligibility(**fields)
        assert result["type"] == "POOL_NOT_ACTIVE"
        assert result["poolNotActiveOptions"]["poolStatus"] == "PAUSED"


async def test_the_pool_must_be_the_beneficiarys(service: Service) -> None:
    """Another namespace, beneficiary or tenant finds no pool."""
    wallet = await open_wallet(service)
    own = wallet.program["beneficiary"]
    assert types(await wallet.eligibility(beneficiary=own)) == ["ELIGIBLE_BENEFIT"]
    for fields in ({"namespace": "other"}, {"beneficiary": {"memberId": guid()}}):
        assert types(await wallet.eligibility(**fields)) == ["POOL_NOT_FOUND"]
    stranger = Wallet(
        await service.another_tenant(), wallet.definition, wallet.program, wallet.pool_id
    )
    assert types(await stranger.eligibility()) == ["POOL_NOT_FOUND"]


async def test_without_a_key_all_benefits_that_hold_the_item_are_judged(service: Service) -> None:
    """Each benefit of the pool with the item has its result, in the definition's order."""
    wallet = await open_wallet(
        service, shared("dear", price="500"), shared("cheap"), shared("other")
    )
    for key in ("dear", "cheap"):
        await add_item(service, wallet.benefit(key), "both")
    reference = {"externalId": "both", "providerAppId": APP}
    results = await wallet.eligibility(itemReference=reference)
    assert types(results) == ["NOT_ENOUGH_BALANCE", "ELIGIBLE_BENEFIT"]
    (one,) = await wallet.eligibility("cheap", itemReference=reference)
    assert one["eligibleBenefitOptions"]["benefitKey"] == "cheap"


async def test_a_reallocation_skips_the_balance_alone(service: Service) -> None:
    """The intent to move costs nothing, but the policy is judged for the new date."""
    wallet = await open_wallet(service, benefit("towel", policyExpression=EARLY), amount="0")
    asked: dict[str, Any] = {"targetDate": MORNING}
    assert types(await wallet.eligibility(**asked)) == ["NOT_ENOUGH_BALANCE"]
    assert types(await wallet.eligibility(**asked, intent="REDEMPTION")) == ["NOT_ENOUGH_BALANCE"]
    assert types(await wallet.eligibility(**asked, intent="REALLOCATION")) == ["ELIGIBLE_BENEFIT"]
    asked["targetDate"] = NOON
    assert types(await wallet.eligibility(**asked, intent="REALLOCATION")) == [
        "POLICY_EXPRESSION_EVALUATED_TO_FALSE"
    ]


async def test_just_enough_is_enough(service: Service) -> None:
    """A balance of exactly price times count is eligible, and is spent by the redemption."""
    wallet = await open_wallet(service, benefit("towel", price="0.3333"), amount="0.9999")
    assert types(await wallet.eligibility(count=3)) == ["ELIGIBLE_BENEFIT"]
    assert types(await wallet.eligibility(count=4)) == ["NOT_ENOUGH_BALANCE"]
    await wallet.redeem(count=3)


async def test_many_questions_have_their_answers_in_order(service: Service) -> None:
    """The bulk check answers each question by itself and repeats it."""
    wallet = await open_wallet(service, benefit("towel"), benefit("dear", price="500"))
    selectors = [
        {"poolId": wallet.pool_id, "itemReference": wallet.reference("dear"), "benefitKey": "dear"},
        {"poolId": guid(), "itemReference": wallet.reference()},
        {"poolId": wallet.pool_id, "itemReference": wallet.reference(), "count": 2},
        {"poolId": wallet.pool_id, "itemReference": wallet.reference(), "count": 11},
    ]
    request = {"benefitSelectors": selectors, "namespace": NAMESPACE}
    answer = await service.call("bulkCheckBenefitEligibility", request)
    assert [each["benefitSelector"] for each in answer["results"]] == selectors
    assert [types(each["result"]["benefitResults"]) for each in answer["results"]] == [
        ["NOT_ENOUGH_BALANCE"],
        ["POOL_NOT_FOUND"],
        ["ELIGIBLE_BENEFIT"],
        ["NOT_ENOUGH_BALANCE"],
    ]


# All pools of a beneficiary


async def test_the_oldest_pool_comes_first(service: Service) -> None:
    """Eligible benefits come oldest pool first, and only those that can be redeemed."""
    member = {"memberId": guid()}
    wallet = await open_wallet(service, shared("towel"), program={"beneficiary": member})
    second = await open_another(service, wallet.definition, beneficiary=member)
    third = await open_another(service, wallet.definition, beneficiary=member)
    await second.set_balance("9.9999")
    found = await eligible(service, wallet, beneficiary=member)
    assert [each["poolId"] for each in found] == [wallet.pool_id, third.pool_id]
    everyone = await eligible(service, wallet)
    assert [each["poolId"] for each in everyone] == [wallet.pool_id, third.pool_id]
    assert await eligible(service, wallet, beneficiary={"memberId": guid()}) == []
    assert await eligible(service, wallet, beneficiary=member, count=11) == []


async def crowd(
    service: Service, wallet: Wallet, *, candidates: int = ELIGIBLE_MAX, **fields: Any
) -> None:
    """As many candidates as an answer has room for, in front of the next pool."""
    provisions = [
        service.provision(pool_definition=wallet.definition, **fields)
        for _ in range(candidates // len(wallet.definition["details"]["benefits"]))
    ]
    await asyncio.gather(*provisions)


async def open_towels(service: Service, count: int, **more: Any) -> Wallet:
    """A pool with so many benefits, all of which hold the same towel."""
    wallet = await open_wallet(service, *(shared(f"towel {i}") for i in range(count)), **more)
    for each in wallet.definition["details"]["benefits"]:
        await add_item(service, each, "towel")
    return wallet


@pytest.mark.parametrize(
    ("amount", "status", "worth"), [("100", "PAUSED", "100"), ("0", "ACTIVE", "10")]
)
async def test_pools_that_cannot_pay_take_nobodys_place(
    service: Service, amount: str, status: str, worth: str
) -> None:
    """An answer has room for so many eligible benefits, however many others come before them."""
    wallet = await open_towels(service, 10, amount=amount)
    await wallet.set_balance("0")
    await crowd(service, wallet, programStatus=status)
    last = await open_another(service, wallet.definition)
    await last.set_balance(worth)
    found = await eligible(service, wallet, itemReference=TOWEL)
    assert [each["poolId"] for each in found] == [last.pool_id] * 10
    assert await eligible(service, wallet, itemReference=TOWEL, count=11) == []


@pytest.mark.parametrize("status", ["PAUSED", "ACTIVE"])
async def test_nothing_of_one_beneficiary_is_left_out(service: Service, status: str) -> None:
    """A member's newest pass is found behind any number of others, and those are told of too."""
    member = {"memberId": guid()}
    wallet = await open_towels(
        service, 10, program={"beneficiary": member, "programStatus": status}
    )
    await crowd(service, wallet, beneficiary=member, programStatus=status)
    last = await open_another(service, wallet.definition, beneficiary=member)
    question = {"itemReference": TOWEL, "beneficiary": member}
    results = await by_filter(service, wallet, **question)
    assert sum(map(len, results)) == ELIGIBLE_MAX + 20
    assert {each["type"] for each in results[-1]} == {"ELIGIBLE_BENEFIT"}
    found = await eligible(service, wallet, **question)
    assert len(found) == (ELIGIBLE_MAX + 20 if status == "ACTIVE" else 10)
    assert found[-1]["poolId"] == last.pool_id


async def test_a_question_about_too_many_benefits_is_refused(service: Service) -> None:
    """With more than can be judged the answer says so; fewer statuses make it fit."""
    member = {"memberId": guid()}
    wallet = await open_towels(service, 10, program={"beneficiary": member})
    most = ELIGIBLE_OF_BENEFICIARY_MAX
    await crowd(service, wallet, candidates=most, beneficiary=member, programStatus="PAUSED")
    question = {"itemReference": TOWEL, "namespace": NAMESPACE, "beneficiary": member, "count": 1}
    refused = await service.refusal("checkBenefitEligibilityByFilter", question)
    (violation,) = refused.violations
    assert (refused.status, violation["field"]) == (400, "beneficiary")
    assert violation["ruleName"] == "too_many_benefits"
    (active,) = await by_filter(
        service, wallet, **question, poolSelector={"poolStatuses": ["ACTIVE"]}
    )
    assert len(active) == 10
    assert len(await eligible(service, wallet, itemReference=TOWEL, beneficiary=member)) == 10


async def test_a_check_by_filter_tells_of_every_pool(service: Service) -> None:
    """Every pool with the item has its results, one that isn't active too, unless left out."""
    member = {"memberId": guid()}
    wallet = await open_wallet(service, shared("towel"), program={"beneficiary": member})
    paused = await open_another(
        service, wallet.definition, beneficiary=member, programStatus="PAUSED"
    )
    poor = await open_another(service, wallet.definition, beneficiary=member)
    await poor.set_balance("0")
    results = await by_filter(service, wallet, beneficiary=member)
    assert [types(each) for each in results] == [
        ["ELIGIBLE_BENEFIT"],
        ["POOL_NOT_ACTIVE"],
        ["NOT_ENOUGH_BALANCE"],
    ]
    ((told,),) = await by_filter(
        service, wallet, beneficiary=member, poolSelector={"poolStatuses": ["PAUSED"]}
    )
    assert told["poolNotActiveOptions"]["poolId"] == paused.pool_id
    assert await by_filter(service, wallet, beneficiary={"memberId": guid()}) == []


async def test_an_unknown_app_is_no_reference(service: Service) -> None:
    """A provider app without benefits in the namespace is 400; an unknown item is just nowhere."""
    wallet = await open_wallet(service)
    reference = {**wallet.reference(), "externalId": "other"}
    assert await eligible(service, wallet, itemReference=reference) == []
    assert await by_filter(service, wallet, itemReference=reference) == []
    strange = {"externalId": "a", "providerAppId": guid()}
    for name, more in (
        ("getEligibleBenefits", {}),
        ("checkBenefitEligibilityByFilter", {"count": 1}),
    ):
        request = {"itemReference": strange, "namespace": NAMESPACE, **more}
        refused = await service.refusal(name, request)
        assert (refused.status, refused.code) == (400, "INVALID_ITEM_REFERENCE")
        assert refused.data == {"itemReference": strange}
        elsewhere = {"itemReference": wallet.reference(), "namespace": "other", **more}
        assert (await service.refusal(name, elsewhere)).code == "INVALID_ITEM_REFERENCE"


async def test_pools_may_be_of_another_namespace_than_their_definition(service: Service) -> None:
    """What a pool of the namespace holds is found there, wherever its definition belongs."""
    wallet = await open_wallet(service, program={"namespace": "club"})
    found = await eligible(service, wallet, namespace="club")
    assert [each["poolId"] for each in found] == [wallet.pool_id]
    ((judged,),) = await by_filter(service, wallet, namespace="club")
    assert judged["type"] == "ELIGIBLE_BENEFIT"
    unknown = {**wallet.reference(), "externalId": "other"}
    assert await eligible(service, wallet, namespace="club", itemReference=unknown) == []
    await open_wallet(service, program={"namespace": "elsewhere"})
    request = {"itemReference": wallet.reference(), "namespace": "elsewhere"}
    refused = await service.refusal("getEligibleBenefits", request)
    assert (refused.status, refused.code) == (400, "INVALID_ITEM_REFERENCE")


async def test_a_member_asks_for_itself(service: Service) -> None:
    """A member's key means that member, whoever is named, and nothing else is open to it."""
    member_id = guid()
    wallet = await open_wallet(service, program={"beneficiary": {"memberId": member_id}})
    await open_another(service, wallet.definition)
    member = await service.as_member(member_id)
    request = {"itemReference": wallet.reference(), "namespace": NAMESPACE}
    for named in ({}, {"beneficiary": {"memberId": guid()}}):
        found = (await member.call("getEligibleBenefits", {**request, **named}))["eligibleBenefits"]
        assert [each["poolId"] for each in found] == [wallet.pool_id]
    refused = await member.refusal("checkBenefitEligibility", wallet.question())
    assert refused.status == 403
    assert (await member.refusal("redeemBenefit", wallet.redemption())).status == 403
    assert (
        await member.refusal("checkBenefitEligibilityByFilter", {**request, "count": 1})
    ).status == 403


async def test_eligible_is_what_redeems(service: Service) -> None:
    """What is told to be eligible can be redeemed with just what the answer says."""
    member = {"memberId": guid()}
    wallet = await open_wallet(
        service, shared("towel", policyExpression=rate_limit(2)), program={"beneficiary": member}
    )
    redeemed = 0
    for _ in range(5):
        found = await eligible(service, wallet, beneficiary=member)
        if not found:
            break
        chosen = found[0]
        request = {
            "poolId": chosen["poolId"],
            "benefitKey": chosen["benefitKey"],
            "itemReference": chosen["itemReference"],
            "namespace": NAMESPACE,
            "idempotencyKey": guid(),
        }
        await service.call("redeemBenefit", request)
        redeemed += 1
    assert redeemed == 2
