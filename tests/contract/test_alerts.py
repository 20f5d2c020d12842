"""Alerts: each crossing is told once, at its instant, and again after it had ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benefit_programs.domain.calendars import ProgramTerms, RenewalConfiguration, WhilePaused
from benefit_programs.domain.details import ALERTS_MAX
from benefit_programs.domain.entities import Reservation
from benefit_programs.wire.codec import instant_text
from tests.support.alerts import (
    ALERT_EVENT,
    below,
    change_alerts,
    ending,
    expiring,
    grant,
    import_with,
    keys_told,
    lapsing,
    open_with_terms,
    pass_time,
    renewing,
    told,
)
from tests.support.audit import require_sound
from tests.support.calls import NAMESPACE, benefit, details
from tests.support.clock import DAY, HOUR, StillClock
from tests.support.dated import pool_row
from tests.support.holds import cancel, reserve
from tests.support.inprocess import new_tenant, open_application
from tests.support.lifecycle import act, limit_requests, run_jobs
from tests.support.receiver import Receiver
from tests.support.wallet import open_another, open_wallet
from tests.support.webhooks import create_endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.calls import Document
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

MONTHLY = ProgramTerms(renewal_configuration=RenewalConfiguration(every="P30D"))


@pytest.fixture
async def service(request: pytest.FixtureRequest, timed: Service) -> AsyncIterator[Service]:
    """Its books are sound after the test."""
    yield timed
    await require_sound(request, timed)


# Balances.


async def test_a_low_balance_is_told_once_and_again_after_it_was_filled(
    service: Service, clock: StillClock
) -> None:
    """The commit that crosses tells it: below, not at the amount."""
    wallet = await open_wallet(service, alerts=[below(amount="80")])
    for _ in range(2):
        spent = [await wallet.redeem()]
        spent.append(await wallet.redeem())
        before = await keys_told(service, wallet.pool_id)
        spent.append(await wallet.redeem())
        assert await keys_told(service, wallet.pool_id) == [*before, "low"]
        spent.append(await wallet.redeem())
        assert await keys_told(service, wallet.pool_id) == [*before, "low"]
        for each in spent:
            await wallet.cancel(each)
    first, second = await told(service, wallet.pool_id)
    assert (
        first
        == second
        == {
            "alertKey": "low",
            "type": "BALANCE_BELOW",
            "crossedDate": instant_text(clock.now),
            "available": "70",
        }
    )


async def test_a_share_is_one_of_what_is_granted(service: Service) -> None:
    """A percentage is of the credit configuration's amount, exactly."""
    wallet = await open_wallet(service, alerts=[below(percent="33.3333")])
    await wallet.adjust("-66.6666")
    assert await keys_told(service, wallet.pool_id) == []
    await wallet.adjust("-0.0002")
    assert await keys_told(service, wallet.pool_id) == ["low"]


async def test_an_alert_that_holds_from_the_beginning_is_told_at_once(service: Service) -> None:
    """A pool that opens below, or with credits that expire too soon, tells it when it opens."""
    credit = {"amount": "5", "expiresAfter": "P2D"}
    alerts = [below(amount="10"), expiring("P3D")]
    wallet = await open_wallet(service, alerts=alerts, creditConfiguration=credit)
    assert await keys_told(service, wallet.pool_id) == ["low", "expiring"]
    assert await service.slugs_of(wallet.pool_id) == ["created+provisioned", "alert", "alert"]
    await run_jobs(service)
    assert len(await keys_told(service, wallet.pool_id)) == 2


async def test_every_change_of_credits_is_watched(service: Service, clock: StillClock) -> None:
    """Whatever takes or brings credits crosses: reservations, grants, changes, what is reverted."""
    wallet = await open_wallet(service, alerts=[below(amount="100")])
    held = await reserve(wallet)
    await cancel(wallet, held)
    await wallet.adjust("-1")
    await wallet.set_balance("100")
    changed = (await wallet.adjust("-50"))["transactionId"]
    await wallet.revert(changed)
    await wallet.redeem()
    await grant(wallet, "10", clock.now + DAY)
    await pass_time(service, clock, DAY)
    assert [each["available"] for each in await told(service, wallet.pool_id)] == [
        "90",
        "99",
        "50",
        "90",
        "90",
    ]


