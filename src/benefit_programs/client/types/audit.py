"""The audit: who changed what, when and why."""

from __future__ import annotations

from datetime import datetime

from benefit_programs.client.generated.enums import AuditEntity, PrincipalKind
from benefit_programs.client.types.base import Part
from benefit_programs.client.types.identities import Identity


class Principal(Part, frozen=True, kw_only=True):
    """Who acted. Only a key has a name, and an identity that it stands for."""

    kind: PrincipalKind
    id: str | None = None
    name: str | None = None
    stands_for: Identity | None = None


class AuditEntry(Part, frozen=True, kw_only=True):
    """One change. That of a transaction has the transaction's id."""

    id: str
    created_date: datetime
    principal: Principal
    entity_type: AuditEntity
    method: str | None = None
    entity_id: str | None = None
    program_id: str | None = None
    pool_id: str | None = None
    beneficiary: Identity | None = None
    changed_count: int = 1
    request_id: str | None = None
    reason: str | None = None
