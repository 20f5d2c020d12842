"""Cancellation of everything that has one external reference, in one commit a pool.

``BeginCancellation`` says up to when: what is made later isn't meant, also if the call is repeated.
``CancelReferenced`` then cancels in one pool, and leaves a key on all that it cancels. So an
interrupted call goes on where it was, and tells the same in the end.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from benefit_programs.domain.account import Account
from benefit_programs.domain.chains import Chain, ask_for_chain
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import (
    IdempotencyKey,
    Operation,
    Reservation,
    ReservationStatus,
    Transaction,
)
from benefit_programs.domain.errors import AlreadyExecuted
from benefit_programs.domain.lookups import (
    IDEMPOTENCY_KEY,
    POOL,
    RESERVATION,
    TRANSACTION,
    TRANSACTIONS_OF_CHAIN,
)
from benefit_programs.domain.redemptions import ask_to_cancel, cancel_items
from benefit_programs.domain.repeats import is_same_request, request_hash, subject_of
from benefit_programs.domain.required import require
from benefit_programs.domain.settling import (
    ask_for_account,
    ask_to_release,
    open_account,
    release,
)
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import Credits, Instant

REFERENCED_MAX = 500
"""How many redemptions and reservations of one external reference are canceled at once."""

CANCEL_BY_REFERENCE = "CANCEL_BY_REFERENCE"
"""The operation that the keys of these calls are for."""


class CancellationStatus(StrEnum):
    """What became of a redemption or reservation that was to be canceled."""

    CANCELED = "CANCELED"
    """This call has canceled it."""

    ALREADY_CANCELED = "ALREADY_CANCELED"
    CAPTURED = "CAPTURED"
    LAPSED = "LAPSED"
    FAILED = "FAILED"


class ReferencedCancellation(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one transaction; the ``cancellation`` is what has given its credits back."""

    transaction_id: str
    pool_id: str
    status: CancellationStatus
    cancellation: Transaction | None = None

    @property
    def returned(self) -> Credits | None:
        """What came back by this call."""
        return self.cancellation.amount if self._is_of_this_call else None  # type: ignore[union-attr]

    @property
    def forfeited(self) -> Credits | None:
        """What didn't, since it was late."""
        if not self._is_of_this_call:
            return None
        return self.cancellation.details.forfeited  # type: ignore[union-attr]

    @property
    def _is_of_this_call(self) -> bool:
        return self.status is CancellationStatus.CANCELED and self.cancellation is not None


class BeginCancellation(Command[Instant], frozen=True, kw_only=True):
    """Begin to cancel what has a reference, or go on: the instant up to which it is meant."""

    namespace: str
    external_reference: str
    idempotency_key: str
    override: bool = False

    def ask(self, needs: Needs, state: State) -> None:
        needs.read(IDEMPOTENCY_KEY, *self._key)

    def decide(self, state: State, context: Context) -> Changes[Instant]:
        used = state.one(IDEMPOTENCY_KEY, *self._key)
        hash_ = request_hash(self.external_reference, self.override)
        if used is None:
            changes = Changes(context.now)
            subject_id, operation, key = self._key
            changes.save(
                IdempotencyKey(
                    subject_id=subject_id,
                    operation=operation,
                    idempotency_key=key,
                    created=context.now,
                    request_hash=hash_,
                )
            )
            return changes
        if not is_same_request(used, hash_):
            raise AlreadyExecuted(idempotency_key=self.idempotency_key, same_request=False)
        return Changes(used.created)

    @property
    def _key(self) -> tuple[str, str, str]:
        subject_id = subject_of(CANCEL_BY_REFERENCE, self.namespace)
        return subject_id, CANCEL_BY_REFERENCE, self.idempotency_key


