"""How a live pool changes, and the events of its changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from benefit_programs.domain.account import Account
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import Pool, PoolStatus, Program, RenewalActionType
from benefit_programs.domain.events import record, record_balance, record_updated
from benefit_programs.domain.lookups import LIVE_POOLS_OF_PROGRAM
from benefit_programs.domain.operations import RULES
from benefit_programs.domain.program_dates import dated
from benefit_programs.domain.scheduled_changes import ScheduledChange
from benefit_programs.domain.settling import ask_to_settle, settle
from benefit_programs.domain.state import Changes, Mode, Needs, State
from benefit_programs.domain.values import Instant
from benefit_programs.domain.watching import watch_anew

RENEWED = "renewed"
STATUS_SLUGS = {
    PoolStatus.ACTIVE: "resumed",
    PoolStatus.PAUSED: "paused",
    PoolStatus.ENDED: "ended",
}


def with_status(pool: Pool, status: PoolStatus) -> Pool:
    """The pool in another status; one that ends has nothing pending any more."""
    if pool.status is status or pool.status is PoolStatus.ENDED:
        return pool
    changed = replace(pool, status=status, previous_status=pool.status)
    if status is PoolStatus.ENDED:
        return replace(without_action(changed), program_due=None, alerts=None)
    return changed


def without_action(pool: Pool) -> Pool:
    return replace(pool, renewal_action=None, renewal_snapshot_id=None, renewal_revision=None)


def marked_to_end(pool: Pool) -> Pool:
    """The pool that ends when it renews, whatever was pending before."""
    if pool.status is PoolStatus.ENDED or pool.renewal_action is RenewalActionType.END:
        return pool
    return replace(without_action(pool), renewal_action=RenewalActionType.END)


def ask_to_date_pools(needs: Needs, state: State, program_id: str) -> None:
    """Ask for the living pools of a program whose dates change, unless there are too many."""
    needs.read(LIVE_POOLS_OF_PROGRAM, program_id)
    pools = state.known(LIVE_POOLS_OF_PROGRAM, program_id)
    is_known = state.has(LIVE_POOLS_OF_PROGRAM, (program_id,), Mode.READ)
    if not is_known or len(pools) > needs.settings.in_request_max:
        return
    needs.lock(LIVE_POOLS_OF_PROGRAM, program_id)
    for pool in pools:
        if pool.alerts is not None:
            ask_to_settle(needs, state, pool)


def date_pools(
    state: State, changes: Changes[Any], context: Context, program: Program, at: Instant
) -> None:
    """Tell the living pools of a program its dates as of an instant, unless there are too many."""
    pools = state.many(LIVE_POOLS_OF_PROGRAM, program.id)
    if len(pools) > context.settings.in_request_max:
        return
    for pool in pools:
        if pool.alerts is not None:
            _date_watched(state, changes, context, pool, program, at)
        elif pool.program_due != program.due:
            changes.save(dated_by(pool, program, at))


def _date_watched(
    state: State,
    changes: Changes[Any],
    context: Context,
    pool: Pool,
    program: Program,
    at: Instant,
) -> None:
    """Date a pool with alerts, after what came due in it by the dates before."""
    account = Account(pool, context, state=state)
    account.at = at
    settle(state, account)
    account.pool = dated_by(account.pool, program, at)
    save_pool(changes, pool, account)


def save_dates(
    state: State,
    changes: Changes[Any],
    context: Context,
    program: Program,
    waiting: Iterable[ScheduledChange],
    at: Instant | None = None,
) -> None:
    """Write the date of what comes next in a program, and tell its pools.

    That is as of now, or of the instant ``at`` which it happens.
    """
    program = dated(program, waiting)
    changes.save(program)
    date_pools(state, changes, context, program, context.now if at is None else at)


def save_pool(changes: Changes[Any], before: Pool, account: Account) -> Pool:
    """Write a pool that several steps have changed, as one change with its events.

    A pool that only went through orders that leave it as it is gets no new revision, nor does one
    whose program has another date or whose alerts have to be looked at.
    """
    after, context, transactions = account.pool, account.context, account.transactions
    if before == after:
        return after
    if before == replace(
        after,
        order_number=before.order_number,
        program_due=before.program_due,
        alerts=before.alerts,
        due=before.due,
    ):
        account.save_beside(changes)
        changes.save(after)
        return account.tell(changes, after)
    slugs = []
    if after.renewal_count != before.renewal_count:
        slugs.append(RENEWED)
    if after.status is not before.status:
        slugs.append(STATUS_SLUGS[after.status])
    account.save_beside(changes)
    last = None
    for number, transaction in enumerate(transactions):
        after = account.tell(changes, after, before=number)
        event = RULES[transaction.operation].event
        if event is not None:
            changes.save(transaction)
            after = record(changes, context, after, event, transaction_id=transaction.id)
        elif transaction is not transactions[-1]:
            record_balance(changes, context, transaction)
        else:
            changes.save(transaction)
            last = transaction.id
    after = record_updated(changes, context, after, *slugs, transaction_id=last)
    return account.tell(changes, after)


def dated_by(pool: Pool, program: Program, at: Instant) -> Pool:
    """A living pool that knows when something happens to its program next, and looks at alerts."""
    dated = replace(pool, program_due=program.due)
    return dated if pool.alerts is None else watch_anew(dated, at)
