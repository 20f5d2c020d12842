"""What policies promise: intervals and their edges, rate limits, reasons, and ids of quotas."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from benefit_programs.domain.details import (
    Benefit,
    CustomPolicy,
    Details,
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
    EXPRESSION_DEPTH_MAX,
    Counts,
    Facts,
    FailureCode,
    FailureDetail,
    Judgement,
    PolicyApps,
    QuotaShare,
    Verdict,
    assign_quota_ids,
    contains,
    custom_policies,
    custom_policy_key,
    judge,
    period_dates,
    period_start,
    policy_of,
    quota_shares,
    rate_limits,
)
from benefit_programs.domain.settings import FirstDayOfWeek

if TYPE_CHECKING:
    from collections.abc import Callable

FROM_MONDAY, FROM_SUNDAY = FirstDayOfWeek.MONDAY, FirstDayOfWeek.SUNDAY
UTC_ZONE = ZoneInfo("UTC")
DAILY = TimePeriod.DAY
MONTHLY = TimePeriod.MONTH


def instant(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def date(text: str) -> int:
    """A local date in days since 1970."""
    return instant(text) // 86_400_000


def policy(**options: Any) -> PolicyExpression:
    return PolicyExpression(policy_options=Policy(**options))


def interval(**fields: Any) -> PolicyExpression:
    return policy(fixed_interval_options=FixedIntervalPolicy(**fields))


def limit(
    times: int, period: TimePeriod = DAILY, quota_id: str | None = "quota"
) -> PolicyExpression:
    return policy(rate_limited_options=RateLimitedPolicy(times, period, quota_id))


def rolling(times: int, duration: str, quota_id: str | None = "quota") -> PolicyExpression:
    return policy(
        rate_limited_options=RateLimitedPolicy(times, TimePeriod.ROLLING, quota_id, duration)
    )


def custom(
    app_id: str | None = "app", data: dict[str, Any] | None = None, policy_id: str | None = None
) -> PolicyExpression:
    return policy(custom_options=CustomPolicy(policy_id, app_id, data))


def negation(expression: PolicyExpression) -> PolicyExpression:
    return PolicyExpression(operator_not_options=PolicyExpressionNot(expression))


def all_of(*expressions: PolicyExpression) -> PolicyExpression:
    return PolicyExpression(operator_and_options=PolicyExpressionAnd(expressions))


def any_of(*expressions: PolicyExpression) -> PolicyExpression:
    return PolicyExpression(operator_or_options=PolicyExpressionOr(expressions))


NOON = instant("2026-11-23T12:00")
ALWAYS = interval()
NEVER = negation(ALWAYS)


def judged(expression: PolicyExpression | None, **changes: Any) -> Judgement:
    facts: dict[str, Any] = {
        "at": NOON,
        "time_zone": UTC_ZONE,
        "item_count": 1,
        "counts": counts(lambda _quota_id, _date: 0),
    }
    return judge(expression, Facts(**(facts | changes)))


def counts(on: Callable[[str, int], int], uses: dict[int, int] | None = None) -> Counts:
    """Counts under dates, and the uses of whatever limit rolls."""
    return Counts(
        on, lambda _quota_id, after: {at: n for at, n in (uses or {}).items() if at > after}
    )


def codes(judgement: Judgement) -> list[str]:
    return [failure.code for failure in judgement.failures]


DAY_EDGES = [
    # 2026-11-23 is a Monday.
    ({}, "2026-11-23T00:00", True),
    ({}, "2026-11-23T23:59:59.999", True),
    ({"from_hour": 9, "to_hour": 17}, "2026-11-23T08:59:59.999", False),
    ({"from_hour": 9, "to_hour": 17}, "2026-11-23T09:00", True),
    ({"from_hour": 9, "to_hour": 17}, "2026-11-23T16:59:59.999", True),
    ({"from_hour": 9, "to_hour": 17}, "2026-11-23T17:00", False),
    ({"from_hour": 9, "from_minute": 30, "to_hour": 9, "to_minute": 31}, "2026-11-23T09:29", False),
    ({"from_hour": 9, "from_minute": 30, "to_hour": 9, "to_minute": 31}, "2026-11-23T09:30", True),
    ({"from_hour": 9, "from_minute": 30, "to_hour": 9, "to_minute": 31}, "2026-11-23T09:31", False),
    ({"from_hour": 22, "to_hour": 6}, "2026-11-23T21:59:59.999", False),
    ({"from_hour": 22, "to_hour": 6}, "2026-11-23T22:00", True),
    ({"from_hour": 22, "to_hour": 6}, "2026-11-24T00:00", True),
    ({"from_hour": 22, "to_hour": 6}, "2026-11-24T05:59:59.999", True),
    ({"from_hour": 22, "to_hour": 6}, "2026-11-24T06:00", False),
    ({"from_hour": 18}, "2026-11-23T17:59:59.999", False),
    ({"from_hour": 18}, "2026-11-23T18:00", True),
    ({"from_hour": 18}, "2026-11-23T23:59:59.999", True),
    ({"from_hour": 18}, "2026-11-24T00:00", False),
    ({"from_hour": 18, "to_hour": 0}, "2026-11-23T23:59:59.999", True),
    ({"from_hour": 18, "to_hour": 0}, "2026-11-24T00:00", False),
    ({"to_hour": 6}, "2026-11-23T00:00", True),
    ({"to_hour": 6}, "2026-11-23T05:59:59.999", True),
    ({"to_hour": 6}, "2026-11-23T06:00", False),
    ({"from_minute": 15, "to_minute": 45}, "2026-11-23T00:15", True),
    ({"from_minute": 15, "to_minute": 45}, "2026-11-23T00:45", False),
    ({"from_minute": 15, "to_minute": 45}, "2026-11-23T01:15", False),
    ({"from_hour": 9, "to_hour": 9}, "2026-11-23T08:59:59.999", True),
    ({"from_hour": 9, "to_hour": 9}, "2026-11-23T09:00", True),
    ({"from_week_day": WeekDay.UNKNOWN, "to_week_day": WeekDay.UNKNOWN}, "2026-11-23T03:00", True),
    ({"from_week_day": WeekDay.UNKNOWN, "from_hour": 9}, "2026-11-23T08:59", False),
]

MONDAY_TO_FRIDAY = {
    "from_week_day": WeekDay.MONDAY,
    "to_week_day": WeekDay.FRIDAY,
    "from_hour": 9,
    "to_hour": 17,
}
WEEKEND = {
    "from_week_day": WeekDay.FRIDAY,
    "to_week_day": WeekDay.MONDAY,
    "from_hour": 18,
    "to_hour": 8,
}
TUESDAY_TO_WEDNESDAY = {"from_week_day": WeekDay.TUESDAY, "to_week_day": WeekDay.WEDNESDAY}
WHOLE_WEEK = {"from_week_day": WeekDay.MONDAY, "to_week_day": WeekDay.SUNDAY}
SUNDAY = {"from_week_day": WeekDay.SUNDAY, "to_week_day": WeekDay.SUNDAY}
SAME_MINUTE = {
    "from_week_day": WeekDay.TUESDAY,
    "to_week_day": WeekDay.TUESDAY,
    "from_hour": 9,
    "to_hour": 9,
}
ALL_BUT_TUESDAY_MORNING = SAME_MINUTE | {"from_hour": 12, "to_hour": 9}
FROM_SUNDAY_NIGHT = {"from_week_day": WeekDay.SUNDAY, "from_hour": 22, "to_hour": 6}
TO_MONDAY_MORNING = {"to_week_day": WeekDay.MONDAY, "from_hour": 22, "to_hour": 6}
ONLY_TUESDAY = {"from_week_day": WeekDay.TUESDAY}
TUESDAY_TO_ITS_END = {"to_week_day": WeekDay.TUESDAY, "from_hour": 20}

WEEK_EDGES = [
    (MONDAY_TO_FRIDAY, "2026-11-23T08:59:59.999", False),
    (MONDAY_TO_FRIDAY, "2026-11-23T09:00", True),
    (MONDAY_TO_FRIDAY, "2026-11-25T03:00", True),
    (MONDAY_TO_FRIDAY, "2026-11-27T16:59:59.999", True),
    (MONDAY_TO_FRIDAY, "2026-11-27T17:00", False),
    (WEEKEND, "2026-11-27T17:59:59.999", False),
    (WEEKEND, "2026-11-27T18:00", True),
    (WEEKEND, "2026-11-29T23:59:59.999", True),
    (WEEKEND, "2026-11-30T00:00", True),
    (WEEKEND, "2026-11-30T07:59:59.999", True),
    (WEEKEND, "2026-11-30T08:00", False),
    (TUESDAY_TO_WEDNESDAY, "2026-11-23T23:59:59.999", False),
    (TUESDAY_TO_WEDNESDAY, "2026-11-24T00:00", True),
    (TUESDAY_TO_WEDNESDAY, "2026-11-25T23:59:59.999", True),
    (TUESDAY_TO_WEDNESDAY, "2026-11-26T00:00", False),
    (WHOLE_WEEK, "2026-11-23T00:00", True),
    (WHOLE_WEEK, "2026-11-29T23:59:59.999", True),
    (SUNDAY, "2026-11-28T23:59:59.999", False),
    (SUNDAY, "2026-11-29T00:00", True),
    (SUNDAY, "2026-11-29T23:59:59.999", True),
    (SUNDAY, "2026-11-30T00:00", False),
    (SAME_MINUTE, "2026-11-24T08:59:59.999", True),
    (SAME_MINUTE, "2026-11-24T09:00", True),
    (ALL_BUT_TUESDAY_MORNING, "2026-11-24T08:59:59.999", True),
    (ALL_BUT_TUESDAY_MORNING, "2026-11-24T09:00", False),
    (ALL_BUT_TUESDAY_MORNING, "2026-11-24T11:59:59.999", False),
    (ALL_BUT_TUESDAY_MORNING, "2026-11-24T12:00", True),
    (FROM_SUNDAY_NIGHT, "2026-11-29T21:59:59.999", False),
    (FROM_SUNDAY_NIGHT, "2026-11-29T22:00", True),
    (FROM_SUNDAY_NIGHT, "2026-11-30T05:59:59.999", True),
    (FROM_SUNDAY_NIGHT, "2026-11-30T06:00", False),
    (FROM_SUNDAY_NIGHT, "2026-11-30T22:00", False),
    (TO_MONDAY_MORNING, "2026-11-29T21:59:59.999", False),
    (TO_MONDAY_MORNING, "2026-11-29T22:00", True),
    (TO_MONDAY_MORNING, "2026-11-30T05:59:59.999", True),
    (TO_MONDAY_MORNING, "2026-11-30T06:00", False),
    (TO_MONDAY_MORNING, "2026-11-30T22:00", False),
    (ONLY_TUESDAY, "2026-11-23T23:59:59.999", False),
    (ONLY_TUESDAY, "2026-11-24T00:00", True),
    (ONLY_TUESDAY, "2026-11-24T23:59:59.999", True),
    (ONLY_TUESDAY, "2026-11-25T00:00", False),
    (TUESDAY_TO_ITS_END, "2026-11-24T19:59:59.999", False),
    (TUESDAY_TO_ITS_END, "2026-11-24T20:00", True),
    (TUESDAY_TO_ITS_END, "2026-11-24T23:59:59.999", True),
    (TUESDAY_TO_ITS_END, "2026-11-25T00:00", False),
    # Before 1970 the week goes on backwards: 1969-12-28 was a Sunday.
    (SUNDAY, "1969-12-28T00:00", True),
    (SUNDAY, "1969-12-27T23:59:59.999", False),
]

NIGHT = {"from_hour": 2, "to_hour": 3}
CLOCK_CHANGES = [
    # Berlin, spring: 02:00 becomes 03:00, so that the hour never comes.
    ("Europe/Berlin", NIGHT, "2026-03-29T00:59:59.999", False),
    ("Europe/Berlin", NIGHT, "2026-03-29T01:00", False),
    ("Europe/Berlin", {"from_hour": 1, "to_hour": 4}, "2026-03-29T01:59:59.999", True),
    ("Europe/Berlin", {"from_hour": 1, "to_hour": 4}, "2026-03-29T02:00", False),
    # Berlin, autumn: 03:00 becomes 02:00, so that the hour comes twice.
    ("Europe/Berlin", NIGHT, "2026-10-24T23:59:59.999", False),
    ("Europe/Berlin", NIGHT, "2026-10-25T00:00", True),
    ("Europe/Berlin", NIGHT, "2026-10-25T01:00", True),
    ("Europe/Berlin", NIGHT, "2026-10-25T01:59:59.999", True),
    ("Europe/Berlin", NIGHT, "2026-10-25T02:00", False),
    # São Paulo, 2018: midnight becomes 01:00, so that Sunday begins at 01:00.
    ("America/Sao_Paulo", SUNDAY, "2018-11-04T02:59:59.999", False),
    ("America/Sao_Paulo", SUNDAY, "2018-11-04T03:00", True),
    ("America/Sao_Paulo", {"to_hour": 1}, "2018-11-04T03:00", False),
    # Lord Howe Island changes by half an hour: 02:00 becomes 02:30, and 02:00 becomes 01:30.
    ("Australia/Lord_Howe", NIGHT, "2026-10-03T15:29:59.999", False),
    ("Australia/Lord_Howe", NIGHT, "2026-10-03T15:30", True),
    ("Australia/Lord_Howe", NIGHT, "2026-10-03T15:59:59.999", True),
    ("Australia/Lord_Howe", NIGHT, "2026-10-03T16:00", False),
    ("Australia/Lord_Howe", {"from_hour": 1, "to_hour": 2}, "2026-04-04T15:00", True),
    ("Australia/Lord_Howe", {"from_hour": 1, "to_hour": 2}, "2026-04-04T15:29:59.999", True),
    ("Australia/Lord_Howe", {"from_hour": 1, "to_hour": 2}, "2026-04-04T15:30", False),
]

PERIOD_STARTS = [
    (DAILY, "UTC", "2026-11-23T00:00", "2026-11-23T00:00"),
    (DAILY, "UTC", "2026-11-22T23:59:59.999", "2026-11-22T00:00"),
    (MONTHLY, "UTC", "2026-10-31T23:59:59.999", "2026-10-01T00:00"),
    (MONTHLY, "UTC", "2026-11-01T00:00", "2026-11-01T00:00"),
    (MONTHLY, "UTC", "2026-12-31T23:59:59.999", "2026-12-01T00:00"),
    (MONTHLY, "UTC", "2024-02-29T12:00", "2024-02-01T00:00"),
    (MONTHLY, "UTC", "1969-12-31T23:59:59.999", "1969-12-01T00:00"),
    (TimePeriod.WEEK, "UTC", "2026-11-29T23:59:59.999", "2026-11-23T00:00"),
    (TimePeriod.WEEK, "Europe/Berlin", "2026-11-22T23:00", "2026-11-22T23:00"),
    (TimePeriod.YEAR, "UTC", "2024-12-31T23:59:59.999", "2024-01-01T00:00"),
    (TimePeriod.YEAR, "Europe/Berlin", "2026-12-31T23:00", "2026-12-31T23:00"),
    (DAILY, "Europe/Berlin", "2026-11-22T23:00", "2026-11-22T23:00"),
    (DAILY, "Europe/Berlin", "2026-11-22T22:59:59.999", "2026-11-21T23:00"),
    (DAILY, "Europe/Berlin", "2026-03-29T21:59:59.999", "2026-03-28T23:00"),
    (DAILY, "Europe/Berlin", "2026-03-29T22:00", "2026-03-29T22:00"),
    (DAILY, "Europe/Berlin", "2026-10-25T22:59:59.999", "2026-10-24T22:00"),
    (DAILY, "Europe/Berlin", "2026-10-25T23:00", "2026-10-25T23:00"),
    (MONTHLY, "Europe/Berlin", "2026-03-31T21:59:59.999", "2026-02-28T23:00"),
    (MONTHLY, "Europe/Berlin", "2026-03-31T22:00", "2026-03-31T22:00"),
    (MONTHLY, "Europe/Berlin", "2026-10-31T22:59:59.999", "2026-09-30T22:00"),
    # Midnight that doesn't come: the day begins at 01:00.
    (DAILY, "America/Sao_Paulo", "2018-11-04T02:59:59.999", "2018-11-03T03:00"),
    (DAILY, "America/Sao_Paulo", "2018-11-04T03:00", "2018-11-04T03:00"),
    (DAILY, "America/Sao_Paulo", "2018-11-05T01:59:59.999", "2018-11-04T03:00"),
    # 23:00 to 24:00 twice: both belong to the day that they end.
    (DAILY, "America/Sao_Paulo", "2018-02-18T01:30", "2018-02-17T02:00"),
    (DAILY, "America/Sao_Paulo", "2018-02-18T02:59:59.999", "2018-02-17T02:00"),
    (DAILY, "America/Sao_Paulo", "2018-02-18T03:00", "2018-02-18T03:00"),
    # Midnight twice, on the first of a month: the first one counts.
    (DAILY, "America/Havana", "2026-11-01T03:59:59.999", "2026-10-31T04:00"),
    (DAILY, "America/Havana", "2026-11-01T04:00", "2026-11-01T04:00"),
    (DAILY, "America/Havana", "2026-11-01T05:00", "2026-11-01T04:00"),
    (MONTHLY, "America/Havana", "2026-11-30T12:00", "2026-11-01T04:00"),
    # A gap around midnight, from 23:30 to 00:30.
    (DAILY, "America/Toronto", "1919-03-31T04:29:59.999", "1919-03-30T05:00"),
    (DAILY, "America/Toronto", "1919-03-31T04:30", "1919-03-31T04:30"),
    (DAILY, "America/Toronto", "1919-03-31T20:00", "1919-03-31T04:30"),
    # A day that was left out altogether.
    (DAILY, "Pacific/Apia", "2011-12-30T09:59:59.999", "2011-12-29T10:00"),
    (DAILY, "Pacific/Apia", "2011-12-30T10:00", "2011-12-30T10:00"),
    (DAILY, "Australia/Lord_Howe", "2026-10-04T12:59:59.999", "2026-10-03T13:30"),
    (DAILY, "Australia/Lord_Howe", "2026-10-04T13:00", "2026-10-04T13:00"),
    (DAILY, "Asia/Kathmandu", "2026-11-22T18:15", "2026-11-22T18:15"),
]


@pytest.mark.parametrize(("fields", "at", "expected"), DAY_EDGES)
def test_day_interval(fields: dict[str, Any], at: str, *, expected: bool) -> None:
    """An interval of the day holds its beginning, not its end, and may wrap midnight."""
    assert contains(FixedIntervalPolicy(**fields), at=instant(at), time_zone=UTC_ZONE) is expected


@pytest.mark.parametrize(("fields", "at", "expected"), WEEK_EDGES)
def test_week_interval(fields: dict[str, Any], at: str, *, expected: bool) -> None:
    """An interval of the week holds its beginning, not its end, and may wrap the week's end."""
    assert contains(FixedIntervalPolicy(**fields), at=instant(at), time_zone=UTC_ZONE) is expected


