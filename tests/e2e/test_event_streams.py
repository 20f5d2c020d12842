"""The feed as server-sent events, over real connections."""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from benefit_programs.api.streams import STREAMS_OF_TENANT_MAX
from tests.support.calls import NAMESPACE
from tests.support.event_streams import following
from tests.support.service import Server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.calls import Caller

pytestmark = pytest.mark.anyio

STOP_SECONDS_MAX = 5


async def define(caller: Caller) -> str:
    return (await caller.create_program_definition())["id"]  # type: ignore[no-any-return]


async def test_a_stream_tells_what_happens(server: Server) -> None:
    """What was there comes first, then what happens while the stream is open."""
    async with server.connect(server.make_key()) as caller:
        before = await define(caller)
        async with following(caller) as stream:
            assert stream.response.headers["content-type"] == "text/event-stream"
            assert (await stream.next())[1]["entityId"] == before
            during = await define(caller)
            assert (await stream.next())[1]["entityId"] == during


async def test_who_comes_back_misses_nothing(server: Server) -> None:
    """Last-Event-ID goes on behind the event that it names, also amid the events of one change."""
    async with server.connect(server.make_key()) as caller:
        definition = await caller.create_program_definition()
        await caller.create_pool_definition(programDefinitionIds=[definition["id"]])
        await caller.provision(program_definition=definition)
        answer = await caller.call("listEvents", {})
        events, cursor = answer["events"], None
        for event in events:
            async with following(caller, cursor) as stream:
                cursor, found = await stream.next()
            assert found == event
        async with following(caller, cursor) as stream:
            last = await define(caller)
            assert (await stream.next())[1]["entityId"] == last


async def test_a_stream_is_filtered_and_begins_now(server: Server) -> None:
    """A stream takes the filters of pages, and may leave out what has happened before."""
    async with server.connect(server.make_key()) as caller:
        await define(caller)
        async with following(caller, start="NEWEST", namespace=NAMESPACE) as stream:
            await caller.create_program_definition(namespace="elsewhere")
            wanted = await define(caller)
            assert (await stream.next())[1]["entityId"] == wanted


async def test_what_is_wrong_is_told_before_a_stream_begins(server: Server) -> None:
    """A refusal has its status and the body of every error."""
    async with server.connect(server.make_key()) as caller:
        async with following(caller, "nonsense") as stream:
            assert stream.response.status_code == 400
            body = json.loads(await stream.response.aread())
        assert body["details"]["validationError"]["fieldViolations"][0]["field"] == "paging.cursor"


async def test_a_tenant_has_so_many_streams(server: Server) -> None:
    """One more than a process serves of a tenant is refused until another has ended."""
    async with server.connect(server.make_key()) as caller:
        async with AsyncExitStack() as stack:
            for _ in range(STREAMS_OF_TENANT_MAX):
                await stack.enter_async_context(following(caller))
            async with following(caller) as refused:
                assert refused.response.status_code == 429
        for _ in range(100):
            async with following(caller) as stream:
                if stream.response.status_code == 200:
                    return
            await define(caller)  # A call takes its time, and the server notices who has gone.
        raise AssertionError("the streams that have ended still count")


async def test_streams_end_when_the_server_stops(database_url: str, tmp_path: Path) -> None:
    """A server that is asked to stop ends its streams at once and as they should end."""
    server = Server(database_url, tmp_path / "log")
    try:
        async with server.connect() as caller, following(caller) as stream:
            await define(caller)
            await stream.next()
            server.process.send_signal(signal.SIGTERM)
            with pytest.raises(EOFError):
                await asyncio.wait_for(stream.next(), STOP_SECONDS_MAX)
    finally:
        server.stop()
    assert "stream ended" in (tmp_path / "log").read_text("utf-8")
