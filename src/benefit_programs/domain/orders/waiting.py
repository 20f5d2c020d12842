"""Changes that wait for their date: cascades are scheduled here, and both kinds are withdrawn.

A cascade is a change of a definition whose orders come later. The definition changes at once. What
was made from it before goes through the orders at the date.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.calendar_errors import TooManyScheduledChanges
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import Order, Program, ProgramStatus
from benefit_programs.domain.lookups import CHANGES_OF_POOL_DEFINITION
from benefit_programs.domain.program_dates import dated
from benefit_programs.domain.scheduled_changes import (
    CHANGES_OF_DEFINITION_MAX,
    ChangeKind,
    ChangeStatus,
    ScheduledChange,
    ended,
)
from benefit_programs.domain.state import Changes, State
from benefit_programs.domain.values import Instant


def orders_of(change: ScheduledChange) -> list[Order]:
    """The orders that a cascade brings at its date."""
    assert change.payload is not None
    return [
        replace(msgspec.convert(each, Order), at=change.date) for each in change.payload["orders"]
    ]


def schedule(
    changes: Changes[Any],
    context: Context,
    orders: Sequence[Order],
    date: Instant,
    *,
    waiting: int = 0,
) -> None:
    """Let orders wait for a date; so many cascades of the definition are ``waiting`` already."""
    if not orders:
        return
    if waiting >= CHANGES_OF_DEFINITION_MAX:
        raise TooManyScheduledChanges(maximum=CHANGES_OF_DEFINITION_MAX)
    places = {order.program_definition_id for order in orders}
    changes.save(
        ScheduledChange(
            id=context.new_id(),
            created=context.now,
            updated=context.now,
            kind=ChangeKind.CASCADE,
            status=ChangeStatus.WAITING,
            date=date,
            due=date,
            pool_definition_id=orders[0].pool_definition_id,
            program_definition_id=places.pop() if len(places) == 1 else None,
            payload=_payload(orders),
        )
    )


def withdraw_orders(
    state: State,
    changes: Changes[Any],
    context: Context,
    pool_definition_id: str,
    is_overridden: Callable[[Order], bool],
) -> int:
    """Take overridden orders out of the cascades that wait; how many cascades still do."""
    count = 0
    for change in state.known(CHANGES_OF_POOL_DEFINITION, pool_definition_id):
        if change.status is not ChangeStatus.WAITING:
            continue
        orders = orders_of(change)
        kept = [order for order in orders if not is_overridden(order)]
        count += bool(kept)
        if not kept:
            changes.save(ended(change, ChangeStatus.WITHDRAWN, context.now))
        elif len(kept) < len(orders):
            changes.save(replace(change, updated=context.now, payload=_payload(kept)))
    return count


def withdraw_all(changes: Changes[Any], waiting: Iterable[ScheduledChange], now: Instant) -> None:
    """Withdraw all that still waits of these changes."""
    for each in waiting:
        if each.status is ChangeStatus.WAITING:
            changes.save(ended(each, ChangeStatus.WITHDRAWN, now))


def with_end(
    changes: Changes[Any], program: Program, waiting: Iterable[ScheduledChange], now: Instant
) -> Program:
    """The program after its end; nothing waits for its dates any more."""
    withdraw_all(changes, waiting, now)
    return dated(replace(program, status=ProgramStatus.ENDED, target_status=None))


def _payload(orders: Sequence[Order]) -> dict[str, Any]:
    return {"orders": [msgspec.to_builtins(replace(order, at=None)) for order in orders]}
