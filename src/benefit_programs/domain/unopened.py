"""Pools that a large provisioning leaves for later. Contract: Provision.

What a program gets is settled when it is provisioned: each pool is written down with the definition
as it is then. Two kinds of jobs open them: that of the provisioning itself, and those of later
cascades, which find all pools of their definition that were asked for before them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from benefit_programs.domain.cascades import (
    ask_for_cascades_of,
    ask_for_cascades_of_programs,
    caught_up,
    is_program_ending,
)
from benefit_programs.domain.command import Context
from benefit_programs.domain.entities import (
    Pool,
    PoolDefinition,
    PoolOrigin,
    Program,
    ProgramStatus,
    UnopenedPool,
)
from benefit_programs.domain.lookups import PROGRAM, SNAPSHOT, UNFINISHED_ACTION
from benefit_programs.domain.opening import Template, open_pool
from benefit_programs.domain.pool_changes import save_pool
from benefit_programs.domain.state import Changes, Needs, State


def leave_for_later(
    changes: Changes[Any], program: Program, definitions: Iterable[PoolDefinition], job_id: str
) -> None:
    """Write down the pools that a program will get."""
    for definition in definitions:
        changes.save(
            UnopenedPool(
                program_id=program.id,
                pool_definition_id=definition.id,
                job_id=job_id,
                snapshot_id=definition.snapshot_id,
                revision=definition.revision,
                cascades=definition.cascades,
            )
        )


def ask_to_open(needs: Needs, state: State, rows: Iterable[UnopenedPool]) -> None:
    """Ask for what these pools are made from, and for what was answered since."""
    for row in rows:
        needs.lock(PROGRAM, row.program_id)
        needs.read(SNAPSHOT, row.snapshot_id)
        needs.read(UNFINISHED_ACTION, row.program_id)
        ask_for_cascades_of(needs, state, row.pool_definition_id)
        program = state.loaded(PROGRAM, row.program_id)
        if program is not None and program.program_definition_id is not None:
            ask_for_cascades_of_programs(needs, program.program_definition_id)


def open_unopened(
    state: State, changes: Changes[Any], context: Context, row: UnopenedPool
) -> Pool | None:
    """Open a pool, and take it through what was answered since; none if its program has ended."""
    changes.delete(row)
    program = state.one(PROGRAM, row.program_id)
    if program is None or program.status is not ProgramStatus.PROVISIONING:
        return None
    if is_program_ending(state, program.program_definition_id):
        return None
    snapshot = state.one(SNAPSHOT, row.snapshot_id)
    assert snapshot is not None
    template = Template(row.pool_definition_id, row.revision, snapshot, row.cascades)
    pool = open_pool(
        changes, context, program=program, template=template, origin=PoolOrigin.PROVISION
    )
    after, transactions = caught_up(state, context, pool)
    return save_pool(changes, context, pool, after, transactions)
