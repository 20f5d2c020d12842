"""What comes back to a pool: canceled and reverted redemptions, and what was only reserved.

Credits return to the lots that they came from. What came from a lot that has expired meanwhile
lapses in the same commit, unless the pool's definition gives returned credits a life of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from msgspec.structs import replace

from benefit_programs.domain.account import Account, More, ask_for_draws, ask_for_lots
from benefit_programs.domain.durations import later
from benefit_programs.domain.entities import (
    BalanceType,
    Draw,
    Lot,
    LotOrigin,
    LotStatus,
    Operation,
    Pool,
    PoolStatus,
    Reservation,
    ReservationStatus,
    Transaction,
    TransactionDetails,
)
from benefit_programs.domain.lookups import SNAPSHOT, TRANSACTION
from benefit_programs.domain.lots import Fate, is_standard, joined, total
from benefit_programs.domain.operations import RULES
from benefit_programs.domain.quotas import ask_for_quotas
from benefit_programs.domain.required import snapshot_of
from benefit_programs.domain.state import Needs, State
from benefit_programs.domain.values import Credits, Instant


def ask_to_put_back(needs: Needs, pool: Pool, draws: Sequence[Draw]) -> None:
    """Ask for the lots that credits go back to, and for what decides about expired ones."""
    if pool.status is PoolStatus.ENDED or any(each.lot_id != pool.id for each in draws):
        ask_for_draws(needs, pool.id, draws)
        ask_for_lots(needs, pool.id)
        needs.read(SNAPSHOT, pool.snapshot_id)


def ask_to_release(needs: Needs, pool: Pool, reservation: Reservation) -> None:
    """Ask for what the end of a reservation reads."""
    needs.read(TRANSACTION, reservation.id)
    ask_to_put_back(needs, pool, reservation.draws)
    ask_for_quotas(needs, pool.id, reservation.quota_shares)


def put_back(
    state: State,
    account: Account,
    operation: Operation,
    source: BalanceType,
    draws: Sequence[Draw],
    amount: Credits,
    *,
    at: Instant,
    **more: Unpack[More],
) -> Transaction:
    """Bring credits back to the lots that they came from, as these are ``at`` an instant."""
    lives_until = _returns_live_until(state, account, draws, at)
    late = [each for each in draws if not _lives(account.lot(each.lot_id), lives_until or at + 1)]
    back = draws
    if late and lives_until is not None:
        fate = Fate(origin=LotOrigin.RETURN, expiration_date=lives_until, effective_date=at)
        into = account.add_lot(fate, total(late)).id if account.has_room else account.pool.id
        # Reservations hold credits of the old lot, which has to let them go.
        holds = source is BalanceType.RESERVED
        back = [each for each in draws if each not in late]
        back += [
            Draw(each.lot_id if holds else into, each.amount, into if holds else None)
            for each in late
        ]
        late = []
    transaction = account.put(
        operation, source, BalanceType.AVAILABLE, joined(back), amount, **more
    )
    if late:
        lapse(account, joined(late), at)
    if account.pool.status is PoolStatus.ENDED and lapses_at_end(state, account.pool):
        lapse_all(account)
    return transaction


def give_back(
    state: State,
    account: Account,
    operation: Operation,
    root: Transaction,
    amount: Credits,
    draws: Sequence[Draw],
    **more: Unpack[More],
) -> Transaction:
    """Post the opposite of the first transaction of a chain, or of a part of it.

    The details are those of what is given back.
    """
    more["details"] = replace(more["details"], reason=RULES[operation].reason, due=None)
    more["correlation_id"] = root.id
    if root.target is BalanceType.EXTERNAL:
        now = account.context.now
        return put_back(
            state, account, operation, BalanceType.EXTERNAL, draws, amount, at=now, **more
        )
    return account.spend(operation, amount, first=[each.lot_id for each in draws], **more)


def lapse(account: Account, draws: Sequence[Draw], at: Instant) -> Transaction:
    """Let credits of lots that have expired lapse at an instant."""
    for each in draws:
        account.set_lot(replace(account.lot(each.lot_id), status=LotStatus.EXPIRED))
    return account.put(
        Operation.EXPIRY,
        BalanceType.AVAILABLE,
        BalanceType.EXTERNAL,
        draws,
        total(draws),
        details=TransactionDetails(
            reason=RULES[Operation.EXPIRY].reason,
            effective_date=at,
            due=at if at < account.context.now else None,
        ),
    )


def lapses_at_end(state: State, pool: Pool) -> bool:
    """Whether the credits of a pool end with it."""
    configuration = snapshot_of(state, pool).details.credit_configuration
    return configuration is not None and bool(configuration.lapse_at_end)


def lapse_all(account: Account) -> None:
    """Let all that can be spent lapse, and nothing come any more."""
    for lot in account.open_lots():
        if lot.status is LotStatus.FUTURE:
            account.set_lot(replace(lot, status=LotStatus.EXPIRED))
    if account.pool.available:
        account.spend(Operation.EXPIRY, account.pool.available, lots=account.live_lots())


def release(
    state: State,
    account: Account,
    reservation: Reservation,
    status: ReservationStatus,
    *,
    at: Instant,
    **more: Unpack[More],
) -> Transaction:
    """End a reservation: what it still holds goes back, also its share of rate limits."""
    more["correlation_id"] = reservation.id
    account.freed += reservation.quota_shares
    account.beside.append(
        replace(reservation, status=status, updated=account.context.now, draws=(), quota_shares=())
    )
    return put_back(
        state,
        account,
        Operation.RELEASE,
        BalanceType.RESERVED,
        reservation.draws,
        reservation.price * reservation.held,
        at=at,
        **more,
    )


def release_details(
    reservation: Reservation, details: TransactionDetails, at: Instant, now: Instant
) -> TransactionDetails:
    """The details of a release: those of the reservation, for the items that it still holds."""
    return replace(
        details,
        reason=RULES[Operation.RELEASE].reason,
        item_count=reservation.held,
        quota_shares=reservation.quota_shares,
        reservation_id=reservation.id,
        due=at if at < now else None,
    )


def _returns_live_until(
    state: State, account: Account, draws: Sequence[Draw], at: Instant
) -> Instant | None:
    """Until when returned credits live at the least, if their definition says so."""
    if all(each.lot_id == account.pool.id for each in draws):
        return None
    configuration = snapshot_of(state, account.pool).details.credit_configuration
    if configuration is None or configuration.returns_live is None:
        return None
    return later(at, configuration.returns_live, account.context.settings.time_zone)


def _lives(lot: Lot, until: Instant) -> bool:
    return is_standard(lot) or lot.expiration_date is None or lot.expiration_date >= until
