"""Programs: provision and update. Contract: Provision."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.calendar_errors import EndDatePassed, ProgramDatesFixed
from benefit_programs.domain.calendars import TERMS, ProgramTerms, merged
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.due import require_settled
from benefit_programs.domain.entities import (
    JobItem,
    JobKind,
    Order,
    OrderPhase,
    Pool,
    PoolDefinition,
    PoolOrigin,
    Program,
    ProgramDefinition,
    ProgramStatus,
    beneficiary_columns,
)
from benefit_programs.domain.errors import InProgress, Invalid, ProgramAlreadyExists
from benefit_programs.domain.events import record_created, record_updated
from benefit_programs.domain.jobs import ask_for_agenda, done_job, new_job, start_job
from benefit_programs.domain.lookups import (
    ASSIGNMENTS_OF_PROGRAM_DEFINITION,
    CHANGES_OF_PROGRAM,
    POOL_DEFINITION,
    POOLS_OF_PROGRAM,
    PROGRAM,
    PROGRAM_BY_EXTERNAL_ID,
    PROGRAM_DEFINITION,
    SNAPSHOT,
)
from benefit_programs.domain.opening import PROVISIONED, open_pool, template_of
from benefit_programs.domain.orders.log import numbered
from benefit_programs.domain.orders.waiting import withdraw_all
from benefit_programs.domain.pool_dates import ask_to_date, date_pools
from benefit_programs.domain.program_dates import (
    begun,
    changed,
    dated,
    differing,
    stops_clock,
    with_calendar,
)
from benefit_programs.domain.required import require, require_ahead, snapshot_of
from benefit_programs.domain.scheduled_changes import ScheduledChange
from benefit_programs.domain.settings import IN_REQUEST_MAX, TenantSettings
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.updates import require_revision, updated
from benefit_programs.domain.values import Identity, Updates

PROVISION_IN_REQUEST_MAX = 2 * IN_REQUEST_MAX
"""How many pools a program gets within its request; with more it goes on in the background.

