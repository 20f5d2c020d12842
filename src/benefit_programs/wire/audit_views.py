"""Audit entries as the wire shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from benefit_programs.domain.audit_rows import AuditEntity, AuditEntry
from benefit_programs.domain.entities import Beneficiary, Pool, Program, Transaction
from benefit_programs.domain.values import Identity
from benefit_programs.wire.types import audit
from benefit_programs.wire.types.common import IdentificationData


class Subjects(NamedTuple):
    """What entries concern, keys' names and identities, and users' names, all by their ids."""

    transactions: Mapping[str, Transaction]
    pools: Mapping[str, Pool]
    programs: Mapping[str, Program]
    keys: Mapping[str, tuple[str, Identity]]
    users: Mapping[str, str]


def pool_id_of(row: AuditEntry, transactions: Mapping[str, Transaction]) -> str | None:
    """The pool that an entry concerns."""
    transaction = transactions.get(row.id)
    return row.pool_id if transaction is None else transaction.pool_id


def audit_entry(row: AuditEntry, subjects: Subjects) -> audit.AuditEntry:
    pool_id = pool_id_of(row, subjects.transactions)
    pool = subjects.pools.get(pool_id or "")
    program_id = row.program_id or (pool.program_id if pool else None)
    owner: Beneficiary | None = pool or subjects.programs.get(program_id or "")
    key = subjects.keys.get(row.principal_id or "")
    entity = row.entity or AuditEntity.TRANSACTION
    return audit.AuditEntry(
        id=row.id,
        created_date=row.created,
        principal=audit.Principal(
            kind=row.principal_kind,
            id=row.principal_id,
            name=key[0] if key else subjects.users.get(row.principal_id or ""),
            stands_for=IdentificationData.of(key[1]) if key else None,
        ),
        method=row.method,
        entity_type=entity,
        entity_id=row.entity_id if row.entity else row.id,
        program_id=program_id,
        pool_id=pool_id,
        beneficiary=IdentificationData.of(owner.beneficiary) if owner else None,
        changed_count=row.changed_count or 1,
        request_id=row.request_id,
        reason=row.reason,
    )
