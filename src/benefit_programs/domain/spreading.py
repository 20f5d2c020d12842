"""How a change of a definition spreads: in its own commit if it concerns few, else by jobs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from benefit_programs.domain import happenings
from benefit_programs.domain.cascades import (
    ask_for_cascades,
    cascaded,
    caught_up,
    concerns,
    kept_to_end,
)
from benefit_programs.domain.command import Context
from benefit_programs.domain.entities import (
    CascadeKind,
    PendingChange,
    PendingEnd,
    Pool,
    PoolDefinition,
    PoolOrigin,
    PoolStatus,
    Program,
    ProgramDefinition,
    ProgramStatus,
    Snapshot,
    UnfinishedCascade,
)
from benefit_programs.domain.jobs import ask_to_start_job, cascade_job, start_job
from benefit_programs.domain.lookups import (
    BEFORE_ALL_IDS,
    CASCADES_OF_POOL_DEFINITION,
    CASCADES_OF_PROGRAM_DEFINITION,
    LIVE_POOLS_OF_POOL_DEFINITION,
    LIVE_POOLS_OF_PROGRAM_DEFINITION,
    LIVE_PROGRAMS_OF_PROGRAM_DEFINITION,
    PENDING_CHANGES_OF_POOL_DEFINITION,
    PENDING_CHANGES_OF_PROGRAM_DEFINITION,
    PENDING_END,
    UNFINISHED_ACTION,
    UNOPENED_POOL_OF_POOL_DEFINITION,
    WALK_CASCADES,
)
from benefit_programs.domain.opening import Template, open_pool, settled_status, template_of
from benefit_programs.domain.pool_changes import marked_to_end, save_pool, with_status
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import Cascade

PROGRAM_ENDED = "updated+ended"


class Spread(msgspec.Struct, frozen=True):
    """What a command does to a pool definition, as far as others have to hear of it."""

    cascade: Cascade | None
    updated: bool = False
    """Its names or details were sent."""

    deleted: bool = False
    added_to: tuple[str, ...] = ()
    removed_from: tuple[str, ...] = ()


def ask_to_spread(
    needs: Needs,
    state: State,
    pool_definition_id: str | None,
    cascade: Cascade | None,
    *,
    added_to: Iterable[str] = (),
) -> None:
    """Ask for what a change of a pool definition may reach. A new one has no id yet."""
    if pool_definition_id is not None:
        needs.lock(PENDING_CHANGES_OF_POOL_DEFINITION, pool_definition_id)
        needs.lock(CASCADES_OF_POOL_DEFINITION, pool_definition_id)
    if not _reaches(cascade):
        return
    if pool_definition_id is not None:
        needs.lock(LIVE_POOLS_OF_POOL_DEFINITION, pool_definition_id)
        needs.read(UNOPENED_POOL_OF_POOL_DEFINITION, pool_definition_id)
    programs: list[Program] = []
    if cascade is Cascade.IMMEDIATELY:
        for program_definition_id in added_to:
            needs.lock(LIVE_PROGRAMS_OF_PROGRAM_DEFINITION, program_definition_id)
            programs += state.known(LIVE_PROGRAMS_OF_PROGRAM_DEFINITION, program_definition_id)
    if _is_large(state, needs.settings, pool_definition_id, added_to):
        ask_to_start_job(needs)
        return
    for program in programs:
        needs.read(UNFINISHED_ACTION, program.id)
    if pool_definition_id is not None:
        pools = state.known(LIVE_POOLS_OF_POOL_DEFINITION, pool_definition_id)
        ask_for_cascades(needs, state, pools)


def spread(
    state: State,
    context: Context,
    changes: Changes[Any],
    definition: PoolDefinition,
    snapshot: Snapshot,
    what: Spread,
) -> PoolDefinition:
    """Let a change reach the pools and programs that it concerns, or leave that to jobs.

    Takes the definition as the command leaves it, and gives it with its cascades counted.
    """
    orders = _orders(state, context, definition, snapshot, what)
    if _is_large(state, context.settings, definition.id, what.added_to):
        for order in orders:
            definition = replace(definition, cascades=definition.cascades + 1)
            _start(state, context, changes, replace(order, number=definition.cascades))
    else:
        served = _reach_pools(state, context, changes, definition, orders)
        for order in orders:
            if order.kind is CascadeKind.ADD and order.cascade is Cascade.IMMEDIATELY:
                template = template_of(definition, snapshot)
                _open_pools(state, context, changes, template, order, served)
    _bound_additions(state, context, changes, definition, what)
    _note_pending(state, context, changes, definition, what)
    return definition


def _reaches(cascade: Cascade | None) -> bool:
    return cascade in {Cascade.IMMEDIATELY, Cascade.NEXT_RENEWAL}


def _is_large(
    state: State,
    settings: TenantSettings,
    pool_definition_id: str | None,
    added_to: Iterable[str],
) -> bool:
    """Whether a request would have to change too much, or must wait for what isn't done yet."""
    most = settings.in_request_max
    programs = sum(len(state.known(LIVE_PROGRAMS_OF_PROGRAM_DEFINITION, each)) for each in added_to)
    if programs > most or pool_definition_id is None:
        return programs > most
    pools = state.known(LIVE_POOLS_OF_POOL_DEFINITION, pool_definition_id)
    unfinished = state.known(CASCADES_OF_POOL_DEFINITION, pool_definition_id)
    unopened = state.known(UNOPENED_POOL_OF_POOL_DEFINITION, pool_definition_id)
    return len(pools) > most or bool(unfinished or unopened)


