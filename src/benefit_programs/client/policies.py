"""Short functions for policies: when a benefit may be redeemed.

    all_of(weekly(WeekDay.MONDAY, WeekDay.SATURDAY), at_most(2, TimePeriod.DAY))

Times of day are in the time zone of the tenant. Intervals include their start and exclude their
end. One that ends before it begins goes past midnight, or past the end of the week.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Any

from benefit_programs.client.generated.enums import (
    PolicyExpressionType,
    PolicyType,
    TimePeriod,
    WeekDay,
)
from benefit_programs.client.types.details import (
    CustomPolicy,
    FixedIntervalPolicy,
    Policy,
    PolicyExpression,
    PolicyExpressionAnd,
    PolicyExpressionNot,
    PolicyExpressionOr,
    RateLimitedPolicy,
)

MIDNIGHT = time()


def all_of(*expressions: PolicyExpression) -> PolicyExpression:
    """Fulfilled if all of 2 to 10 expressions are."""
    return PolicyExpression(
        type=PolicyExpressionType.OPERATOR_AND,
        operator_and_options=PolicyExpressionAnd(expressions=expressions),
    )


def any_of(*expressions: PolicyExpression) -> PolicyExpression:
    """Fulfilled if one of 2 to 10 expressions is."""
    return PolicyExpression(
        type=PolicyExpressionType.OPERATOR_OR,
        operator_or_options=PolicyExpressionOr(expressions=expressions),
    )


def unless(expression: PolicyExpression) -> PolicyExpression:
    """Fulfilled if the expression isn't."""
    return PolicyExpression(
        type=PolicyExpressionType.OPERATOR_NOT,
        operator_not_options=PolicyExpressionNot(expression=expression),
    )


def daily(start: time, end: time) -> PolicyExpression:
    """Fulfilled each day from one time to another, to the minute."""
    interval = FixedIntervalPolicy(
        from_hour=start.hour, from_minute=start.minute, to_hour=end.hour, to_minute=end.minute
    )
    return _fixed_interval(interval)


def weekly(
    first: WeekDay, last: WeekDay, *, start: time = MIDNIGHT, end: time = MIDNIGHT
) -> PolicyExpression:
    """Fulfilled each week from a time of one day to a time of another, to the minute."""
    interval = FixedIntervalPolicy(
        from_week_day=first,
        from_hour=start.hour,
        from_minute=start.minute,
        to_week_day=last,
        to_hour=end.hour,
        to_minute=end.minute,
    )
    return _fixed_interval(interval)


def at_most(times: int, period: TimePeriod) -> PolicyExpression:
    """Fulfilled for that many redeemed items per day, week, month, year or cycle, or in all."""
    return _rate_limited(RateLimitedPolicy(times=times, time_period=period))


def at_most_within(times: int, duration: str) -> PolicyExpression:
    """Fulfilled for that many redeemed items within any such time, for example "P7D" or "PT12H"."""
    return _rate_limited(
        RateLimitedPolicy(times=times, time_period=TimePeriod.ROLLING, rolling_duration=duration)
    )


def custom(
    app_id: str, *, policy_id: str | None = None, additional_data: Mapping[str, Any] | None = None
) -> PolicyExpression:
    """Fulfilled if the provider that is registered for the app says so."""
    options = CustomPolicy(id=policy_id, app_id=app_id, additional_data=additional_data)
    return _single(Policy(type=PolicyType.CUSTOM, custom_options=options))


def _fixed_interval(interval: FixedIntervalPolicy) -> PolicyExpression:
    return _single(Policy(type=PolicyType.FIXED_INTERVAL, fixed_interval_options=interval))


def _rate_limited(limit: RateLimitedPolicy) -> PolicyExpression:
    return _single(Policy(type=PolicyType.RATE_LIMITED, rate_limited_options=limit))


def _single(policy: Policy) -> PolicyExpression:
    return PolicyExpression(type=PolicyExpressionType.POLICY, policy_options=policy)
