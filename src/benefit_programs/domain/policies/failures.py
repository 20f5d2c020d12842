"""Failure details: what a refusal says of the policies that stood in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benefit_programs.domain.details import TimePeriod
from benefit_programs.domain.policies.calendar import EPOCH, MILLISECOND, period_start
from benefit_programs.domain.policies.expressions import custom_policy_key
from benefit_programs.domain.policies.facts import (
    CODE_LENGTH_MAX,
    MESSAGE_LENGTH_MAX,
    FailureCode,
    FailureDetail,
)
from benefit_programs.domain.policies.intervals import (
    describe_interval,
    describe_minute,
    minute_of_week,
)

if TYPE_CHECKING:
    from benefit_programs.domain.details import (
        CustomPolicy,
        FixedIntervalPolicy,
        Policy,
        RateLimitedPolicy,
    )
    from benefit_programs.domain.policies.facts import Facts
    from benefit_programs.domain.values import Instant

INVALID = FailureDetail(
    code=FailureCode.POLICY_EXPRESSION_INVALID,
    message="the policy expression holds no policy, or nests too deep",
)
MORE_FAILED = FailureDetail(
    code=FailureCode.MORE_POLICIES_FAILED,
    message="more policies stand in the way than can be told here",
)


class Reason(NamedTuple):
    """A policy that made an outcome; no policy stands for an expression that makes no sense."""

    policy: Policy | None
    outcome: bool | None


def describe_failure(reason: Reason, facts: Facts) -> FailureDetail:
    policy, outcome = reason
    if policy is None:
        return INVALID
    if policy.fixed_interval_options is not None:
        return _describe_interval(policy.fixed_interval_options, facts, excluded=outcome is True)
    if policy.rate_limited_options is not None:
        return _describe_limit(policy.rate_limited_options, facts, excluded=outcome is True)
    if policy.custom_options is not None:
        return _describe_custom(policy.custom_options, reason, facts)
    return INVALID


def _describe_interval(
    interval: FixedIntervalPolicy, facts: Facts, *, excluded: bool
) -> FailureDetail:
    now = describe_minute(minute_of_week(facts.at, facts.time_zone))
    code, verb = FailureCode.FIXED_INTERVAL_NOT_FULFILLED, "does not lie in"
    if excluded:
        code, verb = FailureCode.FIXED_INTERVAL_EXCLUDED, "lies in"
    words = describe_interval(interval)
    return FailureDetail(
        code=code,
        message=_cut(f"{now} {verb} {words} ({facts.time_zone})", MESSAGE_LENGTH_MAX),
        error_data={"localTime": now, "interval": words, "timeZone": str(facts.time_zone)},
    )


def _describe_limit(limit: RateLimitedPolicy, facts: Facts, *, excluded: bool) -> FailureDetail:
    used, wanted = facts.used(limit), facts.item_count
    code = FailureCode.RATE_LIMIT_EXCEEDED
    message = f"{used} of {limit.times} {_period(limit)} are used, {wanted} more are wanted"
    if excluded:
        code = FailureCode.RATE_LIMIT_NOT_REACHED
        message += ": the limit has yet to be reached"
    data = {
        "times": limit.times,
        "timePeriod": limit.time_period.value,
        "used": used,
        "requested": wanted,
    }
    if limit.rolling_duration is not None:
        data["rollingDuration"] = limit.rolling_duration
    if (start := _start(limit, facts)) is not None:
        data["periodStart"] = _instant_text(start)
    return FailureDetail(code=code, message=_cut(message, MESSAGE_LENGTH_MAX), error_data=data)


def _period(limit: RateLimitedPolicy) -> str:
    if limit.time_period is TimePeriod.ROLLING:
        return f"within {limit.rolling_duration}"
    if limit.time_period is TimePeriod.LIFETIME:
        return "in all"
    return f"a {limit.time_period.value.lower()}"


def _start(limit: RateLimitedPolicy, facts: Facts) -> Instant | None:
    """The first instant that counts with the redemption's; None if it never began."""
    if limit.time_period is TimePeriod.LIFETIME:
        return None
    if limit.time_period is TimePeriod.CYCLE:
        return facts.cycle.start
    if limit.time_period is TimePeriod.ROLLING:
        return facts.window(limit).start
    return period_start(limit, facts.at, facts.time_zone, facts.first_day)


def _describe_custom(custom: CustomPolicy, reason: Reason, facts: Facts) -> FailureDetail:
    verdict = facts.verdicts.get(custom_policy_key(custom))
    if reason.outcome is True:
        detail = _EXCLUDED
    elif verdict is not None:
        detail = verdict.failure or _REFUSED
    else:
        detail = _NOT_ASKED if custom.app_id in facts.apps.registered else _APP_UNKNOWN
    return FailureDetail(
        code=_cut(detail.code, CODE_LENGTH_MAX) or FailureCode.CUSTOM_POLICY_NOT_FULFILLED,
        message=_cut(detail.message, MESSAGE_LENGTH_MAX) if detail.message else None,
        policy_id=custom.id,
        app_id=custom.app_id,
        error_data=detail.error_data,
    )


_EXCLUDED = FailureDetail(
    code=FailureCode.CUSTOM_POLICY_EXCLUDED, message="the custom policy is fulfilled"
)
_REFUSED = FailureDetail(
    code=FailureCode.CUSTOM_POLICY_NOT_FULFILLED, message="the custom policy is not fulfilled"
)
_NOT_ASKED = FailureDetail(
    code=FailureCode.PROVIDER_NOT_ASKED, message="the app's policy provider was not asked"
)
_APP_UNKNOWN = FailureDetail(
    code=FailureCode.POLICY_APP_UNKNOWN, message="no policy provider is registered for the app"
)


def _cut(text: str, length_max: int) -> str:
    return text if len(text) <= length_max else text[: length_max - 1] + "…"


def _instant_text(at: Instant) -> str:
    try:
        moment = EPOCH + at * MILLISECOND
    except OverflowError:
        return str(at)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
