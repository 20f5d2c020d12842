"""Policies as callers meet them, over HTTP and with real providers. Contract: Policies."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from benefit_programs.domain.entities import Quota
from benefit_programs.domain.settings import (
    PolicyProviderSetting,
    TenantSettings,
    UnknownPolicyApps,
)
from tests.support.calls import NAMESPACE, benefit, guid
from tests.support.inprocess import new_tenant, open_application
from tests.support.provider import PolicyServer
from tests.support.wallet import Wallet, open_another, open_wallet

if TYPE_CHECKING:
    from tests.support.calls import Document, Refused
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

DAY = "2030-05-02T10:00:00Z"
NEXT_DAY = "2030-05-03T10:00:00Z"
SECRET = "a secret of many characters"


def policy(**options: Any) -> Document:
    """An expression of one policy, by its options."""
    return {"type": "POLICY", "policyOptions": options}


def limit(times: int, period: str = "DAY") -> Document:
    return policy(rateLimitedOptions={"times": times, "timePeriod": period})


def interval(**fields: Any) -> Document:
    return policy(fixedIntervalOptions=fields)


def custom(app_id: str, **fields: Any) -> Document:
    return policy(customOptions={"appId": app_id, "id": guid(), **fields})


def all_of(*expressions: Document) -> Document:
    options = {"expressions": list(expressions)}
    return {"type": "OPERATOR_AND", "operatorAndOptions": options}


def any_of(*expressions: Document) -> Document:
    return {"type": "OPERATOR_OR", "operatorOrOptions": {"expressions": list(expressions)}}


def none_of(expression: Document) -> Document:
    return {"type": "OPERATOR_NOT", "operatorNotOptions": {"expression": expression}}


async def open_under(service: Service, expression: Document, **more: Any) -> Wallet:
    return await open_wallet(
        service, benefit("towel", price="1", policyExpression=expression), **more
    )


async def change_settings(service: Service, **fields: Any) -> None:
    def change(old: TenantSettings) -> TenantSettings:
        return replace(old, **fields)

    await service.running.services.directory.change_settings(service.tenant.id, change)


async def register(service: Service, **servers: PolicyServer) -> None:
    """Register providers by their app ids."""
    providers = tuple(
        PolicyProviderSetting(app_id=app_id.replace("_", "-"), url=server.url, secret=SECRET)
        for app_id, server in servers.items()
    )
    await change_settings(service, policy_providers=providers)


def failures(refused: Refused) -> list[Document]:
    assert (refused.status, refused.code) == (428, "POLICY_EXPRESSION_EVALUATED_TO_FALSE")
    return refused.data["failureDetails"]  # type: ignore[no-any-return]


# Intervals and time zones


@pytest.mark.parametrize(
    ("zone", "at", "allowed"),
    [
        ("UTC", "2030-07-01T05:59:59.999Z", False),
        ("UTC", "2030-07-01T06:00:00Z", True),
        ("UTC", "2030-07-01T08:59:59.999Z", True),
        ("UTC", "2030-07-01T09:00:00Z", False),
        ("Europe/Berlin", "2030-07-01T03:59:59Z", False),
        ("Europe/Berlin", "2030-07-01T04:00:00Z", True),
        ("Europe/Berlin", "2030-07-01T07:00:00Z", False),
        ("Europe/Berlin", "2030-01-01T05:00:00Z", True),
        ("Europe/Berlin", "2030-01-01T04:59:59Z", False),
        ("Asia/Kathmandu", "2030-01-01T00:15:00Z", True),
        ("Asia/Kathmandu", "2030-01-01T00:14:59Z", False),
    ],
)
async def test_hours_are_those_of_the_tenants_time_zone(
    service: Service, zone: str, at: str, *, allowed: bool
) -> None:
    """An interval is half-open and judged at the target date in the tenant's time zone."""
    await change_settings(service, time_zone=zone)
    wallet = await open_under(service, interval(fromHour=6, toHour=9))
    if allowed:
        await wallet.redeem(targetDate=at)
    else:
        (failure,) = failures(await wallet.redeem_refused(targetDate=at))
        assert failure["code"]


async def test_a_refusal_tells_of_its_pool(service: Service) -> None:
    """The refusal names the item, the failures, and all that is known of the pool."""
    wallet = await open_under(service, interval(fromHour=6, toHour=9))
    refused = await wallet.redeem_refused(targetDate="2030-07-01T12:00:00Z")
    assert refused.data["poolId"] == wallet.pool_id
    assert refused.data["itemReference"] == wallet.reference()
    assert refused.data["benefitInfo"]["benefitKey"] == "towel"
    assert refused.data["programInfo"]["id"] == wallet.program["id"]
    assert refused.data["poolInfo"]["balance"]["available"] == "100"