@pytest.mark.parametrize(("zone", "fields", "at", "expected"), CLOCK_CHANGES)
def test_clock_change(zone: str, fields: dict[str, Any], at: str, *, expected: bool) -> None:
    """At a clock change an interval holds what wall clocks show, repeated hours twice."""
    policy = FixedIntervalPolicy(**fields)
    assert contains(policy, at=instant(at), time_zone=ZoneInfo(zone)) is expected


@pytest.mark.parametrize(("period", "zone", "at", "expected"), PERIOD_STARTS)
def test_period_start(period: TimePeriod, zone: str, at: str, expected: str) -> None:
    """A period starts at the first instant of the local day or month."""
    start = period_start(RateLimitedPolicy(1, period), instant(at), ZoneInfo(zone), FROM_MONDAY)
    assert start == instant(expected)


@pytest.mark.parametrize("at", [-(10**18), 10**18, -62_135_596_800_000, 253_402_300_799_999])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles"])
@pytest.mark.parametrize("period", list(TimePeriod))
def test_far_instants(at: int, zone: str, period: TimePeriod) -> None:
    """No instant is an error, not even one outside the calendar."""
    limited = rolling(1, "P7D") if period is TimePeriod.ROLLING else limit(1, period)
    judgement = judged(
        all_of(limited, ALWAYS, NEVER), at=at, time_zone=ZoneInfo(zone), item_count=2
    )
    assert codes(judgement) == [
        FailureCode.RATE_LIMIT_EXCEEDED,
        FailureCode.FIXED_INTERVAL_EXCLUDED,
    ]


