"""What pools hold at an instant, as a file states it: a balance, and the lots in it.

What reservations hold counts as if it had come back: a file has no reservations. What is due counts
as if it had been booked, up to where something happens to the program or its clock stands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from msgspec.structs import replace

from benefit_programs.domain.account import has_lots
from benefit_programs.domain.entities import Lot, LotStatus, Pool, Reservation
from benefit_programs.domain.indexes import Index
from benefit_programs.domain.lookups import LOT, LOTS_OF_POOL, RESERVATIONS_OF_POOL
from benefit_programs.domain.lots import in_burn_order, moved_on
from benefit_programs.domain.values import Credits, Instant
from benefit_programs.transfer.lookups import Lookups, rows_of
from benefit_programs.transfer.records import StatedLot

ANY_LOT = Index(Lot, after="id", limit=1)
"""The first lot of a tenant."""


class Holding(NamedTuple):
    """The balance of a pool, and its lots in the burn order, those to come among them."""

    available: Credits
    lots: tuple[StatedLot, ...] = ()
    has_reservations: bool = False


async def holdings_of(
    store: Lookups, tenant_id: int, pools: Collection[Pool], now: Instant
) -> dict[str, Holding]:
    """What pools hold, by their ids. Only those that have lots or reservations cost a look."""
    with_lots = [pool for pool in pools if has_lots(pool)]
    lots = {
        lot.id: lot
        for pool in with_lots
        for lot in await rows_of(store, tenant_id, LOTS_OF_POOL, [(pool.id, "")])
    }
    reserved = [(pool.id,) for pool in pools if pool.due is not None or pool.stopped is not None]
    reservations = await rows_of(store, tenant_id, RESERVATIONS_OF_POOL, reserved)
    drawn = {
        (draw.lot_id,)
        for each in reservations
        for draw in each.draws
        if draw.lot_id not in lots and draw.lot_id != each.pool_id
    }
    lots |= {lot.id: lot for lot in await rows_of(store, tenant_id, LOT, drawn)}
    return {
        pool.id: _holding(
            pool,
            [lot for lot in lots.values() if lot.pool_id == pool.id],
            [each for each in reservations if each.pool_id == pool.id],
            _settled_until(pool, now),
        )
        for pool in pools
    }


def _settled_until(pool: Pool, now: Instant) -> Instant:
    """Up to when what is due counts as booked: not past what is ahead of it in the program."""
    return min(each for each in (now, pool.program_due, pool.stopped) if each is not None)


def _holding(
    pool: Pool, lots: Iterable[Lot], reservations: Collection[Reservation], now: Instant
) -> Holding:
    back: dict[str, Credits] = {}
    for each in reservations:
        held = each.price * each.held
        for draw in each.draws:
            back[draw.lot_id] = back.get(draw.lot_id, 0) + draw.amount
            held -= draw.amount
        back[pool.id] = back.get(pool.id, 0) + held
    available = pool.available - pool.in_lots + back.get(pool.id, 0)
    stated = []
    for stored in in_burn_order(lots):
        lot = moved_on(stored, pool.shift)
        if pool.stopped is not None:
            lot = _as_of_pause(lot, pool.stopped, lot.shift - pool.shift)
        has = lot.granted if lot.status is LotStatus.FUTURE else lot.available
        amount = has + back.get(lot.id, 0)
        if amount and (lot.expiration_date is None or lot.expiration_date > now):
            stated.append(_stated(replace(lot, available=amount), pool.pool_definition_id))
            if lot.effective_date <= now or lot.status is not LotStatus.FUTURE:
                available += amount
    return Holding(available, tuple(stated), bool(reservations))


def _as_of_pause(lot: Lot, stopped: Instant, by: int) -> Lot:
    """A lot with its dates as of the begin of the pause, if they were said so long after it."""
    is_to_come = lot.status is LotStatus.FUTURE
    return replace(
        lot,
        effective_date=lot.effective_date - by if is_to_come else min(lot.effective_date, stopped),
        expiration_date=None if lot.expiration_date is None else lot.expiration_date - by,
    )


def _stated(lot: Lot, pool_definition_id: str) -> StatedLot:
    return StatedLot(
        pool_definition_id=pool_definition_id,
        amount=lot.available,
        origin=lot.origin,
        effective_date=lot.effective_date,
        expiration_date=lot.expiration_date,
        priority=lot.priority,
        kept_at_renewal=lot.kept_at_renewal,
        display_name=lot.display_name,
        external_reference=lot.external_reference,
        additional_data=lot.additional_data,
    )
