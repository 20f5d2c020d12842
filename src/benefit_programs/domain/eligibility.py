"""Whether a benefit can be redeemed, judged the same for a redemption and for a question about it.

The checks stand in the contract's order: status, benefit and item, policy, balance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

import msgspec

from benefit_programs.domain.details import Benefit, Details
from benefit_programs.domain.entities import Pool, PoolStatus, QuotaShare, Snapshot
from benefit_programs.domain.errors import (
    BenefitNotFound,
    NotEnoughBalance,
    PolicyExpressionEvaluatedToFalse,
    PoolNotActive,
)
from benefit_programs.domain.explanations import (
    BenefitInfo,
    FailureDetails,
    PoolContext,
    PoolInfo,
    ProgramDefinitionInfo,
    ProgramInfo,
)
from benefit_programs.domain.ledger import balance_of
from benefit_programs.domain.policies import (
    CustomPolicyKey,
    FailureDetail,
    Judgement,
    PolicyApps,
    Verdict,
    judge,
    policy_of,
    quota_shares,
)
from benefit_programs.domain.settings import TenantSettings, UnknownPolicyApps
from benefit_programs.domain.values import Credits, Identity, Instant, ItemReference

Verdicts = Mapping[CustomPolicyKey, Verdict]
QuotaUsed = Callable[[str, Instant], int]


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody would like to redeem, and when. ``at`` is the target date, or now."""

    item: ItemReference
    count: int
    at: Instant
    free: bool = False
    """A reallocation costs nothing."""


class Terms(msgspec.Struct, frozen=True):
    """What policies are judged by: the tenant's settings and what providers have said."""

    settings: TenantSettings
    verdicts: Verdicts = msgspec.field(default_factory=dict)

    @property
    def time_zone(self) -> ZoneInfo:
        """The tenant's time zone."""
        return ZoneInfo(self.settings.time_zone)

    @property
    def apps(self) -> PolicyApps:
        """Which apps have a provider, and what becomes of the others."""
        return PolicyApps(
            registered=frozenset(each.app_id for each in self.settings.policy_providers),
            unknown_refused=self.settings.unknown_policy_apps is UnknownPolicyApps.REFUSED,
        )


def belongs(pool: Pool, *, namespace: str, beneficiary: Identity | None) -> bool:
    """Whether a pool is of this namespace and, if one is given, this beneficiary."""
    return pool.namespace == namespace and beneficiary in (None, pool.beneficiary)


def require_active(pool: Pool, snapshot: Snapshot, benefit: Benefit | None) -> None:
    """Refuse a pool that is paused, ended or not there yet."""
    if pool.status is not PoolStatus.ACTIVE:
        raise PoolNotActive(
            pool_id=pool.id,
            pool_status=pool.status,
            context=context_of(pool, snapshot, benefit),
        )


def benefit_missing(pool: Pool, snapshot: Snapshot, benefit_key: str | None) -> BenefitNotFound:
    """The refusal where the pool has no such benefit, or the benefit no such item."""
    return BenefitNotFound(
        pool_id=pool.id, benefit_key=benefit_key, context=context_of(pool, snapshot)
    )


def require_allowed(
    pool: Pool,
    snapshot: Snapshot,
    benefit: Benefit,
    wish: Wish,
    terms: Terms,
    quota_used: QuotaUsed,
    freed: tuple[QuotaShare, ...] = (),
) -> tuple[QuotaShare, ...]:
    """The shares of rate limits that the wish takes, or the refusal of its policy."""
    expression = policy_of(snapshot.details, benefit)
    if expression is None:
        return ()
    judgement = judge(
        expression,
        at=wish.at,
        time_zone=terms.time_zone,
        count=wish.count,
        quota_used=quota_used,
        verdicts=terms.verdicts,
        freed=freed,
        apps=terms.apps,
    )
    if judgement.allowed:
        return judgement.quota_shares
    raise _policy_refusal(pool, snapshot, benefit, wish, judgement)


def _policy_refusal(
    pool: Pool, snapshot: Snapshot, benefit: Benefit, wish: Wish, judgement: Judgement
) -> PolicyExpressionEvaluatedToFalse:
    return PolicyExpressionEvaluatedToFalse(
        pool_id=pool.id,
        item_reference=wish.item,
        failure_details=tuple(_told(failure) for failure in judgement.failures),
        context=context_of(pool, snapshot, benefit),
    )


def _told(failure: FailureDetail) -> FailureDetails:
    return FailureDetails(
        code=failure.code,
        message=failure.message,
        policy_id=failure.policy_id,
        app_id=failure.app_id,
        error_data=failure.error_data,
    )


def require_affordable(pool: Pool, snapshot: Snapshot, benefit: Benefit, wish: Wish) -> Credits:
    """What the wish costs, or the refusal of a balance that can't pay for it."""
    cost = 0 if wish.free else (benefit.price or 0) * wish.count
    if cost > pool.available:
        raise NotEnoughBalance(
            pool_id=pool.id,
            item_reference=wish.item,
            available_balance=pool.available,
            requested_balance=cost,
            context=context_of(pool, snapshot, benefit),
        )
    return cost


def shares_of(
    details: Details, benefit: Benefit, wish: Wish, time_zone: ZoneInfo
) -> tuple[QuotaShare, ...]:
    """The shares of rate limits that a wish would take."""
    expression = policy_of(details, benefit)
    if expression is None:
        return ()
    return quota_shares(expression, at=wish.at, time_zone=time_zone, count=wish.count)


def context_of(pool: Pool, snapshot: Snapshot, benefit: Benefit | None = None) -> PoolContext:
    """What a refusal tells about its pool, as far as the pool itself knows."""
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