class CancelReferenced(Command[tuple[ReferencedCancellation, ...]], frozen=True, kw_only=True):
    """Cancel redemptions and reservations of one pool, all that isn't over yet."""

    about = Transaction

    pool_id: str
    transaction_ids: tuple[str, ...]
    idempotency_key: str
    override: bool = False

    def ask(self, needs: Needs, state: State) -> None:
        ask_for_account(needs, state, self.pool_id)
        for transaction_id in self.transaction_ids:
            needs.read(IDEMPOTENCY_KEY, transaction_id, CANCEL_BY_REFERENCE, self.idempotency_key)
            chain = ask_for_chain(needs, state, transaction_id)
            if chain is None:
                continue
            if chain.is_redemption:
                ask_to_cancel(needs, chain)
                continue
            needs.read(RESERVATION, transaction_id)
            reservation = state.loaded(RESERVATION, transaction_id)
            if reservation is not None:
                ask_to_release(needs, chain.pool, reservation)

    def decide(self, state: State, context: Context) -> Changes[tuple[ReferencedCancellation, ...]]:
        account = open_account(state, context, require(state, POOL, self.pool_id))
        changes: Changes[tuple[ReferencedCancellation, ...]] = Changes(())
        changes.answer = tuple(
            self._cancel(state, account, require(state, TRANSACTION, each))
            for each in self.transaction_ids
        )
        if account.transactions:
            account.save(changes)
        return changes

    def _cancel(
        self, state: State, account: Account, transaction: Transaction
    ) -> ReferencedCancellation:
        status, cancellation = self._done_before(state, account, transaction)
        if status is None:
            status = CancellationStatus.CANCELED
            cancellation = self._give_back(state, account, transaction)
            account.beside.append(
                IdempotencyKey(
                    subject_id=transaction.id,
                    operation=CANCEL_BY_REFERENCE,
                    idempotency_key=self.idempotency_key,
                    created=account.context.now,
                    result_id=cancellation.id,
                )
            )
        return ReferencedCancellation(
            transaction_id=transaction.id,
            pool_id=self.pool_id,
            status=status,
            cancellation=cancellation,
        )

    def _done_before(
        self, state: State, account: Account, transaction: Transaction
    ) -> tuple[CancellationStatus | None, Transaction | None]:
        key = (transaction.id, CANCEL_BY_REFERENCE, self.idempotency_key)
        own = state.one(IDEMPOTENCY_KEY, *key)
        if own is not None:
            chain = state.many(TRANSACTIONS_OF_CHAIN, transaction.correlation_id)
            first = next(each for each in chain if each.id == own.result_id)
            return CancellationStatus.CANCELED, first
        if transaction.operation is Operation.RESERVE:
            return _ENDS[_reservation(state, account, transaction.id).status], None
        before = Chain.of(state, transaction).giving_back
        return (CancellationStatus.ALREADY_CANCELED if before else None), before

    def _give_back(self, state: State, account: Account, transaction: Transaction) -> Transaction:
        if transaction.operation is Operation.RESERVE:
            reservation = _reservation(state, account, transaction.id)
            status = ReservationStatus.CANCELED
            return release(state, account, reservation, status, reserved=transaction.details)
        chain = Chain.of(state, transaction)
        total = chain.redeemed_count
        canceled = cancel_items(state, account, chain, total, in_full=self.override)
        assert canceled.transaction is not None
        return canceled.transaction


_ENDS = {
    ReservationStatus.OPEN: None,
    ReservationStatus.CAPTURED: CancellationStatus.CAPTURED,
    ReservationStatus.CANCELED: CancellationStatus.ALREADY_CANCELED,
    ReservationStatus.LAPSED: CancellationStatus.LAPSED,
}


def _reservation(state: State, account: Account, reservation_id: str) -> Reservation:
    """A reservation as it is now; it may have lapsed with what came due in its pool."""
    for row in account.beside:
        if isinstance(row, Reservation) and row.id == reservation_id:
            return row
    reservation = state.one(RESERVATION, reservation_id)
    assert reservation is not None, "a reservation has the id of its transaction"
    return reservation
