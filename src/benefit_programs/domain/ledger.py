"""The one place where a balance changes: a transaction, and the pool right after it.

Invariants I1 to I3 (docs/invariants.md): a balance is the sum of its transactions, is never
negative, and its revision grows by one with each of them.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.command import Context
from benefit_programs.domain.entities import (
    BalanceType,
    Operation,
    Pool,
    Transaction,
    TransactionDetails,
)
from benefit_programs.domain.errors import BalanceExceededLimits
from benefit_programs.domain.explanations import BalanceAmount
from benefit_programs.domain.values import AMOUNT_MAX, Credits, Identity


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be booked. ``change`` below 0 means that credits leave.

    ``outflow`` gives the direction where the change may be 0.
    """

    operation: Operation
    change: Credits
    details: TransactionDetails
    outflow: bool | None = None
    idempotency_key: str | None = None
    correlation_id: str | None = None
    related_transaction_id: str | None = None
    superseded_transaction_id: str | None = None
    party: Identity | None = None
    requested_amount: Credits | None = None

    @property
    def leaves(self) -> bool:
        """Whether credits go from the balance to the outside."""
        return self.change < 0 if self.outflow is None else self.outflow


def post_transaction(pool: Pool, context: Context, posting: Posting) -> tuple[Pool, Transaction]:
    """The pool after a posting, and its transaction.

    The caller has seen to it that the pool can pay; a sum past the largest amount is refused here.
    """
    available = pool.available + posting.change
    assert available >= 0, "I2: a balance is never negative"
    if available > AMOUNT_MAX:
        raise BalanceExceededLimits(
            balance=balance_of(pool), requested=posting.change, upper_limit=AMOUNT_MAX
        )
    transaction_id, party = context.new_id(), posting.party or context.caller
    item = posting.details.item
    transaction = Transaction(
        id=transaction_id,
        pool_id=pool.id,
        created=context.now,
        operation=posting.operation,
        amount=abs(posting.change),
        source=BalanceType.AVAILABLE if posting.leaves else BalanceType.EXTERNAL,
        target=BalanceType.EXTERNAL if posting.leaves else BalanceType.AVAILABLE,
        available_after=available,
        balance_revision=pool.balance_revision + 1,
        snapshot_id=pool.snapshot_id,
        details=posting.details,
        correlation_id=posting.correlation_id or transaction_id,
        idempotency_key=posting.idempotency_key,
        related_transaction_id=posting.related_transaction_id,
        superseded_transaction_id=posting.superseded_transaction_id,
        item_id=item.id if item else None,
        party_type=party.type,
        party_id=party.id,
        requested_amount=posting.requested_amount,
    )
    changed = replace(
        pool,
        available=available,
        balance_revision=pool.balance_revision + 1,
        balance_updated=context.now,
        last_transaction_id=transaction_id,
    )
    return changed, transaction


def balance_of(pool: Pool) -> BalanceAmount:
    """A pool's balance as refusals tell it."""
    return BalanceAmount(available=pool.available, reserved=pool.reserved)