def _orders(
    state: State, context: Context, definition: PoolDefinition, snapshot: Snapshot, what: Spread
) -> list[UnfinishedCascade]:
    """What has to be done to pools, in its order."""
    if not _reaches(what.cascade):
        return []
    cascade = what.cascade
    assert cascade is not None

    def order(kind: CascadeKind, program_definition_id: str | None = None) -> UnfinishedCascade:
        return UnfinishedCascade(
            id=context.new_id(),
            kind=kind,
            cascade=cascade,
            revision=definition.revision,
            pool_definition_id=definition.id,
            program_definition_id=program_definition_id,
            snapshot_id=snapshot.id,
        )

    marked = {
        row.program_definition_id
        for row in state.known(PENDING_CHANGES_OF_POOL_DEFINITION, definition.id)
        if row.kind is CascadeKind.END
    }
    return [
        *([order(CascadeKind.UPDATE)] if what.updated else []),
        *([order(CascadeKind.END)] if what.deleted else []),
        *(order(CascadeKind.END, each) for each in what.removed_from),
        *(
            order(CascadeKind.ADD, each)
            for each in what.added_to
            if cascade is Cascade.IMMEDIATELY or each in marked
        ),
    ]


def _start(state: State, context: Context, changes: Changes[Any], order: UnfinishedCascade) -> None:
    changes.save(order)
    start_job(
        state,
        changes,
        context,
        job_id=order.id,
        kind=cascade_job(order),
        subject_id=order.pool_definition_id or order.program_definition_id or order.id,
    )


def _reach_pools(
    state: State,
    context: Context,
    changes: Changes[Any],
    definition: PoolDefinition,
    orders: list[UnfinishedCascade],
) -> set[str]:
    """Take pools through a change, and give the programs that have a living one after it."""
    served: set[str] = set()
    for before in state.known(LIVE_POOLS_OF_POOL_DEFINITION, definition.id) if orders else ():
        pool, transactions = caught_up(state, context, before)
        for order in orders:
            if concerns(order, pool):
                pool = cascaded(pool, order)
        pool = save_pool(changes, context, before, kept_to_end(state, pool), transactions)
        if pool.status is not PoolStatus.ENDED:
            served.add(pool.program_id)
    return served


def _open_pools(
    state: State,
    context: Context,
    changes: Changes[Any],
    template: Template,
    order: UnfinishedCascade,
    served: set[str],
) -> None:
    for program in state.many(LIVE_PROGRAMS_OF_PROGRAM_DEFINITION, order.program_definition_id):
        if settled_status(program) is not ProgramStatus.ENDED and program.id not in served:
            open_pool(
                changes,
                context,
                program=program,
                template=template,
                origin=PoolOrigin.CASCADE,
                action=state.one(UNFINISHED_ACTION, program.id),
            )


def _bound_additions(
    state: State,
    context: Context,
    changes: Changes[Any],
    definition: PoolDefinition,
    what: Spread,
) -> None:
    """Keep unfinished additions that are taken back from programs that are made from now on."""
    for cascade in state.known(CASCADES_OF_POOL_DEFINITION, definition.id):
        is_taken_back = what.deleted or cascade.program_definition_id in what.removed_from
        if cascade.kind is CascadeKind.ADD and cascade.until is None and is_taken_back:
            changes.save(replace(cascade, until=context.new_id()))


def _note_pending(
    state: State,
    context: Context,
    changes: Changes[Any],
    definition: PoolDefinition,
    what: Spread,
) -> None:
    """Write down what renewals will do, and forget what they no longer have to."""
    rows = state.known(PENDING_CHANGES_OF_POOL_DEFINITION, definition.id)
    pending = {row.program_definition_id: row for row in rows}
    for program_definition_id, kind in _pending_kinds(rows, what).items():
        if kind is not None:
            changes.save(
                PendingChange(
                    program_definition_id=program_definition_id,
                    pool_definition_id=definition.id,
                    kind=kind,
                    snapshot_id=definition.snapshot_id,
                    revision=definition.revision,
                    cascades=definition.cascades,
                    created=context.now,
                )
            )
        elif program_definition_id in pending:
            changes.delete(pending[program_definition_id])


