"""Quotas: what rate limits count. Contract: Policies.

A quota is counted per pool, ``quotaId`` and local date: that of the day or the one that the month
or year begins with. So what was used stays used when the tenant changes its time zone. What rolls
is counted per instant, and so are the cycles of a program. The server names quotas: a rate limit
keeps its id through updates while its place and ``timePeriod`` stay, whatever becomes of ``times``
and ``rollingDuration``.
"""

from __future__ import annotations

from collections import deque
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from benefit_programs.domain.details import (
    Details,
    Policy,
    PolicyExpression,
    PolicyExpressionAnd,
    PolicyExpressionNot,
    PolicyExpressionOr,
    RateLimitedPolicy,
    TimePeriod,
)
from benefit_programs.domain.entities import QuotaShare
from benefit_programs.domain.policies.calendar import counted_date
from benefit_programs.domain.policies.expressions import EXPRESSION_DEPTH_MAX, rate_limits
from benefit_programs.domain.policies.facts import ALL_TIME, Cycle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from zoneinfo import ZoneInfo

    from benefit_programs.domain.values import Instant, LocalDate


# What makes two limits of one place the same, the strictest first.
_SAMENESS = (
    attrgetter("time_period", "rolling_duration", "times"),
    attrgetter("time_period", "rolling_duration"),
    attrgetter("time_period"),
)


def quota_shares(
    expression: PolicyExpression | None,
    *,
    at: Instant,
    time_zone: ZoneInfo,
    count: int,
    cycle: Cycle = ALL_TIME,
) -> tuple[QuotaShare, ...]:
    """What a redemption of ``count`` items takes: a share of every rate limit of its expression.

    Also under OR and NOT, and once for a quota that several limits name.
    """
    shares = (
        QuotaShare(
            limit.quota_id,
            _counted_at(limit, at, time_zone, cycle),
            count,
            is_rolling=limit.time_period in _BY_INSTANT,
        )
        for limit in rate_limits(expression)
        if limit.quota_id is not None
    )
    return tuple(dict.fromkeys(shares))


def _counted_at(
    limit: RateLimitedPolicy, at: Instant, time_zone: ZoneInfo, cycle: Cycle
) -> LocalDate | Instant:
    if limit.time_period is TimePeriod.ROLLING:
        return at
    if limit.time_period is TimePeriod.CYCLE:
        return cycle.key
    return counted_date(limit, at, time_zone)


_BY_INSTANT = {TimePeriod.ROLLING, TimePeriod.CYCLE}


def assign_quota_ids(new: Details, old: Details | None, new_id: Callable[[], str]) -> Details:
    """Details whose rate limits carry the ids of their quotas.

    A limit takes the id of one with the same ``time_period`` that stood in the same place before
    (the pool-wide expression, or the own one of the benefit with that key): first limits whose
    ``times`` are equal too find each other, then the rest in their order. Each id is kept once.
    Everything else gets an id from ``new_id``, whatever ``quota_id`` it brought along.
    """
    before = _places(old) if old is not None else {}
    benefits = new.benefits
    if any(benefit.policy_expression for benefit in benefits or ()):
        benefits = tuple(
            replace(
                benefit,
                policy_expression=_named(
                    benefit.policy_expression, before.get(benefit.benefit_key), new_id
                ),
            )
            for benefit in benefits or ()
        )
    expression = _named(new.policy_expression, before.get(None), new_id)
    return replace(new, benefits=benefits, policy_expression=expression)


def _places(details: Details) -> dict[str | None, PolicyExpression | None]:
    """The expression of every place: None for the pool-wide one."""
    places: dict[str | None, PolicyExpression | None] = {None: details.policy_expression}
    places |= {each.benefit_key: each.policy_expression for each in details.benefits or ()}
    return places


def _named(
    expression: PolicyExpression | None,
    before: PolicyExpression | None,
    new_id: Callable[[], str],
) -> PolicyExpression | None:
    """The expression of one place with ids of quotas."""
    if expression is None:
        return None
    kept = [limit for limit in rate_limits(before) if limit.quota_id is not None]
    return _assign(expression, iter(_ids(rate_limits(expression), kept, new_id)))


def _ids(
    limits: Sequence[RateLimitedPolicy],
    kept: Sequence[RateLimitedPolicy],
    new_id: Callable[[], str],
) -> list[str]:
    """An id for each of the limits, in their order."""
    ids: list[str | None] = [None] * len(limits)
    for sameness in _SAMENESS:
        taken = set(ids)
        known: dict[object, deque[str]] = {}
        for limit in kept:
            if limit.quota_id is not None and limit.quota_id not in taken:
                known.setdefault(sameness(limit), deque()).append(limit.quota_id)
        for position, limit in enumerate(limits):
            if ids[position] is None and (same := known.get(sameness(limit))):
                ids[position] = same.popleft()
    return [each if each is not None else new_id() for each in ids]


def _assign(expression: PolicyExpression, ids: Iterator[str], depth: int = 1) -> PolicyExpression:
    """The same tree with quota ids, visited in the order of ``rate_limits``."""
    if depth > EXPRESSION_DEPTH_MAX:
        return expression
    if (inverted := expression.operator_not_options) is not None:
        inner = _assign(inverted.expression, ids, depth + 1)
        return replace(expression, operator_not_options=PolicyExpressionNot(inner))
    if (joined := expression.operator_and_options) is not None:
        all_of = PolicyExpressionAnd(_assign_all(joined.expressions, ids, depth + 1))
        return replace(expression, operator_and_options=all_of)
    if (either := expression.operator_or_options) is not None:
        any_of = PolicyExpressionOr(_assign_all(either.expressions, ids, depth + 1))
        return replace(expression, operator_or_options=any_of)
    return _assign_in_policy(expression, expression.policy_options, ids)


def _assign_all(
    expressions: tuple[PolicyExpression, ...], ids: Iterator[str], depth: int
) -> tuple[PolicyExpression, ...]:
    return tuple([_assign(expression, ids, depth) for expression in expressions])


def _assign_in_policy(
    expression: PolicyExpression, policy: Policy | None, ids: Iterator[str]
) -> PolicyExpression:
    if policy is None or policy.rate_limited_options is None:
        return expression
    limit = policy.rate_limited_options
    named = replace(policy, rate_limited_options=replace(limit, quota_id=next(ids)))
    return replace(expression, policy_options=named)
