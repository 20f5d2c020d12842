"""A policy provider that never answers: what comes before it doesn't wait, and nobody else does."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from benefit_programs.api.turns import TURNS_MAX
from benefit_programs.domain.settings import PolicyProviderSetting, TenantSettings
from tests.support.calls import NAMESPACE, benefit, guid
from tests.support.inprocess import new_tenant
from tests.support.lifecycle import act
from tests.support.looking import wait_until
from tests.support.provider import PolicyServer
from tests.support.wallet import Wallet, open_wallet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.support.calls import Document
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

DAY = "2030-05-02T10:00:00Z"
LATER = "2030-05-03T10:00:00Z"
PROVIDER_SECONDS = 2.0
SELECTORS = 100
POLICIES = 10


def custom(app_id: str) -> Document:
    """An expression of one custom policy."""
    return {"type": "POLICY", "policyOptions": {"customOptions": {"appId": app_id, "id": guid()}}}


async def register(service: Service, app_id: str, server: PolicyServer) -> None:
    def change(old: TenantSettings) -> TenantSettings:
        setting = PolicyProviderSetting(app_id=app_id, url=server.url, secret="a secret")
        return replace(old, policy_providers=(setting,))

    await service.running.services.directory.change_settings(service.tenant.id, change)


@asynccontextmanager
async def open_judged(
    service: Service, policies: int = 1, **more: Any
) -> AsyncIterator[tuple[Wallet, PolicyServer]]:
    """A pool whose first benefit is judged by a provider, which answers for now."""
    app_id = guid()
    expressions = [custom(app_id) for _ in range(policies)]
    judged = {"type": "OPERATOR_AND", "operatorAndOptions": {"expressions": expressions}}
    towel = benefit("towel", price="1", policyExpression=judged if policies > 1 else expressions[0])
    with PolicyServer().running() as server:
        await register(service, app_id, server)
        yield await open_wallet(service, towel, benefit("free", price="1"), **more), server


def silence(server: PolicyServer) -> None:
    """From now on the provider hangs, and has been asked nothing."""
    server.questions.clear()
    server.silent = True


REDEMPTIONS_REFUSED: list[tuple[Callable[[Wallet], Document], str]] = [
    (lambda _: {"namespace": "other"}, "POOL_NOT_FOUND"),
    (lambda _: {"beneficiary": {"memberId": guid()}}, "POOL_NOT_FOUND"),
    (lambda _: {"poolId": guid()}, "POOL_NOT_FOUND"),
    (lambda _: {"idempotencyKey": "used"}, "BENEFIT_ALREADY_REDEEMED"),
    (lambda _: {"benefitKey": "sauna"}, "BENEFIT_NOT_FOUND"),
    (
        lambda wallet: {"itemReference": {**wallet.reference(), "externalId": "unknown"}},
        "BENEFIT_NOT_FOUND",
    ),
]


@pytest.mark.parametrize(("fields", "code"), REDEMPTIONS_REFUSED)
async def test_a_redemption_is_refused_before_anybody_is_asked(
    service: Service, fields: Callable[[Wallet], Document], code: str
) -> None:
    """Pool, key, benefit and item are checked first: the provider never hears of it."""
    async with open_judged(service) as (wallet, server):
        await wallet.redeem(idempotencyKey="used")
        silence(server)
        refused = await wallet.redeem_refused(**fields(wallet))
    assert (refused.code, server.questions) == (code, [])


async def test_a_paused_pool_is_no_question(service: Service) -> None:
    """Neither a redemption, a move nor a check of a paused pool asks the provider."""
    async with open_judged(service) as (wallet, server):
        first = await wallet.redeem(targetDate=DAY)
        await act(service, "pause", wallet.program["id"])
        silence(server)
        assert (await wallet.redeem_refused()).code == "POOL_NOT_ACTIVE"
        assert (await wallet.reallocate_refused(first, LATER)).code == "POOL_NOT_ACTIVE"
        assert [each["type"] for each in await wallet.eligibility()] == ["POOL_NOT_ACTIVE"]
        assert await kinds_of_many(wallet, {}, {"benefitKey": "towel"}) == ["POOL_NOT_ACTIVE"] * 2
    assert server.questions == []


async def test_a_move_is_refused_before_anybody_is_asked(service: Service) -> None:
    """Transaction, key, chain, namespace and beneficiary of a move are checked first."""
    async with open_judged(service) as (wallet, server):
        first = await wallet.redeem(targetDate=DAY)
        second = await wallet.reallocate(first, LATER, idempotencyKey="used")
        gone = await wallet.redeem(targetDate=DAY)
        await wallet.cancel(gone)
        changed = (await wallet.adjust("1"))["transactionId"]
        silence(server)
        codes = [
            (await wallet.reallocate_refused(each, LATER, **fields)).code
            for each, fields in (
                (guid(), {}),
                (second, {"idempotencyKey": "used"}),
                (changed, {}),
                (gone, {}),
                (first, {}),
                (second, {"namespace": "other"}),
                (second, {"beneficiary": {"memberId": guid()}}),
            )
        ]
    assert server.questions == []
    assert codes == [
        "TRANSACTION_NOT_FOUND",
        "ALREADY_EXECUTED",
        "TRANSACTION_NOT_REALLOCATABLE",
        "REDEMPTION_ALREADY_CANCELED",
        "NOT_LATEST_TRANSACTION",
        "POOL_NOT_FOUND",
        "POOL_NOT_FOUND",
    ]


async def kinds_of_many(wallet: Wallet, *selectors: Document, **fields: Any) -> list[str]:
    """The types of the only results of many checks."""
    common = {"poolId": wallet.pool_id, "itemReference": wallet.reference()}
    request = {
        "benefitSelectors": [{**common, **each} for each in selectors],
        "namespace": NAMESPACE,
        **fields,
    }
    answer = await wallet.caller.call("bulkCheckBenefitEligibility", request)
    results = [each["result"]["benefitResults"] for each in answer["results"]]
    return [each["type"] for (each,) in results]


async def test_checks_are_answered_before_anybody_is_asked(service: Service) -> None:
    """A check, alone or among many, asks nobody about what isn't there."""
    async with open_judged(service) as (wallet, server):
        silence(server)
        unknown = {"itemReference": {**wallet.reference(), "externalId": "unknown"}}
        for fields, kind in (
            ({"namespace": "other"}, "POOL_NOT_FOUND"),
            ({"beneficiary": {"memberId": guid()}}, "POOL_NOT_FOUND"),
            ({**unknown, "benefitKey": "towel"}, "BENEFIT_NOT_FOUND"),
            (unknown, "BENEFIT_NOT_FOUND"),
            ({"benefitKey": "sauna"}, "BENEFIT_NOT_FOUND"),
        ):
            assert [each["type"] for each in await wallet.eligibility(**fields)] == [kind]
        assert await kinds_of_many(wallet, {}, namespace="other") == ["POOL_NOT_FOUND"]
        selectors = ({"poolId": guid()}, unknown, {"benefitKey": "sauna"})
        kinds = await kinds_of_many(wallet, *selectors)
    assert kinds == ["POOL_NOT_FOUND", "BENEFIT_NOT_FOUND", "BENEFIT_NOT_FOUND"]
    assert server.questions == []


