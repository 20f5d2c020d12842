"""The methods of balances."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benefit_programs.api.call import Call
from benefit_programs.api.method import GET, MANAGE, POST, READ_LIMITED, method
from benefit_programs.domain.balances import (
    Adjust,
    ChangeBalance,
    RevertBalanceChange,
    Set,
)
from benefit_programs.domain.entities import BalanceType, LimitRule, Pool, TransactionDetails
from benefit_programs.domain.errors import (
    AlreadyExecuted,
    BalanceAlreadyInitialized,
    BalanceExceededLimits,
    BalanceNotFound,
    ChangeAlreadyReverted,
    FieldViolation,
    Invalid,
    NotEnoughBalanceToRevert,
    TransactionAlreadySuperseded,
    TransactionNotFound,
    TransactionNotSupersedable,
    ViolatedRule,
)
from benefit_programs.domain.lookups import POOL
from benefit_programs.domain.values import AMOUNT_MAX
from benefit_programs.storage import specs
from benefit_programs.wire import views
from benefit_programs.wire.codec import amount_text
from benefit_programs.wire.types import balances as wire
from benefit_programs.wire.types.common import CursorQuery
from benefit_programs.wire.types.transactions import NewTransactionDetails


@method(
    "getBalance",
    GET,
    "/benefit-programs/v1/balances/{poolId}",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.BALANCE_READ",
    refuses=(BalanceNotFound,),
)
async def get(call: Call, request: wire.GetBalanceRequest) -> wire.GetBalanceResponse:
    row = await call.get(POOL, request.pool_id, missing=BalanceNotFound(pool_id=request.pool_id))
    (balance,) = await describe(call, [row])
    return wire.GetBalanceResponse(balance=balance)


@method(
    "listBalances",
    GET,
    "/benefit-programs/v1/balances",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.BALANCE_READ",
    spec=specs.listed_balances,
)
async def list_(call: Call, request: wire.ListBalancesRequest) -> wire.ListBalancesResponse:
    """Those of the named pools, or all."""
    named: dict[str, Any] = {"id": {"$in": list(request.pool_ids)}} if request.pool_ids else {}
    query = CursorQuery(filter=named, cursor_paging=request.cursor_paging)
    rows, metadata = await call.page(Pool, query, path="")
    return wire.ListBalancesResponse(balances=tuple(await describe(call, rows)), metadata=metadata)


@method(
    "queryBalances",
    POST,
    "/benefit-programs/v1/balances/query",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.BALANCE_READ",
    spec=specs.balances,
    for_members=True,
)
async def query(call: Call, request: wire.QueryBalancesRequest) -> wire.QueryBalancesResponse:
    rows, metadata = await call.page(Pool, request.query)
    return wire.QueryBalancesResponse(balances=tuple(await describe(call, rows)), metadata=metadata)


@method(
    "changeBalance",
    POST,
    "/benefit-programs/v1/balances/{poolId}/change",
    MANAGE,
    "BENEFIT_PROGRAMS.BALANCE_CHANGE",
    refuses=(
        BalanceNotFound,
        TransactionNotFound,
        AlreadyExecuted,
        BalanceAlreadyInitialized,
        BalanceExceededLimits,
        TransactionNotSupersedable,
        TransactionAlreadySuperseded,
    ),
)
async def change(call: Call, request: wire.ChangeBalanceRequest) -> wire.ChangeBalanceResponse:
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
            external_reference=request.external_reference,
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


@method(
    "revertBalanceChange",
    POST,
    "/benefit-programs/v1/balances/changes/{transactionId}/revert",
    MANAGE,
    "BENEFIT_PROGRAMS.BALANCE_CHANGE",
    refuses=(TransactionNotFound, ChangeAlreadyReverted, NotEnoughBalanceToRevert),
)
async def revert(
    call: Call, request: wire.RevertBalanceChangeRequest
) -> wire.RevertBalanceChangeResponse:
    party = request.instructing_party
    changed = await call.execute(
        RevertBalanceChange(
            transaction_id=request.transaction_id, party=party.identity() if party else None
        )
    )
    assert changed.transaction is not None
    return wire.RevertBalanceChangeResponse(transaction_id=changed.transaction.id)


async def describe(call: Call, rows: list[Pool]) -> list[wire.Balance]:
    """Balances as they are now: what has expired isn't counted, even if that isn't booked yet."""
    pools = await call.usable(rows)
    snapshots = await call.snapshots([pool.snapshot_id for pool in pools])
    return [views.balance(pool, snapshots[pool.snapshot_id]) for pool in pools]
