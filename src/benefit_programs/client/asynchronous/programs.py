"""Programs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias

from benefit_programs.client.asynchronous.queries import AsyncQuery, begin
from benefit_programs.client.asynchronous.session import AsyncMethods
from benefit_programs.client.core.keys import first_job, keyed
from benefit_programs.client.core.queries import Plan
from benefit_programs.client.core.wire import (
    changes,
    document,
    mask,
    reads,
    reads_field,
    reads_rows,
)
from benefit_programs.client.generated.enums import ProgramChangeKind, StartStatus, WhilePaused
from benefit_programs.client.generated.filters import ProgramFilter, ProgramSort
from benefit_programs.client.types.calendars import RenewalConfiguration, Timetable
from benefit_programs.client.types.common import UNSET, Namespaces, Unset
from benefit_programs.client.types.identities import Identity
from benefit_programs.client.types.programs import Program, ProvisionedProgram, StartedJob
from benefit_programs.client.types.scheduled_changes import ScheduledChange

AsyncProgramQuery: TypeAlias = AsyncQuery[Program, ProgramFilter, ProgramSort]

_ENTITY = reads_field("program", Program)
_ROWS = reads_rows("programs", Program)
_PROVISIONED = reads(ProvisionedProgram)
_STARTED = reads(StartedJob)
_TIMETABLE = reads(Timetable)
_SCHEDULED = reads_field("scheduledChange", ScheduledChange)


class AsyncPrograms(AsyncMethods):
    """The pools of one beneficiary each, managed together."""

    async def provision(  # noqa: PLR0913 - a field each
        self,
        *,
        beneficiary: Identity,
        namespace: str,
        external_program_id: str,
        program_definition_id: str | None = None,
        pool_definition_id: str | None = None,
        display_name: str | None = None,
        program_status: StartStatus | None = None,
        renewal_configuration: RenewalConfiguration | None = None,
        end_date: datetime | None = None,
        ends_after: str | None = None,
        while_paused: WhilePaused | None = None,
        paused_days_max: int | None = None,
        reason: str | None = None,
    ) -> ProvisionedProgram:
        """Create a program for a beneficiary, from exactly one of the two definitions.

        What is said about its dates counts before what the program definition says. It ends at a
        date or after an ISO 8601 duration such as P1Y, not both.

        A namespace has at most one program with an external id. So after a lost answer provision
        again: ProgramAlreadyExists says that the program is there.

        Raises:
            ProgramAlreadyExists: The namespace has a program with this external id.
            InProgress: It is being provisioned now.
            ProgramDefinitionNotFound: There is no such program definition.
            PoolDefinitionNotFound: There is no such pool definition.
            EndDatePassed: The end that the program definition says has passed.
        """
        fields = document(
            pool_definition_lookup_id=document(
                program_definition_id=program_definition_id, pool_definition_id=pool_definition_id
            ),
            beneficiary=beneficiary,
            namespace=namespace,
            external_program_id=external_program_id,
            display_name=display_name,
            program_status=program_status,
            renewal_configuration=renewal_configuration,
            end_date=end_date,
            ends_after=ends_after,
            while_paused=while_paused,
            paused_days_max=paused_days_max,
            reason=reason,
        )
        return await self._session.call("provisionProgram", _PROVISIONED, fields)

    async def renew(
        self,
        program_id: str,
        *,
        restart_timetable: bool = False,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> StartedJob:
        """Start a new cycle: pending changes are made, credits lapse, roll over and are granted.

        The program's timetable goes on as it was, unless it is restarted: then it counts from now.
        With a key that was used before, return the job of the first renewal and change nothing.

        Raises:
            ProgramNotFound: There is no such program.
            ProgramStatusTransitionNotAllowed: The program has ended.
            InProgress: Another action on it is still running.
        """
        return await self._act(
            "renewProgram",
            program_id,
            idempotency_key,
            document(restart_timetable=restart_timetable or None, reason=reason),
        )

    async def pause(
        self,
        program_id: str,
        *,
        until_date: datetime | None = None,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> StartedJob:
        """Pause an active program and its pools; with a date it resumes by itself.

        Raises:
            ProgramNotFound: There is no such program.
            ProgramStatusTransitionNotAllowed: The program isn't active.
            PausedDaysUsedUp: It was paused for as many days of this year as it may.
            AlreadyExecuted: The caller's key was used before.
            InProgress: Another action on it is still running.
        """
        return await self._act(
            "pauseProgram",
            program_id,
            idempotency_key,
            document(until_date=until_date, reason=reason),
        )

    async def resume(
        self, program_id: str, *, reason: str | None = None, idempotency_key: str | None = None
    ) -> StartedJob:
        """Resume a paused program and its pools.

        Raises:
            ProgramNotFound: There is no such program.
            ProgramStatusTransitionNotAllowed: The program isn't paused.
            AlreadyExecuted: The caller's key was used before.
            InProgress: Another action on it is still running.
        """
        return await self._act(
            "resumeProgram", program_id, idempotency_key, document(reason=reason)
        )

    async def _act(
        self, name: str, program_id: str, key: str | None, more: dict[str, Any] | None = None
    ) -> StartedJob:
        fields = document(program_id=program_id) | (more or {})
        call = keyed(name, _STARTED, fields, idempotency_key=key, replay=first_job)
        return await self._session.send(call)

    async def end(self, program_id: str, *, reason: str | None = None) -> StartedJob:
        """End a program and its pools, for good.

        Raises:
            ProgramNotFound: There is no such program.
            ProgramStatusTransitionNotAllowed: It has already ended.
            InProgress: Another action on it is still running.
        """
        fields = document(program_id=program_id, reason=reason)
        return await self._session.call("endProgram", _STARTED, fields)

    async def schedule_pause(
        self,
        program_id: str,
        *,
        date: datetime,
        until_date: datetime | None = None,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> ScheduledChange:
        """Have a program pause at a date; with another one it resumes by itself.

        Whether it can be done shows at the date. With a key that was used for the same before,
        return that change.

        Raises:
            ProgramNotFound: There is no such program.
            ProgramStatusTransitionNotAllowed: The program has ended.
            TooManyScheduledChanges: As many changes of the program wait as may.
            AlreadyExecuted: The key was used for another change.
        """
        fields = document(program_id=program_id, date=date, until_date=until_date, reason=reason)
        return await self._schedule(ProgramChangeKind.PAUSE, fields, idempotency_key)

    async def schedule_resume(
        self,
        program_id: str,
        *,
        date: datetime,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> ScheduledChange:
        """Have a program resume at a date. Raises as ``schedule_pause``."""
        fields = document(program_id=program_id, date=date, reason=reason)
        return await self._schedule(ProgramChangeKind.RESUME, fields, idempotency_key)

    async def schedule_end(
        self,
        program_id: str,
        *,
        date: datetime,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> ScheduledChange:
        """Have a program end at a date, for good. Raises as ``schedule_pause``."""
        fields = document(program_id=program_id, date=date, reason=reason)
        return await self._schedule(ProgramChangeKind.END, fields, idempotency_key)

    async def _schedule(
        self, kind: ProgramChangeKind, fields: dict[str, Any], key: str | None
    ) -> ScheduledChange:
        fields = {**fields, **document(kind=kind)}
        # The service answers a repeated request with the first one's change.
        call = keyed(
            "scheduleProgramChange",
            _SCHEDULED,
            fields,
            idempotency_key=key,
            replay=lambda _: None,
        )
        return await self._session.send(call)

    async def update(  # noqa: PLR0913 - a field each
        self,
        program_id: str,
        *,
        revision: int,
        display_name: str | Unset | None = UNSET,
        extended_fields: Namespaces | Unset = UNSET,
        renewal_configuration: RenewalConfiguration | Unset | None = UNSET,
        end_date: datetime | Unset | None = UNSET,
        while_paused: WhilePaused | Unset | None = UNSET,
        paused_days_max: int | Unset | None = UNSET,
        field_mask: Collection[
            Literal[
                "display_name",
                "extended_fields",
                "renewal_configuration",
                "end_date",
                "while_paused",
                "paused_days_max",
            ]
        ]
        | None = None,
        reason: str | None = None,
    ) -> Program:
        """Change the given fields. None clears a field, and so does a mask that names it alone.

        Another renewal configuration begins a new timetable now, with cycle 1.

        Raises:
            ProgramNotFound: There is no such program.
            InvalidRevision: It was changed since this revision was read.
            ProgramDatesFixed: It has ended, or a pause has stopped these dates.
            InProgress: An action on it is still running.
        """
        changed = changes(
            id=program_id,
            revision=revision,
            display_name=display_name,
            extended_fields=extended_fields,
            renewal_configuration=renewal_configuration,
            end_date=end_date,
            while_paused=while_paused,
            paused_days_max=paused_days_max,
        )
        fields = document(program=changed, field_mask=mask(field_mask), reason=reason)
        return await self._session.call("updateProgram", _ENTITY, fields)

    async def get(self, program_id: str) -> Program:
        """Read a program.

        Raises:
            ProgramNotFound: There is no such program.
        """
        return await self._session.call("getProgram", _ENTITY, document(program_id=program_id))

    async def timetable(self, program_id: str, *, limit: int | None = None) -> Timetable:
        """Read what happens to a program by itself next, and why: 24 instants unless said.

        Raises:
            ProgramNotFound: There is no such program.
        """
        fields = document(program_id=program_id, limit=limit)
        return await self._session.call("getProgramTimetable", _TIMETABLE, fields)

    async def get_by_external_id(self, external_id: str, *, namespace: str) -> Program:
        """Read a program by the id that its maker gave it.

        Raises:
            ProgramNotFound: There is no such program.
        """
        fields = document(external_id=external_id, namespace=namespace)
        name = "getProgramByExternalIdAndNamespace"
        return await self._session.call(name, _ENTITY, fields)

    def query(
        self,
        filter: ProgramFilter | None = None,  # noqa: A002 - the contract's own word
        *,
        sort: Sequence[ProgramSort] = (),
    ) -> AsyncProgramQuery:
        """Find programs."""
        return begin(self._session, Plan(name="queryPrograms", read=_ROWS), filter, sort)
