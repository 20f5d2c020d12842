"""Changes of programs with a date: accepted now, done then, and withdrawn until then.

What waits is among the program's own dates (domain/program_dates.py). So whoever schedules or
withdraws writes the program's next date, also on its pools.
"""

from __future__ import annotations

from benefit_programs.domain.calendar_errors import (
    ScheduledChangeNotFound,
    ScheduledChangeOver,
    TooManyScheduledChanges,
)
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.due import (
    ask_for_cascades,
    require_begun,
    require_settled,
)
from benefit_programs.domain.entities import IdempotencyKey, Program, ProgramStatus
from benefit_programs.domain.errors import (
    AlreadyExecuted,
    InProgress,
    Invalid,
    ProgramStatusTransitionNotAllowed,
    ViolatedRule,
)
from benefit_programs.domain.lookups import (
    CHANGES_OF_PROGRAM,
    IDEMPOTENCY_KEY,
    PROGRAM,
    SCHEDULED_CHANGE,
)
from benefit_programs.domain.opening import settled_status
from benefit_programs.domain.orders.programs import END, PAUSE, RESUME
from benefit_programs.domain.pool_dates import ask_to_date, save_dates
from benefit_programs.domain.program_dates import with_calendar
from benefit_programs.domain.required import require, require_ahead
from benefit_programs.domain.scheduled_changes import (
    CHANGES_OF_PROGRAM_MAX,
    ChangeKind,
    ChangeStatus,
    ScheduledChange,
    ended,
)
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import Instant

_ACTIONS = {ChangeKind.PAUSE: PAUSE, ChangeKind.RESUME: RESUME, ChangeKind.END: END}

_KEY_OPERATION = "SCHEDULE"


class ScheduleChange(Command[ScheduledChange], frozen=True, kw_only=True):
    """Have a program pause, resume or end at a date, once per key.

    A pause may end by itself, ``until`` an instant. Whether it can be done shows at the date.
    """

    about = ScheduledChange

    program_id: str
    kind: ChangeKind
    date: Instant
    until: Instant | None = None
    idempotency_key: str

    def ask(self, needs: Needs, state: State) -> None:
        needs.read(IDEMPOTENCY_KEY, *self._key)
        first = state.loaded(IDEMPOTENCY_KEY, *self._key)
        if first is not None:
            needs.read(SCHEDULED_CHANGE, first.result_id)
        ask_to_date(needs, state, self.program_id)

    def decide(self, state: State, context: Context) -> Changes[ScheduledChange]:
        program = require(state, PROGRAM, self.program_id)
        first = state.one(IDEMPOTENCY_KEY, *self._key)
        if first is not None:
            return Changes(self._repeated(state, first))
        self._require_dates(context)
        require_settled((program,), context)
        if settled_status(program) is ProgramStatus.ENDED:
            raise ProgramStatusTransitionNotAllowed(
                current_status=program.status,
                requested_status=_ACTIONS[self.kind].status or program.status,
            )
        waiting = waiting_of(state, program)
        if len(waiting) >= CHANGES_OF_PROGRAM_MAX:
            raise TooManyScheduledChanges(maximum=CHANGES_OF_PROGRAM_MAX)
        change = self._change(context)
        changes = Changes(change)
        changes.save(change, self._used_key(change))
        program = with_calendar(program, context.now, context.settings.time_zone)
        save_dates(state, changes, context, program, [*waiting, change])
        return changes

    def _require_dates(self, context: Context) -> None:
        require_ahead(self.date, context.now, "date")
        if self.until is None:
            return
        if self.kind is not ChangeKind.PAUSE:
            rule = ViolatedRule.FIELD_NOT_ALLOWED
            raise Invalid.because("untilDate", "only a pause ends by itself", rule)
        if self.until <= self.date:
            raise Invalid.because("untilDate", "must be later than date")

    def _change(self, context: Context) -> ScheduledChange:
        return ScheduledChange(
            id=context.new_id(),
            created=context.now,
            updated=context.now,
            kind=self.kind,
            status=ChangeStatus.WAITING,
            date=self.date,
            program_id=self.program_id,
            until=self.until,
        )

    @property
    def _key(self) -> tuple[str, str, str]:
        return self.program_id, _KEY_OPERATION, self.idempotency_key

    def _used_key(self, change: ScheduledChange) -> IdempotencyKey:
        subject_id, operation, key = self._key
        return IdempotencyKey(
            subject_id=subject_id,
            operation=operation,
            idempotency_key=key,
            created=change.created,
            result_id=change.id,
        )

    def _repeated(self, state: State, first: IdempotencyKey) -> ScheduledChange:
        """The change that the key was used for, as it is now, if the request is the same."""
        assert first.result_id is not None
        change = state.one(SCHEDULED_CHANGE, first.result_id)
        assert change is not None, "changes with a date are never deleted"
        if (change.kind, change.date, change.until) != (self.kind, self.date, self.until):
            raise AlreadyExecuted(idempotency_key=self.idempotency_key, same_request=False)
        return change


class WithdrawChange(Command[ScheduledChange], frozen=True, kw_only=True):
    """Withdraw a change that still waits for its date."""

    about = ScheduledChange

    id: str

    def ask(self, needs: Needs, state: State) -> None:
        needs.read(SCHEDULED_CHANGE, self.id)
        change = state.loaded(SCHEDULED_CHANGE, self.id)
        if change is None:
            return
        needs.lock(SCHEDULED_CHANGE, self.id)
        if change.program_id is None:
            ask_for_cascades(needs)
        else:
            ask_to_date(needs, state, change.program_id)

    def decide(self, state: State, context: Context) -> Changes[ScheduledChange]:
        change = state.one(SCHEDULED_CHANGE, self.id)
        if change is None:
            raise ScheduledChangeNotFound(scheduled_change_id=self.id)
        program = None
        if change.program_id is None:
            require_begun(state, context)
        else:
            program = require(state, PROGRAM, change.program_id)
            require_settled((program,), context)
        if change.status is not ChangeStatus.WAITING:
            raise ScheduledChangeOver(scheduled_change_id=change.id, change_status=change.status)
        if change.date <= context.now:
            # Its date has come: what has to be done before it still goes on.
            raise InProgress
        withdrawn = ended(change, ChangeStatus.WITHDRAWN, context.now)
        changes = Changes(withdrawn)
        changes.save(withdrawn)
        if program is not None:
            rest = [each for each in waiting_of(state, program) if each.id != change.id]
            save_dates(state, changes, context, program, rest)
        return changes


def waiting_of(state: State, program: Program) -> list[ScheduledChange]:
    """The changes of a program that wait for their dates."""
    changes = state.many(CHANGES_OF_PROGRAM, program.id)
    return [each for each in changes if each.status is ChangeStatus.WAITING]
