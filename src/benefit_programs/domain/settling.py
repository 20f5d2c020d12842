"""What happens to the credits of a pool by itself, and what comes back to it.

Lots begin and expire, and reservations lapse: each at its instant, in the order of the instants,
whenever it is booked: by whoever changes the pool's credits next, or by a runner. Until then
decisions and answers count as if it had been.

Credits that come back (canceled, reverted, released) return to the lots that they came from. What
came from a lot that has expired meanwhile lapses in the same commit, unless the pool's definition
gives returned credits a life of their own. Invariants I21 and I22 (docs/invariants.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Unpack

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.account import Account, More, ask_for_draws, ask_for_lots
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.due import require_settled
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
from benefit_programs.domain.lookups import (
    CHANGES_OF_PROGRAM,
    POOL,
    PROGRAM,
    RESERVATIONS_OF_POOL,
    RESERVING_TRANSACTION,
    SNAPSHOT,
)
from benefit_programs.domain.lots import Fate, due_of, is_standard, joined, moved_on, total
from benefit_programs.domain.operations import RULES
from benefit_programs.domain.quotas import ask_for_quotas
from benefit_programs.domain.required import require, snapshot_of
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import AMOUNT_MAX, SYSTEM, Credits, Identity, Instant, earliest
from benefit_programs.domain.watching import Watch

# What comes back


def ask_to_put_back(needs: Needs, pool: Pool, draws: Sequence[Draw]) -> None:
    """Ask for the lots that credits go back to, and for what decides about expired ones."""
    if pool.status is PoolStatus.ENDED or any(each.lot_id != pool.id for each in draws):
        ask_for_draws(needs, pool.id, draws)
        ask_for_lots(needs, pool.id)
        needs.read(SNAPSHOT, pool.snapshot_id)


def ask_to_release(needs: Needs, pool: Pool, reservation: Reservation) -> None:
    """Ask for what the end of a reservation reads."""
    needs.read(RESERVING_TRANSACTION, reservation.id)
    ask_to_put_back(needs, pool, reservation.draws)
    ask_for_quotas(needs, pool.id, reservation.quota_shares)


def put_back(
    state: State,
    account: Account,
    operation: Operation,
    source: BalanceType,
    draws: Sequence[Draw],
    amount: Credits,
    **more: Unpack[More],
) -> Transaction:
    """Bring credits back to the lots that they came from, as these are at the account's instant."""
    life = _life_of_returns(state, account, draws)
    late = [each for each in draws if not _lives(account, account.lot(each.lot_id), life)]
    back = draws
    if late and life is not None:
        until = later(account.at, life, account.context.settings.time_zone)
        fate = Fate(origin=LotOrigin.RETURN, expiration_date=until)
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
        lapse(account, joined(late))
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
    more["details"] = replace(
        more["details"], reason=RULES[operation].reason, due=None, moved_from=None
    )
    more["correlation_id"] = root.id
    if root.target is BalanceType.EXTERNAL:
        return put_back(state, account, operation, BalanceType.EXTERNAL, draws, amount, **more)
    return account.spend(operation, amount, first=[each.lot_id for each in draws], **more)


def lapse(account: Account, draws: Sequence[Draw], **more: Unpack[More]) -> Transaction:
    """Let credits of lots that have expired lapse."""
    for each in draws:
        account.set_lot(replace(account.lot(each.lot_id), status=LotStatus.EXPIRED))
    more["details"] = TransactionDetails(
        reason=RULES[Operation.EXPIRY].reason,
        effective_date=account.at,
    )
    return account.put(
        Operation.EXPIRY, BalanceType.AVAILABLE, BalanceType.EXTERNAL, draws, total(draws), **more
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
    reserved: TransactionDetails,
    **more: Unpack[More],
) -> Transaction:
    """End a reservation: what it still holds goes back, also its share of rate limits.

    The details are those of what ``reserved`` it, for the items that it still holds.
    """
    more["details"] = replace(
        reserved,
        reason=RULES[Operation.RELEASE].reason,
        item_count=reservation.held,
        quota_shares=reservation.quota_shares,
        reservation_id=reservation.id,
    )
    more["correlation_id"] = reservation.id
    more["external_reference"] = reservation.external_reference
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
        **more,
    )


def _life_of_returns(state: State, account: Account, draws: Sequence[Draw]) -> str | None:
    """How long returned credits live at the least, if their definition says so."""
    if all(each.lot_id == account.pool.id for each in draws):
        return None
    configuration = snapshot_of(state, account.pool).details.credit_configuration
    return None if configuration is None else configuration.returns_live


def _lives(account: Account, lot: Lot, life: str | None) -> bool:
    """Whether a lot lives on, by its own clock, and for so long where that is said."""
    if is_standard(lot) or lot.expiration_date is None:
        return True
    at = account.clock_of(lot)
    if life is None:
        return lot.expiration_date > at
    return lot.expiration_date >= later(at, life, account.context.settings.time_zone)


