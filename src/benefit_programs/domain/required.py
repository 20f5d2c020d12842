"""Rows that must be there, or their refusals."""

from __future__ import annotations

from benefit_programs.domain.entities import (
    Pool,
    PoolDefinition,
    Program,
    ProgramDefinition,
    Snapshot,
)
from benefit_programs.domain.errors import (
    PoolDefinitionNotFound,
    ProgramDefinitionNotFound,
    ProgramNotFound,
)
from benefit_programs.domain.lookups import POOL_DEFINITION, PROGRAM, PROGRAM_DEFINITION, SNAPSHOT
from benefit_programs.domain.state import State


def require_pool_definition(state: State, pool_definition_id: str) -> PoolDefinition:
    definition = state.one(POOL_DEFINITION, pool_definition_id)
    if definition is None:
        raise PoolDefinitionNotFound(pool_definition_id=pool_definition_id)
    return definition


def snapshot_of(state: State, definition: PoolDefinition) -> Snapshot:
    snapshot = state.one(SNAPSHOT, definition.snapshot_id)
    assert snapshot is not None
    return snapshot


def require_program_definition(state: State, program_definition_id: str) -> ProgramDefinition:
    definition = state.one(PROGRAM_DEFINITION, program_definition_id)
    if definition is None:
        raise ProgramDefinitionNotFound(program_definition_id=program_definition_id)
    return definition


def require_program(state: State, program_id: str) -> Program:
    program = state.one(PROGRAM, program_id)
    if program is None:
        raise ProgramNotFound(program_id=program_id)
    return program


def snapshot_of_pool(state: State, pool: Pool) -> Snapshot:
    snapshot = state.one(SNAPSHOT, pool.snapshot_id)
    assert snapshot is not None
    return snapshot
