"""Webhooks whose receivers fail: what is tried again, what is given up, and who isn't held back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from benefit_programs.delivery.courier import LOOK_ROWS, QUEUE_LENGTH_MAX, REQUESTS_AT_ONCE_FIRST
from benefit_programs.delivery.lanes import FAILURES_IN_A_ROW_MAX
from benefit_programs.delivery.schedule import DELIVERY_HOURS_MAX
from tests.contract.test_events import all_events
from tests.support.calls import benefit
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
    read_endpoint,
    require_all,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.support.calls import Document
    from tests.support.inprocess import Service
    from tests.support.receiver import Received

pytestmark = pytest.mark.anyio

ENGINES = ["sqlite"]
"""How deliveries fail doesn't depend on the store; dying servers are tried on both."""

PAUSED = "wix.benefit_programs.v1.webhook_endpoint_paused"
TOWEL = benefit("towel", price="1")
EVENTS_OF_REDEMPTION = 3
TAKES = Behaviour()
FAILS = Behaviour(status=500)
SOON_SECONDS = 10
"""Less than a request may take."""


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver().running() as running:
        yield running


@pytest.fixture
async def other() -> AsyncIterator[Receiver]:
    """A receiver that takes everything."""
    async with Receiver().running() as running:
        yield running


def in_turn(*first: Behaviour, then: Behaviour = TAKES) -> Callable[[Received], Behaviour]:
    """Behave so with the first requests, and so with all others."""
    each = chain(first, repeat(then))
    return lambda _: next(each)


async def test_what_was_not_taken_is_sent_again(service: Service, receiver: Receiver) -> None:
    """Whatever went wrong, the event comes again with the same id, until an answer says yes."""
    endpoint = await create_endpoint(service, receiver, eventTypes=[REDEEMED])
    wallet = await open_wallet(service, TOWEL)
    receiver.behave = in_turn(Behaviour(hangs_up=True), Behaviour(body=b"so", breaks_off=True))
    await wallet.redeem()
    (found,) = await delivered_until(service, endpoint, 1, status="DELIVERED")
    assert [each.get("error") for each in found["attempts"]] == ["connection", "connection", None]
    assert ids_of(receiver.received) == [found["eventId"]] * 3
    assert len({each.headers["webhook-id"] for each in receiver.received}) == 1


@pytest.mark.parametrize("as_date", [False, True])
async def test_a_receiver_is_left_alone_for_as_long_as_it_asks(
    database_url: str, receiver: Receiver, *, as_date: bool
) -> None:
    """Nothing is sent to it before, also nothing of other entities; then all is."""
    clock = Clock()
    async with open_application(database_url, clock=clock) as application:
        service = await new_tenant(*application)
        endpoint = await create_endpoint(service, receiver, eventTypes=[REDEEMED])
        wallets = [await open_wallet(service, TOWEL) for _ in range(2)]
        then = datetime.fromtimestamp(clock.now / 1000, UTC) + timedelta(hours=2)
        asked = format_datetime(then, usegmt=True) if as_date else "7200"
        receiver.behave = in_turn(Behaviour(status=429, headers={"retry-after": asked}))
        await wallets[0].redeem()
        (row,) = await delivered_until(service, endpoint, 1)
        due = datetime.fromisoformat(row["nextAttemptDate"])
        assert abs(due - then) < timedelta(minutes=1)
        await wallets[1].redeem()
        clock.move(hours=1)
        await look_until(lambda: progress_of(service, endpoint), lambda each: each["hasMore"])
        assert len(receiver.received) == 1
        clock.move(hours=1)
        clock.now += 60_000
        await receiver.until(lambda: len(receiver.taken) == 2)


async def test_a_receiver_that_is_gone_pauses_its_endpoint(
    service: Service, receiver: Receiver, other: Receiver
) -> None:
    """Status 410 is believed at once. Another endpoint and the log tell, and nothing is lost."""
    await create_endpoint(service, other, eventTypes=[PAUSED])
    endpoint = await create_endpoint(service, receiver, eventTypes=[REDEEMED])
    receiver.behave = in_turn(Behaviour(status=410))
    with capture_logs() as lines:
        await (await open_wallet(service, TOWEL)).redeem()
        await other.until(lambda: other.taken)
    (line,) = [each for each in lines if each["event"] == "webhook endpoint paused"]
    assert (line["log_level"], line["endpoint"]) == ("warning", endpoint["id"])
    paused = await read_endpoint(service, endpoint)
    assert (paused["status"], paused["active"]) == ("PAUSED", False)
    assert "410" in paused["pauseReason"]
    shown = other.taken[0].event["actionEvent"]["body"]["webhookEndpoint"]
    assert (shown["id"], shown["status"]) == (endpoint["id"], "PAUSED")
    await change_endpoint(service, endpoint, active=True)
    await receiver.until(lambda: len(receiver.taken) == 1)
    active = await read_endpoint(service, endpoint)
    assert active["status"] == "ACTIVE"
    assert "pauseReason" not in active