# What is due

# What happens first of what is due at the same instant. What comes back to a lot finds it expired.
_EXPIRES, _LAPSES, _BEGINS, _ALERTS = range(4)


def _open_reservations(state: State, account: Account) -> dict[str, Reservation]:
    """The open reservations of a pool, as they are after what the same decision has changed."""
    found = state.known if account.is_whole else state.many
    changed = (each for each in account.beside if isinstance(each, Reservation))
    rows = {each.id: each for each in (*found(RESERVATIONS_OF_POOL, account.pool.id), *changed)}
    return {key: row for key, row in rows.items() if row.status is ReservationStatus.OPEN}


def _ids_of_nothing() -> Callable[[], str]:
    """What stands for the ids of rows that are never stored: each has its own."""
    numbers = count(1)
    return lambda: f"new{next(numbers)}"


def is_due(pool: Pool, now: Instant) -> bool:
    """Whether something may have happened to the pool's credits that isn't booked yet."""
    return pool.due is not None and pool.due <= now


def ask_for_account(
    needs: Needs, state: State, pool_id: str, *, reads_only: bool = False
) -> Pool | None:
    """Ask for a pool, and for what may have come due in it; the pool, once it is loaded."""
    (needs.read if reads_only else needs.lock)(POOL, pool_id)
    pool = state.loaded(POOL, pool_id)
    if pool is None:
        return None
    if pool.due is not None and is_due(pool, needs.now):
        ask_to_settle(needs, state, pool)
    elif pool.alerts is not None:
        needs.read(SNAPSHOT, pool.snapshot_id)
    return pool


def ask_to_move_dates(needs: Needs, pool: Pool) -> None:
    """Ask for what has dates in a pool."""
    ask_for_lots(needs, pool.id)
    needs.read(RESERVATIONS_OF_POOL, pool.id)


def ask_to_settle(needs: Needs, state: State, pool: Pool) -> None:
    """Ask for what may have come due in a pool."""
    ask_to_move_dates(needs, pool)
    if pool.alerts is not None:
        needs.read(SNAPSHOT, pool.snapshot_id)
        needs.read(PROGRAM, pool.program_id)
        needs.read(CHANGES_OF_PROGRAM, pool.program_id)
    for each in state.known(RESERVATIONS_OF_POOL, pool.id):
        if each.expiration_date <= needs.now:
            ask_to_release(needs, pool, each)


def open_account(
    state: State, context: Context, pool: Pool, party: Identity | None = None
) -> Account:
    """The account of a pool, with everything booked that has come due in it."""
    if pool.program_due is not None:
        require_settled((pool,), context)
    account = Account(pool, context, party, state=state)
    if pool.due is not None:
        settle(state, account)
    return account


def usable(state: State, pool: Pool, now: Instant, settings: TenantSettings) -> Pool:
    """The pool with the credits that it has at an instant, whether or not that is booked."""
    if not is_due(pool, now):
        return pool
    seen = look_at_account(state, pool, now, settings).pool
    return replace(pool, available=seen.available, reserved=seen.reserved, in_lots=seen.in_lots)


def look_at_account(state: State, pool: Pool, now: Instant, settings: TenantSettings) -> Account:
    """An account as it is at an instant, to be read only."""
    return open_account(
        state, Context(now, _ids_of_nothing(), SYSTEM, settings, is_late=True), pool
    )


def settle(state: State, account: Account) -> None:
    """Book what has come due in a pool up to the account's instant, in the order of instants."""
    until, party = account.at, account.party
    if not is_due(account.pool, until):
        return
    assert account.pool.due is not None
    account.at, account.party = account.pool.due, SYSTEM
    agenda = _Agenda(state, account)
    while (at := agenda.next()) is not None and at <= until:
        account.at = at
        agenda.play()
    due = agenda.next()
    if account.pool.alerts is not None and account.is_whole:
        due = earliest(due, until)
    account.pool = replace(agenda.watched(), due=due)
    account.at, account.party = until, party


