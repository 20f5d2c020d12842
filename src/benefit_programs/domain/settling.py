"""What happens to the credits of a pool by itself: lots begin and expire, reservations lapse.

Each thing happens at its instant, in the order of the instants, whenever it is booked: by whoever
changes the pool's credits next, or by a runner. Until then decisions and answers count as if it had
been. Invariants I21 and I22 (docs/invariants.md).
"""

from __future__ import annotations

from heapq import heappop, heappush

from msgspec.structs import replace

from benefit_programs.domain.account import Account, ask_for_lots
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import (
    BalanceType,
    Draw,
    Lot,
    LotStatus,
    Operation,
    Pool,
    Reservation,
    ReservationStatus,
    TransactionDetails,
)
from benefit_programs.domain.lookups import POOL, RESERVATIONS_OF_POOL, TRANSACTION
from benefit_programs.domain.lots import due_of
from benefit_programs.domain.operations import RULES
from benefit_programs.domain.required import require
from benefit_programs.domain.returning import ask_to_release, lapse, release, release_details
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import AMOUNT_MAX, SYSTEM, Identity, Instant

# What happens first of what is due at the same instant.
_LAPSES, _EXPIRES, _BEGINS = range(3)


def _no_id() -> str:
    """What stands for the ids of rows that are never stored."""
    return ""


def is_due(pool: Pool, now: Instant) -> bool:
    """Whether something may have happened to the pool's credits that isn't booked yet."""
    return pool.due is not None and pool.due <= now


def ask_for_account(
    needs: Needs, state: State, pool_id: str, *, reads_only: bool = False
) -> Pool | None:
    """Ask for a pool, and for what may have come due in it; the pool, once it is loaded."""
    (needs.read if reads_only else needs.lock)(POOL, pool_id)
    pool = state.loaded(POOL, pool_id)
    if pool is not None and is_due(pool, needs.now):
        ask_to_settle(needs, state, pool)
    return pool


def ask_to_settle(needs: Needs, state: State, pool: Pool) -> None:
    """Ask for what may have come due in a pool."""
    ask_for_lots(needs, pool.id)
    needs.read(RESERVATIONS_OF_POOL, pool.id)
    for each in state.known(RESERVATIONS_OF_POOL, pool.id):
        if each.expiration_date <= needs.now:
            ask_to_release(needs, pool, each)


def open_account(
    state: State, context: Context, pool: Pool, party: Identity | None = None
) -> Account:
    """The account of a pool, with everything booked that has come due in it."""
    account = Account(pool, context, party, state=state)
    if pool.due is not None:
        settle(state, account)
    return account


def usable(state: State, pool: Pool, now: Instant, settings: TenantSettings) -> Pool:
    """The pool with the credits that it has at an instant, whether or not that is booked."""
    return look_at_account(state, pool, now, settings).pool if is_due(pool, now) else pool


def look_at_account(state: State, pool: Pool, now: Instant, settings: TenantSettings) -> Account:
    """An account as it is at an instant, to be read only."""
    return open_account(state, Context(now, _no_id, SYSTEM, settings), pool)


def settle(state: State, account: Account) -> None:
    """Book what has come due in a pool up to now, in the order of its instants."""
    now = account.context.now
    if not is_due(account.pool, now):
        return
    party, account.party = account.party, SYSTEM
    agenda = _Agenda(state, account)
    while (at := agenda.next()) is not None and at <= now:
        agenda.play()
    account.pool = replace(account.pool, due=agenda.next())
    account.party = party


class _Agenda:
    """What happens to a pool's credits by itself, the earliest first."""

    def __init__(self, state: State, account: Account) -> None:
        self._state = state
        self._account = account
        pool_id = account.pool.id
        self._reservations = {
            each.id: each
            for each in state.many(RESERVATIONS_OF_POOL, pool_id)
            if each.status is ReservationStatus.OPEN
        }
        self._heap = [
            (each.expiration_date, _LAPSES, each.id) for each in self._reservations.values()
        ]
        for lot in account.open_lots():
            self._add(lot)

    def next(self) -> Instant | None:
        """The instant of what comes next."""
        while self._heap and not self._stands(*self._heap[0]):
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def play(self) -> None:
        """Let happen what comes next."""
        at, kind, row_id = heappop(self._heap)
        if kind == _LAPSES:
            self._lapse(self._reservations.pop(row_id), at)
            return
        lot = self._account.lot(row_id)
        if kind == _EXPIRES:
            lapse(self._account, [Draw(lot.id, lot.available)], at)
        else:
            self._begin(lot, at)

    def _stands(self, at: Instant, kind: int, row_id: str) -> bool:
        if kind == _LAPSES:
            return row_id in self._reservations
        return due_of(self._account.lot(row_id)) == at

    def _add(self, lot: Lot) -> None:
        due = due_of(lot)
        if due is not None:
            heappush(
                self._heap, (due, _BEGINS if lot.status is LotStatus.FUTURE else _EXPIRES, lot.id)
            )

    def _lapse(self, reservation: Reservation, at: Instant) -> None:
        transaction = require(self._state, TRANSACTION, reservation.id)
        details = release_details(reservation, transaction.details, at, self._account.context.now)
        touched = release(
            self._state,
            self._account,
            reservation,
            ReservationStatus.LAPSED,
            at=at,
            details=details,
        )
        for each in touched.details.draws:
            self._add(self._account.lot(each.into or each.lot_id))

    def _begin(self, lot: Lot, at: Instant) -> None:
        """Let a lot count from now on. It never takes a balance past the largest amount."""
        account = self._account
        room = AMOUNT_MAX - account.pool.available - account.pool.reserved
        amount = min(lot.granted, room)
        account.set_lot(replace(lot, status=LotStatus.LIVE if amount else LotStatus.SPENT))
        if amount:
            account.put(
                Operation.GRANT,
                BalanceType.EXTERNAL,
                BalanceType.AVAILABLE,
                [Draw(lot.id, amount)],
                amount,
                details=TransactionDetails(
                    reason=RULES[Operation.GRANT].reason,
                    effective_date=at,
                    due=at if at < account.context.now else None,
                ),
                external_reference=lot.external_reference,
            )
        self._add(account.lot(lot.id))


class SettlePools(Command[int], frozen=True, kw_only=True):
    """Book what has come due in some pools. Answers how many of them had something due."""

    pool_ids: tuple[str, ...]

    def ask(self, needs: Needs, state: State) -> None:
        for pool_id in self.pool_ids:
            ask_for_account(needs, state, pool_id)

    def decide(self, state: State, context: Context) -> Changes[int]:
        changes = Changes(0)
        for pool_id in self.pool_ids:
            pool = state.one(POOL, pool_id)
            if pool is not None and is_due(pool, context.now):
                open_account(state, context, pool).save(changes)
                changes.answer += 1
        return changes
