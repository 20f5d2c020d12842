"""Redeem, reallocate, cancel: credits for items. Contract: Redeem.

Each is decided in the contract's order of checks, and nothing is built before the last of them.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Unpack

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.account import Account, More
from benefit_programs.domain.cancellation import percent_back
from benefit_programs.domain.chains import Chain, ask_for_chain
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.due import require_settled
from benefit_programs.domain.eligibility import (
    Candidate,
    Moment,
    RequestedItem,
    Verdicts,
    approve,
    ask_for_candidates,
    ask_to_pay,
    context_of,
    guess_item,
    may_ask_providers,
    require_candidate,
    require_pool,
)
from benefit_programs.domain.entities import (
    IdempotencyKey,
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
    Invalid,
    Refusal,
    TransactionNotCancelable,
    TransactionNotReallocatable,
)
from benefit_programs.domain.lookups import (
    IDEMPOTENCY_KEY,
    POOL,
    SNAPSHOT,
    TRANSACTION,
    TRANSACTION_BY_KEY,
)
from benefit_programs.domain.lots import last_of
from benefit_programs.domain.operations import RULES
from benefit_programs.domain.quotas import ask_for_quotas, of_count
from benefit_programs.domain.repeats import is_same_request, request_hash
from benefit_programs.domain.required import require, snapshot_of
from benefit_programs.domain.settling import ask_for_account, give_back, open_account
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import (
    PERCENT_MAX,
    Credits,
    Identity,
    Instant,
    ItemReference,
)

# Looked up once: an enum takes its time to find a member.
REDEEM, REALLOCATE, CANCEL = Operation.REDEEM, Operation.REALLOCATE, Operation.CANCEL
CANCEL_PART = Operation.CANCEL_PART

REALLOCATION_REASON = RULES[REALLOCATE].reason


class Redeemed(msgspec.Struct, frozen=True):
    """The transaction of a redemption or reallocation, and the pool after it."""

    transaction: Transaction
    pool: Pool


class Canceled(msgspec.Struct, frozen=True, kw_only=True):
    """How many items of a redemption are canceled in all, and what this call did about it.

    Without a ``transaction`` it did nothing: as many were canceled before.
    """

    transaction: Transaction | None
    total_count: int
    returned: Credits = 0
    forfeited: Credits = 0


class RequestBenefit(Command[Redeemed], frozen=True, kw_only=True):
    """Ask price times count credits of one pool for one item: to spend them, or to hold them."""

    about = Transaction

    operation: ClassVar[Operation]

    pool_id: str
    namespace: str
    benefit_key: str
    item: ItemReference
    idempotency_key: str
    count: int = 1
    target_date: Instant | None = None
    beneficiary: Identity | None = None
    additional_data: dict[str, Any] | None = None
    external_reference: str | None = None
    verdicts: Verdicts = msgspec.field(default_factory=dict)

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for the account and the key, then for what the pool's benefit refers to."""
        pool = ask_for_account(needs, state, self.pool_id)
        needs.read(TRANSACTION_BY_KEY, self.pool_id, self.operation, self.idempotency_key)
        if pool is not None:
            requested = self._requested(needs.now)
            ask_for_candidates(needs, state, pool, self.benefit_key, requested)
            ask_to_pay(needs, state, pool, self.benefit_key, requested)
        else:
            guess_item(needs, self.item)

    def may_ask_providers(self, state: State) -> bool:
        return may_ask_providers(state, state.loaded(POOL, self.pool_id), self.benefit_key)

    def candidate(self, state: State, moment: Moment) -> Candidate:
        pool = require_pool(
            state, moment, self.pool_id, namespace=self.namespace, beneficiary=self.beneficiary
        )
        first = state.one(TRANSACTION_BY_KEY, pool.id, self.operation, self.idempotency_key)
        if first is not None:
            raise self._replayed(state, pool, first)
        return require_candidate(
            state,
            pool,
            self.benefit_key,
            self._requested(moment.now),
            additional_data=self.additional_data,
        )

    def decide(self, state: State, context: Context) -> Changes[Redeemed]:
        stored = state.one(POOL, self.pool_id)
        if stored is not None and stored.program_due is not None:
            require_settled((stored,), context)
        candidate = self.candidate(state, Moment(context.now, context.settings))
        assert stored is not None, "a pool that isn't there has no candidate"
        account = open_account(state, context, stored)
        candidate = candidate.paid_by(account)
        cost, shares = approve(state, candidate, context.settings, self.verdicts)
        account.taken += shares
        transaction = self._post(
            account,
            candidate,
            cost,
            details=details_of(candidate, shares, self.operation),
            idempotency_key=self.idempotency_key,
            request_hash=request_hash(*self._meaning()),
            external_reference=self.external_reference,
        )
        more = {"additional_data": self.additional_data} if self.additional_data else {}
        return _saved(account, transaction, **more)

    @abstractmethod
    def _post(
        self, account: Account, candidate: Candidate, cost: Credits, **more: Unpack[More]
    ) -> Transaction:
        """Make the transaction; nothing was changed before."""

    @abstractmethod
    def _replayed(self, state: State, pool: Pool, first: Transaction) -> Refusal:
        """The refusal of a key that was used before."""

    def _meaning(self) -> tuple[Any, ...]:
        """What the caller chose, as plain values."""
        item = self.item
        return (
            self.benefit_key,
            *(item.external_id, item.provider_app_id, item.category),
            *(self.count, self.target_date, self.additional_data or None),
            *((self.external_reference,) if self.external_reference else ()),
        )

    def _requested(self, now: Instant) -> RequestedItem:
        return RequestedItem(reference=self.item, count=self.count, at=self.target_date or now)


