"""Webhooks: events reach their endpoints, in order, again and again until they are taken."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt import PyJWKSet
from standardwebhooks import Webhook

from benefit_programs.api.handlers.webhooks import REPLAY_OF_ENTITY_MAX
from benefit_programs.delivery.courier import REQUESTS_AT_ONCE_FIRST
from benefit_programs.domain.lookups import WEBHOOK_ENDPOINTS_MAX, WEBHOOK_KEYS_MAX
from benefit_programs.domain.webhooks.rows import WebhookDelivery, WebhookEndpoint
from benefit_programs.engine.engine import Engine
from benefit_programs.jobs.chunk_sizes import ChunkSizes
from benefit_programs.jobs.sweeper import Sweeper
from tests.contract.test_events import all_events
from tests.support.calls import benefit, guid
from tests.support.clock import Clock
from tests.support.inprocess import new_tenant, open_application
from tests.support.receiver import Behaviour, Receiver
from tests.support.wallet import open_wallet
from tests.support.webhooks import (
    REDEEMED,
    change_endpoint,
    create_endpoint,
    delivered_until,
    deliveries_of,
    ids_of,
    look_until,
    progress_of,
    sequences_of,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.calls import Document
    from tests.support.inprocess import Service
    from tests.support.wallet import Wallet

pytestmark = pytest.mark.anyio

DEFINED = "wix.benefit_programs.v1.program_definition_created"
TOWEL = benefit("towel", price="1")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver().running() as running:
        yield running


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
    assert all(numbers == sorted(numbers) for numbers in sequences_of(got).values())


async def test_a_receiver_gets_as_much_at_once_as_it_takes(
    service: Service, receiver: Receiver
) -> None:
    """There are few requests at first, and more where they succeed."""
    first, second = asyncio.Event(), asyncio.Event()
    receiver.behave = lambda _: Behaviour(waits_for=first)
    await create_endpoint(service, receiver)
    opened = [
        await open_wallet(service, benefit("towel", price="1"))
        for _ in range(REQUESTS_AT_ONCE_FIRST + 2)
    ]
    await receiver.until(lambda: receiver.under_way == REQUESTS_AT_ONCE_FIRST)
    expected = await all_events(service)
    first.set()
    await receiver.until(lambda: len(receiver.taken) == len(expected))
    receiver.behave = lambda _: Behaviour(waits_for=second)
    for wallet in opened:
        await wallet.redeem()
    await receiver.until(lambda: receiver.under_way == len(opened))
    second.set()


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


async def test_an_endpoint_gets_the_types_and_namespaces_that_it_asked_for(
    service: Service, receiver: Receiver
) -> None:
    """What is of another type or namespace isn't sent. A change holds for what isn't read yet."""
    endpoint = await create_endpoint(
        service, receiver, eventTypes=[DEFINED, REDEEMED], namespaces=["spa"]
    )
    await service.create_program_definition(namespace="gym")
    wanted = await service.create_program_definition(namespace="spa")
    change = {"id": wanted["id"], "revision": "1", "displayName": "Gold"}
    await service.call("updateProgramDefinition", {"programDefinition": change})
    await receiver.until(lambda: len(receiver.taken) == 1)
    await change_endpoint(service, endpoint, namespaces=["gym"])
    await service.create_program_definition(namespace="spa")
    another = await service.create_program_definition(namespace="gym")
    await receiver.until(lambda: len(receiver.taken) == 2)
    await look_until(lambda: progress_of(service, endpoint), lambda each: not each["hasMore"])
    assert [each.event["entityId"] for each in receiver.taken] == [wanted["id"], another["id"]]


async def test_a_jwt_is_verified_with_the_tenants_public_key(
    service: Service, receiver: Receiver
) -> None:
    """It names the type and the site, and has the envelope. After a rotation the new key signs."""
    await create_endpoint(service, receiver, format="JWT", eventTypes=[REDEEMED])
    wallet = await open_wallet(service, TOWEL)
    await wallet.redeem()
    await receiver.until(lambda: len(receiver.taken) == 1)
    event = (await all_events(service, eventTypes=[REDEEMED]))[0]
    (first,) = (await service.call("listWebhookKeys"))["webhookKeys"]
    assert opened(receiver.taken[0].body, first) == {
        "eventType": REDEEMED,
        "instanceId": service.tenant.site_id,
        "data": event,
    }
    second = (await service.call("rotateWebhookKey"))["webhookKey"]
    await wallet.redeem()
    await receiver.until(lambda: len(receiver.taken) == 2)
    assert opened(receiver.taken[1].body, second)["eventType"] == REDEEMED
    listed = (await service.call("listWebhookKeys"))["webhookKeys"]
    assert [each["id"] for each in listed] == [second["id"], first["id"]]
    for _ in range(WEBHOOK_KEYS_MAX):
        await service.call("rotateWebhookKey")
    listed = (await service.call("listWebhookKeys"))["webhookKeys"]
    assert len(listed) == WEBHOOK_KEYS_MAX


def opened(token: bytes, key: Document) -> Document:
    claims = jwt.decode(token.decode(), key["publicKey"], algorithms=["RS256"])
    content: Document = json.loads(claims["data"])
    return {**content, "data": json.loads(content["data"])}


async def test_two_secrets_sign_until_the_old_one_ends(
    database_url: str, receiver: Receiver
) -> None:
    """After a rotation either secret verifies, for as long as was asked; then only the new one."""
    clock = Clock()
    async with open_application(database_url, clock=clock) as application:
        service = await new_tenant(*application)
        endpoint = await create_endpoint(service, receiver, eventTypes=[REDEEMED])
        wallet = await open_wallet(service, TOWEL)
        rotation = {"webhookEndpointId": endpoint["id"], "keepOldHours": 5}
        new = (await service.call("rotateWebhookSecret", rotation))["secret"]
        old = endpoint["secret"]
        assert await signers(wallet, receiver, new, old) == [True, True]
        clock.move(hours=6)
        assert await signers(wallet, receiver, new, old) == [True, False]
        at_once = {**rotation, "keepOldHours": 0}
        newest = (await service.call("rotateWebhookSecret", at_once))["secret"]
        assert await signers(wallet, receiver, newest, new) == [True, False]


async def signers(wallet: Wallet, receiver: Receiver, *secrets: str) -> list[bool]:
    """Redeem; which of the secrets have signed the event, whatever the test's clock shows."""
    count = len(receiver.taken)
    await wallet.redeem()
    await receiver.until(lambda: len(receiver.taken) > count)
    received = receiver.taken[-1]
    headers, text = received.headers, received.body.decode()
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    signatures = headers["webhook-signature"].split()
    return [Webhook(each).sign(headers["webhook-id"], at, text) in signatures for each in secrets]


