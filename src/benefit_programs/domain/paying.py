"""A redemption by whichever pools of a beneficiary pay, in one command: nobody comes between.

The order is written: credits that expire soonest first (those of the lot that would pay first; what
never expires last), then the oldest pool, then the order of benefits in their definition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.account import Account, ask_for_lots
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.due import require_settled
from benefit_programs.domain.eligibility import (
    NO_VERDICTS,
    Candidate,
    EligibilityCheck,
    Moment,
    RequestedItem,
    Verdicts,
    approve,
    ask_for_candidates,
    ask_to_pay,
)
from benefit_programs.domain.entities import IdempotencyKey, QuotaShare, Transaction
from benefit_programs.domain.errors import EligibleAlreadyRedeemed, Refusal
from benefit_programs.domain.explanations import PaidRedemption
from benefit_programs.domain.lookups import KEYS_OF_SUBJECT, POOL, TRANSACTION
from benefit_programs.domain.redemptions import spend_on
from benefit_programs.domain.repeats import is_same_request, request_hash, subject_of
from benefit_programs.domain.required import require
from benefit_programs.domain.settling import ask_for_account, open_account
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import Credits, Identity, Instant, ItemReference

PAYING_POOLS_MAX = 100
"""Among how many pools of a beneficiary that hold the item one redemption may choose."""

REDEEM_ELIGIBLE = "REDEEM_ELIGIBLE"
"""The operation that the keys of these redemptions are for."""

_NEVER = 2**63 - 1


class Paid(msgspec.Struct, frozen=True):
    """What each pool has paid; if nothing was paid, why none of the benefits pays."""

    redemptions: tuple[PaidRedemption, ...]
    refusals: tuple[Refusal, ...] = ()


class _Payer(NamedTuple):
    rank: tuple[Instant, str, int]
    candidate: Candidate
    account: Account


class _Share(NamedTuple):
    """What one benefit pays."""

    candidate: Candidate
    cost: Credits
    shares: tuple[QuotaShare, ...]


class RedeemEligible(Command[Paid], frozen=True, kw_only=True):
    """Redeem an item from the first benefit that pays, of the pools with these ids.

    To ``split`` it lets several pay together for whole items, for all of them or for none. The key
    holds for the beneficiary in the namespace.
    """

    about = Transaction

    pool_ids: tuple[str, ...]
    namespace: str
    beneficiary: Identity
    item: ItemReference
    idempotency_key: str
    count: int = 1
    target_date: Instant | None = None
    additional_data: dict[str, Any] | None = None
    external_reference: str | None = None
    split: bool = False
    verdicts: Mapping[tuple[str, str], Verdicts] = msgspec.field(default_factory=dict)
    """What providers say, by pool and benefit; they are asked about all items."""

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for all pools in one round: they are locked in the order of their ids."""
        needs.read(KEYS_OF_SUBJECT, self._subject_id)
        for key in state.known(KEYS_OF_SUBJECT, self._subject_id):
            needs.read(TRANSACTION, key.result_id)
        requested = self._requested(needs.now)
        for pool_id in self.pool_ids:
            pool = ask_for_account(needs, state, pool_id)
            if pool is not None:
                ask_for_candidates(needs, state, pool, None, requested)
                ask_to_pay(needs, state, pool, None, requested)
                if self.split and pool.in_lots:
                    ask_for_lots(needs, pool.id)

    def candidates(self, state: State, moment: Moment) -> list[Candidate | Refusal]:
        """The benefits that hold the item, or the refusals; first that of a used key."""
        self._refuse_replay(state)
        return [
            each
            for pool_id in self.pool_ids
            for each in EligibilityCheck(
                pool_id=pool_id,
                namespace=self.namespace,
                requested=self._requested(moment.now),
                beneficiary=self.beneficiary,
                additional_data=self.additional_data,
            ).candidates(state, moment)
        ]

    def decide(self, state: State, context: Context) -> Changes[Paid]:
        require_settled((state.one(POOL, each) for each in self.pool_ids), context)
        found = self.candidates(state, Moment(context.now, context.settings))
        refusals = [each for each in found if isinstance(each, Refusal)]
        missing, paid = self.count, []
        for payer in _in_order(state, context, found):
            share = self._share(state, context, payer, missing, refusals)
            if share is None:
                continue
            paid.append((payer.account, self._spend(payer.account, share)))
            missing -= share.candidate.requested.count
            if not missing:
                return self._saved(context, paid)
        return Changes(Paid((), tuple(refusals)))

    def _share(
        self,
        state: State,
        context: Context,
        payer: _Payer,
        missing: int,
        refusals: list[Refusal],
    ) -> _Share | None:
        """What a benefit pays of the items that are missing; why not all, is added to refusals."""
        pool_id, key = payer.candidate.pool.id, payer.candidate.benefit.benefit_key
        verdicts = self.verdicts.get((pool_id, key), NO_VERDICTS)
        candidate = payer.candidate.paid_by(payer.account)

        def share_of(count: int) -> _Share:
            requested = replace(candidate.requested, count=count)
            some = replace(candidate, requested=requested)
            return _Share(some, *approve(state, some, context.settings, verdicts))

        try:
            return share_of(missing)
        except Refusal as refusal:
            refusals.append(refusal)
        count = _most(share_of, missing) if self.split else 0
        return share_of(count) if count else None

    def _spend(self, account: Account, share: _Share) -> Transaction:
        return spend_on(
            account, *share, request_hash=None, external_reference=self.external_reference
        )

    def _saved(self, context: Context, paid: list[tuple[Account, Transaction]]) -> Changes[Paid]:
        changes = Changes(Paid(tuple(_redemption(each) for _, each in paid)))
        more = {"additional_data": self.additional_data} if self.additional_data else {}
        for account in dict.fromkeys(account for account, _ in paid):
            account.save(changes, **more)
        for number, (_, transaction) in enumerate(paid):
            changes.save(
                IdempotencyKey(
                    subject_id=self._subject_id,
                    operation=REDEEM_ELIGIBLE,
                    idempotency_key=f"{number:04}",
                    created=context.now,
                    result_id=transaction.id,
                    request_hash=self._hash(),
                )
            )
        return changes

    def _refuse_replay(self, state: State) -> None:
        used = state.many(KEYS_OF_SUBJECT, self._subject_id)
        if used:
            results = (require(state, TRANSACTION, each.result_id or "") for each in used)
            raise EligibleAlreadyRedeemed(
                idempotency_key=self.idempotency_key,
                redemptions=tuple(map(_redemption, results)),
                same_request=is_same_request(used[0], self._hash()),
            )

    @property
    def _subject_id(self) -> str:
        who = self.beneficiary
        return subject_of(REDEEM_ELIGIBLE, self.namespace, who.type, who.id, self.idempotency_key)

    def _hash(self) -> int:
        item = self.item
        return request_hash(
            *(item.external_id, item.provider_app_id, item.category),
            *(self.count, self.target_date, self.additional_data or None),
            *(self.external_reference, self.split),
        )

    def _requested(self, now: Instant) -> RequestedItem:
        return RequestedItem(reference=self.item, count=self.count, at=self.target_date or now)


