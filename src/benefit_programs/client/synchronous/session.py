# Made by tools/make_sync_client.py from ../asynchronous: change that, and run it.
"""Calls over a transport, again where that is safe."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from benefit_programs.client.core.calls import Call, Request, Response
from benefit_programs.client.core.exchange import Exchange, Settings
from benefit_programs.client.core.wire import Reader
from benefit_programs.client.errors import ConnectionFailed

T = TypeVar("T")


class Transport(Protocol):
    """What carries a request to the service. Raises ConnectionFailed if no answer comes."""

    def start(self) -> None:
        """Be ready to send; a transport that isn't told to be ready gets so by itself."""
        ...

    def send(self, request: Request) -> Response:
        """Carry one request."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


@dataclass(frozen=True)
class Session:
    """A transport, and how calls over it are made."""

    transport: Transport
    settings: Settings

    def call(self, name: str, read: Reader[T], fields: dict[str, Any]) -> T:
        """Call a method by its name. Raises what ``send`` raises."""
        return self.send(Call(name=name, fields=fields, read=read))

    def send(self, call: Call[T]) -> T:
        """Make a call. Raises ApiError, ConnectionFailed or UnreadableAnswer."""
        exchange = Exchange(call, self.settings)
        while not exchange.is_done:  # the exchange ends it after max_retries
            try:
                response = self.transport.send(exchange.request())
            except ConnectionFailed as failure:
                seconds = exchange.failed(failure)
            else:
                seconds = exchange.answered(response)
            if seconds:
                time.sleep(seconds)
        return exchange.result