async def test_an_inactive_endpoint_gets_nothing_and_goes_on_where_it_was(
    service: Service, receiver: Receiver
) -> None:
    """From the answer on, what happens waits until the endpoint is switched on again."""
    endpoint = await create_endpoint(service, receiver, eventTypes=[REDEEMED])
    wallet = await open_wallet(service, TOWEL)
    other = Receiver()
    async with other.running():
        await create_endpoint(service, other, eventTypes=[REDEEMED])
        await wallet.redeem()
        await receiver.until(lambda: len(receiver.taken) == 1)
        await change_endpoint(service, endpoint, active=False)
        for _ in range(3):
            await wallet.redeem()
        await other.until(lambda: len(other.taken) == 4)
    assert len(receiver.received) == 1
    await change_endpoint(service, endpoint, active=True)
    await receiver.until(lambda: len(receiver.taken) == 4)
    assert ids_of(receiver.taken) == ids_of(other.taken)


async def test_an_endpoint_can_be_tried(service: Service, receiver: Receiver) -> None:
    """A test delivery is signed as others are, says what came of it, and is in no log."""
    endpoint = await create_endpoint(service, receiver, active=False)
    asked = {"webhookEndpointId": endpoint["id"]}
    answer = await service.call("testWebhookEndpoint", asked)
    assert answer["success"]
    (received,) = receiver.taken
    Webhook(endpoint["secret"]).verify(received.body, received.headers)
    receiver.behave = lambda _: Behaviour(status=503, body=b"not now")
    answer = await service.call("testWebhookEndpoint", asked)
    assert not answer["success"]
    assert (answer["attempt"]["statusCode"], answer["attempt"]["answer"]) == (503, "not now")
    assert await deliveries_of(service, endpoint) == []


async def test_the_log_tells_of_each_attempt(service: Service, receiver: Receiver) -> None:
    """When, how long, what status, and the first kilobyte of the answer."""
    bodies = iter([b"x" * 5_000])
    receiver.behave = lambda _: next(
        (Behaviour(status=500, body=each) for each in bodies), Behaviour(body="schön".encode())
    )
    endpoint = await create_endpoint(service, receiver, eventTypes=[REDEEMED])
    await (await open_wallet(service, TOWEL)).redeem()
    (found,) = await delivered_until(service, endpoint, 1, status="DELIVERED")
    first, second = found["attempts"]
    assert (first["statusCode"], first["answer"]) == (500, "x" * 1_024)
    assert (second["statusCode"], second["answer"]) == (200, "schön")
    assert first["attemptDate"] < second["attemptDate"]
    assert int(first["duration"]) >= 0
    assert (found["origin"], found["attemptCount"]) == ("FEED", 2)
    assert found["eventId"] == receiver.taken[0].event["id"]


