"""How a pool starts a new cycle. Contract: Renew."""

from __future__ import annotations

from msgspec.structs import replace

from benefit_programs.domain.command import Context
from benefit_programs.domain.details import CreditConfiguration
from benefit_programs.domain.entities import (
    Operation,
    Pool,
    PoolStatus,
    RenewalActionType,
    Transaction,
    TransactionDetails,
)
from benefit_programs.domain.ledger import Posting, post_transaction
from benefit_programs.domain.lookups import SNAPSHOT
from benefit_programs.domain.pool_changes import with_status, without_action
from benefit_programs.domain.state import Needs, State
from benefit_programs.domain.values import AMOUNT_MAX, Credits

EXPIRY_REASON = "Expiry"
RENEWAL_REASON = "Renewal"


def ask_for_renewal(needs: Needs, pool: Pool) -> None:
    """Ask for what a pool may be renewed with: what it gives, and what waits for its renewal."""
    needs.read(SNAPSHOT, pool.snapshot_id)
    if pool.renewal_snapshot_id is not None:
        needs.read(SNAPSHOT, pool.renewal_snapshot_id)


def renew_pool(state: State, context: Context, pool: Pool) -> tuple[Pool, list[Transaction]]:
    """The pool in its next cycle, or ended if that was pending, and the transactions of it."""
    pool = take_pending_action(pool)
    if pool.status is PoolStatus.ENDED:
        return pool, []
    snapshot = state.one(SNAPSHOT, pool.snapshot_id)
    assert snapshot is not None
    transactions: list[Transaction] = []
    configuration = snapshot.details.credit_configuration
    if configuration is not None:
        lapsed = pool.available - kept_credits(pool.available, configuration)
        for operation, change, reason in (
            (Operation.EXPIRY, -lapsed, EXPIRY_REASON),
            (Operation.RENEWAL, configuration.amount or 0, RENEWAL_REASON),
        ):
            if change:
                posting = Posting(
                    operation=operation, change=change, details=TransactionDetails(reason=reason)
                )
                pool, transaction = post_transaction(pool, context, posting)
                transactions.append(transaction)
    return replace(pool, renewal_count=pool.renewal_count + 1), transactions


def take_pending_action(pool: Pool) -> Pool:
    """The pool after what was pending for its renewal."""
    if pool.renewal_action is RenewalActionType.END:
        return with_status(pool, PoolStatus.ENDED)
    if pool.renewal_action is RenewalActionType.UPDATE:
        assert pool.renewal_snapshot_id is not None
        assert pool.renewal_revision is not None
        return replace(
            without_action(pool),
            snapshot_id=pool.renewal_snapshot_id,
            pool_definition_revision=pool.renewal_revision,
        )
    return pool


def kept_credits(available: Credits, configuration: CreditConfiguration) -> Credits:
    """How much of a balance rolls over; never so much that the new amount no longer fits.

    What would take the balance past the largest amount lapses: a renewal is never refused for it.
    """
    rollover = configuration.rollover_configuration
    if rollover is None or not rollover.enabled:
        return 0
    kept = min(max(available, 0), AMOUNT_MAX - (configuration.amount or 0))
    return kept if rollover.balance_cap is None else min(kept, rollover.balance_cap)
