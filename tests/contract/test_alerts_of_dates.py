"""Alerts of dates that change: by callers, by pauses, and by several orders in one decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benefit_programs.domain.calendars import ProgramTerms, RenewalConfiguration, WhilePaused
from benefit_programs.domain.scheduled_changes import ProgramChangeKind
from benefit_programs.transfer.dates import StatedChange, StatedDates
from benefit_programs.wire.codec import instant_text
from tests.support.alerts import (
    change_alerts,
    ending,
    expiring,
    grant,
    import_with,
    keys_told,
    lapsing,
    open_with_terms,
    pass_time,
    told,
)
from tests.support.audit import require_sound
from tests.support.calendar import update
from tests.support.calls import guid
from tests.support.clock import DAY, HOUR, StillClock
from tests.support.holds import reserve
from tests.support.lifecycle import act, limit_requests, run_jobs
from tests.support.wallet import open_wallet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.inprocess import Service
    from tests.support.wallet import Wallet

pytestmark = pytest.mark.anyio

MONTHLY = ProgramTerms(renewal_configuration=RenewalConfiguration(every="P30D"))
STOPPING = ProgramTerms(
    renewal_configuration=RenewalConfiguration(every="P30D"), while_paused=WhilePaused.STOP
)


@pytest.fixture
async def service(request: pytest.FixtureRequest, timed: Service) -> AsyncIterator[Service]:
    """Its books are sound after the test."""
    yield timed
    await require_sound(request, timed)


async def crossings(wallet: Wallet) -> list[tuple[str, str]]:
    """When each alert was raised, in the order of the events."""
    found = await told(wallet.caller, wallet.pool_id)
    return [(each["alertKey"], each["crossedDate"]) for each in found]


async def end_at(wallet: Wallet, date: int) -> str:
    """Have the program end at a date; the id of the change that waits for it."""
    request = {
        "programId": wallet.program["id"],
        "kind": "END",
        "date": instant_text(date),
        "idempotencyKey": guid(),
    }
    answer = await wallet.caller.call("scheduleProgramChange", request)
    return answer["scheduledChange"]["id"]  # type: ignore[no-any-return]


async def test_an_end_with_a_date_is_told_of_and_again_after_it_was_withdrawn(
    service: Service, clock: StillClock
) -> None:
    """A waiting end is the program's end. One that is withdrawn arms the alert again."""
    start = clock.now
    wallet = await open_with_terms(service, MONTHLY, ending("P3D"))
    change = await end_at(wallet, start + 10 * DAY)
    await pass_time(service, clock, 7 * DAY - 1)
    assert await crossings(wallet) == []
    await pass_time(service, clock, 1)
    first = ("ending", instant_text(start + 7 * DAY))
    assert await crossings(wallet) == [first]
    await service.call("withdrawScheduledChange", {"scheduledChangeId": change})
    await pass_time(service, clock, DAY)
    assert await crossings(wallet) == [first]
    await end_at(wallet, start + 9 * DAY)
    await run_jobs(service)
    assert await crossings(wallet) == [first, ("ending", instant_text(start + 8 * DAY))]


async def test_a_pause_with_a_date_is_no_end(service: Service, clock: StillClock) -> None:
    """An alert of the end leaves other changes that wait for their dates alone."""
    start = clock.now
    wallet = await open_with_terms(service, MONTHLY, ending("P3D"))
    request = {
        "programId": wallet.program["id"],
        "kind": "PAUSE",
        "date": instant_text(start + 10 * DAY),
        "idempotencyKey": guid(),
    }
    await service.call("scheduleProgramChange", request)
    await pass_time(service, clock, 8 * DAY)
    assert await crossings(wallet) == []


async def test_an_alert_that_is_late_comes_before_a_change_of_its_date(
    service: Service, clock: StillClock
) -> None:
    """Whoever moves an end books first what crossed by the old one, as if it had been on time."""
    start = clock.now
    terms = ProgramTerms(end_date=start + 10 * DAY)
    moved = await open_with_terms(service, terms, ending("P3D"))
    cut = await open_with_terms(service, terms, ending("P3D"))
    clock.now += 8 * DAY
    await update(service, moved.program["id"], endDate=instant_text(start + 30 * DAY))
    await end_at(cut, start + 9 * DAY)
    await run_jobs(service)
    first = ("ending", instant_text(start + 7 * DAY))
    assert await crossings(moved) == [first]
    assert await crossings(cut) == [first]
    await pass_time(service, clock, 20 * DAY)
    assert await crossings(moved) == [first, ("ending", instant_text(start + 27 * DAY))]


async def test_a_new_end_is_told_of_where_a_renewal_comes_before_it(
    service: Service, clock: StillClock
) -> None:
    """Pools look at a new end also if it isn't what happens next in the program."""
    start = clock.now
    wallet = await open_with_terms(service, MONTHLY, ending("P3D"))
    await update(service, wallet.program["id"], endDate=instant_text(start + 32 * DAY))
    await pass_time(service, clock, 29 * DAY)
    assert await crossings(wallet) == [("ending", instant_text(start + 29 * DAY))]


async def test_what_comes_while_the_clock_stands_has_its_own_time_left(
    service: Service, clock: StillClock
) -> None:
    """Its dates stand from when it came, so alerts come as long before them after the pause."""
    wallet = await open_with_terms(service, STOPPING, expiring("P1D"), lapsing("PT1H"))
    await pass_time(service, clock, 5 * DAY)
    await act(service, "pause", wallet.program["id"])
    await pass_time(service, clock, 5 * DAY)
    await grant(wallet, "10", clock.now + 3 * DAY)
    await pass_time(service, clock, 5 * DAY)
    assert await crossings(wallet) == []
    soon = await grant(wallet, "10", clock.now + HOUR)
    assert await keys_told(service, wallet.pool_id) == ["expiring"]
    assert (await told(service, wallet.pool_id))[0]["lotId"] == soon
    await act(service, "resume", wallet.program["id"])
    start = clock.now
    await pass_time(service, clock, 4 * DAY)
    assert (await crossings(wallet))[1:] == [("expiring", instant_text(start + 2 * DAY))]


async def test_a_reservation_lapses_once_in_a_decision_of_several_orders(
    service: Service, clock: StillClock
) -> None:
    """A pool that catches up with changes and renews, while a reservation is late."""
    wallet = await open_wallet(service, alerts=[lapsing("PT1H")])
    await reserve(wallet, expiresAfter="PT2H")
    await limit_requests(service, 0)
    for within in ("PT30M", "PT15M"):
        await change_alerts(wallet, lapsing(within))
    clock.now += 3 * HOUR
    await limit_requests(service, 100)
    await act(service, "renew", wallet.program["id"])
    await run_jobs(service)
    assert await wallet.available() == "100"
    assert (await service.slugs_of(wallet.pool_id)).count("alert") == 1


async def test_an_imported_program_tells_of_what_waits_for_its_date(
    service: Service, clock: StillClock
) -> None:
    """An end that a file states among the changes with a date is told of at its own instant."""
    start = clock.now
    change = StatedChange(kind=ProgramChangeKind.END, date=start + 10 * DAY)
    dates = StatedDates(changes=(change,))
    pool_id = await import_with(service, ending("P3D"), balance=10_000, dates=dates)
    await pass_time(service, clock, 8 * DAY)
    found = await told(service, pool_id)
    assert [each["crossedDate"] for each in found] == [instant_text(start + 7 * DAY)]
