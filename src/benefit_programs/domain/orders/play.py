"""One order played on one pool: what it changes of the pool, and what it books on its account.

Jobs and requests play orders through the same function.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from benefit_programs.domain.account import Account, ask_for_lots, has_lots
from benefit_programs.domain.context import Context
from benefit_programs.domain.details import CreditConfiguration
from benefit_programs.domain.durations import later
from benefit_programs.domain.entities import (
    JobKind,
    Lot,
    LotOrigin,
    Operation,
    Order,
    Pool,
    PoolStatus,
    Program,
    ProgramStatus,
    RenewalActionType,
)
from benefit_programs.domain.lookups import (
    ORDERS_OF_POOL_DEFINITION,
    ORDERS_OF_PROGRAM,
    SNAPSHOT,
)
from benefit_programs.domain.lots import own_fate
from benefit_programs.domain.orders.log import (
    ask_for_orders,
    concerns,
    orders_ahead,
    orders_of_plan,
)
from benefit_programs.domain.pool_changes import (
    dated_by,
    marked_to_end,
    save_pool,
    with_status,
    without_action,
)
from benefit_programs.domain.required import snapshot_of
from benefit_programs.domain.settling import (
    ask_to_move_dates,
    ask_to_settle,
    is_due,
    lapse_all,
    lapses_at_end,
    move_dates,
    settle,
)
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import AMOUNT_MAX, PERCENT_MAX, Cascade, Credits
from benefit_programs.domain.watching import watch_anew

POOL_STATUS = {
    ProgramStatus.ACTIVE: PoolStatus.ACTIVE,
    ProgramStatus.PAUSED: PoolStatus.PAUSED,
    ProgramStatus.ENDED: PoolStatus.ENDED,
}


def ask_for_renewal(needs: Needs, state: State, pool: Pool) -> None:
    """Ask for what a pool may be renewed with: what it gives, and what waits for its renewal."""
    ask_for_end(needs, state, pool)
    if pool.renewal_snapshot_id is not None:
        needs.read(SNAPSHOT, pool.renewal_snapshot_id)


def ask_for_end(needs: Needs, state: State, pool: Pool) -> None:
    """Ask for what may become of a pool's credits when it ends."""
    needs.read(SNAPSHOT, pool.snapshot_id)
    if pool.alerts is not None or is_due(pool, needs.now):
        ask_to_settle(needs, state, pool)
    elif pool.stopped is not None:
        ask_to_move_dates(needs, pool)
    elif has_lots(pool):
        ask_for_lots(needs, pool.id)


def ask_to_reach(
    needs: Needs, state: State, pools: Iterable[Pool], *, renews: bool = False
) -> None:
    """Ask for what is ahead of these pools, and for what it needs of them; or for a renewal."""
    for pool in pools:
        ask_for_orders(needs, state, pool)
        renewals = state.known(ORDERS_OF_PROGRAM, pool.program_id)
        if renews or any(order.kind is JobKind.RENEW_PROGRAM for order in renewals):
            ask_for_renewal(needs, state, pool)
        else:
            ask_for_end(needs, state, pool)


def play(state: State, account: Account, order: Order) -> None:
    """Take a pool through one more order that is for it. One that has ended goes through nothing.

    An order without a number is the newest of all.
    """
    pool = account.pool
    if pool.status is PoolStatus.ENDED:
        return
    account.at = account.context.now if order.at is None else order.at
    # What was due before happens by the terms and the clock of then.
    settle(state, account)
    if order.kind is JobKind.RENEW_PROGRAM and order.status is not ProgramStatus.ENDED:
        renew_pool(state, account)
    else:
        if order.stops_clock:
            account.pool = replace(account.pool, stopped=account.at, due=None)
        account.pool = _changed(state, account.pool, order)
    if account.pool.stopped is not None and account.pool.status is not PoolStatus.PAUSED:
        move_dates(state, account)
    if account.pool.status is PoolStatus.ENDED and lapses_at_end(state, account.pool):
        lapse_all(account)
    if order.number:
        account.pool = replace(account.pool, order_number=order.number)
    _watch(state, account, order, snapshot_before=pool.snapshot_id)


def _watch(state: State, account: Account, order: Order, *, snapshot_before: str) -> None:
    """Judge the alerts of a pool after an order; what needs its program or new terms soon after."""
    pool = account.pool
    is_new = pool.snapshot_id != snapshot_before
    if is_new and order.kind is JobKind.UPDATE_POOLS:
        # The new terms may be made in the same decision.
        if pool.alerts is not None or order.has_alerts:
            account.pool = watch_anew(pool, account.at)
        return
    if pool.alerts is None and not (is_new and snapshot_of(state, pool).details.alerts):
        return
    if pool.status is PoolStatus.ENDED:
        return
    if not account.is_whole:
        account.watch()
    account.pool = watch_anew(account.pool, account.at)


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
    """A pool after an update. If that had to wait for its date, what came meanwhile stands.

    Then newer terms aren't taken back, nor is what was pending by a newer change.
    """
    assert order.snapshot_id is not None
    has_waited = order.at is not None
    if has_waited and pool.pool_definition_revision >= order.revision:
        return pool
    keeps_action = has_waited and _has_newer_action(state, pool, order)
    updated = replace(
        pool if keeps_action else without_action(pool),
        snapshot_id=order.snapshot_id,
        pool_definition_revision=order.revision,
    )
    return marked_to_end(updated) if _ends_with_its_program(state, pool, order) else updated