Twice as many as a request may change, whatever a tenant's setting says: nothing is ahead of them.
"""


class Provisioned(msgspec.Struct, frozen=True):
    job_id: str
    program: Program


class ProvisionProgram(Command[Provisioned], frozen=True, kw_only=True):
    """Make a program for a beneficiary, from a program definition or one pool definition."""

    about = Program

    beneficiary: Identity
    namespace: str
    external_id: str
    status: ProgramStatus = ProgramStatus.ACTIVE
    display_name: str | None = None
    program_definition_id: str | None = None
    pool_definition_id: str | None = None
    terms: ProgramTerms | None = None
    at_once: bool = False
    """Whether all that may be done within a request is, whatever the tenant's setting."""

    def ask(self, needs: Needs, state: State) -> None:
        if self.program_definition_id is not None:
            needs.share(PROGRAM_DEFINITION, self.program_definition_id)
            needs.read(ASSIGNMENTS_OF_PROGRAM_DEFINITION, self.program_definition_id)
            if state.loaded(PROGRAM_DEFINITION, self.program_definition_id) is None:
                return
        definition_ids = self._pool_definition_ids(state)
        is_large = self._is_large(definition_ids, needs.settings)
        if is_large:
            ask_for_agenda(needs)
        for pool_definition_id in definition_ids:
            needs.share(POOL_DEFINITION, pool_definition_id)
            definition = state.loaded(POOL_DEFINITION, pool_definition_id)
            if definition is not None and not is_large:
                needs.read(SNAPSHOT, definition.snapshot_id)
        needs.lock(PROGRAM_BY_EXTERNAL_ID, self.namespace, self.external_id)
        program = state.loaded(PROGRAM_BY_EXTERNAL_ID, self.namespace, self.external_id)
        if program is not None:
            needs.read(POOLS_OF_PROGRAM, program.id)
            needs.read(CHANGES_OF_PROGRAM, program.id)

    def decide(self, state: State, context: Context) -> Changes[Provisioned]:
        program_definition = (
            require(state, PROGRAM_DEFINITION, self.program_definition_id)
            if self.program_definition_id is not None
            else None
        )
        definition_ids = self._pool_definition_ids(state)
        definitions = self._definitions(state, definition_ids)
        current = state.one(PROGRAM_BY_EXTERNAL_ID, self.namespace, self.external_id)
        if current is not None:
            self._require_empty(state, current)
        program = self._program(current, program_definition, definitions, context)
        program, ahead = self._begun(program, program_definition, context)
        program = dated(program, ahead)
        changes: Changes[Any] = Changes(None)
        changes.save(*ahead)
        if current is not None:
            # It begins anew: what was to happen to it before is no more.
            withdraw_all(changes, state.many(CHANGES_OF_PROGRAM, current.id), context.now)
        if self._is_large(definition_ids, context.settings):
            return self._start(state, changes, context, program, definitions)
        job_id = context.new_id()
        program = _record(changes, context, program, PROVISIONED)
        changes.answer = Provisioned(job_id, program)
        pools = [self._open(changes, context, state, program, row) for row in definitions]
        items = [JobItem(id=pool.id, entity="pool") for pool in pools]
        kind = JobKind.PROVISION_PROGRAM
        changes.save(done_job(job_id, kind, program.id, items, context))
        return changes

    def _begun(
        self, program: Program, program_definition: ProgramDefinition | None, context: Context
    ) -> tuple[Program, list[ScheduledChange]]:
        """The program with the dates that it begins with, and what waits for them."""
        terms = self._terms(program_definition, context)
        return begun(program, terms, context.now, context.settings.time_zone), []

    def _terms(
        self, program_definition: ProgramDefinition | None, context: Context
    ) -> ProgramTerms | None:
        """The terms of the program: its own before those of its definition."""
        terms = merged(program_definition.terms if program_definition else None, self.terms)
        if self.terms is not None and self.terms.end_date is not None:
            require_ahead(self.terms.end_date, context.now, "endDate")
        elif terms is not None and terms.end_date is not None and terms.end_date <= context.now:
            assert program_definition is not None
            raise EndDatePassed(
                program_definition_id=program_definition.id, end_date=terms.end_date
            )
        return terms

    def _start(
        self,
        state: State,
        changes: Changes[Any],
        context: Context,
        program: Program,
        definitions: list[PoolDefinition],
    ) -> Changes[Provisioned]:
        """Make the program, and leave its pools to a job."""
        job_id = context.new_id()
        kind, phase = JobKind.PROVISION_PROGRAM, OrderPhase.OPENING
        orders = [
            Order(
                number=0,
                kind=kind,
                phase=phase,
                job_id=job_id,
                opened_id=definition.id,
                snapshot_id=definition.snapshot_id,
                revision=definition.revision,
            )
            for definition in definitions
        ]
        agenda, orders = numbered(state, orders)
        program = dated(
            replace(
                program,
                status=ProgramStatus.PROVISIONING,
                target_status=self.status,
                order_number=agenda.newest_order,
            )
        )
        program = _record(changes, context, program)
        changes.answer = Provisioned(job_id, program)
        changes.save(*orders)
        start_job(changes, context, agenda, new_job(job_id, kind, program.id, context))
        return changes

    def _is_large(self, definition_ids: list[str], settings: TenantSettings) -> bool:
        most = PROVISION_IN_REQUEST_MAX if self.at_once else 2 * settings.in_request_max
        return len(definition_ids) > most

    def _require_empty(self, state: State, current: Program) -> None:
        """Refuse a program that is being made or has pools; one without is provisioned again."""
        has_pools = bool(state.many(POOLS_OF_PROGRAM, current.id))
        if has_pools and current.status is not ProgramStatus.PROVISIONING:
            raise ProgramAlreadyExists(
                external_program_id=self.external_id,
                namespace=self.namespace,
                program_id=current.id,
            )
        if current.target_status is not None:
            raise InProgress

    def _pool_definition_ids(self, state: State) -> list[str]:
        if self.program_definition_id is None:
            assert self.pool_definition_id is not None
            return [self.pool_definition_id]
        assignments = state.many(ASSIGNMENTS_OF_PROGRAM_DEFINITION, self.program_definition_id)
        return [assignment.pool_definition_id for assignment in assignments]

    def _definitions(self, state: State, definition_ids: list[str]) -> list[PoolDefinition]:
        """What the pools are made from, without what is deleted at this moment."""
        if self.pool_definition_id is not None:
            return [require(state, POOL_DEFINITION, self.pool_definition_id)]
        found = (state.one(POOL_DEFINITION, each) for each in definition_ids)
        return [definition for definition in found if definition is not None]

    def _program(
        self,
        current: Program | None,
        program_definition: ProgramDefinition | None,
        definitions: list[PoolDefinition],
        context: Context,
    ) -> Program:
        """The new program, or the one without pools that is provisioned again."""
        numbers = [definition.order_number for definition in definitions]
        if program_definition is not None:
            numbers.append(program_definition.order_number)
        return Program(
            id=current.id if current else context.new_id(),
            revision=current.revision if current else 1,
            created=current.created if current else context.now,
            updated=context.now,
            status=self.status,
            namespace=self.namespace,
            external_id=self.external_id,
            program_definition_id=program_definition.id if program_definition else None,
            program_definition_external_id=(
                program_definition.external_id if program_definition else None
            ),
            display_name=self.display_name,
            extended_fields=current.extended_fields if current else None,
            sequence=current.sequence if current else 0,
            order_number=max(numbers),
            **beneficiary_columns(self.beneficiary),
        )

    @staticmethod
    def _open(
        changes: Changes[Any],
        context: Context,
        state: State,
        program: Program,
        definition: PoolDefinition,
    ) -> Pool:
        return open_pool(
            changes,
            context,
            program=program,
            template=template_of(definition, snapshot_of(state, definition), program.order_number),
            origin=PoolOrigin.PROVISION,
        )


