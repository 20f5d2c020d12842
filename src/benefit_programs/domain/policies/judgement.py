"""The judgement on a redemption: allowed or not, and why. Contract: Policies, Redeem.

A policy is fulfilled, not fulfilled, or undecided: undecided where a provider gave no answer, where
the app is unknown and the tenant refuses those, or where an expression makes no sense. Undecided
stays undecided under NOT, and decides nothing under AND and OR; what is undecided in the end is
refused. So a provider that is down never opens a door, not even one behind a NOT.
"""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from benefit_programs.domain.entities import QuotaShare
from benefit_programs.domain.explanations import FAILURES_MAX
from benefit_programs.domain.policies.expressions import EXPRESSION_DEPTH_MAX, custom_policy_key
from benefit_programs.domain.policies.facts import Facts, FailureDetail, PolicyApps
from benefit_programs.domain.policies.failures import (
    INVALID,
    MORE_FAILED,
    Reason,
    describe_failure,
)
from benefit_programs.domain.policies.intervals import contains
from benefit_programs.domain.policies.quotas import quota_shares

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benefit_programs.domain.details import CustomPolicy, Policy, PolicyExpression


class Judgement(msgspec.Struct, frozen=True):
    """Whether a redemption may happen, why not, and the quota shares that it takes if it does."""

    allowed: bool
    failures: tuple[FailureDetail, ...] = ()
    quota_shares: tuple[QuotaShare, ...] = ()


ALLOWED = Judgement(allowed=True)


def judge(expression: PolicyExpression | None, facts: Facts) -> Judgement:
    """Judge a redemption by what is known of it. No expression allows everything. Never raises."""
    if expression is None:
        return ALLOWED
    finding = _find(expression, facts, 1)
    shares = quota_shares(
        expression,
        at=facts.at,
        time_zone=facts.time_zone,
        count=facts.item_count,
        cycle=facts.cycle,
    )
    if finding.outcome:
        return Judgement(allowed=True, quota_shares=shares)
    failures = tuple(describe_failure(reason, facts) for reason in finding.unmet[:FAILURES_MAX])
    if len(finding.unmet) > FAILURES_MAX:
        failures = (*failures[:-1], MORE_FAILED)
    return Judgement(allowed=False, failures=failures or (INVALID,), quota_shares=shares)


class _Finding(NamedTuple):
    """The result of a node: why it is not fulfilled, and why it is (which a NOT above reports).

    Keeps one reason more than an answer holds, which shows that there are more.
    """

    outcome: bool | None
    unmet: tuple[Reason, ...]
    met: tuple[Reason, ...]


_NONSENSE = Reason(None, None)
_UNDECIDED = _Finding(None, (_NONSENSE,), (_NONSENSE,))


def _find(expression: PolicyExpression, facts: Facts, depth: int) -> _Finding:
    if depth > EXPRESSION_DEPTH_MAX:
        return _UNDECIDED
    if (inverted := expression.operator_not_options) is not None:
        inner = _find(inverted.expression, facts, depth + 1)
        outcome = None if inner.outcome is None else not inner.outcome
        return _Finding(outcome, inner.met, inner.unmet)
    if (joined := expression.operator_and_options) is not None:
        return _join([_find(part, facts, depth + 1) for part in joined.expressions], decisive=False)
    if (either := expression.operator_or_options) is not None:
        return _join([_find(part, facts, depth + 1) for part in either.expressions], decisive=True)
    if expression.policy_options is None:
        return _UNDECIDED
    return _find_policy(expression.policy_options, facts)


def _join(parts: list[_Finding], *, decisive: bool) -> _Finding:
    """AND, which one false part decides, or OR, which one true part decides."""
    outcomes = {part.outcome for part in parts}
    outcome = decisive if decisive in outcomes else None if None in outcomes else not decisive
    unmet = _first_reasons(part.unmet for part in parts) if outcome is not True else ()
    met = _first_reasons(part.met for part in parts) if outcome is not False else ()
    return _Finding(outcome, unmet, met)


def _first_reasons(reasons: Iterable[tuple[Reason, ...]]) -> tuple[Reason, ...]:
    return tuple(islice(chain.from_iterable(reasons), FAILURES_MAX + 1))


def _find_policy(policy: Policy, facts: Facts) -> _Finding:
    outcome = _is_fulfilled(policy, facts)
    reasons = (Reason(policy, outcome),)
    unmet = reasons if outcome is not True else ()
    return _Finding(outcome, unmet, reasons if outcome is not False else ())


def _is_fulfilled(policy: Policy, facts: Facts) -> bool | None:
    if policy.fixed_interval_options is not None:
        return contains(policy.fixed_interval_options, at=facts.at, time_zone=facts.time_zone)
    if (limit := policy.rate_limited_options) is not None:
        return facts.used(limit) + facts.item_count <= limit.times
    if (custom := policy.custom_options) is not None:
        verdict = facts.verdicts.get(custom_policy_key(custom))
        return verdict.fulfilled if verdict else _is_fulfilled_unasked(custom, facts.apps)
    return None


def _is_fulfilled_unasked(custom: CustomPolicy, apps: PolicyApps) -> bool | None:
    return None if apps.unknown_refused or custom.app_id in apps.registered else True
