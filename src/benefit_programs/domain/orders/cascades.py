"""Cascades with a date begin: their orders get numbers, and jobs take them to all pools."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.due import ask_for_cascades, due_cascades
from benefit_programs.domain.entities import JobKind, Order, PoolDefinition
from benefit_programs.domain.lookups import (
    BEFORE_ALL_INSTANTS,
    FIRST_DUE_CASCADE,
    ORDERS_OF_POOL_DEFINITION,
    POOL_DEFINITION,
    PROGRAM_DEFINITION,
    SCHEDULED_CHANGE,
)
from benefit_programs.domain.orders.definitions import (
    change_of,
    remember,
    start_orders,
    update_standing,
)
from benefit_programs.domain.orders.log import ask_to_give_numbers
from benefit_programs.domain.orders.waiting import orders_of
from benefit_programs.domain.scheduled_changes import ChangeStatus, ScheduledChange, ended
from benefit_programs.domain.state import Changes, Needs, State


class StartCascades(Command[int], frozen=True, kw_only=True):
    """Begin the first cascade whose date has come. Answers whether there was one, as a number."""

    about = ScheduledChange

    def ask(self, needs: Needs, state: State) -> None:
        ask_for_cascades(needs)
        for change in state.known(FIRST_DUE_CASCADE, BEFORE_ALL_INSTANTS):
            _ask_to_begin(needs, change)

    def decide(self, state: State, context: Context) -> Changes[int]:
        changes = Changes(0)
        for change in due_cascades(state, context.now):
            _begin(state, changes, context, change)
            changes.save(ended(change, ChangeStatus.DONE, context.now))
            changes.answer += 1
        return changes


def _ask_to_begin(needs: Needs, change: ScheduledChange) -> None:
    """Hold the definitions, as whoever provisions does, before any order gets a number."""
    needs.lock(SCHEDULED_CHANGE, change.id)
    for order in orders_of(change):
        if order.pool_definition_id is not None:
            needs.lock(POOL_DEFINITION, order.pool_definition_id)
            needs.read(ORDERS_OF_POOL_DEFINITION, order.pool_definition_id)
        if order.program_definition_id is not None:
            needs.lock(PROGRAM_DEFINITION, order.program_definition_id)
    ask_to_give_numbers(needs)


def _begin(state: State, changes: Changes[Any], context: Context, change: ScheduledChange) -> None:
    """Start the orders of a cascade, and let what it overrides stand no more."""
    orders = orders_of(change)
    definition = None
    if change.pool_definition_id is not None:
        definition = state.one(POOL_DEFINITION, change.pool_definition_id)
        first = orders[0]
        terms = (first.snapshot_id, first.revision)
        update_standing(state, changes, change.pool_definition_id, change_of(orders), *terms)
    orders = [_with_newest_terms(order, definition) for order in orders]
    started = start_orders(state, changes, context, orders)
    number = remember(state, changes, started)
    if definition is not None and number is not None:
        changes.save(replace(definition, order_number=number))


def _with_newest_terms(order: Order, definition: PoolDefinition | None) -> Order:
    """Pools that are opened only now are made from the definition as it is now."""
    if order.kind is not JobKind.ADD_POOLS or definition is None:
        return order
    return replace(order, snapshot_id=definition.snapshot_id, revision=definition.revision)
