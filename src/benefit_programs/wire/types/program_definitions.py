"""Program definitions: templates that group pool definitions."""

from __future__ import annotations

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
from benefit_programs.domain.values import Cascade
from benefit_programs.wire.types.calendars import (
    EitherEnd,
    EndDate,
    EndsAfter,
    PausedDaysMax,
    Pausing,
    Renewals,
)
from benefit_programs.wire.types.common import (
    AuditReason,
    CursorPagingMetadata,
    Description,
    EntityId,
    ExtendedFields,
    ExternalId,
    FieldMask,
    Namespace,
    ProgramName,
    QueryRequest,
    Revision,
    Timestamp,
)


class ProgramDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A program definition as it is answered."""

    id: Annotated[EntityId, Immutable(), ReadOnly()] | None = None
    revision: Annotated[Revision, ReadOnly()] | None = None
    created_date: Annotated[Timestamp, ReadOnly()] | None = None
    updated_date: Annotated[Timestamp, ReadOnly()] | None = None
    display_name: ProgramName | None = None
    description: Annotated[Description, Undocumented()] | None = None
    namespace: Annotated[Namespace, Immutable(), ReadOnly()] | None = None
    extended_fields: ExtendedFields | None = None
    external_id: Annotated[ExternalId, Immutable(), ReadOnly()] | None = None
    renewal_configuration: Renewals | None = None
    end_date: EndDate | None = None
    ends_after: EndsAfter | None = None
    while_paused: Pausing | None = None
    paused_days_max: PausedDaysMax | None = None


class NewProgramDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A program definition to create."""

    entity: ClassVar[type[msgspec.Struct]] = ProgramDefinition
    one_of: ClassVar[OneOf] = EitherEnd

    namespace: Namespace
    external_id: Annotated[ExternalId, Alias("externalProgramId")]
    display_name: ProgramName | None = None
    description: Annotated[Description, Undocumented()] | None = None
    extended_fields: ExtendedFields | None = None
    renewal_configuration: Renewals | None = None
    end_date: EndDate | None = None
    ends_after: EndsAfter | None = None
    while_paused: Pausing | None = None
    paused_days_max: PausedDaysMax | None = None


class ProgramDefinitionChange(msgspec.Struct, frozen=True, kw_only=True):
    """The changes of a program definition."""

    entity: ClassVar[type[msgspec.Struct]] = ProgramDefinition
    one_of: ClassVar[OneOf] = EitherEnd

    id: EntityId
    revision: Revision
    display_name: ProgramName | None = None
    description: Annotated[Description, Undocumented()] | None = None
    extended_fields: ExtendedFields | None = None
    renewal_configuration: Renewals | None = None
    end_date: EndDate | None = None
    ends_after: EndsAfter | None = None
    while_paused: Pausing | None = None
    paused_days_max: PausedDaysMax | None = None


class CreateProgramDefinitionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Create a program definition."""

    program_definition: NewProgramDefinition


class CreateProgramDefinitionResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The program definition that was created."""

    program_definition: ProgramDefinition | None = None


class UpdateProgramDefinitionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Change a program definition."""

    program_definition: ProgramDefinitionChange
    field_mask: Annotated[FieldMask, Undocumented()] | None = None
    reason: Annotated[AuditReason, Addition()] | None = None


class UpdateProgramDefinitionResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The changed program definition."""

    program_definition: ProgramDefinition | None = None


class DeleteProgramDefinitionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Delete a program definition; without a cascade its programs stay."""

    program_definition_id: EntityId
    cascade_type: Annotated[Cascade, Alias("cascade")] | None = None
    cascade_date: Annotated[Timestamp, Addition()] | None = None
    reason: Annotated[AuditReason, Addition()] | None = None


class DeleteProgramDefinitionResponse(msgspec.Struct, frozen=True, kw_only=True):
    """Empty: the entity is deleted."""


class GetProgramDefinitionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read a program definition."""

    program_definition_id: EntityId


class GetProgramDefinitionResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The program definition."""

    program_definition: ProgramDefinition | None = None


class GetProgramDefinitionByExternalIdAndNamespaceRequest(
    msgspec.Struct, frozen=True, kw_only=True
):
    """Read a program definition by its external id."""

    namespace: Namespace
    external_id: ExternalId


class GetProgramDefinitionByExternalIdAndNamespaceResponse(
    msgspec.Struct, frozen=True, kw_only=True
):
    """The program definition."""

    program_definition: ProgramDefinition | None = None


class QueryProgramDefinitionsRequest(QueryRequest, frozen=True, kw_only=True):
    """Find program definitions."""


class QueryProgramDefinitionsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of program definitions."""

    program_definitions: tuple[ProgramDefinition, ...] | None = None
    metadata: CursorPagingMetadata | None = None
