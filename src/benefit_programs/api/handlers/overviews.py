"""What a member has: programs, pools, credits and what they pay for, in one answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from benefit_programs.api.call import Call
from benefit_programs.api.handlers import people
from benefit_programs.api.method import POST, READ_LIMITED, method
from benefit_programs.domain.account import Account, ask_for_lots, has_lots
from benefit_programs.domain.entities import (
    LotStatus,
    Pool,
    PoolStatus,
    Program,
    ProgramStatus,
    Reservation,
    Snapshot,
)
from benefit_programs.domain.explanations import BalanceAmount
from benefit_programs.domain.lookups import (
    BEFORE_ALL_IDS,
    POOL,
    POOLS_OF_PROGRAM,
    PROGRAM,
    RESERVATIONS_OF_POOL,
    SNAPSHOT,
)
from benefit_programs.domain.lots import clock_at, is_standard
from benefit_programs.domain.required import require
from benefit_programs.domain.settling import ask_for_account, look_at_account
from benefit_programs.domain.state import Needs, State
from benefit_programs.domain.values import Identity, Instant
from benefit_programs.wire import calendar_views, lot_views, person_views
from benefit_programs.wire.types import overviews as wire
from benefit_programs.wire.types.common import IdentificationData
from benefit_programs.wire.types.people import Person

OVERVIEW_PROGRAMS_MAX = 500
"""How many programs of a beneficiary an overview looks at, ended ones included."""

OVERVIEW_POOLS_MAX = 200
"""How many pools an overview shows."""


class _Everything(msgspec.Struct, frozen=True):
    """The question for pools with their lots and reservations."""

    pool_ids: tuple[str, ...]

    def ask(self, needs: Needs, state: State) -> None:
        for pool_id in self.pool_ids:
            pool = ask_for_account(needs, state, pool_id, reads_only=True)
            if pool is not None:
                needs.read(SNAPSHOT, pool.snapshot_id)
                if has_lots(pool):
                    ask_for_lots(needs, pool_id)
                if pool.reserved:
                    needs.read(RESERVATIONS_OF_POOL, pool_id)


@method(
    "getOverview",
    POST,
    "/benefit-programs/v1/beneficiaries/overview",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.POOL_READ",
    for_members=True,
    is_addition=True,
)
async def get(call: Call, request: wire.GetOverviewRequest) -> wire.GetOverviewResponse:
    asks_for_itself = call.principal.is_member
    identity = call.principal.caller if asks_for_itself else request.beneficiary.identity()
    reader, now = call.services.reader, call.now
    ids = await reader.programs_of(
        call.tenant_id, identity, BEFORE_ALL_IDS, limit=OVERVIEW_PROGRAMS_MAX + 1
    )
    found = await call.many(PROGRAM, [(each,) for each in ids[:OVERVIEW_PROGRAMS_MAX]])
    programs = [
        row
        for row in found
        if row.status is not ProgramStatus.ENDED and request.namespace in (None, row.namespace)
    ]
    rows = await call.many(POOLS_OF_PROGRAM, [(row.id,) for row in programs])
    live = sorted(
        (row for row in rows if row.status is not PoolStatus.ENDED), key=lambda row: row.id
    )
    shown = live[:OVERVIEW_POOLS_MAX]
    pools = await _pools(call, shown, now)
    return wire.GetOverviewResponse(
        beneficiary=IdentificationData.of(identity),
        person=await _person(call, identity),
        date=now,
        programs=tuple(_program(row, shown, pools) for row in programs),
        has_more=len(ids) > OVERVIEW_PROGRAMS_MAX or len(live) > OVERVIEW_POOLS_MAX,
    )


async def _person(call: Call, identity: Identity) -> Person | None:
    """Who it is, for those who may know; None if nobody has said it."""
    if not call.principal.may_call(people.get):
        return None
    found = await people.people_of(call, [identity])
    return person_views.person(found[0]) if found else None


async def _pools(call: Call, rows: Sequence[Pool], now: Instant) -> dict[str, wire.OverviewPool]:
    settings = call.principal.settings
    question = _Everything(tuple(row.id for row in rows))
    state = await call.load([question], now=now, known=[(POOL, rows)])
    pools = [require(state, POOL, row.id) for row in rows]
    snapshots = await call.snapshots([pool.snapshot_id for pool in pools])
    return {
        pool.id: _pool(
            look_at_account(state, pool, now, settings),
            snapshots[pool.snapshot_id],
            _open_reservations(state, pool, now),
        )
        for pool in pools
    }


def _open_reservations(state: State, pool: Pool, now: Instant) -> list[Reservation]:
    if not pool.reserved:
        return []
    found = state.many(RESERVATIONS_OF_POOL, pool.id)
    at = clock_at(pool, now)
    return [each for each in found if each.held and each.expiration_date > at]


def _program(
    row: Program, rows: Sequence[Pool], pools: Mapping[str, wire.OverviewPool]
) -> wire.OverviewProgram:
    return wire.OverviewProgram(
        id=row.id,
        external_id=row.external_id,
        display_name=row.display_name,
        namespace=row.namespace,
        status=row.status,
        **calendar_views.dates_ahead(row),
        pools=tuple(pools[each.id] for each in rows if each.program_id == row.id),
    )


def _pool(
    account: Account, snapshot: Snapshot, reservations: Sequence[Reservation]
) -> wire.OverviewPool:
    pool, details = account.pool, snapshot.details
    configuration = details.credit_configuration
    lots = [
        lot
        for lot in account.open_lots()
        if not is_standard(lot) and "-" in lot.id  # what isn't booked yet has no id to name
    ]
    return wire.OverviewPool(
        id=pool.id,
        display_name=snapshot.display_name,
        status=pool.status,
        unit_display_name=configuration.unit_display_name if configuration else None,
        amount=BalanceAmount(available=pool.available, reserved=pool.reserved),
        benefits=_benefits(pool, snapshot),
        lots=tuple(lot_views.lot(lot, pool) for lot in lots),
        reservations=tuple(map(_reservation, reservations)),
        next_expiry=_next_expiry(account),
    )


def _benefits(pool: Pool, snapshot: Snapshot) -> tuple[wire.OverviewBenefit, ...]:
    """What the pool gives. Policies and items are judged when something is to be redeemed."""
    is_active = pool.status is PoolStatus.ACTIVE
    return tuple(
        wire.OverviewBenefit(
            benefit_key=each.benefit_key,
            display_name=each.display_name,
            price=each.price or 0,
            is_usable=is_active and pool.available >= (each.price or 0),
            payable_count=min(pool.available // each.price, _COUNT_MAX) if each.price else None,
        )
        for each in snapshot.details.benefits or ()
    )


_COUNT_MAX = 2**31 - 1


def _reservation(row: Reservation) -> wire.OverviewReservation:
    return wire.OverviewReservation(
        id=row.id,
        count=row.held,
        amount=row.held * row.price,
        expiration_date=row.expiration_date,
        external_reference=row.external_reference,
    )


def _next_expiry(account: Account) -> wire.NextExpiry | None:
    """When credits end next, with all that end then; none while a pause has stopped the clock."""
    if account.pool.stopped is not None:
        return None
    ends: dict[Instant, int] = {}
    for lot in account.open_lots():
        if lot.status is LotStatus.LIVE and lot.expiration_date is not None:
            ends[lot.expiration_date] = ends.get(lot.expiration_date, 0) + lot.available
    if not ends:
        return None
    first = min(ends)
    return wire.NextExpiry(date=first, amount=ends[first])
