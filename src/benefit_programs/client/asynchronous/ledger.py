"""Balances and transactions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from benefit_programs.client.asynchronous.queries import AsyncListing, AsyncQuery, begin
from benefit_programs.client.asynchronous.session import AsyncMethods
from benefit_programs.client.core.balances import ChangeAnswer, change_options, first_change
from benefit_programs.client.core.keys import keyed
from benefit_programs.client.core.queries import Plan
from benefit_programs.client.core.wire import document, reads, reads_field, reads_rows
from benefit_programs.client.generated.filters import (
    BalanceFilter,
    BalanceSort,
    TransactionFilter,
    TransactionSort,
)
from benefit_programs.client.types.identities import Identity
from benefit_programs.client.types.ledger import (
    AdjustBalance,
    Balance,
    ChangedBalance,
    ChangeDetails,
    SetBalance,
    SetInitialBalance,
    Transaction,
)
from benefit_programs.client.types.pools import Redemption

AsyncBalanceQuery: TypeAlias = AsyncQuery[Balance, BalanceFilter, BalanceSort]
AsyncTransactionQuery: TypeAlias = AsyncQuery[Transaction, TransactionFilter, TransactionSort]

_BALANCE = reads_field("balance", Balance)
_BALANCES = reads_rows("balances", Balance)
_CHANGED = reads(ChangeAnswer)
_REVERTED = reads(Redemption)
_TRANSACTION = reads_field("transaction", Transaction)
_TRANSACTIONS = reads_rows("transactions", Transaction)


class AsyncBalances(AsyncMethods):
    """The credits of pools, one balance each, with the pool's id."""

    async def get(self, pool_id: str) -> Balance:
        """Read the balance of a pool.

        Raises:
            BalanceNotFound: There is no such pool.
        """
        return await self._session.call("getBalance", _BALANCE, document(pool_id=pool_id))

    def list(self, pool_ids: Sequence[str] = ()) -> AsyncListing[Balance]:
        """List the balances of up to 100 pools, or all balances."""
        plan = Plan(
            name="listBalances",
            read=_BALANCES,
            paging_field="cursorPaging",
            first_only=document(pool_ids=pool_ids or None),
        )
        return AsyncListing(self._session, plan)

    def query(
        self,
        filter: BalanceFilter | None = None,  # noqa: A002 - the contract's own word
        *,
        sort: Sequence[BalanceSort] = (),
    ) -> AsyncBalanceQuery:
        """Find balances."""
        return begin(self._session, Plan(name="queryBalances", read=_BALANCES), filter, sort)

    async def change(
        self,
        pool_id: str,
        change: AdjustBalance | SetBalance | SetInitialBalance,
        *,
        transaction_details: ChangeDetails | None = None,
        instructing_party: Identity | None = None,
        external_reference: str | None = None,
        idempotency_key: str | None = None,
    ) -> ChangedBalance:
        """Change a balance by hand. Without a key the client makes one.

        After a lost answer the balance is read again, so it may include later changes.

        Raises:
            BalanceNotFound: There is no such pool.
            AlreadyExecuted: The caller's key was used before; the error names the transaction.
            BalanceExceededLimits: The change would take the balance past a limit.
            BalanceAlreadyInitialized: It has transactions, so it can't be set initially.
        """
        fields = document(
            pool_id=pool_id,
            transaction_details=transaction_details,
            instructing_party=instructing_party,
            external_reference=external_reference,
            **change_options(change),
        )
        call = keyed(
            "changeBalance", _CHANGED, fields, idempotency_key=idempotency_key, replay=first_change
        )
        changed = await self._session.send(call)
        balance = changed.balance or await self.get(pool_id)
        return ChangedBalance(balance=balance, transaction_id=changed.transaction_id)

    async def revert_change(
        self,
        transaction_id: str,
        *,
        instructing_party: Identity | None = None,
        reason: str | None = None,
    ) -> Redemption:
        """Revert a transaction with an opposite one. Deprecated: cancel redemptions instead.

        Raises:
            TransactionNotFound: There is no such transaction.
            ChangeAlreadyReverted: It was reverted or canceled before.
            NotEnoughBalance: The balance can't give back what the transaction brought.
        """
        fields = document(
            transaction_id=transaction_id, instructing_party=instructing_party, reason=reason
        )
        return await self._session.call("revertBalanceChange", _REVERTED, fields)


class AsyncTransactions(AsyncMethods):
    """The record of each change of a balance."""

    async def get(self, transaction_id: str) -> Transaction:
        """Read a transaction.

        Raises:
            TransactionNotFound: There is no such transaction.
        """
        fields = document(transaction_id=transaction_id)
        return await self._session.call("getTransaction", _TRANSACTION, fields)

    def query(
        self,
        filter: TransactionFilter | None = None,  # noqa: A002 - the contract's own word
        *,
        sort: Sequence[TransactionSort] = (),
    ) -> AsyncTransactionQuery:
        """Find transactions."""
        return begin(
            self._session, Plan(name="queryTransactions", read=_TRANSACTIONS), filter, sort
        )
