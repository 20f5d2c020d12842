"""Changes of a balance by hand, and their reverts. Contract: Change balance, Revert."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from benefit_programs.domain import happenings
from benefit_programs.domain.chains import (
    Chain,
    ask_for_chain,
    ask_for_returned_quotas,
    require_transaction,
)
from benefit_programs.domain.command import Command, Context
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
from benefit_programs.domain.ledger import Posting, balance_of, post_transaction
from benefit_programs.domain.lookups import IDEMPOTENCY_KEY, POOL, SNAPSHOT, TRANSACTION_BY_KEY
from benefit_programs.domain.redemptions import take_quotas
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import AMOUNT_MAX, Credits, Identity

REVERT_REASON = "Revert"
_REVERTIBLE = (Operation.REDEEM, Operation.CHANGE)


class Adjust(msgspec.Struct, frozen=True, kw_only=True):
    """Add to a balance, or take from it with a value below 0, within limits."""

    value: Credits
    lower_limit: Credits = 0
    upper_limit: Credits = AMOUNT_MAX
    limit_rule: LimitRule = LimitRule.FAIL

    def apply(self, pool: Pool) -> Credits:
        """What is available afterwards, or the refusal of a limit."""
        available, target = pool.available, pool.available + self.value
        lower, upper = self.lower_limit, self.upper_limit
        if self.limit_rule is LimitRule.HARD_ENFORCE:
            return min(max(target, lower), upper)
        if self.limit_rule is LimitRule.SOFT_ENFORCE:
            return min(max(target, lower), upper) if lower <= available <= upper else available
        if self.value and not lower <= target <= upper:
            raise BalanceExceededLimits(
                balance=balance_of(pool),
                requested=self.value,
                lower_limit=lower,
                upper_limit=None if upper == AMOUNT_MAX and target <= AMOUNT_MAX else upper,
                source_balance_type=self._source,
                target_balance_type=self._target,
            )
        return target

    @property
    def _source(self) -> BalanceType:
        return BalanceType.AVAILABLE if self.value < 0 else BalanceType.EXTERNAL

    @property
    def _target(self) -> BalanceType:
        return BalanceType.EXTERNAL if self.value < 0 else BalanceType.AVAILABLE


class Set(msgspec.Struct, frozen=True, kw_only=True):
    """Set a balance; ``initial`` only one that no transaction has touched."""

    value: Credits
    initial: bool = False

    def apply(self, pool: Pool) -> Credits:
        """What is available afterwards, or the refusal of a balance that has transactions."""
        if self.initial and pool.last_transaction_id is not None:
            raise BalanceAlreadyInitialized
        return self.value


class Changed(msgspec.Struct, frozen=True):
    """A pool after a change of its balance; no transaction where nothing changed."""

    pool: Pool
    transaction: Transaction | None


class ChangeBalance(Command[Changed], frozen=True, kw_only=True):
    """Adjust or set a balance, once per key, whatever the pool's status."""

    pool_id: str
    idempotency_key: str
    change: Adjust | Set
    beneficiary: Identity | None = None
    party: Identity | None = None
    details: TransactionDetails = TransactionDetails()

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for the pool, and whether the key was used."""
        needs.lock(POOL, self.pool_id)
        needs.read(TRANSACTION_BY_KEY, self.pool_id, Operation.CHANGE, self.idempotency_key)
        needs.read(IDEMPOTENCY_KEY, self.pool_id, Operation.CHANGE, self.idempotency_key)
        pool = state.loaded(POOL, self.pool_id)
        if pool is not None:
            needs.read(SNAPSHOT, pool.snapshot_id)

    def decide(self, state: State, context: Context) -> Changes[Changed]:
        """Change it, or refuse in the contract's order."""
        pool = state.one(POOL, self.pool_id)
        if pool is None or self.beneficiary not in (None, pool.beneficiary):
            raise BalanceNotFound(pool_id=self.pool_id)
        self._refuse_executed(state)
        available = self.change.apply(pool)
        if available == pool.available:
            return self._leave(pool, context)
        changed, transaction = post_transaction(
            pool,
            context,
            Posting(
                operation=Operation.CHANGE,
                change=available - pool.available,
                details=self.details,
                idempotency_key=self.idempotency_key,
                party=self.party,
                requested_amount=self._requested(available - pool.available),
            ),
        )
        changes = Changes(Changed(changed, transaction))
        changes.save(changed, transaction)
        changes.events.append(happenings.tell_of_balance(context, changed, transaction.id))
        return changes

    def _refuse_executed(self, state: State) -> None:
        key = (self.pool_id, Operation.CHANGE, self.idempotency_key)
        first = state.one(TRANSACTION_BY_KEY, *key)
        if first is not None or state.one(IDEMPOTENCY_KEY, *key) is not None:
            raise AlreadyExecuted(
                idempotency_key=self.idempotency_key, transaction_id=first.id if first else None
            )

    def _leave(self, pool: Pool, context: Context) -> Changes[Changed]:
        """What changes nothing makes no transaction; its key is used all the same."""
        changes = Changes(Changed(pool, None))
        changes.save(
            IdempotencyKey(
                subject_id=pool.id,
                operation=Operation.CHANGE,
                idempotency_key=self.idempotency_key,
                created=context.now,
            )
        )
        return changes

    def _requested(self, difference: Credits) -> Credits | None:
        """What was asked for, where limits made it something else."""
        if isinstance(self.change, Set) or self.change.value == difference:
            return None
        return abs(self.change.value)


