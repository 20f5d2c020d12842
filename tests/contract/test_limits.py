"""Rate limits per week, year, lifetime and rolling time, as callers meet them."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from benefit_programs.domain.entities import Quota
from benefit_programs.domain.settings import FirstDayOfWeek
from tests.contract.test_export_of_a_person import export, parts
from tests.contract.test_policies_end_to_end import (
    any_of,
    change_settings,
    failures,
    interval,
    limit,
    none_of,
    open_under,
    policy,
)
from tests.support.calls import NAMESPACE

if TYPE_CHECKING:
    from tests.support.calls import Document
    from tests.support.inprocess import Service
    from tests.support.wallet import Wallet

pytestmark = pytest.mark.anyio

NOON = "2030-05-02T12:00:00Z"  # a Thursday


def rolling(times: int, duration: str) -> Document:
    return policy(
        rateLimitedOptions={
            "times": times,
            "timePeriod": "ROLLING",
            "rollingDuration": duration,
        }
    )


async def change_limit(wallet: Wallet, expression: Document) -> None:
    benefits = [{**wallet.benefit(), "policyExpression": expression}]
    definition = wallet.definition
    change = {
        "id": definition["id"],
        "revision": definition["revision"],
        "details": {"benefits": benefits},
    }
    answer = await wallet.caller.call(
        "updatePoolDefinition", {"poolDefinition": change, "cascade": "IMMEDIATELY"}
    )
    definition["revision"] = answer["poolDefinition"]["revision"]


EDGES = [
    ("WEEK", "2030-04-29T00:00:00Z", "2030-05-05T23:59:59Z", "2030-05-06T00:00:00Z"),
    ("YEAR", "2030-01-01T00:00:00Z", "2030-12-31T23:59:59Z", "2031-01-01T00:00:00Z"),
    ("LIFETIME", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", None),
]


@pytest.mark.parametrize(("period", "first", "last", "after"), EDGES)
async def test_a_limit_counts_in_its_period(
    service: Service, period: str, first: str, last: str, after: str | None
) -> None:
    """What is used at one end of a period is missing at the other, and the next begins anew."""
    wallet = await open_under(service, limit(1, period))
    redeemed = await wallet.redeem(targetDate=first)
    (failure,) = failures(await wallet.redeem_refused(targetDate=last))
    assert failure["code"] == "RATE_LIMIT_EXCEEDED"
    assert failure["errorData"]["timePeriod"] == period
    if after is not None:
        await wallet.cancel(await wallet.redeem(targetDate=after))
    await wallet.cancel(redeemed)
    await wallet.redeem(targetDate=last)
    failures(await wallet.redeem_refused(targetDate=first))


async def test_a_rolling_limit_looks_back_and_ahead(service: Service) -> None:
    """No time of the duration may hold more, whether its uses lie before or after the new one."""
    wallet = await open_under(service, rolling(2, "PT12H"))
    await wallet.redeem(targetDate="2030-05-02T06:00:00Z")
    later = await wallet.redeem(targetDate="2030-05-02T17:59:59.999Z")
    (failure,) = failures(await wallet.redeem_refused(targetDate=NOON))
    assert failure["errorData"] == {
        "times": 2,
        "timePeriod": "ROLLING",
        "rollingDuration": "PT12H",
        "used": 2,
        "requested": 1,
        "periodStart": "2030-05-02T05:59:59.999Z",
    }
    await wallet.reallocate(later, "2030-05-02T18:00:00Z")
    await wallet.redeem(targetDate=NOON)
    failures(await wallet.redeem_refused(targetDate=NOON))
    await wallet.redeem(targetDate="2030-05-02T00:00:00Z")
    failures(await wallet.redeem_refused(targetDate="2030-05-02T00:00:00.001Z"))


async def test_rolling_uses_leave_nothing_when_they_are_given_back(service: Service) -> None:
    """A row is kept for each instant with a use, and for no other."""
    wallet = await open_under(service, rolling(3, "P7D"))
    first = await wallet.redeem(targetDate=NOON)
    second = await wallet.redeem(targetDate=NOON, count=2)
    assert [(row.used, bool(row.is_rolling)) for row in await service.rows(Quota)] == [(3, True)]
    moved = await wallet.reallocate(second, "2030-05-03T12:00:00Z")
    assert [row.used for row in await service.rows(Quota)] == [1, 2]
    await wallet.cancel(moved)
    await wallet.revert(first)
    assert await service.rows(Quota) == []
    await wallet.redeem(targetDate=NOON, count=3)


async def test_many_at_once_share_a_rolling_limit(service: Service) -> None:
    """Of redemptions that come together as many are allowed as the limit has left."""
    wallet = await open_under(service, rolling(5, "PT1H"))

    async def redeem(minute: int) -> int:
        request = wallet.redemption(targetDate=f"2030-05-02T12:{minute:02}:00Z")
        return (await wallet.caller.send("redeemBenefit", request)).status_code

    statuses = await asyncio.gather(*map(redeem, range(40)))
    assert sorted(statuses) == [200] * 5 + [428] * 35
    assert sum(row.used for row in await service.rows(Quota)) == 5


async def test_more_uses_than_are_looked_at_refuse(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside an OR uses grow past the limit; those that are looked at still decide rightly."""
    from benefit_programs.domain.lookups import WALK_USES  # noqa: PLC0415
    from benefit_programs.storage import statements  # noqa: PLC0415

    monkeypatch.setattr(WALK_USES, "limit", 5)
    for made in (statements.postgres_select, statements.sqlite_select):
        made.cache_clear()
    wallet = await open_under(service, any_of(rolling(2, "PT1H"), interval()))
    for minute in range(10):
        await wallet.redeem(targetDate=f"2030-05-02T12:{minute:02}:00Z")
    await change_limit(wallet, rolling(2, "PT1H"))
    for at in ("12:05:30", "11:30:00", "12:59:00", "13:07:59"):
        failures(await wallet.redeem_refused(targetDate=f"2030-05-02T{at}Z"))
    await wallet.redeem(targetDate="2030-05-02T13:08:30Z")
    await wallet.redeem(targetDate="2030-05-02T11:00:30Z")
    for made in (statements.postgres_select, statements.sqlite_select):
        made.cache_clear()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (limit(2, "WEEK"), limit(1, "WEEK")),
        (limit(2, "YEAR"), limit(1, "YEAR")),
        (limit(2, "LIFETIME"), limit(1, "LIFETIME")),
        (rolling(2, "PT1H"), rolling(1, "PT1H")),
        (rolling(2, "PT1H"), rolling(1, "P1D")),
    ],
)
async def test_a_changed_limit_keeps_what_was_used(
    service: Service, before: Document, after: Document
) -> None:
    """Another number keeps the count; so does another duration, for uses are kept one by one."""
    wallet = await open_under(service, before)
    await wallet.redeem(targetDate=NOON)
    await change_limit(wallet, after)
    failures(await wallet.redeem_refused(targetDate="2030-05-02T12:30:00Z"))


