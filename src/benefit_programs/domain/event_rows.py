"""Events as they are stored: below all that tells of its changes by them."""

from __future__ import annotations

from typing import Any, ClassVar

from benefit_programs.domain.rows import Row
from benefit_programs.domain.values import Id, Instant


class Event(Row, frozen=True, kw_only=True, omit_defaults=True):
    """What happened to an entity, stored in the commit that made it happen.

    One row may stand for several events of one change: with ``transaction_id`` also for the
    transaction's creation and the balance's update (see docs/reference/events.md).
    """

    id: Id
    created: Instant
    entity: str
    entity_id: Id
    sequence: int
    slug: str
    body: dict[str, Any]
    transaction_id: Id | None = None


class Removal(Row, frozen=True, kw_only=True, omit_defaults=True):
    """How far events were removed: all of them up to the id ``upto``.

    The event of that id was made at ``created``. Later ones are all there. None of the removed was
    behind ``position`` in the feed.
    """

    key: ClassVar[tuple[str, ...]] = ("kind",)

    kind: str
    upto: Id
    created: Instant
    position: int