async def test_a_renewal_arms_a_low_balance(service: Service) -> None:
    """Credits that a renewal brings end what held; the next time it is told again."""
    wallet = await open_wallet(service, alerts=[below(amount="50")])
    for _ in range(2):
        await wallet.adjust("-90")
        await act(service, "renew", wallet.program["id"])
    assert await keys_told(service, wallet.pool_id) == ["low", "low"]


# Lots.


async def test_each_lot_is_told_of_when_it_expires_soon(
    service: Service, clock: StillClock
) -> None:
    """At its own instant, however late it is booked; one that is spent isn't told of."""
    wallet = await open_wallet(service, amount="0", alerts=[expiring("P1D")])
    start = clock.now
    first = await grant(wallet, "10", start + 3 * DAY)
    second = await grant(wallet, "20", start + 2 * DAY)
    third = await grant(wallet, "10", start + 5 * DAY, priority=1)
    await wallet.redeem()
    await pass_time(service, clock, DAY - 1)
    assert await told(service, wallet.pool_id) == []
    await pass_time(service, clock, 6 * DAY)
    found = await told(service, wallet.pool_id)
    assert [(each["lotId"], each["crossedDate"], each["date"]) for each in found] == [
        (second, instant_text(start + DAY), instant_text(start + 2 * DAY)),
        (first, instant_text(start + 2 * DAY), instant_text(start + 3 * DAY)),
    ]
    assert [(each["amount"], each["available"]) for each in found] == [("20", "30"), ("10", "10")]
    assert third not in {each["lotId"] for each in found}


async def test_what_expires_soon_already_is_told_at_once_and_when_it_comes_back(
    service: Service, clock: StillClock
) -> None:
    """A grant inside the time is told by its own commit, and by the one that fills it again."""
    wallet = await open_wallet(service, amount="0", alerts=[expiring("P1D")])
    lot = await grant(wallet, "10", clock.now + HOUR)
    assert len(await told(service, wallet.pool_id)) == 1
    spent = await wallet.redeem()
    await wallet.cancel(spent)
    await run_jobs(service)
    assert [each["lotId"] for each in await told(service, wallet.pool_id)] == [lot, lot]


async def test_a_lot_that_lives_longer_is_told_of_again(
    service: Service, clock: StillClock
) -> None:
    """A new date outside of the time arms the alert, one inside doesn't."""
    wallet = await open_wallet(service, amount="0", alerts=[expiring("P1D")])
    lot = await grant(wallet, "10", clock.now + HOUR)

    async def let_end(date: int, revision: int) -> None:
        change = {"id": lot, "revision": str(revision), "expirationDate": instant_text(date)}
        await service.call("updateLot", {"lot": change})

    await let_end(clock.now + 2 * HOUR, 1)
    assert len(await told(service, wallet.pool_id)) == 1
    await let_end(clock.now + 2 * DAY, 2)
    await pass_time(service, clock, DAY - 1)
    assert len(await told(service, wallet.pool_id)) == 1
    await pass_time(service, clock, 1)
    assert len(await told(service, wallet.pool_id)) == 2


async def test_whoever_uses_a_pool_books_its_alerts_first(
    service: Service, clock: StillClock
) -> None:
    """Without a runner the next change tells what has crossed before, in the order of instants."""
    wallet = await open_wallet(service, alerts=[expiring("P1D"), below(amount="95")])
    await grant(wallet, "10", clock.now + 2 * DAY, priority=900)
    clock.now += 3 * DAY
    await wallet.redeem()
    assert await service.slugs_of(wallet.pool_id) == [
        "created+provisioned",
        "updated",
        "alert",
        "updated",
        "benefit_redeemed",
        "alert",
    ]
    assert await keys_told(service, wallet.pool_id) == ["expiring", "low"]