class _Agenda:
    """What happens to a pool's credits by itself, the earliest first.

    It begins at the account's instant, before which nothing happens.
    """

    def __init__(self, state: State, account: Account) -> None:
        self._state = state
        self._account = account
        pool = account.pool
        self._reservations = _open_reservations(state, account)
        self._watch = _watch_of(state, account)
        self._heap = [
            (each.expiration_date, _LAPSES, each.id) for each in self._reservations.values()
        ]
        heapify(self._heap)
        for lot in account.open_lots():
            self._add(lot)
        if self._watch is not None:
            self._watch.look_at_balance()
            self._watch.look_at_rows(self._reservations.values())
            _look_at_program(self._watch, state, pool)
            self._watch.forget_others()

    def next(self) -> Instant | None:
        """The instant of what comes next."""
        if self._watch is not None:
            for at, row_id in self._watch.ahead:
                heappush(self._heap, (at, _ALERTS, row_id))
            self._watch.ahead.clear()
        while self._heap and not self._stands(*self._heap[0]):
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def play(self) -> None:
        """Let happen what comes next."""
        _, kind, row_id = heappop(self._heap)
        if kind == _ALERTS:
            self._look(row_id)
        elif kind == _LAPSES:
            self._lapse(self._reservations[row_id])
        elif kind == _EXPIRES:
            lot = self._account.lot(row_id)
            lapse(self._account, [Draw(lot.id, lot.available)])
            self._add(self._account.lot(row_id))
        else:
            self._begin(self._account.lot(row_id))
        if self._watch is not None and kind != _ALERTS:
            self._watch.look_at_balance()

    def watched(self) -> Pool:
        """The pool with what its alerts stand of now."""
        if self._watch is not None:
            self._watch.keep()
        elif self._account.pool.alerts is not None and not self._account.is_whole:
            return replace(self._account.pool, alerts=None)
        return self._account.pool

    def _stands(self, at: Instant, kind: int, row_id: str) -> bool:
        if kind == _ALERTS:
            return True
        if kind == _LAPSES:
            return self._reservations[row_id].status is ReservationStatus.OPEN
        return due_of(self._account.lot(row_id)) == at

    def _look(self, row_id: str) -> None:
        """Look at what an alert may tell of by now."""
        assert self._watch is not None
        if row_id == self._account.pool.program_id:
            _look_at_program(self._watch, self._state, self._account.pool)
        elif row_id in self._reservations:
            self._watch.look_at_reservation(self._reservations[row_id])
        else:
            self._watch.look_at_lot(self._account.lot(row_id))

    def _add(self, lot: Lot) -> None:
        if self._watch is not None:
            self._watch.look_at_lot(lot)
        due = due_of(lot)
        if due is not None:
            heappush(
                self._heap, (due, _BEGINS if lot.status is LotStatus.FUTURE else _EXPIRES, lot.id)
            )

    def _lapse(self, reservation: Reservation) -> None:
        transaction = require(self._state, RESERVING_TRANSACTION, reservation.id)
        lapsed = ReservationStatus.LAPSED
        touched = release(
            self._state, self._account, reservation, lapsed, reserved=transaction.details
        )
        lapsed_one = replace(reservation, status=lapsed)
        self._reservations[reservation.id] = lapsed_one
        if self._watch is not None:
            self._watch.look_at_reservation(lapsed_one)
        for each in touched.details.draws:
            self._add(self._account.lot(each.into or each.lot_id))

    def _begin(self, lot: Lot) -> None:
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
                    reason=RULES[Operation.GRANT].reason, effective_date=account.at
                ),
                external_reference=lot.external_reference,
            )
        self._add(account.lot(lot.id))


def _watch_of(state: State, account: Account) -> Watch | None:
    """What judges the alerts of a pool; one that was just opened is left to a runner."""
    if account.pool.alerts is None or account.is_whole:
        return None
    details = snapshot_of(state, account.pool).details
    return Watch(account, details) if details.alerts else None


def _look_at_program(watch: Watch, state: State, pool: Pool) -> None:
    """Judge the alerts about the dates of a pool's program."""
    program_id = pool.program_id
    changes = state.many(CHANGES_OF_PROGRAM, program_id)
    watch.look_at_program(require(state, PROGRAM, program_id), changes)


def move_dates(state: State, account: Account) -> None:
    """Let the clock of a pool's dates go on: each of them is later by the time that it stood.

    What came while it stood is later by the rest of that time. A lot that has nothing is moved once
    it gets credits again.
    """
    stopped, at = account.pool.stopped, account.at
    assert stopped is not None
    # Looked up first: what says that a pool may have lots is that its clock stands.
    lots = account.open_lots()
    account.pool = replace(account.pool, stopped=None, shift=account.shift)
    for lot in lots:
        moved = moved_on(lot, account.pool.shift)
        if (moved.effective_date, moved.expiration_date) == (
            lot.effective_date,
            lot.expiration_date,
        ):
            account.set_lot(moved)
        else:
            account.change_lot(moved)
    held = [
        replace(each, expiration_date=each.expiration_date + at - max(stopped, each.created))
        for each in _open_reservations(state, account).values()
    ]
    account.beside += held
    lapses = (each.expiration_date for each in held)
    account.pool = replace(account.pool, due=earliest(account.pool.due, *lapses))


class LookAtPools(msgspec.Struct, frozen=True):
    """The question what pools have now, whether or not that is booked."""

    pool_ids: tuple[str, ...]

    def ask(self, needs: Needs, state: State) -> None:
        for pool_id in self.pool_ids:
            ask_for_account(needs, state, pool_id, reads_only=True)


class SettlePools(Command[int], frozen=True, kw_only=True):
    """Book what has come due in some pools. Answers how many of them had something due."""

    about = Pool

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