# Rate limits


async def test_a_limit_counts_items_of_its_day(service: Service) -> None:
    """Items count, not redemptions; another day counts anew; nothing is used by a refusal."""
    wallet = await open_under(service, limit(3))
    await wallet.redeem(count=2, targetDate=DAY)
    failures(await wallet.redeem_refused(count=2, targetDate=DAY))
    await wallet.redeem(targetDate=DAY)
    failures(await wallet.redeem_refused(targetDate=DAY))
    await wallet.redeem(count=3, targetDate=NEXT_DAY)
    assert sorted(row.used for row in await service.rows(Quota)) == [3, 3]


async def test_days_and_months_are_the_time_zones(service: Service) -> None:
    """Midnight and the month's end are those of the tenant's time zone."""
    await change_settings(service, time_zone="Pacific/Auckland")
    daily = await open_under(service, limit(1))
    await daily.redeem(targetDate="2030-05-01T11:59:59Z")
    await daily.redeem(targetDate="2030-05-01T12:00:00Z")
    failures(await daily.redeem_refused(targetDate="2030-05-02T11:59:59Z"))
    monthly = await open_under(service, limit(1, "MONTH"))
    await monthly.redeem(targetDate="2030-04-30T11:59:59Z")
    await monthly.redeem(targetDate="2030-04-30T12:00:00Z")
    failures(await monthly.redeem_refused(targetDate="2030-05-31T11:59:59Z"))


async def test_canceling_and_reverting_free_the_share(service: Service) -> None:
    """What is given back can be redeemed again on the same day, once for each."""
    wallet = await open_under(service, limit(2))
    for give_back in (wallet.cancel, wallet.revert):
        first = await wallet.redeem(count=2, targetDate=DAY)
        failures(await wallet.redeem_refused(targetDate=DAY))
        await give_back(first)
        await wallet.cancel(await wallet.redeem(count=2, targetDate=DAY))
    assert [row.used for row in await service.rows(Quota)] == [0]


async def test_moving_takes_the_new_share_and_frees_the_old(service: Service) -> None:
    """A redemption counts where it was moved to, and nowhere else."""
    wallet = await open_under(service, limit(2))
    first = await wallet.redeem(count=2, targetDate=DAY)
    moved = await wallet.reallocate(first, NEXT_DAY)
    second = await wallet.redeem(count=2, targetDate=DAY)
    failures(await wallet.reallocate_refused(second, NEXT_DAY))
    failures(await wallet.reallocate_refused(moved, DAY))
    again = await wallet.reallocate(moved, "2030-05-03T20:00:00Z")
    await wallet.cancel(again)
    await wallet.reallocate(second, NEXT_DAY)
    assert sorted(row.used for row in await service.rows(Quota)) == [0, 2]


ZONES = [
    ("Europe/Berlin", "America/New_York", DAY),
    ("Pacific/Honolulu", "Pacific/Kiritimati", "2030-05-01T20:30:00Z"),
    ("Pacific/Auckland", "UTC", "2030-05-01T02:00:00Z"),
]


@pytest.mark.parametrize("period", ["DAY", "MONTH"])
@pytest.mark.parametrize(("before", "after", "at"), ZONES)
async def test_a_change_of_the_time_zone_gives_nothing_anew(
    service: Service, before: str, after: str, at: str, period: str
) -> None:
    """What a date has used stays used, also where it begins at another instant now."""
    await change_settings(service, time_zone=before)
    wallet = await open_under(service, limit(1, period))
    await wallet.redeem(targetDate=at)
    await change_settings(service, time_zone=after)
    there = datetime.fromisoformat(at).astimezone(ZoneInfo(before)).replace(tzinfo=ZoneInfo(after))
    failures(await wallet.redeem_refused(targetDate=there.isoformat()))
    assert [row.used for row in await service.rows(Quota)] == [1]


