"""How a page of the feed is read."""

from __future__ import annotations

from benefit_programs.client.core.wire import PageMetadata, Reader, reads
from benefit_programs.client.types.base import Part
from benefit_programs.client.types.events import DomainEvent, EventPage


class _Metadata(PageMetadata, frozen=True, kw_only=True):
    has_next: bool = False


class _Answer(Part, frozen=True, kw_only=True):
    events: tuple[DomainEvent, ...] = ()
    metadata: _Metadata


def reads_events() -> Reader[EventPage]:
    """Read a page of events."""
    read_answer = reads(_Answer)

    def read(body: bytes) -> EventPage:
        answer = read_answer(body)
        return EventPage(
            events=answer.events,
            cursor=answer.metadata.cursors.next or "",
            has_more=answer.metadata.has_next,
        )

    return read
