"""Random histories of one pool, with lots and reservations, by commands of a real engine.

What has no method of its own yet is done by commands that are made of the account's own parts.
"""

from __future__ import annotations

from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from benefit_programs.domain.account import Account, ask_for_lots
from benefit_programs.domain.command import Command
from benefit_programs.domain.entities import (
    BalanceType,
    LotOrigin,
    Operation,
    Reservation,
    ReservationStatus,
    TransactionDetails,
    TransactionItem,
)
from benefit_programs.domain.errors import Refusal
from benefit_programs.domain.lookups import POOL, RESERVATION, RESERVING_TRANSACTION
from benefit_programs.domain.lots import Fate, first_of, last_of, total
from benefit_programs.domain.redemptions import CancelRedemption
from benefit_programs.domain.required import require
from benefit_programs.domain.settling import (
    SettlePools,
    ask_for_account,
    ask_to_release,
    open_account,
    release,
)
from benefit_programs.domain.state import Changes
from benefit_programs.domain.values import earliest
from tests.support.calls import Refused, benefit, guid
from tests.support.lifecycle import do
from tests.support.wallet import Wallet, open_wallet

if TYPE_CHECKING:
    from benefit_programs.domain.context import Context
    from benefit_programs.domain.state import Needs, State
    from benefit_programs.domain.values import Credits, Instant
    from tests.support.clock import Clock
    from tests.support.inprocess import Service

HOUR = 3_600_000
CREDIT = 10_000


class Grant(Command[str], frozen=True, kw_only=True):
    """Bring credits with a fate of their own, now or later."""

    pool_id: str
    amount: Credits
    fate: Fate

    def ask(self, needs: Needs, state: State) -> None:
        if ask_for_account(needs, state, self.pool_id) is not None:
            ask_for_lots(needs, self.pool_id)

    def decide(self, state: State, context: Context) -> Changes[str]:
        account = open_account(state, context, require(state, POOL, self.pool_id))
        if self.fate.effective_date is not None and self.fate.effective_date > context.now:
            account.add_lot(self.fate, self.amount)
        else:
            account.grant(Operation.GRANT, self.amount, self.fate)
        changes = Changes("")
        account.save(changes)
        return changes