@pytest.mark.parametrize("give_back", ["cancel", "revert", "move"])
async def test_shares_go_back_to_their_date_after_a_change_of_the_time_zone(
    service: Service, give_back: str
) -> None:
    """The share of a redemption is freed where it was taken, whatever the zone is now."""
    await change_settings(service, time_zone="Pacific/Auckland")
    wallet = await open_under(service, limit(1))
    redeemed = await wallet.redeem(targetDate="2030-05-01T20:00:00Z")
    await change_settings(service, time_zone="America/New_York")
    if give_back == "move":
        await wallet.reallocate(redeemed, "2030-05-03T20:00:00Z")
    else:
        await getattr(wallet, give_back)(redeemed)
    # In Auckland it was the second of May.
    await wallet.redeem(targetDate="2030-05-02T20:00:00Z")
    failures(await wallet.redeem_refused(targetDate="2030-05-02T21:00:00Z"))


@pytest.mark.parametrize(("times", "used", "changed", "left"), [(5, 4, 2, 0), (10, 10, 20, 10)])
async def test_a_changed_limit_keeps_what_was_used(
    service: Service, times: int, used: int, changed: int, left: int
) -> None:
    """Lowered below what was used it allows nothing, raised it allows the difference."""
    wallet = await open_under(service, limit(times))
    await wallet.redeem(targetDate=DAY, count=used)
    benefits = [{**wallet.benefit(), "policyExpression": limit(changed)}]
    change = {
        "id": wallet.definition["id"],
        "revision": wallet.definition["revision"],
        "details": {"benefits": benefits},
    }
    await service.call("updatePoolDefinition", {"poolDefinition": change, "cascade": "IMMEDIATELY"})
    failures(await wallet.redeem_refused(targetDate=DAY, count=left + 1))
    if left:
        await wallet.redeem(targetDate=DAY, count=left)


async def test_every_limit_of_an_expression_counts(service: Service) -> None:
    """A redemption counts on all limits, also on one that OR didn't need."""
    wallet = await open_under(service, any_of(limit(1), limit(3, "MONTH")))
    for day in ("01", "01", "02"):
        await wallet.redeem(targetDate=f"2030-05-{day}T10:00:00Z")
    failures(await wallet.redeem_refused(targetDate="2030-05-02T11:00:00Z"))
    await wallet.redeem(targetDate="2030-05-03T10:00:00Z")
    assert sorted(row.used for row in await service.rows(Quota)) == [1, 1, 2, 4]


async def test_and_needs_all_and_not_turns_round(service: Service) -> None:
    """AND refuses by one of its parts, NOT by what it holds being true; each reason is told."""
    both = await open_under(service, all_of(interval(fromHour=6, toHour=9), limit(1)))
    early = "2030-05-02T07:00:00Z"
    assert len(failures(await both.redeem_refused(targetDate=DAY))) == 1
    await both.redeem(targetDate=early)
    assert len(failures(await both.redeem_refused(targetDate=DAY))) == 2
    night = await open_under(service, none_of(interval(fromHour=6, toHour=22)))
    failures(await night.redeem_refused(targetDate=DAY))
    await night.redeem(targetDate="2030-05-02T23:00:00Z")


async def test_limits_are_shared_by_the_pool_and_by_nobody_else(service: Service) -> None:
    """A pool-wide limit counts all benefits of one pool; a benefit's own overrides it."""
    own = benefit("own", price="1", policyExpression=limit(5))
    wallet = await open_wallet(
        service, benefit("a", price="1"), benefit("b", price="1"), own, policyExpression=limit(2)
    )
    other = await open_another(service, wallet.definition)
    await wallet.redeem("a", targetDate=DAY)
    await wallet.redeem("b", targetDate=DAY)
    failures(await wallet.redeem_refused("a", targetDate=DAY))
    await wallet.redeem("own", targetDate=DAY, count=5)
    failures(await wallet.redeem_refused("own", targetDate=DAY))
    await other.redeem("a", targetDate=DAY, count=2)


async def test_without_a_date_it_is_now(service: Service) -> None:
    """A redemption without a target date counts on the period that it happens in."""
    wallet = await open_under(service, limit(1, "MONTH"))
    transaction = await wallet.transaction(await wallet.redeem())
    today = transaction["createdDate"]
    failures(await wallet.redeem_refused(targetDate=today))


# Custom providers


