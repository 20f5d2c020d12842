"""The audit: who changed what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from benefit_programs.api.call import Call
from benefit_programs.api.method import POST, READ, method
from benefit_programs.domain.audit_rows import AuditEntry, PrincipalKind
from benefit_programs.domain.entities import Pool, Program, Transaction
from benefit_programs.domain.ids import guid_in
from benefit_programs.domain.indexes import Index
from benefit_programs.domain.lookups import POOL, PROGRAM, TRANSACTION
from benefit_programs.domain.values import Identity
from benefit_programs.storage import specs
from benefit_programs.storage.console import read_user
from benefit_programs.storage.directory import read_key
from benefit_programs.storage.principals import keys_with, users_with
from benefit_programs.wire import audit_views as views
from benefit_programs.wire.types import audit as wire


@method(
    "queryAuditEntries",
    POST,
    "/benefit-programs/v1/audit/query",
    READ,
    "BENEFIT_PROGRAMS.AUDIT_READ",
    spec=specs.audit_entries,
    is_addition=True,
)
async def query(
    call: Call, request: wire.QueryAuditEntriesRequest
) -> wire.QueryAuditEntriesResponse:
    rows, metadata = await call.page(AuditEntry, request.query)
    subjects = await _subjects(call, rows)
    return wire.QueryAuditEntriesResponse(
        audit_entries=tuple(views.audit_entry(row, subjects) for row in rows), metadata=metadata
    )


R = TypeVar("R", Transaction, Pool, Program)


async def _subjects(call: Call, rows: Sequence[AuditEntry]) -> views.Subjects:
    """What entries concern, as it is stored: whatever is due can wait."""

    async def by_id(index: Index[R], ids: Iterable[str | None]) -> dict[str, R]:
        keys = [(each,) for each in dict.fromkeys(ids) if each is not None]
        found = await call.services.reader.many(call.tenant_id, index, keys) if keys else []
        return {row.id: row for row in found}

    posted = [row.id for row in rows if row.entity is None]
    transactions = await by_id(TRANSACTION, posted)
    return views.Subjects(
        transactions=transactions,
        pools=await by_id(POOL, (views.pool_id_of(row, transactions) for row in rows)),
        programs=await by_id(PROGRAM, (row.program_id for row in rows)),
        keys=await _keys(call, rows),
        users=await _users(call, rows),
    )


async def _keys(call: Call, rows: Iterable[AuditEntry]) -> dict[str, tuple[str, Identity]]:
    """The names of the keys that entries name, and whom they stand for."""
    ids = _principals(rows, PrincipalKind.API_KEY, PrincipalKind.AGENT)
    if not ids:
        return {}
    reader = call.services.reader
    keys = map(read_key, await reader.fetch(keys_with(reader.dialect, ids)))
    return {key.id: (key.name, key.grants.identity) for key in keys}


async def _users(call: Call, rows: Iterable[AuditEntry]) -> dict[str, str]:
    """The names of the console's users that entries name."""
    ids = _principals(rows, PrincipalKind.CONSOLE_USER)
    if not ids:
        return {}
    reader = call.services.reader
    users = map(read_user, await reader.fetch(users_with(reader.dialect, call.tenant_id, ids)))
    return {user.id: user.name for user in users}


def _principals(rows: Iterable[AuditEntry], *kinds: PrincipalKind) -> list[str]:
    """The ids of those of these kinds who acted, each one once."""
    ids = (guid_in(row.principal_id) for row in rows if row.principal_kind in kinds)
    return list(dict.fromkeys(filter(None, ids)))
