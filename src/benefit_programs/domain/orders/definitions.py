"""Changes of definitions as orders: played in their request if they reach few, else by jobs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.context import Context
from benefit_programs.domain.due import ask_for_cascades, require_begun, require_settled
from benefit_programs.domain.entities import (
    JobKind,
    Order,
    OrderPhase,
    PoolDefinition,
    Program,
    ProgramDefinition,
    ProgramStatus,
    Snapshot,
)
from benefit_programs.domain.events import record_updated
from benefit_programs.domain.lookups import (
    CHANGES_OF_POOL_DEFINITION,
    CHANGES_OF_PROGRAM,
    LIVE_POOLS_OF_POOL_DEFINITION,
    LIVE_POOLS_OF_PROGRAM_DEFINITION,
    LIVE_PROGRAMS_OF_PROGRAM_DEFINITION,
    ORDERS_OF_POOL_DEFINITION,
    ORDERS_OF_PROGRAM,
    ORDERS_OF_PROGRAM_DEFINITION,
    PROGRAM_DEFINITION,
)
from benefit_programs.domain.opening import template_of
from benefit_programs.domain.orders.log import (
    are_pools_to_come,
    ask_to_give_numbers,
    is_added_at_renewal,
    newest_number,
    numbered,
    orders_of_plan,
    reached,
    start_order,
    withdraw,
)
from benefit_programs.domain.orders.openings import (
    ask_for_additions,
    living,
    open_added,
    open_missing,
    takes_additions,
)
from benefit_programs.domain.orders.play import (
    ask_to_reach,
    reach,
)
from benefit_programs.domain.orders.waiting import schedule, with_end, withdraw_orders
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import Cascade, Instant


class Change(msgspec.Struct, frozen=True):
    """What a command does to a pool definition that may concern pools and programs."""

    cascade: Cascade | None
    updated: bool = False
    """Its names or details were sent."""

    deleted: bool = False
    added_to: tuple[str, ...] = ()
    removed_from: tuple[str, ...] = ()
    date: Instant | None = None
    """When it reaches what was made before, if that isn't at once."""

    @property
    def reaches(self) -> bool:
        """Whether it is meant for what was made from the definition before."""
        return self.cascade in {Cascade.IMMEDIATELY, Cascade.NEXT_RENEWAL}

    def overrides(self, order: Order) -> bool:
        """Whether an order that waits for its date is taken back: the last word counts.

        What comes before a change that has a later date stands.
        """
        if self.deleted:
            return True
        if self.date is not None and order.at is not None and order.at < self.date:
            return False
        others = self.added_to if order.kind is JobKind.END_POOLS else self.removed_from
        return order.program_definition_id in others


def ask_to_change(
    needs: Needs,
    state: State,
    pool_definition_id: str | None,
    cascade: Cascade | None,
    *,
    added_to: Iterable[str] = (),
) -> None:
    """Ask for what a change of a pool definition may reach at once. A new one has no id yet."""
    ask_to_give_numbers(needs)
    ask_for_cascades(needs)
    if pool_definition_id is not None:
        needs.read(ORDERS_OF_POOL_DEFINITION, pool_definition_id)
        needs.lock(CHANGES_OF_POOL_DEFINITION, pool_definition_id)
    change = Change(cascade, added_to=tuple(added_to))
    if not change.reaches:
        return
    if pool_definition_id is not None:
        needs.lock(LIVE_POOLS_OF_POOL_DEFINITION, pool_definition_id)
    if cascade is Cascade.IMMEDIATELY:
        for program_definition_id in change.added_to:
            needs.lock(LIVE_PROGRAMS_OF_PROGRAM_DEFINITION, program_definition_id)
    if pool_definition_id is not None and not _is_left_to_jobs(
        state, needs.settings, pool_definition_id, change
    ):
        ask_to_reach(needs, state, state.known(LIVE_POOLS_OF_POOL_DEFINITION, pool_definition_id))


