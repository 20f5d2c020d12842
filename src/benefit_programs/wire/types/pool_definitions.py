"""Pool definitions: templates with benefits and a credit configuration."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from benefit_programs.domain.benefits import illegalities, repetitions
from benefit_programs.domain.constraints import (
    Addition,
    Chosen,
    Entries,
    Immutable,
    Judged,
    ReadOnly,
    Required,
    Requires,
    Size,
    Undocumented,
)
from benefit_programs.domain.details import Details
from benefit_programs.domain.explanations import ProgramDefinitionInfo
from benefit_programs.domain.values import Cascade
from benefit_programs.wire.types.common import (
    AuditReason,
    BulkActionMetadata,
    BulkIds,
    BulkSize,
    CursorPagingMetadata,
    Description,
    EntityId,
    ExtendedFields,
    FieldMask,
    ItemMetadata,
    Namespace,
    PoolName,
    QueryRequest,
    Revision,
    Timestamp,
)

PROGRAM_DEFINITIONS_MAX = 20
"""How many program definitions a pool definition may belong to."""

ProgramDefinitionIds = Annotated[tuple[EntityId, ...], Size(maximum=PROGRAM_DEFINITIONS_MAX)]
ProgramDefinitionInfos = Annotated[
    tuple[ProgramDefinitionInfo, ...], Size(maximum=PROGRAM_DEFINITIONS_MAX), ReadOnly()
]


_CASCADE_RULES = ("cascade_is_required", "cascade_value_not_supported")
ChosenCascade = Annotated[Cascade, Required(), Chosen(*_CASCADE_RULES)]
CascadeDate = Annotated[Timestamp, Addition()]


class PoolDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A pool definition as it is answered."""

    id: Annotated[EntityId, Immutable(), ReadOnly()] | None = None
    revision: Annotated[Revision, ReadOnly()] | None = None
    created_date: Annotated[Timestamp, ReadOnly()] | None = None
    updated_date: Annotated[Timestamp, ReadOnly()] | None = None
    display_name: PoolName | None = None
    program_definition_ids: ProgramDefinitionIds | None = None
    details: Details | None = None
    namespace: Annotated[Namespace, Immutable(), ReadOnly()] | None = None
    extended_fields: ExtendedFields | None = None
    program_definitions: ProgramDefinitionInfos | None = None
    description: Annotated[Description, Undocumented()] | None = None


class NewPoolDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A pool definition to create."""

    entity: ClassVar[type[msgspec.Struct]] = PoolDefinition

    namespace: Namespace
    details: Annotated[Details, Requires("benefits"), Judged(illegalities)]
    display_name: PoolName | None = None
    program_definition_ids: ProgramDefinitionIds | None = None
    extended_fields: ExtendedFields | None = None
    description: Annotated[Description, Undocumented()] | None = None


class PoolDefinitionChange(msgspec.Struct, frozen=True, kw_only=True):
    """The changes of a pool definition."""

    entity: ClassVar[type[msgspec.Struct]] = PoolDefinition

    id: EntityId
    revision: Revision
    display_name: PoolName | None = None
    program_definition_ids: ProgramDefinitionIds | None = None
    details: Annotated[Details, Judged(repetitions)] | None = None
    extended_fields: ExtendedFields | None = None
    description: Annotated[Description, Undocumented()] | None = None


class MaskedPoolDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a bulk request."""

    pool_definition: PoolDefinitionChange
    field_mask: FieldMask | None = None


class PoolDefinitionAddedToProgramDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """Event: programs made from the program definition get such a pool."""

    pool_definition: PoolDefinition | None = None
    program_definition_id: EntityId | None = None
    cascade_type: Cascade | None = None


class PoolDefinitionRemovedFromProgramDefinition(
    PoolDefinitionAddedToProgramDefinition, frozen=True, kw_only=True
):
    """Event: programs made from the program definition no longer get such a pool."""


class CreatePoolDefinitionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Create a pool definition."""

    pool_definition: NewPoolDefinition
    cascade: (
        Annotated[Cascade, Chosen(*_CASCADE_RULES, ("pool_definition", "program_definition_ids"))]
        | None
    ) = None
    cascade_date: CascadeDate | None = None


class CreatePoolDefinitionResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The pool definition that was created."""

    pool_definition: PoolDefinition | None = None


class BulkCreatePoolDefinitionsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Create pool definitions."""

    pool_definitions: Annotated[tuple[NewPoolDefinition, ...], BulkSize, Entries()]
    cascade: (
        Annotated[Cascade, Chosen(*_CASCADE_RULES, ("pool_definitions", "program_definition_ids"))]
        | None
    ) = None
    cascade_date: CascadeDate | None = None
    return_entity: bool | None = None


class BulkPoolDefinitionResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one entry."""

    item_metadata: ItemMetadata | None = None
    item: PoolDefinition | None = None


class BulkCreatePoolDefinitionsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The result of each entry."""

    results: Annotated[tuple[BulkPoolDefinitionResult, ...], BulkSize] | None = None
    bulk_action_metadata: BulkActionMetadata | None = None


class UpdatePoolDefinitionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Change a pool definition; the cascade says when its pools follow."""

    pool_definition: PoolDefinitionChange
    field_mask: Annotated[FieldMask, Undocumented()] | None = None
    cascade: ChosenCascade
    cascade_date: CascadeDate | None = None
    reason: Annotated[AuditReason, Addition()] | None = None


class UpdatePoolDefinitionResponse(CreatePoolDefinitionResponse, frozen=True, kw_only=True):
    """The changed pool definition."""


class BulkUpdatePoolDefinitionsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Change pool definitions."""

    pool_definitions: Annotated[tuple[MaskedPoolDefinition, ...], BulkSize, Entries()]
    cascade: ChosenCascade
    cascade_date: CascadeDate | None = None
    return_entity: bool | None = None


class BulkUpdatePoolDefinitionsResponse(
    BulkCreatePoolDefinitionsResponse, frozen=True, kw_only=True
):
    """The result of each entry."""


class DeletePoolDefinitionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Delete a pool definition; the cascade says when its pools end."""

    pool_definition_id: EntityId
    cascade: ChosenCascade
    cascade_date: CascadeDate | None = None
    reason: Annotated[AuditReason, Addition()] | None = None


class DeletePoolDefinitionResponse(msgspec.Struct, frozen=True, kw_only=True):
    """Empty: the entity is deleted."""


class BulkDeletePoolDefinitionsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Delete pool definitions."""

    pool_definition_ids: BulkIds
    cascade: ChosenCascade
    cascade_date: CascadeDate | None = None


class BulkDeletePoolDefinitionsResponse(
    BulkCreatePoolDefinitionsResponse, frozen=True, kw_only=True
):
    """The result of each entry."""


class GetPoolDefinitionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read a pool definition."""

    pool_definition_id: EntityId


class GetPoolDefinitionResponse(CreatePoolDefinitionResponse, frozen=True, kw_only=True):
    """The pool definition."""


class QueryPoolDefinitionsRequest(QueryRequest, frozen=True, kw_only=True):
    """Find pool definitions."""


class FindPoolDefinitionsByProgramDefinitionResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The pool definitions of a program definition."""

    pool_definitions: tuple[PoolDefinition, ...] | None = None


class QueryPoolDefinitionsResponse(
    FindPoolDefinitionsByProgramDefinitionResponse, frozen=True, kw_only=True
):
    """A page of pool definitions."""

    metadata: CursorPagingMetadata | None = None


class AddPoolDefinitionToProgramDefinitionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Add a pool definition to a program definition; the cascade says when programs follow."""

    pool_definition_id: EntityId
    program_definition_id: EntityId
    cascade: ChosenCascade
    cascade_date: CascadeDate | None = None


class AddPoolDefinitionToProgramDefinitionResponse(
    CreatePoolDefinitionResponse, frozen=True, kw_only=True
):
    """The changed pool definition."""


class RemovePoolDefinitionFromProgramDefinitionRequest(
    AddPoolDefinitionToProgramDefinitionRequest, frozen=True, kw_only=True
):
    """Remove a pool definition from a program definition."""


class RemovePoolDefinitionFromProgramDefinitionResponse(
    CreatePoolDefinitionResponse, frozen=True, kw_only=True
):
    """The changed pool definition."""


class FindPoolDefinitionsByProgramDefinitionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Find the pool definitions of a program definition."""

    program_definition_id: EntityId
    namespace: Namespace
