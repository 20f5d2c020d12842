"""The server for agents over standard input and output, before a service that runs elsewhere."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from typing import Any

import msgspec
from mcp.server.stdio import stdio_server

from benefit_programs.agents.calling import Refused
from benefit_programs.agents.caps import Caps, OwnChanges
from benefit_programs.agents.server import create_server
from benefit_programs.client import ApiError, ConnectionFailed, UnreadableAnswer, WrongArgument
from benefit_programs.client.asynchronous.http import AsyncHttpTransport
from benefit_programs.client.asynchronous.session import AsyncSession
from benefit_programs.client.core.options import MAX_RETRIES, TIMEOUT_SECONDS, settings_for

AGENT_HEADER = "x-benefits-agent"
"""Says that an agent calls, for the audit."""

BAD_GATEWAY = 502


class OverHttp:
    """The methods of a service at an address. What the key allows is known there alone.

    Changes are counted in this process, which serves one agent: what others do with the key is
    known at the service alone.
    """

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._changes = OwnChanges()

    def may_call(self, name: str) -> bool:
        del name
        return True

    async def call(self, name: str, request: dict[str, Any]) -> Any:
        try:
            return await self._session.call(name, msgspec.json.decode, request)
        except ApiError as error:
            raise Refused(
                error.code, error.description, status=error.status, data=error.data
            ) from None
        except WrongArgument as error:
            raise Refused("WRONG_ARGUMENTS", str(error), status=400) from None
        except (ConnectionFailed, UnreadableAnswer) as error:
            raise Refused("NO_ANSWER", str(error), status=BAD_GATEWAY) from None

    async def take_change(self, per_hour: int) -> bool:
        return self._changes.take(per_hour)

    def note_refusal(self, tool: str, refused: Refused) -> None:
        """Log nothing: standard output is the agent's."""


async def serve_stdio(
    address: str, key: str, *, site_id: str | None, caps: Caps, may_change: bool
) -> None:
    """Serve until standard input ends. Raises ValueError for an address or key that can't be."""
    settings = settings_for(
        key, site_id=site_id, timeout=TIMEOUT_SECONDS, max_retries=MAX_RETRIES, strict=True
    )
    settings = replace(settings, headers={**settings.headers, AGENT_HEADER: "true"})
    async with aclosing(AsyncHttpTransport(address)) as transport:
        methods = OverHttp(AsyncSession(transport, settings))
        server = create_server(lambda _context: methods, caps, may_change=may_change)
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())
