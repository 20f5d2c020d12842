"""What happens to reservations by themselves, to the instant, and to lots that they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from benefit_programs.domain.entities import (
    Lot,
    Quota,
    Reservation,
)
from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.settling import SettlePools
from benefit_programs.wire.codec import instant_text
from tests.support.audit import audit
from tests.support.calls import benefit, guid
from tests.support.clock import HOUR, StillClock
from tests.support.holds import (
    amounts,
    cancel,
    cancel_refused,
    capture,
    capture_refused,
    found,
    read,
    reserve,
    reserve_refused,
)
from tests.support.inprocess import new_tenant, open_application
from tests.support.lifecycle import do
from tests.support.wallet import Wallet, open_wallet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.calls import Document
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

LATER = "2030-05-01T10:00:00.000Z"

ONCE_A_DAY = {
    "type": "POLICY",
    "policyOptions": {
        "type": "RATE_LIMITED",
        "rateLimitedOptions": {"times": 1, "timePeriod": "DAY"},
    },
}


class Held(NamedTuple):
    """A service in whose background nothing happens, and its clock."""

    service: Service
    clock: StillClock

    async def book(self, wallet: Wallet) -> int:
        """Book what is due, as runners do; how many pools had something due."""
        return await do(self.service, SettlePools(pool_ids=(wallet.pool_id,)))

    async def wallet(self, *benefits: Document, **configuration: Any) -> Wallet:
        credit = {"amount": "100", **configuration}
        return await open_wallet(self.service, *benefits, amount=None, creditConfiguration=credit)


@pytest.fixture
async def held(database_url: str) -> AsyncIterator[Held]:
    clock = StillClock()
    async with open_application(database_url, run_jobs=False, clock=clock) as application:
        held = Held(await new_tenant(*application), clock)
        yield held
        await audit(held.service)


async def reasons(wallet: Wallet) -> list[str]:
    return [each["details"]["reason"] for each in await wallet.transactions()]


# Lapses


async def test_it_is_open_until_its_very_instant(held: Held) -> None:
    """A millisecond before it is captured; at its instant it has lapsed, booked or not."""
    wallet = await held.wallet()
    first, second = await reserve(wallet), await reserve(wallet)
    held.clock.now += 24 * HOUR - 1
    await capture(wallet, first)
    held.clock.now += 1
    for refused in (await capture_refused(wallet, second), await cancel_refused(wallet, second)):
        assert (refused.status, refused.code) == (428, "RESERVATION_NOT_OPEN")
        assert refused.data == {"reservationId": second, "reservationStatus": "LAPSED"}
    shown = await read(wallet, second)
    assert (shown["status"], shown["heldCount"], shown["held"]) == ("LAPSED", 0, "0")
    assert await found(wallet, status="LAPSED") == [second]
    assert await found(wallet, status="OPEN") == []
    assert await held.book(wallet) == 1
    assert await held.book(wallet) == 0
    assert await amounts(wallet) == ("90", "0")
    assert (await capture_refused(wallet, second)).data["reservationStatus"] == "LAPSED"
    assert await found(wallet, status="LAPSED") == [second]


async def test_a_lapse_is_dated_at_its_instant(held: Held) -> None:
    """Whoever books it, and however late, the transaction names the instant at which it was due."""
    wallet = await held.wallet()
    reservation_id = await reserve(wallet, count=2, expiresAfter="PT1H")
    due = held.clock.now + HOUR
    held.clock.now += 30 * HOUR
    await wallet.redeem()
    assert await reasons(wallet) == ["Provisioning", "Reservation", "Release", "Redemption"]
    released = (await wallet.transactions())[2]
    assert released["dueDate"] == instant_text(due)
    assert released["createdDate"] == instant_text(held.clock.now)
    assert released["amount"] == "20"
    assert released["correlationId"] == released["reservationId"] == reservation_id
    assert "idempotencyKey" not in released
    assert await amounts(wallet) == ("90", "0")


async def test_lapsed_credits_and_shares_count_before_they_are_booked(held: Held) -> None:
    """From its instant on questions, redemptions and reservations count with what came back."""
    wallet = await held.wallet(benefit("towel", price="60", policyExpression=ONCE_A_DAY))
    day = {"targetDate": LATER}
    await reserve(wallet, expiresAfter="PT1H", **day)
    held.clock.now += HOUR - 1
    assert (await reserve_refused(wallet, **day)).code == "POLICY_EXPRESSION_EVALUATED_TO_FALSE"
    refused = await reserve_refused(wallet, targetDate="2030-05-02T10:00:00.000Z")
    assert refused.code == "NOT_ENOUGH_BALANCE"
    held.clock.now += 1
    (eligible,) = await wallet.eligibility(targetDate="2030-05-02T10:00:00.000Z")
    assert eligible["type"] == "ELIGIBLE_BENEFIT"
    await reserve(wallet, **day)
    assert await amounts(wallet) == ("40", "60")
    assert [row.used for row in await held.service.rows(Quota)] == [1]


async def test_lapses_come_in_the_order_of_their_instants(held: Held) -> None:
    """Several that were due meanwhile are booked one after the other, each at its own instant."""
    wallet = await held.wallet()
    begin = held.clock.now
    for hours in (3, 1, 2):
        await reserve(wallet, expiresAfter=f"PT{hours}H")
    held.clock.now += 2 * HOUR
    assert await held.book(wallet) == 1
    released = [each for each in await wallet.transactions() if "reservationId" in each]
    assert released[0]["dueDate"] == instant_text(begin + HOUR)
    assert "dueDate" not in released[1], "it was booked at its very instant"
    held.clock.now += HOUR
    assert await held.book(wallet) == 1
    assert await amounts(wallet) == ("100", "0")


async def test_a_lapse_keeps_what_was_captured(held: Held) -> None:
    """Only what is still held comes back, and its share of the rate limit."""
    limit = {
        "type": "POLICY",
        "policyOptions": {
            "type": "RATE_LIMITED",
            "rateLimitedOptions": {"times": 5, "timePeriod": "DAY"},
        },
    }
    wallet = await held.wallet(benefit("towel", policyExpression=limit))
    reservation_id = await reserve(wallet, count=5, targetDate=LATER)
    await capture(wallet, reservation_id, count=2, keepRest=True)
    held.clock.now += 24 * HOUR
    await held.book(wallet)
    assert await amounts(wallet) == ("80", "0")
    assert [row.used for row in await held.service.rows(Quota)] == [2]
    shown = await read(wallet, reservation_id)
    counts = [shown[name] for name in ("status", "count", "capturedCount", "heldCount")]
    assert counts == ["LAPSED", 5, 2, 0]
    (row,) = await held.service.rows(Reservation)
    assert (row.draws, row.quota_shares) == ((), ())


async def test_a_lapse_that_a_redemption_books_has_its_own_event(held: Held) -> None:
    """What the redemption says of itself stands in its own event alone."""
    wallet = await held.wallet()
    reservation_id = await reserve(wallet)
    held.clock.now += 24 * HOUR
    await wallet.redeem(additionalData={"till": 1})
    answer = await held.service.call("listEvents", {"entityId": wallet.pool_id})
    told = [each for each in answer["events"] if each["slug"] == "benefit_reservation_canceled"]
    assert [each["actionEvent"]["body"]["reservationId"] for each in told] == [reservation_id]
    (stored,) = [
        row for row in await held.service.rows(Event) if row.slug == "benefit_reservation_canceled"
    ]
    assert stored.body.keys() == {"pool", "actor"}


# Lots


async def test_a_lot_that_expires_while_reserved_is_honoured(held: Held) -> None:
    """The rest of the lot lapses at its end; what is reserved of it can still be captured."""
    wallet = await held.wallet(expiresAfter="PT5H")
    reservation_id = await reserve(wallet, count=3)
    held.clock.now += 5 * HOUR
    await held.book(wallet)
    assert await amounts(wallet) == ("0", "30")
    await capture(wallet, reservation_id, count=2, keepRest=True)
    assert await amounts(wallet) == ("0", "10")
    (lot,) = await held.service.rows(Lot)
    assert (lot.status, lot.available, lot.reserved) == ("EXPIRED", 0, 100_000)
    kinds = await reasons(wallet)
    assert kinds == ["Provisioning", "Reservation", "Expiry", "Redemption"]


async def test_what_comes_back_to_an_expired_lot_lapses_visibly(held: Held) -> None:
    """Canceled, left over or lapsed: it returns and lapses in the same commit."""
    wallet = await held.wallet(expiresAfter="PT5H")
    canceled, partly, lapsing = [await reserve(wallet, count=2) for _ in range(3)]
    held.clock.now += 5 * HOUR
    await cancel(wallet, canceled)
    await capture(wallet, partly, count=1)
    held.clock.now += 19 * HOUR
    assert await held.book(wallet) == 1
    assert (await read(wallet, lapsing))["status"] == "LAPSED"
    assert await amounts(wallet) == ("0", "0")
    assert (await reasons(wallet))[4:] == [
        *("Expiry", "Release", "Expiry"),
        *("Redemption", "Release", "Expiry"),
        *("Release", "Expiry"),
    ]
    (lot,) = await held.service.rows(Lot)
    assert (lot.status, lot.available, lot.reserved) == ("EXPIRED", 0, 0)


async def test_a_lot_and_its_reservation_end_at_the_same_instant(held: Held) -> None:
    """Nothing is left of the lot, neither what was reserved nor the rest."""
    wallet = await held.wallet(expiresAfter="PT1H")
    await reserve(wallet, expiresAfter="PT1H")
    held.clock.now += HOUR
    assert await amounts(wallet) == ("0", "0")
    assert await held.book(wallet) == 1
    assert await amounts(wallet) == ("0", "0")
    assert await reasons(wallet) == ["Provisioning", "Reservation", "Expiry", "Release", "Expiry"]


async def test_a_spent_lot_that_expired_unnoticed_takes_nothing_back(held: Held) -> None:
    """A lot that is reserved whole has nothing to lapse at its end; what returns lapses."""
    wallet = await held.wallet(expiresAfter="PT5H")
    reservation_id = await reserve(wallet, count=10)
    held.clock.now += 5 * HOUR
    await cancel(wallet, reservation_id)
    assert await amounts(wallet) == ("0", "0")
    assert (await reasons(wallet))[2:] == ["Release", "Expiry"]


async def test_returned_credits_live_as_their_definition_says(held: Held) -> None:
    """With returnsLive a canceled reservation's credits get a lot of their own with that life."""
    wallet = await held.wallet(expiresAfter="PT5H", returnsLive="P2D")
    reservation_id = await reserve(wallet, count=3)
    held.clock.now += 6 * HOUR
    await cancel(wallet, reservation_id)
    assert await amounts(wallet) == ("30", "0")
    lots = {lot.origin: lot for lot in await held.service.rows(Lot)}
    assert lots["PROVISION"].reserved == lots["PROVISION"].available == 0
    assert lots["RETURN"].expiration_date == held.clock.now + 48 * HOUR
    await wallet.redeem(count=3)
    assert await amounts(wallet) == ("0", "0")


