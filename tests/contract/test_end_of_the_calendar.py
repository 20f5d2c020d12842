"""Dates of programs at the end of the calendar, where some put what is never to come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.calendar import new_member, pool_of, reach
from tests.support.calls import guid
from tests.support.clock import DAY
from tests.support.lifecycle import act, read

if TYPE_CHECKING:
    from tests.support.clock import StillClock
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

LAST = "9999-12-31T23:59:59.999Z"
LAST_BUT_ONE = "9999-12-31T23:59:59.998Z"


async def pause_for_a_day(service: Service, clock: StillClock, program_id: str) -> None:
    await act(service, "pause", program_id)
    await reach(service, clock, clock.now + DAY)
    await act(service, "resume", program_id)


async def test_a_stop_moves_an_end_no_further_than_the_last_instant(
    timed: Service, clock: StillClock
) -> None:
    """A program that ends with the calendar stays so, however long it was paused."""
    program = await new_member(timed, whilePaused="STOP", endDate=LAST)
    await pause_for_a_day(timed, clock, program)
    assert (await read(timed, program))["endDate"] == LAST


async def test_a_stop_moves_a_renewal_no_further_than_the_last_instant(
    timed: Service, clock: StillClock
) -> None:
    """A renewal that would come after the year 9999 comes at its end."""
    renewal = {"every": "P1M", "anchor": "9999-12-31T12:00:00.000Z"}
    program = await new_member(timed, whilePaused="STOP", renewalConfiguration=renewal)
    await pause_for_a_day(timed, clock, program)
    assert (await read(timed, program))["nextRenewalDate"] == LAST


async def test_a_stop_moves_a_lot_no_further_than_the_last_instant(
    timed: Service, clock: StillClock
) -> None:
    """Credits that expire with the calendar do so, however long their program was paused."""
    program = await new_member(timed, whilePaused="STOP")
    pool = (await pool_of(timed, program)).id
    granted = {"amount": "5", "expirationDate": LAST_BUT_ONE, "idempotencyKey": guid()}
    await timed.call("grantCredits", {"poolId": pool, **granted})
    await pause_for_a_day(timed, clock, program)
    lots = (await timed.call("queryLots", {"query": {"filter": {}}}))["lots"]
    assert LAST in [each.get("expirationDate") for each in lots]


async def test_a_pause_in_the_last_year_is_shown(timed: Service) -> None:
    """Days of a year that never come don't let a program resume."""
    program = await new_member(timed, pausedDaysMax=30)
    change = {"kind": "PAUSE", "date": "9999-12-15T00:00:00.000Z", "idempotencyKey": guid()}
    await timed.call("scheduleProgramChange", {"programId": program, **change})
    shown = await timed.call("getProgramTimetable", {"programId": program})
    assert [each["kind"] for each in shown["dates"]] == ["PAUSE"]


@pytest.mark.parametrize(
    ("time_zone", "anchor", "end"),
    [
        ("Asia/Tokyo", "2027-02-01T00:00:00.000Z", LAST),
        ("America/New_York", "0001-01-01T00:00:00.000Z", LAST),
    ],
)
async def test_dates_are_shown_whose_local_time_has_no_year(
    timed: Service, time_zone: str, anchor: str, end: str
) -> None:
    """An offset that leads out of the calendar isn't applied: such an instant is shown in UTC."""
    renewal = {"every": "P100Y", "anchor": anchor, "timeZone": time_zone}
    program = await new_member(timed, renewalConfiguration=renewal, endDate=end)
    shown = await timed.call("getProgramTimetable", {"programId": program, "limit": 100})
    assert shown["dates"][-1]["localDate"].startswith("9999-12-31T23:59:59.999")
