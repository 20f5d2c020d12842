"""A redemption that another pool pays from now on. See docs/how-to/late-cancellations.md."""

from __future__ import annotations

import msgspec

from benefit_programs.domain.chains import Chain, ask_for_chain
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.due import require_settled
from benefit_programs.domain.eligibility import (
    NO_VERDICTS,
    Candidate,
    Moment,
    RequestedItem,
    Verdicts,
    approve,
    ask_for_candidates,
    ask_to_pay,
    keys_holding,
    require_candidate,
    require_pool,
)
from benefit_programs.domain.entities import Operation, Pool, Transaction
from benefit_programs.domain.errors import AlreadyExecuted, Invalid, TransactionNotMovable
from benefit_programs.domain.lookups import POOL, TRANSACTION, TRANSACTION_BY_KEY
from benefit_programs.domain.redemptions import (
    ask_to_cancel,
    cancel_items,
    refuse_canceled,
    spend_on,
)
from benefit_programs.domain.repeats import is_same_request, request_hash
from benefit_programs.domain.required import require
from benefit_programs.domain.settling import ask_for_account, open_account
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import Credits


class Moved(msgspec.Struct, frozen=True):
    """The new redemption, the cancellation of the old one, and what came back by it."""

    redemption: Transaction
    cancellation: Transaction
    returned: Credits


class MoveRedemption(Command[Moved], frozen=True, kw_only=True):
    """Let another pool of the same beneficiary pay for what still stands of a redemption.

    Without a ``benefit_key`` it is the first benefit of the pool that holds the item. All credits
    return to the pool that has paid so far, whatever its cancellation terms are.
    """

    about = Transaction

    transaction_id: str
    pool_id: str
    idempotency_key: str
    benefit_key: str | None = None
    verdicts: Verdicts = NO_VERDICTS

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for the chain first, so that both pools are locked in one round."""
        chain = ask_for_chain(needs, state, self.transaction_id)
        if state.loaded(TRANSACTION, self.transaction_id) is None:
            return
        pool = ask_for_account(needs, state, self.pool_id)
        needs.read(TRANSACTION_BY_KEY, self.pool_id, Operation.REDEEM, self.idempotency_key)
        if chain is None:
            return
        ask_to_cancel(needs, chain, self.idempotency_key)
        if pool is None or not chain.is_redemption:
            return
        requested = _requested(chain)
        ask_for_candidates(needs, state, pool, self.benefit_key, requested)
        ask_to_pay(needs, state, pool, self.benefit_key, requested)

    def may_ask_providers(self, state: State) -> bool:
        """Whether a provider may have to be asked; which benefit it is shows later."""
        return True

    def candidate(self, state: State, moment: Moment) -> Candidate:
        transaction = require(state, TRANSACTION, self.transaction_id)
        chain = Chain.of(state, transaction)
        self._refuse_executed(state, chain)
        if not chain.holds_redemption(transaction):
            raise TransactionNotMovable
        chain.require_open()
        chain.require_latest(transaction)
        if chain.pool.id == self.pool_id:
            raise Invalid.because(
                "poolId", "is the pool that pays for it already", rule_name="another_pool"
            )
        pool = require_pool(
            state,
            moment,
            self.pool_id,
            namespace=chain.pool.namespace,
            beneficiary=chain.pool.beneficiary,
        )
        requested = _requested(chain)
        key = self.benefit_key or self._key_holding(state, pool, requested)
        return require_candidate(state, pool, key, requested)

    def decide(self, state: State, context: Context) -> Changes[Moved]:
        before = require(state, TRANSACTION, self.transaction_id).pool_id
        require_settled((state.one(POOL, each) for each in (before, self.pool_id)), context)
        candidate = self.candidate(state, Moment(context.now, context.settings))
        account = open_account(state, context, require(state, POOL, self.pool_id))
        candidate = candidate.paid_by(account)
        cost, shares = approve(state, candidate, context.settings, self.verdicts)
        chain = Chain.of(state, require(state, TRANSACTION, self.transaction_id))
        redemption = spend_on(
            account,
            candidate,
            cost,
            shares,
            moved_from=chain.latest.id,
            idempotency_key=self.idempotency_key,
            request_hash=self._hash(),
            external_reference=chain.root.external_reference,
        )
        paid_before = open_account(state, context, chain.pool)
        canceled = cancel_items(
            state,
            paid_before,
            chain,
            chain.redeemed_count,
            in_full=True,
            moved_to=redemption.id,
            idempotency_key=self.idempotency_key,
            request_hash=self._hash(),
        )
        assert canceled.transaction is not None
        changes = Changes(Moved(redemption, canceled.transaction, canceled.returned))
        paid_before.save(changes)
        account.save(changes)
        return changes

    def _key_holding(self, state: State, pool: Pool, requested: RequestedItem) -> str | None:
        return next(iter(keys_holding(state, pool, requested.reference)), None)

    def _refuse_executed(self, state: State, chain: Chain) -> None:
        """Refuse a used key, and name the redemption that it made."""
        key, hash_ = self.idempotency_key, self._hash()
        before = state.one(TRANSACTION_BY_KEY, chain.pool.id, Operation.CANCEL, key)
        moved_to = before.details.moved_to if before else None
        first = before if moved_to else None
        first = first or state.one(TRANSACTION_BY_KEY, self.pool_id, Operation.REDEEM, key)
        if first is not None:
            raise AlreadyExecuted(
                idempotency_key=key,
                transaction_id=moved_to or first.id,
                same_request=is_same_request(first, hash_),
            )
        refuse_canceled(state, chain, key, hash_)

    def _hash(self) -> int:
        return request_hash("MOVE", self.transaction_id, self.pool_id, self.benefit_key)


def _requested(chain: Chain) -> RequestedItem:
    """What stands of a redemption, at its own date."""
    at = chain.latest.details.effective_date
    assert at is not None, "a redemption has its target date"
    return RequestedItem(reference=chain.item_reference, count=chain.item_count, at=at)
