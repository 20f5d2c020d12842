"""How a job erases a person: first their programs and pools, then the ledger, then the events.

Programs and pools end and lose the person in one commit, so whatever is made afterwards is of the
pseudonym. Only then the rows that were made before are looked through. Neither transactions nor
events have an index by person, so the walks go through those of the whole tenant, from the person's
first program on.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import (
    Event,
    Job,
    JobItem,
    JobKind,
    Order,
    OrderPhase,
    Pool,
    Program,
    ProgramStatus,
    Transaction,
)
from benefit_programs.domain.erasure import (
    ANONYMIZED,
    PROGRAM_ENTITY,
    erased_event,
    erased_pool,
    erased_program,
    erasure_of,
    has_free_text,
    is_personal,
    without_free_text,
    without_party,
)
from benefit_programs.domain.events import record_updated
from benefit_programs.domain.indexes import Index
from benefit_programs.domain.lookups import (
    CHUNK_SIZE,
    ERASURE_CHUNK_SIZE,
    ORDERS_OF_PROGRAM,
    POOL,
    POOLS_OF_PROGRAM,
    PROGRAM,
    WALK_EVENTS,
    WALK_TRANSACTIONS,
)
from benefit_programs.domain.orders.carrier import Carrier, Walk, shortened
from benefit_programs.domain.orders.log import ask_to_reach
from benefit_programs.domain.orders.openings import ask_for_additions, open_missing
from benefit_programs.domain.orders.play import reach
from benefit_programs.domain.state import Changes, Needs, State

PROGRAMS_STAGE = 0
LEDGER_STAGE = 1

ROWS_OF_ONE = ERASURE_CHUNK_SIZE // CHUNK_SIZE
"""How many rows are looked through where another job would change one."""


class ErasureChunks(Carrier):
    """What the chunks of an erasure do. ``found`` are the person's next programs."""

    stages = 3

    def __init__(self, job: Job, found: tuple[str, ...], size: int) -> None:
        super().__init__(job, size)
        self._found = found
        self._erasure = erasure_of(job.payload)

    @property
    def walk(self) -> Walk | None:
        if self.job.stage == PROGRAMS_STAGE:
            return None
        index: Index[Any] = WALK_EVENTS
        if self.job.stage == LEDGER_STAGE:
            index = WALK_TRANSACTIONS
        key = (self.job.position or self._erasure.start,)
        return Walk(shortened(index, self._size * ROWS_OF_ONE), key, index.entity.__name__.lower())

    def is_last(self, state: State) -> bool:
        if self.job.stage == PROGRAMS_STAGE:
            return len(self._found) < self._size
        return super().is_last(state)

    def position(self, state: State) -> str:
        return self._found[-1] if self.job.stage == PROGRAMS_STAGE else super().position(state)

    def ask(self, needs: Needs, state: State) -> None:
        if self.walk is None:
            for program_id in self._found:
                _ask_for_program(needs, state, program_id)
            return
        # Nobody else changes these rows, so nothing waits for their locks.
        needs.read(self.walk.index, *self.walk.key)
        self.ask_for_rows(needs, state, self.rows(state))

    def ask_for_rows(self, needs: Needs, state: State, rows: list[Any]) -> None:
        for row in rows:
            if isinstance(row, Transaction):
                if has_free_text(row):
                    needs.read(POOL, row.pool_id)
            elif is_personal(row):
                needs.read(PROGRAM if row.entity == PROGRAM_ENTITY else POOL, row.entity_id)

    def do(self, state: State, changes: Changes[Any], context: Context) -> list[JobItem]:
        if self.walk is None:
            return self._erase_programs(state, changes, context)
        for row in self.rows(state):
            is_event = isinstance(row, Event)
            erased = self._event(state, row) if is_event else self._transaction(state, row)
            if erased != row:
                changes.save(erased)
        return []

    def _erase_programs(
        self, state: State, changes: Changes[Any], context: Context
    ) -> list[JobItem]:
        found = [state.one(PROGRAM, program_id) for program_id in self._found]
        programs = [each for each in found if each and each.beneficiary == self._erasure.identity]
        for program in programs:
            ended, pools = _ended(state, changes, context, program)
            record_updated(changes, context, erased_program(ended, self._erasure), **ANONYMIZED)
            for pool in pools:
                record_updated(changes, context, erased_pool(pool, self._erasure), **ANONYMIZED)
        return [JobItem(id=program.id, entity=PROGRAM_ENTITY) for program in programs]

    def _transaction(self, state: State, row: Transaction) -> Transaction:
        row = without_party(row, self._erasure)
        if has_free_text(row) and self._is_erased(state.one(POOL, row.pool_id)):
            return without_free_text(row)
        return row

    def _event(self, state: State, row: Event) -> Event:
        if not is_personal(row):
            return row
        index: Index[Any] = PROGRAM if row.entity == PROGRAM_ENTITY else POOL
        if not self._is_erased(state.one(index, row.entity_id)):
            return row
        return erased_event(row, self._erasure)

    def _is_erased(self, row: Program | Pool | None) -> bool:
        return row is not None and row.beneficiary == self._erasure.erased


def _ask_for_program(needs: Needs, state: State, program_id: str) -> None:
    """Ask for a program with its pools, and for all that its end needs."""
    needs.read(PROGRAM, program_id)
    needs.read(POOLS_OF_PROGRAM, program_id)
    program = state.loaded(PROGRAM, program_id)
    if program is None:
        return
    needs.lock(POOLS_OF_PROGRAM, program_id)
    needs.lock(PROGRAM, program_id)
    needs.read(ORDERS_OF_PROGRAM, program_id)
    ask_for_additions(needs, state, program)
    ask_to_reach(needs, state, state.known(POOLS_OF_PROGRAM, program_id))


def _ended(
    state: State, changes: Changes[Any], context: Context, program: Program
) -> tuple[Program, list[Pool]]:
    """A program and all its pools after its end, whatever else was running on it."""
    pools = state.many(POOLS_OF_PROGRAM, program.id)
    if program.status is ProgramStatus.ENDED:
        return program, pools
    end = Order(
        number=0,
        kind=JobKind.END_PROGRAM,
        phase=OrderPhase.REACHING,
        program_id=program.id,
        status=ProgramStatus.ENDED,
    )
    if program.status is not ProgramStatus.PROVISIONING:
        pools = [*pools, *open_missing(state, changes, context, program)]
    pools = [reach(state, changes, context, pool, [end]) for pool in pools]
    changes.delete(*state.many(ORDERS_OF_PROGRAM, program.id))
    ended = replace(program, status=ProgramStatus.ENDED, target_status=None)
    return record_updated(changes, context, ended, "ended"), pools
