"""Programs: the pools of one beneficiary, managed together."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec

from benefit_programs.domain.constraints import (
    Addition,
    Alias,
    Immutable,
    OneOf,
    ReadOnly,
    Undocumented,
)
from benefit_programs.domain.entities import ProgramStatus
from benefit_programs.domain.explanations import ProgramDefinitionInfo
from benefit_programs.wire.types.calendars import (
    Cycle,
    EitherEnd,
    EndDate,
    EndsAfter,
    PausedDaysMax,
    Pausing,
    Renewals,
)
from benefit_programs.wire.types.common import (
    ActionKey,
    AuditReason,
    CursorPagingMetadata,
    EntityId,
    ExtendedFields,
    ExternalId,
    FieldMask,
    IdentificationData,
    Namespace,
    ProgramName,
    QueryRequest,
    Revision,
    Timestamp,
)


class ProvisionProgramRequestProgramStatus(StrEnum):
    """The status that a program can start with."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A program as it is answered."""

    id: Annotated[EntityId, Immutable(), ReadOnly()] | None = None
    revision: Annotated[Revision, ReadOnly()] | None = None
    created_date: Annotated[Timestamp, ReadOnly()] | None = None
    updated_date: Annotated[Timestamp, ReadOnly()] | None = None
    program_definition_id: Annotated[EntityId, Immutable(), ReadOnly()] | None = None
    status: Annotated[ProgramStatus, ReadOnly()] | None = None
    beneficiary: Annotated[IdentificationData, Immutable(), ReadOnly()] | None = None
    display_name: ProgramName | None = None
    namespace: Annotated[Namespace, Immutable(), ReadOnly()] | None = None
    extended_fields: ExtendedFields | None = None
    external_id: Annotated[ExternalId, Immutable(), ReadOnly()] | None = None
    program_definition: Annotated[ProgramDefinitionInfo, ReadOnly()] | None = None
    target_status: Annotated[ProgramStatus, ReadOnly(), Undocumented()] | None = None
    renewal_configuration: Renewals | None = None
    end_date: EndDate | None = None
    while_paused: Pausing | None = None
    paused_days_max: PausedDaysMax | None = None
    next_renewal_date: Annotated[Timestamp, ReadOnly(), Addition()] | None = None
    cycle: Annotated[Cycle, ReadOnly(), Addition()] | None = None
    paused_since_date: Annotated[Timestamp, ReadOnly(), Addition()] | None = None
    paused_until_date: Annotated[Timestamp, ReadOnly(), Addition()] | None = None


class ProgramChange(msgspec.Struct, frozen=True, kw_only=True):
    """The changes of a program."""

    entity: ClassVar[type[msgspec.Struct]] = Program

    id: EntityId
    revision: Revision
    display_name: ProgramName | None = None
    extended_fields: ExtendedFields | None = None
    renewal_configuration: Renewals | None = None
    end_date: EndDate | None = None
    while_paused: Pausing | None = None
    paused_days_max: PausedDaysMax | None = None


class ProgramProvisioned(msgspec.Struct, frozen=True, kw_only=True):
    """Event: a program was created with its pools."""

    program: Program | None = None


class ProgramRenewed(ProgramProvisioned, frozen=True, kw_only=True):
    """Event: a new cycle began."""


class ProgramEnded(ProgramProvisioned, frozen=True, kw_only=True):
    """Event: the program ended."""


class ProgramPaused(ProgramProvisioned, frozen=True, kw_only=True):
    """Event: the program was paused."""


class ProgramResumed(ProgramProvisioned, frozen=True, kw_only=True):
    """Event: the program was resumed."""


class PoolDefinitionLookupId(msgspec.Struct, frozen=True, kw_only=True):
    """The definition that a program is made from: exactly one of the two."""

    one_of: ClassVar[OneOf] = OneOf(("pool_definition_id", "program_definition_id"))

    pool_definition_id: EntityId | None = None
    program_definition_id: EntityId | None = None


class ProvisionProgramRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Create a program for a beneficiary."""

    one_of: ClassVar[OneOf] = EitherEnd

    pool_definition_lookup_id: Annotated[PoolDefinitionLookupId, Alias("poolDefinitionReference")]
    beneficiary: IdentificationData
    namespace: Namespace
    external_program_id: ExternalId
    program_status: ProvisionProgramRequestProgramStatus | None = None
    display_name: ProgramName | None = None
    renewal_configuration: Renewals | None = None
    end_date: EndDate | None = None
    ends_after: EndsAfter | None = None
    while_paused: Pausing | None = None
    paused_days_max: PausedDaysMax | None = None
    reason: Annotated[AuditReason, Addition()] | None = None


class JobResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The job of the action."""

    job_id: EntityId | None = None


class ProvisionProgramResponse(JobResponse, frozen=True, kw_only=True):
    """The program, and the job that provisions it."""

    program: Program | None = None


class ProgramActionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An action on a program that is done once per key."""

    program_id: EntityId
    idempotency_key: ActionKey
    reason: Annotated[AuditReason, Addition()] | None = None


class RenewProgramRequest(ProgramActionRequest, frozen=True, kw_only=True):
    """Start a new cycle."""

    restart_timetable: Annotated[bool, Addition()] | None = None


class RenewProgramResponse(JobResponse, frozen=True, kw_only=True):
    """The job of the renewal."""


class PauseProgramRequest(ProgramActionRequest, frozen=True, kw_only=True):
    """Pause a program and its pools."""

    until_date: Annotated[Timestamp, Addition()] | None = None


class PauseProgramResponse(JobResponse, frozen=True, kw_only=True):
    """The job of the pause."""


class ResumeProgramRequest(ProgramActionRequest, frozen=True, kw_only=True):
    """Resume a paused program and its pools."""


class ResumeProgramResponse(JobResponse, frozen=True, kw_only=True):
    """The job of the resumption."""


class EndProgramRequest(msgspec.Struct, frozen=True, kw_only=True):
    """End a program and its pools."""

    program_id: EntityId
    reason: Annotated[AuditReason, Addition()] | None = None


class EndProgramResponse(JobResponse, frozen=True, kw_only=True):
    """The job of the end."""


class UpdateProgramRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Change a program."""

    program: ProgramChange
    field_mask: Annotated[FieldMask, Undocumented()] | None = None
    reason: Annotated[AuditReason, Addition()] | None = None


class UpdateProgramResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The changed program."""

    program: Program | None = None


class GetProgramRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read a program."""

    program_id: EntityId


class GetProgramResponse(UpdateProgramResponse, frozen=True, kw_only=True):
    """The program."""


class QueryProgramsRequest(QueryRequest, frozen=True, kw_only=True):
    """Find programs."""


class QueryProgramsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of programs."""

    programs: tuple[Program, ...] | None = None
    metadata: CursorPagingMetadata | None = None


class GetProgramByExternalIdAndNamespaceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read a program by its external id."""

    namespace: Namespace
    external_id: ExternalId


class GetProgramByExternalIdAndNamespaceResponse(UpdateProgramResponse, frozen=True, kw_only=True):
    """The program."""