def test_no_expression() -> None:
    """Without an expression everything is allowed, and no quota is touched."""
    assert judged(None) == Judgement(allowed=True)


@pytest.mark.parametrize(
    ("used", "wanted", "allowed"), [(3, 2, True), (3, 3, False), (5, 1, False)]
)
def test_rate_limit(used: int, wanted: int, *, allowed: bool) -> None:
    """A rate limit allows what it has left, counted in items, to the last one."""
    judgement = judged(limit(5), item_count=wanted, counts=counts(lambda _id, _date: used))
    assert judgement.allowed is allowed
    assert judgement.quota_shares == (QuotaShare("quota", date("2026-11-23"), wanted),)


def test_rate_limit_asks_for_its_period() -> None:
    """What is used is asked for by quota and by the local date that the period starts with."""
    asked = []

    def quota_used(quota_id: str, start: int) -> int:
        asked.append((quota_id, start))
        return 0

    judged(limit(1, MONTHLY), counts=counts(quota_used), time_zone=ZoneInfo("Europe/Berlin"))
    assert set(asked) == {("quota", date("2026-11-01"))}


def test_rate_limit_failure_tells_its_numbers() -> None:
    """A refusal by a rate limit says how much of it is used, and since when."""
    judgement = judged(limit(5), item_count=3, counts=counts(lambda _id, _date: 4))
    assert judgement.failures == (
        FailureDetail(
            code="RATE_LIMIT_EXCEEDED",
            message="4 of 5 a day are used, 3 more are wanted",
            error_data={
                "times": 5,
                "timePeriod": "DAY",
                "used": 4,
                "requested": 3,
                "periodStart": "2026-11-23T00:00:00.000Z",
            },
        ),
    )


