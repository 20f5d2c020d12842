"""Streams of events, read as they come."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from tests.support.calls import Caller

PATH = "/benefit-programs/v1/events"


class Stream:
    """A stream that was opened."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def next(self) -> tuple[str, dict[str, Any]]:
        """The next event: the id that it was sent with, and the event itself."""
        fields: dict[str, str] = {}
        async for line in self._lines:
            name, _, value = line.partition(": ")
            if name:
                fields[name] = value
            elif "data" in fields:
                event = json.loads(fields["data"])
                assert fields["event"] == f"{event['entityFqdn']}_{event['slug']}"
                return fields["id"], event
            else:
                fields = {}
        raise EOFError


@asynccontextmanager
async def following(
    caller: Caller, last_event_id: str | None = None, **parameters: str
) -> AsyncIterator[Stream]:
    headers = {"authorization": caller.key or "", "accept": "text/event-stream"}
    if last_event_id is not None:
        headers["last-event-id"] = last_event_id
    async with caller.client.stream("GET", PATH, headers=headers, params=parameters) as response:
        yield Stream(response)
