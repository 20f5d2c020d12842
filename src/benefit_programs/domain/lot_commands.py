"""What callers do with lots: grant credits of their own, change their terms, end them.

Credits are granted and lots end in any status of a pool, as balances are changed in any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.account import Account, ask_for_lots, has_lots
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.durations import LAST_INSTANT, later
from benefit_programs.domain.entities import (
    Draw,
    IdempotencyKey,
    Lot,
    LotOrigin,
    LotStatus,
    Operation,
    Pool,
    Transaction,
    TransactionDetails,
)
from benefit_programs.domain.errors import (
    AlreadyExecuted,
    BalanceNotFound,
    FieldViolation,
    Invalid,
    LotExpired,
    LotIsStandard,
    LotNotFound,
    TooManyLots,
    ViolatedRule,
)
from benefit_programs.domain.lookups import IDEMPOTENCY_KEY, LOT, POOL, TRANSACTION_BY_KEY
from benefit_programs.domain.lots import OPEN_LOTS_MAX, PRIORITY, Fate, moved_on, ranked
from benefit_programs.domain.operations import RULES
from benefit_programs.domain.repeats import is_same_request, request_hash
from benefit_programs.domain.required import require
from benefit_programs.domain.settling import ask_for_account, lapse, open_account
from benefit_programs.domain.state import Changes, Mode, Needs, State
from benefit_programs.domain.updates import require_revision
from benefit_programs.domain.values import Credits, Instant


class ChangedLot(msgspec.Struct, frozen=True):
    """A lot after a change, with its pool; no transaction where no credits came or went."""

    lot: Lot
    pool: Pool
    transaction: Transaction | None = None


class GrantCredits(Command[ChangedLot], frozen=True, kw_only=True):
    """Give a pool credits in a lot of their own, once per key. They may begin later.

    At most one of ``expiration_date`` and ``expires_after`` is given. The latter counts from the
    instant at which the credits begin.
    """

    about = Transaction

    pool_id: str
    idempotency_key: str
    amount: Credits
    priority: int = PRIORITY
    effective_date: Instant | None = None
    expiration_date: Instant | None = None
    expires_after: str | None = None
    kept_at_renewal: bool = True
    display_name: str | None = None
    external_reference: str | None = None
    additional_data: dict[str, Any] | None = None

    def ask(self, needs: Needs, state: State) -> None:
        pool = ask_for_account(needs, state, self.pool_id)
        if pool is not None and has_lots(pool):
            ask_for_lots(needs, pool.id)
        _ask_for_key(needs, self.pool_id, Operation.GRANT, self.idempotency_key)

    def decide(self, state: State, context: Context) -> Changes[ChangedLot]:
        pool = state.one(POOL, self.pool_id)
        if pool is None:
            raise BalanceNotFound(pool_id=self.pool_id)
        _refuse_executed(state, pool, Operation.GRANT, self.idempotency_key, self._hash())
        fate = self._fate(context)
        account = open_account(state, context, pool)
        if not account.has_room:
            raise TooManyLots(maximum=OPEN_LOTS_MAX)
        begins_later = fate.effective_date is not None and fate.effective_date > context.now
        lot_id = (self._announce if begins_later else self._grant)(account, fate)
        return _saved(account, lot_id, None if begins_later else account.transactions[-1])

    def _grant(self, account: Account, fate: Fate) -> str:
        transaction = account.grant(
            Operation.GRANT,
            self.amount,
            fate,
            details=TransactionDetails(
                reason=RULES[Operation.GRANT].reason, effective_date=self.effective_date
            ),
            idempotency_key=self.idempotency_key,
            request_hash=self._hash(),
            external_reference=self.external_reference,
        )
        return transaction.details.draws[0].lot_id

    def _announce(self, account: Account, fate: Fate) -> str:
        """Add a lot that begins later. Its transaction is made then."""
        lot = account.add_lot(fate, self.amount)
        key, hash_ = self.idempotency_key, self._hash()
        account.beside.append(_used_key(account, Operation.GRANT, key, hash_, lot.id))
        return lot.id

    def _fate(self, context: Context) -> Fate:
        begin = context.now if self.effective_date is None else self.effective_date
        end = self.expiration_date
        if self.expires_after is not None:
            end = later(begin, self.expires_after, context.settings.time_zone)
        field = "expirationDate" if self.expires_after is None else "expiresAfter"
        violations = tuple(_violations_of(field, begin, end, context.now))
        if violations:
            raise Invalid(violations)
        return Fate(
            origin=LotOrigin.GRANT,
            expiration_date=end,
            effective_date=begin,
            priority=self.priority,
            kept_at_renewal=self.kept_at_renewal,
            display_name=self.display_name,
            external_reference=self.external_reference,
            additional_data=self.additional_data,
        )

    def _hash(self) -> int:
        return request_hash(
            *(self.amount, self.priority, self.effective_date, self.expiration_date),
            *(self.expires_after, self.kept_at_renewal, self.display_name),
            *(self.external_reference, self.additional_data or None),
        )


class UpdateLot(Command[ChangedLot], frozen=True, kw_only=True):
    """Change the terms of a lot that hasn't expired. None among the updates clears a field."""

    about = Lot

    id: str
    revision: int
    updates: Mapping[str, Any]

    def ask(self, needs: Needs, state: State) -> None:
        _ask_for_lot(needs, state, self.id)

    def decide(self, state: State, context: Context) -> Changes[ChangedLot]:
        stored = _require_lot(state, self.id)
        require_revision(stored, self.revision)
        account = open_account(state, context, require(state, POOL, stored.pool_id))
        lot = _unexpired(account, self.id)
        defaults = {"priority": PRIORITY, "kept_at_renewal": lot.origin is LotOrigin.GRANT}
        updates = {
            name: defaults.get(name) if value is None else value
            for name, value in self.updates.items()
        }
        changed = replace(lot, **updates)
        if changed.expiration_date != lot.expiration_date:
            # An end is meant as of now. A pause has moved the begin by now, and moves both on.
            changed = replace(moved_on(lot, account.shift), **updates)
            begin, end = changed.effective_date, changed.expiration_date
            violations = tuple(_violations_of("lot.expirationDate", begin, end, context.now))
            if violations:
                raise Invalid(violations)
        account.change_lot(ranked(changed))
        return _saved(account, lot.id, None)