class RedeemBenefit(RequestBenefit, frozen=True, kw_only=True):
    """Spend price times count credits of one pool on one item."""

    operation: ClassVar[Operation] = REDEEM

    def _post(
        self, account: Account, candidate: Candidate, cost: Credits, **more: Unpack[More]
    ) -> Transaction:
        return account.spend(REDEEM, cost, lots=candidate.lots, **more)

    def _replayed(self, state: State, pool: Pool, first: Transaction) -> Refusal:
        snapshot = snapshot_of(state, pool)
        return BenefitAlreadyRedeemed(
            pool_id=pool.id,
            idempotency_key=self.idempotency_key,
            transaction_id=first.id,
            same_request=is_same_request(first, request_hash(*self._meaning())),
            context=context_of(pool, snapshot, snapshot.details.benefit(self.benefit_key)),
        )


def spend_on(
    account: Account,
    candidate: Candidate,
    cost: Credits,
    shares: tuple[QuotaShare, ...],
    *,
    moved_from: str | None = None,
    **more: Unpack[More],
) -> Transaction:
    """Redeem a candidate that was approved at a cost, with its shares of rate limits."""
    account.taken += shares
    details = details_of(candidate, shares, REDEEM)
    if moved_from is not None:
        details = replace(details, moved_from=moved_from)
    more["details"] = details
    return account.spend(REDEEM, cost, lots=candidate.lots, **more)