def _has_newer_action(state: State, pool: Pool, order: Order) -> bool:
    """Whether a change after this one, which waited, says what a renewal does to the pool."""
    if (pool.renewal_revision or 0) > order.revision:
        return True
    if pool.renewal_action is not RenewalActionType.END:
        return False
    orders = state.known(ORDERS_OF_POOL_DEFINITION, pool.pool_definition_id)
    return any(
        each.kind is JobKind.END_POOLS
        and each.stands
        and each.revision > order.revision
        and concerns(each, pool)
        for each in orders
    )


def _ends_with_its_program(state: State, pool: Pool, order: Order) -> bool:
    """Whether an earlier order says that the pool ends when its program renews."""
    plan = orders_of_plan(state, pool.program_definition_id)
    ends = [each for each in plan if each.kind is JobKind.END_PROGRAMS and each.stands]
    return any(not order.number or each.number < order.number for each in ends)


def _marked_to_update(pool: Pool, order: Order) -> Pool:
    if pool.renewal_action is RenewalActionType.END:
        return pool
    newest = max(pool.pool_definition_revision, pool.renewal_revision or 0)
    if order.at is not None and newest >= order.revision:
        return pool
    return replace(
        pool,
        renewal_action=RenewalActionType.UPDATE,
        renewal_snapshot_id=order.snapshot_id,
        renewal_revision=order.revision,
    )


def caught_up(state: State, context: Context, pool: Pool, *, up_to: int | None = None) -> Account:
    """A pool's account after all orders that are ahead of it, or those up to a number."""
    account = Account(pool, context, state=state)
    for order in orders_ahead(state, pool, up_to=up_to):
        play(state, account, order)
    return account


def reach(
    state: State,
    changes: Changes[Any],
    context: Context,
    pool: Pool,
    orders: Sequence[Order] = (),
    *,
    up_to: int | None = None,
    program: Program | None = None,
) -> Pool:
    """Take a pool through what is ahead of it, then through new orders: one change of the pool.

    It takes over the date of its ``program``, where that has another one now.
    """
    account = Account(pool, context, state=state, lots=_lots_if_new(changes, pool))
    until = next((order.at for order in orders), None)
    for order in orders_ahead(state, pool, up_to=up_to, until=until):
        play(state, account, order)
    for order in orders:
        if concerns(order, pool):
            play(state, account, order)
    if program is not None and account.pool.status is not PoolStatus.ENDED:
        account.pool = dated_by(account.pool, program, account.at)
    return save_pool(changes, pool, account)


def _lots_if_new(changes: Changes[Any], pool: Pool) -> list[Lot] | None:
    """All lots of a pool that was opened in the same decision."""
    if (not has_lots(pool) and pool.alerts is None) or not any(
        isinstance(row, Pool) and row.id == pool.id for row in changes.saved
    ):
        return None
    return [row for row in changes.saved if isinstance(row, Lot) and row.pool_id == pool.id]


# How a pool starts a new cycle. Contract: Renew.


def renew_pool(state: State, account: Account) -> None:
    """Bring a pool into its next cycle, or end it if that was pending."""
    account.pool = take_pending_action(account.pool)
    if account.pool.status is PoolStatus.ENDED:
        return
    snapshot = snapshot_of(state, account.pool)
    configuration = snapshot.details.credit_configuration
    if configuration is not None:
        _roll_over(account, configuration)
        if configuration.amount:
            zone = account.context.settings.time_zone
            fate = own_fate(configuration, LotOrigin.RENEWAL, account.at, zone)
            account.grant(Operation.RENEWAL, configuration.amount, fate)
    account.pool = replace(account.pool, renewal_count=account.pool.renewal_count + 1)


def _roll_over(account: Account, configuration: CreditConfiguration) -> None:
    """Let what doesn't roll over lapse, in the burn order, and shorten the life of the rest.

    Lots that renewals leave alone are not looked at.
    """
    pool, lots = account.pool, None
    available = pool.available
    if has_lots(pool):
        lots = [lot for lot in account.live_lots() if not lot.kept_at_renewal]
        available = sum(lot.available for lot in lots)
    room = AMOUNT_MAX - pool.reserved - (pool.available - available)
    kept = kept_credits(available, configuration, room)
    if lapsed := available - kept:
        account.spend(Operation.EXPIRY, lapsed, lots=lots)
    rollover = configuration.rollover_configuration
    if not kept or rollover is None or rollover.expires_after is None:
        return
    for lot in account.live_lots():
        at, zone = account.clock_of(lot), account.context.settings.time_zone
        end = later(at, rollover.expires_after, zone)
        if not lot.kept_at_renewal and (lot.expiration_date is None or lot.expiration_date > end):
            account.let_end(lot, end)


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


def kept_credits(
    available: Credits, configuration: CreditConfiguration, room: Credits = AMOUNT_MAX
) -> Credits:
    """How much of a balance rolls over; never so much that the new amount no longer has room.

    What would take the balance past the largest amount lapses: a renewal is never refused for it.
    """
    rollover = configuration.rollover_configuration
    if rollover is None or not rollover.enabled:
        return 0
    share = max(available, 0)
    if rollover.percent is not None:
        share = share * rollover.percent // PERCENT_MAX
    kept = min(share, room - (configuration.amount or 0))
    return kept if rollover.balance_cap is None else min(kept, rollover.balance_cap)