class ExpireLot(Command[ChangedLot], frozen=True, kw_only=True):
    """End a lot now, once per key: what is available lapses, and what is reserved is honoured."""

    about = Transaction

    id: str
    idempotency_key: str

    def ask(self, needs: Needs, state: State) -> None:
        lot = _ask_for_lot(needs, state, self.id)
        if lot is not None:
            _ask_for_key(needs, lot.pool_id, Operation.EXPIRY, self.idempotency_key)

    def decide(self, state: State, context: Context) -> Changes[ChangedLot]:
        stored = _require_lot(state, self.id)
        pool, key = require(state, POOL, stored.pool_id), self.idempotency_key
        _refuse_executed(state, pool, Operation.EXPIRY, key, self._hash())
        account = open_account(state, context, pool)
        lot = _unexpired(account, self.id)
        # A lot that hasn't begun ends before its first instant.
        ended = replace(
            lot,
            status=LotStatus.EXPIRED,
            expiration_date=max(context.now, lot.effective_date),
        )
        account.change_lot(ranked(ended))
        if not lot.available:
            account.beside.append(_used_key(account, Operation.EXPIRY, key, self._hash(), lot.id))
            return _saved(account, lot.id, None)
        transaction = lapse(
            account,
            [Draw(lot.id, lot.available)],
            idempotency_key=key,
            request_hash=self._hash(),
        )
        return _saved(account, lot.id, transaction)

    def _hash(self) -> int:
        return request_hash(self.id)


def _saved(account: Account, lot_id: str, transaction: Transaction | None) -> Changes[ChangedLot]:
    changes: Changes[Any] = Changes(None)
    pool = account.save(changes)
    changes.answer = ChangedLot(account.lot(lot_id), pool, transaction)
    return changes


def _violations_of(
    field: str, begin: Instant, end: Instant | None, now: Instant
) -> Iterator[FieldViolation]:
    """What is wrong with the instants of a lot, where ``field`` says when it ends."""
    if end is None:
        return
    if end <= begin:
        yield FieldViolation(
            field, "must be later than effectiveDate", ViolatedRule.OTHER, "ends_after_its_begin"
        )
    if end <= now:
        yield FieldViolation(field, "must be later than now", ViolatedRule.OTHER, "in_the_future")
    if end >= LAST_INSTANT:
        yield FieldViolation(
            field, "must end before the year 10,000", ViolatedRule.OTHER, "ends_in_four_digits"
        )


def _ask_for_lot(needs: Needs, state: State, lot_id: str) -> Lot | None:
    """Ask for a lot and its account; the lot, once it is known which pool has it."""
    needs.read(LOT, lot_id)
    lot = state.loaded(LOT, lot_id)
    if lot is None:
        needs.read(POOL, lot_id)
        return None
    ask_for_account(needs, state, lot.pool_id)
    if state.has(POOL, (lot.pool_id,), Mode.LOCK):
        # As it is now that nobody else can change it.
        needs.lock(LOT, lot_id)
    return lot


def _require_lot(state: State, lot_id: str) -> Lot:
    lot = state.one(LOT, lot_id)
    if lot is None and state.loaded(POOL, lot_id) is not None:
        raise LotIsStandard(lot_id=lot_id)
    if lot is None:
        raise LotNotFound(lot_id=lot_id)
    return lot


def _unexpired(account: Account, lot_id: str) -> Lot:
    """The lot as it is now. Raises LotExpired."""
    lot = account.lot(lot_id)
    end = lot.expiration_date
    if lot.status is LotStatus.EXPIRED or (end is not None and end <= account.clock_of(lot)):
        raise LotExpired(lot_id=lot_id)
    return lot


def _ask_for_key(needs: Needs, pool_id: str, operation: Operation, key: str) -> None:
    needs.read(TRANSACTION_BY_KEY, pool_id, operation, key)
    needs.read(IDEMPOTENCY_KEY, pool_id, operation, key)


def _refuse_executed(state: State, pool: Pool, operation: Operation, key: str, hash_: int) -> None:
    first = state.one(TRANSACTION_BY_KEY, pool.id, operation, key)
    used = state.one(IDEMPOTENCY_KEY, pool.id, operation, key)
    if first is not None:
        raise AlreadyExecuted(
            idempotency_key=key,
            transaction_id=first.id,
            lot_id=first.details.draws[0].lot_id,
            same_request=is_same_request(first, hash_),
        )
    if used is not None:
        raise AlreadyExecuted(
            idempotency_key=key, lot_id=used.result_id, same_request=is_same_request(used, hash_)
        )


def _used_key(
    account: Account, operation: Operation, key: str, hash_: int, lot_id: str
) -> IdempotencyKey:
    """What remembers a key where no transaction does."""
    return IdempotencyKey(
        subject_id=account.pool.id,
        operation=operation,
        idempotency_key=key,
        created=account.context.now,
        result_id=lot_id,
        request_hash=hash_,
    )
