"""Changes with a date: of programs, and cascades of definitions."""

from __future__ import annotations

from benefit_programs.api.call import Call
from benefit_programs.api.errors import Forbidden
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

_NEEDED: dict[ChangeKind, tuple[str, ...]] = {
    ChangeKind.PAUSE: ("BENEFIT_PROGRAMS.PROGRAM_PAUSE",),
    ChangeKind.RESUME: ("BENEFIT_PROGRAMS.PROGRAM_RESUME",),
    ChangeKind.END: ("BENEFIT_PROGRAMS.PROGRAM_END",),
    ChangeKind.CASCADE: (
        "BENEFIT_PROGRAMS.POOL_DEFINITION_CREATE",
        "BENEFIT_PROGRAMS.POOL_DEFINITION_UPDATE",
        "BENEFIT_PROGRAMS.POOL_DEFINITION_DELETE",
        "BENEFIT_PROGRAMS.PROGRAM_DEFINITION_DELETE",
    ),
}
"""Whoever has one of these permission ids may make and withdraw a change of the kind."""

_OF_PROGRAMS = tuple(
    each for kind, ids in _NEEDED.items() if kind is not ChangeKind.CASCADE for each in ids
)


def _require_permission(call: Call, kind: ChangeKind) -> None:
    """Raise Forbidden if the key may make no changes of this kind."""
    if not any(call.principal.may(call.method.scope, (each,)) for each in _NEEDED[kind]):
        raise Forbidden


@method(
    "scheduleProgramChange",
    POST,
    "/benefit-programs/v1/programs/{programId}/changes",
    MANAGE,
    *_OF_PROGRAMS,
    takes_any=True,
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
    kind = ChangeKind(request.kind)
    _require_permission(call, kind)
    row = await call.execute(
        ScheduleChange(
            program_id=request.program_id,
            kind=kind,
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
    *_OF_PROGRAMS,
    *_NEEDED[ChangeKind.CASCADE],
    takes_any=True,
    refuses=(ScheduledChangeNotFound, ScheduledChangeOver, InProgress),
    is_addition=True,
)
async def withdraw(
    call: Call, request: wire.WithdrawScheduledChangeRequest
) -> wire.WithdrawScheduledChangeResponse:
    """Whoever may make a change of its kind may withdraw it."""
    change = await call.one(SCHEDULED_CHANGE, request.scheduled_change_id)
    if change is not None:
        _require_permission(call, change.kind)
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
