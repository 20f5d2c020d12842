"""One order played on one pool: the pool after it, and the transactions that it books.

Jobs and requests play orders through the same function.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from benefit_programs.domain.account import Account
from benefit_programs.domain.context import Context
from benefit_programs.domain.details import CreditConfiguration
from benefit_programs.domain.entities import (
    JobKind,
    Operation,
    Order,
    Pool,
    PoolStatus,
    ProgramStatus,
    RenewalActionType,
    Transaction,
)
from benefit_programs.domain.lookups import SNAPSHOT
from benefit_programs.domain.orders.log import concerns, orders_ahead, orders_of_plan
from benefit_programs.domain.pool_changes import (
    marked_to_end,
    save_pool,
    with_status,
    without_action,
)
from benefit_programs.domain.state import Changes, State
from benefit_programs.domain.values import AMOUNT_MAX, Cascade, Credits

POOL_STATUS = {
    ProgramStatus.ACTIVE: PoolStatus.ACTIVE,
    ProgramStatus.PAUSED: PoolStatus.PAUSED,
    ProgramStatus.ENDED: PoolStatus.ENDED,
}


class Played(NamedTuple):
    """A pool after orders, and the transactions of its renewals."""

    pool: Pool
    transactions: list[Transaction]


def play(state: State, context: Context, pool: Pool, order: Order) -> Played:
    """The pool after one more order that is for it. One that has ended goes through nothing.

    An order without a number is the newest of all.
    """
    if pool.status is PoolStatus.ENDED:
        return Played(pool, [])
    transactions: list[Transaction] = []
    if order.kind is JobKind.RENEW_PROGRAM and order.status is not ProgramStatus.ENDED:
        pool, transactions = renew_pool(state, context, pool)
    else:
        pool = _changed(state, pool, order)
    return Played(replace(pool, order_number=order.number or pool.order_number), transactions)


def _changed(state: State, pool: Pool, order: Order) -> Pool:
    at_once = order.cascade is Cascade.IMMEDIATELY
    match order.kind:
        case JobKind.UPDATE_POOLS:
            return _updated(state, pool, order) if at_once else _marked_to_update(pool, order)
        case JobKind.END_POOLS | JobKind.END_PROGRAMS:
            return with_status(pool, PoolStatus.ENDED) if at_once else marked_to_end(pool)
        case JobKind.ADD_POOLS | JobKind.KEEP_POOLS:
            return without_action(pool) if pool.renewal_action is RenewalActionType.END else pool
    assert order.status is not None, "what is left is an action, which gives its program a status"
    return with_status(pool, POOL_STATUS[order.status])


def _updated(state: State, pool: Pool, order: Order) -> Pool:
    assert order.snapshot_id is not None
    updated = replace(
        without_action(pool),
        snapshot_id=order.snapshot_id,
        pool_definition_revision=order.revision,
    )
    return marked_to_end(updated) if _ends_with_its_program(state, pool, order) else updated


def _ends_with_its_program(state: State, pool: Pool, order: Order) -> bool:
    """Whether an earlier order says that the pool ends when its program renews."""
    plan = orders_of_plan(state, pool.program_definition_id)
    ends = [each for each in plan if each.kind is JobKind.END_PROGRAMS and each.stands]
    return any(not order.number or each.number < order.number for each in ends)


def _marked_to_update(pool: Pool, order: Order) -> Pool:
    if pool.renewal_action is RenewalActionType.END:
        return pool
    return replace(
        pool,
        renewal_action=RenewalActionType.UPDATE,
        renewal_snapshot_id=order.snapshot_id,
        renewal_revision=order.revision,
    )


def play_all(state: State, context: Context, pool: Pool, orders: Iterable[Order]) -> Played:
    transactions: list[Transaction] = []
    for order in orders:
        pool, booked = play(state, context, pool, order)
        transactions += booked
    return Played(pool, transactions)


def caught_up(state: State, context: Context, pool: Pool, *, up_to: int | None = None) -> Played:
    """The pool after all orders that are ahead of it, or those up to a number."""
    return play_all(state, context, pool, orders_ahead(state, pool, up_to=up_to))


def reach(
    state: State,
    changes: Changes[Any],
    context: Context,
    pool: Pool,
    orders: Sequence[Order] = (),
    *,
    up_to: int | None = None,
) -> Pool:
    """Take a pool through what is ahead of it, then through new orders: one change of the pool."""
    new = [order for order in orders if concerns(order, pool)]
    caught, booked = caught_up(state, context, pool, up_to=up_to)
    after, more = play_all(state, context, caught, new)
    return save_pool(changes, context, pool, after, [*booked, *more])


# How a pool starts a new cycle. Contract: Renew.


def renew_pool(state: State, context: Context, pool: Pool) -> tuple[Pool, list[Transaction]]:
    """The pool in its next cycle, or ended if that was pending, with its transactions."""
    pool = take_pending_action(pool)
    if pool.status is PoolStatus.ENDED:
        return pool, []
    snapshot = state.one(SNAPSHOT, pool.snapshot_id)
    assert snapshot is not None
    account = Account(pool, context)
    configuration = snapshot.details.credit_configuration
    if configuration is not None:
        if lapsed := pool.available - kept_credits(pool.available, configuration):
            account.spend(Operation.EXPIRY, lapsed)
        if configuration.amount:
            account.grant(Operation.RENEWAL, configuration.amount)
    renewed = replace(account.pool, renewal_count=pool.renewal_count + 1)
    return renewed, account.transactions


def take_pending_action(pool: Pool) -> Pool:
    """The pool after what was pending for its renewal."""
    if pool.renewal_action is RenewalActionType.END:
        return with_status(pool, PoolStatus.ENDED)
    if pool.renewal_action is RenewalActionType.UPDATE:
        assert pool.renewal_snapshot_id is not None
        assert pool.renewal_revision is not None
        return replace(
            without_action(pool),
            snapshot_id=pool.renewal_snapshot_id,
            pool_definition_revision=pool.renewal_revision,
        )
    return pool


def kept_credits(available: Credits, configuration: CreditConfiguration) -> Credits:
    """How much of a balance rolls over; never so much that the new amount no longer fits.

    What would take the balance past the largest amount lapses: a renewal is never refused for it.
    """
    rollover = configuration.rollover_configuration
    if rollover is None or not rollover.enabled:
        return 0
    kept = min(max(available, 0), AMOUNT_MAX - (configuration.amount or 0))
    return kept if rollover.balance_cap is None else min(kept, rollover.balance_cap)