def carry_out(
    state: State,
    context: Context,
    changes: Changes[Any],
    definition: PoolDefinition,
    snapshot: Snapshot,
    change: Change,
) -> PoolDefinition:
    """Take a change to the pools and programs that it concerns, or leave that to jobs or a date.

    Returns the definition with the number of its newest order.
    """
    require_begun(state, context)
    waiting = withdraw_orders(state, changes, context, definition.id, change.overrides)
    orders = _orders(state, definition, snapshot, change)
    if change.date is not None:
        schedule(changes, context, orders, change.date, waiting=waiting)
        orders, change = [], replace(change, cascade=Cascade.FUTURE_PROVISIONS)
    update_standing(state, changes, definition.id, change, snapshot.id, definition.revision)
    if _is_left_to_jobs(state, context.settings, definition.id, change):
        orders = start_orders(state, changes, context, orders)
    elif orders:
        orders = log_orders(state, changes, orders)
        _play(state, changes, context, definition, snapshot, orders)
    number = remember(state, changes, orders)
    return definition if number is None else replace(definition, order_number=number)


def _play(
    state: State,
    changes: Changes[Any],
    context: Context,
    definition: PoolDefinition,
    snapshot: Snapshot,
    orders: list[Order],
) -> None:
    """Play orders on all pools and programs that they are for."""
    pools = state.known(LIVE_POOLS_OF_POOL_DEFINITION, definition.id)
    programs = [
        program
        for order in orders
        if order.kind is JobKind.ADD_POOLS and not is_added_at_renewal(order)
        for program in _programs_for(state, order)
    ]
    require_settled((*pools, *programs), context)
    after = living(reach(state, changes, context, pool, orders) for pool in pools)
    with_pools = {pool.program_id for pool in after}
    for order in orders:
        if order.kind is JobKind.ADD_POOLS and not is_added_at_renewal(order):
            template = template_of(definition, snapshot, order.number or newest_number(state))
            for program in _programs_for(state, order):
                if program.id not in with_pools:
                    open_added(changes, context, program, template)


def remember(state: State, changes: Changes[Any], orders: list[Order]) -> int | None:
    """Write the newest number of orders on the program definitions that they are for.

    Returns it for the pool definition. Whoever provisions shares these rows, and so knows which
    orders are older than the program.
    """
    numbers = [order.number for order in orders if order.number]
    if not numbers:
        return None
    for place_id in dict.fromkeys(order.program_definition_id for order in orders):
        place = None if place_id is None else state.one(PROGRAM_DEFINITION, place_id)
        if place is not None:
            changes.save(replace(place, order_number=max(numbers)))
    return max(numbers)


def _is_left_to_jobs(
    state: State, settings: TenantSettings, pool_definition_id: str, change: Change
) -> bool:
    """Whether a request would have to change too much, or go before an addition that isn't done.

    What programs get by an earlier addition, they have before a later one looks what they have.
    """
    if change.cascade is Cascade.IMMEDIATELY and any(
        order.phase is OrderPhase.OPENING and order.program_definition_id in change.added_to
        for order in state.known(ORDERS_OF_POOL_DEFINITION, pool_definition_id)
    ):
        return True
    programs = sum(
        len(state.known(LIVE_PROGRAMS_OF_PROGRAM_DEFINITION, each)) for each in change.added_to
    )
    pools = len(state.known(LIVE_POOLS_OF_POOL_DEFINITION, pool_definition_id))
    return max(programs, pools) > settings.in_request_max


def _orders(
    state: State, definition: PoolDefinition, snapshot: Snapshot, change: Change
) -> list[Order]:
    """The orders of a change, as they are played one after the other."""
    if not change.reaches:
        return []
    at_renewal = change.cascade is Cascade.NEXT_RENEWAL
    order = partial(_order, definition, snapshot, change)
    marked = {
        each.program_definition_id
        for each in _standing(state, definition.id)
        if each.kind is JobKind.END_POOLS
    }
    return [
        *([order(JobKind.UPDATE_POOLS)] if change.updated else []),
        *([order(JobKind.END_POOLS)] if change.deleted else []),
        *(order(JobKind.END_POOLS, each, stands=at_renewal) for each in change.removed_from),
        *(
            order(JobKind.KEEP_POOLS, each)
            for each in change.added_to
            if at_renewal and each in marked
        ),
        *(order(JobKind.ADD_POOLS, each, stands=at_renewal) for each in change.added_to),
    ]