async def test_a_provider_decides(service: Service) -> None:
    """The provider is asked with the redemption; its no is a refusal in its own words."""

    def decide(question: Document) -> Document:
        if question["additionalData"] == {"guests": 1}:
            return {"fulfilled": True}
        why = {"code": "TOO_MANY_GUESTS", "message": "One guest", "data": {"guests": 2}}
        return {"fulfilled": False, "details": why}

    app_id = guid()
    with PolicyServer(decide).running() as server:
        await register(service, **{app_id.replace("-", "_"): server})
        expression = custom(app_id, additionalData={"max_guests": 1})
        wallet = await open_under(service, expression)
        policy_id = expression["policyOptions"]["customOptions"]["id"]
        (failure,) = failures(await wallet.redeem_refused(additionalData={"guests": 2}, count=3))
        assert failure == {
            "code": "TOO_MANY_GUESTS",
            "message": "One guest",
            "policyId": policy_id,
            "appId": app_id,
            "errorData": {"guests": 2},
        }
        await wallet.redeem(additionalData={"guests": 1}, targetDate=DAY)
    asked, _ = server.questions
    asked.pop("targetDate")
    assert asked == {
        "tenantId": service.tenant.site_id,
        "appId": app_id,
        "namespace": "gym",
        "policyId": policy_id,
        "policyAdditionalData": {"max_guests": 1},
        "poolId": wallet.pool_id,
        "benefitKey": "towel",
        "itemReference": wallet.reference(),
        "count": 3,
        "beneficiary": wallet.program["beneficiary"],
        "additionalData": {"guests": 2},
    }
    assert all(each.startswith("t=") for each in server.signatures)


async def test_questions_and_moves_are_put_to_the_provider_too(service: Service) -> None:
    """Eligibility and reallocation ask the provider about their date."""

    def decide(question: Document) -> Document:
        return {"fulfilled": question["targetDate"].startswith("2030-05-02")}

    app_id = guid()
    with PolicyServer(decide).running() as server:
        await register(service, **{app_id.replace("-", "_"): server})
        wallet = await open_under(service, custom(app_id))
        first = await wallet.redeem(targetDate=DAY)
        failures(await wallet.reallocate_refused(first, NEXT_DAY))
        await wallet.reallocate(first, "2030-05-02T20:00:00Z")
        for at, kind in (
            (DAY, "ELIGIBLE_BENEFIT"),
            (NEXT_DAY, "POLICY_EXPRESSION_EVALUATED_TO_FALSE"),
        ):
            (result,) = await wallet.eligibility(targetDate=at)
            assert result["type"] == kind


async def test_a_move_and_whichever_pays_ask_the_provider(service: Service) -> None:
    """Each pool that may pay is asked about; who is refused is passed by, or keeps what it pays."""
    allowed: set[str] = set()

    def decide(question: Document) -> Document:
        return {"fulfilled": question["poolId"] in allowed}

    app_id = guid()
    with PolicyServer(decide).running() as server:
        await register(service, **{app_id.replace("-", "_"): server})
        first = await open_under(service, custom(app_id))
        beneficiary = first.program["beneficiary"]
        second = await open_another(service, first.definition, beneficiary=beneficiary)
        asked = {
            "itemReference": first.reference(),
            "namespace": "gym",
            "beneficiary": beneficiary,
        }
        allowed.add(second.pool_id)
        request = {**asked, "idempotencyKey": guid()}
        (paid,) = (await service.call("redeemEligible", request))["redemptions"]
        assert paid["poolId"] == second.pool_id
        assert {each["poolId"] for each in server.questions} == {first.pool_id, second.pool_id}
        move = {"transactionId": paid["transactionId"], "poolId": first.pool_id}
        refused = await service.refusal("moveRedemption", {**move, "idempotencyKey": guid()})
        failures(refused)
        allowed.add(first.pool_id)
        await service.call("moveRedemption", {**move, "idempotencyKey": guid()})
    assert (await first.available(), await second.available()) == ("99", "100")


async def test_several_providers_are_asked_side_by_side(service: Service) -> None:
    """Two providers are asked at once: neither answers before the other was asked."""
    first, second = guid(), guid()
    with PolicyServer(together=2).running() as server:
        names = {each.replace("-", "_"): server for each in (first, second)}
        await register(service, **names)
        wallet = await open_under(service, all_of(custom(first), custom(second)))
        await wallet.redeem()
    assert {each["appId"] for each in server.questions} == {first, second}


async def test_providers_of_many_questions_are_asked_side_by_side(service: Service) -> None:
    """The bulk check asks for all of its questions at once, each with its own additional data."""
    app_id = guid()
    with PolicyServer(together=2).running() as server:
        await register(service, **{app_id.replace("-", "_"): server})
        wallet = await open_under(service, custom(app_id))
        selectors = [
            {
                "poolId": wallet.pool_id,
                "itemReference": wallet.reference(),
                "additionalData": {"question": number},
            }
            for number in range(2)
        ]
        request = {"benefitSelectors": selectors, "namespace": NAMESPACE}
        answer = await service.call("bulkCheckBenefitEligibility", request)
    results = [each["result"]["benefitResults"] for each in answer["results"]]
    assert [each["type"] for (each,) in results] == ["ELIGIBLE_BENEFIT"] * 2
    asked = sorted(each["additionalData"]["question"] for each in server.questions)
    assert asked == [0, 1]


