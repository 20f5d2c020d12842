"""The audit: who changed what, when, through what, and why."""

from __future__ import annotations

from typing import Annotated

import msgspec

from benefit_programs.domain.audit_rows import AuditEntity, PrincipalKind
from benefit_programs.domain.constraints import ReadOnly
from benefit_programs.wire.types.common import (
    CursorPagingMetadata,
    EntityId,
    IdentificationData,
    Number,
    QueryRequest,
    Timestamp,
)


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who acted."""

    kind: Annotated[PrincipalKind, ReadOnly()] | None = None
    id: Annotated[str, ReadOnly()] | None = None
    name: Annotated[str, ReadOnly()] | None = None
    stands_for: Annotated[IdentificationData, ReadOnly()] | None = None


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One change: what one request did, or one step of what happens by itself."""

    id: Annotated[EntityId, ReadOnly()] | None = None
    created_date: Annotated[Timestamp, ReadOnly()] | None = None
    principal: Annotated[Principal, ReadOnly()] | None = None
    method: Annotated[str, ReadOnly()] | None = None
    entity_type: Annotated[AuditEntity, ReadOnly()] | None = None
    entity_id: Annotated[EntityId, ReadOnly()] | None = None
    program_id: Annotated[EntityId, ReadOnly()] | None = None
    pool_id: Annotated[EntityId, ReadOnly()] | None = None
    beneficiary: Annotated[IdentificationData, ReadOnly()] | None = None
    changed_count: Annotated[Number, ReadOnly()] | None = None
    request_id: Annotated[str, ReadOnly()] | None = None
    reason: Annotated[str, ReadOnly()] | None = None


class QueryAuditEntriesRequest(QueryRequest, frozen=True, kw_only=True):
    """Find out who changed what, the newest change first."""


class QueryAuditEntriesResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of audit entries."""

    audit_entries: tuple[AuditEntry, ...] | None = None
    metadata: CursorPagingMetadata | None = None
