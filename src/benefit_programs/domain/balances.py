"""Changes of a balance by hand, and their reverts. Contract: Change balance, Revert."""

from __future__ import annotations

from typing import Any

import msgspec

from benefit_programs.domain.account import Account, ask_for_account, balance_of
from benefit_programs.domain.chains import Chain, ask_for_chain
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import (
    BalanceType,
    IdempotencyKey,
    LimitRule,
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
from benefit_programs.domain.lookups import IDEMPOTENCY_KEY, POOL, TRANSACTION, TRANSACTION_BY_KEY
from benefit_programs.domain.operations import RULES
from benefit_programs.domain.quotas import ask_for_quotas, take_quotas
from benefit_programs.domain.repeats import is_same_request, request_hash
from benefit_programs.domain.required import require
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
    *,
    idempotency_key: str,
    details: TransactionDetails,
    requested_amount: Credits | None = None,
    request_hash: int | None = None,
) -> Changed:
    """Bring a balance to an amount.

    A change by 0 makes no transaction, but uses its key.
    """
    pool, difference = account.pool, available - account.pool.available
    if not difference:
        changes.save(
            IdempotencyKey(
                subject_id=pool.id,
                operation=Operation.CHANGE,
                idempotency_key=idempotency_key,
                created=account.context.now,
                request_hash=request_hash,
            )
        )
        return Changed(pool, None)
    post = account.grant if difference > 0 else account.spend
    transaction = post(
        Operation.CHANGE,
        abs(difference),
        details=details,
        idempotency_key=idempotency_key,
        requested_amount=requested_amount,
        request_hash=request_hash,
    )
    return Changed(account.save(changes), transaction)


class ChangeBalance(Command[Changed], frozen=True, kw_only=True):
    """Adjust or set a balance, once per key, whatever the pool's status."""

    pool_id: str
    idempotency_key: str
    change: Adjust | Set
    beneficiary: Identity | None = None
    party: Identity | None = None
    details: TransactionDetails = TransactionDetails()

    def ask(self, needs: Needs, state: State) -> None:
        ask_for_account(needs, state, self.pool_id)
        needs.read(TRANSACTION_BY_KEY, self.pool_id, Operation.CHANGE, self.idempotency_key)
        needs.read(IDEMPOTENCY_KEY, self.pool_id, Operation.CHANGE, self.idempotency_key)

    def decide(self, state: State, context: Context) -> Changes[Changed]:
        pool = state.one(POOL, self.pool_id)
        if pool is None or self.beneficiary not in (None, pool.beneficiary):
            raise BalanceNotFound(pool_id=self.pool_id)
        self._refuse_executed(state)
        available = self.change.apply(pool)
        changes: Changes[Any] = Changes(None)
        changes.answer = set_balance(
            changes,
            Account(pool, context, self.party),
            available,
            idempotency_key=self.idempotency_key,
            details=self.details,
            requested_amount=self._requested(available - pool.available),
            request_hash=self._hash(),
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
        )

    def _requested(self, difference: Credits) -> Credits | None:
        """The requested values, if limits changed them."""
        if isinstance(self.change, Set) or self.change.value == difference:
            return None
        return abs(self.change.value)


class RevertBalanceChange(Command[Changed], frozen=True, kw_only=True):
    """Write the opposite of a transaction, once."""

    transaction_id: str
    party: Identity | None = None

    def ask(self, needs: Needs, state: State) -> None:
        chain = ask_for_chain(needs, state, self.transaction_id)
        if chain is not None:
            ask_for_quotas(needs, chain.pool.id, chain.quota_shares)

    def decide(self, state: State, context: Context) -> Changes[Changed]:
        original = require(state, TRANSACTION, self.transaction_id)
        chain = Chain.of(state, original)
        pool, giving_back = chain.pool, chain.giving_back
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
        if original.target is BalanceType.AVAILABLE and original.amount > pool.available:
            raise NotEnoughBalanceToRevert(balance=balance_of(pool), requested=original.amount)
        account = Account(pool, context, self.party)
        transaction = account.give_back(Operation.REVERT, original, original.details)
        changes = Changes(Changed(pool, transaction))
        changes.answer = Changed(account.save(changes), transaction)
        changes.save(*take_quotas(state, pool.id, freed=chain.quota_shares))
        return changes
