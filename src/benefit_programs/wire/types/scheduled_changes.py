"""Changes with a date: of programs, and cascades of definitions."""

from __future__ import annotations

from typing import Annotated

import msgspec

from benefit_programs.domain.constraints import ReadOnly
from benefit_programs.domain.scheduled_changes import ChangeKind, ChangeStatus, ProgramChangeKind
from benefit_programs.domain.values import Cascade
from benefit_programs.wire.types.common import (
    ActionKey,
    AuditReason,
    CursorPagingMetadata,
    EntityId,
    QueryRequest,
    Timestamp,
)


class ScheduledChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change with a date as it is answered."""

    id: Annotated[EntityId, ReadOnly()] | None = None
    created_date: Annotated[Timestamp, ReadOnly()] | None = None
    updated_date: Annotated[Timestamp, ReadOnly()] | None = None
    kind: Annotated[ChangeKind, ReadOnly()] | None = None
    status: Annotated[ChangeStatus, ReadOnly()] | None = None
    date: Annotated[Timestamp, ReadOnly()] | None = None
    until_date: Annotated[Timestamp, ReadOnly()] | None = None
    program_id: Annotated[EntityId, ReadOnly()] | None = None
    pool_definition_id: Annotated[EntityId, ReadOnly()] | None = None
    program_definition_id: Annotated[EntityId, ReadOnly()] | None = None
    cascade_type: Annotated[Cascade, ReadOnly()] | None = None
    reason: Annotated[str, ReadOnly()] | None = None


class ScheduleProgramChangeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Have a program pause, resume or end at a date."""

    program_id: EntityId
    kind: ProgramChangeKind
    date: Timestamp
    until_date: Timestamp | None = None
    idempotency_key: ActionKey
    reason: AuditReason | None = None


class ScheduleProgramChangeResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The change, which waits for its date."""

    scheduled_change: ScheduledChange | None = None


class GetScheduledChangeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read a change with a date."""

    scheduled_change_id: EntityId


class GetScheduledChangeResponse(ScheduleProgramChangeResponse, frozen=True, kw_only=True):
    """The change with a date."""


class WithdrawScheduledChangeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Withdraw a change that waits for its date."""

    scheduled_change_id: EntityId
    reason: AuditReason | None = None


class WithdrawScheduledChangeResponse(ScheduleProgramChangeResponse, frozen=True, kw_only=True):
    """The change, which was withdrawn."""


class QueryScheduledChangesRequest(QueryRequest, frozen=True, kw_only=True):
    """Find changes with a date, by default in the order of their dates."""


class QueryScheduledChangesResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of changes with a date."""

    scheduled_changes: tuple[ScheduledChange, ...] | None = None
    metadata: CursorPagingMetadata | None = None
