"""Reserve, capture, cancel: credits that are held for items, and spent or given back later.

A reservation is checked like a redemption. What is captured of it is a redemption like any other.
See docs/concepts/reservations.md.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, NamedTuple, Unpack

from msgspec.structs import replace

from benefit_programs.domain.account import Account, More
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.due import require_settled
from benefit_programs.domain.durations import later
from benefit_programs.domain.eligibility import Candidate, Moment
from benefit_programs.domain.entities import (
    BalanceType,
    Operation,
    Pool,
    Reservation,
    ReservationStatus,
    Transaction,
)
from benefit_programs.domain.errors import (
    AlreadyExecuted,
    Invalid,
    NotEnoughReserved,
    Refusal,
    ReservationNotFound,
    ReservationNotOpen,
    TooManyReservations,
)
from benefit_programs.domain.lookups import (
    POOL,
    RESERVATION,
    RESERVATIONS_MAX,
    RESERVATIONS_OF_POOL,
    RESERVING_TRANSACTION,
    SNAPSHOT,
    TRANSACTION_BY_KEY,
)
from benefit_programs.domain.lots import clock_at, first_of, last_of
from benefit_programs.domain.operations import RULES
from benefit_programs.domain.quotas import of_count, of_fewer
from benefit_programs.domain.redemptions import Redeemed, RequestBenefit
from benefit_programs.domain.repeats import is_same_request, request_hash
from benefit_programs.domain.required import require, require_ahead
from benefit_programs.domain.settings import RESERVATION_DAYS_MAX, TenantSettings
from benefit_programs.domain.settling import (
    ask_for_account,
    ask_to_release,
    open_account,
    release,
)
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import Credits, Instant

_OPEN, _CAPTURED = ReservationStatus.OPEN, ReservationStatus.CAPTURED


class ReserveBenefit(RequestBenefit, frozen=True, kw_only=True):
    """Hold price times count credits of one pool for one item, until a date."""

    operation: ClassVar[Operation] = Operation.RESERVE

    expiration_date: Instant | None = None
    expires_after: str | None = None

    def ask(self, needs: Needs, state: State) -> None:
        super().ask(needs, state)
        pool = state.loaded(POOL, self.pool_id)
        if pool is not None and self._may_count(state, pool):
            needs.read(RESERVATIONS_OF_POOL, self.pool_id)

    def _may_count(self, state: State, pool: Pool) -> bool:
        """Whether open reservations may have to be counted.

        While nothing is reserved, only those that cost nothing can be open. What costs something
        then makes one more at the most.
        """
        if pool.due is None or pool.reserved:
            return pool.due is not None
        snapshot = state.loaded(SNAPSHOT, pool.snapshot_id)
        benefit = snapshot.details.benefit(self.benefit_key) if snapshot else None
        return benefit is None or not benefit.price

    def candidate(self, state: State, moment: Moment) -> Candidate:
        candidate = super().candidate(state, moment)
        self._require_date(moment)
        return candidate

    def decide(self, state: State, context: Context) -> Changes[Redeemed]:
        changes = super().decide(state, context)
        pool = require(state, POOL, self.pool_id)
        if pool.due is None or not (pool.reserved or _is_free(changes.answer)):
            return changes
        open_now = sum(
            each.status_at(context.now) is _OPEN
            for each in state.many(RESERVATIONS_OF_POOL, self.pool_id)
        )
        if open_now >= RESERVATIONS_MAX:
            raise TooManyReservations(pool_id=self.pool_id, maximum=RESERVATIONS_MAX)
        return changes

    def _post(
        self, account: Account, candidate: Candidate, cost: Credits, **more: Unpack[More]
    ) -> Transaction:
        transaction = account.reserve(self.operation, cost, lots=candidate.lots, **more)
        context = account.context
        reservation = Reservation(
            id=transaction.id,
            created=context.now,
            updated=context.now,
            pool_id=account.pool.id,
            status=_OPEN,
            count=self.count,
            price=candidate.benefit.price or 0,
            expiration_date=self._end(context.now, context.settings),
            draws=transaction.details.draws,
            quota_shares=transaction.details.quota_shares,
            external_reference=self.external_reference,
        )
        account.beside.append(reservation)
        account.look_again_at(reservation.expiration_date)
        return transaction

    def _end(self, now: Instant, settings: TenantSettings) -> Instant:
        if self.expiration_date is not None:
            return self.expiration_date
        duration = self.expires_after or settings.reservation_expires_after
        return later(now, duration, settings.time_zone)

    def _require_date(self, moment: Moment) -> None:
        end = self.expiration_date
        if end is None:
            return
        require_ahead(end, moment.now, "expirationDate")
        last = later(moment.now, f"P{RESERVATION_DAYS_MAX}D", moment.settings.time_zone)
        if end > last:
            raise Invalid.because(
                "expirationDate",
                f"must be at most {RESERVATION_DAYS_MAX} days from now",
                rule_name="expiration_within_reservation_days",
            )

    def _replayed(self, state: State, pool: Pool, first: Transaction) -> Refusal:
        return _already_executed(first, self.idempotency_key, request_hash(*self._meaning()))

    def _meaning(self) -> tuple[Any, ...]:
        return (*super()._meaning(), self.expiration_date, self.expires_after)


class _Held(NamedTuple):
    """An open reservation, the transaction that made it, and its pool's account."""

    row: Reservation
    transaction: Transaction
    account: Account


