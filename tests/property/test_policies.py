"""What policies promise for every expression, instant and time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from benefit_programs.domain.details import (
    FixedIntervalPolicy,
    Policy,
    PolicyExpression,
    PolicyExpressionAnd,
    PolicyExpressionNot,
    PolicyExpressionOr,
    RateLimitedPolicy,
    TimePeriod,
    WeekDay,
)
from benefit_programs.domain.explanations import FAILURES_MAX
from benefit_programs.domain.policies import (
    Judgement,
    contains,
    judge,
    period_start,
    quota_shares,
    rate_limits,
)

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = [
    ZoneInfo(name)
    for name in (
        "UTC",
        "Europe/Berlin",
        "America/Sao_Paulo",
        "America/Havana",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Asia/Kathmandu",
        "Africa/Monrovia",
    )
]
zones = st.sampled_from(ZONES)
# 1900 to 2100; the hours about each change of the German clocks come often.
instants = st.one_of(
    st.integers(-2_208_988_800_000, 4_102_444_800_000),
    st.integers(-7_200_000, 7_200_000).map(lambda off: 1_774_746_000_000 + off),
    st.integers(-7_200_000, 7_200_000).map(lambda off: 1_792_890_000_000 + off),
)
week_days = st.sampled_from([day for day in WeekDay if day is not WeekDay.UNKNOWN])
hours, minutes = st.integers(0, 23), st.integers(0, 59)
moments = st.tuples(week_days, hours, minutes)
intervals = st.builds(
    FixedIntervalPolicy,
    from_week_day=st.none() | st.sampled_from(list(WeekDay)),
    to_week_day=st.none() | st.sampled_from(list(WeekDay)),
    from_hour=st.none() | hours,
    to_hour=st.none() | hours,
    from_minute=st.none() | minutes,
    to_minute=st.none() | minutes,
)
limits = st.builds(
    RateLimitedPolicy,
    times=st.integers(0, 5),
    time_period=st.sampled_from(list(TimePeriod)),
    quota_id=st.sampled_from([None, "a", "b", "c"]),
)
policies = st.one_of(
    intervals.map(lambda interval: Policy(fixed_interval_options=interval)),
    limits.map(lambda limit: Policy(rate_limited_options=limit)),
).map(lambda policy: PolicyExpression(policy_options=policy))


def negation(expression: PolicyExpression) -> PolicyExpression:
    return PolicyExpression(operator_not_options=PolicyExpressionNot(expression))


def all_of(expressions: list[PolicyExpression]) -> PolicyExpression:
    return PolicyExpression(operator_and_options=PolicyExpressionAnd(tuple(expressions)))


def any_of(expressions: list[PolicyExpression]) -> PolicyExpression:
    return PolicyExpression(operator_or_options=PolicyExpressionOr(tuple(expressions)))


expressions = st.recursive(
    policies,
    lambda inner: st.one_of(
        inner.map(negation),
        st.lists(inner, min_size=2, max_size=10).map(all_of),
        st.lists(inner, min_size=2, max_size=10).map(any_of),
    ),
    max_leaves=25,
)


class Circumstances:
    """One redemption, with which any expression can be judged."""

    def __init__(self, at: int, zone: ZoneInfo, count: int, used: int) -> None:
        self.at, self.zone, self.count, self.used = at, zone, count, used

    def judge(self, expression: PolicyExpression) -> Judgement:
        return judge(
            expression,
            at=self.at,
            time_zone=self.zone,
            count=self.count,
            quota_used=lambda _quota_id, _start: self.used,
        )


@st.composite
def circumstances(draw: DrawFn) -> Circumstances:
    counts = st.integers(1, 4)
    return Circumstances(draw(instants), draw(zones), draw(counts), draw(st.integers(0, 4)))


def between(first: tuple[WeekDay, int, int], last: tuple[WeekDay, int, int]) -> FixedIntervalPolicy:
    return FixedIntervalPolicy(first[0], last[0], first[1], last[1], first[2], last[2])


@given(moments, moments, instants, zones)
def test_interval_and_complement(
    first: tuple[WeekDay, int, int], last: tuple[WeekDay, int, int], at: int, zone: ZoneInfo
) -> None:
    """A weekly interval and its complement cover every instant exactly once."""
    inside = contains(between(first, last), at=at, time_zone=zone)
    outside = contains(between(last, first), at=at, time_zone=zone)
    assert (inside and outside) if first == last else inside is not outside


@given(intervals, instants, zones)
def test_interval_agrees_with_the_calendar(
    interval: FixedIntervalPolicy, at: int, zone: ZoneInfo
) -> None:
    """What an interval holds depends on the shown weekday, hour and minute alone."""
    shown = (EPOCH + timedelta(milliseconds=at)).astimezone(zone)
    same = datetime(2026, 11, 23 + shown.weekday(), shown.hour, shown.minute, tzinfo=UTC)
    plain = round(same.timestamp() * 1000)
    assert contains(interval, at=at, time_zone=zone) is (
        contains(interval, at=plain, time_zone=ZoneInfo("UTC"))
    )


@given(expressions, circumstances())
def test_not_inverts(expression: PolicyExpression, facts: Circumstances) -> None:
    """NOT allows what its operand refuses, and the other way round."""
    assert facts.judge(negation(expression)).allowed is not facts.judge(expression).allowed


@given(st.lists(expressions, min_size=2, max_size=10), circumstances())
def test_and_or(operands: list[PolicyExpression], facts: Circumstances) -> None:
    """AND allows what all of its operands allow, OR what any of them allows."""
    allowed = [facts.judge(operand).allowed for operand in operands]
    assert facts.judge(all_of(operands)).allowed is all(allowed)
    assert facts.judge(any_of(operands)).allowed is any(allowed)


@given(expressions, circumstances())
def test_refusals_have_bounded_reasons(expression: PolicyExpression, facts: Circumstances) -> None:
    """A refusal has 1 to 10 reasons within the contract's lengths; an allowance has none."""
    judgement = facts.judge(expression)
    if judgement.allowed:
        assert judgement.failures == ()
    else:
        assert 1 <= len(judgement.failures) <= FAILURES_MAX
    for failure in judgement.failures:
        assert 1 <= len(failure.code) <= 64
        assert len(failure.message or "") <= 256


@given(expressions, circumstances())
def test_shares_do_not_depend_on_the_outcome(
    expression: PolicyExpression, facts: Circumstances
) -> None:
    """A redemption counts the same on the quotas of its expression, allowed or not, NOT or not."""
    expected = quota_shares(expression, at=facts.at, time_zone=facts.zone, count=facts.count)
    assert facts.judge(expression).quota_shares == expected
    assert facts.judge(negation(expression)).quota_shares == expected
    assert {share.quota_id for share in expected} == {
        limit.quota_id for limit in rate_limits(expression) if limit.quota_id
    }


@given(st.sampled_from(list(TimePeriod)), instants, zones)
def test_period_start_is_a_period(period: TimePeriod, at: int, zone: ZoneInfo) -> None:
    """A period's start lies in the period, not after the instant, and just after another period."""
    limit = RateLimitedPolicy(1, period)
    start = period_start(limit, at, zone)

    def shown(instant: int) -> tuple[int, ...]:
        local = (EPOCH + timedelta(milliseconds=instant)).astimezone(zone)
        day = (local.year, local.month, local.day)
        return day if period is TimePeriod.DAY else day[:2]

    assert start <= at
    assert shown(start) == shown(at)
    assert shown(start - 1) != shown(at)
    assert period_start(limit, start, zone) == start