def _order(
    definition: PoolDefinition,
    snapshot: Snapshot,
    change: Change,
    kind: JobKind,
    place: str | None = None,
    *,
    stands: bool = False,
) -> Order:
    assert change.cascade is not None
    return Order(
        number=0,
        kind=kind,
        phase=OrderPhase.REACHING,
        cascade=change.cascade,
        stands=stands,
        pool_definition_id=definition.id,
        program_definition_id=place,
        snapshot_id=snapshot.id,
        revision=definition.revision,
        has_alerts=bool(snapshot.details.alerts) or None,
    )


def change_of(orders: Sequence[Order]) -> Change:
    """What orders that have waited for a date do to a pool definition."""
    added = [order for order in orders if order.kind is JobKind.ADD_POOLS]
    ending = [order for order in orders if order.kind is JobKind.END_POOLS]
    return Change(
        orders[0].cascade,
        updated=any(order.kind is JobKind.UPDATE_POOLS for order in orders),
        deleted=any(order.program_definition_id is None for order in ending),
        added_to=tuple(filter(None, (order.program_definition_id for order in added))),
        removed_from=tuple(filter(None, (order.program_definition_id for order in ending))),
    )


def start_orders(
    state: State, changes: Changes[Any], context: Context, orders: list[Order]
) -> list[Order]:
    """Number orders, and start a job for each.

    Additions at renewal get none: they reach nothing before.
    """
    agenda, given = numbered(state, orders)
    started = [
        replace(order, job_id=context.new_id(), phase=_working_phase(order))
        for order in given
        if not is_added_at_renewal(order)
    ]
    changes.save(agenda, *(reached(order) for order in given if is_added_at_renewal(order)))
    for order in started:
        start_order(changes, context, agenda, order)
    return given


def _working_phase(order: Order) -> OrderPhase:
    return OrderPhase.OPENING if order.kind is JobKind.ADD_POOLS else OrderPhase.REACHING


def log_orders(state: State, changes: Changes[Any], orders: list[Order]) -> list[Order]:
    """Log the orders of this request that stand, or that pools to come have to go through."""
    are_to_come = are_pools_to_come(state)
    if not any(are_to_come or order.stands for order in orders):
        return orders
    agenda, given = numbered(state, orders)
    changes.save(agenda, *(reached(order) for order in given if are_to_come or order.stands))
    return given


def _programs_for(state: State, order: Order) -> list[Program]:
    programs = state.many(LIVE_PROGRAMS_OF_PROGRAM_DEFINITION, order.program_definition_id)
    return [program for program in programs if takes_additions(program)]


def _standing(state: State, pool_definition_id: str) -> list[Order]:
    orders = state.known(ORDERS_OF_POOL_DEFINITION, pool_definition_id)
    return [order for order in orders if order.stands]


def update_standing(
    state: State,
    changes: Changes[Any],
    pool_definition_id: str,
    change: Change,
    snapshot_id: str | None,
    revision: int,
) -> None:
    """Withdraw the standing orders that a change overrides, and renew the terms of the others.

    A removal for future provisions only leaves pools that were to end marked so. Adding the
    definition again can still take that back.
    """
    for order in _standing(state, pool_definition_id):
        place, is_addition = order.program_definition_id, is_added_at_renewal(order)
        moved = change.reaches and place in {*change.added_to, *change.removed_from}
        taken_back = is_addition and place in change.removed_from
        if change.deleted or moved or taken_back:
            withdraw(state, changes, order)
        elif is_addition and change.updated and change.reaches and order.revision < revision:
            changes.save(replace(order, snapshot_id=snapshot_id, revision=revision))


# A program definition that is deleted.


