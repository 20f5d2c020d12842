"""Changes of a balance by hand, and their reverts. Contract: Change balance, Revert."""

from __future__ import annotations

from typing import Any, Unpack

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.account import Account, More, ask_for_lots, balance_of, has_lots
from benefit_programs.domain.chains import Chain, ask_for_chain
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import (
    BalanceType,
    IdempotencyKey,
    LimitRule,
    LotOrigin,
    Operation,
    Pool,
    Transaction,
    TransactionDetails,
)
from benefit_programs.domain.errors import (
    AlreadyExecuted,
    BalanceAlreadyInitialized,
    BalanceExceededLimits,
    BalanceNotFound,
    ChangeAlreadyReverted,
    Invalid,
    NotEnoughBalanceToRevert,
)
from benefit_programs.domain.lookups import (
    IDEMPOTENCY_KEY,
    POOL,
    SNAPSHOT,
    TRANSACTION,
    TRANSACTION_BY_KEY,
)
from benefit_programs.domain.lots import Fate, own_fate
from benefit_programs.domain.operations import RULES
from benefit_programs.domain.quotas import ask_for_quotas
from benefit_programs.domain.repeats import is_same_request, request_hash
from benefit_programs.domain.required import require, snapshot_of
from benefit_programs.domain.settling import ask_for_account, give_back, open_account
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import AMOUNT_MAX, Credits, Identity


class Adjust(msgspec.Struct, frozen=True, kw_only=True):
    """Add to a balance, or take from it with a value below 0, within limits."""

    value: Credits
    lower_limit: Credits = 0
    upper_limit: Credits = AMOUNT_MAX
    limit_rule: LimitRule = LimitRule.FAIL

    @property
    def parts(self) -> tuple[Any, ...]:
        """What was chosen, as plain values."""
        return "ADJUST", self.value, self.lower_limit, self.upper_limit, self.limit_rule

    def apply(self, pool: Pool) -> Credits:
        available, target = pool.available, pool.available + self.value
        lower, upper = self.lower_limit, self.upper_limit
        if self.limit_rule is LimitRule.HARD_ENFORCE:
            return min(max(target, lower), upper)
        if self.limit_rule is LimitRule.SOFT_ENFORCE:
            return min(max(target, lower), upper) if lower <= available <= upper else available
        if self.value and not lower <= target <= upper:
            leaves = self.value < 0
            raise BalanceExceededLimits(
                balance=balance_of(pool),
                requested=self.value,
                lower_limit=lower,
                upper_limit=None if upper == AMOUNT_MAX and target <= AMOUNT_MAX else upper,
                source_balance_type=BalanceType.AVAILABLE if leaves else BalanceType.EXTERNAL,
                target_balance_type=BalanceType.EXTERNAL if leaves else BalanceType.AVAILABLE,
            )
        return target


class Set(msgspec.Struct, frozen=True, kw_only=True):
    """Set a balance; ``initial`` only one that no transaction has touched."""

    value: Credits
    initial: bool = False

    @property
    def parts(self) -> tuple[Any, ...]:
        """What was chosen, as plain values."""
        return "SET_INITIAL" if self.initial else "SET", self.value

    def apply(self, pool: Pool) -> Credits:
        if self.initial and pool.last_transaction_id is not None:
            raise BalanceAlreadyInitialized
        return self.value


class Changed(msgspec.Struct, frozen=True):
    """A pool after a change of its balance; no transaction where nothing changed."""

    pool: Pool
    transaction: Transaction | None


def set_balance(
    changes: Changes[Any],
    account: Account,
    available: Credits,
    fate: Fate | None = None,
    **more: Unpack[More],
) -> Changed:
    """Bring a balance to an amount. What is added may have a fate of its own.

    A change by 0 makes no transaction, but uses its key.
    """
    difference = available - account.pool.available
    if not difference:
        key = more.get("idempotency_key")
        assert key is not None
        changes.save(
            IdempotencyKey(
                subject_id=account.pool.id,
                operation=Operation.CHANGE,
                idempotency_key=key,
                created=account.context.now,
                request_hash=more.get("request_hash"),
            )
        )
        return Changed(account.save(changes) if account.transactions else account.pool, None)
    if difference > 0:
        transaction = account.grant(Operation.CHANGE, difference, fate, **more)
    else:
        transaction = account.spend(Operation.CHANGE, -difference, **more)
    return Changed(account.save(changes), transaction)