async def test_an_endpoint_that_only_fails_is_paused(
    database_url: str, receiver: Receiver, other: Receiver
) -> None:
    """After 48 hours the event is parked and the endpoint paused. What came since then waits."""
    clock = Clock()
    async with open_application(database_url, clock=clock) as application:
        service = await new_tenant(*application)
        await create_endpoint(service, other, eventTypes=[PAUSED])
        endpoint = await create_endpoint(service, receiver, eventTypes=[REDEEMED])
        wallet = await open_wallet(service, TOWEL)
        receiver.behave = lambda _: FAILS
        await wallet.redeem()
        await receiver.until(lambda: receiver.received)
        await wallet.redeem()
        await delivered_until(service, endpoint, 2, status="PENDING")
        clock.move(hours=DELIVERY_HOURS_MAX - 1)
        tried = await delivered_until(service, endpoint, 1, eventId=ids_of(receiver.received)[0])
        await look_until(
            lambda: deliveries_of(service, endpoint, id=tried[0]["id"]),
            lambda found: found[0]["attemptCount"] == 2,
        )
        assert (await read_endpoint(service, endpoint))["status"] == "ACTIVE"
        clock.move(hours=1)
        clock.now += 60_000
        await other.until(lambda: other.taken)
        paused = await read_endpoint(service, endpoint)
        assert (paused["status"], "48 hours" in paused["pauseReason"]) == ("PAUSED", True)
        (parked,) = await deliveries_of(service, endpoint, status="PARKED")
        assert parked["attemptCount"] == 3
        receiver.behave = lambda _: TAKES
        await change_endpoint(service, endpoint, active=True)
        clock.move(hours=1)
        await receiver.until(lambda: len(receiver.taken) == 1)
        await service.call("resendWebhookDelivery", {"webhookDeliveryId": parked["id"]})
        await receiver.until(lambda: len(receiver.taken) == 2)
        assert receiver.taken[1].event["id"] == parked["eventId"]


async def test_an_event_that_alone_fails_is_parked(database_url: str, receiver: Receiver) -> None:
    """Where others were delivered meanwhile the endpoint goes on, and so does the entity."""
    clock = Clock()
    async with open_application(database_url, clock=clock) as application:
        service = await new_tenant(*application)
        endpoint = await create_endpoint(service, receiver, eventTypes=[REDEEMED])
        bad, good = [await open_wallet(service, TOWEL) for _ in range(2)]
        first = await bad.redeem()
        await receiver.until(lambda: receiver.taken)
        poisoned = await failing_redemption(bad, receiver)
        clock.move(hours=DELIVERY_HOURS_MAX - 1)
        await good.redeem()
        await receiver.until(lambda: len(receiver.taken) == 2)
        clock.move(hours=2)
        await delivered_until(service, endpoint, 1, status="PARKED")
        assert (await read_endpoint(service, endpoint))["status"] == "ACTIVE"
        await bad.redeem()
        await receiver.until(lambda: len(receiver.taken) == 3)
        assert first != poisoned


async def failing_redemption(wallet: Any, receiver: Receiver) -> str:
    """Redeem once, and have the event of it fail for ever; the event's id."""
    count = len(receiver.received)
    refused: list[str] = []

    def behave(received: Received) -> Behaviour:
        if not refused:
            refused.append(received.event["id"])
        return FAILS if received.event["id"] in refused else TAKES

    receiver.behave = behave
    await wallet.redeem()
    await receiver.until(lambda: len(receiver.received) > count)
    return refused[0]


async def test_an_address_that_is_not_allowed_is_a_failure_in_the_log(
    database_url: str, receiver: Receiver
) -> None:
    """Nothing is sent to loopback unless the operator allows it; the log and a test tell."""
    async with open_application(database_url, outgoing_networks=()) as application:
        service = await new_tenant(*application)
        endpoint = await create_endpoint(service, receiver, eventTypes=[REDEEMED])
        await (await open_wallet(service, TOWEL)).redeem()
        (row,) = await delivered_until(service, endpoint, 1, status="PENDING")
        assert row["attempts"][0]["error"] == "refused address"
        answer = await service.call("testWebhookEndpoint", {"webhookEndpointId": endpoint["id"]})
        assert (answer["success"], answer["attempt"]["error"]) == (False, "refused address")
        assert receiver.received == []


async def test_redirects_are_not_followed(
    service: Service, receiver: Receiver, other: Receiver
) -> None:
    """A redirect is a failure like others, and where it leads to gets nothing."""
    receiver.behave = in_turn(Behaviour(status=307, headers={"location": other.url}))
    endpoint = await create_endpoint(service, receiver, eventTypes=[REDEEMED])
    await (await open_wallet(service, TOWEL)).redeem()
    (row,) = await delivered_until(service, endpoint, 1, status="DELIVERED")
    first, second = row["attempts"]
    assert (first["statusCode"], first["error"]) == (307, "redirect")
    assert second["statusCode"] == 200
    assert other.received == []