class UpdateProgram(Command[Program], frozen=True, kw_only=True):
    """Change the name, extended fields or dates of a program."""

    about = Program

    id: str
    revision: int
    updates: dict[str, Any]

    def ask(self, needs: Needs, state: State) -> None:
        if self._dates:
            ask_to_date(needs, state, self.id)
        else:
            needs.lock(PROGRAM, self.id)

    def decide(self, state: State, context: Context) -> Changes[Program]:
        current = require(state, PROGRAM, self.id)
        require_revision(current, self.revision)
        others = {name: value for name, value in self.updates.items() if name not in TERMS}
        dates = differing(current, self._dates)
        if not dates:
            return updated(current, others, context, revision=self.revision, path="program")
        require_settled((current,), context)
        after = _dated(state, context, current, dates)
        others |= {
            name: getattr(after, name) for name in ("calendar", "next_renewal", "end_date", "due")
        }
        changes = updated(current, others, context, revision=self.revision, path="program")
        date_pools(state, changes, context, after, context.now)
        return changes

    @property
    def _dates(self) -> Updates:
        return {name: value for name, value in self.updates.items() if name in TERMS}


def _dated(state: State, context: Context, program: Program, dates: Updates) -> Program:
    """The program with its new dates, all of which lie ahead."""
    _require_changeable(program, dates)
    end_date = dates.get("end_date")
    if end_date is not None:
        require_ahead(end_date, context.now, "program.endDate")
    after = changed(
        with_calendar(program, context.now, context.settings.time_zone), dates, context.now
    )
    after = dated(after, state.many(CHANGES_OF_PROGRAM, program.id))
    if after.due is not None and after.due <= context.now:
        raise Invalid.because(
            "program.pausedDaysMax",
            "must not be less than the days for which the program was paused this year",
            rule_name="paused_days_are_left",
        )
    return after


def _require_changeable(program: Program, dates: Updates) -> None:
    """Refuse changes of dates that can't be made now.

    A stopped clock doesn't tell when dates will be, and a pause goes on as it has begun.
    """
    if program.target_status is not None:
        raise InProgress
    fixed: set[str] = set()
    if program.status is ProgramStatus.ENDED:
        fixed = set(dates)
    elif program.status is ProgramStatus.PAUSED:
        fixed = {"while_paused"}
        if stops_clock(program):
            fixed |= {"renewal_configuration", "end_date"}
    names = tuple(_NAMES[name] for name in dates if name in fixed)
    if names:
        raise ProgramDatesFixed(fields=names, current_status=program.status)


_NAMES = {
    "renewal_configuration": "renewalConfiguration",
    "end_date": "endDate",
    "while_paused": "whilePaused",
    "paused_days_max": "pausedDaysMax",
}


def _record(changes: Changes[Any], context: Context, program: Program, *also: str) -> Program:
    if program.sequence:
        return record_updated(changes, context, program, *also)
    return record_created(changes, context, program, *also)
