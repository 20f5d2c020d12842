"""Whether a benefit can be redeemed: the order of checks, for redemptions and for questions alike.

The contract's order is: the pool, the idempotency key, the pool's status, the benefit and its item;
then the policy, and then the balance. ``require_pool`` and ``require_candidate`` are all that comes
before the policy, so a provider is asked about candidates only. ``approve`` is the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.account import (
    Account,
    ask_for_lots,
    ask_to_spend,
    balance_of,
    usable_for,
)
from benefit_programs.domain.cycles import cycle_at
from benefit_programs.domain.details import Benefit, PolicyExpression, ValidOn
from benefit_programs.domain.entities import Item, Lot, Pool, PoolStatus, QuotaShare, Snapshot
from benefit_programs.domain.errors import (
    BenefitNotFound,
    NotEnoughBalance,
    PolicyExpressionEvaluatedToFalse,
    PoolNotActive,
    PoolNotFound,
    Refusal,
)
from benefit_programs.domain.explanations import (
    BenefitInfo,
    FailureDetails,
    PoolContext,
    PoolInfo,
    ProgramDefinitionInfo,
    ProgramInfo,
)
from benefit_programs.domain.lookups import (
    ITEM_BY_REFERENCE,
    NAMED_PROGRAM,
    NAMED_PROGRAM_DEFINITION,
    POOL,
    PROGRAM,
    SNAPSHOT,
)
from benefit_programs.domain.policies import (
    ALL_TIME,
    CustomPolicyKey,
    Cycle,
    Facts,
    PolicyApps,
    Verdict,
    counts_cycles,
    custom_policies,
    judge,
    policy_of,
    quota_shares,
)
from benefit_programs.domain.quotas import ask_for_counts, ask_for_quotas, counts_of
from benefit_programs.domain.required import require, snapshot_of
from benefit_programs.domain.settings import TenantSettings, UnknownPolicyApps
from benefit_programs.domain.settling import ask_for_account, look_at_account, usable
from benefit_programs.domain.state import Needs, State
from benefit_programs.domain.values import Credits, Identity, Instant, ItemReference

Verdicts = Mapping[CustomPolicyKey, Verdict]
NO_VERDICTS: Verdicts = {}

_ACTIVE = PoolStatus.ACTIVE


class RequestedItem(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks to redeem. ``at`` is the target date, or now."""

    reference: ItemReference
    count: int
    at: Instant
    is_free: bool = False
    """A reallocation costs nothing."""

    is_held: bool = False
    """The benefit is known to hold the item, or to have held it when it was redeemed."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A benefit that can be redeemed if its policy allows it and the balance pays for it.

    ``freed`` are shares of rate limits that the same decision gives back; those that it has taken
    already are below zero.
    """

    pool: Pool
    snapshot: Snapshot
    benefit: Benefit
    requested: RequestedItem
    item: Item | None = None
    additional_data: dict[str, Any] | None = None
    freed: tuple[QuotaShare, ...] = ()
    lots: list[Lot] | None = None
    """The lots that may pay, in the burn order; None: all."""

    def paid_by(self, account: Account) -> Candidate:
        """The candidate with the credits and rate limits of an account as they are now."""
        lots = None
        if account.pool.in_lots and valid_on(self.snapshot) is ValidOn.TARGET_DATE:
            lots = usable_for(account.live_lots(), self.requested.at)
        elif not account.transactions:
            return self
        taken = (replace(each, count=-each.count) for each in account.taken)
        freed = (*self.freed, *account.freed, *taken)
        return replace(self, pool=account.pool, lots=lots, freed=freed)

    @property
    def available(self) -> Credits:
        return self.pool.available if self.lots is None else sum(map(_available, self.lots))

    @property
    def policy(self) -> PolicyExpression | None:
        return policy_of(self.snapshot.details, self.benefit)


_available = attrgetter("available")


def valid_on(snapshot: Snapshot) -> ValidOn:
    configuration = snapshot.details.credit_configuration
    return (configuration and configuration.valid_on) or ValidOn.REDEMPTION


def find_item(state: State, reference: ItemReference, benefit: Benefit) -> Item | None:
    return state.one(ITEM_BY_REFERENCE, *_item_key(reference, benefit))


def _item_key(reference: ItemReference, benefit: Benefit) -> tuple[str | None, ...]:
    return (
        reference.external_id,
        reference.provider_app_id,
        reference.category,
        benefit.item_set_id,
    )


def guess_item(needs: Needs, reference: ItemReference) -> None:
    """Ask for an item before its pool is known, which tells the item's set."""
    needs.guess(
        ITEM_BY_REFERENCE, reference.external_id, reference.provider_app_id, reference.category
    )


def keys_holding(state: State, pool: Pool, reference: ItemReference) -> list[str]:
    """The keys of the pool's benefits that hold an item, in their order."""
    return [
        each.benefit_key
        for each in snapshot_of(state, pool).details.benefits or ()
        if find_item(state, reference, each) is not None
    ]