@pytest.mark.parametrize(
    ("freed", "allowed"),
    [
        (QuotaShare("quota", date("2026-11-23"), 2), True),
        (QuotaShare("quota", date("2026-11-22"), 2), False),
        (QuotaShare("other", date("2026-11-23"), 2), False),
    ],
)
def test_freed_share(freed: QuotaShare, *, allowed: bool) -> None:
    """A share that the same command gives back counts only in its own quota and period."""
    judgement = judged(limit(5), item_count=2, counts=counts(lambda _id, _date: 5), freed=(freed,))
    assert judgement.allowed is allowed


WEEKS = [
    # 2026-11-23 is a Monday.
    ("2026-11-23T12:00", FROM_MONDAY, "2026-11-23", "2026-11-29"),
    ("2026-11-22T12:00", FROM_MONDAY, "2026-11-16", "2026-11-22"),
    ("2026-11-29T23:59:59.999", FROM_MONDAY, "2026-11-23", "2026-11-29"),
    ("2026-11-22T12:00", FROM_SUNDAY, "2026-11-22", "2026-11-28"),
    ("2026-11-28T12:00", FROM_SUNDAY, "2026-11-22", "2026-11-28"),
    ("1969-12-31T12:00", FROM_MONDAY, "1969-12-29", "1970-01-04"),
]


