"""Calls over a transport, repeated where that is safe."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

from benefit_programs.client.core.calls import Call, Request, Response
from benefit_programs.client.core.exchange import Exchange, Settings
from benefit_programs.client.core.wire import Reader
from benefit_programs.client.errors import ConnectionFailed
from benefit_programs.client.types.events import EventReceiver

T = TypeVar("T")


class AsyncTransport(Protocol):
    """What carries a request to the service. Raises ConnectionFailed if no answer comes."""

    async def start(self) -> None:
        """Be ready to send; a transport that wasn't started starts with the first request."""
        ...

    async def send(self, request: Request) -> Response: ...

    async def aclose(self) -> None: ...


@runtime_checkable
class AsyncCallsFunctions(Protocol):
    """A transport to a service in this process, which can call functions."""

    async def on_events(
        self,
        name: str,
        receiver: EventReceiver,
        event_types: Sequence[str],
        namespaces: Sequence[str],
    ) -> str: ...


@dataclass(frozen=True)
class AsyncSession:
    """A transport, and how calls over it are made."""

    transport: AsyncTransport
    settings: Settings

    async def call(self, name: str, read: Reader[T], fields: dict[str, Any]) -> T:
        """Call a method by its name. Raises what ``send`` raises."""
        return await self.send(Call(name=name, fields=fields, read=read))

    async def send(self, call: Call[T]) -> T:
        """Make a call. Raises ApiError, ConnectionFailed or UnreadableAnswer."""
        exchange = Exchange(call, self.settings)
        while not exchange.is_done:  # the exchange ends it after max_retries
            try:
                response = await self.transport.send(exchange.request())
            except ConnectionFailed as failure:
                seconds = exchange.failed(failure)
            else:
                seconds = exchange.answered(response)
            if seconds:
                await asyncio.sleep(seconds)
        return exchange.result


class AsyncMethods:
    """The methods of one family, and the session that they are called over."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