async def test_another_period_counts_anew(service: Service) -> None:
    """A limit with another period is another limit."""
    wallet = await open_under(service, limit(1, "WEEK"))
    await wallet.redeem(targetDate=NOON)
    await change_limit(wallet, rolling(1, "P1W"))
    await wallet.redeem(targetDate=NOON)
    await change_limit(wallet, limit(1, "YEAR"))
    await wallet.redeem(targetDate=NOON)


async def test_weeks_begin_with_the_tenants_day(service: Service) -> None:
    """Another first day of the week moves the weeks, and keeps what its days have used."""
    wallet = await open_under(service, limit(1, "WEEK"))
    await wallet.redeem(targetDate="2030-05-05T12:00:00Z")  # a Sunday
    failures(await wallet.redeem_refused(targetDate=NOON))
    answer = await service.call("updateSettings", {"settings": {"firstDayOfWeek": "SUNDAY"}})
    assert answer["settings"]["firstDayOfWeek"] == "SUNDAY"
    failures(await wallet.redeem_refused(targetDate="2030-05-11T12:00:00Z"))
    await wallet.redeem(targetDate=NOON)
    answer = await service.call("updateSettings", {"settings": {"firstDayOfWeek": None}})
    assert answer["settings"]["firstDayOfWeek"] == "MONDAY"