@pytest.mark.parametrize(("at", "first_day", "first", "last"), WEEKS)
def test_weeks(at: str, first_day: FirstDayOfWeek, first: str, last: str) -> None:
    """A week is the seven local dates from the tenant's first day of the week on."""
    weekly = RateLimitedPolicy(1, TimePeriod.WEEK, "quota")
    dates = period_dates(weekly, instant(at), UTC_ZONE, first_day)
    assert list(dates) == list(range(date(first), date(last) + 1))


def test_a_week_adds_up_its_days() -> None:
    """Uses of a week are counted day by day, so another first day of the week loses none."""
    days = {date("2026-11-22"): 2, date("2026-11-23"): 1, date("2026-11-29"): 1}
    weekly = limit(4, TimePeriod.WEEK)
    found = counts(lambda _id, day: days.get(day, 0))
    assert judged(weekly, counts=found, item_count=2).allowed
    assert not judged(weekly, counts=found, item_count=3).allowed
    assert judged(weekly, counts=found, first_day=FROM_SUNDAY).allowed
    assert not judged(weekly, counts=found, first_day=FROM_SUNDAY, item_count=2).allowed
    assert judged(weekly).quota_shares == (QuotaShare("quota", date("2026-11-23"), 1),)


SHARES = [
    (TimePeriod.YEAR, "Pacific/Auckland", "2026-12-31T12:00", "2027-01-01"),
    (TimePeriod.YEAR, "UTC", "2026-12-31T12:00", "2026-01-01"),
    (TimePeriod.WEEK, "Pacific/Auckland", "2026-11-22T12:00", "2026-11-23"),
    (TimePeriod.LIFETIME, "Pacific/Auckland", "2026-12-31T12:00", "1970-01-01"),
]


@pytest.mark.parametrize(("period", "zone", "at", "day"), SHARES)
def test_share_of_a_period(period: TimePeriod, zone: str, at: str, day: str) -> None:
    """A year counts under its first date, a week under the day, all time under one date."""
    judgement = judged(limit(1, period), at=instant(at), time_zone=ZoneInfo(zone))
    assert judgement.quota_shares == (QuotaShare("quota", date(day), 1),)


HOUR = 3_600_000
ROLLING = [
    # Uses, by hours from the instant that is judged; how many are counted; since which hour.
    ({}, 0, -12),
    ({-12: 1}, 0, -12),
    ({-11: 1, 0: 1}, 2, -12),
    ({-20: 5, 20: 5}, 0, -12),
    ({-11: 1, -1: 1, 11: 1}, 2, -12),
    ({-1: 1, 1: 1, 11: 2, 12: 9}, 3, -1),
    ({-11: 3, 11: 4}, 4, -1),
    ({-6: 1, 3: 1, 5: 1, 7: 1}, 3, -7),
]


@pytest.mark.parametrize(("uses", "used", "since"), ROLLING)
def test_rolling_limit(uses: dict[int, int], used: int, since: int) -> None:
    """No window of twelve hours that holds the instant may have more, before it or after."""
    found = counts(lambda _id, _day: 0, {NOON + hour * HOUR: n for hour, n in uses.items()})
    assert judged(rolling(used + 1, "PT12H"), counts=found).allowed
    (failure,) = judged(rolling(used + 1, "PT12H"), counts=found, item_count=2).failures
    assert failure.error_data is not None
    assert failure.error_data["used"] == used
    assert instant(failure.error_data["periodStart"]) == NOON + since * HOUR


def test_rolling_days_have_24_hours() -> None:
    """A clock change makes no window shorter or longer, and the time zone doesn't matter."""
    at = instant("2026-03-30T00:00+02:00")
    for zone in ("UTC", "Europe/Berlin"):
        for minutes, allowed in ((1_440, True), (1_439, False)):
            found = counts(lambda _id, _day: 0, {at - minutes * 60_000: 1})
            judgement = judged(rolling(1, "P1D"), at=at, counts=found, time_zone=ZoneInfo(zone))
            assert judgement.allowed is allowed