class Reserve(Command[str], frozen=True, kw_only=True):
    """Set the credits of some items aside, until an instant. Answers the reservation's id."""

    pool_id: str
    count: int
    price: Credits
    until: Instant

    def ask(self, needs: Needs, state: State) -> None:
        if ask_for_account(needs, state, self.pool_id) is not None:
            ask_for_lots(needs, self.pool_id)

    def decide(self, state: State, context: Context) -> Changes[str]:
        account = open_account(state, context, require(state, POOL, self.pool_id))
        count = min(self.count, account.pool.available // self.price)
        transaction = account.reserve(
            Operation.RESERVE, self.price * count, details=_details("Reservation", count)
        )
        account.beside.append(
            Reservation(
                id=transaction.id,
                created=context.now,
                updated=context.now,
                pool_id=self.pool_id,
                status=ReservationStatus.OPEN,
                count=count,
                price=self.price,
                expiration_date=self.until,
                draws=transaction.details.draws,
                quota_shares=(),
            )
        )
        account.pool = replace(account.pool, due=earliest(account.pool.due, self.until))
        changes = Changes(transaction.id)
        account.save(changes)
        return changes


class EndReservation(Command[bool], frozen=True, kw_only=True):
    """Spend some items of what is reserved, and put the others back."""

    reservation_id: str
    count: int

    def ask(self, needs: Needs, state: State) -> None:
        needs.read(RESERVATION, self.reservation_id)
        reservation = state.loaded(RESERVATION, self.reservation_id)
        if reservation is None:
            return
        pool = ask_for_account(needs, state, reservation.pool_id)
        if pool is not None:
            ask_for_lots(needs, pool.id)
            ask_to_release(needs, pool, reservation)

    def decide(self, state: State, context: Context) -> Changes[bool]:
        reservation = require(state, RESERVATION, self.reservation_id)
        changes = Changes(False)
        is_open = reservation.status is ReservationStatus.OPEN
        if not is_open or reservation.expiration_date <= context.now:
            return changes
        account = open_account(state, context, require(state, POOL, reservation.pool_id))
        count = min(self.count, reservation.held)
        if count:
            reservation = self._capture(account, reservation, count)
        if reservation.held:
            root = require(state, RESERVING_TRANSACTION, reservation.id)
            canceled = ReservationStatus.CANCELED
            release(state, account, reservation, canceled, reserved=root.details)
        else:
            account.beside.append(replace(reservation, status=ReservationStatus.CAPTURED))
        account.save(changes)
        changes.answer = True
        return changes

    def _capture(self, account: Account, reservation: Reservation, count: int) -> Reservation:
        amount = reservation.price * count
        draws = first_of(reservation.draws, amount)
        account.put(
            Operation.CAPTURE,
            BalanceType.RESERVED,
            BalanceType.EXTERNAL,
            draws,
            amount,
            details=_details("Redemption", count),
        )
        rest = last_of(reservation.draws, total(reservation.draws) - total(draws))
        return replace(reservation, captured=count, draws=rest)


def _details(reason: str, count: int) -> TransactionDetails:
    item = TransactionItem(guid(), "towel", guid(), guid())
    return TransactionDetails(reason=reason, item=item, item_count=count, benefit_key="towel")


class History:
    """One pool, and what befalls it by a random source."""

    def __init__(self, service: Service, clock: Clock, wallet: Wallet, chance: Random) -> None:
        self.service = service
        self.clock = clock
        self.wallet = wallet
        self.chance = chance
        self.redemptions: list[str] = []
        self.reservations: list[str] = []
        self.changes: list[str] = []

    @classmethod
    async def begin(cls, service: Service, clock: Clock, seed: int) -> History:
        """A pool whose credits live for days, roll over in part, and may get a life on return."""
        chance = Random(seed)
        rollover = {"enabled": True, "percent": "50", "expiresAfter": "PT30H"}
        credit: dict[str, Any] = {"rolloverConfiguration": rollover}
        if chance.random() < 0.7:
            credit["expiresAfter"] = chance.choice(["PT20H", "PT70H"])
        if chance.random() < 0.5:
            credit["returnsLive"] = "PT9H"
        amount = chance.choice(["40", "100"])
        wallet = await open_wallet(
            service,
            benefit("towel", price="2.5"),
            creditConfiguration={"amount": amount, **credit},
            amount=None,
        )
        return cls(service, clock, wallet, chance)

    async def step(self) -> None:
        """Let something happen, and then some time go by. Refusals are no matter."""
        act = self.chance.choice(
            [
                *(self._redeem, self._redeem, self._cancel, self._cancel_some, self._adjust),
                *(self._revert, self._renew, self._grant, self._grant_later, self._reserve),
                *(self._reserve, self._end_reservation, self._settle, self._wait, self._wait),
            ]
        )
        with suppress(Refused, Refusal):
            await act()
        self.clock.now += self.chance.choice([1, 1, 2, HOUR, 5 * HOUR])

    async def do(self, command: Command[Any]) -> Any:
        return await do(self.service, command)

    async def _redeem(self) -> None:
        self.redemptions.append(await self.wallet.redeem(count=self.chance.randint(1, 6)))

    async def _cancel(self) -> None:
        await self.wallet.cancel(self.chance.choice(self.redemptions or [guid()]))

    async def _cancel_some(self) -> None:
        chosen = self.chance.choice(self.redemptions or [guid()])
        await self.do(
            CancelRedemption(
                transaction_id=chosen,
                idempotency_key=guid(),
                total_count=self.chance.randint(1, 3),
            )
        )

    async def _adjust(self) -> None:
        changed = await self.wallet.adjust(self.chance.choice(["5", "0.0001", "-7.5", "12"]))
        self.changes.append(changed["transactionId"])

    async def _revert(self) -> None:
        await self.wallet.revert(self.chance.choice(self.changes + self.redemptions or [guid()]))

    async def _renew(self) -> None:
        program = self.wallet.program["id"]
        await self.service.call("renewProgram", {"programId": program, "idempotencyKey": guid()})

    async def _grant(self) -> None:
        await self._bring(None)

    async def _grant_later(self) -> None:
        await self._bring(self.clock.now + self.chance.randint(1, 20) * HOUR)

    async def _bring(self, begins: Instant | None) -> None:
        lives = self.chance.choice([None, 3 * HOUR, 40 * HOUR])
        fate = Fate(
            origin=LotOrigin.GRANT,
            effective_date=begins,
            expiration_date=None if lives is None else (begins or self.clock.now) + lives,
            priority=self.chance.choice([50, 100, 200]),
            kept_at_renewal=True,
        )
        amount = self.chance.randint(1, 20) * CREDIT
        await self.do(Grant(pool_id=self.wallet.pool_id, amount=amount, fate=fate))

    async def _reserve(self) -> None:
        command = Reserve(
            pool_id=self.wallet.pool_id,
            count=self.chance.randint(1, 8),
            price=25_000,
            until=self.clock.now + self.chance.randint(1, 60) * HOUR,
        )
        self.reservations.append(await self.do(command))

    async def _end_reservation(self) -> None:
        if self.reservations:
            chosen, count = self.chance.choice(self.reservations), self.chance.randint(0, 4)
            await self.do(EndReservation(reservation_id=chosen, count=count))

    async def _settle(self) -> None:
        await self.do(SettlePools(pool_ids=(self.wallet.pool_id,)))

    async def _wait(self) -> None:
        self.clock.now += self.chance.randint(1, 30) * HOUR
