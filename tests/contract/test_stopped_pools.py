"""Pools of programs whose pauses stop the clock: lots and reservations stand still meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.calendars import ProgramTerms, RenewalConfiguration, WhilePaused
from benefit_programs.domain.entities import JobKind, Lot, LotStatus
from benefit_programs.wire.codec import instant_text
from tests.support.calls import details, guid
from tests.support.clock import DAY
from tests.support.dated import (
    STOPPING,
    act_until,
    be_on_time,
    join,
    make_plan,
    pool_row,
)
from tests.support.lifecycle import run_jobs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.calls import Document
    from tests.support.clock import StillClock
    from tests.support.inprocess import Service
    from tests.support.wallet import Wallet

pytestmark = pytest.mark.anyio

PAUSE, RESUME, END = JobKind.PAUSE_PROGRAM, JobKind.RESUME_PROGRAM, JobKind.END_PROGRAM


@pytest.fixture
async def dated(dated: tuple[Service, StillClock]) -> AsyncIterator[tuple[Service, StillClock]]:
    """All that is due is booked after the test, and the books are sound then."""
    yield dated
    await run_jobs(dated[0])


async def open_stopping(service: Service, **credit: Any) -> Wallet:
    """A pool whose 100 credits live for ten days, unless more is said."""
    credit = {"amount": "100", "expiresAfter": "P10D"} | credit
    return await join(service, await make_plan(service, **credit), STOPPING)


async def lots_of(service: Service, wallet: Wallet) -> list[Document]:
    """The lots of a pool but the standard one."""
    found = await service.call("listLots", {"poolId": wallet.pool_id})
    return [each for each in found["lots"] if not each["isStandard"]]


async def ends_of(service: Service, wallet: Wallet) -> list[str]:
    return [each["expirationDate"] for each in await lots_of(service, wallet)]


async def lots_with(service: Service, wallet: Wallet, status: str) -> list[str]:
    """The ids of lots that a query finds by a status."""
    query = {"filter": {"poolId": wallet.pool_id, "status": status}}
    return [each["id"] for each in (await service.call("queryLots", {"query": query}))["lots"]]


def text(at: int) -> str:
    found = instant_text(at)
    assert found is not None
    return found


async def test_lots_outlive_a_pause_by_as_much_as_it_took(
    dated: tuple[Service, StillClock],
) -> None:
    """Exactly so, also over several pauses, and they are live all the time."""
    service, clock = dated
    wallet = await open_stopping(service)
    begin = clock.now
    for days in (4, 30, 2, 9, 1, 5):
        status = (await wallet.pool())["status"]
        clock.now += days * DAY
        await act_until(service, wallet, RESUME if status == "PAUSED" else PAUSE)
        await run_jobs(service)
        assert await wallet.available() == "100"
        assert len(await lots_with(service, wallet, "LIVE")) == 1
        assert await lots_with(service, wallet, "EXPIRED") == []
    end = begin + (10 + 30 + 9 + 5) * DAY
    assert await ends_of(service, wallet) == [text(end)]
    clock.now = end - 1
    assert await wallet.available() == "100"
    clock.now = end
    assert await wallet.available() == "0"
    await run_jobs(service)
    assert await wallet.available() == "0"


async def test_a_pause_of_no_time_moves_nothing(dated: tuple[Service, StillClock]) -> None:
    """Paused and resumed at one instant, a lot is as it was, revision and all."""
    service, clock = dated
    wallet = await open_stopping(service)
    before = await lots_of(service, wallet)
    await act_until(service, wallet, PAUSE)
    await act_until(service, wallet, RESUME)
    assert await lots_of(service, wallet) == before
    assert (await pool_row(service, wallet)).due == clock.now + 10 * DAY


async def test_what_comes_back_in_a_pause_is_live(dated: tuple[Service, StillClock]) -> None:
    """It returns to a lot whose date has passed on the wall, and not on its own clock."""
    service, clock = dated
    wallet = await open_stopping(service)
    some, rest = await wallet.redeem(count=3), await wallet.redeem(count=7)
    clock.now += 4 * DAY
    await act_until(service, wallet, PAUSE)
    clock.now += 30 * DAY
    await wallet.cancel(some)
    assert await wallet.available() == "30"
    await wallet.revert(rest)
    assert await wallet.available() == "100"
    await act_until(service, wallet, RESUME)
    assert await ends_of(service, wallet) == [text(clock.now + 6 * DAY)]
    clock.now += 6 * DAY
    assert await wallet.available() == "0"


async def test_a_lot_that_was_spent_has_been_paused_too(
    dated: tuple[Service, StillClock],
) -> None:
    """What comes back after a pause has the rest of its life before it, and so after several."""
    service, clock = dated
    wallet = await open_stopping(service)
    redeemed = await wallet.redeem(count=10)
    clock.now += 4 * DAY
    for _ in range(2):
        await act_until(service, wallet, PAUSE)
        clock.now += 30 * DAY
        await act_until(service, wallet, RESUME)
    query = {"filter": {"poolId": wallet.pool_id, "status": "SPENT"}}
    (spent,) = (await service.call("queryLots", {"query": query}))["lots"]
    assert spent["expirationDate"] == text(clock.now + 6 * DAY)
    await wallet.cancel(redeemed)
    assert await wallet.available() == "100"
    assert await ends_of(service, wallet) == [text(clock.now + 6 * DAY)]
    clock.now += 6 * DAY - 1
    assert await wallet.available() == "100"
    clock.now += 1
    assert await wallet.available() == "0"


async def test_returned_credits_live_at_least_as_long_as_is_said(
    dated: tuple[Service, StillClock],
) -> None:
    """By their own clock: a lot with enough of its life left takes them back."""
    service, clock = dated
    wallet = await open_stopping(service, returnsLive="P5D")
    redeemed = [await wallet.redeem(), await wallet.redeem()]
    clock.now += 4 * DAY
    await act_until(service, wallet, PAUSE)
    clock.now += 30 * DAY
    await wallet.cancel(redeemed[0])
    assert len(await lots_of(service, wallet)) == 1
    await act_until(service, wallet, RESUME)
    clock.now += 2 * DAY
    await act_until(service, wallet, PAUSE)
    clock.now += 30 * DAY
    await wallet.cancel(redeemed[1])
    clock.now += DAY
    await act_until(service, wallet, RESUME)
    ends = sorted(await ends_of(service, wallet))
    assert ends == [text(clock.now + 4 * DAY), text(clock.now + 5 * DAY)]


async def test_what_is_granted_in_a_pause_waits_for_its_end(
    dated: tuple[Service, StillClock],
) -> None:
    """Its life begins when the pause is over; what is to begin later begins as much later."""
    service, clock = dated
    wallet = await open_stopping(service, amount="0")
    await act_until(service, wallet, PAUSE)
    clock.now += 20 * DAY
    for begin in (None, clock.now + DAY):
        later = {} if begin is None else {"effectiveDate": text(begin)}
        request = {"poolId": wallet.pool_id, "amount": "7", "expiresAfter": "P3D", **later}
        await service.call("grantCredits", {**request, "idempotencyKey": guid()})
    clock.now += 40 * DAY
    await run_jobs(service)
    assert await wallet.available() == "7"
    assert len(await lots_with(service, wallet, "FUTURE")) == 1
    await act_until(service, wallet, RESUME)
    found = sorted(
        (each["effectiveDate"], each["expirationDate"]) for each in await lots_of(service, wallet)
    )
    assert found[1] == (text(clock.now + DAY), text(clock.now + 4 * DAY))
    assert found[0][1] == text(clock.now + 3 * DAY)
    clock.now += DAY
    assert await wallet.available() == "14"
    clock.now += 2 * DAY
    assert await wallet.available() == "7"


async def test_a_date_that_is_set_in_a_pause_moves_by_its_rest(
    dated: tuple[Service, StillClock],
) -> None:
    """Whoever sets the end of a lot means it as of then."""
    service, clock = dated
    wallet = await open_stopping(service)
    clock.now += DAY
    await act_until(service, wallet, PAUSE)
    clock.now += 20 * DAY
    (lot,) = await lots_of(service, wallet)
    change = {"id": lot["id"], "revision": lot["revision"]}
    await service.call(
        "updateLot", {"lot": {**change, "expirationDate": text(clock.now + 2 * DAY)}}
    )
    clock.now += 20 * DAY
    await act_until(service, wallet, RESUME)
    assert await ends_of(service, wallet) == [text(clock.now + 2 * DAY)]


async def test_an_end_that_is_set_before_a_lot_begins_moves_by_the_rest_of_a_pause(
    dated: tuple[Service, StillClock],
) -> None:
    """Its begin moves by all of it, and its end is never before."""
    service, clock = dated
    wallet = await open_stopping(service, amount="0")
    request = {"poolId": wallet.pool_id, "amount": "7", "idempotencyKey": guid()}
    await service.call("grantCredits", {**request, "effectiveDate": text(clock.now + 3 * DAY)})
    await act_until(service, wallet, PAUSE)
    clock.now += 20 * DAY
    (lot,) = await lots_of(service, wallet)
    change = {"id": lot["id"], "revision": lot["revision"]}
    too_soon = {"lot": {**change, "expirationDate": text(clock.now + 3 * DAY)}}
    assert (await service.refusal("updateLot", too_soon)).status == 400
    end = text(clock.now + 5 * DAY)
    answer = await service.call("updateLot", {"lot": {**change, "expirationDate": end}})
    assert answer["lot"]["effectiveDate"] == text(clock.now + 3 * DAY)
    assert answer["lot"]["expirationDate"] == end
    clock.now += 20 * DAY
    await act_until(service, wallet, RESUME)
    (lot,) = await lots_of(service, wallet)
    assert lot["effectiveDate"] == text(clock.now + 3 * DAY)
    assert lot["expirationDate"] == text(clock.now + 5 * DAY)


async def test_what_is_still_to_come_begins_after_a_pause(
    dated: tuple[Service, StillClock],
) -> None:
    """Also where the pool has no other credits, and however short the pause was."""
    service, clock = dated
    for days in (0, 20):
        wallet = await open_stopping(service, amount="0")
        request = {"poolId": wallet.pool_id, "amount": "7", "idempotencyKey": guid()}
        await service.call("grantCredits", {**request, "effectiveDate": text(clock.now + DAY)})
        await act_until(service, wallet, PAUSE)
        clock.now += days * DAY
        await act_until(service, wallet, RESUME)
        clock.now += DAY - 1
        assert await wallet.available() == "0"
        clock.now += 1
        assert await wallet.available() == "7"
        assert [each["effectiveDate"] for each in await lots_of(service, wallet)] == [
            text(clock.now)
        ]


async def test_a_lot_can_be_ended_in_a_pause(dated: tuple[Service, StillClock]) -> None:
    """Also one whose date has passed on the wall."""
    service, clock = dated
    wallet = await open_stopping(service)
    await act_until(service, wallet, PAUSE)
    clock.now += 20 * DAY
    (lot,) = await lots_of(service, wallet)
    await service.call("expireLot", {"lotId": lot["id"], "idempotencyKey": guid()})
    assert await wallet.available() == "0"


async def reserve(service: Service, wallet: Wallet, days: int) -> str:
    request = wallet.redemption(count=2, expiresAfter=f"P{days}D")
    return (await service.call("reserveBenefit", request))["transactionId"]  # type: ignore[no-any-return]


async def test_reservations_stand_still(dated: tuple[Service, StillClock]) -> None:
    """They are open in a pause, can be captured and canceled, and lapse as much later."""
    service, clock = dated
    wallet = await open_stopping(service)
    captured, canceled, kept = [await reserve(service, wallet, days) for days in (2, 2, 3)]
    clock.now += DAY
    await act_until(service, wallet, PAUSE)
    clock.now += 30 * DAY
    await run_jobs(service)
    query = {"filter": {"poolId": wallet.pool_id, "status": "OPEN"}}
    found = await service.call("queryReservations", {"query": query})
    assert {each["status"] for each in found["reservations"]} == {"OPEN"}
    assert len(found["reservations"]) == 3
    lapsed = {"filter": {"poolId": wallet.pool_id, "status": "LAPSED"}}
    assert (await service.call("queryReservations", {"query": lapsed}))["reservations"] == []
    overview = await service.call("getOverview", {"beneficiary": wallet.program["beneficiary"]})
    (pool,) = overview["programs"][0]["pools"]
    assert len(pool["reservations"]) == 3
    assert "nextExpiry" not in pool
    for name, reservation in (
        ("captureBenefitReservation", captured),
        ("cancelBenefitReservation", canceled),
    ):
        await service.call(name, {"transactionId": reservation, "idempotencyKey": guid()})
    await act_until(service, wallet, RESUME)
    open_now = await service.call("getReservation", {"reservationId": kept})
    assert open_now["reservation"]["expirationDate"] == text(clock.now + 2 * DAY)
    clock.now += 2 * DAY
    refused = await service.refusal(
        "captureBenefitReservation", {"transactionId": kept, "idempotencyKey": guid()}
    )
    assert refused.code == "RESERVATION_NOT_OPEN"
    assert (await wallet.balance())["amount"] == {"available": "80", "reserved": "0"}


@pytest.mark.parametrize("cascade", [False, True], ids=["its end", "its definition's end"])
async def test_the_clock_goes_on_when_a_pool_ends(
    dated: tuple[Service, StillClock], *, cascade: bool
) -> None:
    """Whatever ends it, the credits that stay expire as much later."""
    service, clock = dated
    wallet = await open_stopping(service)
    clock.now += 4 * DAY
    await act_until(service, wallet, PAUSE)
    clock.now += 30 * DAY
    if cascade:
        request = {"poolDefinitionId": wallet.definition["id"], "cascade": "IMMEDIATELY"}
        await service.call("deletePoolDefinition", request)
    else:
        await act_until(service, wallet, END)
    row = await pool_row(service, wallet)
    assert (row.status.value, row.stopped, row.due) == ("ENDED", None, clock.now + 6 * DAY)
    assert await wallet.available() == "100"
    clock.now += 6 * DAY
    assert await wallet.available() == "0"


async def test_credits_lapse_with_a_pool_that_ends_in_a_pause(
    dated: tuple[Service, StillClock],
) -> None:
    """Where the definition says so."""
    service, clock = dated
    wallet = await open_stopping(service, lapseAtEnd=True)
    await act_until(service, wallet, PAUSE)
    clock.now += 30 * DAY
    await act_until(service, wallet, END)
    assert await wallet.available() == "0"
    assert {row.status for row in await service.rows(Lot)} == {LotStatus.SPENT}


async def test_a_pool_that_is_opened_in_a_pause_stands_from_its_begin(
    dated: tuple[Service, StillClock],
) -> None:
    """What it brings lives its whole life after the pause."""
    service, clock = dated
    wallet = await open_stopping(service)
    await act_until(service, wallet, PAUSE)
    clock.now += 30 * DAY
    new = {
        "namespace": "gym",
        "details": details(creditConfiguration={"amount": "5", "expiresAfter": "P2D"}),
        "programDefinitionIds": [wallet.program["programDefinition"]["id"]],
    }
    await service.call("createPoolDefinition", {"poolDefinition": new, "cascade": "IMMEDIATELY"})
    pools = await service.pools_of(wallet.program["id"])
    (opened_id,) = {each["id"] for each in pools} - {wallet.pool_id}
    clock.now += 30 * DAY
    await act_until(service, wallet, RESUME)
    found = await service.call("listLots", {"poolId": opened_id})
    ends = [each["expirationDate"] for each in found["lots"] if not each["isStandard"]]
    assert ends == [text(clock.now + 2 * DAY)]


async def test_a_renewal_by_hand_in_a_pause_rolls_over_by_the_clock_of_the_pool(
    dated: tuple[Service, StillClock],
) -> None:
    """What rolls over, and what is new, live for so long after the pause."""
    service, clock = dated
    rollover = {"enabled": True, "expiresAfter": "P3D"}
    wallet = await open_stopping(service, rolloverConfiguration=rollover)
    clock.now += DAY
    await act_until(service, wallet, PAUSE)
    clock.now += 30 * DAY
    request = {"programId": wallet.program["id"], "idempotencyKey": guid()}
    await service.call("renewProgram", request)
    assert await wallet.available() == "200"
    clock.now += 30 * DAY
    await act_until(service, wallet, RESUME)
    ends = sorted(await ends_of(service, wallet))
    assert ends == [text(clock.now + 3 * DAY), text(clock.now + 10 * DAY)]


async def test_outstanding_credits_are_told_by_the_life_that_is_left(
    dated: tuple[Service, StillClock],
) -> None:
    """A statement of the tenant counts what stands still as if the pause ended now."""
    service, clock = dated
    wallet = await open_stopping(service)
    clock.now += 4 * DAY
    await act_until(service, wallet, PAUSE)
    clock.now += 20 * DAY
    asked = {"fromDate": text(clock.now - 3 * DAY)}
    outstanding = (await service.call("getStatements", asked))["outstanding"]
    assert [each["amount"] for each in outstanding["byExpiry"]] == ["0", "100", "0", "0", "0", "0"]


async def test_a_pause_that_is_booked_late_stops_the_clock_at_its_instant(
    dated: tuple[Service, StillClock],
) -> None:
    """Renewals before a pause bring lots that it moves, whenever all of that is booked."""
    service, clock = dated
    terms = ProgramTerms(
        renewal_configuration=RenewalConfiguration(every="P7D"), while_paused=WhilePaused.STOP
    )
    credit = {"amount": "10", "expiresAfter": "P20D"}
    made = await make_plan(service, **credit, rolloverConfiguration={"enabled": True})
    prompt, late = [await join(service, made, terms) for _ in range(2)]
    clock.now += 10 * DAY
    for wallet in (prompt, late):
        await act_until(service, wallet, PAUSE, clock.now + 30 * DAY)
    for _ in range(50):
        clock.now += DAY
        await be_on_time(service, prompt)
    found = [
        [
            (each["effectiveDate"], each["expirationDate"], each["available"])
            for each in await lots_of(service, wallet)
        ]
        for wallet in (prompt, late)
    ]
    assert found[0] == found[1]
    assert len(found[0]) > 1
