"""Changes with a date: of programs, and cascades of definitions."""

from __future__ import annotations

from benefit_programs.api.call import Call
from benefit_programs.api.method import DELETE, GET, MANAGE, POST, READ_LIMITED, method
from benefit_programs.domain.calendar_errors import (
    ScheduledChangeNotFound,
    ScheduledChangeOver,
    TooManyScheduledChanges,
)
from benefit_programs.domain.errors import (
    AlreadyExecuted,
    InProgress,
    ProgramNotFound,
    ProgramStatusTransitionNotAllowed,
)
from benefit_programs.domain.lookups import SCHEDULED_CHANGE
from benefit_programs.domain.scheduled_changes import ChangeKind, ScheduledChange
from benefit_programs.domain.scheduling import ScheduleChange, WithdrawChange
from benefit_programs.storage import specs
from benefit_programs.wire import scheduled_change_views as views
from benefit_programs.wire.types import scheduled_changes as wire


@method(
    "scheduleProgramChange",
    POST,
    "/benefit-programs/v1/programs/{programId}/changes",
    MANAGE,
    "BENEFIT_PROGRAMS.PROGRAM_PAUSE",
    "BENEFIT_PROGRAMS.PROGRAM_RESUME",
    "BENEFIT_PROGRAMS.PROGRAM_END",
    refuses=(
        ProgramNotFound,
        AlreadyExecuted,
        ProgramStatusTransitionNotAllowed,
        TooManyScheduledChanges,
    ),
    is_addition=True,
)
async def schedule(
    call: Call, request: wire.ScheduleProgramChangeRequest
) -> wire.ScheduleProgramChangeResponse:
    """Whether it can be done shows only at its date."""
    row = await call.execute(
        ScheduleChange(
            program_id=request.program_id,
            kind=ChangeKind(request.kind),
            date=request.date,
            until=request.until_date,
            idempotency_key=request.idempotency_key,
        )
    )
    return wire.ScheduleProgramChangeResponse(scheduled_change=views.scheduled_change(row))


@method(
    "getScheduledChange",
    GET,
    "/benefit-programs/v1/scheduled-changes/{scheduledChangeId}",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.PROGRAM_READ",
    refuses=(ScheduledChangeNotFound,),
    is_addition=True,
)
async def get(
    call: Call, request: wire.GetScheduledChangeRequest
) -> wire.GetScheduledChangeResponse:
    missing = ScheduledChangeNotFound(scheduled_change_id=request.scheduled_change_id)
    row = await call.get(SCHEDULED_CHANGE, request.scheduled_change_id, missing=missing)
    return wire.GetScheduledChangeResponse(scheduled_change=views.scheduled_change(row))


@method(
    "withdrawScheduledChange",
    DELETE,
    "/benefit-programs/v1/scheduled-changes/{scheduledChangeId}",
    MANAGE,
    "BENEFIT_PROGRAMS.PROGRAM_UPDATE",
    "BENEFIT_PROGRAMS.POOL_DEFINITION_UPDATE",
    refuses=(ScheduledChangeNotFound, ScheduledChangeOver, InProgress),
    is_addition=True,
)
async def withdraw(
    call: Call, request: wire.WithdrawScheduledChangeRequest
) -> wire.WithdrawScheduledChangeResponse:
    row = await call.execute(WithdrawChange(id=request.scheduled_change_id))
    return wire.WithdrawScheduledChangeResponse(scheduled_change=views.scheduled_change(row))


@method(
    "queryScheduledChanges",
    POST,
    "/benefit-programs/v1/scheduled-changes/query",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.PROGRAM_READ",
    spec=specs.scheduled_changes,
    is_addition=True,
)
async def query(
    call: Call, request: wire.QueryScheduledChangesRequest
) -> wire.QueryScheduledChangesResponse:
    """The next date comes first, unless the query sorts otherwise."""
    rows, metadata = await call.page(ScheduledChange, request.query)
    return wire.QueryScheduledChangesResponse(
        scheduled_changes=tuple(map(views.scheduled_change, rows)), metadata=metadata
    )