async def test_a_log_of_failures_keeps_only_them(service: Service, receiver: Receiver) -> None:
    """Of an endpoint that asks for it, what was taken at once has no row."""
    failing = iter([Behaviour(status=500)])
    wallet = await open_wallet(service, TOWEL)
    endpoint = await create_endpoint(
        service, receiver, eventTypes=[REDEEMED], deliveryLog="FAILURES"
    )
    for _ in range(3):
        await wallet.redeem()
    await receiver.until(lambda: len(receiver.taken) == 3)
    receiver.behave = lambda _: next(failing, Behaviour())
    await wallet.redeem()
    (found,) = await delivered_until(service, endpoint, 1, status="DELIVERED")
    assert found["eventId"] == receiver.taken[-1].event["id"]
    assert len(await deliveries_of(service, endpoint)) == 1


async def test_a_delivery_is_made_again(service: Service, receiver: Receiver) -> None:
    """A resend brings the same event with the same id, and has a row of its own."""
    endpoint = await create_endpoint(service, receiver, eventTypes=[REDEEMED])
    await (await open_wallet(service, TOWEL)).redeem()
    (found,) = await delivered_until(service, endpoint, 1, status="DELIVERED")
    await service.call("resendWebhookDelivery", {"webhookDeliveryId": found["id"]})
    await delivered_until(service, endpoint, 2, status="DELIVERED")
    one, again = receiver.taken
    assert one.body == again.body
    assert one.headers["webhook-id"] == again.headers["webhook-id"]
    (resent,) = await deliveries_of(service, endpoint, origin="RESEND")
    assert (resent["status"], resent["attemptCount"]) == ("DELIVERED", 1)


async def test_everything_since_a_moment_is_delivered_again(
    service: Service, receiver: Receiver
) -> None:
    """A replay brings all of it in order, and what happened before the endpoint was made."""
    wallet = await open_wallet(service, TOWEL)
    for _ in range(3):
        await wallet.redeem()
    endpoint = await create_endpoint(service, receiver, eventTypes=[REDEEMED])
    await wallet.redeem()
    await receiver.until(lambda: len(receiver.taken) == 1)
    since = (await all_events(service))[0]["eventTime"]
    replay = {"webhookEndpointId": endpoint["id"], "since": since}
    assert (await service.call("replayWebhookEndpoint", replay))["count"] == 0
    await receiver.until(lambda: len(receiver.taken) == 5)
    events = await all_events(service, eventTypes=[REDEEMED])
    assert ids_of(receiver.taken[1:]) == [each["id"] for each in events]


async def test_one_entity_is_delivered_again(service: Service, receiver: Receiver) -> None:
    """A replay of an entity brings its events in order, and those of no other."""
    first, second = [await open_wallet(service, TOWEL) for _ in range(2)]
    for wallet in (first, second, first):
        await wallet.redeem()
    endpoint = await create_endpoint(service, receiver, eventTypes=[REDEEMED])
    events = await all_events(service, eventTypes=[REDEEMED])
    since = events[0]["eventTime"]
    replay = {"webhookEndpointId": endpoint["id"], "since": since, "entityId": first.pool_id}
    assert (await service.call("replayWebhookEndpoint", replay))["count"] == 2
    await delivered_until(service, endpoint, 2, origin="REPLAY", status="DELIVERED")
    expected = [each["id"] for each in events if each["entityId"] == first.pool_id]
    assert ids_of(receiver.taken) == expected


async def test_a_tenant_has_so_many_endpoints(service: Service, receiver: Receiver) -> None:
    """One more is refused, and the refusal names the number."""
    for _ in range(WEBHOOK_ENDPOINTS_MAX):
        await create_endpoint(service, receiver, active=False)
    new = {"webhookEndpoint": {"url": receiver.url}}
    refused = await service.refusal("createWebhookEndpoint", new)
    assert (refused.code, refused.data) == (
        "TOO_MANY_WEBHOOK_ENDPOINTS",
        {"maximum": WEBHOOK_ENDPOINTS_MAX},
    )