class RevertBalanceChange(Command[Changed], frozen=True, kw_only=True):
    """Write the opposite of a transaction, once."""

    transaction_id: str
    party: Identity | None = None

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for the chain, and the quotas that a redemption gives back."""
        chain = ask_for_chain(needs, state, self.transaction_id)
        if chain is not None:
            ask_for_returned_quotas(needs, chain)

    def decide(self, state: State, context: Context) -> Changes[Changed]:
        """Revert it, or refuse in the contract's order."""
        original = require_transaction(state, self.transaction_id)
        chain = Chain.of(state, original)
        self._refuse_reverted(chain, original)
        if original.operation not in _REVERTIBLE:
            raise Invalid.because(
                "transactionId",
                "only redemptions and changes by hand can be reverted",
                rule_name="transaction_is_revertible",
            )
        inflow = original.target is BalanceType.EXTERNAL
        change = original.amount if inflow else -original.amount
        if chain.pool.available + change < 0:
            raise NotEnoughBalanceToRevert(
                balance=balance_of(chain.pool), requested=original.amount
            )
        return self._revert(state, context, chain, change, outflow=not inflow)

    def _refuse_reverted(self, chain: Chain, original: Transaction) -> None:
        giving_back = chain.giving_back
        if giving_back is not None and original.id == chain.root.id:
            raise ChangeAlreadyReverted(
                original_transaction_id=original.id, reverted_transaction_id=giving_back.id
            )

    def _revert(
        self, state: State, context: Context, chain: Chain, change: Credits, *, outflow: bool
    ) -> Changes[Changed]:
        details = replace(chain.root.details, reason=REVERT_REASON, quota_shares=())
        pool, transaction = post_transaction(
            chain.pool,
            context,
            Posting(
                operation=Operation.REVERT,
                change=change,
                outflow=outflow,
                details=details,
                correlation_id=chain.root.id,
                related_transaction_id=chain.root.id,
                party=self.party,
            ),
        )
        changes = Changes(Changed(pool, transaction))
        freed = chain.quota_shares if chain.is_redemption else ()
        changes.save(pool, transaction, *take_quotas(state, pool, (), freed))
        changes.events.append(happenings.tell_of_balance(context, pool, transaction.id))
        return changes
