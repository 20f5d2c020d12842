"""The feed of events, as pages and as a stream."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import msgspec

from benefit_programs.api.call import Call
from benefit_programs.api.feed import (
    Place,
    Reading,
    cursor_of,
    first_place,
    limit_of,
    read_events,
)
from benefit_programs.api.method import GET, READ, method
from benefit_programs.domain.errors import EventsRemoved
from benefit_programs.wire.codec import encoder_for
from benefit_programs.wire.types import events as wire
from benefit_programs.wire.types.common import CursorPagingMetadata, Cursors

SECONDS_BETWEEN_LOOKS = 0.25
"""How long a stream waits before it looks again for what has happened."""

HEARTBEAT_SECONDS = 15.0
"""How long a stream is silent at the most."""

_write = encoder_for(wire.DomainEvent)
_RETRY = b"retry: 1000\n\n"


async def follow(
    call: Call, request: wire.ListEventsRequest, last_event_id: str | None
) -> AsyncIterator[bytes]:
    """Events as they happen, each with its cursor as its id; in silence, where the feed stands."""
    place = await first_place(call, request, last_event_id or cursor_of(request))
    yield _RETRY
    spoken = time.monotonic()
    while True:
        reading = await read_events(call, request, place, limit_of(request))
        place = reading.place
        if reading.found:
            yield _sent(reading)
            spoken = time.monotonic()
        elif time.monotonic() - spoken >= HEARTBEAT_SECONDS:
            yield _heartbeat(place)
            spoken = time.monotonic()
        if not reading.has_more:
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)


def _sent(reading: Reading) -> bytes:
    return b"".join(
        b"id: %b\nevent: %b\ndata: %b\n\n"
        % (place.cursor.encode(), each.part.type.encode(), msgspec.json.encode(_write(each.event)))
        for place, each in reading.found
    )


def _heartbeat(place: Place) -> bytes:
    """An id without data is no event, but spares who comes back what wasn't theirs."""
    return f"id: {place.cursor}\n\n".encode()


@method(
    "listEvents",
    GET,
    "/benefit-programs/v1/events",
    READ,
    "BENEFIT_PROGRAMS.EVENT_READ",
    refuses=(EventsRemoved,),
    is_addition=True,
    follower=follow,
)
async def list_events(call: Call, request: wire.ListEventsRequest) -> wire.ListEventsResponse:
    place = await first_place(call, request, cursor_of(request))
    reading = await read_events(call, request, place, limit_of(request))
    events = tuple(each.event for _, each in reading.found)
    return wire.ListEventsResponse(
        events=events,
        metadata=CursorPagingMetadata(
            count=len(events),
            cursors=Cursors(next=reading.place.cursor),
            has_next=reading.has_more,
        ),
    )