def test_rolling_share_is_freed_at_its_instant() -> None:
    """A redemption that moves within its own window doesn't stand in its own way."""
    found = counts(lambda _id, _day: 0, {NOON - HOUR: 2})
    freed = QuotaShare("quota", NOON - HOUR, 2, is_rolling=True)
    assert not judged(rolling(2, "PT12H"), counts=found).allowed
    assert judged(rolling(2, "PT12H"), counts=found, freed=(freed,)).allowed
    other = QuotaShare("other", NOON - HOUR, 2, is_rolling=True)
    assert not judged(rolling(2, "PT12H"), counts=found, freed=(other,)).allowed
    assert judged(rolling(2, "PT12H")).quota_shares == (
        QuotaShare("quota", NOON, 1, is_rolling=True),
    )


WORDS = [
    (limit(1, TimePeriod.WEEK), "2 of 1 a week are used, 1 more are wanted"),
    (limit(1, TimePeriod.YEAR), "2 of 1 a year are used, 1 more are wanted"),
    (limit(1, TimePeriod.LIFETIME), "2 of 1 in all are used, 1 more are wanted"),
    (rolling(1, "P1D"), "2 of 1 within P1D are used, 1 more are wanted"),
]


@pytest.mark.parametrize(("expression", "message"), WORDS)
def test_failures_of_limits_in_words(expression: PolicyExpression, message: str) -> None:
    """A refusal says what the limit counts in, and how it was used there."""
    monday = date("2026-11-23")
    found = counts(lambda _id, day: 2 * (day in (monday, date("2026-01-01"), 0)), {NOON: 2})
    (failure,) = judged(expression, counts=found).failures
    assert failure.message == message
    data = failure.error_data or {}
    assert ("periodStart" in data) is ("in all" not in message)
    assert ("rollingDuration" in data) is ("within" in message)


def test_shares_of_every_rate_limit() -> None:
    """A redemption counts on every rate limit, also under OR and NOT, and once on each quota."""
    expression = any_of(
        ALWAYS, limit(1, quota_id="a"), negation(limit(1, MONTHLY, "b")), limit(2, quota_id="a")
    )
    day, month = date("2026-11-23"), date("2026-11-01")
    expected = (QuotaShare("a", day, 2), QuotaShare("b", month, 2))
    assert judged(expression, item_count=2).quota_shares == expected
    assert quota_shares(expression, at=NOON, time_zone=UTC_ZONE, count=2) == expected


def test_rate_limit_without_quota() -> None:
    """A limit that no quota counts for judges the redemption alone."""
    assert judged(limit(1, quota_id=None)) == Judgement(allowed=True)
    assert codes(judged(limit(1, quota_id=None), item_count=2)) == ["RATE_LIMIT_EXCEEDED"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (NEVER, ["FIXED_INTERVAL_EXCLUDED"]),
        (interval(from_hour=13, to_hour=14), ["FIXED_INTERVAL_NOT_FULFILLED"]),
        (negation(limit(1)), ["RATE_LIMIT_NOT_REACHED"]),
        (negation(custom()), ["CUSTOM_POLICY_EXCLUDED"]),
        (negation(negation(interval(to_hour=1))), ["FIXED_INTERVAL_NOT_FULFILLED"]),
        (all_of(ALWAYS, NEVER, limit(0)), ["FIXED_INTERVAL_EXCLUDED", "RATE_LIMIT_EXCEEDED"]),
        (any_of(NEVER, limit(0)), ["FIXED_INTERVAL_EXCLUDED", "RATE_LIMIT_EXCEEDED"]),
        (negation(any_of(NEVER, custom())), ["CUSTOM_POLICY_EXCLUDED"]),
        (negation(all_of(ALWAYS, limit(1))), ["FIXED_INTERVAL_EXCLUDED", "RATE_LIMIT_NOT_REACHED"]),
        (all_of(any_of(NEVER, ALWAYS), NEVER), ["FIXED_INTERVAL_EXCLUDED"]),
    ],
)
def test_reasons(expression: PolicyExpression, expected: list[str]) -> None:
    """A refusal names the policies that stood in the way, and no others."""
    judgement = judged(expression)
    assert not judgement.allowed
    assert codes(judgement) == expected


def test_interval_failure_is_told_in_words() -> None:
    """A refusal by an interval says the local time and the interval."""
    expression = interval(**WEEKEND)
    failure = judged(expression, time_zone=ZoneInfo("Europe/Berlin")).failures[0]
    assert failure.message == (
        "Monday 13:00 does not lie in Friday 18:00 to Monday 08:00 (Europe/Berlin)"
    )
    assert failure.error_data == {
        "localTime": "Monday 13:00",
        "interval": "Friday 18:00 to Monday 08:00",
        "timeZone": "Europe/Berlin",
    }


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"from_hour": 18}, "18:00 to 24:00"),
        ({"from_hour": 22, "to_hour": 6, "to_minute": 5}, "22:00 to 06:05"),
        (TUESDAY_TO_WEDNESDAY, "Tuesday 00:00 to Wednesday 24:00"),
        (SUNDAY, "Sunday 00:00 to Sunday 24:00"),
        (FROM_SUNDAY_NIGHT, "Sunday 22:00 to Monday 06:00"),
    ],
)
def test_interval_in_words(fields: dict[str, Any], words: str) -> None:
    """The words for an interval end at 24:00 rather than on the next day."""
    failure = judged(interval(**fields), at=instant("2026-11-26T12:00")).failures[0]
    assert failure.error_data is not None
    assert failure.error_data["interval"] == words