def _in_order(state: State, context: Context, found: list[Candidate | Refusal]) -> Iterator[_Payer]:
    """The candidates in the order in which they pay, each with the account of its pool."""
    accounts: dict[str, Account] = {}
    payers = []
    for ordinal, candidate in enumerate(found):
        if isinstance(candidate, Refusal):
            continue
        pool_id = candidate.pool.id
        if pool_id not in accounts:
            accounts[pool_id] = open_account(state, context, require(state, POOL, pool_id))
        account = accounts[pool_id]
        rank = (_expiry(candidate, account), pool_id, ordinal)
        payers.append(_Payer(rank, candidate, account))
    return iter(sorted(payers, key=lambda payer: payer.rank))


def _expiry(candidate: Candidate, account: Account) -> Instant:
    """When the credits expire that would pay first; what is free takes none."""
    if not candidate.benefit.price:
        return _NEVER
    lot = account.first_lot(candidate.paid_by(account).lots)
    return _NEVER if lot is None or lot.expiration_date is None else lot.expiration_date


def _most(share_of: Callable[[int], _Share], fewer_than: int) -> int:
    """For how many items a benefit pays, of fewer than so many.

    What pays for some pays for fewer, too, unless a policy is odd: then more might be found.
    """
    low, high = 0, fewer_than - 1
    while low < high:
        middle = (low + high + 1) // 2
        try:
            share_of(middle)
        except Refusal:
            high = middle - 1
        else:
            low = middle
    return low


def _redemption(transaction: Transaction) -> PaidRedemption:
    details = transaction.details
    assert details.benefit_key is not None
    return PaidRedemption(
        transaction_id=transaction.id,
        pool_id=transaction.pool_id,
        benefit_key=details.benefit_key,
        count=details.item_count or 1,
        amount=transaction.amount,
    )