async def test_reads_count_alerts_that_are_not_booked(service: Service, clock: StillClock) -> None:
    """Reads answer while an alert is due, and write nothing."""
    wallet = await open_wallet(service, alerts=[expiring("P1D"), lapsing("PT1H"), renewing("P1D")])
    await grant(wallet, "10", clock.now + 2 * DAY, priority=900)
    await reserve(wallet, expiresAfter="PT40H")
    clock.now += 39 * HOUR
    member = wallet.program["beneficiary"]["memberId"]
    assert await wallet.available() == "100"
    assert await wallet.eligibility("towel")
    query = {"query": {"filter": {"poolId": wallet.pool_id}}, "fields": ["BALANCE"]}
    assert (await service.call("queryPoolItems", query))["poolItems"]
    for method, request in (
        ("listLots", {"poolId": wallet.pool_id}),
        ("getStatement", {"poolId": wallet.pool_id}),
        ("getOverview", {"beneficiary": {"memberId": member}}),
        ("exportBeneficiary", {"beneficiary": {"memberId": member}}),
    ):
        assert await service.call(method, request)
    assert await told(service, wallet.pool_id) == []
    await run_jobs(service)
    assert await keys_told(service, wallet.pool_id) == ["expiring", "lapsing"]


# Reservations.


async def test_a_reservation_is_told_of_before_it_lapses(
    service: Service, clock: StillClock
) -> None:
    """One that has ended before isn't."""
    wallet = await open_wallet(service, alerts=[lapsing("PT1H")])
    held = await reserve(wallet, count=2, expiresAfter="PT3H")
    ended = await reserve(wallet, expiresAfter="PT2H")
    soon = await reserve(wallet, expiresAfter="PT1H")
    assert [each["reservationId"] for each in await told(service, wallet.pool_id)] == [soon]
    await cancel(wallet, ended)
    await pass_time(service, clock, 5 * HOUR)
    found = await told(service, wallet.pool_id)
    (row,) = [each for each in await service.rows(Reservation) if each.id == held]
    assert [each["reservationId"] for each in found] == [soon, held]
    assert found[1] == {
        "alertKey": "lapsing",
        "type": "RESERVATION_LAPSING",
        "crossedDate": instant_text(row.expiration_date - HOUR),
        "available": "80",
        "date": instant_text(row.expiration_date),
        "amount": "20",
        "reservationId": held,
    }


# Programs.


async def test_each_renewal_and_the_end_are_told_of_before(
    service: Service, clock: StillClock
) -> None:
    """Once for each cycle, at its own instant, however late: as if it had been on time."""
    terms = ProgramTerms(renewal_configuration=RenewalConfiguration(every="P10D", cycles=3))
    start = clock.now
    alerts = (renewing("P2D"), ending("P3D"))
    on_time = await open_with_terms(service, terms, *alerts)
    assert await told(service, on_time.pool_id) == []
    for _ in range(31):
        await pass_time(service, clock, DAY)
    found = await told(service, on_time.pool_id)
    assert [(each["alertKey"], each["crossedDate"], each["date"]) for each in found] == [
        ("renewing", instant_text(start + 8 * DAY), instant_text(start + 10 * DAY)),
        ("renewing", instant_text(start + 18 * DAY), instant_text(start + 20 * DAY)),
        ("ending", instant_text(start + 27 * DAY), instant_text(start + 30 * DAY)),
    ]
    start = clock.now
    late = await open_with_terms(service, terms, *alerts)
    await pass_time(service, clock, 31 * DAY)
    found = await told(service, late.pool_id)
    assert [(each["alertKey"], each["crossedDate"]) for each in found] == [
        ("renewing", instant_text(start + 8 * DAY)),
        ("renewing", instant_text(start + 18 * DAY)),
        ("ending", instant_text(start + 27 * DAY)),
    ]


async def test_a_renewal_that_is_always_near_is_told_once_for_each_cycle(
    service: Service, clock: StillClock
) -> None:
    """The alert is about a cycle, also where it is longer than the cycle."""
    wallet = await open_with_terms(service, MONTHLY, renewing("P40D"))
    assert await keys_told(service, wallet.pool_id) == ["renewing"]
    for number in (2, 3):
        await pass_time(service, clock, 30 * DAY)
        assert len(await keys_told(service, wallet.pool_id)) == number