@pytest.mark.parametrize(("policies", "more"), [(10, False), (11, True)])
def test_failures_are_bounded(policies: int, *, more: bool) -> None:
    """At most ten failures are told; if there are more, the last one says so."""
    pair = (policies // 2, policies - policies // 2)
    expression = all_of(*(any_of(*[NEVER] * part) for part in pair))
    found = codes(judged(expression))
    assert len(found) == FAILURES_MAX
    assert found[:-1] == ["FIXED_INTERVAL_EXCLUDED"] * 9
    assert found[-1] == ("MORE_POLICIES_FAILED" if more else "FIXED_INTERVAL_EXCLUDED")


def test_custom_policy_without_provider() -> None:
    """A custom policy of an app without a provider counts as fulfilled, unless that is refused."""
    assert judged(custom()).allowed
    assert judged(custom(app_id=None)).allowed
    refused = judged(custom(policy_id="policy"), apps=PolicyApps(unknown_refused=True))
    assert [(f.code, f.policy_id, f.app_id) for f in refused.failures] == [
        ("POLICY_APP_UNKNOWN", "policy", "app")
    ]


def test_custom_policy_that_was_not_asked() -> None:
    """A custom policy whose provider exists but wasn't asked is never taken as fulfilled."""
    apps = PolicyApps(registered={"app"})
    assert codes(judged(custom(), apps=apps)) == ["PROVIDER_NOT_ASKED"]
    assert codes(judged(negation(custom()), apps=apps)) == ["PROVIDER_NOT_ASKED"]
    assert judged(custom("other"), apps=apps).allowed


def verdicts_on(expression: PolicyExpression, verdict: Verdict) -> dict[Any, Verdict]:
    return {custom_policy_key(policy): verdict for policy in custom_policies(expression)}


def test_verdict_of_a_provider() -> None:
    """A provider's answer decides, and its reason is told with the policy's ids."""
    expression = custom(policy_id="policy")
    failure = FailureDetail("NO_SHOES", "no shoes", error_data={"size": 42})
    refused = judged(expression, verdicts=verdicts_on(expression, Verdict(False, failure)))
    assert refused.failures == (
        FailureDetail("NO_SHOES", "no shoes", "policy", "app", {"size": 42}),
    )
    assert judged(expression, verdicts=verdicts_on(expression, Verdict(True))).allowed
    silent = judged(expression, verdicts=verdicts_on(expression, Verdict(False)))
    assert codes(silent) == ["CUSTOM_POLICY_NOT_FULFILLED"]


def test_provider_texts_are_cut() -> None:
    """Codes and messages of a provider are cut to what the contract allows."""
    expression = custom()
    verdict = Verdict(False, FailureDetail("C" * 65, "m" * 257))
    failure = judged(expression, verdicts=verdicts_on(expression, verdict)).failures[0]
    assert failure.code == "C" * 63 + "…"
    assert failure.message == "m" * 255 + "…"
    verdict = Verdict(False, FailureDetail(""))
    assert codes(judged(expression, verdicts=verdicts_on(expression, verdict))) == [
        "CUSTOM_POLICY_NOT_FULFILLED"
    ]


@pytest.mark.parametrize(
    ("around", "allowed"),
    [
        (lambda policy: policy, False),
        (negation, False),
        (lambda policy: negation(negation(policy)), False),
        (lambda policy: all_of(ALWAYS, policy), False),
        (lambda policy: any_of(NEVER, policy), False),
        (lambda policy: negation(all_of(ALWAYS, policy)), False),
        (lambda policy: any_of(ALWAYS, policy), True),
        (lambda policy: negation(all_of(NEVER, policy)), True),
    ],
)
def test_a_silent_provider_opens_no_door(around: Any, *, allowed: bool) -> None:
    """Without an answer only what doesn't depend on it is allowed, also behind a NOT."""
    expression = around(custom())
    verdict = Verdict(None, FailureDetail(FailureCode.PROVIDER_TIMEOUT, "no answer"))
    judgement = judged(expression, verdicts=verdicts_on(expression, verdict))
    assert judgement.allowed is allowed
    assert allowed or "PROVIDER_TIMEOUT" in codes(judgement)


def test_custom_policies_are_told_apart() -> None:
    """Custom policies differ by app, id and data, however the data's keys are ordered."""
    expression = all_of(
        custom(data={"a": 1, "b": 2}),
        any_of(custom(data={"b": 2, "a": 1}), negation(custom(data={"a": 2}))),
        custom(policy_id="p"),
        ALWAYS,
    )
    assert custom_policies(expression) == (
        CustomPolicy(None, "app", {"a": 1, "b": 2}),
        CustomPolicy(None, "app", {"a": 2}),
        CustomPolicy("p", "app"),
    )
    assert custom_policies(None) == ()


@pytest.mark.parametrize(
    "nonsense", [PolicyExpression(), policy(), negation(PolicyExpression()), all_of(policy())]
)
def test_nonsense_is_refused(nonsense: PolicyExpression) -> None:
    """An expression without a policy, which no decoder lets through, is refused, not an error."""
    assert codes(judged(nonsense)) == ["POLICY_EXPRESSION_INVALID"]
    assert not judged(negation(nonsense)).allowed


def test_empty_operators() -> None:
    """All of nothing is fulfilled, one of nothing is not; a refusal always has a reason."""
    assert judged(all_of()).allowed
    assert codes(judged(any_of())) == ["POLICY_EXPRESSION_INVALID"]
    assert codes(judged(negation(all_of()))) == ["POLICY_EXPRESSION_INVALID"]


@pytest.mark.parametrize("extra", [0, 1, 10_000])
def test_depth_is_bounded(extra: int) -> None:
    """Expressions that nest too deep are refused without exhausting the stack."""
    expression = limit(1)
    for _ in range(EXPRESSION_DEPTH_MAX - 1 + extra):
        expression = all_of(expression)
    ids = (str(number) for number in count())
    details = assign_quota_ids(Details(policy_expression=expression), None, lambda: next(ids))
    assert details.policy_expression is not None
    judgement = judged(details.policy_expression)
    assert judgement.allowed is (extra == 0)
    assert [share.quota_id for share in judgement.quota_shares] == ([] if extra else ["0"])


def test_policy_of_a_benefit() -> None:
    """A benefit's own expression overrides that of all benefits."""
    plain, own = Benefit("plain", "app"), Benefit("own", "app", policy_expression=ALWAYS)
    details = Details(benefits=(plain, own), policy_expression=NEVER)
    assert policy_of(details, own) is ALWAYS
    assert policy_of(details, plain) is NEVER
    assert policy_of(Details(), plain) is None


def details_with(
    pool_wide: PolicyExpression | None = None, **own: PolicyExpression | None
) -> Details:
    benefits = tuple(
        Benefit(key, "app", policy_expression=expression) for key, expression in own.items()
    )
    return Details(benefits=benefits, policy_expression=pool_wide)


def assigned(new: Details, old: Details | None) -> dict[str | None, list[str | None]]:
    """The quota ids of every place; new ones are new-0, new-1 and so on."""
    numbers = count()
    named = assign_quota_ids(new, old, lambda: f"new-{next(numbers)}")
    places: dict[str | None, PolicyExpression | None] = {None: named.policy_expression}
    places |= {benefit.benefit_key: benefit.policy_expression for benefit in named.benefits or ()}
    return {
        place: [limit.quota_id for limit in rate_limits(expression)]
        for place, expression in places.items()
        if expression
    }


def test_new_limits_get_new_quotas() -> None:
    """Every rate limit gets a quota of its own, and an id that a client sent is ignored."""
    new = details_with(
        all_of(limit(1, quota_id="client"), negation(limit(1, quota_id=None))),
        own=any_of(limit(1), ALWAYS),
        plain=None,
    )
    ids = assigned(new, None)
    assert sorted(quota or "" for place in ids.values() for quota in place) == [
        "new-0",
        "new-1",
        "new-2",
    ]
    assert {place: len(found) for place, found in ids.items()} == {None: 2, "own": 1}


def test_nothing_else_changes() -> None:
    """Only quota ids are set: the rest of the details stays as it is."""
    assert assign_quota_ids(details_with(NEVER, own=custom(), plain=None), None, str) == (
        details_with(NEVER, own=custom(), plain=None)
    )
    assert assign_quota_ids(Details(), details_with(limit(1)), str) == Details()
    named = assign_quota_ids(details_with(all_of(NEVER, limit(3, MONTHLY))), None, lambda: "id")
    assert named == details_with(all_of(NEVER, limit(3, MONTHLY, "id")))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (details_with(limit(1, quota_id="a")), details_with(limit(1, quota_id="z")), ["a"]),
        (details_with(limit(1, quota_id="a")), details_with(limit(2)), ["a"]),
        (details_with(limit(2, quota_id="a")), details_with(limit(1)), ["a"]),
        (details_with(limit(1, quota_id="a")), details_with(limit(1, MONTHLY)), ["new-0"]),
        (details_with(limit(1, MONTHLY, "a")), details_with(limit(1)), ["new-0"]),
        (details_with(limit(1, MONTHLY, "a")), details_with(limit(1, MONTHLY)), ["a"]),
        (details_with(limit(1, quota_id="a")), details_with(negation(limit(1))), ["a"]),
        (
            details_with(all_of(limit(1, quota_id="a"), limit(2, quota_id="b"))),
            details_with(any_of(limit(2), limit(3), limit(1))),
            ["b", "new-0", "a"],
        ),
        (
            details_with(all_of(limit(1, quota_id="a"), limit(2, quota_id="b"))),
            details_with(all_of(limit(2), limit(3))),
            ["b", "a"],
        ),
        (
            details_with(all_of(limit(1, MONTHLY, "a"), limit(2, quota_id="b"))),
            details_with(all_of(limit(9), limit(8, MONTHLY), limit(7, MONTHLY))),
            ["b", "a", "new-0"],
        ),
        (
            details_with(all_of(limit(1, quota_id="a"), limit(1, quota_id="b"))),
            details_with(all_of(limit(1), limit(1), limit(1))),
            ["a", "b", "new-0"],
        ),
        (details_with(own=limit(1, quota_id="a")), details_with(limit(1)), ["new-0"]),
        (details_with(rolling(1, "P1D", "a")), details_with(rolling(2, "P1D")), ["a"]),
        (details_with(rolling(1, "P1D", "a")), details_with(rolling(1, "P7D")), ["a"]),
        (details_with(rolling(1, "P1D", "a")), details_with(limit(1)), ["new-0"]),
        (
            details_with(all_of(rolling(1, "P1D", "a"), rolling(2, "P7D", "b"))),
            details_with(all_of(rolling(3, "P7D"), rolling(1, "P1D"))),
            ["b", "a"],
        ),
        (details_with(limit(1, quota_id=None)), details_with(limit(1)), ["new-0"]),
    ],
)
def test_quotas_through_updates(old: Details, new: Details, expected: list[str]) -> None:
    """A limit keeps its quota while its period stays; equal ones first, then by their order."""
    assert assigned(new, old)[None] == expected


def test_quotas_belong_to_their_benefit() -> None:
    """A quota stays with its benefit's key, and never moves to another place."""
    old = details_with(limit(1, quota_id="p"), a=limit(1, quota_id="a"), b=limit(1, quota_id="b"))
    new = details_with(limit(1), b=limit(1), c=limit(1), a=limit(1))
    assert assigned(new, old) == {None: ["p"], "b": ["b"], "c": ["new-0"], "a": ["a"]}
