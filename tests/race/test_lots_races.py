"""Everything that happens to the credits of one pool, at once and from two processes."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.wire.codec import amount_text, instant_text
from benefit_programs.wire.codec.formats import read_instant
from tests.race.test_ledger_races import CLIENTS, Crowd, at, crowd, servers
from tests.support.calls import Refused, benefit, guid
from tests.support.looking import LOOK_PAUSE_SECONDS
from tests.support.wallet import Wallet, open_wallet

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.calls import Document

__all__ = ["crowd", "servers"]

pytestmark = pytest.mark.anyio

CREDIT = 10_000
STEPS = 6
REFUSED = {"NOT_ENOUGH_BALANCE", "RESERVATION_NOT_OPEN", "NOT_ENOUGH_RESERVED", "IN_PROGRESS"}
LAPSE_SECONDS = 30
MINUTE = 60_000


class Desk:
    """A client that does one thing after the other on the pool that all have."""

    def __init__(self, wallet: Wallet, seed: int) -> None:
        self.wallet = wallet
        self.chance = random.Random(seed)
        self.held: list[str] = []
        self.done: Counter[str] = Counter()

    async def work(self) -> None:
        doings: list[Callable[[], Awaitable[Any]]] = [
            self.reserve,
            self.reserve,
            self.capture,
            self.cancel,
            self.redeem,
            self.grant,
            self.renew,
        ]
        for _ in range(STEPS):
            await self.chance.choice(doings)()

    async def reserve(self) -> None:
        count = self.chance.randint(1, 3)
        request = self.wallet.redemption(
            count=count, expiresAfter=self.chance.choice(["PT1S", "PT2S", "PT1H"])
        )
        answer = await self.call("reserveBenefit", request)
        if answer:
            self.held.append(answer["transactionId"])
            self.done["reserved"] += count

    async def capture(self) -> None:
        request = {"idempotencyKey": guid(), "count": 1, "keepRest": self.chance.random() < 0.5}
        if await self.end_one("captureBenefitReservation", request):
            self.done["captured"] += 1

    async def cancel(self) -> None:
        if await self.end_one("cancelBenefitReservation", {"idempotencyKey": guid()}):
            self.done["canceled"] += 1

    async def end_one(self, name: str, request: Document) -> Document | None:
        if not self.held:
            return None
        transaction_id = self.chance.choice(self.held)
        return await self.call(name, {"transactionId": transaction_id, **request})

    async def redeem(self) -> None:
        if await self.call("redeemBenefit", self.wallet.redemption()):
            self.done["redeemed"] += 1

    async def grant(self) -> None:
        balance = await self.wallet.balance()
        soon = read_instant(balance["updatedDate"]) + self.chance.randint(1_500, 3_000)
        request = {
            "poolId": self.wallet.pool_id,
            "amount": "5",
            "idempotencyKey": guid(),
            "expirationDate": instant_text(soon),
        }
        if await self.call("grantCredits", request, "expirationDate"):
            self.done["granted"] += 1

    async def renew(self) -> None:
        request = {"programId": self.wallet.program["id"], "idempotencyKey": guid()}
        if await self.call("renewProgram", request):
            self.done["renewed"] += 1

    async def call(self, name: str, request: Document, *expected: str) -> Document | None:
        try:
            return await self.wallet.caller.call(name, request)
        except Refused as refused:
            if refused.code in REFUSED or refused.fields.keys() & set(expected):
                return None
            raise


async def settled(wallet: Wallet) -> tuple[list[Document], int]:
    """The transactions, once no short lot and no short reservation is left, and what is held."""
    async with asyncio.timeout(LAPSE_SECONDS):
        while True:
            query = {"filter": {"poolId": wallet.pool_id, "status": "OPEN"}}
            found = await wallet.caller.call("queryReservations", {"query": query})
            lots = await wallet.caller.call("listLots", {"poolId": wallet.pool_id})
            held = sum(int(each["heldCount"]) for each in found["reservations"])
            rows = await wallet.transactions()
            reserved = sum(moved(rows, target="RESERVED")) - sum(moved(rows, source="RESERVED"))
            is_over = not any(each.get("expirationDate") for each in lots["lots"])
            if is_over and reserved == held * CREDIT and not short(found["reservations"]):
                return rows, held
            await asyncio.sleep(LOOK_PAUSE_SECONDS)


def short(reservations: list[Document]) -> list[Document]:
    """Those that lapse while the test waits."""
    return [
        each
        for each in reservations
        if read_instant(each["expirationDate"]) - read_instant(each["createdDate"]) < MINUTE
    ]


def moved(rows: list[Document], **way: str) -> list[int]:
    """The amounts of the transactions that go this way."""
    return [
        read_amount(row["amount"])
        for row in rows
        if all(row[name] == value for name, value in way.items())
    ]


async def test_all_at_once_adds_up(crowd: Crowd) -> None:
    """64 clients reserve, capture, cancel, redeem, grant and renew while lots and holds lapse.

    Each thing that was answered is in the ledger once, and every reserved item has one end.
    """
    configuration = {
        "amount": "40",
        "rolloverConfiguration": {"enabled": True, "percent": "50"},
    }
    wallet = await open_wallet(
        crowd.callers[0],
        benefit("towel", price="1"),
        amount=None,
        creditConfiguration=configuration,
    )
    desks = [Desk(at(wallet, caller), seed) for seed, caller in enumerate(crowd.callers)]
    assert len(desks) == CLIENTS

    await asyncio.gather(*(desk.work() for desk in desks))
    rows, held = await settled(wallet)
    done = sum((desk.done for desk in desks), Counter[str]())
    assert all(done[each] for each in ("reserved", "captured", "canceled", "granted", "renewed"))
    sums = Counter[tuple[str, str, str]]()
    for row in rows:
        sums[row["source"], row["target"], row["details"]["reason"]] += read_amount(row["amount"])
    assert sums["AVAILABLE", "RESERVED", "Reservation"] == done["reserved"] * CREDIT
    assert sums["RESERVED", "EXTERNAL", "Redemption"] == done["captured"] * CREDIT
    assert sums["AVAILABLE", "EXTERNAL", "Redemption"] == done["redeemed"] * CREDIT
    assert sums["EXTERNAL", "AVAILABLE", "Grant"] == done["granted"] * 5 * CREDIT
    assert sums["EXTERNAL", "AVAILABLE", "Renewal"] == done["renewed"] * 40 * CREDIT
    available = sum(moved(rows, target="AVAILABLE")) - sum(moved(rows, source="AVAILABLE"))
    amount = (await wallet.balance())["amount"]
    assert amount == {
        "available": amount_text(available),
        "reserved": amount_text(held * CREDIT),
    }


def read_amount(text: str) -> int:
    whole, _, fraction = text.partition(".")
    return int(whole) * CREDIT + int(fraction.ljust(4, "0") or 0)