def ask_for_candidates(
    needs: Needs, state: State, pool: Pool, benefit_key: str | None, requested: RequestedItem
) -> None:
    """Ask for what the judgement on a benefit reads; without a key, on all benefits of the pool."""
    needs.read(SNAPSHOT, pool.snapshot_id)
    snapshot = state.loaded(SNAPSHOT, pool.snapshot_id)
    if snapshot is None:
        return
    for benefit in snapshot.details.benefits or ():
        if benefit_key is not None and benefit_key != benefit.benefit_key:
            continue
        if not requested.is_held:
            needs.read(ITEM_BY_REFERENCE, *_item_key(requested.reference, benefit))
        policy = policy_of(snapshot.details, benefit)
        if policy is not None:
            _ask_to_judge(needs, state, pool, policy, requested)


def _ask_to_judge(
    needs: Needs, state: State, pool: Pool, policy: PolicyExpression, requested: RequestedItem
) -> None:
    """Ask for what rate limits have counted; for the program first if they count in its cycles."""
    cycle = ALL_TIME
    if counts_cycles(policy):
        needs.read(PROGRAM, pool.program_id)
        program = state.loaded(PROGRAM, pool.program_id)
        if program is None:
            return
        cycle = cycle_at(program.calendar, requested.at)
    shares = quota_shares(
        policy,
        at=requested.at,
        time_zone=ZoneInfo(needs.settings.time_zone),
        count=requested.count,
        cycle=cycle,
    )
    ask_for_quotas(needs, pool.id, shares)
    ask_for_counts(needs, pool.id, policy, requested.at)


def ask_to_pay(
    needs: Needs, state: State, pool: Pool, benefit_key: str | None, requested: RequestedItem
) -> None:
    """Ask for the lots that may pay for a benefit; without a key, for any of the pool's.

    Most pools have none, and are asked for none.
    """
    if not pool.in_lots:
        return
    snapshot = state.loaded(SNAPSHOT, pool.snapshot_id)
    if snapshot is None:
        needs.read(SNAPSHOT, pool.snapshot_id)
    elif valid_on(snapshot) is ValidOn.TARGET_DATE:
        ask_for_lots(needs, pool.id)
    else:
        prices = [
            each.price or 0
            for each in snapshot.details.benefits or ()
            if benefit_key in (None, each.benefit_key)
        ]
        ask_to_spend(needs, state, pool, max(prices, default=0) * requested.count)


def may_ask_providers(state: State, pool: Pool | None, benefit_key: str) -> bool:
    """Whether a provider may have to be asked about a benefit, judging by what is loaded."""
    snapshot = state.loaded(SNAPSHOT, pool.snapshot_id) if pool else None
    if snapshot is None:
        return True
    benefit = snapshot.details.benefit(benefit_key)
    return benefit is None or bool(custom_policies(policy_of(snapshot.details, benefit)))


class Moment(NamedTuple):
    """When and under which settings something is judged."""

    now: Instant
    settings: TenantSettings


def require_pool(
    state: State, moment: Moment, pool_id: str, *, namespace: str, beneficiary: Identity | None
) -> Pool:
    """The pool with the credits that it has now, if it is of this namespace and beneficiary."""
    pool = state.one(POOL, pool_id)
    if pool is None or pool.namespace != namespace:
        raise PoolNotFound(pool_id=pool_id)
    if beneficiary is not None and beneficiary != pool.beneficiary:
        raise PoolNotFound(pool_id=pool_id)
    return pool if pool.due is None else usable(state, pool, *moment)


def require_candidate(
    state: State,
    pool: Pool,
    benefit_key: str | None,
    requested: RequestedItem,
    *,
    additional_data: dict[str, Any] | None = None,
    freed: tuple[QuotaShare, ...] = (),
) -> Candidate:
    """The benefit, if its pool is active and it holds the item; raises the refusal otherwise."""
    snapshot = snapshot_of(state, pool)
    benefit = snapshot.details.benefit(benefit_key or "")
    if pool.status is not _ACTIVE:
        raise PoolNotActive(
            pool_id=pool.id,
            pool_status=pool.status,
            context=context_of(pool, snapshot, benefit),
        )
    item = None
    if benefit is None or not (
        requested.is_held or (item := find_item(state, requested.reference, benefit))
    ):
        raise BenefitNotFound(
            pool_id=pool.id, benefit_key=benefit_key, context=context_of(pool, snapshot)
        )
    return Candidate(
        pool=pool,
        snapshot=snapshot,
        benefit=benefit,
        requested=requested,
        item=item,
        additional_data=additional_data,
        freed=freed,
    )


def approve(
    state: State, candidate: Candidate, settings: TenantSettings, verdicts: Verdicts
) -> tuple[Credits, tuple[QuotaShare, ...]]:
    """The cost of a redemption and its quota shares. Raises the refusals of policy and balance."""
    pool, benefit, requested = candidate.pool, candidate.benefit, candidate.requested
    policy = candidate.policy
    shares = _require_policy(state, candidate, policy, settings, verdicts) if policy else ()
    cost = 0 if requested.is_free else (benefit.price or 0) * requested.count
    if cost > candidate.available:
        raise NotEnoughBalance(
            pool_id=pool.id,
            item_reference=requested.reference,
            available_balance=candidate.available,
            requested_balance=cost,
            context=context_of(pool, candidate.snapshot, benefit),
        )
    return cost, shares