def _pending_kinds(rows: list[PendingChange], what: Spread) -> dict[str, CascadeKind | None]:
    """What is pending per program definition afterwards, as far as that changes."""
    if what.deleted:
        return dict.fromkeys(row.program_definition_id for row in rows)
    next_renewal = what.cascade is Cascade.NEXT_RENEWAL
    kinds: dict[str, CascadeKind | None] = {}
    if _reaches(what.cascade):
        if what.updated:
            added = CascadeKind.ADD
            kinds |= {row.program_definition_id: added for row in rows if row.kind is added}
        kinds |= dict.fromkeys(what.added_to, CascadeKind.ADD if next_renewal else None)
        return kinds | dict.fromkeys(what.removed_from, CascadeKind.END if next_renewal else None)
    # Pools that were marked to end still are, so that adding again can take it back.
    marked = {row.program_definition_id for row in rows if row.kind is CascadeKind.END}
    return {each: None for each in what.removed_from if each not in marked}


# A program definition that is deleted.


def ask_to_end_programs(
    needs: Needs, state: State, program_definition_id: str, cascade: Cascade
) -> None:
    """Ask for what the end of a program definition may reach."""
    needs.lock(PENDING_CHANGES_OF_PROGRAM_DEFINITION, program_definition_id)
    if not _reaches(cascade):
        return
    needs.read(PENDING_END, program_definition_id)
    needs.read(CASCADES_OF_PROGRAM_DEFINITION, program_definition_id)
    needs.lock(LIVE_PROGRAMS_OF_PROGRAM_DEFINITION, program_definition_id)
    needs.lock(LIVE_POOLS_OF_PROGRAM_DEFINITION, program_definition_id)
    if _is_large_end(state, needs.settings, program_definition_id):
        ask_to_start_job(needs)
        return
    for program in state.known(LIVE_PROGRAMS_OF_PROGRAM_DEFINITION, program_definition_id):
        needs.read(UNFINISHED_ACTION, program.id)
    pools = state.known(LIVE_POOLS_OF_PROGRAM_DEFINITION, program_definition_id)
    ask_for_cascades(needs, state, pools)


def end_programs(
    state: State,
    context: Context,
    changes: Changes[Any],
    definition: ProgramDefinition,
    cascade: Cascade,
) -> None:
    """End the programs of a program definition with their pools, now or when they renew."""
    changes.delete(*state.many(PENDING_CHANGES_OF_PROGRAM_DEFINITION, definition.id))
    if not _reaches(cascade):
        return
    if cascade is Cascade.NEXT_RENEWAL:
        changes.save(PendingEnd(program_definition_id=definition.id, created=context.now))
    if _is_large_end(state, context.settings, definition.id):
        order = UnfinishedCascade(
            id=context.new_id(),
            kind=CascadeKind.END_PROGRAMS,
            cascade=cascade,
            program_definition_id=definition.id,
            earlier=tuple(row.id for row in state.many(WALK_CASCADES, BEFORE_ALL_IDS)),
        )
        _start(state, context, changes, order)
        return
    for pool in state.many(LIVE_POOLS_OF_PROGRAM_DEFINITION, definition.id):
        end_pool_with_program(state, changes, context, pool, cascade)
    if cascade is Cascade.IMMEDIATELY:
        for program in state.many(LIVE_PROGRAMS_OF_PROGRAM_DEFINITION, definition.id):
            end_program(state, changes, context, program)


def end_pool_with_program(
    state: State, changes: Changes[Any], context: Context, before: Pool, cascade: Cascade
) -> None:
    """Write a pool whose program ends with its definition, after all that was answered before."""
    pool, transactions = caught_up(state, context, before)
    immediately = cascade is Cascade.IMMEDIATELY
    pool = with_status(pool, PoolStatus.ENDED) if immediately else marked_to_end(pool)
    save_pool(changes, context, before, pool, transactions)


def end_program(state: State, changes: Changes[Any], context: Context, program: Program) -> None:
    """Write a program that ends, whatever else was running on it."""
    if program.status is ProgramStatus.ENDED:
        return
    action = state.one(UNFINISHED_ACTION, program.id)
    changes.delete(*([action] if action else []))
    ended = replace(
        program,
        status=ProgramStatus.ENDED,
        target_status=None,
        revision=program.revision + 1,
        updated=context.now,
        sequence=program.sequence + 2,
    )
    changes.save(ended)
    changes.events.append(happenings.tell(context, ended, PROGRAM_ENDED))


def _is_large_end(state: State, settings: TenantSettings, program_definition_id: str) -> bool:
    pools = state.known(LIVE_POOLS_OF_PROGRAM_DEFINITION, program_definition_id)
    programs = state.known(LIVE_PROGRAMS_OF_PROGRAM_DEFINITION, program_definition_id)
    unfinished = state.known(CASCADES_OF_PROGRAM_DEFINITION, program_definition_id)
    return max(len(pools), len(programs)) > settings.in_request_max or bool(unfinished)
