"""Redeem, reallocate, cancel: credits for items. Contract: Redeem.

Each is decided in the contract's order of checks, and nothing is built before the last of them.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.account import Account, ask_for_account
from benefit_programs.domain.chains import Chain, ask_for_chain
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.eligibility import (
    Candidate,
    RequestedItem,
    Verdicts,
    approve,
    ask_for_candidates,
    context_of,
    may_ask_providers,
    require_candidate,
    require_pool,
)
from benefit_programs.domain.entities import (
    Item,
    Operation,
    Pool,
    QuotaShare,
    Transaction,
    TransactionDetails,
    TransactionItem,
)
from benefit_programs.domain.errors import (
    AlreadyExecuted,
    BenefitAlreadyRedeemed,
    TransactionNotCancelable,
    TransactionNotReallocatable,
)
from benefit_programs.domain.lookups import POOL, TRANSACTION, TRANSACTION_BY_KEY
from benefit_programs.domain.operations import RULES
from benefit_programs.domain.quotas import ask_for_quotas, take_quotas
from benefit_programs.domain.repeats import is_same_request, request_hash
from benefit_programs.domain.required import require, snapshot_of
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import Identity, Instant, ItemReference

# Looked up once: an enum takes its time to find a member.
REDEEM, REALLOCATE, CANCEL = Operation.REDEEM, Operation.REALLOCATE, Operation.CANCEL

REDEMPTION_REASON = RULES[REDEEM].reason
REALLOCATION_REASON = RULES[REALLOCATE].reason


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
        """Ask for the account and the key, then for what the pool's benefit refers to."""
        pool = ask_for_account(needs, state, self.pool_id)
        needs.read(TRANSACTION_BY_KEY, self.pool_id, REDEEM, self.idempotency_key)
        if pool is not None:
            ask_for_candidates(needs, state, pool, self.benefit_key, self._requested(needs.now))

    def may_ask_providers(self, state: State) -> bool:
        return may_ask_providers(state, state.loaded(POOL, self.pool_id), self.benefit_key)

    def candidate(self, state: State, now: Instant) -> Candidate:
        pool = require_pool(
            state, self.pool_id, namespace=self.namespace, beneficiary=self.beneficiary
        )
        self._refuse_replay(state, pool)
        return require_candidate(
            state,
            pool,
            self.benefit_key,
            self._requested(now),
            additional_data=self.additional_data,
        )

    def decide(self, state: State, context: Context) -> Changes[Redeemed]:
        candidate = self.candidate(state, context.now)
        cost, shares = approve(state, candidate, context.settings, self.verdicts)
        account = Account(candidate.pool, context)
        assert candidate.item is not None
        transaction = account.spend(
            REDEEM,
            cost,
            details=TransactionDetails(
                reason=REDEMPTION_REASON,
                item=_item_as_it_is(candidate.item),
                item_count=self.count,
                benefit_key=self.benefit_key,
                effective_date=candidate.requested.at,
                quota_shares=shares,
            ),
            idempotency_key=self.idempotency_key,
            request_hash=self._hash(),
        )
        more = {"additional_data": self.additional_data} if self.additional_data else {}
        return _saved(state, account, transaction, shares, (), **more)

    def _hash(self) -> int:
        item = self.item
        return request_hash(
            self.benefit_key,
            *(item.external_id, item.provider_app_id, item.category),
            *(self.count, self.target_date, self.additional_data or None),
        )

    def _requested(self, now: Instant) -> RequestedItem:
        return RequestedItem(reference=self.item, count=self.count, at=self.target_date or now)

    def _refuse_replay(self, state: State, pool: Pool) -> None:
        first = state.one(TRANSACTION_BY_KEY, pool.id, REDEEM, self.idempotency_key)
        if first is not None:
            snapshot = snapshot_of(state, pool)
            raise BenefitAlreadyRedeemed(
                pool_id=pool.id,
                idempotency_key=self.idempotency_key,
                transaction_id=first.id,
                same_request=is_same_request(first, self._hash()),
                context=context_of(pool, snapshot, snapshot.details.benefit(self.benefit_key)),
            )


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
        chain = ask_for_chain(needs, state, self.transaction_id, REALLOCATE, self.idempotency_key)
        if chain is not None and chain.is_redemption:
            ask_for_quotas(needs, chain.pool.id, chain.quota_shares)
            requested = self._requested(chain)
            ask_for_candidates(needs, state, chain.pool, chain.benefit_key, requested)

    def may_ask_providers(self, state: State) -> bool:
        transaction = state.loaded(TRANSACTION, self.transaction_id)
        if transaction is None:
            return True
        pool = state.loaded(POOL, transaction.pool_id)
        return may_ask_providers(state, pool, transaction.details.benefit_key or "")

    def candidate(self, state: State, now: Instant) -> Candidate:
        transaction = require(state, TRANSACTION, self.transaction_id)
        chain = Chain.of(state, transaction)
        refuse_executed(state, chain, REALLOCATE, self.idempotency_key, self._hash())
        if not chain.holds_redemption(transaction):
            raise TransactionNotReallocatable
        chain.require_open()
        chain.require_latest(transaction)
        pool = require_pool(
            state, chain.pool.id, namespace=self.namespace, beneficiary=self.beneficiary
        )
        if snapshot_of(state, pool).details.benefit(chain.benefit_key) is None:
            raise TransactionNotReallocatable
        return require_candidate(
            state, pool, chain.benefit_key, self._requested(chain), freed=chain.quota_shares
        )

    def decide(self, state: State, context: Context) -> Changes[Redeemed]:
        candidate = self.candidate(state, context.now)
        _, shares = approve(state, candidate, context.settings, self.verdicts)
        latest = Chain.of(state, require(state, TRANSACTION, self.transaction_id)).latest
        account = Account(candidate.pool, context)
        transaction = account.spend(
            REALLOCATE,
            0,
            details=replace(
                latest.details,
                reason=REALLOCATION_REASON,
                effective_date=self.target_date,
                quota_shares=shares,
            ),
            idempotency_key=self.idempotency_key,
            request_hash=self._hash(),
            correlation_id=latest.correlation_id,
            superseded_transaction_id=latest.id,
        )
        return _saved(state, account, transaction, shares, candidate.freed)

    def _hash(self) -> int:
        return request_hash(self.transaction_id, self.target_date)

    def _requested(self, chain: Chain) -> RequestedItem:
        return RequestedItem(
            reference=chain.item_reference,
            count=chain.item_count,
            at=self.target_date,
            is_free=True,
            is_held=True,
        )


