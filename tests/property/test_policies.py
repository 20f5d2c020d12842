"""What policies promise for every expression, instant and time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
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
    Counts,
    Facts,
    Judgement,
    QuotaShare,
    contains,
    judge,
    period_start,
    quota_shares,
    rate_limits,
    window_length,
)
from benefit_programs.domain.settings import FirstDayOfWeek

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
quota_ids = st.sampled_from([None, "a", "b", "c"])
limits = st.one_of(
    st.builds(
        RateLimitedPolicy,
        times=st.integers(0, 5),
        time_period=st.sampled_from([each for each in TimePeriod if each != "ROLLING"]),
        quota_id=quota_ids,
    ),
    st.builds(
        RateLimitedPolicy,
        times=st.integers(0, 5),
        time_period=st.just(TimePeriod.ROLLING),
        quota_id=quota_ids.map(lambda name: name and f"rolling {name}"),
        rolling_duration=st.sampled_from(["PT1S", "P7D"]),
    ),
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
        counts = Counts(
            lambda _quota_id, _date: self.used, lambda _quota_id, _after: {self.at: self.used}
        )
        return judge(expression, Facts(self.at, self.zone, self.count, counts))


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


CALENDAR = (TimePeriod.DAY, TimePeriod.WEEK, TimePeriod.MONTH, TimePeriod.YEAR)


@given(st.sampled_from(CALENDAR), instants, zones, st.sampled_from(list(FirstDayOfWeek)))
def test_period_start_is_a_period(
    period: TimePeriod, at: int, zone: ZoneInfo, first_day: FirstDayOfWeek
) -> None:
    """A period's start lies in the period, not after the instant, and just after another period."""
    limit = RateLimitedPolicy(1, period)
    start = period_start(limit, at, zone, first_day)

    def shown(instant: int) -> object:
        return slow_period(period, slow_date(instant, zone), first_day)

    assert start <= at
    assert shown(start) == shown(at)
    assert shown(start - 1) != shown(at)
    assert period_start(limit, start, zone, first_day) == start


# A slow model: a list of uses, looked through one by one.


def slow_date(at: int, zone: ZoneInfo) -> date:
    return (EPOCH + timedelta(milliseconds=at)).astimezone(zone).date()


def slow_period(period: TimePeriod, day: date, first_day: FirstDayOfWeek) -> object:
    """Something that is the same for all days of a period, and for no other."""
    if period is TimePeriod.WEEK:
        names = [each.name for each in FirstDayOfWeek]
        while names[day.weekday()] != first_day.name:
            day -= timedelta(days=1)
        return day
    parts = {TimePeriod.DAY: 3, TimePeriod.MONTH: 2, TimePeriod.YEAR: 1, TimePeriod.LIFETIME: 0}
    return (day.year, day.month, day.day)[: parts[period]]


class Use(NamedTuple):
    """A redemption: when, the date that this was where the tenant lived then, and how many."""

    at: int
    day: date
    count: int


def slowly_used(
    limit: RateLimitedPolicy, at: int, zone: ZoneInfo, first_day: FirstDayOfWeek, uses: list[Use]
) -> int:
    if limit.time_period is not TimePeriod.ROLLING:
        here = slow_period(limit.time_period, slow_date(at, zone), first_day)
        return sum(
            use.count for use in uses if slow_period(limit.time_period, use.day, first_day) == here
        )
    length = window_length(limit)
    turns = {turn for use in uses for turn in (use.at, use.at + length - 1, use.at + length)}
    ends = {at, at + length - 1, *(turn for turn in turns if at <= turn < at + length)}
    return max(sum(use.count for use in uses if end - length < use.at <= end) for end in ends)


class Book:
    """What the service keeps: counts by quota and date or instant, and the shares of each use."""

    def __init__(self) -> None:
        self.kept: dict[int, int] = {}

    def counts(self) -> Counts:
        return Counts(
            lambda _id, day: self.kept.get(day, 0),
            lambda _id, after: {at: used for at, used in self.kept.items() if at > after},
        )

    def take(self, shares: tuple[QuotaShare, ...], sign: int = 1) -> None:
        for share in shares:
            self.kept[share.period_start] = (
                self.kept.get(share.period_start, 0) + sign * share.count
            )


# Close together, so that they meet: about two years, and the hours about a change of the clocks.
near = st.one_of(
    st.integers(-400, 400).map(lambda days: 1_774_746_000_000 + days * 86_400_000),
    st.integers(-2_000, 2_000).map(lambda quarters: 1_774_746_000_000 + quarters * 900_000),
)
steps = st.tuples(
    st.sampled_from(["redeem", "redeem", "redeem", "cancel", "move", "zone", "first day"]),
    near,
    st.integers(1, 3),
    zones,
    st.sampled_from(list(FirstDayOfWeek)),
    st.integers(0, 20),
)
any_limit = st.one_of(
    st.builds(
        RateLimitedPolicy,
        times=st.integers(1, 6),
        time_period=st.sampled_from([*CALENDAR, TimePeriod.LIFETIME]),
        quota_id=st.just("quota"),
    ),
    st.builds(
        RateLimitedPolicy,
        times=st.integers(1, 6),
        time_period=st.just(TimePeriod.ROLLING),
        quota_id=st.just("quota"),
        rolling_duration=st.sampled_from(["PT1H", "P1D", "P1DT6H", "P1W", "P30D", "P365D"]),
    ),
)


@given(any_limit, st.lists(steps, max_size=40))
def test_limits_agree_with_a_list_of_uses(
    limit: RateLimitedPolicy, history: list[tuple[Any, ...]]
) -> None:
    """Redeemed, moved and canceled in any order and zone: what is allowed is what a list says."""
    expression = PolicyExpression(policy_options=Policy(rate_limited_options=limit))
    zone, first_day, book = ZONES[0], FirstDayOfWeek.MONDAY, Book()
    standing: list[tuple[Use, tuple[QuotaShare, ...]]] = []
    for what, at, count, new_zone, new_first_day, choice in history:
        if what in ("redeem", "move"):
            moved = standing.pop(choice % len(standing)) if what == "move" and standing else None
            freed = moved[1] if moved else ()
            wanted = moved[0].count if moved else count
            facts = Facts(at, zone, wanted, book.counts(), first_day, freed=freed)
            judgement = judge(expression, facts)
            used = slowly_used(limit, at, zone, first_day, [use for use, _ in standing])
            assert judgement.allowed is (used + wanted <= limit.times)
            assert facts.used(limit) == used
            if judgement.allowed:
                book.take(freed, -1)
                book.take(judgement.quota_shares)
                standing.append((Use(at, slow_date(at, zone), wanted), judgement.quota_shares))
            elif moved:
                standing.append(moved)
        elif what == "cancel" and standing:
            book.take(standing.pop(choice % len(standing))[1], -1)
        elif what == "zone":
            zone = new_zone
        elif what == "first day":
            first_day = new_first_day
    assert sum(book.kept.values()) == sum(use.count for use, _ in standing)