async def test_eligibility_tells_of_each_limit(service: Service) -> None:
    """A question gets the refusal that a redemption would get, and NOT turns limits round."""
    for expression in (limit(1, "WEEK"), limit(1, "YEAR"), limit(1, "LIFETIME"), rolling(1, "P1D")):
        wallet = await open_under(service, expression)
        turned = await open_under(service, none_of(expression))
        failures(await turned.redeem_refused(targetDate=NOON, count=1))
        await wallet.redeem(targetDate=NOON)
        question = wallet.question(targetDate=NOON, count=1)
        answer = await service.call("checkBenefitEligibility", question)
        assert "RATE_LIMIT_EXCEEDED" in str(answer)


WRONG = [
    ({"timePeriod": "ROLLING"}, "rollingDuration", "REQUIRED_FIELD"),
    ({"timePeriod": "DAY", "rollingDuration": "P1D"}, "rollingDuration", "FIELD_NOT_ALLOWED"),
    ({"timePeriod": "ROLLING", "rollingDuration": "P1M"}, "rollingDuration", "OTHER"),
    ({"timePeriod": "ROLLING", "rollingDuration": "P0D"}, "rollingDuration", "MIN"),
    ({"timePeriod": "ROLLING", "rollingDuration": "soon"}, "rollingDuration", "FORMAT"),
    ({"timePeriod": "ROLLING", "rollingDuration": "P1D", "times": 1_001}, "times", "MAX"),
    ({"timePeriod": "FORTNIGHT"}, "timePeriod", "INVALID_ENUM_VALUE"),
]


@pytest.mark.parametrize(("options", "field", "rule"), WRONG)
async def test_wrong_limits_are_refused(
    service: Service, options: Document, field: str, rule: str
) -> None:
    """A limit that rolls needs a duration of a fixed length and a bounded number."""
    wallet = await open_under(service, limit(1))
    expression = policy(rateLimitedOptions={"times": 1, **options})
    definition = {
        "namespace": NAMESPACE,
        "displayName": "x",
        "details": {"benefits": [{**wallet.benefit(), "policyExpression": expression}]},
    }
    refused = await service.refusal("createPoolDefinition", {"poolDefinition": definition})
    (violation,) = refused.violations
    assert violation["field"].endswith(f"policyExpression.policyOptions.rateLimitedOptions.{field}")
    assert violation["violatedRule"] == rule


async def test_a_duration_is_kept_in_upper_case(service: Service) -> None:
    """A duration stays as it was written, in upper case."""
    wallet = await open_under(service, rolling(1, "p1dt12h"))
    stored = wallet.benefit()["policyExpression"]["policyOptions"]["rateLimitedOptions"]
    assert stored["rollingDuration"] == "P1DT12H"


async def test_an_export_tells_the_instants_of_what_rolls(service: Service) -> None:
    """What a person has used of a limit that rolls is told by its instants, others by dates."""
    both = {"operatorAndOptions": {"expressions": [rolling(5, "P1D"), limit(5, "YEAR")]}}
    wallet = await open_under(service, {"type": "OPERATOR_AND", **both})
    await wallet.redeem(targetDate=NOON, count=2)
    records = await export(service, wallet.program["beneficiary"])
    used = parts(records, "usedRateLimit")
    assert {(each.get("periodStart"), each.get("usedAt"), each["used"]) for each in used} == {
        (None, "2030-05-02T12:00:00.000Z", 2),
        ("2030-01-01", None, 2),
    }


# A slow model: a list of uses, looked through one by one.


class Use(NamedTuple):
    """A redemption that stands: its transaction, its instant, and its date where it was made."""

    transaction_id: str
    at: datetime
    day: date
    count: int


def week_of(day: date, first_day: FirstDayOfWeek) -> date:
    names = [each.name for each in FirstDayOfWeek]
    return day - timedelta(days=(day.weekday() - names.index(first_day)) % 7)