@pytest.mark.parametrize("negated", [False, True])
async def test_a_provider_that_fails_refuses(service: Service, *, negated: bool) -> None:
    """What a provider can't answer is refused, also behind a NOT, and says so."""
    app_id = guid()
    with PolicyServer().running() as server:
        server.status = 500
        await register(service, **{app_id.replace("-", "_"): server})
        expression = custom(app_id)
        wallet = await open_under(service, none_of(expression) if negated else expression)
        (failure,) = failures(await wallet.redeem_refused())
        assert (failure["code"], failure["appId"]) == ("PROVIDER_FAILED", app_id)
    (failure,) = failures(await wallet.redeem_refused())
    assert failure["code"] == "PROVIDER_FAILED"
    assert await wallet.available() == "100"


async def test_an_app_without_a_provider_counts_as_the_tenant_says(service: Service) -> None:
    """By default it is fulfilled; with the setting it is refused."""
    wallet = await open_under(service, custom(guid()))
    await wallet.redeem()
    await change_settings(service, unknown_policy_apps=UnknownPolicyApps.REFUSED)
    (failure,) = failures(await wallet.redeem_refused())
    assert failure["code"] == "POLICY_APP_UNKNOWN"


async def test_asking_a_provider_holds_nobody_up(service: Service) -> None:
    """While a provider thinks, other redemptions of the same pool go on."""
    app_id = guid()
    slow = benefit("slow", price="1", policyExpression=custom(app_id))
    wallet = await open_wallet(service, slow, benefit("quick", price="1"))
    with PolicyServer(together=2).running() as server:
        await register(service, **{app_id.replace("-", "_"): server})
        waiting = asyncio.ensure_future(wallet.redeem("slow"))
        while not server.questions:
            await wallet.redeem("quick")
        # The provider answers the first question only when it is asked the second one.
        await asyncio.gather(waiting, wallet.redeem("slow"))


# Who may say where providers are


def provider_of(app_id: str, **fields: Any) -> Document:
    return {"settings": {"policyProviders": [{"appId": app_id, **fields}]}}


async def test_provider_keeps_its_secret_where_it_is(service: Service) -> None:
    """Without a secret an app's provider keeps its own at the same URL; questions are signed so."""
    app = guid()
    with PolicyServer().running() as server:
        await service.call("updateSettings", provider_of(app, url=server.url, secret=SECRET))
        await service.call("updateSettings", provider_of(app, url=server.url))
    settings = await service.running.services.directory.settings(service.tenant.id)
    assert [each.secret for each in settings.policy_providers] == [SECRET]


@pytest.mark.parametrize("moved", ["https://other.example/", "HTTP://provider.example/"])
async def test_provider_moves_with_a_new_secret_alone(service: Service, moved: str) -> None:
    """A secret that was given for one address is never used at another."""
    app, first = guid(), "http://provider.example/"
    await service.call("updateSettings", provider_of(app, url=first, secret=SECRET))
    refused = await service.refusal("updateSettings", provider_of(app, url=moved))
    assert refused.fields == {"settings.policyProviders[0].secret": "REQUIRED_FIELD"}
    refused = await service.refusal("updateSettings", provider_of(guid(), url=first))
    assert refused.fields == {"settings.policyProviders[0].secret": "REQUIRED_FIELD"}
    new = "another secret of many characters"
    await service.call("updateSettings", provider_of(app, url=moved, secret=new))
    settings = await service.running.services.directory.settings(service.tenant.id)
    assert [(each.url, each.secret) for each in settings.policy_providers] == [(moved, new)]


async def test_provider_inside_the_network_is_not_asked(database_url: str) -> None:
    """Where the operator allows no network, a provider on this machine hears nothing."""
    async with open_application(database_url, outgoing_networks=()) as application:
        service, app = await new_tenant(*application), guid()
        wallet = await open_under(service, custom(app))
        with PolicyServer().running() as server:
            await service.call("updateSettings", provider_of(app, url=server.url, secret=SECRET))
            refused = await wallet.redeem_refused()
        (failure,) = failures(refused)
        assert failure["code"] == "PROVIDER_FAILED"
        assert failure["message"] == "the policy provider's address is not allowed"
        assert server.questions == []