def details_of(
    candidate: Candidate, shares: tuple[QuotaShare, ...], operation: Operation
) -> TransactionDetails:
    """What the transaction of a candidate keeps of what was asked for."""
    assert candidate.item is not None
    return TransactionDetails(
        reason=RULES[operation].reason,
        item=_item_as_it_is(candidate.item),
        item_count=candidate.requested.count,
        benefit_key=candidate.benefit.benefit_key,
        effective_date=candidate.requested.at,
        quota_shares=shares,
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

    about = Transaction

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

    def candidate(self, state: State, moment: Moment) -> Candidate:
        transaction = require(state, TRANSACTION, self.transaction_id)
        chain = Chain.of(state, transaction)
        refuse_executed(state, chain, REALLOCATE, self.idempotency_key, self._hash())
        if not chain.holds_redemption(transaction):
            raise TransactionNotReallocatable
        chain.require_open()
        chain.require_latest(transaction)
        pool = require_pool(
            state,
            moment,
            chain.pool.id,
            namespace=self.namespace,
            beneficiary=self.beneficiary,
        )
        if snapshot_of(state, pool).details.benefit(chain.benefit_key) is None:
            raise TransactionNotReallocatable
        return require_candidate(
            state, pool, chain.benefit_key, self._requested(chain), freed=chain.quota_shares
        )

    def decide(self, state: State, context: Context) -> Changes[Redeemed]:
        redemption = require(state, TRANSACTION, self.transaction_id)
        require_settled((state.one(POOL, redemption.pool_id),), context)
        candidate = self.candidate(state, Moment(context.now, context.settings))
        account = open_account(state, context, require(state, POOL, candidate.pool.id))
        candidate = candidate.paid_by(account)
        _, shares = approve(state, candidate, context.settings, self.verdicts)
        chain = Chain.of(state, require(state, TRANSACTION, self.transaction_id))
        latest = chain.latest
        transaction = account.spend(
            REALLOCATE,
            0,
            details=replace(
                latest.details,
                reason=REALLOCATION_REASON,
                effective_date=self.target_date,
                item_count=candidate.requested.count,
                quota_shares=shares,
                due=None,
                moved_from=None,
            ),
            idempotency_key=self.idempotency_key,
            request_hash=self._hash(),
            correlation_id=latest.correlation_id,
            superseded_transaction_id=latest.id,
        )
        account.taken += shares
        account.freed += chain.quota_shares
        return _saved(account, transaction)

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


class CancelRedemption(Command[Canceled], frozen=True, kw_only=True):
    """Take a redemption back, or some of its items: their credits return.

    ``total_count`` is how many of its items are canceled after this, in all; without it, all. What
    the benefit's cancellation terms leave of the credits returns, or all by ``override``.
    """

    about = Transaction

    transaction_id: str
    idempotency_key: str
    total_count: int | None = None
    override: bool = False

    def ask(self, needs: Needs, state: State) -> None:
        chain = ask_for_chain(needs, state, self.transaction_id, CANCEL, self.idempotency_key)
        if chain is not None:
            ask_to_cancel(needs, chain, self.idempotency_key)

    def decide(self, state: State, context: Context) -> Changes[Canceled]:
        transaction = require(state, TRANSACTION, self.transaction_id)
        chain = Chain.of(state, transaction)
        refuse_canceled(state, chain, self.idempotency_key, self._hash())
        if not chain.holds_redemption(transaction):
            raise TransactionNotCancelable
        if self.total_count is None or not chain.is_canceled:
            chain.require_open()
        chain.require_latest(transaction)
        total = self._total(chain)
        if total <= chain.canceled_count:
            return self._unchanged(chain, context)
        account = open_account(state, context, chain.pool)
        changes = Changes(
            cancel_items(
                state,
                account,
                chain,
                total,
                in_full=self.override,
                idempotency_key=self.idempotency_key,
                request_hash=self._hash(),
            )
        )
        account.save(changes)
        return changes

    def _total(self, chain: Chain) -> int:
        total = self.total_count
        if total is None:
            return chain.redeemed_count
        if total > chain.redeemed_count:
            raise Invalid.because(
                "totalCount",
                f"must be at most the {chain.redeemed_count} items of the redemption",
                rule_name="total_count_of_items",
            )
        return total

    def _unchanged(self, chain: Chain, context: Context) -> Changes[Canceled]:
        """The answer where as many items were canceled before; it uses up its key."""
        changes = Changes(Canceled(transaction=None, total_count=chain.canceled_count))
        changes.save(
            IdempotencyKey(
                subject_id=chain.pool.id,
                operation=CANCEL,
                idempotency_key=self.idempotency_key,
                created=context.now,
                request_hash=self._hash(),
            )
        )
        return changes

    def _hash(self) -> int:
        parts: tuple[Any, ...] = (self.transaction_id,)
        if self.total_count is not None or self.override:
            parts += (self.total_count, self.override)
        return request_hash(*parts)


def ask_to_cancel(needs: Needs, chain: Chain, key: str | None = None) -> None:
    """Ask for what the cancellation of a redemption reads beside its chain, and for its key."""
    ask_for_quotas(needs, chain.pool.id, chain.quota_shares)
    needs.read(SNAPSHOT, chain.root.snapshot_id)
    if key is not None:
        needs.read(TRANSACTION_BY_KEY, chain.pool.id, CANCEL, key)
        needs.read(TRANSACTION_BY_KEY, chain.pool.id, CANCEL_PART, key)
        needs.read(IDEMPOTENCY_KEY, chain.pool.id, CANCEL, key)


def refuse_canceled(state: State, chain: Chain, key: str, hash_: int) -> None:
    """Refuse a key that has canceled in this pool, or tried to where nothing was left."""
    for operation in (CANCEL, CANCEL_PART):
        refuse_executed(state, chain, operation, key, hash_)
    used = state.one(IDEMPOTENCY_KEY, chain.pool.id, CANCEL, key)
    if used is not None:
        raise AlreadyExecuted(idempotency_key=key, same_request=is_same_request(used, hash_))


def cancel_items(
    state: State,
    account: Account,
    chain: Chain,
    total: int,
    *,
    in_full: bool = False,
    moved_to: str | None = None,
    **more: Unpack[More],
) -> Canceled:
    """Cancel items of a redemption, until it is so many in all: one more at the least.

    What the cancellation terms leave of their credits returns, or everything ``in_full``.
    """
    count = total - chain.canceled_count
    credits_ = chain.price * count
    returned = credits_ if in_full else _returned(state, account.context, chain, credits_)
    is_whole = total == chain.redeemed_count
    shares = of_count(chain.quota_shares, count)
    account.freed += shares
    more["details"] = replace(
        chain.latest.details,
        item_count=count,
        quota_shares=() if is_whole else shares,
        forfeited=credits_ - returned,
        moved_to=moved_to,
    )
    more["external_reference"] = chain.root.external_reference
    if is_whole:
        more["related_transaction_id"] = chain.root.id
    transaction = give_back(
        state,
        account,
        CANCEL if is_whole else CANCEL_PART,
        chain.root,
        returned,
        last_of(chain.draws_of_last(count), returned),
        **more,
    )
    return Canceled(
        transaction=transaction,
        total_count=total,
        returned=returned,
        forfeited=credits_ - returned,
    )


def _returned(state: State, context: Context, chain: Chain, credits_: Credits) -> Credits:
    """What the terms of a redemption leave of some of its credits."""
    snapshot = state.one(SNAPSHOT, chain.root.snapshot_id)
    assert snapshot is not None
    benefit = snapshot.details.benefit(chain.benefit_key)
    terms = benefit.cancellation_terms if benefit else None
    if not terms:
        return credits_
    target = chain.latest.details.effective_date
    assert target is not None, "a redemption has its target date"
    percent = percent_back(terms, target, context.now, context.settings.time_zone)
    return credits_ * percent // PERCENT_MAX


def _saved(account: Account, transaction: Transaction, **more: Any) -> Changes[Redeemed]:
    changes: Changes[Any] = Changes(None)
    changes.answer = Redeemed(transaction, account.save(changes, **more))
    return changes


def refuse_executed(state: State, chain: Chain, operation: Operation, key: str, hash_: int) -> None:
    first = state.one(TRANSACTION_BY_KEY, chain.pool.id, operation, key)
    if first is not None:
        same = is_same_request(first, hash_)
        raise AlreadyExecuted(idempotency_key=key, transaction_id=first.id, same_request=same)
