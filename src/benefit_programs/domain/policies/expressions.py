"""Walks over policy expressions: which policies stand in one, and which expression binds.

A node has one option. One with none, which no decoder lets through, is skipped by the walks and
refused by the judgement.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from benefit_programs.domain.details import TimePeriod

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benefit_programs.domain.details import (
        Benefit,
        CustomPolicy,
        Details,
        Policy,
        PolicyExpression,
        RateLimitedPolicy,
    )

EXPRESSION_DEPTH_MAX = 100
"""How deep operators may nest. Deeper expressions are never fulfilled, and carry no quotas."""


class CustomPolicyKey(NamedTuple):
    """What a custom policy says. Equal policies of one redemption share a verdict."""

    app_id: str | None
    policy_id: str | None
    additional_data: str


def custom_policy_key(policy: CustomPolicy) -> CustomPolicyKey:
    """The key under which the verdict on a custom policy is looked up.

    Data that nests too deep to be written down, and so can't be asked about either, is all one.
    """
    try:
        text = json.dumps(policy.additional_data or {}, sort_keys=True)
    except RecursionError:
        text = ""
    return CustomPolicyKey(policy.app_id, policy.id, text)


def policy_of(details: Details, benefit: Benefit) -> PolicyExpression | None:
    """The expression that binds a benefit: its own, else that of all benefits, if there is one."""
    return benefit.policy_expression or details.policy_expression


def custom_policies(expression: PolicyExpression | None) -> tuple[CustomPolicy, ...]:
    """The custom policies of an expression in their order, equal ones once."""
    found = (policy.custom_options for policy in _policies(expression))
    return tuple({custom_policy_key(policy): policy for policy in found if policy}.values())


def rate_limits(expression: PolicyExpression | None) -> tuple[RateLimitedPolicy, ...]:
    found = (policy.rate_limited_options for policy in _policies(expression))
    return tuple(policy for policy in found if policy)


def counts_cycles(expression: PolicyExpression | None) -> bool:
    """Whether a judgement on an expression has to know the dates of the program."""
    return any(limit.time_period is TimePeriod.CYCLE for limit in rate_limits(expression))


def operands(expression: PolicyExpression) -> tuple[PolicyExpression, ...]:
    if expression.operator_not_options:
        return (expression.operator_not_options.expression,)
    if expression.operator_and_options:
        return expression.operator_and_options.expressions
    if expression.operator_or_options:
        return expression.operator_or_options.expressions
    return ()


def _policies(expression: PolicyExpression | None) -> Iterator[Policy]:
    """The policies of a tree from left to right, as deep as EXPRESSION_DEPTH_MAX."""
    waiting = [(expression, 1)] if expression else []
    while waiting:
        node, depth = waiting.pop()
        if node.policy_options and not operands(node):
            yield node.policy_options
        if depth < EXPRESSION_DEPTH_MAX:
            waiting.extend((operand, depth + 1) for operand in reversed(operands(node)))