async def test_a_stopped_clock_stops_alerts(service: Service, clock: StillClock) -> None:
    """What was told isn't told again after the pause, what wasn't comes as much later."""
    terms = ProgramTerms(
        renewal_configuration=RenewalConfiguration(every="P10D"), while_paused=WhilePaused.STOP
    )
    start = clock.now
    alerts = (renewing("P4D"), renewing("P2D", "soon"), expiring("P1D"))
    credit = {"amount": "100", "expiresAfter": "P9D"}
    wallet = await open_with_terms(service, terms, *alerts, creditConfiguration=credit)
    await pass_time(service, clock, 7 * DAY)
    assert await keys_told(service, wallet.pool_id) == ["renewing"]
    await act(service, "pause", wallet.program["id"])
    await pass_time(service, clock, 20 * DAY)
    assert await keys_told(service, wallet.pool_id) == ["renewing"]
    await act(service, "resume", wallet.program["id"])
    await run_jobs(service)
    assert await keys_told(service, wallet.pool_id) == ["renewing"]
    await pass_time(service, clock, 3 * DAY - 1)
    found = await told(service, wallet.pool_id)
    assert {(each["alertKey"], each["crossedDate"]) for each in found[1:]} == {
        ("soon", instant_text(start + 28 * DAY)),
        ("expiring", instant_text(start + 28 * DAY)),
    }


async def test_a_paused_program_that_misses_its_renewal_tells_of_none(
    service: Service, clock: StillClock
) -> None:
    """While nothing renews nothing is told; a program that goes on near its renewal tells it."""
    wallet = await open_with_terms(service, MONTHLY, renewing("P2D"))
    await act(service, "pause", wallet.program["id"])
    await pass_time(service, clock, 59 * DAY)
    assert await told(service, wallet.pool_id) == []
    await act(service, "resume", wallet.program["id"])
    await run_jobs(service)
    assert await keys_told(service, wallet.pool_id) == ["renewing"]


async def test_pools_of_large_programs_are_told_of_renewals_too(
    service: Service, clock: StillClock
) -> None:
    """Where a job renews the pools, they look at the next renewal after it."""
    wallet = await open_with_terms(service, MONTHLY, renewing("P2D"))
    await limit_requests(service, 0)
    for number in (1, 2):
        await pass_time(service, clock, 28 * DAY)
        await pass_time(service, clock, 2 * DAY)
        assert len(await keys_told(service, wallet.pool_id)) == number


# Definitions.


@pytest.mark.parametrize("most", [100, 0])
async def test_pools_watch_what_a_cascade_gives_them(service: Service, most: int) -> None:
    """New alerts begin with what holds then, at once or by a job; alerts that are gone end."""
    wallet = await open_wallet(service)
    await limit_requests(service, most)
    await wallet.redeem()
    assert (await pool_row(service, wallet)).alerts is None
    await change_alerts(wallet, below(amount="95"))
    await run_jobs(service)
    assert await keys_told(service, wallet.pool_id) == ["low"]
    await change_alerts(wallet, below(amount="96"), below("other", amount="10"))
    await run_jobs(service)
    assert await keys_told(service, wallet.pool_id) == ["low"]
    await change_alerts(wallet)
    await run_jobs(service)
    pool = await pool_row(service, wallet)
    assert (pool.alerts, pool.due) == (None, None)


async def test_pools_watch_what_their_renewal_gives_them(service: Service) -> None:
    """A change for the next renewal is watched from then on."""
    wallet = await open_wallet(service)
    await change_alerts(wallet, below(amount="95"), cascade="NEXT_RENEWAL")
    await wallet.redeem()
    assert await keys_told(service, wallet.pool_id) == []
    await act(service, "renew", wallet.program["id"])
    await wallet.redeem()
    assert await keys_told(service, wallet.pool_id) == ["low"]


async def test_a_pool_may_have_alerts_of_its_own(service: Service) -> None:
    """A change of one pool's details is watched, too."""
    wallet = await open_wallet(service)
    change = {"id": wallet.pool_id, "revision": "1", "details": {"alerts": [below(amount="101")]}}
    await service.call("updatePool", {"pool": change})
    await run_jobs(service)
    assert await keys_told(service, wallet.pool_id) == ["low"]


async def test_an_imported_balance_is_watched(service: Service) -> None:
    """A program that is imported with little tells it, beside what it told when it opened."""
    alerts = (below(amount="50"), below("more", amount="101"))
    pool_id = await import_with(service, *alerts, balance=10_000)
    assert await keys_told(service, pool_id) == ["more", "low"]


