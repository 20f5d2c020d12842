"""How a job erases a person: programs and pools, then lots and reservations, ledger, events, audit.

Programs and pools end and lose the person in one commit, so whatever is made afterwards is of the
pseudonym. Only then the rows that were made before are looked through: first lots and reservations,
whose words go into later transactions and events. None of these have an index by person, so the
walks go through those of the whole tenant, from the person's first program on.
"""

from __future__ import annotations

from typing import Any

from benefit_programs.domain.audit_rows import AuditEntry
from benefit_programs.domain.context import Context
from benefit_programs.domain.due import require_settled
from benefit_programs.domain.entities import (
    Job,
    JobItem,
    JobKind,
    Lot,
    Order,
    OrderPhase,
    Pool,
    Program,
    ProgramStatus,
    Reservation,
    Transaction,
)
from benefit_programs.domain.erasure import (
    ANONYMIZED,
    LOT_ENTITY,
    PROGRAM_ENTITY,
    erased_event,
    erased_pool,
    erased_program,
    erasure_of,
    has_free_text,
    is_named,
    is_personal,
    without_free_text,
    without_name,
    without_party,
    without_reason,
)
from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.events import record_updated
from benefit_programs.domain.indexes import Index
from benefit_programs.domain.lookups import (
    CHANGES_OF_PROGRAM,
    CHUNK_SIZE,
    ERASURE_CHUNK_SIZE,
    LOT,
    ORDERS_OF_PROGRAM,
    POOL,
    POOLS_OF_PROGRAM,
    PROGRAM,
    RESERVATION,
    TRANSACTION,
    WALK_AUDIT,
    WALK_EVENTS,
    WALK_LOTS,
    WALK_RESERVATIONS,
    WALK_TRANSACTIONS,
)
from benefit_programs.domain.orders.carrier import Carrier, Walk, shortened
from benefit_programs.domain.orders.openings import ask_for_additions, open_missing
from benefit_programs.domain.orders.play import (
    ask_to_reach,
    reach,
)
from benefit_programs.domain.orders.waiting import with_end
from benefit_programs.domain.state import Changes, Mode, Needs, State

PROGRAMS_STAGE = 0

_WALKS: tuple[Index[Any], ...] = (
    WALK_LOTS,
    WALK_RESERVATIONS,
    WALK_TRANSACTIONS,
    WALK_EVENTS,
    WALK_AUDIT,
)
"""What the later stages go through."""

ROWS_OF_ONE = ERASURE_CHUNK_SIZE // CHUNK_SIZE
"""How many rows are looked through where another job would change one."""


class ErasureChunks(Carrier):
    """What the chunks of an erasure do. ``found`` are the person's next programs."""

    stages = 1 + len(_WALKS)

    def __init__(self, job: Job, found: tuple[str, ...], size: int) -> None:
        super().__init__(job, size)
        self._found = found
        self._erasure = erasure_of(job.payload)

    @property
    def walk(self) -> Walk | None:
        if self.job.stage == PROGRAMS_STAGE:
            return None
        index = _WALKS[self.job.stage - 1]
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
        # Others change only lots and reservations, and those behind the locks of their pools.
        needs.read(self.walk.index, *self.walk.key)
        self.ask_for_rows(needs, state, self.rows(state))

    def ask_for_rows(self, needs: Needs, state: State, rows: list[Any]) -> None:
        for row in rows:
            if isinstance(row, Transaction):
                if has_free_text(row):
                    needs.read(POOL, row.pool_id)
            elif isinstance(row, Event):
                if is_personal(row):
                    needs.read(*_owner_of(row))
            elif isinstance(row, AuditEntry):
                _ask_for_subject(needs, state, row)
            elif is_named(row):
                self._ask_to_rename(needs, state, row)

    def _ask_to_rename(self, needs: Needs, state: State, row: Lot | Reservation) -> None:
        """Lock the pool of a row if it is the person's; once it is locked, read the row again."""
        needs.read(POOL, row.pool_id)
        if self._is_erased(state.loaded(POOL, row.pool_id)):
            needs.lock(POOL, row.pool_id)
            if state.has(POOL, (row.pool_id,), Mode.LOCK):
                needs.lock(LOT if isinstance(row, Lot) else RESERVATION, row.id)

    def do(self, state: State, changes: Changes[Any], context: Context) -> list[JobItem]:
        if self.walk is None:
            return self._erase_programs(state, changes, context)
        for row in self.rows(state):
            erased = self._erased(state, row)
            if erased != row:
                changes.save(erased)
        return []

    def _erased(self, state: State, row: Any) -> Any:
        if isinstance(row, Event):
            return self._event(state, row)
        if isinstance(row, Transaction):
            return self._transaction(state, row)
        if isinstance(row, AuditEntry):
            return self._entry(state, row)
        if is_named(row) and self._is_erased(state.one(POOL, row.pool_id)):
            return without_name(row)
        return row

    def _erase_programs(
        self, state: State, changes: Changes[Any], context: Context
    ) -> list[JobItem]:
        found = [state.one(PROGRAM, program_id) for program_id in self._found]
        programs = [each for each in found if each and each.beneficiary == self._erasure.identity]
        require_settled(programs, context)
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

    def _entry(self, state: State, row: AuditEntry) -> AuditEntry:
        """An audit entry without what somebody said of the person."""
        if row.subject_id == self._erasure.pseudonym:
            return without_reason(row)
        subject = _subject_of(state, row)
        if subject is not None and self._is_erased(state.one(*subject)):
            return without_reason(row)
        return row

    def _event(self, state: State, row: Event) -> Event:
        if not is_personal(row):
            return row
        if not self._is_erased(state.one(*_owner_of(row))):
            return row
        return erased_event(row, self._erasure)

    def _is_erased(self, row: Program | Pool | None) -> bool:
        return row is not None and row.beneficiary == self._erasure.erased


def _subject_of(state: State, entry: AuditEntry) -> tuple[Index[Any], str] | None:
    """What says whom the reason of an entry is about; None if that is no beneficiary."""
    if entry.reason is None:
        return None
    if entry.entity is None:
        transaction = state.loaded(TRANSACTION, entry.id)
        return (POOL, transaction.pool_id) if transaction else None
    if entry.program_id is not None:
        return PROGRAM, entry.program_id
    return (POOL, entry.pool_id) if entry.pool_id is not None else None


def _ask_for_subject(needs: Needs, state: State, entry: AuditEntry) -> None:
    if entry.reason is not None and entry.entity is None:
        needs.read(TRANSACTION, entry.id)
    subject = _subject_of(state, entry)
    if subject is not None:
        needs.read(*subject)


def _owner_of(event: Event) -> tuple[Index[Any], str]:
    """What says whose an event of a program, pool or lot is."""
    if event.entity == PROGRAM_ENTITY:
        return PROGRAM, event.entity_id
    return POOL, event.body["entity"]["pool_id"] if event.entity == LOT_ENTITY else event.entity_id


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
    needs.read(CHANGES_OF_PROGRAM, program_id)
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
    waiting = state.known(CHANGES_OF_PROGRAM, program.id)
    ended = with_end(changes, program, waiting, context.now)
    return record_updated(changes, context, ended, "ended"), pools
