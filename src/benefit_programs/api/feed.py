"""Reading the feed for a caller: from a cursor on, through a filter, a page at a time."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from benefit_programs.api.call import Call
from benefit_programs.api.extended_fields import hide_in_event
from benefit_programs.domain.errors import EventsRemoved, Invalid
from benefit_programs.storage.feed import FEED_ROWS_MAX, CursorRemoved, CursorUnknown
from benefit_programs.wire.events import EVENT_TYPES, Delivery, Part, deliveries, parts_of
from benefit_programs.wire.types.events import FeedStart, ListEventsRequest

FEED_LOOKS_MAX = 5
"""How often one request looks into the feed for events that its filter admits."""

PAGE_SIZE = 100
"""How many events a page holds unless the caller says otherwise."""

CURSOR_PATH = "paging.cursor"

_CURSOR = re.compile(r"(\d{1,18})(?:\.(\d{1,2}))?", re.ASCII)


class Place(NamedTuple):
    """A place in the feed: behind all rows before ``position``, and behind ``taken`` of its events.

    Without ``taken`` it is behind all events of the row at ``position``, too.
    """

    position: int
    taken: int | None = None

    @property
    def after(self) -> int:
        """The position behind which the next row is read."""
        return self.position if self.taken is None else self.position - 1

    @property
    def cursor(self) -> str:
        return str(self.position) if self.taken is None else f"{self.position}.{self.taken}"

    def is_past(self, position: int, part: Part) -> bool:
        """Whether an event of a row at a position was taken."""
        return position == self.position and part.ordinal < (self.taken or 0)


class Reading(NamedTuple):
    """What was found: events with the place behind each, where to go on, and whether to at once."""

    found: list[tuple[Place, Delivery]]
    place: Place
    has_more: bool


async def first_place(call: Call, request: ListEventsRequest, cursor: str | None) -> Place:
    """Where a request begins. Raises Invalid, or EventsRemoved."""
    _require_known(request.event_types or ())
    feed = call.services.reader.feed
    if cursor is None:
        is_newest = request.start is FeedStart.NEWEST
        find = feed.settled if is_newest else feed.start
        return Place(await find(call.tenant_id))
    matched = _CURSOR.fullmatch(cursor)
    if matched is None:
        raise _cursor_refused()
    place = Place(int(matched[1]), int(matched[2]) if matched[2] else None)
    try:
        await feed.require_readable(call.tenant_id, max(place.after, 0))
    except CursorUnknown:
        raise _cursor_refused() from None
    except CursorRemoved:
        oldest = Place(await feed.start(call.tenant_id)).cursor
        raise EventsRemoved(cursor=cursor, oldest_cursor=oldest) from None
    return place


def _require_known(types: tuple[str, ...]) -> None:
    for index, each in enumerate(types):
        if each not in EVENT_TYPES:
            raise Invalid.because(
                f"eventTypes[{index}]",
                "is no event: they are named as wix.benefit_programs.v1.pool_benefit_redeemed",
            )


def _cursor_refused() -> Invalid:
    return Invalid.because(CURSOR_PATH, "is no cursor that this feed has given")


async def read_events(call: Call, request: ListEventsRequest, place: Place, limit: int) -> Reading:
    """Up to ``limit`` events after a place. There may be none although there are more."""
    found: list[tuple[Place, Delivery]] = []
    for _ in range(FEED_LOOKS_MAX):
        reading = await _look(call, request, place, limit - len(found))
        found += reading.found
        place = reading.place
        if not reading.has_more or len(found) >= limit:
            return Reading(found, place, reading.has_more)
    return Reading(found, place, has_more=True)


async def _look(call: Call, request: ListEventsRequest, place: Place, room: int) -> Reading:
    """One look into the feed: rows, of them the events that are wanted, of these as many as fit."""
    is_plain = not (request.event_types or request.namespace or request.entity_id)
    size = min(room, FEED_ROWS_MAX) if is_plain else FEED_ROWS_MAX
    reader = call.services.reader
    rows, reached = await reader.feed.read_after(call.tenant_id, place.after, limit=size)
    positions = {row.event.id: row.position for row in rows}
    wanted = [
        part
        for row in rows
        for part in parts_of(row.event)
        if not place.is_past(row.position, part) and _is_wanted(request, part)
    ]
    # A namespace is known only when an event is made.
    made_of = wanted if request.namespace else wanted[:room]
    made = [
        each
        for each in await deliveries(reader, call.tenant_id, made_of)
        if request.namespace in (None, each.namespace)
    ]
    for each in made:
        hide_in_event(each.event, call.principal)
    found = [(_behind(each.part, positions), each) for each in made[:room]]
    if len(made) > room:
        return Reading(found, found[-1][0], has_more=True)
    if len(made_of) < len(wanted):
        return Reading(found, _behind(made_of[-1], positions), has_more=True)
    return Reading(found, Place(reached), has_more=len(rows) == size)


def _is_wanted(request: ListEventsRequest, part: Part) -> bool:
    types, entity_id = request.event_types, request.entity_id
    return (not types or part.type in types) and entity_id in (None, part.entity_id)


def _behind(part: Part, positions: dict[str, int]) -> Place:
    return Place(positions[part.row.id], part.ordinal + 1)


def limit_of(request: ListEventsRequest) -> int:
    paging = request.paging
    return (paging.limit if paging else None) or PAGE_SIZE


def cursor_of(request: ListEventsRequest) -> str | None:
    paging: Any = request.paging
    return paging.cursor if paging else None
