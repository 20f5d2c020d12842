"""The log of orders. Each has a number: its place among all orders of its tenant.

An order that fits its request is played at once, on all pools that it is for, and needs no place in
the log. It gets one if a job has to carry it out, if it stands for later renewals, or if pools are
yet to come that have to go through it, too. Whoever changes a pool takes it through the orders that
are ahead of it, in the order of their numbers.

A number is given under the lock of the tenant's agenda, which is held until the commit. So whoever
has seen a number sees all smaller ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any, NamedTuple

from msgspec.structs import replace

from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import (
    Agenda,
    JobItem,
    JobKind,
    Order,
    OrderPhase,
    Pool,
    Program,
)
from benefit_programs.domain.indexes import Index
from benefit_programs.domain.jobs import (
    agenda_of,
    ask_for_agenda,
    new_job,
    start_job,
)
from benefit_programs.domain.lookups import (
    OLDEST_ORDER_IN_PHASE,
    ORDERS_OF_POOL_DEFINITION,
    ORDERS_OF_PROGRAM,
    ORDERS_OF_PROGRAM_DEFINITION,
    SNAPSHOT,
)
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import Cascade, Instant, instant_of_id

OPENING = (OrderPhase.OPENING, 0, -1)
REACHED = (OrderPhase.REACHED, 0, -1)
"""The beginnings of walks along orders in a phase that don't stand, by their numbers."""


def ask_to_give_numbers(needs: Needs) -> None:
    """Ask for what ``numbered`` needs, before any order is read."""
    ask_for_agenda(needs)
    needs.read(OLDEST_ORDER_IN_PHASE, *OPENING)


def newest_number(state: State) -> int:
    return agenda_of(state).newest_order


def numbered(state: State, orders: Sequence[Order]) -> tuple[Agenda, list[Order]]:
    """New orders with their numbers, and the agenda that counts them."""
    agenda = agenda_of(state)
    first = agenda.newest_order + 1
    given = [replace(order, number=number) for number, order in enumerate(orders, start=first)]
    return replace(agenda, newest_order=agenda.newest_order + len(orders)), given


def start_order(
    changes: Changes[Any],
    context: Context,
    agenda: Agenda,
    order: Order,
    items: Sequence[JobItem] = (),
) -> None:
    """Leave an order to its job; ``items`` are done already."""
    subject_id = order.program_id or order.pool_definition_id or order.program_definition_id
    assert order.job_id is not None
    assert subject_id is not None
    changes.save(order)
    job = new_job(order.job_id, order.kind, subject_id, context)
    start_job(changes, context, agenda, replace(job, order_number=order.number), items)


def are_pools_to_come(state: State) -> bool:
    """Whether an order of the tenant still has to open pools."""
    return bool(state.many(OLDEST_ORDER_IN_PHASE, *OPENING))


def concerns(order: Order, pool: Pool) -> bool:
    """Whether an order is for a pool. What renewals add is for programs alone."""
    return not is_added_at_renewal(order) and (
        order.pool_definition_id in {None, pool.pool_definition_id}
        and order.program_definition_id in {None, pool.program_definition_id}
        and order.program_id in {None, pool.program_id}
    )


def is_added_at_renewal(order: Order) -> bool:
    """Whether programs get a pool by this order when they renew."""
    return order.kind is JobKind.ADD_POOLS and order.cascade is Cascade.NEXT_RENEWAL


class Place(NamedTuple):
    """Where a pool is or will be: its definition and its program."""

    pool_definition_id: str
    program_id: str
    program_definition_id: str | None


def _logs(place: Place | Pool) -> list[tuple[Index[Order], str]]:
    """The parts of the log that may have orders for a pool."""
    logs = [
        (ORDERS_OF_POOL_DEFINITION, place.pool_definition_id),
        (ORDERS_OF_PROGRAM, place.program_id),
    ]
    if place.program_definition_id is not None:
        logs.append((ORDERS_OF_PROGRAM_DEFINITION, place.program_definition_id))
    return logs


def ask_for_orders(needs: Needs, state: State, place: Place | Pool) -> None:
    """Ask for what may be ahead of a pool."""
    for index, key in _logs(place):
        needs.read(index, key)
        for order in state.known(index, key):
            if (
                order.snapshot_id is not None
                and order.pool_definition_id == place.pool_definition_id
            ):
                needs.read(SNAPSHOT, order.snapshot_id)


def orders_ahead(
    state: State, pool: Pool, *, up_to: int | None = None, until: Instant | None = None
) -> list[Order]:
    """The orders that a pool has yet to go through, up to a number, in their order.

    They end before the first one that happens, or was asked for, only after an instant, ``until``.
    """
    ahead = {
        order.number: order
        for index, key in _logs(pool)
        for order in state.many(index, key)
        if order.number > pool.order_number and concerns(order, pool)
    }
    if not ahead:
        return []
    found = (ahead[number] for number in sorted(ahead) if up_to is None or number <= up_to)
    return list(takewhile(lambda order: not _is_after(order, until), found))


def _is_after(order: Order, instant: Instant | None) -> bool:
    at = order.at
    if at is None and order.job_id is not None:
        at = instant_of_id(order.job_id)
    return instant is not None and at is not None and at > instant


# Orders for a whole program definition.


def orders_of_plan(
    state: State, program_definition_id: str | None, *, until: Instant | None = None
) -> list[Order]:
    """The orders for programs of a definition and for pools in it, as far as they are loaded.

    Those that happen only after an instant, ``until``, are left out.
    """
    if program_definition_id is None:
        return []
    orders = state.known(ORDERS_OF_PROGRAM_DEFINITION, program_definition_id)
    return [order for order in orders if not _is_after(order, until)]


def ends_at_renewal(
    state: State, program_definition_id: str | None, until: Instant | None = None
) -> bool:
    """Whether programs end when they renew, because their definition is gone."""
    orders = orders_of_plan(state, program_definition_id, until=until)
    return any(order.kind is JobKind.END_PROGRAMS and order.stands for order in orders)


def is_ending(state: State, program: Program, until: Instant | None = None) -> bool:
    """Whether a program is to end at once, because its definition is gone."""
    return any(
        order.kind is JobKind.END_PROGRAMS and order.cascade is Cascade.IMMEDIATELY
        for order in orders_of_plan(state, program.program_definition_id, until=until)
    )


# What leaves the log.


def reached(order: Order) -> Order:
    """The order, marked as one that all existing pools have been through."""
    return replace(order, phase=OrderPhase.REACHED)


def withdraw(state: State, changes: Changes[Any], order: Order) -> None:
    """Let an order stand no more. Pools that have it ahead still go through it."""
    if order.phase is OrderPhase.REACHED and not are_pools_to_come(state):
        changes.delete(order)
    else:
        changes.save(replace(order, stands=False))
