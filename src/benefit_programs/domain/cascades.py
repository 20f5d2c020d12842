"""Cascades: what a change of a definition does to the pools made from it. Contract: Cascade.

A change that concerns few pools is done in its own commit. A larger one is written down as an
``UnfinishedCascade``, numbered per pool definition, and a job takes it to the pools in chunks.
Until a pool's turn comes, whoever acts on it first brings it up to date (``caught_up``): the pool
goes through the cascades that it hasn't been through, in their order, each exactly once.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from benefit_programs.domain.entities import (
    CascadeKind,
    Pool,
    PoolStatus,
    RenewalActionType,
    UnfinishedCascade,
)
from benefit_programs.domain.lookups import (
    CASCADES_OF_POOL_DEFINITION,
    CASCADES_OF_PROGRAM_DEFINITION,
    PENDING_END,
    SNAPSHOT,
)
from benefit_programs.domain.pool_changes import marked_to_end, with_status, without_action
from benefit_programs.domain.state import Needs, State
from benefit_programs.domain.values import Cascade


def ask_for_cascades(needs: Needs, state: State, pools: Iterable[Pool]) -> None:
    """Ask for what may not have reached these pools yet."""
    for pool_definition_id in dict.fromkeys(pool.pool_definition_id for pool in pools):
        ask_for_cascades_of(needs, state, pool_definition_id)
    for program_definition_id in dict.fromkeys(pool.program_definition_id for pool in pools):
        if program_definition_id is not None:
            needs.read(CASCADES_OF_PROGRAM_DEFINITION, program_definition_id)
            needs.read(PENDING_END, program_definition_id)


def ask_for_cascades_of(needs: Needs, state: State, pool_definition_id: str) -> None:
    """Ask for what may not have reached all pools of a definition yet."""
    needs.read(CASCADES_OF_POOL_DEFINITION, pool_definition_id)
    for cascade in state.known(CASCADES_OF_POOL_DEFINITION, pool_definition_id):
        if cascade.snapshot_id is not None:
            needs.read(SNAPSHOT, cascade.snapshot_id)


def caught_up(state: State, pool: Pool, *, up_to: int | None = None) -> Pool:
    """The pool after all unfinished cascades that concern it, or those up to a number."""
    for cascade in sorted(
        state.many(CASCADES_OF_POOL_DEFINITION, pool.pool_definition_id),
        key=lambda each: each.number,
    ):
        if cascade.number > pool.cascades and (up_to is None or cascade.number <= up_to):
            after = cascaded(state, pool, cascade) if concerns(cascade, pool) else pool
            pool = replace(after, cascades=cascade.number)
    if up_to is not None:
        return pool
    if is_program_ending(state, pool.program_definition_id):
        return with_status(pool, PoolStatus.ENDED)
    return marked_to_end(pool) if has_pending_end(state, pool) else pool


def concerns(cascade: UnfinishedCascade, pool: Pool) -> bool:
    """Whether a cascade of the pool's definition is meant for this pool."""
    return cascade.program_definition_id in {None, pool.program_definition_id}


def cascaded(state: State, pool: Pool, cascade: UnfinishedCascade) -> Pool:
    """The pool after one cascade that concerns it."""
    immediately = cascade.cascade is Cascade.IMMEDIATELY
    if pool.status is PoolStatus.ENDED:
        return pool
    if cascade.kind is CascadeKind.UPDATE:
        updated = _updated(pool, cascade) if immediately else _marked_to_update(pool, cascade)
        # The program ends with its definition, so nothing else about its pools is pending.
        return marked_to_end(updated) if has_pending_end(state, pool) else updated
    if cascade.kind is CascadeKind.ADD:
        return without_action(pool) if pool.renewal_action is RenewalActionType.END else pool
    return with_status(pool, PoolStatus.ENDED) if immediately else marked_to_end(pool)


def has_pending_end(state: State, pool: Pool) -> bool:
    """Whether the pool's program ends when it renews, because its definition is gone."""
    program_definition_id = pool.program_definition_id
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
