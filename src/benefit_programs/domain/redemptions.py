"""Redeem, reallocate, cancel: credits for items. Contract: Redeem.

Each is decided in the contract's order of checks, and nothing is built before the last of them.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

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
from benefit_programs.domain.details import Benefit
from benefit_programs.domain.eligibility import (
    Terms,
    Verdicts,
    Wish,
    belongs,
    benefit_missing,
    context_of,
    require_active,
    require_affordable,
    require_allowed,
    shares_of,
)
from benefit_programs.domain.entities import (
    Item,
    Operation,
    Pool,
    Quota,
    QuotaShare,
    Snapshot,
    Transaction,
    TransactionDetails,
    TransactionItem,
)
from benefit_programs.domain.errors import (
    AlreadyExecuted,
    BenefitAlreadyRedeemed,
    PoolNotFound,
    TransactionNotCancelable,
    TransactionNotReallocatable,
)
from benefit_programs.domain.ledger import Posting, post_transaction
from benefit_programs.domain.lookups import (
    ITEM_BY_REFERENCE,
    POOL,
    QUOTA,
    SNAPSHOT,
    TRANSACTION_BY_KEY,
)
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import Identity, Instant, ItemReference

REDEMPTION_REASON = "Redemption"
REALLOCATION_REASON = "Reallocation"
CANCELLATION_REASON = "Cancellation"


def ask_for_item(needs: Needs, reference: ItemReference, item_set_id: str | None) -> None:
    """Ask whether an item set holds an item."""
    needs.read(
        ITEM_BY_REFERENCE,
        reference.external_id,
        reference.provider_app_id,
        reference.category,
        item_set_id,
    )


def find_item(state: State, reference: ItemReference, item_set_id: str | None) -> Item | None:
    """The item of an item set, if it holds it."""
    return state.one(
        ITEM_BY_REFERENCE,
        reference.external_id,
        reference.provider_app_id,
        reference.category,
        item_set_id,
    )


def snapshot_of_pool(state: State, pool: Pool) -> Snapshot:
    """What a pool gives at the moment."""
    snapshot = state.one(SNAPSHOT, pool.snapshot_id)
    assert snapshot is not None
    return snapshot


def quota_used(state: State, pool: Pool, quota_id: str, period_start: Instant) -> int:
    """What a pool has counted on a quota."""
    quota = state.one(QUOTA, pool.id, quota_id, period_start)
    return quota.used if quota else 0


def take_quotas(
    state: State,
    pool: Pool,
    shares: tuple[QuotaShare, ...],
    freed: tuple[QuotaShare, ...] = (),
) -> list[Quota]:
    """The quotas after some shares are taken and others given back, in one step."""
    used: dict[tuple[str, Instant], int] = {}
    for sign, group in ((1, shares), (-1, freed)):
        for share in group:
            place = (share.quota_id, share.period_start)
            used[place] = used.get(place, 0) + sign * share.count
    return [
        Quota(
            pool_id=pool.id,
            quota_id=quota_id,
            period_start=start,
            used=max(quota_used(state, pool, quota_id, start) + difference, 0),
        )
        for (quota_id, start), difference in used.items()
        if difference
    ]


class Redeemed(msgspec.Struct, frozen=True):
    """The transaction of a redemption, reallocation or cancellation, and the pool after it."""

    transaction: Transaction
    pool: Pool


class RedeemBenefit(Command[Redeemed], frozen=True, kw_only=True):
    """Spend price times count credits of one pool on one item."""

    pool_id: str
    namespace: str
    benefit_key: str
    item: ItemReference
    idempotency_key: str
    count: int = 1
    target_date: Instant | None = None
    beneficiary: Identity | None = None
    additional_data: dict[str, Any] | None = None
    verdicts: Verdicts = msgspec.field(default_factory=dict)

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for the pool and the key, then for what the pool's benefit refers to."""
        needs.lock(POOL, self.pool_id)
        needs.read(TRANSACTION_BY_KEY, self.pool_id, Operation.REDEEM, self.idempotency_key)
        pool = state.loaded(POOL, self.pool_id)
        if pool is None:
            return
        needs.read(SNAPSHOT, pool.snapshot_id)
        snapshot = state.loaded(SNAPSHOT, pool.snapshot_id)
        benefit = snapshot.details.benefit(self.benefit_key) if snapshot else None
        if snapshot is None or benefit is None:
            return
        ask_for_item(needs, self.item, benefit.item_set_id)
        wish = self._wish(needs.now)
        time_zone = ZoneInfo(needs.settings.time_zone)
        for share in shares_of(snapshot.details, benefit, wish, time_zone):
            needs.read(QUOTA, pool.id, share.quota_id, share.period_start)

    def decide(self, state: State, context: Context) -> Changes[Redeemed]:
        """Redeem, or refuse in the contract's order."""
        pool = state.one(POOL, self.pool_id)
        if pool is None or not belongs(
            pool, namespace=self.namespace, beneficiary=self.beneficiary
        ):
            raise PoolNotFound(pool_id=self.pool_id)
        snapshot = snapshot_of_pool(state, pool)
        self._refuse_replay(state, pool, snapshot)
        benefit = snapshot.details.benefit(self.benefit_key)
        require_active(pool, snapshot, benefit)
        item = find_item(state, self.item, benefit.item_set_id) if benefit else None
        if benefit is None or item is None:
            raise benefit_missing(pool, snapshot, self.benefit_key)
        wish = self._wish(context.now)
        shares = require_allowed(
            pool,
            snapshot,
            benefit,
            wish,
            Terms(context.settings, self.verdicts),
            lambda quota_id, start: quota_used(state, pool, quota_id, start),
        )
        cost = require_affordable(pool, snapshot, benefit, wish)
        return self._redeem(state, context, pool, benefit, item, cost, shares)

    def _wish(self, now: Instant) -> Wish:
        return Wish(item=self.item, count=self.count, at=self.target_date or now)

    def _refuse_replay(self, state: State, pool: Pool, snapshot: Snapshot) -> None:
        first = state.one(TRANSACTION_BY_KEY, pool.id, Operation.REDEEM, self.idempotency_key)
        if first is not None:
            raise BenefitAlreadyRedeemed(
                pool_id=pool.id,
                idempotency_key=self.idempotency_key,
                transaction_id=first.id,
                context=context_of(pool, snapshot, snapshot.details.benefit(self.benefit_key)),
            )

    def _redeem(
        self,
        state: State,
        context: Context,
        pool: Pool,
        benefit: Benefit,
        item: Item,
        cost: int,
        shares: tuple[QuotaShare, ...],
    ) -> Changes[Redeemed]:
        effective = self.target_date or context.now
        changed, transaction = post_transaction(
            pool,
            context,
            Posting(
                operation=Operation.REDEEM,
                change=-cost,
                outflow=True,
                details=TransactionDetails(
                    reason=REDEMPTION_REASON,
                    item=_item_as_it_is(item),
                    item_count=self.count,
                    benefit_key=benefit.benefit_key,
                    effective_date=effective,
                    quota_shares=shares,
                ),
                idempotency_key=self.idempotency_key,
            ),
        )
        changed = replace(changed, sequence=pool.sequence + 1)
        changes = Changes(Redeemed(transaction, changed))
        changes.save(changed, transaction, *take_quotas(state, pool, shares))
        more = {"additional_data": self.additional_data} if self.additional_data else {}
        changes.events.append(
            happenings.tell_of_pool(
                context, changed, "benefit_redeemed", transaction_id=transaction.id, **more
            )
        )
        return changes


