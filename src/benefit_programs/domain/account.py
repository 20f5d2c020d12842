"""The account of a pool: the one place where a balance changes.

It spends, grants and gives back, by the rules of ``operations``. Each of these is a transaction
with a source and a target, and the pool right after it. Invariants I1 to I3 (docs/invariants.md):
a balance is the sum of its transactions, is never negative, and its revision grows by one with
each of them.
"""

from __future__ import annotations

from typing import Any, TypedDict, Unpack

from msgspec.structs import replace

from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import (
    BalanceType,
    Operation,
    Pool,
    Transaction,
    TransactionDetails,
)
from benefit_programs.domain.errors import BalanceExceededLimits
from benefit_programs.domain.events import record, record_balance
from benefit_programs.domain.explanations import BalanceAmount
from benefit_programs.domain.lookups import POOL
from benefit_programs.domain.operations import RULES
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import AMOUNT_MAX, Credits, Identity

# Looked up once: an enum takes its time to find a member.
_AVAILABLE, _EXTERNAL = BalanceType.AVAILABLE, BalanceType.EXTERNAL


def ask_for_account(needs: Needs, state: State, pool_id: str) -> Pool | None:
    needs.lock(POOL, pool_id)
    return state.loaded(POOL, pool_id)


def balance_of(pool: Pool) -> BalanceAmount:
    return BalanceAmount(available=pool.available, reserved=pool.reserved)


class More(TypedDict, total=False):
    """What a transaction may say besides its operation and its amount."""

    details: TransactionDetails
    idempotency_key: str | None
    correlation_id: str
    related_transaction_id: str
    superseded_transaction_id: str
    requested_amount: Credits | None
    request_hash: int | None


class Account:
    """A pool's credits in one decision.

    ``pool`` is the pool as it is now, after the ``transactions`` made so far. ``party`` gave the
    instruction; without one it was the caller.
    """

    __slots__ = ("_party", "context", "pool", "transactions")

    def __init__(self, pool: Pool, context: Context, party: Identity | None = None) -> None:
        self.pool = pool
        self.transactions: list[Transaction] = []
        self.context = context
        self._party = party or context.caller

    def spend(self, operation: Operation, amount: Credits, **more: Unpack[More]) -> Transaction:
        """Take credits out. The caller has checked that the balance has them."""
        return self._post(operation, _AVAILABLE, _EXTERNAL, amount, more)

    def grant(self, operation: Operation, amount: Credits, **more: Unpack[More]) -> Transaction:
        """Put credits in. Raises BalanceExceededLimits past the largest amount."""
        return self._post(operation, _EXTERNAL, _AVAILABLE, amount, more)

    def give_back(
        self,
        operation: Operation,
        root: Transaction,
        details: TransactionDetails,
        *,
        idempotency_key: str | None = None,
        request_hash: int | None = None,
    ) -> Transaction:
        """Post the opposite of the first transaction of a chain, which ends the chain.

        ``details`` are those of the transaction that is canceled or reverted.
        """
        more = More(
            details=replace(details, reason=RULES[operation].reason, quota_shares=()),
            correlation_id=root.id,
            related_transaction_id=root.id,
            idempotency_key=idempotency_key,
            request_hash=request_hash,
        )
        return self._post(operation, root.target, root.source, root.amount, more)

    def save(self, changes: Changes[Any], **more: Any) -> Pool:
        """Save the pool and its transactions with their events, the pool's own or the balance's.

        ``more`` stands in the body of the pool's event.
        """
        event = RULES[self.transactions[-1].operation].event
        if event is None:
            changes.save(self.pool)
            for each in self.transactions:
                record_balance(changes, self.context, each)
            return self.pool
        (transaction,) = self.transactions
        changes.save(transaction)
        return record(
            changes, self.context, self.pool, event, transaction_id=transaction.id, **more
        )

    def _post(
        self,
        operation: Operation,
        source: BalanceType,
        target: BalanceType,
        amount: Credits,
        more: More,
    ) -> Transaction:
        pool, context, rule = self.pool, self.context, RULES[operation]
        assert rule.allows(source, target, amount), "I9: a transaction says what its operation does"
        change = amount if target is _AVAILABLE else -amount
        available = pool.available + change
        assert available >= 0, "I2: a balance is never negative"
        if available > AMOUNT_MAX:
            raise BalanceExceededLimits(
                balance=balance_of(pool), requested=change, upper_limit=AMOUNT_MAX
            )
        transaction_id = context.new_id()
        if "details" not in more:
            more["details"] = TransactionDetails(reason=rule.reason)
        item = more["details"].item
        more.setdefault("correlation_id", transaction_id)
        revision = pool.balance_revision if rule.opens else pool.balance_revision + 1
        transaction = Transaction(
            id=transaction_id,
            pool_id=pool.id,
            created=context.now,
            operation=operation,
            amount=amount,
            source=source,
            target=target,
            available_after=available,
            balance_revision=revision,
            snapshot_id=pool.snapshot_id,
            item_id=item.id if item else None,
            party_type=self._party.type,
            party_id=self._party.id,
            **more,
        )
        self.transactions.append(transaction)
        self.pool = replace(
            pool,
            available=available,
            balance_revision=revision,
            balance_updated=context.now,
            last_transaction_id=transaction_id,
        )
        return transaction
