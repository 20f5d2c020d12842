"""Quotas: what rate limits count. Contract: Policies.

A quota is counted per pool, ``quotaId`` and calendar period. The server names quotas: a rate limit
keeps its id through updates while ``times`` and ``timePeriod`` stay as they are, and any other
change starts a new count.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from msgspec.structs import replace

from benefit_programs.domain.details import (
    Benefit,
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
from benefit_programs.domain.policies.calendar import period_start
from benefit_programs.domain.policies.expressions import EXPRESSION_DEPTH_MAX, rate_limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from benefit_programs.domain.values import Instant


def quota_shares(
    expression: PolicyExpression | None, *, at: Instant, time_zone: ZoneInfo, count: int
) -> tuple[QuotaShare, ...]:
    """What a redemption of ``count`` items takes: a share of every rate limit of its expression.

    Also under OR and NOT, and once for a quota that several limits name.
    """
    shares = (
        QuotaShare(limit.quota_id, period_start(limit, at, time_zone), count)
        for limit in rate_limits(expression)
        if limit.quota_id is not None
    )
    return tuple(dict.fromkeys(shares))


def assign_quota_ids(new: Details, old: Details | None, new_id: Callable[[], str]) -> Details:
    """Details whose rate limits carry the ids of their quotas.

    A limit takes the id of a limit with equal ``times`` and ``time_period`` that stood in the same
    place before (the pool-wide expression, or the own one of the benefit with that key); equal
    limits of one place are matched in their order, and each id is kept once. Everything else gets
    an id from ``new_id``, whatever ``quota_id`` it brought along.
    """
    places = _Places(old, new_id)
    benefits = new.benefits
    if any(benefit.policy_expression for benefit in benefits or ()):
        benefits = tuple(_assign_in_benefit(benefit, places) for benefit in benefits or ())
    expression = new.policy_expression
    if expression is not None:
        expression = _assign(expression, places.of(None))
    return replace(new, benefits=benefits, policy_expression=expression)


def _assign_in_benefit(benefit: Benefit, places: _Places) -> Benefit:
    if benefit.policy_expression is None:
        return benefit
    expression = _assign(benefit.policy_expression, places.of(benefit.benefit_key))
    return replace(benefit, policy_expression=expression)


class _Ids:
    """The quota ids that one place has to give: first those it had, then new ones."""

    def __init__(self, expression: PolicyExpression | None, new_id: Callable[[], str]) -> None:
        self._kept: dict[tuple[int, TimePeriod], deque[str]] = {}
        self._new_id = new_id
        for limit in rate_limits(expression):
            if limit.quota_id is not None:
                key = (limit.times, limit.time_period)
                self._kept.setdefault(key, deque()).append(limit.quota_id)

    def take(self, limit: RateLimitedPolicy) -> str:
        kept = self._kept.get((limit.times, limit.time_period))
        return kept.popleft() if kept else self._new_id()


class _Places:
    """The ids of every place of the old details: None for the pool-wide expression."""

    def __init__(self, old: Details | None, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._places: dict[str | None, _Ids] = {}
        if old is not None:
            self._places[None] = _Ids(old.policy_expression, new_id)
            for benefit in old.benefits or ():
                self._places[benefit.benefit_key] = _Ids(benefit.policy_expression, new_id)

    def of(self, benefit_key: str | None) -> _Ids:
        return self._places.setdefault(benefit_key, _Ids(None, self._new_id))


def _assign(expression: PolicyExpression, ids: _Ids, depth: int = 1) -> PolicyExpression:
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
    expressions: tuple[PolicyExpression, ...], ids: _Ids, depth: int
) -> tuple[PolicyExpression, ...]:
    return tuple([_assign(expression, ids, depth) for expression in expressions])


def _assign_in_policy(
    expression: PolicyExpression, policy: Policy | None, ids: _Ids
) -> PolicyExpression:
    if policy is None or policy.rate_limited_options is None:
        return expression
    limit = policy.rate_limited_options
    named = replace(policy, rate_limited_options=replace(limit, quota_id=ids.take(limit)))
    return replace(expression, policy_options=named)
