"""Fixtures of the server for agents: one service with it, and agents by both transports."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx2
import msgspec
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

from tests.support.service import CALL_SECONDS_MAX, Server
from tests.support.serving import own_environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from mcp_types import CallToolResult

    from tests.support.databases import Databases

CREDITS_MAX = 20
CHANGES_PER_HOUR = 10


class Agent:
    """Somebody who calls tools."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def tools(self) -> list[str]:
        return [each.name for each in (await self.client.list_tools()).tools]

    async def ask(self, name: str, **arguments: Any) -> Any:
        """The answer of a tool that must not refuse."""
        result = await self.client.call_tool(name, arguments)
        assert not result.is_error, _structure(result)
        return _structure(result)

    async def refusal(self, name: str, **arguments: Any) -> Any:
        result = await self.client.call_tool(name, arguments)
        assert result.is_error, _structure(result)
        return _structure(result)


def _structure(result: CallToolResult) -> Any:
    (content,) = result.content
    assert content.type == "text"
    assert msgspec.json.decode(content.text) == result.structured_content
    return result.structured_content


Connect = Callable[..., AbstractAsyncContextManager[Agent]]


@pytest.fixture(scope="module")
def agents_server(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    url = databases.create()
    server = Server(
        url,
        tmp_path_factory.mktemp("agents") / "log",
        BENEFITS_AGENTS="change",
        BENEFITS_AGENT_CREDITS_MAX=str(CREDITS_MAX),
        BENEFITS_AGENT_CHANGES_PER_HOUR=str(CHANGES_PER_HOUR),
    )
    yield server
    server.stop()
    databases.drop(url)


@pytest.fixture
def by_http(agents_server: Server) -> Connect:
    """An agent that calls the service's own address, in the given version of the protocol."""

    @asynccontextmanager
    async def connect(key: str, *, mode: str = "auto") -> AsyncIterator[Agent]:
        headers = {"authorization": f"Bearer {key}"}
        async with httpx2.AsyncClient(
            headers=headers, timeout=CALL_SECONDS_MAX, trust_env=False
        ) as http:
            transport = streamable_http_client(f"{agents_server.url}/mcp", http_client=http)
            async with Client(transport, mode=mode) as client:
                yield Agent(client)

    return connect


@pytest.fixture
def by_stdio(agents_server: Server) -> Connect:
    """An agent that has started the command."""

    @asynccontextmanager
    async def connect(key: str, *options: str) -> AsyncIterator[Agent]:
        variables = {"BENEFITS_URL": agents_server.url, "BENEFITS_API_KEY": key}
        command = StdioServerParameters(
            command=sys.executable,
            args=["-m", "benefit_programs", "agents", "serve", *options],
            env=own_environment(**variables),
        )
        async with Client(stdio_client(command)) as client:
            yield Agent(client)

    return connect