async def test_a_capture_takes_the_lots_that_were_fixed(held: Held) -> None:
    """The first items take what was drawn first; the rest returns to where it came from."""
    wallet = await held.wallet(expiresAfter="P1D")
    await held.service.call(
        "changeBalance",
        {"poolId": wallet.pool_id, "idempotencyKey": guid(), "setOptions": {"value": "15"}},
    )
    held.clock.now += HOUR
    await wallet.adjust("15")
    reservation_id = await reserve(wallet, count=2)
    first, second = await held.service.rows(Lot)
    assert (first.reserved, second.reserved) == (150_000, 50_000)
    captured = await capture(wallet, reservation_id, count=1)
    first, second = await held.service.rows(Lot)
    assert (first.available, first.reserved) == (50_000, 0)
    assert (second.available, second.reserved) == (150_000, 0)
    drawn = (await wallet.transaction(captured))["lots"]
    assert drawn == [{"lotId": first.id, "amount": "10"}]
    await wallet.cancel(captured)
    first, _ = await held.service.rows(Lot)
    assert first.available == 150_000


async def test_a_reservation_is_judged_on_the_day_of_use(held: Held) -> None:
    """With validOn TARGET_DATE only lots that live then are reserved."""
    wallet = await held.wallet(expiresAfter="P1D", validOn="TARGET_DATE")
    after = instant_text(held.clock.now + 24 * HOUR)
    assert (await reserve_refused(wallet, targetDate=after)).code == "NOT_ENOUGH_BALANCE"
    before = instant_text(held.clock.now + 24 * HOUR - 1)
    await reserve(wallet, targetDate=before)
    assert await amounts(wallet) == ("90", "10")