async def test_a_hanging_endpoint_holds_back_no_other(
    service: Service, receiver: Receiver, other: Receiver
) -> None:
    """The tenant's other endpoint gets all events long before the requests to the first one end."""
    never = asyncio.Event()
    receiver.behave = lambda _: Behaviour(waits_for=never)
    wallets = [await open_wallet(service, TOWEL) for _ in range(2 * REQUESTS_AT_ONCE_FIRST)]
    await create_endpoint(service, receiver, eventTypes=[REDEEMED])
    for wallet in wallets:
        await wallet.redeem()
    await receiver.until(lambda: receiver.under_way == REQUESTS_AT_ONCE_FIRST)
    endpoint = await create_endpoint(service, other, eventTypes=[REDEEMED])
    since = (await all_events(service))[0]["eventTime"]
    replay = {"webhookEndpointId": endpoint["id"], "since": since}
    await service.call("replayWebhookEndpoint", replay)
    async with asyncio.timeout(SOON_SECONDS):
        await other.until(lambda: len(other.taken) == len(wallets))
    assert receiver.most_under_way == REQUESTS_AT_ONCE_FIRST
    never.set()


async def test_an_endpoint_that_only_fails_is_probed(service: Service, receiver: Receiver) -> None:
    """After some failures in a row it gets one request at a time; when it is back, all at once."""
    receiver.behave = lambda _: FAILS
    wallets = [await open_wallet(service, TOWEL) for _ in range(3 * FAILURES_IN_A_ROW_MAX)]
    endpoint = await create_endpoint(service, receiver, eventTypes=[REDEEMED])
    for wallet in wallets:
        await wallet.redeem()
    await receiver.until(lambda: len(receiver.received) > FAILURES_IN_A_ROW_MAX)
    assert len(await deliveries_of(service, endpoint)) <= 2 * FAILURES_IN_A_ROW_MAX
    receiver.behave = lambda _: TAKES
    await receiver.until(lambda: len(receiver.taken) == len(wallets))
    assert len(set(ids_of(receiver.taken))) == len(wallets)


async def test_an_endpoint_may_be_deleted_while_it_is_delivered_to(
    service: Service, receiver: Receiver, other: Receiver
) -> None:
    """It gets nothing that happens later, and others go on."""
    hold = asyncio.Event()
    receiver.behave = lambda _: Behaviour(waits_for=hold)
    endpoint = await create_endpoint(service, receiver, eventTypes=[REDEEMED])
    await create_endpoint(service, other, eventTypes=[REDEEMED])
    wallet = await open_wallet(service, TOWEL)
    await wallet.redeem()
    await receiver.until(lambda: receiver.under_way)
    await service.call("deleteWebhookEndpoint", {"webhookEndpointId": endpoint["id"]})
    hold.set()
    await wallet.redeem()
    await other.until(lambda: len(other.taken) == 2)
    another = await create_endpoint(service, receiver, eventTypes=[REDEEMED])
    await wallet.redeem()
    await delivered_until(service, another, 1, status="DELIVERED")
    assert len(set(ids_of(receiver.received))) == 2
    refused = await service.refusal("getWebhookEndpoint", {"webhookEndpointId": endpoint["id"]})
    assert refused.code == "WEBHOOK_ENDPOINT_NOT_FOUND"


async def test_so_many_events_wait_in_memory(service: Service, receiver: Receiver) -> None:
    """Behind a receiver that hangs a bounded number is read; all come when it answers."""
    hold = asyncio.Event()
    receiver.behave = lambda _: Behaviour(waits_for=hold)
    wallets = [await open_wallet(service, TOWEL, amount="1000") for _ in range(20)]
    rounds = (QUEUE_LENGTH_MAX + 2 * LOOK_ROWS) // (EVENTS_OF_REDEMPTION * len(wallets))
    for _ in range(rounds):
        await asyncio.gather(*(wallet.redeem() for wallet in wallets))
    endpoint = await create_endpoint(service, receiver, deliveryLog="FAILURES")
    since = (await all_events(service))[0]["eventTime"]
    replay = {"webhookEndpointId": endpoint["id"], "since": since}
    await service.call("replayWebhookEndpoint", replay)
    waiting = await look_until(
        lambda: waiting_for(service, endpoint), lambda number: number >= QUEUE_LENGTH_MAX
    )
    assert waiting < QUEUE_LENGTH_MAX + EVENTS_OF_REDEMPTION * LOOK_ROWS
    events = await all_events(service)
    hold.set()
    await receiver.until(lambda: has_all(receiver, len(events)))
    require_all(receiver, events)


def has_all(receiver: Receiver, count: int) -> bool:
    """Whether so many events were taken, some perhaps twice."""
    taken = receiver.taken
    return len(taken) >= count <= len({each.headers["webhook-id"] for each in taken})


async def waiting_for(service: Service, endpoint: Document) -> int:
    """How many events wait in memory for an endpoint."""
    await progress_of(service, endpoint)
    courier = service.running.relay._couriers.get((service.tenant.id, endpoint["id"]))
    return 0 if courier is None else courier._lanes.length
