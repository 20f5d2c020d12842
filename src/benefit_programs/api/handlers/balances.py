"""The methods of balances."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benefit_programs.api import views
from benefit_programs.api.call import Call
from benefit_programs.api.codec import amount_text
from benefit_programs.api.handlers.pools import own_rows
from benefit_programs.api.types import balances as wire
from benefit_programs.api.types.common import CursorQuery
from benefit_programs.api.types.transactions import NewTransactionDetails
from benefit_programs.domain.balances import (
    Adjust,
    ChangeBalance,
    RevertBalanceChange,
    Set,
)
from benefit_programs.domain.entities import BalanceType, LimitRule, Pool, TransactionDetails
from benefit_programs.domain.errors import BalanceNotFound, FieldViolation, Invalid, ViolatedRule
from benefit_programs.domain.lookups import POOL
from benefit_programs.domain.values import AMOUNT_MAX
from benefit_programs.storage import specs
from benefit_programs.storage.rows import CODECS


async def get(call: Call, request: wire.GetBalanceRequest) -> wire.GetBalanceResponse:
    """GetBalance."""
    row = await call.one(POOL, request.pool_id)
    if row is None:
        raise BalanceNotFound(pool_id=request.pool_id)
    (balance,) = await describe(call, [row])
    return wire.GetBalanceResponse(balance=balance)


async def list_(call: Call, request: wire.ListBalancesRequest) -> wire.ListBalancesResponse:
    """listBalances: those of the named pools, or all."""
    spec = specs.listed_balances(call.services.reader.dialect)
    named: dict[str, Any] = {"id": {"$in": list(request.pool_ids)}} if request.pool_ids else {}
    query = CursorQuery(filter=named, cursor_paging=request.cursor_paging)
    found = await call.page(spec, query, path="")
    return wire.ListBalancesResponse(
        balances=tuple(await _describe_rows(call, found.rows)),
        metadata=views.metadata_of(found.page),
    )


async def query(call: Call, request: wire.QueryBalancesRequest) -> wire.QueryBalancesResponse:
    """queryBalances; a member sees its own."""
    spec = specs.balances(call.services.reader.dialect)
    found = await call.page(spec, request.query, scope=own_rows(call))
    return wire.QueryBalancesResponse(
        balances=tuple(await _describe_rows(call, found.rows)),
        metadata=views.metadata_of(found.page),
    )


async def change(call: Call, request: wire.ChangeBalanceRequest) -> wire.ChangeBalanceResponse:
    """ChangeBalance."""
    options = request.adjust_options or request.set_options or request.set_initial_options
    assert options is not None, "the codec has seen to it that one of them is there"
    changed = await call.execute(
        ChangeBalance(
            pool_id=request.pool_id,
            idempotency_key=request.idempotency_key,
            change=_change_of(request),
            beneficiary=options.beneficiary.identity() if options.beneficiary else None,
            party=request.instructing_party.identity() if request.instructing_party else None,
            details=_details_of(request.transaction_details),
        )
    )
    (balance,) = await describe(call, [changed.pool])
    return wire.ChangeBalanceResponse(
        balance=balance,
        transaction_id=changed.transaction.id if changed.transaction else None,
    )


def _change_of(request: wire.ChangeBalanceRequest) -> Adjust | Set:
    if request.adjust_options is not None:
        return _adjustment(request.adjust_options)
    if request.set_options is not None:
        return Set(value=request.set_options.value)
    assert request.set_initial_options is not None
    return Set(value=request.set_initial_options.value, initial=True)


def _adjustment(options: wire.AdjustOptions) -> Adjust:
    violations = tuple(_violations_of(options))
    if violations:
        raise Invalid(violations)
    source, target = options.source_balance_type, options.target_balance_type
    leaves = source is BalanceType.AVAILABLE or target is BalanceType.EXTERNAL
    return Adjust(
        value=-options.value if leaves else options.value,
        lower_limit=options.lower_limit or 0,
        upper_limit=AMOUNT_MAX if options.upper_limit is None else options.upper_limit,
        limit_rule=options.limit_rule or LimitRule.FAIL,
    )


def _violations_of(options: wire.AdjustOptions) -> Iterator[FieldViolation]:
    """What fields say against each other; each by itself is right."""
    source = options.source_balance_type
    if source is not None and source is options.target_balance_type:
        yield FieldViolation(
            "adjustOptions.targetBalanceType",
            "is where the credits come from",
            ViolatedRule.FIELD_NOT_ALLOWED,
        )
    lower, upper = options.lower_limit or 0, options.upper_limit
    if upper is not None and upper < lower:
        yield FieldViolation(
            "adjustOptions.upperLimit",
            "must be at least the lower limit",
            ViolatedRule.DECIMAL_GTE,
            data={"threshold": amount_text(lower)},
        )


def _details_of(details: NewTransactionDetails | None) -> TransactionDetails:
    if details is None:
        return TransactionDetails()
    return TransactionDetails(
        reason=details.reason,
        origin=details.origin,
        item_count=details.item_count,
        benefit_key=details.benefit_key,
        effective_date=details.effective_date,
    )


async def revert(
    call: Call, request: wire.RevertBalanceChangeRequest
) -> wire.RevertBalanceChangeResponse:
    """RevertBalanceChange."""
    party = request.instructing_party
    changed = await call.execute(
        RevertBalanceChange(
            transaction_id=request.transaction_id, party=party.identity() if party else None
        )
    )
    assert changed.transaction is not None
    return wire.RevertBalanceChangeResponse(transaction_id=changed.transaction.id)


async def _describe_rows(call: Call, rows: list[tuple[Any, ...]]) -> list[wire.Balance]:
    return await describe(call, [CODECS[Pool].read(row) for row in rows])


async def describe(call: Call, rows: list[Pool]) -> list[wire.Balance]:
    """The balances of pools."""
    reader = call.services.reader
    snapshots = await reader.snapshots(call.tenant_id, [row.snapshot_id for row in rows])
    return [views.balance(row, snapshots[row.snapshot_id]) for row in rows]
