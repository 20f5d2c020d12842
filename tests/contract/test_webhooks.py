"""Webhooks: events reach their endpoints, in order, again and again until they are taken."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt import PyJWKSet
from standardwebhooks import Webhook

from benefit_programs.domain.webhooks.rows import WebhookDelivery
from benefit_programs.engine.engine import Engine
from benefit_programs.jobs.chunk_sizes import ChunkSizes
from benefit_programs.jobs.sweeper import Sweeper
from tests.contract.test_events import all_events
from tests.support.calls import benefit, guid
from tests.support.receiver import Behaviour, Receiver
from tests.support.wallet import open_wallet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.calls import Caller, Document
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

REDEEMED = "wix.benefit_programs.v1.pool_benefit_redeemed"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver().running() as running:
        yield running


async def create_endpoint(caller: Caller, receiver: Receiver, **fields: Any) -> Document:
    """An endpoint at the receiver, and its secret beside it."""
    answer = await caller.call(
        "createWebhookEndpoint", {"webhookEndpoint": {"url": receiver.url, **fields}}
    )
    return {**answer["webhookEndpoint"], "secret": answer["secret"]}


async def deliveries_of(caller: Caller, endpoint: Document, **wanted: Any) -> list[Document]:
    query = {"filter": {"webhookEndpointId": endpoint["id"], **wanted}}
    pages = await caller.pages("queryWebhookDeliveries", {**query, "cursorPaging": {"limit": 100}})
    return [each for page in pages for each in page]


async def test_an_endpoint_gets_each_event_once_and_signed(
    service: Service, receiver: Receiver
) -> None:
    """What it gets is what the feed has, in the order of each entity, signed with its secret."""
    endpoint = await create_endpoint(service, receiver)
    wallet = await open_wallet(service, benefit("towel", price="1"))
    spent = await wallet.redeem()
    await wallet.cancel(spent)
    expected = await all_events(service)
    await receiver.until(lambda: len(receiver.taken) == len(expected))
    for each in receiver.taken:
        Webhook(endpoint["secret"]).verify(each.body, each.headers)
    got = [each.event for each in receiver.taken]
    assert sorted(each["id"] for each in got) == sorted(each["id"] for each in expected)
    sequences: dict[tuple[str, str], list[int]] = defaultdict(list)
    for each in got:
        sequences[each["entityFqdn"], each["entityId"]].append(int(each["entityEventSequence"]))
    assert all(numbers == sorted(numbers) for numbers in sequences.values())


async def test_a_failing_event_holds_back_its_entity_alone(
    service: Service, receiver: Receiver
) -> None:
    """Others go on meanwhile; what was held back comes in its order once it is taken."""
    first = await open_wallet(service, benefit("towel", price="1"))
    second = await open_wallet(service, benefit("towel", price="1"))
    refused = True

    def behave(request: Any) -> Behaviour:
        is_first = request.event["entityId"] == first.pool_id
        return Behaviour(status=500) if refused and is_first else Behaviour()

    receiver.behave = behave
    await create_endpoint(service, receiver, eventTypes=[REDEEMED])
    for wallet in (first, second, first, second):
        await wallet.redeem()
    await receiver.until(lambda: len(receiver.taken) == 2)
    assert {each.event["entityId"] for each in receiver.taken} == {second.pool_id}
    refused = False
    await receiver.until(lambda: len(receiver.taken) == 4)
    held = [each.event for each in receiver.taken if each.event["entityId"] == first.pool_id]
    assert [int(each["entityEventSequence"]) for each in held] == sorted(
        int(each["entityEventSequence"]) for each in held
    )


async def test_public_keys_are_there_for_receivers(service: Service, receiver: Receiver) -> None:
    """Without a key of the service, the newest first; other addresses say nothing."""
    await create_endpoint(service, receiver, format="JWT")
    await service.call("rotateWebhookKey")
    answer = await service.call("listWebhookKeys")
    newest, oldest = answer["webhookKeys"]
    response = await service.client.get(f"/.well-known/jwks/{service.tenant.site_id}.json")
    assert response.status_code == 200
    assert response.headers["cache-control"] == "public, max-age=300"
    found = PyJWKSet.from_dict(response.json()).keys
    expected = [load_pem_public_key(each["publicKey"].encode()) for each in (newest, oldest)]
    assert [each.key for each in found] == expected
    for site in (guid(), "nobody"):
        assert (await service.client.get(f"/.well-known/jwks/{site}.json")).status_code == 404


async def test_the_log_keeps_deliveries_for_their_time(
    service: Service, receiver: Receiver
) -> None:
    """Those that are over go after the tenant's days, those that wait stay."""
    endpoint = await create_endpoint(service, receiver, eventTypes=[REDEEMED])
    wallet = await open_wallet(service, benefit("towel", price="1"))
    await wallet.redeem()
    await receiver.until(lambda: receiver.taken)
    receiver.behave = lambda _: Behaviour(status=500)
    await wallet.redeem()
    while len(await deliveries_of(service, endpoint)) < 2:
        await receiver.until(lambda: len(receiver.received) > 1)
    created = [each.created for each in await service.rows(WebhookDelivery)]
    days = 14 * 24 * 60 * 60 * 1000
    for before, left in ((min(created), 2), (max(created) + 1, 1)):
        engine = Engine(service.store, clock=lambda before=before: before + days)
        services = service.running.services
        sizes = ChunkSizes(engine, lambda: 0.0)
        await Sweeper(engine, services.reader.feed, services.directory, sizes).sweep(service.tenant)
        assert len(await deliveries_of(service, endpoint)) == left
    (waiting,) = await deliveries_of(service, endpoint)
    assert waiting["status"] == "PENDING"
