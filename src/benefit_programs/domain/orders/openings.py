"""Pools that programs get after they were provisioned: at once, by a job, or when they renew.

Whoever opens a pool shares its definition and that of its program; whoever changes these locks
them. So an order for the pool is either seen here, or finds the pool.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import (
    JobKind,
    Order,
    Pool,
    PoolOrigin,
    PoolStatus,
    Program,
    ProgramStatus,
)
from benefit_programs.domain.jobs import JOBS
from benefit_programs.domain.lookups import (
    AGENDA,
    ORDERS_OF_PROGRAM_DEFINITION,
    POOL_DEFINITION,
    POOLS_OF_PROGRAM_BY_DEFINITION,
    PROGRAM_DEFINITION,
    SNAPSHOT,
)
from benefit_programs.domain.opening import Template, open_pool, settled_status
from benefit_programs.domain.orders.log import (
    Place,
    ask_for_orders,
    is_added_at_renewal,
    newest_number,
    orders_of_plan,
)
from benefit_programs.domain.orders.play import (
    ask_to_reach,
    caught_up,
    reach,
)
from benefit_programs.domain.state import Changes, Mode, Needs, State
from benefit_programs.domain.values import Instant


def ask_to_open(
    needs: Needs, state: State, program_definition_id: str | None, definition_ids: Iterable[str]
) -> bool:
    """Share the definitions of pools that will be opened; whether they are held by now."""
    wanted = [(POOL_DEFINITION, each) for each in dict.fromkeys(definition_ids)]
    if program_definition_id is not None:
        wanted.append((PROGRAM_DEFINITION, program_definition_id))  # type: ignore[arg-type]
    for index, key in wanted:
        needs.share(index, key)
    return all(state.has(index, (key,), Mode.SHARE) for index, key in wanted)


def additions(
    state: State, program: Program, *, at_renewal: bool = False, until: Instant | None = None
) -> list[Order]:
    """The orders by which a program gets pools that it may not have yet, in their order.

    They end with those that happen up to an instant, ``until``.
    """
    return [
        order
        for order in orders_of_plan(state, program.program_definition_id, until=until)
        if order.kind is JobKind.ADD_POOLS
        and (
            (at_renewal and order.stands)
            if is_added_at_renewal(order)
            else order.number > program.order_number
        )
    ]


def ask_for_additions(
    needs: Needs, state: State, program: Program, *, at_renewal: bool = False
) -> list[Pool]:
    """Ask for what additions need, and give the pools of their kinds that the program has."""
    if program.program_definition_id is None:
        return []
    needs.read(ORDERS_OF_PROGRAM_DEFINITION, program.program_definition_id)
    orders = additions(state, program, at_renewal=at_renewal)
    opened_ids = [str(order.pool_definition_id) for order in orders]
    if not orders or not ask_to_open(needs, state, program.program_definition_id, opened_ids):
        return []
    # Once more, behind the definitions: now there can be no other orders.
    needs.share(ORDERS_OF_PROGRAM_DEFINITION, program.program_definition_id)
    needs.read(AGENDA, JOBS)
    return [pool for order in orders for pool in ask_to_serve(needs, state, program, order)]


def ask_to_serve(needs: Needs, state: State, program: Program, order: Order) -> list[Pool]:
    """Ask for what one addition needs, once its definitions are held."""
    definition_id = str(order.pool_definition_id)
    needs.read(SNAPSHOT, order.snapshot_id)
    needs.lock(POOLS_OF_PROGRAM_BY_DEFINITION, program.id, definition_id)
    ask_for_orders(needs, state, Place(definition_id, program.id, program.program_definition_id))
    pools = state.known(POOLS_OF_PROGRAM_BY_DEFINITION, program.id, definition_id)
    ask_to_reach(needs, state, pools)
    return living(pools)


def serve(
    state: State,
    changes: Changes[Any],
    context: Context,
    program: Program,
    order: Order,
    opened: Sequence[Pool] = (),
) -> list[Pool]:
    """Take a program through an addition: the pools that it has, or else a new one, which it gives.

    Those that were ``opened`` in the same commit have been through all orders.
    """
    pools = state.many(POOLS_OF_PROGRAM_BY_DEFINITION, program.id, order.pool_definition_id)
    reached = [reach(state, changes, context, each, up_to=order.number) for each in living(pools)]
    new = [pool for pool in opened if pool.pool_definition_id == order.pool_definition_id]
    if living(reached) or _has_lived([*pools, *new], order):
        return []
    template = template_in(state, order, order.number)
    new_pool = open_added(changes, context, program, template, at=order.at)
    return [reach(state, changes, context, new_pool)]


def open_missing(
    state: State,
    changes: Changes[Any],
    context: Context,
    program: Program,
    *,
    until: Instant | None = None,
) -> list[Pool]:
    """Open the pools that additions give the program and that aren't open yet.

    Additions after an instant, ``until``, come later.
    """
    opened: list[Pool] = []
    for order in additions(state, program, until=until):
        stored = state.many(POOLS_OF_PROGRAM_BY_DEFINITION, program.id, order.pool_definition_id)
        kind = [pool for pool in opened if pool.pool_definition_id == order.pool_definition_id]
        then = [
            caught_up(state, context, pool, up_to=order.number).pool for pool in (*stored, *kind)
        ]
        if not living(then) and not _has_lived([*stored, *kind], order):
            template = template_in(state, order, order.number)
            opened.append(open_added(changes, context, program, template, at=order.at))
    return opened


def open_at_renewal(
    state: State,
    changes: Changes[Any],
    context: Context,
    program: Program,
    renewal: Order,
    renewed: Sequence[Pool],
) -> list[Pool]:
    """Open the pools that a renewal adds, unless the program has one of the kind."""
    opened = []
    for order in additions(state, program, at_renewal=True, until=renewal.at):
        stored = state.many(POOLS_OF_PROGRAM_BY_DEFINITION, program.id, order.pool_definition_id)
        pools = {pool.id: pool for pool in (*stored, *renewed)}.values()
        kind = [pool for pool in pools if pool.pool_definition_id == order.pool_definition_id]
        if is_added_at_renewal(order) and not living(kind):
            number = renewal.number or newest_number(state)
            template = template_in(state, order, number)
            opened.append(open_added(changes, context, program, template, at=renewal.at))
    return opened


def template_in(state: State, order: Order, number: int) -> Template:
    """What an order opens, for a pool that has nothing ahead up to a number."""
    snapshot = state.one(SNAPSHOT, order.snapshot_id)
    assert snapshot is not None
    definition_id = order.opened_id or order.pool_definition_id
    assert definition_id is not None
    return Template(definition_id, order.revision, snapshot, number)


def open_added(
    changes: Changes[Any],
    context: Context,
    program: Program,
    template: Template,
    *,
    at: Instant | None = None,
) -> Pool:
    origin = PoolOrigin.CASCADE
    return open_pool(changes, context, program=program, template=template, origin=origin, at=at)


def _has_lived(pools: Iterable[Pool], order: Order) -> bool:
    """Whether a pool went through an order: then it was there, even if it has ended since."""
    return any(pool.order_number >= order.number for pool in pools)


def living(pools: Iterable[Pool]) -> list[Pool]:
    return [pool for pool in pools if pool.status is not PoolStatus.ENDED]


def takes_additions(program: Program) -> bool:
    """Whether a program gets added pools now. While it is provisioned it gets them at the end."""
    is_arriving = program.status is ProgramStatus.PROVISIONING
    return not is_arriving and settled_status(program) is not ProgramStatus.ENDED