async def test_an_ended_pool_tells_nothing(service: Service, clock: StillClock) -> None:
    """Nobody is told of what an ended pool has left."""
    wallet = await open_wallet(service, alerts=[expiring("P1D")])
    await grant(wallet, "10", clock.now + 3 * DAY)
    await act(service, "end", wallet.program["id"])
    await pass_time(service, clock, 4 * DAY)
    assert await told(service, wallet.pool_id) == []


async def test_details_without_alerts_do_not_mention_them(service: Service) -> None:
    """Who has none sees none; who has some reads them as they were written."""
    plain = await open_wallet(service)
    assert "alerts" not in plain.definition["details"]
    assert "alerts" not in (await plain.pool())["details"]
    alerts = [below(amount="5"), expiring("P1W")]
    wallet = await open_wallet(service, alerts=alerts)
    another = await open_another(service, wallet.definition)
    assert (await another.pool())["details"]["alerts"] == alerts


@pytest.mark.parametrize(
    ("alert", "path", "rule"),
    [
        (below(amount="0"), "[0].balanceBelowOptions.amount", "DECIMAL_GTE"),
        (below(percent="101"), "[0].balanceBelowOptions.percent", "DECIMAL_LTE"),
        (below(), "[0].balanceBelowOptions", "ONE_OF_ALIGNMENT"),
        (below(amount="1", percent="1"), "[0].balanceBelowOptions.percent", "ONE_OF_ALIGNMENT"),
        (expiring("P0D"), "[0].creditsExpiringOptions.within", "MIN"),
        (expiring("soon"), "[0].creditsExpiringOptions.within", "FORMAT"),
        ({"alertKey": "a"}, "[0]", "ONE_OF_ALIGNMENT"),
        ({**expiring("P1D"), "alertKey": ""}, "[0].alertKey", "MIN_LENGTH"),
        ({**expiring("P1D"), "type": "RENEWAL_DUE"}, "[0].type", "ONE_OF_ALIGNMENT"),
    ],
)
async def test_bad_alerts_are_refused_with_field_and_rule(
    service: Service, alert: Document, path: str, rule: str
) -> None:
    """Each violation names where it stands."""
    request = {
        "poolDefinition": {"namespace": NAMESPACE, "details": details(alerts=[alert])},
        "cascade": "IMMEDIATELY",
    }
    refused = await service.refusal("createPoolDefinition", request)
    assert refused.status == 400
    assert refused.fields == {f"poolDefinition.details.alerts{path}": rule}


async def test_odd_alerts_together_are_refused(service: Service) -> None:
    """Keys are unique, a share needs an amount, and there is a limit."""
    path = "poolDefinition.details.alerts"
    odd = [
        ([below(amount="1"), expiring("P1D", "low")], "100", f"{path}[1].alertKey"),
        ([below(percent="10")], None, f"{path}[0].balanceBelowOptions.percent"),
        ([below(str(key), amount="1") for key in range(ALERTS_MAX + 1)], "100", path),
    ]
    for alerts, amount, field in odd:
        free = benefit("towel", price="0")
        request = {
            "poolDefinition": {
                "namespace": NAMESPACE,
                "details": details(free, amount=amount, alerts=alerts),
            },
            "cascade": "IMMEDIATELY",
        }
        refused = await service.refusal("createPoolDefinition", request)
        assert (refused.status, [*refused.fields]) == (400, [field])


async def test_an_endpoint_gets_alerts(database_url: str) -> None:
    """They are delivered as any other event, with the pool and what crossed."""
    async with (
        Receiver().running() as receiver,
        open_application(database_url) as application,
    ):
        service = await new_tenant(*application)
        await create_endpoint(service, receiver, eventTypes=[ALERT_EVENT])
        credit = {"amount": "100", "expiresAfter": "PT61S"}
        alerts = [expiring("PT1M"), below(amount="95")]
        wallet = await open_wallet(
            service, benefit("towel"), alerts=alerts, creditConfiguration=credit
        )
        await wallet.redeem()
        await receiver.until(lambda: len(receiver.taken) == 2)
        low, soon = (each.event["actionEvent"]["body"] for each in receiver.taken)
        assert (low["alertDetails"]["alertKey"], low["pool"]["id"]) == ("low", wallet.pool_id)
        assert soon["alertDetails"]["type"] == "CREDITS_EXPIRING"
        assert soon["alertDetails"]["amount"] == "90"
