"""The overview of a member says when programs renew, end and resume."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.calendar import at, reach, text
from tests.support.calls import guid
from tests.support.clock import DAY, StillClock
from tests.support.dated import BEGIN
from tests.support.lifecycle import act
from tests.support.wallet import open_wallet

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

NAMES = ("nextRenewalDate", "cycle", "endDate", "pausedUntilDate")


async def test_an_overview_says_what_comes_next(timed: Service, clock: StillClock) -> None:
    """Programs with dates say when they renew, end and resume; others show no field more."""
    member = {"memberId": guid()}
    dates = {
        "renewalConfiguration": {"every": "P1M", "timeZone": "UTC"},
        "endsAfter": "P1Y",
        "pausedDaysMax": 10,
    }
    wallet = await open_wallet(timed, program={"beneficiary": member, **dates})
    await open_wallet(timed, program={"beneficiary": member})
    asked = {"beneficiary": member}
    dated, plain = (await timed.call("getOverview", asked))["programs"]
    assert [name for name in NAMES if name in plain] == []
    assert {name: dated[name] for name in NAMES if name in dated} == {
        "nextRenewalDate": "2027-02-28T10:00:00.000Z",
        "cycle": {
            "number": 1,
            "startDate": text(BEGIN),
            "endDate": "2027-02-28T10:00:00.000Z",
        },
        "endDate": "2028-01-31T10:00:00.000Z",
    }
    await reach(timed, clock, at("2027-03-01"))
    await act(timed, "pause", wallet.program["id"])
    dated, _ = (await timed.call("getOverview", asked))["programs"]
    assert dated["pausedUntilDate"] == text(at("2027-03-01") + 10 * DAY)
    assert dated["cycle"]["number"] == 2
