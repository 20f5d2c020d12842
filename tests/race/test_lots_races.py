"""Everything that happens to the credits of one pool, at once and from two processes."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.wire.codec import amount_text, instant_text, read_instant
from tests.race.test_ledger_races import CLIENTS, Crowd, at, crowd, servers
from tests.support.calls import Refused, benefit, guid
from tests.support.wallet import Wallet, open_wallet

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.calls import Document

__all__ = ["crowd", "servers"]

pytestmark = pytest.mark.anyio

CREDIT = 10_000
STEPS = 6
REFUSED = {"NOT_ENOUGH_BALANCE", "RESERVATION_NOT_OPEN", "NOT_ENOUGH_RESERVED", "IN_PROGRESS"}
LAPSE_SECONDS = 20


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


async def settled(wallet: Wallet) -> Document:
    """The balance once no short reservation and no short lot is left."""
    async with asyncio.timeout(LAPSE_SECONDS):
        while True:
            rows = await wallet.transactions()
            by_operation = Counter(each["details"].get("reason") for each in rows)
            query = {"filter": {"poolId": wallet.pool_id, "status": "OPEN"}}
            open_ = await wallet.caller.call("queryReservations", {"query": query})
            lots = await wallet.caller.call("listLots", {"poolId": wallet.pool_id})
            is_over = all(
                read_instant(each["expirationDate"]) - read_instant(each["createdDate"]) > 60_000
                for each in open_["reservations"]
            )
            if is_over and not any(each.get("expirationDate") for each in lots["lots"]):
                return {"rows": rows, "reasons": by_operation, "open": open_["reservations"]}
            await asyncio.sleep(0.1)


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
    end = await settled(wallet)
    done = sum((desk.done for desk in desks), Counter[str]())
    rows: list[Document] = end["rows"]
    assert all(done[each] for each in ("reserved", "captured", "canceled", "granted", "renewed"))
    moved = Counter[tuple[str, str, str]]()
    for row in rows:
        key = (row["source"], row["target"], row["details"]["reason"])
        moved[key] += read_amount(row["amount"])
    reserved = moved["AVAILABLE", "RESERVED", "Reservation"]
    captured = moved["RESERVED", "EXTERNAL", "Redemption"]
    released = moved["RESERVED", "AVAILABLE", "Release"]
    assert reserved == done["reserved"] * CREDIT
    assert captured == done["captured"] * CREDIT
    assert moved["AVAILABLE", "EXTERNAL", "Redemption"] == done["redeemed"] * CREDIT
    assert moved["EXTERNAL", "AVAILABLE", "Grant"] == done["granted"] * 5 * CREDIT
    assert moved["EXTERNAL", "AVAILABLE", "Renewal"] == done["renewed"] * 40 * CREDIT
    held = sum(int(each["count"]) - int(each.get("capturedCount", 0)) for each in end["open"])
    assert reserved - captured - released == held * CREDIT
    balance = (await wallet.balance())["amount"]
    assert balance["reserved"] == amount_text(held * CREDIT)
    into = sum(amount for (_, target, _), amount in moved.items() if target == "AVAILABLE")
    out = sum(amount for (source, _, _), amount in moved.items() if source == "AVAILABLE")
    assert balance["available"] == amount_text(into - out)


def read_amount(text: str) -> int:
    whole, _, fraction = text.partition(".")
    return int(whole) * CREDIT + int(fraction.ljust(4, "0") or 0)