class ChangeBalance(Command[Changed], frozen=True, kw_only=True):
    """Adjust or set a balance, once per key, whatever the pool's status."""

    about = Transaction

    pool_id: str
    idempotency_key: str
    change: Adjust | Set
    beneficiary: Identity | None = None
    party: Identity | None = None
    details: TransactionDetails = TransactionDetails()
    external_reference: str | None = None

    def ask(self, needs: Needs, state: State) -> None:
        pool = ask_for_account(needs, state, self.pool_id)
        if pool is not None:
            needs.read(SNAPSHOT, pool.snapshot_id)
            snapshot = state.loaded(SNAPSHOT, pool.snapshot_id)
            if pool.in_lots or (snapshot and snapshot.details.brings_lots and has_lots(pool)):
                ask_for_lots(needs, pool.id)
        needs.read(TRANSACTION_BY_KEY, self.pool_id, Operation.CHANGE, self.idempotency_key)
        needs.read(IDEMPOTENCY_KEY, self.pool_id, Operation.CHANGE, self.idempotency_key)

    def decide(self, state: State, context: Context) -> Changes[Changed]:
        pool = state.one(POOL, self.pool_id)
        if pool is None or self.beneficiary not in (None, pool.beneficiary):
            raise BalanceNotFound(pool_id=self.pool_id)
        self._refuse_executed(state)
        account = open_account(state, context, pool, self.party)
        available = self.change.apply(account.pool)
        configuration = snapshot_of(state, pool).details.credit_configuration
        zone = context.settings.time_zone
        changes: Changes[Any] = Changes(None)
        changes.answer = set_balance(
            changes,
            account,
            available,
            idempotency_key=self.idempotency_key,
            details=self.details,
            requested_amount=self._requested(available - account.pool.available),
            request_hash=self._hash(),
            external_reference=self.external_reference,
            fate=own_fate(configuration, LotOrigin.ADJUSTMENT, context.now, zone),
        )
        return changes

    def _refuse_executed(self, state: State) -> None:
        key = (self.pool_id, Operation.CHANGE, self.idempotency_key)
        first = state.one(TRANSACTION_BY_KEY, *key)
        used = first or state.one(IDEMPOTENCY_KEY, *key)
        if used is not None:
            raise AlreadyExecuted(
                idempotency_key=self.idempotency_key,
                transaction_id=first.id if first else None,
                same_request=is_same_request(used, self._hash()),
            )

    def _hash(self) -> int:
        details, party = self.details, self.party
        return request_hash(
            self.change.parts,
            party and (party.type, party.id),
            *(details.reason, details.origin, details.item_count),
            *(details.benefit_key, details.effective_date),
            *((self.external_reference,) if self.external_reference else ()),
        )

    def _requested(self, difference: Credits) -> Credits | None:
        """The requested values, if limits changed them."""
        if isinstance(self.change, Set) or self.change.value == difference:
            return None
        return abs(self.change.value)


class RevertBalanceChange(Command[Changed], frozen=True, kw_only=True):
    """Write the opposite of a transaction, once."""

    about = Transaction

    transaction_id: str
    party: Identity | None = None

    def ask(self, needs: Needs, state: State) -> None:
        chain = ask_for_chain(needs, state, self.transaction_id)
        if chain is not None:
            ask_for_quotas(needs, chain.pool.id, chain.quota_shares)
            if chain.pool.in_lots:
                ask_for_lots(needs, chain.pool.id)

    def decide(self, state: State, context: Context) -> Changes[Changed]:
        original = require(state, TRANSACTION, self.transaction_id)
        chain = Chain.of(state, original)
        giving_back = chain.giving_back
        if giving_back is not None and original.id == chain.root.id:
            raise ChangeAlreadyReverted(
                original_transaction_id=original.id, reverted_transaction_id=giving_back.id
            )
        if original.operation not in RULES[Operation.REVERT].gives_back:
            raise Invalid.because(
                "transactionId",
                "only redemptions and changes by hand can be reverted",
                rule_name="transaction_is_revertible",
            )
        account = open_account(state, context, chain.pool, self.party)
        pool = account.pool
        if original.target is BalanceType.AVAILABLE and original.amount > pool.available:
            raise NotEnoughBalanceToRevert(balance=balance_of(pool), requested=original.amount)
        amount, draws = original.amount, original.details.draws
        if chain.is_redemption:
            amount = chain.price * chain.item_count
            draws = chain.draws_of_last(chain.item_count)
            account.freed += chain.quota_shares
        transaction = give_back(
            state,
            account,
            Operation.REVERT,
            original,
            amount,
            draws,
            details=replace(original.details, quota_shares=()),
            related_transaction_id=original.id,
        )
        changes = Changes(Changed(pool, transaction))
        changes.answer = Changed(account.save(changes), transaction)
        return changes
