"""The methods that read transactions."""

from __future__ import annotations

from operator import itemgetter

from benefit_programs.api.call import Call, metadata_of, with_pool
from benefit_programs.api.method import GET, POST, READ_LIMITED, method
from benefit_programs.domain.entities import Pool, Transaction
from benefit_programs.domain.errors import TransactionNotFound
from benefit_programs.domain.lookups import POOL, TRANSACTION
from benefit_programs.storage import specs
from benefit_programs.wire import views
from benefit_programs.wire.types import transactions as wire


@method(
    "getTransaction",
    GET,
    "/benefit-programs/v1/transactions/{transactionId}",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.TRANSACTION_READ",
    refuses=(TransactionNotFound,),
)
async def get(call: Call, request: wire.GetTransactionRequest) -> wire.GetTransactionResponse:
    missing = TransactionNotFound(transaction_id=request.transaction_id)
    row = await call.get(TRANSACTION, request.transaction_id, missing=missing)
    pool = await call.one(POOL, row.pool_id)
    assert pool is not None
    (transaction,) = await describe(call, [(row, pool)])
    return wire.GetTransactionResponse(transaction=transaction)


@method(
    "queryTransactions",
    POST,
    "/benefit-programs/v1/transactions/query",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.TRANSACTION_READ",
    spec=specs.transactions,
)
async def query(
    call: Call, request: wire.QueryTransactionsRequest
) -> wire.QueryTransactionsResponse:
    found = await call.find(request.query, with_pool(Transaction), dated=itemgetter(1))
    return wire.QueryTransactionsResponse(
        transactions=tuple(await describe(call, found.rows)), metadata=metadata_of(found.page)
    )


async def describe(call: Call, rows: list[tuple[Transaction, Pool]]) -> list[wire.Transaction]:
    snapshots = await call.snapshots([row.snapshot_id for row, _ in rows])
    return [views.transaction(row, pool, snapshots[row.snapshot_id]) for row, pool in rows]
