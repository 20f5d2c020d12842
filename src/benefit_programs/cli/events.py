"""``benefits events``: what has happened, as lines of JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Annotated

import msgspec
import typer

from benefit_programs.cli.options import answers
from benefit_programs.cli.remote import Namespace, connect
from benefit_programs.cli.streams import write_out
from benefit_programs.client import BenefitPrograms, DomainEvent, EventPage, FeedStart
from benefit_programs.client.core.wire import to_wire
from benefit_programs.wire.types.events import EVENTS_PAGE_MAX

commands = typer.Typer(
    name="events",
    no_args_is_help=True,
    help="Read what has happened, as lines of JSON.",
)

Cursor = Annotated[
    str | None,
    typer.Option("--cursor", help="Go on behind this cursor, which a run before has printed."),
]
EventTypes = Annotated[
    list[str] | None,
    typer.Option("--event-type", help="Only of this type; repeatable.", metavar="TYPE"),
]
EntityId = Annotated[
    str | None, typer.Option("--entity-id", help="Only of this entity.", metavar="ID")
]


@answers(commands, "list", connect, only_json=True)
def list_events(
    client: BenefitPrograms,
    *,
    cursor: Cursor = None,
    event_types: EventTypes = None,
    namespace: Namespace = None,
    entity_id: EntityId = None,
) -> None:
    """Print the events up to now, and on standard error the cursor to go on from."""
    pages = client.events.pages(
        cursor,
        limit=EVENTS_PAGE_MAX,
        event_types=event_types or (),
        namespace=namespace,
        entity_id=entity_id,
    )
    _print_pages(pages, cursor)


@answers(commands, "follow", connect, only_json=True)
def follow_events(
    client: BenefitPrograms,
    *,
    cursor: Cursor = None,
    from_start: Annotated[
        bool,
        typer.Option("--from-start", help="Without a cursor: begin with the oldest event."),
    ] = False,
    event_types: EventTypes = None,
    namespace: Namespace = None,
    entity_id: EntityId = None,
) -> None:
    """Print events as they happen, those from now on, until Ctrl+C.

    Then it prints on standard error the cursor to go on from.
    """
    if cursor is None and not from_start:
        cursor = client.events.page(limit=1, start=FeedStart.NEWEST).cursor
    pages = client.events.follow(
        cursor,
        limit=EVENTS_PAGE_MAX,
        event_types=event_types or (),
        namespace=namespace,
        entity_id=entity_id,
    )
    _print_pages(pages, cursor)


def _print_pages(pages: Iterable[EventPage], cursor: str | None) -> None:
    """Print until there is no more, until Ctrl+C, or until the reader has enough."""
    try:
        for page in pages:
            for event in page.events:
                sys.stdout.write(_line_of(event))
            write_out()
            cursor = page.cursor
    except (KeyboardInterrupt, BrokenPipeError):
        pass  # what was printed since the last page comes again
    place = f"--cursor {cursor}" if cursor else "no cursor, from the start"
    sys.stderr.write(f"Go on with: {place}\n")


def _line_of(event: DomainEvent) -> str:
    """An event as it travels: its sequence is a text there."""
    document = to_wire(event) | {"entityEventSequence": str(event.entity_event_sequence)}
    return msgspec.json.encode(document).decode() + "\n"
