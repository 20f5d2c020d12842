"""Dates at the ends of the calendar, such as an end in the year 9999 that stands for never."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.calendar import MONTHLY, at, dates_of, listed, new_member, pool_of
from tests.support.calls import guid
from tests.support.clock import DAY, StillClock
from tests.support.inprocess import new_tenant, open_application
from tests.support.lifecycle import act, read

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

NEVER = "9999-12-31T23:00:00.000Z"
FIRST, LAST = "0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"
ZONES = ["America/New_York", "Asia/Tokyo"]


@pytest.fixture
def clock() -> StillClock:
    clock = StillClock()
    clock.now = at("2027-01-31T10:00")
    return clock


@pytest.fixture
async def timed(database_url: str, clock: StillClock) -> AsyncIterator[Service]:
    """A service whose time stands still, and in which nothing is booked by itself."""
    async with open_application(database_url, clock=clock, run_jobs=False) as application:
        yield await new_tenant(*application)


@pytest.mark.parametrize("zone", ZONES)
async def test_a_timetable_shows_dates_whose_wall_clock_has_left_the_calendar(
    timed: Service, zone: str
) -> None:
    """Then it shows them in UTC."""
    renewal = {"every": "P1Y", "anchor": FIRST, "timeZone": zone}
    terms = {"renewalConfiguration": renewal, "fromDate": FIRST, "limit": 2}
    assert len((await timed.call("previewTimetable", terms))["dates"]) == 2
    terms = {"renewalConfiguration": {"every": "P100Y", "timeZone": zone}, "endDate": NEVER}
    (*_, end) = (await timed.call("previewTimetable", {**terms, "limit": 100}))["dates"]
    assert (end["kind"], end["date"]) == ("END", NEVER)
    local = {"America/New_York": "9999-12-31T18:00:00-05:00"}
    assert end["localDate"] == local.get(zone, "9999-12-31T23:00:00+00:00")


@pytest.mark.parametrize("zone", ZONES)
async def test_a_timetable_shows_a_pause_until_the_end_of_the_calendar(
    timed: Service, zone: str
) -> None:
    renewal = {"every": "P100Y", "timeZone": zone}
    program_id = await new_member(timed, renewalConfiguration=renewal, pausedDaysMax=366)
    pause = {"programId": program_id, "kind": "PAUSE", "date": NEVER, "untilDate": LAST}
    await timed.call("scheduleProgramChange", {**pause, "idempotencyKey": guid()})
    assert ("PAUSE", NEVER) in listed(await dates_of(timed, program_id, limit=100))


async def test_a_pause_moves_nothing_past_the_end_of_the_calendar(
    timed: Service, clock: StillClock
) -> None:
    program_id = await new_member(
        timed, renewalConfiguration=MONTHLY, endDate=NEVER, whilePaused="STOP"
    )
    pool = await pool_of(timed, program_id)
    lot = {"poolId": pool.id, "amount": "5", "expirationDate": NEVER, "idempotencyKey": guid()}
    granted = await timed.call("grantCredits", lot)
    await act(timed, "pause", program_id)
    clock.now += 5 * DAY
    await act(timed, "resume", program_id)
    assert (await read(timed, program_id))["endDate"] == LAST
    moved = await timed.call("getLot", {"lotId": granted["lot"]["id"]})
    assert moved["lot"]["expirationDate"] == LAST