async def test_what_needs_no_provider_does_not_wait_for_one(service: Service) -> None:
    """A benefit without a custom policy is redeemed and moved while the provider hangs."""
    async with open_judged(service) as (wallet, server):
        silence(server)
        first = await wallet.redeem("free", targetDate=DAY)
        await wallet.reallocate(first, LATER)
        assert [each["type"] for each in await wallet.eligibility("free")] == ["ELIGIBLE_BENEFIT"]
    assert server.questions == []


async def test_who_waits_for_a_provider_takes_no_turn_of_others(service: Service) -> None:
    """Beside other tenants, too, a redemption goes on while many wait for the provider."""
    company = await new_tenant(service.running, service.client)
    async with open_judged(service, amount="1000") as (wallet, server):
        await company.call("queryPrograms")
        silence(server)
        waiting = [asyncio.create_task(wallet.redeem_refused("towel")) for _ in range(TURNS_MAX)]
        await wait_until(lambda: bool(server.questions))
        await wallet.redeem("free")
        assert not any(each.done() for each in waiting)
        for each in waiting:
            each.cancel()
        await asyncio.wait(waiting)


async def test_many_questions_take_no_longer_than_one(service: Service) -> None:
    """A request with 1,000 questions ends in time, and holds up nobody meanwhile."""
    async with open_judged(service, POLICIES, amount="1000") as (wallet, server):
        silence(server)
        selectors = [{"additionalData": {"question": number}} for number in range(SELECTORS)]
        began = time.monotonic()
        waiting = asyncio.ensure_future(kinds_of_many(wallet, *selectors))
        while not server.questions:
            await wallet.redeem("free")
        for _ in range(20):
            await wallet.redeem("free")
        assert not waiting.done(), "others wait for it"
        kinds = await waiting
        seconds = time.monotonic() - began
    assert kinds == ["POLICY_EXPRESSION_EVALUATED_TO_FALSE"] * SELECTORS
    assert seconds < PROVIDER_SECONDS + 1
