"""Endpoints of webhooks as tests use them: made, changed, and looked at until something holds."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections import defaultdict
from typing import TYPE_CHECKING, Any, TypeVar

from tests.support.inprocess import SECRET_KEY
from tests.support.looking import LOOK_PAUSE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from tests.support.calls import Caller, Document
    from tests.support.receiver import Received, Receiver

DELIVERING = {
    "BENEFITS_SECRET_KEY": b64encode(SECRET_KEY).decode(),
    "BENEFITS_OUTGOING_NETWORKS": "127.0.0.0/8",
}
"""The settings of a server that delivers to the receivers of tests."""

REDEEMED = "wix.benefit_programs.v1.pool_benefit_redeemed"
LOOKS_SECONDS_MAX = 30

T = TypeVar("T")


async def create_endpoint(caller: Caller, receiver: Receiver | str, **fields: Any) -> Document:
    """An endpoint at the receiver, or at a URL, and its secret beside it."""
    url = receiver if isinstance(receiver, str) else receiver.url
    answer = await caller.call("createWebhookEndpoint", {"webhookEndpoint": {"url": url, **fields}})
    return {**answer["webhookEndpoint"], "secret": answer["secret"]}


async def read_endpoint(caller: Caller, endpoint: Document) -> Document:
    """An endpoint as it is now."""
    answer = await caller.call("getWebhookEndpoint", {"webhookEndpointId": endpoint["id"]})
    return answer["webhookEndpoint"]  # type: ignore[no-any-return]


async def progress_of(caller: Caller, endpoint: Document) -> Document:
    answer = await caller.call("getWebhookEndpoint", {"webhookEndpointId": endpoint["id"]})
    return answer["progress"]  # type: ignore[no-any-return]


async def change_endpoint(caller: Caller, endpoint: Document, **fields: Any) -> None:
    """Change some fields of an endpoint, whatever has changed it before."""
    now = await read_endpoint(caller, endpoint)
    change = {"id": now["id"], "revision": now["revision"], **fields}
    await caller.call("updateWebhookEndpoint", {"webhookEndpoint": change})


async def deliveries_of(caller: Caller, endpoint: Document, **wanted: Any) -> list[Document]:
    """What the log has of an endpoint's deliveries."""
    query = {"filter": {"webhookEndpointId": endpoint["id"], **wanted}}
    pages = await caller.pages("queryWebhookDeliveries", {**query, "cursorPaging": {"limit": 100}})
    return [each for page in pages for each in page]


async def look_until(look: Callable[[], Awaitable[T]], holds: Callable[[T], Any]) -> T:
    """Look again and again until something holds of what is seen."""
    async with asyncio.timeout(LOOKS_SECONDS_MAX):
        while True:
            seen = await look()
            if holds(seen):
                return seen
            await asyncio.sleep(LOOK_PAUSE_SECONDS)


async def delivered_until(
    caller: Caller, endpoint: Document, count: int, **wanted: Any
) -> list[Document]:
    """What the log has once it has so many deliveries."""
    return await look_until(
        lambda: deliveries_of(caller, endpoint, **wanted), lambda found: len(found) == count
    )


def require_all(receiver: Receiver, events: Iterable[Document]) -> None:
    """Fail unless all events were taken, each entity's in order, without gaps, with their ids.

    Order is that of first arrivals: what comes again may come late.
    """
    assert set(ids_of(receiver.taken)) == {each["id"] for each in events}
    for requests in (receiver.received, receiver.taken):
        for numbers in sequences_of(each.event for each in requests).values():
            assert numbers == [*range(numbers[0], numbers[0] + len(numbers))]


def ids_of(requests: Iterable[Received]) -> list[str]:
    """The ids of the events of these requests."""
    return [each.event["id"] for each in requests]


def sequences_of(events: Iterable[Document]) -> dict[tuple[str, str], list[int]]:
    """The numbers of each entity's events in the order in which they first came."""
    numbers: defaultdict[tuple[str, str], dict[int, str]] = defaultdict(dict)
    for each in events:
        known = numbers[each["entityFqdn"], each["entityId"]]
        sequence = int(each["entityEventSequence"])
        assert known.setdefault(sequence, each["id"]) == each["id"], "a duplicate has the same id"
    return {entity: list(known) for entity, known in numbers.items()}
