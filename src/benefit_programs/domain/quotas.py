"""What a pool has used of its rate limits: rows that redemptions count up and down."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from benefit_programs.domain.details import PolicyExpression, TimePeriod
from benefit_programs.domain.entities import QuotaShare
from benefit_programs.domain.lookups import QUOTA, WALK_USES
from benefit_programs.domain.policies.calendar import period_dates
from benefit_programs.domain.policies.expressions import rate_limits
from benefit_programs.domain.policies.facts import Counts
from benefit_programs.domain.policies.windows import window_length
from benefit_programs.domain.state import Needs, State
from benefit_programs.domain.values import Instant


def ask_for_quotas(needs: Needs, pool_id: str, shares: Iterable[QuotaShare]) -> None:
    for share in shares:
        needs.read(QUOTA, pool_id, share.quota_id, share.period_start)


def of_fewer(shares: Sequence[QuotaShare], fewer: int) -> tuple[QuotaShare, ...]:
    """The shares of a redemption of so many items fewer."""
    if not fewer:
        return tuple(shares)
    return tuple(replace(each, count=each.count - fewer) for each in shares if each.count > fewer)


def of_count(shares: Sequence[QuotaShare], count: int) -> tuple[QuotaShare, ...]:
    """The shares of so many of the items."""
    return tuple(replace(each, count=min(each.count, count)) for each in shares)


def ask_for_counts(needs: Needs, pool_id: str, expression: PolicyExpression, at: Instant) -> None:
    """Ask for what the judgement on an expression reads at an instant, beside its own shares."""
    zone, first_day = ZoneInfo(needs.settings.time_zone), needs.settings.first_day_of_week
    for limit in rate_limits(expression):
        if limit.quota_id is None:
            continue
        if limit.time_period is TimePeriod.ROLLING:
            needs.read(WALK_USES, pool_id, limit.quota_id, at - window_length(limit))
        elif limit.time_period is TimePeriod.WEEK:
            for each in period_dates(limit, at, zone, first_day):
                needs.read(QUOTA, pool_id, limit.quota_id, each)


def counts_of(state: State, pool_id: str) -> Counts:
    """What a pool has counted."""
    return Counts(partial(quota_used, state, pool_id), partial(uses_after, state, pool_id))


def quota_used(state: State, pool_id: str, quota_id: str, period_start: int) -> int:
    quota = state.one(QUOTA, pool_id, quota_id, period_start)
    return quota.used if quota else 0


def uses_after(state: State, pool_id: str, quota_id: str, at: Instant) -> dict[Instant, int]:
    rows = state.many(WALK_USES, pool_id, quota_id, at)
    return {row.period_start: row.used for row in rows}
