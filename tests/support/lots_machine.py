"""Callers of one pool with lots, while time passes: every answer is held against a small model."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, multiple, rule

from benefit_programs.domain.entities import Lot as StoredLot
from benefit_programs.domain.entities import Pool as StoredPool
from benefit_programs.domain.settling import SettlePools
from benefit_programs.domain.values import SYSTEM
from benefit_programs.storage.verification import verify_store
from benefit_programs.wire.codec import amount_text, instant_text
from benefit_programs.wire.codec.formats import read_instant
from tests.support.audit import audit
from tests.support.calls import Refused, benefit, guid
from tests.support.clock import Clock
from tests.support.inprocess import new_tenant
from tests.support.lots_model import HOUR, NEVER, Lot, Pool, Redemption, Reservation, Terms
from tests.support.wallet import Wallet, open_wallet

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from tests.support.inprocess import Service

T = TypeVar("T")

CREDIT = 10_000
PRICES = {"towel": 25_000, "one": CREDIT, "free": 0}
HALF = HOUR // 2
SOON = 1_000
"""Within how many milliseconds instants are the same: those of one call and its answer."""

BENEFITS = st.sampled_from(sorted(PRICES))
COUNTS = st.integers(1, 5)
HOURS = st.sampled_from([1, 2, 5, 24])
MAYBE_HOURS = st.none() | HOURS
HELD_HOURS = st.sampled_from([1, 5, 24, 8 * 24, 80 * 24])
"""Some longer than a caller mostly waits, so that there is something to capture."""

AMOUNTS = st.sampled_from([1, CREDIT, 33_333, 10 * CREDIT, 40 * CREDIT, 100 * CREDIT])
PRIORITIES = st.sampled_from([None, 0, 100, 200])
TERMS = st.builds(
    Terms,
    amount=st.sampled_from([0, 5 * CREDIT, 40 * CREDIT, 100 * CREDIT]),
    expires_after=MAYBE_HOURS | st.sampled_from([None, 40 * 24]),
    returns_live=MAYBE_HOURS,
    rollover=st.booleans(),
    cap=st.none() | st.sampled_from([0, 4 * CREDIT]),
    percent=st.none() | st.sampled_from([0, 33, 100]),
    rollover_expires_after=MAYBE_HOURS,
)


def hours(value: int | None) -> str | None:
    return None if value is None else f"PT{value}H"


def configuration(terms: Terms) -> dict[str, Any]:
    """The credit configuration of terms."""
    rollover = {
        "enabled": terms.rollover,
        "balanceCap": None if terms.cap is None else amount_text(terms.cap),
        "percent": None if terms.percent is None else str(terms.percent),
        "expiresAfter": hours(terms.rollover_expires_after),
    }
    return {
        "amount": amount_text(terms.amount),
        "expiresAfter": hours(terms.expires_after),
        "returnsLive": hours(terms.returns_live),
        "rolloverConfiguration": {name: value for name, value in rollover.items() if value},
    }


class LotsMachine(RuleBasedStateMachine):
    """Calls of a tenant of its own, each compared with the model."""

    runner: ClassVar[asyncio.Runner]
    application: ClassVar[Any]
    clock: ClassVar[Clock]
    clock_type: ClassVar[type[Clock]] = Clock

    redemptions = Bundle("redemptions")
    reservations = Bundle("reservations")

    def __init__(self) -> None:
        super().__init__()
        self.service: Service = self.run(new_tenant(*self.application))
        self.agreed = False

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @property
    def now(self) -> int:
        return self.clock.now

    @initialize(terms=TERMS)
    def open(self, terms: Terms) -> None:
        benefits = [benefit(name, price=amount_text(price)) for name, price in PRICES.items()]
        self.wallet: Wallet = self.run(
            open_wallet(
                self.service, *benefits, amount=None, creditConfiguration=configuration(terms)
            )
        )
        created = read_instant(self.run(self.wallet.balance())["createdDate"])
        self.pool = Pool(terms, created)
        self.agree()

    # Time

    @rule(passing=HOURS)
    def wait(self, passing: int) -> None:
        """Let hours pass, and ask what there is before anything of it is booked."""
        self.clock.move(passing)
        self.pool.pass_until(self.now)
        self.require_balance()

    @rule()
    def settle(self) -> None:
        """Let what is due be booked by itself."""
        self.run(self.book())
        self.pool.pass_until(self.now)
        self.agree()

    async def book(self) -> None:
        services = self.service.running.services
        await services.engine.execute(
            SettlePools(pool_ids=(self.wallet.pool_id,)),
            tenant_id=self.service.tenant.id,
            caller=SYSTEM,
            settings=self.service.tenant.settings,
        )

    # Spending

    @rule(target=redemptions, name=BENEFITS, count=COUNTS)
    def redeem(self, name: str, count: int) -> Any:
        self.pool.pass_until(self.now)
        made = self.pool.redeem(PRICES[name], count)
        answer = self.done(
            "redeemBenefit",
            self.wallet.redemption(name, count=count),
            None if made else "NOT_ENOUGH_BALANCE",
        )
        return self.named(made, answer)

    @rule(taken=redemptions, total=st.integers(1, 5))
    def cancel(self, taken: Redemption, total: int) -> None:
        if total > taken.count or taken.canceled == taken.count:
            return
        self.pool.pass_until(self.now)
        request = {"transactionId": taken.id, "idempotencyKey": guid(), "totalCount": total}
        if total > taken.canceled:
            self.pool.cancel(taken, total, self.now)
            self.done("cancelRedemption", request)
            return
        # It changes nothing, and books nothing of what is due.
        answer = self.run(self.service.call("cancelRedemption", request))
        assert answer["totalCount"] == taken.canceled
        self.require_balance()

    # Holding

    @rule(target=reservations, name=BENEFITS, count=COUNTS, for_hours=HELD_HOURS)
    def reserve(self, name: str, count: int, for_hours: int) -> Any:
        self.pool.pass_until(self.now)
        made = self.pool.reserve(PRICES[name], count, self.now + for_hours * HOUR)
        answer = self.done(
            "reserveBenefit",
            self.wallet.redemption(name, count=count, expiresAfter=hours(for_hours)),
            None if made else "NOT_ENOUGH_BALANCE",
        )
        if made and answer:
            made.expires = self.expiration_of(answer["transactionId"], made.expires)
        return self.named(made, answer)

    def expiration_of(self, reservation_id: str, expected: float) -> int:
        answer = self.run(self.service.call("getReservation", {"reservationId": reservation_id}))
        found: int = read_instant(answer["reservation"]["expirationDate"])
        assert abs(found - expected) < SOON
        return found

    @rule(target=redemptions, held=reservations, count=COUNTS, keep=st.booleans())
    def capture(self, held: Reservation, count: int, *, keep: bool) -> Any:
        self.pool.pass_until(self.now)
        if 0 < held.held < count:
            return multiple()
        was_open = held.state == "OPEN"
        taken = self.pool.capture(held, count, self.now, keep=keep) if was_open else None
        request = {
            "transactionId": held.id,
            "idempotencyKey": guid(),
            "count": count,
            "keepRest": keep,
        }
        answer = self.done(
            "captureBenefitReservation", request, None if was_open else "RESERVATION_NOT_OPEN"
        )
        return self.named(taken, answer)

    @rule(held=reservations)
    def cancel_reservation(self, held: Reservation) -> None:
        self.pool.pass_until(self.now)
        was_open = held.state == "OPEN"
        if was_open:
            self.pool.end(held, "CANCELED", self.now)
        request = {"transactionId": held.id, "idempotencyKey": guid()}
        self.done("cancelBenefitReservation", request, None if was_open else "RESERVATION_NOT_OPEN")

    # What comes

    @rule(
        amount=AMOUNTS,
        priority=PRIORITIES,
        begins=MAYBE_HOURS,
        ends=MAYBE_HOURS,
        kept=st.booleans(),
    )
    def grant(
        self, amount: int, priority: int | None, begins: int | None, ends: int | None, *, kept: bool
    ) -> None:
        self.pool.pass_until(self.now)
        start = None if begins is None else self.now + begins * HOUR - HALF
        end = None if ends is None else (start or self.now) + ends * HOUR + HALF // 2
        request: dict[str, Any] = {
            "poolId": self.wallet.pool_id,
            "idempotencyKey": guid(),
            "amount": amount_text(amount),
            "keptAtRenewal": kept,
        }
        more = {
            "priority": priority,
            "effectiveDate": start and instant_text(start),
            "expirationDate": end and instant_text(end),
        }
        request |= {name: value for name, value in more.items() if value is not None}
        lot = self.pool.add("GRANT", amount, effective=start or self.now, expires=end or NEVER)
        lot.kept, lot.priority = kept, 100 if priority is None else priority
        if start is not None:
            lot.begun, lot.available = False, 0
        self.done("grantCredits", request)

    @rule(data=st.data(), ends=MAYBE_HOURS, priority=PRIORITIES)
    def change_lot(self, data: st.DataObject, ends: int | None, priority: int | None) -> None:
        self.pool.pass_until(self.now)
        found = [lot for lot in self.pool.lots[1:] if lot.id and lot.state in ("LIVE", "FUTURE")]
        if not found:
            return
        lot = data.draw(st.sampled_from(found))
        begin = int(self.pool.begin_of(lot))
        end = None if ends is None else max(self.now, begin) + ends * HOUR + HALF // 3
        self.pool.end_at(lot, end or NEVER)
        lot.priority = 100 if priority is None else priority
        answer = self.run(self.service.call("getLot", {"lotId": lot.id}))
        change = {
            "id": lot.id,
            "revision": answer["lot"]["revision"],
            "expirationDate": end and instant_text(end),
            "priority": lot.priority,
        }
        self.done("updateLot", {"lot": change})

    @rule(data=st.data())
    def expire_lot(self, data: st.DataObject) -> None:
        self.pool.pass_until(self.now)
        found = [lot for lot in self.pool.lots[1:] if lot.id and lot.state in ("LIVE", "FUTURE")]
        if not found:
            return
        lot = data.draw(st.sampled_from(found))
        lot.available, lot.begun, lot.lapsed = 0, True, True
        lot.expires = max(self.now, lot.effective)
        self.done("expireLot", {"lotId": lot.id, "idempotencyKey": guid()})

    @rule(value=st.integers(-30 * CREDIT, 30 * CREDIT).filter(bool))
    def adjust(self, value: int) -> None:
        self.pool.pass_until(self.now)
        fits = self.pool.adjust(value, self.now)
        request = self.wallet.change(adjustOptions={"value": amount_text(value)})
        self.done("changeBalance", request, None if fits else "BALANCE_EXCEEDED_LIMITS")

    @rule()
    def renew(self) -> None:
        self.pool.pass_until(self.now)
        self.pool.renew(self.now)
        program = self.wallet.program["id"]
        self.done("renewProgram", {"programId": program, "idempotencyKey": guid()})

    # What must hold

    def done(
        self, name: str, request: dict[str, Any], refusal: str | None = None
    ) -> dict[str, Any] | None:
        """Call the service, and hold what it answers and leaves against the model."""
        self.agreed = False
        response = self.run(self.service.send(name, request))
        if response.status_code != httpx.codes.OK:
            refused = Refused(response)
            assert refused.code == refusal, f"{name} {request}: {refused}"
            self.require_balance()
            self.agreed = True
            return None
        assert refusal is None, f"{name} {request} was done, expected {refusal}"
        self.agree()
        answer: dict[str, Any] = response.json()
        return answer

    def named(self, made: Any, answer: dict[str, Any] | None) -> Any:
        """What the model made, under the id that the service gave it."""
        if made is None:
            return multiple()
        assert answer is not None
        made.id = answer["transactionId"]
        return made

    def require_balance(self) -> None:
        amount = self.run(self.wallet.balance())["amount"]
        assert amount == {
            "available": amount_text(self.pool.available),
            "reserved": amount_text(self.pool.reserved),
        }

    def agree(self) -> None:
        """Every lot is that of the model, after all that is due was booked."""
        self.require_balance()
        rows = self.run(self.service.rows(StoredLot))
        assert len(rows) == len(self.pool.lots) - 1, (rows, self.pool.lots)
        for row, lot in zip(rows, self.pool.lots[1:], strict=True):
            self.require_lot(row, lot)
        self.agreed = True

    def require_lot(self, row: StoredLot, lot: Lot) -> None:
        assert lot.id in ("", row.id)
        lot.id = row.id
        assert (row.origin, row.granted, row.status) == (lot.origin, lot.granted, lot.state)
        assert (row.available, row.reserved) == (lot.available, lot.reserved)
        assert (row.priority, bool(row.kept_at_renewal)) == (lot.priority, lot.kept)
        end = NEVER if row.expiration_date is None else row.expiration_date
        assert end == lot.expires or abs(end - lot.expires) < SOON
        assert abs(row.effective_date - lot.effective) < SOON
        lot.expires, lot.effective = end, row.effective_date

    def teardown(self) -> None:
        """The books are sound, and every invariant holds."""
        if not self.agreed:
            return
        self.run(self.book())
        self.pool.pass_until(self.now)
        self.agree()
        (pool,) = self.run(self.service.rows(StoredPool))
        assert pool.in_lots == sum(lot.available for lot in self.pool.lots[1:])
        self.run(audit(self.service))
        tenant_ids = [self.service.tenant.id]
        found = self.run(verify_store(self.service.store, tenant_ids=tenant_ids))
        assert found == [], found