def _item_as_it_is(item: Item) -> TransactionItem:
    return TransactionItem(
        id=item.id,
        external_id=item.external_id,
        provider_app_id=item.provider_app_id,
        item_set_id=item.item_set_id,
        category=item.category,
        display_name=item.display_name,
    )


class ReallocateBenefit(Command[Redeemed], frozen=True, kw_only=True):
    """Move a redemption to another date; it costs nothing."""

    transaction_id: str
    target_date: Instant
    idempotency_key: str
    namespace: str
    beneficiary: Identity
    verdicts: Verdicts = msgspec.field(default_factory=dict)

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for the chain, then for what its pool's benefit refers to now."""
        chain = ask_for_chain(
            needs, state, self.transaction_id, Operation.REALLOCATE, self.idempotency_key
        )
        if chain is None:
            return
        needs.read(SNAPSHOT, chain.pool.snapshot_id)
        snapshot = state.loaded(SNAPSHOT, chain.pool.snapshot_id)
        benefit = snapshot.details.benefit(chain.benefit_key) if snapshot else None
        shares = chain.quota_shares
        if snapshot and benefit and chain.is_redemption:
            time_zone = ZoneInfo(needs.settings.time_zone)
            shares += shares_of(snapshot.details, benefit, self._wish(chain), time_zone)
        for share in shares:
            needs.read(QUOTA, chain.pool.id, share.quota_id, share.period_start)

    def decide(self, state: State, context: Context) -> Changes[Redeemed]:
        """Move it, or refuse in the contract's order."""
        transaction = require_transaction(state, self.transaction_id)
        chain = Chain.of(state, transaction)
        refuse_executed(state, chain, Operation.REALLOCATE, self.idempotency_key)
        if not chain.holds_redemption(transaction):
            raise TransactionNotReallocatable
        chain.require_open()
        chain.require_latest(transaction)
        pool = chain.pool
        if not belongs(pool, namespace=self.namespace, beneficiary=self.beneficiary):
            raise PoolNotFound(pool_id=pool.id)
        snapshot = snapshot_of_pool(state, pool)
        benefit = snapshot.details.benefit(chain.benefit_key)
        if benefit is None:
            raise TransactionNotReallocatable
        require_active(pool, snapshot, benefit)
        shares = require_allowed(
            pool,
            snapshot,
            benefit,
            self._wish(chain),
            Terms(context.settings, self.verdicts),
            lambda quota_id, start: quota_used(state, pool, quota_id, start),
            chain.quota_shares,
        )
        return self._reallocate(state, context, chain, shares)

    def _wish(self, chain: Chain) -> Wish:
        return Wish(
            item=chain.item_reference, count=chain.item_count, at=self.target_date, free=True
        )

    def _reallocate(
        self, state: State, context: Context, chain: Chain, shares: tuple[QuotaShare, ...]
    ) -> Changes[Redeemed]:
        latest = chain.latest
        pool, transaction = post_transaction(
            chain.pool,
            context,
            Posting(
                operation=Operation.REALLOCATE,
                change=0,
                outflow=True,
                details=replace(
                    latest.details,
                    reason=REALLOCATION_REASON,
                    effective_date=self.target_date,
                    quota_shares=shares,
                ),
                idempotency_key=self.idempotency_key,
                correlation_id=latest.correlation_id,
                superseded_transaction_id=latest.id,
            ),
        )
        return _settle(
            state, context, pool, transaction, "benefit_reallocated", shares, chain.quota_shares
        )


