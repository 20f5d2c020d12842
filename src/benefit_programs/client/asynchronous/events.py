"""The feed of events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from benefit_programs.client.asynchronous.session import AsyncMethods
from benefit_programs.client.core.events import reads_events
from benefit_programs.client.core.wire import document
from benefit_programs.client.generated.enums import FeedStart
from benefit_programs.client.types.events import EventPage

_PAGE = reads_events()


class AsyncEvents(AsyncMethods):
    """What has happened, in an order that never changes. Needs an administrator's or app's key."""

    async def page(
        self,
        cursor: str | None = None,
        *,
        limit: int | None = None,
        event_types: Sequence[str] = (),
        namespace: str | None = None,
        entity_id: str | None = None,
        start: FeedStart | None = None,
    ) -> EventPage:
        """Read the events behind a cursor, or from the start on.

        A page may be empty though there is more: filters leave events out.

        Raises:
            EventsRemoved: What follows the cursor was removed meanwhile.
        """
        paging = document(limit=limit, cursor=cursor)
        fields = document(
            event_types=list(event_types) or None,
            namespace=namespace,
            entity_id=entity_id,
            start=start,
            paging=paging or None,
        )
        return await self._session.call("listEvents", _PAGE, fields)

    async def pages(
        self,
        cursor: str | None = None,
        *,
        limit: int | None = None,
        event_types: Sequence[str] = (),
        namespace: str | None = None,
        entity_id: str | None = None,
    ) -> AsyncIterator[EventPage]:
        """Read page by page up to now. Each page has the cursor to keep once its events are done.

        Raises:
            EventsRemoved: What follows the cursor was removed meanwhile.
        """
        has_more = True
        while has_more:
            page = await self.page(
                cursor,
                limit=limit,
                event_types=event_types,
                namespace=namespace,
                entity_id=entity_id,
            )
            yield page
            cursor, has_more = page.cursor, page.has_more

    async def follow(
        self,
        cursor: str | None = None,
        *,
        seconds_between: float = 1.0,
        limit: int | None = None,
        event_types: Sequence[str] = (),
        namespace: str | None = None,
        entity_id: str | None = None,
    ) -> AsyncIterator[EventPage]:
        """Read page by page for ever, and look again after some seconds when there is no more.

        Pages without events come too: their cursor spares to read again what wasn't wanted.

        Raises:
            EventsRemoved: What follows the cursor was removed meanwhile.
        """
        while True:
            async for page in self.pages(
                cursor,
                limit=limit,
                event_types=event_types,
                namespace=namespace,
                entity_id=entity_id,
            ):
                cursor = page.cursor
                yield page
            await asyncio.sleep(seconds_between)
