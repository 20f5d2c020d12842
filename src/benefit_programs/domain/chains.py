"""Chains: a redemption with its reallocations, and the transaction that gave it back, if any."""

from __future__ import annotations

import msgspec

from benefit_programs.domain.entities import Draw, Operation, Pool, QuotaShare, Transaction
from benefit_programs.domain.errors import NotLatestTransaction, RedemptionAlreadyCanceled
from benefit_programs.domain.lookups import (
    POOL,
    TRANSACTION,
    TRANSACTION_BY_KEY,
    TRANSACTIONS_OF_CHAIN,
)
from benefit_programs.domain.lots import first_of, last_of
from benefit_programs.domain.operations import GIVING_BACK, REDEEMING, REDEMPTIONS
from benefit_programs.domain.quotas import of_fewer
from benefit_programs.domain.settling import ask_for_account, ask_to_put_back
from benefit_programs.domain.state import Needs, State
from benefit_programs.domain.values import Credits, ItemReference


def ask_for_chain(
    needs: Needs,
    state: State,
    transaction_id: str,
    operation: Operation | None = None,
    idempotency_key: str | None = None,
) -> Chain | None:
    """Ask for a transaction, its pool and its chain; the chain, once it is loaded."""
    needs.read(TRANSACTION, transaction_id)
    transaction = state.loaded(TRANSACTION, transaction_id)
    if transaction is None:
        return None
    ask_for_account(needs, state, transaction.pool_id)
    needs.read(TRANSACTIONS_OF_CHAIN, transaction.correlation_id)
    if operation is not None:
        needs.read(TRANSACTION_BY_KEY, transaction.pool_id, operation, idempotency_key)
    if state.loaded(TRANSACTIONS_OF_CHAIN, transaction.correlation_id) is None:
        return None
    chain = Chain.of(state, transaction)
    ask_to_put_back(needs, chain.pool, chain.root.details.draws)
    return chain


class Chain(msgspec.Struct, frozen=True):
    """All transactions that go back to one, ``root``; for most kinds that is the root alone."""

    pool: Pool
    root: Transaction
    transactions: list[Transaction]

    @classmethod
    def of(cls, state: State, transaction: Transaction) -> Chain:
        pool = state.one(POOL, transaction.pool_id)
        assert pool is not None, "a transaction's pool is never deleted"
        transactions = state.many(TRANSACTIONS_OF_CHAIN, transaction.correlation_id)
        root = next(each for each in transactions if each.id == transaction.correlation_id)
        return cls(pool, root, transactions)

    @property
    def is_redemption(self) -> bool:
        return self.root.operation in REDEMPTIONS

    def holds_redemption(self, transaction: Transaction) -> bool:
        """Whether a transaction of this chain is its redemption, or a reallocation of it."""
        return self.is_redemption and transaction.operation in REDEEMING

    @property
    def latest(self) -> Transaction:
        """The redemption, or the reallocation that nothing has superseded."""
        superseded = {each.superseded_transaction_id for each in self.transactions}
        return next(
            each
            for each in self.transactions
            if each.id not in superseded
            and each.operation not in GIVING_BACK
            and each.operation is not Operation.CANCEL_PART
        )

    @property
    def parts(self) -> list[Transaction]:
        """The cancellations of some of the items."""
        return [each for each in self.transactions if each.operation is Operation.CANCEL_PART]

    @property
    def canceled_count(self) -> int:
        """How many of the items were canceled so far."""
        if self.is_canceled:
            return self.redeemed_count
        return sum(each.details.item_count or 0 for each in self.parts)

    @property
    def is_canceled(self) -> bool:
        """Whether all of its items were canceled, rather than reverted or moved elsewhere."""
        last = self.giving_back
        return (
            last is not None
            and last.operation is Operation.CANCEL
            and last.details.moved_to is None
        )

    @property
    def giving_back(self) -> Transaction | None:
        """The cancellation or revert of the root, if there is one."""
        for each in self.transactions:
            if each.related_transaction_id == self.root.id:
                return each
        return None

    @property
    def quota_shares(self) -> tuple[QuotaShare, ...]:
        """What the redemption counts on rate limits now."""
        latest = self.latest
        canceled = sum(
            each.details.item_count or 0
            for each in self.parts
            if each.balance_revision > latest.balance_revision
        )
        return of_fewer(latest.details.quota_shares, canceled)

    @property
    def benefit_key(self) -> str:
        return self.root.details.benefit_key or ""

    @property
    def redeemed_count(self) -> int:
        """How many items were redeemed, whatever was canceled of them since."""
        return self.root.details.item_count or 1

    @property
    def item_count(self) -> int:
        """How many of the items still stand."""
        return self.redeemed_count - self.canceled_count

    @property
    def price(self) -> Credits:
        return self.root.amount // self.redeemed_count

    def draws_of_last(self, count: int) -> tuple[Draw, ...]:
        """What the last items that still stand took from lots."""
        standing = first_of(self.root.details.draws, self.price * self.item_count)
        return last_of(standing, self.price * count)

    @property
    def item_reference(self) -> ItemReference:
        item = self.root.details.item
        assert item is not None, "a redemption names its item"
        return ItemReference(item.external_id, item.provider_app_id, item.category)

    def require_open(self) -> None:
        giving_back = self.giving_back
        if giving_back is not None:
            raise RedemptionAlreadyCanceled(cancellation_transaction_id=giving_back.id)

    def require_latest(self, transaction: Transaction) -> None:
        if self.latest.id != transaction.id:
            raise NotLatestTransaction(latest_transaction_id=self.latest.id)
