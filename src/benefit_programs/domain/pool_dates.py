"""What the pools of a program know of its dates, and who tells them when these change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from benefit_programs.domain.account import Account
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import Pool, Program
from benefit_programs.domain.lookups import CHANGES_OF_PROGRAM, LIVE_POOLS_OF_PROGRAM, PROGRAM
from benefit_programs.domain.pool_changes import dated_by, save_pool
from benefit_programs.domain.program_dates import dated
from benefit_programs.domain.scheduled_changes import ScheduledChange
from benefit_programs.domain.settling import ask_to_settle, settle
from benefit_programs.domain.state import Changes, Mode, Needs, State
from benefit_programs.domain.values import Instant


def ask_to_date(needs: Needs, state: State, program_id: str) -> None:
    """Ask for a program whose dates change, with its living pools, unless there are too many."""
    needs.lock(PROGRAM, program_id)
    needs.read(CHANGES_OF_PROGRAM, program_id)
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