class CancelRedemption(Command[Redeemed], frozen=True, kw_only=True):
    """Take a redemption back: its credits return, its chain ends."""

    transaction_id: str
    idempotency_key: str

    def ask(self, needs: Needs, state: State) -> None:
        chain = ask_for_chain(needs, state, self.transaction_id, CANCEL, self.idempotency_key)
        if chain is not None:
            ask_for_quotas(needs, chain.pool.id, chain.quota_shares)

    def decide(self, state: State, context: Context) -> Changes[Redeemed]:
        transaction = require(state, TRANSACTION, self.transaction_id)
        chain = Chain.of(state, transaction)
        hash_ = request_hash(self.transaction_id)
        refuse_executed(state, chain, CANCEL, self.idempotency_key, hash_)
        if not chain.holds_redemption(transaction):
            raise TransactionNotCancelable
        chain.require_open()
        chain.require_latest(transaction)
        account = Account(chain.pool, context)
        canceling = account.give_back(
            CANCEL,
            chain.root,
            transaction.details,
            idempotency_key=self.idempotency_key,
            request_hash=hash_,
        )
        return _saved(state, account, canceling, (), chain.quota_shares)


def _saved(
    state: State,
    account: Account,
    transaction: Transaction,
    shares: tuple[QuotaShare, ...],
    freed: tuple[QuotaShare, ...],
    **more: Any,
) -> Changes[Redeemed]:
    changes: Changes[Any] = Changes(None)
    pool = account.save(changes, **more)
    changes.save(*take_quotas(state, pool.id, shares, freed))
    changes.answer = Redeemed(transaction, pool)
    return changes


def refuse_executed(state: State, chain: Chain, operation: Operation, key: str, hash_: int) -> None:
    first = state.one(TRANSACTION_BY_KEY, chain.pool.id, operation, key)
    if first is not None:
        same = is_same_request(first, hash_)
        raise AlreadyExecuted(idempotency_key=key, transaction_id=first.id, same_request=same)
