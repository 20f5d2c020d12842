"""The methods of lots. Answers show them as they are now, whether or not that is booked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benefit_programs.api.call import Call, metadata_of
from benefit_programs.api.handlers.balances import describe as describe_balances
from benefit_programs.api.method import GET, MANAGE, PATCH, POST, READ_LIMITED, method
from benefit_programs.domain.account import Account
from benefit_programs.domain.entities import Lot, Pool
from benefit_programs.domain.errors import (
    AlreadyExecuted,
    BalanceExceededLimits,
    BalanceNotFound,
    InvalidRevision,
    LotExpired,
    LotIsStandard,
    LotNotFound,
    TooManyLots,
)
from benefit_programs.domain.lookups import LOT, POOL
from benefit_programs.domain.lot_commands import ChangedLot, ExpireLot, GrantCredits, UpdateLot
from benefit_programs.domain.lot_reading import LotsOfPools, lots_of, standard_lot_of
from benefit_programs.domain.lots import PRIORITY
from benefit_programs.domain.settling import is_due, look_at_account
from benefit_programs.domain.state import State
from benefit_programs.storage import specs
from benefit_programs.storage.loading import load_state
from benefit_programs.storage.rows import CODECS
from benefit_programs.wire import lot_views as views
from benefit_programs.wire.types import lots as wire
from benefit_programs.wire.types.balances import Balance


@method(
    "grantCredits",
    POST,
    "/benefit-programs/v1/balances/{poolId}/grant",
    MANAGE,
    "BENEFIT_PROGRAMS.BALANCE_CHANGE",
    refuses=(BalanceNotFound, AlreadyExecuted, TooManyLots, BalanceExceededLimits),
    is_addition=True,
)
async def grant(call: Call, request: wire.GrantCreditsRequest) -> wire.GrantCreditsResponse:
    """Once per key. In any status of the pool."""
    granted = await call.execute(
        GrantCredits(
            pool_id=request.pool_id,
            idempotency_key=request.idempotency_key,
            amount=request.amount,
            priority=PRIORITY if request.priority is None else request.priority,
            effective_date=request.effective_date,
            expiration_date=request.expiration_date,
            expires_after=request.expires_after,
            kept_at_renewal=request.kept_at_renewal is not False,
            display_name=request.display_name,
            external_reference=request.external_reference,
            additional_data=request.additional_data,
        )
    )
    return wire.GrantCreditsResponse(
        lot=views.lot(granted.lot, granted.pool),
        balance=await _balance(call, granted),
        transaction_id=granted.transaction.id if granted.transaction else None,
    )


@method(
    "getLot",
    GET,
    "/benefit-programs/v1/lots/{lotId}",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.BALANCE_READ",
    refuses=(LotNotFound,),
    is_addition=True,
)
async def get(call: Call, request: wire.GetLotRequest) -> wire.GetLotResponse:
    row = await call.one(LOT, request.lot_id)
    pool = await call.one(POOL, row.pool_id if row else request.lot_id)
    if pool is None:
        raise LotNotFound(lot_id=request.lot_id)
    if row is None:
        state, accounts = await _accounts(call, [pool], all_lots=True)
        return wire.GetLotResponse(lot=views.lot(standard_lot_of(state, accounts[pool.id]), pool))
    (lot,) = await _describe(call, [(row, pool)])
    return wire.GetLotResponse(lot=lot)


@method(
    "listLots",
    GET,
    "/benefit-programs/v1/balances/{poolId}/lots",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.BALANCE_READ",
    refuses=(BalanceNotFound,),
    is_addition=True,
)
async def list_(call: Call, request: wire.ListLotsRequest) -> wire.ListLotsResponse:
    """The standard lot is always among them. Ended lots are found by a query."""
    missing = BalanceNotFound(pool_id=request.pool_id)
    pool = await call.get(POOL, request.pool_id, missing=missing)
    state, accounts = await _accounts(call, [pool], all_lots=True)
    lots, paging = lots_of(state, accounts[pool.id]), request.cursor_paging
    page = call.services.reader.ordered_page(
        [each.rank for each in lots],
        method="listLots",
        tenant_id=call.tenant_id,
        subject=pool.id,
        limit=paging.limit if paging else None,
        cursor=paging.cursor if paging else None,
    )
    return wire.ListLotsResponse(
        lots=tuple(views.lot(lots[number], pool) for (number,) in page.rows),
        metadata=metadata_of(page),
    )


@method(
    "queryLots",
    POST,
    "/benefit-programs/v1/lots/query",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.BALANCE_READ",
    spec=specs.lots,
    for_members=True,
    is_addition=True,
)
async def query(call: Call, request: wire.QueryLotsRequest) -> wire.QueryLotsResponse:
    found = await call.find(request.query)
    codec, pool_codec = CODECS[Lot], CODECS[Pool]
    width = len(codec.columns)
    rows = [(codec.read(row[:width]), pool_codec.read(row[width:])) for row in found.rows]
    return wire.QueryLotsResponse(
        lots=tuple(await _describe(call, rows)), metadata=metadata_of(found.page)
    )


@method(
    "updateLot",
    PATCH,
    "/benefit-programs/v1/lots/{lot.id}",
    MANAGE,
    "BENEFIT_PROGRAMS.BALANCE_CHANGE",
    refuses=(LotNotFound, LotIsStandard, InvalidRevision, LotExpired),
    is_addition=True,
)
async def update(call: Call, request: wire.UpdateLotRequest) -> wire.UpdateLotResponse:
    change = request.lot
    changed = await call.execute(
        UpdateLot(id=change.id, revision=change.revision, updates=call.updates("lot"))
    )
    return wire.UpdateLotResponse(lot=views.lot(changed.lot, changed.pool))


@method(
    "expireLot",
    POST,
    "/benefit-programs/v1/lots/{lotId}/expire",
    MANAGE,
    "BENEFIT_PROGRAMS.BALANCE_CHANGE",
    refuses=(LotNotFound, LotIsStandard, AlreadyExecuted, LotExpired),
    is_addition=True,
)
async def expire(call: Call, request: wire.ExpireLotRequest) -> wire.ExpireLotResponse:
    """Once per key. In any status of the pool."""
    ended = await call.execute(
        ExpireLot(id=request.lot_id, idempotency_key=request.idempotency_key)
    )
    return wire.ExpireLotResponse(
        lot=views.lot(ended.lot, ended.pool),
        balance=await _balance(call, ended),
        transaction_id=ended.transaction.id if ended.transaction else None,
    )


async def _balance(call: Call, changed: ChangedLot) -> Balance:
    (balance,) = await describe_balances(call, [changed.pool])
    return balance


async def _describe(call: Call, rows: Sequence[tuple[Lot, Pool]]) -> list[wire.Lot]:
    """Lots as they are now: of pools in which something is due, all that happened by itself."""
    now = call.now
    due = {pool.id: pool for _, pool in rows if is_due(pool, now)}
    if not due:
        return [views.lot(lot, pool) for lot, pool in rows]
    _, accounts = await _accounts(call, due.values())
    return [
        views.lot(accounts[pool.id].seen(lot) if pool.id in accounts else lot, pool)
        for lot, pool in rows
    ]


async def _accounts(
    call: Call, pools: Iterable[Pool], *, all_lots: bool = False
) -> tuple[State, dict[str, Account]]:
    """The accounts of some pools as they are now, to be read only, and what they were read from."""
    ids = [pool.id for pool in pools]
    now, settings = call.now, call.principal.settings
    question = LotsOfPools(pool_ids=tuple(ids), all_lots=all_lots)
    state = await load_state(
        call.services.reader, call.tenant_id, [question], now=now, settings=settings
    )
    found = [state.one(POOL, each) for each in ids]
    accounts = {pool.id: look_at_account(state, pool, now, settings) for pool in found if pool}
    return state, accounts
