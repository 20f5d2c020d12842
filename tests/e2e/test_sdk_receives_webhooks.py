"""A server delivers JWTs to a receiver that is written with the official SDK."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.contract.test_events import all_events
from tests.support.calls import Caller, benefit
from tests.support.node import PACKAGES, ensure_js_packages, node_executable
from tests.support.service import FIRST_KEY
from tests.support.serving import ServerProcess
from tests.support.wallet import open_wallet
from tests.support.webhooks import DELIVERING, create_endpoint, delivered_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.calls import Document

pytestmark = pytest.mark.anyio

ENGINES = ["sqlite"]
EVENTS = "wix.benefit_programs.v1"
PROVISIONED = f"{EVENTS}.program_provisioned"
CREATED = f"{EVENTS}.program_created"
REDEEMED = f"{EVENTS}.pool_benefit_redeemed"
LINE_SECONDS_MAX = 30


@pytest.fixture(scope="module", autouse=True)
def packages() -> None:
    """See to it that the packages are there."""
    ensure_js_packages()


@pytest.fixture
async def caller(database_url: str, tmp_path: Path) -> AsyncIterator[Caller]:
    """The administrator of a server that may deliver to this machine."""
    server = ServerProcess(
        ["--log-format", "json"],
        tmp_path / "log",
        BENEFITS_DATABASE_URL=database_url,
        BENEFITS_BOOTSTRAP_API_KEY=FIRST_KEY,
        **DELIVERING,
    )
    try:
        async with httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as client:
            yield Caller(client, FIRST_KEY)
    finally:
        assert server.stop() == 0


class SdkReceiver:
    """The receiver in its process: where it listens, and what its handlers have got."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.url = url
        self._process = process

    async def next(self) -> Document:
        """What the next handler gets."""
        return await _line(self._process)


@asynccontextmanager
async def receiving(public_key: str, *handled: str) -> AsyncIterator[SdkReceiver]:
    """Run a receiver that has a tenant's public key, and handlers for some types."""
    process = await asyncio.create_subprocess_exec(
        node_executable(),
        "serve_webhooks.mjs",
        cwd=PACKAGES,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdin is not None
        known = {"publicKey": public_key, "handled": handled}
        process.stdin.write(json.dumps(known).encode() + b"\n")
        port = (await _line(process))["port"]
        yield SdkReceiver(process, f"http://127.0.0.1:{port}/")
    finally:
        process.kill()
        await process.communicate()


async def _line(process: asyncio.subprocess.Process) -> Document:
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), LINE_SECONDS_MAX)
    document: dict[str, Any] = json.loads(line)
    return document


async def test_handlers_of_the_sdk_get_what_happens(caller: Caller) -> None:
    """With the key that the API tells, its ``process`` and ``processRequest`` accept all events."""
    key = (await caller.call("rotateWebhookKey"))["webhookKey"]
    (listed,) = (await caller.call("listWebhookKeys"))["webhookKeys"]
    assert listed == key
    handled = [CREATED, PROVISIONED, REDEEMED]
    async with receiving(listed["publicKey"], *handled) as receiver:
        endpoint = await create_endpoint(caller, receiver.url, format="JWT", eventTypes=handled)
        wallet = await open_wallet(caller, benefit("towel", price="1"))
        transaction_id = await wallet.redeem()
        got = {each["type"]: each["event"] for each in [await receiver.next() for _ in handled]}
        await delivered_until(caller, endpoint, len(handled), status="DELIVERED")
    assert got[CREATED]["entity"]["id"] == wallet.program["id"]
    assert got[PROVISIONED]["data"]["program"]["id"] == wallet.program["id"]
    assert transaction_id in json.dumps(got[REDEEMED]["data"])
    for event in await all_events(caller, eventTypes=handled):
        metadata = got[f"{event['entityFqdn']}_{event['slug']}"]["metadata"]
        for name in ("id", "entityId", "eventTime", "entityEventSequence"):
            assert metadata[name] == event[name]


async def test_a_receiver_with_another_key_takes_nothing(caller: Caller) -> None:
    """Its handler isn't called, its answer is a failure, and the delivery is tried again."""
    old = (await caller.call("rotateWebhookKey"))["webhookKey"]
    await caller.call("rotateWebhookKey")
    async with receiving(old["publicKey"], REDEEMED) as receiver:
        endpoint = await create_endpoint(caller, receiver.url, format="JWT", eventTypes=[REDEEMED])
        await (await open_wallet(caller, benefit("towel", price="1"))).redeem()
        assert await receiver.next() == {"error": "signature verification failed"}
        (row,) = await delivered_until(caller, endpoint, 1, status="PENDING")
    assert row["attempts"][0]["statusCode"] == 400
