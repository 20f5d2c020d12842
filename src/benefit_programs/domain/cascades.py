"""Cascades: what a change of a definition does to the pools made from it. Contract: Cascade.

A change that concerns few pools is done in its own commit. A larger one is written down as an
``UnfinishedCascade``, numbered per pool definition, and a job takes it to the pools in chunks. So
does an action on a program with many pools, an ``UnfinishedAction``. Until a pool's turn comes,
whoever changes it first brings it up to date (``caught_up``): the pool goes through the cascades
and the action that it hasn't been through, in the order of their answers, each exactly once.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile
from typing import NamedTuple

from msgspec.structs import replace

from benefit_programs.domain.command import Context
from benefit_programs.domain.entities import (
    CascadeKind,
    Pool,
    PoolStatus,
    Program,
    ProgramStatus,
    RenewalActionType,
    Transaction,
    UnfinishedAction,
    UnfinishedCascade,
)
from benefit_programs.domain.jobs import JobKind
from benefit_programs.domain.lookups import (
    CASCADES_OF_POOL_DEFINITION,
    CASCADES_OF_PROGRAM_DEFINITION,
    PENDING_END,
    SNAPSHOT,
    UNFINISHED_ACTION,
)
from benefit_programs.domain.pool_changes import marked_to_end, with_status, without_action
from benefit_programs.domain.renewal import ask_for_renewal, renew_pool
from benefit_programs.domain.state import Needs, State
from benefit_programs.domain.values import Cascade

POOL_STATUS = {
    ProgramStatus.ACTIVE: PoolStatus.ACTIVE,
    ProgramStatus.PAUSED: PoolStatus.PAUSED,
    ProgramStatus.ENDED: PoolStatus.ENDED,
}


class Reached(NamedTuple):
    """A pool after changes that had not reached it, and the transactions of its renewal."""

    pool: Pool
    transactions: list[Transaction]


def ask_for_cascades(needs: Needs, state: State, pools: Iterable[Pool]) -> None:
    """Ask for what may not have reached these pools yet."""
    definitions: dict[str, None] = {}
    program_definitions: dict[str, None] = {}
    for pool in pools:
        definitions[pool.pool_definition_id] = None
        if pool.program_definition_id is not None:
            program_definitions[pool.program_definition_id] = None
        needs.read(UNFINISHED_ACTION, pool.program_id)
        action = state.loaded(UNFINISHED_ACTION, pool.program_id)
        if action is not None and action.kind == JobKind.RENEW_PROGRAM:
            ask_for_renewal(needs, pool)
    for pool_definition_id in definitions:
        ask_for_cascades_of(needs, state, pool_definition_id)
    for program_definition_id in program_definitions:
        ask_for_cascades_of_programs(needs, program_definition_id)


def ask_for_cascades_of_programs(needs: Needs, program_definition_id: str) -> None:
    """Ask for what the definition of programs has in store for them."""
    needs.read(CASCADES_OF_PROGRAM_DEFINITION, program_definition_id)
    needs.read(PENDING_END, program_definition_id)


def ask_for_cascades_of(needs: Needs, state: State, pool_definition_id: str) -> None:
    """Ask for what may not have reached all pools of a definition yet."""
    needs.read(CASCADES_OF_POOL_DEFINITION, pool_definition_id)
    for cascade in state.known(CASCADES_OF_POOL_DEFINITION, pool_definition_id):
        if cascade.snapshot_id is not None:
            needs.read(SNAPSHOT, cascade.snapshot_id)


def caught_up(
    state: State, context: Context, pool: Pool, *, up_to: UnfinishedCascade | None = None
) -> Reached:
    """The pool after all unfinished changes that concern it, or those up to a cascade."""
    cascades = _cascades_ahead(state, pool)
    if up_to is not None:
        cascades = [each for each in cascades if each.number <= up_to.number]
    end = _end_of_programs(state, pool)
    if end is not None and end.cascade is Cascade.IMMEDIATELY:
        cascades = [each for each in cascades if _is_earlier(each, end)]
    action = state.one(UNFINISHED_ACTION, pool.program_id)
    transactions: list[Transaction] = []
    if action is not None and action.id != pool.action_id:
        earlier, cascades = _split(cascades, action)
        pool = _after(pool, earlier)
        if up_to is not None and not cascades:
            return Reached(pool, [])
        pool, transactions = after_action(state, context, pool, action)
    pool = _after(pool, cascades)
    if end is not None and up_to is not None and _is_earlier(up_to, end):
        return Reached(pool, transactions)
    if end is not None and end.cascade is Cascade.IMMEDIATELY:
        return Reached(with_status(pool, PoolStatus.ENDED), transactions)
    return Reached(kept_to_end(state, pool), transactions)


def acted_on(state: State, context: Context, pool: Pool, action: UnfinishedAction) -> Reached:
    """The pool after an action on its program, and after what was answered before that."""
    earlier, _ = _split(_cascades_ahead(state, pool), action)
    pool, transactions = after_action(state, context, _after(pool, earlier), action)
    end = _end_of_programs(state, pool)
    if end is not None and action.earlier is not None and end.id not in action.earlier:
        return Reached(pool, transactions)
    return Reached(kept_to_end(state, pool), transactions)


def after_action(state: State, context: Context, pool: Pool, action: UnfinishedAction) -> Reached:
    """The pool after an action, when nothing else has to come before it."""
    pool = replace(pool, action_id=action.id)
    if action.kind != JobKind.RENEW_PROGRAM or action.status is ProgramStatus.ENDED:
        return Reached(with_status(pool, POOL_STATUS[action.status]), [])
    if pool.status is PoolStatus.ENDED:
        return Reached(pool, [])
    return Reached(*renew_pool(state, context, pool))


def _cascades_ahead(state: State, pool: Pool) -> list[UnfinishedCascade]:
    """The unfinished cascades of its definition that the pool hasn't been through, in order."""
    cascades = state.many(CASCADES_OF_POOL_DEFINITION, pool.pool_definition_id)
    ahead = [each for each in cascades if each.number > pool.cascades]
    return sorted(ahead, key=lambda each: each.number)