def ask_to_end_programs(
    needs: Needs, state: State, program_definition_id: str, cascade: Cascade
) -> None:
    """Ask for what the end of a program definition may reach."""
    ask_to_give_numbers(needs)
    ask_for_cascades(needs)
    needs.read(ORDERS_OF_PROGRAM_DEFINITION, program_definition_id)
    if not Change(cascade).reaches:
        return
    needs.lock(LIVE_PROGRAMS_OF_PROGRAM_DEFINITION, program_definition_id)
    needs.lock(LIVE_POOLS_OF_PROGRAM_DEFINITION, program_definition_id)
    if _is_end_left_to_jobs(state, needs.settings, program_definition_id):
        return
    for program in state.known(LIVE_PROGRAMS_OF_PROGRAM_DEFINITION, program_definition_id):
        if cascade is Cascade.IMMEDIATELY:
            ask_to_end_program(needs, state, program)
        else:
            needs.read(ORDERS_OF_PROGRAM, program.id)
    ask_to_reach(needs, state, state.known(LIVE_POOLS_OF_PROGRAM_DEFINITION, program_definition_id))


def end_programs(
    state: State,
    context: Context,
    changes: Changes[Any],
    definition: ProgramDefinition,
    cascade: Cascade,
    date: Instant | None = None,
) -> None:
    """End the programs of a program definition with their pools, now or when they renew.

    With a ``date`` that begins then.
    """
    require_begun(state, context)
    for standing in orders_of_plan(state, definition.id):
        if standing.stands:
            withdraw(state, changes, standing)
    if not Change(cascade).reaches:
        return
    order = Order(
        number=0,
        kind=JobKind.END_PROGRAMS,
        phase=OrderPhase.REACHING,
        cascade=cascade,
        stands=cascade is Cascade.NEXT_RENEWAL,
        program_definition_id=definition.id,
    )
    if date is not None:
        schedule(changes, context, [order], date)
        return
    if _is_end_left_to_jobs(state, context.settings, definition.id):
        start_orders(state, changes, context, [order])
        return
    pools = state.many(LIVE_POOLS_OF_PROGRAM_DEFINITION, definition.id)
    programs = state.many(LIVE_PROGRAMS_OF_PROGRAM_DEFINITION, definition.id)
    require_settled((*pools, *programs), context)
    orders = log_orders(state, changes, [order])
    for pool in pools:
        reach(state, changes, context, pool, orders)
    if cascade is Cascade.IMMEDIATELY:
        for program in programs:
            end_program(state, changes, context, program, orders)


def ask_to_end_program(needs: Needs, state: State, program: Program) -> None:
    needs.read(ORDERS_OF_PROGRAM, program.id)
    if program.calendar is not None:
        needs.read(CHANGES_OF_PROGRAM, program.id)
    ask_for_additions(needs, state, program)


def end_program(
    state: State,
    changes: Changes[Any],
    context: Context,
    program: Program,
    orders: list[Order] | None = None,
) -> None:
    """End a program, whatever else was running on it.

    Opens the pools that it should have by now; the orders end them, too.
    """
    if program.status is ProgramStatus.ENDED:
        return
    if program.status is not ProgramStatus.PROVISIONING:
        for pool in open_missing(state, changes, context, program):
            reach(state, changes, context, pool, orders or [])
    changes.delete(*state.many(ORDERS_OF_PROGRAM, program.id))
    waiting = state.known(CHANGES_OF_PROGRAM, program.id)
    ended = with_end(changes, program, waiting, context.now)
    record_updated(changes, context, ended, "ended")


def _is_end_left_to_jobs(
    state: State, settings: TenantSettings, program_definition_id: str
) -> bool:
    """Whether a request would have to end too much, or a program whose pools a job has yet to open.

    It gets what was added to its definition before the end, as other programs do.
    """
    programs = state.known(LIVE_PROGRAMS_OF_PROGRAM_DEFINITION, program_definition_id)
    pools = state.known(LIVE_POOLS_OF_PROGRAM_DEFINITION, program_definition_id)
    is_arriving = any(each.status is ProgramStatus.PROVISIONING for each in programs)
    return is_arriving or max(len(programs), len(pools)) > settings.in_request_max
