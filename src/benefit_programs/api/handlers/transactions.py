"""The methods that read transactions."""

from __future__ import annotations

from benefit_programs.api import views
from benefit_programs.api.call import Call
from benefit_programs.api.types import transactions as wire
from benefit_programs.domain.entities import Pool, Transaction
from benefit_programs.domain.errors import TransactionNotFound
from benefit_programs.domain.lookups import POOL, TRANSACTION
from benefit_programs.storage import specs
from benefit_programs.storage.rows import CODECS


async def get(call: Call, request: wire.GetTransactionRequest) -> wire.GetTransactionResponse:
    """GetTransaction."""
    row = await call.one(TRANSACTION, request.transaction_id)
    if row is None:
        raise TransactionNotFound(transaction_id=request.transaction_id)
    pool = await call.one(POOL, row.pool_id)
    assert pool is not None
    (transaction,) = await _describe(call, [(row, pool)])
    return wire.GetTransactionResponse(transaction=transaction)


async def query(
    call: Call, request: wire.QueryTransactionsRequest
) -> wire.QueryTransactionsResponse:
    """QueryTransactions."""
    found = await call.page(specs.transactions(call.services.reader.dialect), request.query)
    codec, pool_codec = CODECS[Transaction], CODECS[Pool]
    width = len(codec.columns)
    rows = [(codec.read(row[:width]), pool_codec.read(row[width:])) for row in found.rows]
    return wire.QueryTransactionsResponse(
        transactions=tuple(await _describe(call, rows)),
        metadata=views.metadata_of(found.page),
    )


async def _describe(call: Call, rows: list[tuple[Transaction, Pool]]) -> list[wire.Transaction]:
    reader = call.services.reader
    snapshots = await reader.snapshots(call.tenant_id, [row.snapshot_id for row, _ in rows])
    return [views.transaction(row, pool, snapshots[row.snapshot_id]) for row, pool in rows]