class CancelRedemption(Command[Redeemed], frozen=True, kw_only=True):
    """Take a redemption back: its credits return, its chain ends."""

    transaction_id: str
    idempotency_key: str

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for the chain, and the quotas that it gives back."""
        chain = ask_for_chain(
            needs, state, self.transaction_id, Operation.CANCEL, self.idempotency_key
        )
        if chain is not None:
            ask_for_returned_quotas(needs, chain)

    def decide(self, state: State, context: Context) -> Changes[Redeemed]:
        """Cancel it, or refuse in the contract's order."""
        transaction = require_transaction(state, self.transaction_id)
        chain = Chain.of(state, transaction)
        refuse_executed(state, chain, Operation.CANCEL, self.idempotency_key)
        if not chain.holds_redemption(transaction):
            raise TransactionNotCancelable
        chain.require_open()
        chain.require_latest(transaction)
        pool, canceling = post_transaction(
            chain.pool,
            context,
            Posting(
                operation=Operation.CANCEL,
                change=chain.root.amount,
                outflow=False,
                details=replace(chain.latest.details, reason=CANCELLATION_REASON, quota_shares=()),
                idempotency_key=self.idempotency_key,
                correlation_id=chain.root.id,
                related_transaction_id=chain.root.id,
            ),
        )
        return _settle(
            state, context, pool, canceling, "redemption_canceled", (), chain.quota_shares
        )


def _settle(
    state: State,
    context: Context,
    pool: Pool,
    transaction: Transaction,
    slug: str,
    shares: tuple[QuotaShare, ...],
    freed: tuple[QuotaShare, ...],
) -> Changes[Redeemed]:
    """Write a further transaction of a redemption, with its quotas and its event."""
    pool = replace(pool, sequence=pool.sequence + 1)
    changes = Changes(Redeemed(transaction, pool))
    changes.save(pool, transaction, *take_quotas(state, pool, shares, freed))
    changes.events.append(
        happenings.tell_of_pool(context, pool, slug, transaction_id=transaction.id)
    )
    return changes


def refuse_executed(state: State, chain: Chain, operation: Operation, key: str) -> None:
    """Refuse a key that this operation was done with before."""
    first = state.one(TRANSACTION_BY_KEY, chain.pool.id, operation, key)
    if first is not None:
        raise AlreadyExecuted(idempotency_key=key, transaction_id=first.id)