async def test_a_receiver_that_is_gone_is_left_alone(service: Service, receiver: Receiver) -> None:
    """After the first 410 it gets nothing but what was under way, and the endpoint is paused."""
    receiver.behave = lambda _: Behaviour(status=410)
    for _ in range(REQUESTS_AT_ONCE_FIRST):
        await open_wallet(service, benefit("towel", price="1"))
    created = await create_endpoint(service, receiver)
    call = {"webhookEndpointId": created["id"], "since": "2020-01-01T00:00:00Z"}
    await service.call("replayWebhookEndpoint", call)

    async def status() -> str:
        answer = await service.call("getWebhookEndpoint", {"webhookEndpointId": created["id"]})
        return str(answer["webhookEndpoint"]["status"])

    await receiver.until(lambda: receiver.received)
    await look_until(status, lambda each: each == "PAUSED")
    # One more may have gone out before the replay: the event of the endpoint itself.
    assert len(receiver.received) <= REQUESTS_AT_ONCE_FIRST + 1


async def test_what_waits_is_tried_at_once_when_an_endpoint_is_switched_on(
    database_url: str, receiver: Receiver
) -> None:
    """Whoever switches it on says that it is back, however long the next wait would be."""
    clock = Clock()
    async with open_application(database_url, clock=clock) as application:
        service = await new_tenant(*application)
        endpoint = await create_endpoint(service, receiver, eventTypes=[REDEEMED])
        receiver.behave = lambda _: Behaviour(status=500)
        await (await open_wallet(service, TOWEL)).redeem()
        await delivered_until(service, endpoint, 1, status="PENDING")
        await change_endpoint(service, endpoint, active=False)
        receiver.behave = lambda _: Behaviour()
        await change_endpoint(service, endpoint, active=True)
        await receiver.until(lambda: len(receiver.taken) == 1)


async def test_a_replay_takes_the_place_of_what_waits(service: Service, receiver: Receiver) -> None:
    """What comes again in its order doesn't come once more for having failed before."""
    receiver.behave = lambda _: Behaviour(status=500)
    endpoint = await create_endpoint(service, receiver, eventTypes=[REDEEMED])
    wallet = await open_wallet(service, TOWEL)
    for _ in range(3):
        await wallet.redeem()
    await delivered_until(service, endpoint, 3, status="PENDING")
    receiver.behave = lambda _: Behaviour()
    replay = {"webhookEndpointId": endpoint["id"], "since": "2020-01-01T00:00:00Z"}
    await service.call("replayWebhookEndpoint", replay)
    await delivered_until(service, endpoint, 3, status="DELIVERED")
    assert await deliveries_of(service, endpoint, status="PENDING") == []


async def test_a_secret_needs_a_key_to_be_kept_with(database_url: str, receiver: Receiver) -> None:
    """SQLite has a key beside its file; PostgreSQL without the setting makes no endpoint."""
    async with open_application(database_url, secret_key=()) as application:
        service = await new_tenant(*application)
        if database_url.startswith("sqlite"):
            await create_endpoint(service, receiver)
            key = Path(database_url.removeprefix("sqlite:///") + ".key")
            assert key.stat().st_mode & 0o777 == 0o600
            return
        for chosen in ("STANDARD", "JWT"):
            new = {"webhookEndpoint": {"url": receiver.url, "format": chosen}}
            refused = await service.refusal("createWebhookEndpoint", new)
            assert (refused.status, refused.code) == (428, "SECRET_KEY_MISSING")
        refused = await service.refusal("rotateWebhookKey")
        assert (refused.status, refused.code) == (428, "SECRET_KEY_MISSING")
        assert await service.rows(WebhookEndpoint) == []


async def test_so_many_events_of_an_entity_come_again(service: Service, receiver: Receiver) -> None:
    """One more is refused, and the refusal names the number; nothing is delivered then."""
    wallet = await open_wallet(service, TOWEL)
    endpoint = await create_endpoint(service, receiver, active=False)
    await asyncio.gather(*(wallet.adjust("1") for _ in range(REPLAY_OF_ENTITY_MAX)))
    replay = {
        "webhookEndpointId": endpoint["id"],
        "since": "2020-01-01T00:00:00Z",
        "entityId": wallet.pool_id,
    }
    refused = await service.refusal("replayWebhookEndpoint", replay)
    assert (refused.status, refused.code) == (428, "TOO_MANY_TO_REPLAY")
    assert refused.data == {"maximum": REPLAY_OF_ENTITY_MAX}
    assert await deliveries_of(service, endpoint) == []