class _EndReservation(Command[Redeemed], frozen=True, kw_only=True):
    """Do something with what a reservation holds, once per key, whatever the pool's status."""

    about = Transaction

    operation: ClassVar[Operation]

    transaction_id: str
    idempotency_key: str

    def ask(self, needs: Needs, state: State) -> None:
        needs.read(RESERVING_TRANSACTION, self.transaction_id)
        transaction = state.loaded(RESERVING_TRANSACTION, self.transaction_id)
        if transaction is None:
            return
        # Nobody else changes the reservation while this holds its pool.
        pool = ask_for_account(needs, state, transaction.pool_id)
        needs.read(RESERVATION, transaction.id)
        needs.read(TRANSACTION_BY_KEY, transaction.pool_id, self.operation, self.idempotency_key)
        reservation = state.loaded(RESERVATION, transaction.id)
        if pool is not None and reservation is not None:
            ask_to_release(needs, pool, reservation)

    def decide(self, state: State, context: Context) -> Changes[Redeemed]:
        held = self._require_held(state, context)
        transaction = self._act(state, held)
        changes: Changes[Any] = Changes(None)
        changes.answer = Redeemed(transaction, held.account.save(changes))
        return changes

    @abstractmethod
    def _act(self, state: State, held: _Held) -> Transaction:
        """Make the transaction that the key stands for."""

    @property
    @abstractmethod
    def _hash(self) -> int:
        """What the request means."""

    def _require_held(self, state: State, context: Context) -> _Held:
        transaction = state.one(RESERVING_TRANSACTION, self.transaction_id)
        if transaction is None:
            raise ReservationNotFound(reservation_id=self.transaction_id)
        row = require(state, RESERVATION, self.transaction_id)
        key = (row.pool_id, self.operation, self.idempotency_key)
        if (first := state.one(TRANSACTION_BY_KEY, *key)) is not None:
            raise _already_executed(first, self.idempotency_key, self._hash)
        pool = require(state, POOL, row.pool_id)
        require_settled((pool,), context)
        status = row.status_at(clock_at(pool, context.now))
        if status is not _OPEN:
            raise ReservationNotOpen(reservation_id=row.id, reservation_status=status)
        return _Held(row, transaction, open_account(state, context, pool))


class CaptureReservation(_EndReservation, frozen=True, kw_only=True):
    """Spend what is held for ``count`` items, or for all; the rest goes back unless it is kept."""

    operation: ClassVar[Operation] = Operation.CAPTURE

    count: int | None = None
    keep_rest: bool = False

    def _act(self, state: State, held: _Held) -> Transaction:
        row, account = held.row, held.account
        count = self._count(row)
        amount, shares = row.price * count, of_count(row.quota_shares, count)
        transaction = account.put(
            self.operation,
            BalanceType.RESERVED,
            BalanceType.EXTERNAL,
            first_of(row.draws, amount),
            amount,
            details=replace(
                held.transaction.details,
                reason=RULES[self.operation].reason,
                item_count=count,
                quota_shares=shares,
                reservation_id=row.id,
            ),
            idempotency_key=self.idempotency_key,
            request_hash=self._hash,
            external_reference=row.external_reference,
        )
        left = row.held - count
        rest = replace(
            row,
            updated=account.context.now,
            status=_OPEN if left else _CAPTURED,
            captured=row.captured + count,
            draws=last_of(row.draws, row.price * left),
            quota_shares=of_fewer(row.quota_shares, count),
        )
        if left and not self.keep_rest:
            release(state, account, rest, _CAPTURED, reserved=held.transaction.details)
        else:
            account.beside.append(rest)
        return transaction

    def _count(self, row: Reservation) -> int:
        count = row.held if self.count is None else self.count
        if count > row.held:
            raise NotEnoughReserved(
                reservation_id=row.id, held_count=row.held, requested_count=count
            )
        return count

    @property
    def _hash(self) -> int:
        return request_hash(self.transaction_id, self.count, self.keep_rest)


class CancelReservation(_EndReservation, frozen=True, kw_only=True):
    """Give back all that is held, and its share of rate limits."""

    operation: ClassVar[Operation] = Operation.RELEASE

    def _act(self, state: State, held: _Held) -> Transaction:
        return release(
            state,
            held.account,
            held.row,
            ReservationStatus.CANCELED,
            reserved=held.transaction.details,
            idempotency_key=self.idempotency_key,
            request_hash=self._hash,
        )

    @property
    def _hash(self) -> int:
        return request_hash(self.transaction_id)


def _is_free(reserved: Redeemed) -> bool:
    return not reserved.transaction.amount


def _already_executed(first: Transaction, key: str, hash_: int) -> AlreadyExecuted:
    same = is_same_request(first, hash_)
    return AlreadyExecuted(idempotency_key=key, transaction_id=first.id, same_request=same)