def _require_policy(
    state: State,
    candidate: Candidate,
    policy: PolicyExpression,
    settings: TenantSettings,
    verdicts: Verdicts,
) -> tuple[QuotaShare, ...]:
    pool, requested = candidate.pool, candidate.requested
    facts = Facts(
        at=requested.at,
        time_zone=ZoneInfo(settings.time_zone),
        first_day=settings.first_day_of_week,
        item_count=requested.count,
        cycle=_cycle(state, candidate) if counts_cycles(policy) else ALL_TIME,
        counts=counts_of(state, pool.id),
        verdicts=verdicts,
        freed=candidate.freed,
        apps=PolicyApps(
            registered=frozenset(each.app_id for each in settings.policy_providers),
            unknown_refused=settings.unknown_policy_apps is UnknownPolicyApps.REFUSED,
        ),
    )
    judgement = judge(policy, facts)
    if judgement.allowed:
        return judgement.quota_shares
    raise PolicyExpressionEvaluatedToFalse(
        pool_id=pool.id,
        item_reference=requested.reference,
        failure_details=tuple(
            FailureDetails(**msgspec.structs.asdict(failure)) for failure in judgement.failures
        ),
        context=context_of(pool, candidate.snapshot, candidate.benefit),
    )


def _cycle(state: State, candidate: Candidate) -> Cycle:
    program = require(state, PROGRAM, candidate.pool.program_id)
    return cycle_at(program.calendar, candidate.requested.at)


class EligibilityCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an item can be redeemed from a pool: from one benefit or, without a key, from any."""

    pool_id: str
    namespace: str
    requested: RequestedItem
    beneficiary: Identity | None = None
    benefit_key: str | None = None
    additional_data: dict[str, Any] | None = None

    def ask(self, needs: Needs, state: State) -> None:
        pool = ask_for_account(needs, state, self.pool_id, reads_only=True)
        if pool is not None:
            if pool.in_lots:
                ask_to_pay(needs, state, pool, self.benefit_key, self.requested)
            ask_for_candidates(needs, state, pool, self.benefit_key, self.requested)
            needs.read(NAMED_PROGRAM, pool.program_id)
            if pool.program_definition_id is not None:
                needs.read(NAMED_PROGRAM_DEFINITION, pool.program_definition_id)

    def candidates(self, state: State, moment: Moment) -> list[Candidate | Refusal]:
        """The benefits that can still be approved, and the refusals of the others."""
        try:
            pool = require_pool(
                state,
                moment,
                self.pool_id,
                namespace=self.namespace,
                beneficiary=self.beneficiary,
            )
        except PoolNotFound as refusal:
            return [refusal]
        return [self._candidate(state, pool, key) for key in self._benefit_keys(state, pool)]

    def _benefit_keys(self, state: State, pool: Pool) -> list[str | None]:
        """The key that was given; else those of benefits that hold the item, or None."""
        if self.benefit_key is not None:
            return [self.benefit_key]
        return [*keys_holding(state, pool, self.requested.reference)] or [None]

    def _candidate(self, state: State, pool: Pool, key: str | None) -> Candidate | Refusal:
        try:
            return require_candidate(
                state, pool, key, self.requested, additional_data=self.additional_data
            )
        except Refusal as refusal:
            return refusal


def assess(
    state: State,
    candidate: Candidate | Refusal,
    moment: Moment,
    verdicts: Verdicts,
) -> Candidate | Refusal:
    """The candidate if it can be redeemed now, or its refusal."""
    if isinstance(candidate, Refusal):
        return candidate
    if candidate.pool.in_lots:
        stored = require(state, POOL, candidate.pool.id)
        candidate = candidate.paid_by(look_at_account(state, stored, *moment))
    try:
        approve(state, candidate, moment.settings, verdicts)
    except Refusal as refusal:
        return refusal
    return candidate


def context_of(pool: Pool, snapshot: Snapshot, benefit: Benefit | None = None) -> PoolContext:
    """What a refusal says about its pool, from the pool and its snapshot alone."""
    configuration = snapshot.details.credit_configuration
    return PoolContext(
        pool_info=PoolInfo(
            balance=balance_of(pool),
            credit_amount=configuration.amount if configuration else None,
            credit_unit_type=configuration.unit_type if configuration else None,
            display_name=snapshot.display_name,
            description=snapshot.description,
            pool_definition_id=pool.pool_definition_id,
        ),
        benefit_info=(
            BenefitInfo(
                display_name=benefit.display_name,
                description=benefit.description,
                benefit_key=benefit.benefit_key,
                price=benefit.price,
            )
            if benefit
            else None
        ),
        program_info=ProgramInfo(id=pool.program_id, external_id=pool.program_external_id),
        program_definition_info=(
            ProgramDefinitionInfo(
                id=pool.program_definition_id, external_id=pool.program_definition_external_id
            )
            if pool.program_definition_id
            else None
        ),
    )