def slowly_used(
    period: str, uses: list[Use], at: datetime, zone: str, first_day: FirstDayOfWeek
) -> int:
    """How many items count on a limit of this period; one that isn't named is 30 hours long."""
    length, here = timedelta(hours=30), at.astimezone(ZoneInfo(zone)).date()
    same = {
        "DAY": lambda day: day == here,
        "WEEK": lambda day: week_of(day, first_day) == week_of(here, first_day),
        "MONTH": lambda day: (day.year, day.month) == (here.year, here.month),
        "YEAR": lambda day: day.year == here.year,
        "LIFETIME": lambda _day: True,
    }
    if period in same:
        return sum(use.count for use in uses if same[period](use.day))
    ends = [at, *(use.at for use in uses if at <= use.at < at + length)]
    return max(sum(use.count for use in uses if end - length < use.at <= end) for end in ends)


class History:
    """Redemptions at random, each compared with what the list of uses says."""

    def __init__(self, service: Service, wallet: Wallet, period: str, random: Random) -> None:
        self.service, self.wallet, self.period, self.random = service, wallet, period, random
        self.zone, self.first_day = "UTC", FirstDayOfWeek.MONDAY
        self.uses: list[Use] = []

    def instant(self) -> datetime:
        hours = self.random.choice([60, 60, 800, 20_000])
        return datetime(2030, 3, 31, tzinfo=UTC) + timedelta(
            hours=self.random.randint(-hours, hours)
        )

    def left(self, at: datetime, uses: list[Use]) -> int:
        return 4 - slowly_used(self.period, uses, at, self.zone, self.first_day)

    def use(self, transaction_id: str, at: datetime, count: int) -> None:
        day = at.astimezone(ZoneInfo(self.zone)).date()
        self.uses.append(Use(transaction_id, at, day, count))

    async def redeem(self) -> None:
        at, count = self.instant(), self.random.randint(1, 2)
        if count <= self.left(at, self.uses):
            transaction_id = await self.wallet.redeem(targetDate=at.isoformat(), count=count)
            self.use(transaction_id, at, count)
        else:
            failures(await self.wallet.redeem_refused(targetDate=at.isoformat(), count=count))

    async def move(self) -> None:
        at, use = self.instant(), self.random.choice(self.uses)
        others = [each for each in self.uses if each is not use]
        if use.count <= self.left(at, others):
            moved = await self.wallet.reallocate(use.transaction_id, at.isoformat())
            self.uses.remove(use)
            self.use(moved, at, use.count)
        else:
            failures(await self.wallet.reallocate_refused(use.transaction_id, at.isoformat()))

    async def cancel(self) -> None:
        use = self.random.choice(self.uses)
        self.uses.remove(use)
        await self.wallet.cancel(use.transaction_id)

    async def change_settings(self) -> None:
        self.zone = self.random.choice(["UTC", "Europe/Berlin", "Pacific/Auckland"])
        self.first_day = self.random.choice(list(FirstDayOfWeek))
        await change_settings(self.service, time_zone=self.zone, first_day_of_week=self.first_day)

    async def step(self) -> None:
        changes: list[Any] = [self.move, self.move, self.cancel] if self.uses else []
        await self.random.choice([self.redeem] * 4 + changes + [self.change_settings])()


@pytest.mark.parametrize("period", ["DAY", "WEEK", "MONTH", "YEAR", "LIFETIME", "ROLLING"])
async def test_limits_agree_with_a_list_of_uses(service: Service, period: str) -> None:
    """Redeemed, moved and canceled in any order and zone: what is allowed is what a list says."""
    expression = rolling(4, "P1DT6H") if period == "ROLLING" else limit(4, period)
    for seed in range(2):
        wallet = await open_under(service, expression)
        await change_settings(service, time_zone="UTC", first_day_of_week=FirstDayOfWeek.MONDAY)
        history = History(service, wallet, period, Random(f"{period} {seed}"))
        for _ in range(60):
            await history.step()
        counted = [row.used for row in await service.rows(Quota) if row.pool_id == wallet.pool_id]
        assert sum(counted) == sum(use.count for use in history.uses)
