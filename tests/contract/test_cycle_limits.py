"""Rate limits per cycle of a program's timetable, as callers meet them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.entities import Quota
from tests.contract.test_export_of_a_person import export, parts
from tests.contract.test_policies_end_to_end import failures, limit, open_under
from tests.support.audit import audit
from tests.support.calendar import at, reach, text
from tests.support.calls import benefit, guid
from tests.support.clock import DAY, StillClock
from tests.support.dated import BEGIN
from tests.support.lifecycle import act, run_jobs
from tests.support.wallet import open_another

if TYPE_CHECKING:
    from tests.support.calls import Document
    from tests.support.inprocess import Service
    from tests.support.wallet import Wallet

pytestmark = pytest.mark.anyio

FEBRUARY = at("2027-02-28T10:00")
MARCH = at("2027-03-31T10:00")
MONTHLY = {"every": "P1M", "timeZone": "UTC"}


async def member(service: Service, times: int = 2, **terms: Any) -> Wallet:
    """A member who may come so many times a cycle; the cycles are monthly unless terms say more."""
    terms = terms or {"renewalConfiguration": MONTHLY}
    return await open_under(service, limit(times, "CYCLE"), program=terms)


async def use_up(wallet: Wallet, times: int, **fields: Any) -> list[str]:
    """Redeem as often as a limit allows, and see the next one refused."""
    made = [await wallet.redeem(**fields) for _ in range(times)]
    failures(await wallet.redeem_refused(**fields))
    return made


async def test_a_cycle_counts_anew(timed: Service, clock: StillClock) -> None:
    """A limit is used up until the instant of the renewal, which belongs to the next cycle."""
    wallet = await member(timed)
    await use_up(wallet, 2)
    await reach(timed, clock, FEBRUARY - 1)
    (failure,) = failures(await wallet.redeem_refused())
    assert failure["message"] == "2 of 2 a cycle are used, 1 more are wanted"
    assert failure["errorData"] == {
        "times": 2,
        "timePeriod": "CYCLE",
        "used": 2,
        "requested": 1,
        "periodStart": text(BEGIN),
    }
    clock.now = FEBRUARY
    await use_up(wallet, 2)
    await audit(timed)


async def test_the_target_date_says_which_cycle(timed: Service) -> None:
    """A redemption ahead of time counts in the cycle that its date lies in."""
    wallet = await member(timed)
    await use_up(wallet, 2, targetDate=text(MARCH))
    failures(await wallet.redeem_refused(targetDate=text(at("2027-04-30T10:00") - 1)))
    await use_up(wallet, 2, targetDate=text(MARCH - 1))
    await use_up(wallet, 2)


async def test_what_is_given_back_counts_no_more(timed: Service) -> None:
    """A cancellation frees its cycle; a reallocation frees one and counts in the other."""
    wallet = await member(timed)
    first, second = await use_up(wallet, 2)
    await wallet.cancel(first)
    moved = await wallet.reallocate(second, text(FEBRUARY))
    await use_up(wallet, 2)
    await use_up(wallet, 1, targetDate=text(FEBRUARY))
    failures(await wallet.reallocate_refused(moved, text(BEGIN)))
    await wallet.reallocate(moved, text(MARCH - 1))
    await wallet.cancel(await wallet.redeem(targetDate=text(MARCH)))
    assert sorted(row.used for row in await timed.rows(Quota)) == [2, 2]
    await audit(timed)


async def test_eligibility_tells_of_the_cycle(timed: Service, clock: StillClock) -> None:
    """A question gets the refusal that a redemption would get."""
    wallet = await member(timed)
    await wallet.redeem(count=2)
    assert "2 of 2 a cycle are used" in str(await wallet.eligibility(count=1))
    assert "RATE_LIMIT" not in str(await wallet.eligibility(count=1, targetDate=text(FEBRUARY)))
    await reach(timed, clock, FEBRUARY)
    assert "RATE_LIMIT" not in str(await wallet.eligibility(count=1))


async def test_a_pause_that_stops_the_clock_moves_the_cycle(
    timed: Service, clock: StillClock
) -> None:
    """What was used stays used, also over two pauses, until the moved renewal comes."""
    wallet = await member(timed, renewalConfiguration=MONTHLY, whilePaused="STOP")
    await use_up(wallet, 2)
    for days in (10, 25):
        clock.now += DAY
        await act(timed, "pause", wallet.program["id"])
        clock.now += days * DAY
        await act(timed, "resume", wallet.program["id"])
        failures(await wallet.redeem_refused())
    renewal = FEBRUARY + 35 * DAY
    await reach(timed, clock, renewal - 1)
    failures(await wallet.redeem_refused())
    await reach(timed, clock, renewal)
    await use_up(wallet, 2)
    await audit(timed)


async def test_a_pause_that_lets_the_clock_run_leaves_the_cycles(
    timed: Service, clock: StillClock
) -> None:
    """A cycle that began during the pause counts anew, though nothing was renewed."""
    wallet = await member(timed)
    await use_up(wallet, 2)
    await act(timed, "pause", wallet.program["id"])
    await reach(timed, clock, FEBRUARY + DAY)
    await act(timed, "resume", wallet.program["id"])
    await use_up(wallet, 2)


async def test_a_renewal_by_hand_counts_anew_only_with_another_timetable(
    timed: Service, clock: StillClock
) -> None:
    """A renewal leaves the cycle, unless it begins the timetable anew."""
    wallet = await member(timed)
    await use_up(wallet, 2)
    clock.now += 5 * DAY
    renewal = {"programId": wallet.program["id"], "idempotencyKey": guid()}
    await timed.call("renewProgram", renewal)
    failures(await wallet.redeem_refused())
    renewal |= {"idempotencyKey": guid(), "restartTimetable": True}
    await timed.call("renewProgram", renewal)
    await use_up(wallet, 2)
    failures(await wallet.redeem_refused(targetDate=text(at("2027-03-05T10:00") - 1)))
    await wallet.redeem(targetDate=text(at("2027-03-05T10:00")))
    await audit(timed)


async def test_all_time_is_one_cycle_without_a_timetable(timed: Service, clock: StillClock) -> None:
    """A program that never renews has one cycle, which has no first instant."""
    wallet = await member(timed, endsAfter="P3Y")
    await wallet.redeem()
    clock.now += 400 * DAY
    await use_up(wallet, 1)
    (failure,) = failures(await wallet.redeem_refused(targetDate="2031-01-01T00:00:00Z"))
    assert "periodStart" not in failure["errorData"]
    other = await open_another(timed, wallet.definition)
    await use_up(other, 2, targetDate="1999-01-01T00:00:00Z")


async def test_the_anchor_ends_the_first_cycle(timed: Service, clock: StillClock) -> None:
    """All that comes before the first instant is one cycle; the last one goes on if it stays."""
    anchor = "2027-02-10T00:00:00.000Z"
    configuration = {"every": "P1M", "anchor": anchor, "cycles": 3, "atEnd": "STAY"}
    wallet = await member(timed, 1, renewalConfiguration=configuration)
    (failure,) = failures((await use_up(wallet, 1)) and await wallet.redeem_refused())
    assert failure["errorData"]["periodStart"] == text(BEGIN)
    await use_up(wallet, 1, targetDate=anchor)
    await use_up(wallet, 1, targetDate="2027-03-10T00:00:00Z")
    failures(await wallet.redeem_refused(targetDate="2030-03-10T00:00:00Z"))
    await reach(timed, clock, at("2027-03-10"))
    await reach(timed, clock, at("2027-09-10"))
    failures(await wallet.redeem_refused())


async def test_a_program_that_begins_within_a_period(timed: Service) -> None:
    """An anchor long ago divides time as well; the first cycle begins with the program."""
    configuration = {"every": "P1M", "anchor": "2020-01-15T00:00:00.000Z"}
    wallet = await member(timed, 1, renewalConfiguration=configuration)
    await use_up(wallet, 1)
    (failure,) = failures(await wallet.redeem_refused(targetDate="2027-02-14T23:59:59Z"))
    assert failure["errorData"]["periodStart"] == text(BEGIN)
    await use_up(wallet, 1, targetDate="2027-02-15T00:00:00Z")


async def test_two_cycles_of_a_day(timed: Service, clock: StillClock) -> None:
    """Cycles may be hours long: each has a count of its own."""
    wallet = await member(timed, 1, renewalConfiguration={"every": "PT6H"})
    for _ in range(3):
        await use_up(wallet, 1)
        await reach(timed, clock, clock.now + DAY // 4)


async def test_cycles_come_with_other_limits(timed: Service, clock: StillClock) -> None:
    """Each benefit has its own limit, by the day or by the cycle."""
    from tests.support.wallet import open_wallet  # noqa: PLC0415

    wallet = await open_wallet(
        timed,
        benefit("towel", price="1", policyExpression=limit(1, "CYCLE")),
        benefit("sauna", price="1", policyExpression=limit(1, "DAY")),
        program={"renewalConfiguration": MONTHLY},
    )
    await wallet.redeem("towel")
    await wallet.redeem("sauna")
    clock.now += DAY
    failures(await wallet.redeem_refused("towel"))
    await wallet.redeem("sauna")


async def test_a_late_booking_counts_in_the_cycle_of_its_date(
    timed: Service, clock: StillClock
) -> None:
    """If renewals come late, each redemption still counts in the cycle in which it is made."""
    wallet = await member(timed, 1)
    await use_up(wallet, 1)
    clock.now = at("2027-05-15")
    await use_up(wallet, 1)
    await run_jobs(timed)
    failures(await wallet.redeem_refused())
    await wallet.redeem(targetDate=text(MARCH))
    await audit(timed)


async def test_another_timetable_counts_anew(timed: Service, clock: StillClock) -> None:
    """Cycles of another timetable are other cycles; the counts of the old ones are given back."""
    wallet = await member(timed, 1)
    (made,) = await use_up(wallet, 1)
    clock.now += DAY
    program = (await timed.call("getProgram", {"programId": wallet.program["id"]}))["program"]
    change: Document = {"id": program["id"], "revision": program["revision"]}
    change["renewalConfiguration"] = {"every": "P1W"}
    await timed.call("updateProgram", {"program": change})
    await use_up(wallet, 1)
    await wallet.cancel(made)
    await audit(timed)


async def test_the_export_of_a_person_tells_the_cycle(timed: Service) -> None:
    """The count of a cycle is exported under the instant that the cycle began with."""
    wallet = await member(timed)
    await wallet.redeem(count=2)
    records = await export(timed, wallet.program["beneficiary"])
    (used,) = parts(records, "usedRateLimit")
    assert (used["used"], used["usedAt"]) == (2, text(BEGIN))