def _end_of_programs(state: State, pool: Pool) -> UnfinishedCascade | None:
    """The deletion of the pool's program definition, while its job works."""
    if pool.program_definition_id is None:
        return None
    cascades = state.many(CASCADES_OF_PROGRAM_DEFINITION, pool.program_definition_id)
    return next((each for each in cascades if each.kind is CascadeKind.END_PROGRAMS), None)


def _is_earlier(cascade: UnfinishedCascade, end: UnfinishedCascade) -> bool:
    """Whether a cascade was answered before the deletion of a program definition."""
    return cascade.id in (end.earlier or ())


def _split(
    cascades: list[UnfinishedCascade], action: UnfinishedAction
) -> tuple[list[UnfinishedCascade], list[UnfinishedCascade]]:
    """The cascades that were answered before an action, and those after it."""
    if action.earlier is None:
        return cascades, []
    known = frozenset(action.earlier)
    earlier = list(takewhile(lambda each: each.id in known, cascades))
    return earlier, cascades[len(earlier) :]


def _after(pool: Pool, cascades: list[UnfinishedCascade]) -> Pool:
    """The pool after cascades; it hasn't been through those that it doesn't live to see."""
    for cascade in cascades:
        if pool.status is PoolStatus.ENDED:
            break
        after = cascaded(pool, cascade) if concerns(cascade, pool) else pool
        pool = replace(after, cascades=cascade.number)
    return pool


def concerns(cascade: UnfinishedCascade, pool: Pool) -> bool:
    """Whether a cascade of the pool's definition is meant for this pool."""
    return cascade.program_definition_id in {None, pool.program_definition_id}


def awaits(program: Program, cascade: UnfinishedCascade) -> bool:
    """Whether a background addition is meant for this program, which may have its pool already."""
    return cascade.until is None or program.id < cascade.until


def cascaded(pool: Pool, cascade: UnfinishedCascade) -> Pool:
    """The pool after one cascade that concerns it."""
    immediately = cascade.cascade is Cascade.IMMEDIATELY
    if pool.status is PoolStatus.ENDED:
        return pool
    if cascade.kind is CascadeKind.UPDATE:
        return _updated(pool, cascade) if immediately else _marked_to_update(pool, cascade)
    if cascade.kind is CascadeKind.ADD:
        return without_action(pool) if pool.renewal_action is RenewalActionType.END else pool
    return with_status(pool, PoolStatus.ENDED) if immediately else marked_to_end(pool)


def kept_to_end(state: State, pool: Pool) -> Pool:
    """The pool, marked to end if its program does when it renews: nothing else is pending then."""
    return marked_to_end(pool) if has_pending_end(state, pool.program_definition_id) else pool


def has_pending_end(state: State, program_definition_id: str | None) -> bool:
    """Whether programs end when they renew, because their definition is gone."""
    return (
        program_definition_id is not None
        and state.one(PENDING_END, program_definition_id) is not None
    )


def is_program_ending(state: State, program_definition_id: str | None) -> bool:
    """Whether the definition was deleted together with its programs, at once."""
    return program_definition_id is not None and any(
        each.kind is CascadeKind.END_PROGRAMS and each.cascade is Cascade.IMMEDIATELY
        for each in state.many(CASCADES_OF_PROGRAM_DEFINITION, program_definition_id)
    )


def _updated(pool: Pool, cascade: UnfinishedCascade) -> Pool:
    assert cascade.snapshot_id is not None
    return replace(
        without_action(pool),
        snapshot_id=cascade.snapshot_id,
        pool_definition_revision=cascade.revision,
    )


def _marked_to_update(pool: Pool, cascade: UnfinishedCascade) -> Pool:
    if pool.renewal_action is RenewalActionType.END:
        return pool
    return replace(
        pool,
        renewal_action=RenewalActionType.UPDATE,
        renewal_snapshot_id=cascade.snapshot_id,
        renewal_revision=cascade.revision,
    )
