"""Callers of the ledger whose every answer is held against a small model."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    multiple,
    precondition,
    rule,
)

from benefit_programs.domain.entities import Transaction
from benefit_programs.storage.verification import verify_store
from benefit_programs.wire.codec import amount_text
from tests.support import ledger_model as model
from tests.support.audit import audit
from tests.support.calls import Refused, benefit
from tests.support.clock import Clock
from tests.support.inprocess import new_tenant
from tests.support.ledger_model import OK, Entry, Pool
from tests.support.wallet import Wallet, open_another, open_wallet

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from tests.support.inprocess import Service

T = TypeVar("T")

POOLS_MAX = 3
CREDIT = 10_000
PRICES = {"towel": 25_000, "limited": 3_333, "free": 0}

BENEFITS = st.sampled_from(sorted(PRICES))
COUNTS = st.integers(1, 4)
DAY = st.sampled_from([f"2030-05-0{day}" for day in (1, 2, 3)])
KEYS = st.sampled_from([f"key {number}" for number in range(12)])
FEW_KEYS = st.sampled_from(["key 0", "key 1", "key 2"]) | KEYS
AMOUNTS = st.integers(0, 30 * CREDIT) | st.sampled_from([0, 1, 25_000])
RULES = st.sampled_from(["FAIL", "SOFT_ENFORCE", "HARD_ENFORCE"])


def date(day: str) -> str:
    return f"{day}T12:00:00Z"


class LedgerMachine(RuleBasedStateMachine):
    """Calls of a tenant of its own, each compared with the model."""

    runner: ClassVar[asyncio.Runner]
    application: ClassVar[Any]
    clock: ClassVar[Clock]
    clock_type: ClassVar[type[Clock]] = Clock

    pools = Bundle("pools")
    entries = Bundle("entries")

    def __init__(self) -> None:
        super().__init__()
        self.wallets: dict[str, Wallet] = {}
        self.known: list[Pool] = []
        self.agreed = True
        self.sent: list[tuple[Wallet, str, dict[str, Any], str, str]] = []
        self.clock.begin_day()
        self.service: Service = self.run(new_tenant(*self.application))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize(target=pools)
    def open_first(self) -> Pool:
        limit = {"times": model.LIMIT_TIMES, "timePeriod": "DAY"}
        options = {"type": "RATE_LIMITED", "rateLimitedOptions": limit}
        expression = {"type": "POLICY", "policyOptions": options}
        benefits = [
            benefit("free", price="0"),
            benefit("limited", price="0.3333", policyExpression=expression),
            benefit("towel", price="2.5"),
        ]
        self.first = self.run(open_wallet(self.service, *benefits, amount="10"))
        return self.opened(self.first)

    @precondition(lambda self: len(self.known) < POOLS_MAX)
    @rule(target=pools)
    def provision(self) -> Pool:
        return self.opened(self.run(open_another(self.service, self.first.definition)))

    def opened(self, wallet: Wallet) -> Pool:
        pool = Pool(wallet.pool_id, dict(PRICES))
        balance = self.run(wallet.balance())
        pool.entries.append(Entry(balance["lastTransactionId"], pool, "PROVISION", 10 * CREDIT))
        self.wallets[pool.id] = wallet
        self.known.append(pool)
        return pool

    @rule(
        target=entries, pool=pools, name=BENEFITS, count=COUNTS, day=st.none() | DAY, key=FEW_KEYS
    )
    def redeem(self, pool: Pool, name: str, count: int, day: str | None, key: str) -> Any:
        dated = {} if day is None else {"targetDate": date(day)}
        day = day or self.clock.day
        expected = pool.redeem(name, count, key, day)
        request = self.wallets[pool.id].redemption(name, count=count, idempotencyKey=key, **dated)
        return self.done(
            pool,
            ("redeemBenefit", request, "REDEEM", key),
            expected,
            lambda each: Entry(
                each, pool, "REDEEM", -pool.prices[name] * count, None, name, count, day
            ),
        )

    @rule(target=entries, entry=entries, day=DAY, key=FEW_KEYS)
    def reallocate(self, entry: Entry, day: str, key: str) -> Any:
        expected = model.reallocate(entry, key, day)
        request = self.wallets[entry.pool.id].move(entry.id, date(day), idempotencyKey=key)
        return self.done(
            entry.pool,
            ("reallocateBenefit", request, "REALLOCATE", key),
            expected,
            lambda each: Entry(each, entry.pool, "REALLOCATE", 0, entry.first, day=day),
        )

    @rule(target=entries, entry=entries, key=FEW_KEYS)
    def cancel(self, entry: Entry, key: str) -> Any:
        expected = model.cancel(entry, key)
        request = {"transactionId": entry.id, "idempotencyKey": key}
        first = entry.first
        return self.done(
            entry.pool,
            ("cancelRedemption", request, "CANCEL", key),
            expected,
            lambda each: Entry(each, entry.pool, "CANCEL", -first.change, first),
        )

    @rule(target=entries, entry=entries)
    def revert(self, entry: Entry) -> Any:
        expected = model.revert(entry)
        return self.done(
            entry.pool,
            ("revertBalanceChange", {"transactionId": entry.id}, "REVERT", ""),
            expected,
            lambda each: Entry(each, entry.pool, "REVERT", -entry.change, entry),
        )

    @rule(
        target=entries,
        pool=pools,
        value=st.integers(-40 * CREDIT, 40 * CREDIT),
        lower=st.just(0) | AMOUNTS,
        room=st.none() | AMOUNTS,
        rule_=RULES,
        key=KEYS,
    )
    def adjust(
        self, pool: Pool, value: int, lower: int, room: int | None, rule_: str, key: str
    ) -> Any:
        upper = None if room is None else lower + room
        after = pool.adjusted(value, lower, upper, rule_)
        options = {"value": amount_text(value), "limitRule": rule_}
        options["lowerLimit"] = amount_text(lower)
        if upper is not None:
            options["upperLimit"] = amount_text(upper)
        return self.change(pool, key, after, adjustOptions=options)

    @rule(target=entries, pool=pools, value=AMOUNTS, key=KEYS)
    def set_balance(self, pool: Pool, value: int, key: str) -> Any:
        return self.change(pool, key, value, setOptions={"value": amount_text(value)})

    def change(self, pool: Pool, key: str, after: int | None, **options: Any) -> Any:
        request = {"poolId": pool.id, "idempotencyKey": key, **options}
        before = pool.available
        expected = OK if after is not None else "BALANCE_EXCEEDED_LIMITS"
        if ("CHANGE", key) in pool.keys:
            expected = "ALREADY_EXECUTED"
        elif after == before:
            answer = self.run(self.wallets[pool.id].leave(**request))
            assert answer["amount"]["available"] == amount_text(before)
            pool.keys["CHANGE", key] = None
            return multiple()
        return self.done(
            pool,
            ("changeBalance", request, "CHANGE", key),
            expected,
            lambda each: Entry(each, pool, "CHANGE", (after or 0) - before),
        )

    @rule(hours=st.integers(1, 30))
    def wait(self, hours: int) -> None:
        self.clock.move(hours)

    @rule(pool=pools, price=st.sampled_from([0, 1, 9_999, 25_000, 50_000]))
    def update_pool(self, pool: Pool, price: int) -> None:
        wallet = self.wallets[pool.id]
        current = self.run(wallet.pool())
        benefits = [
            {**each, "price": amount_text(price)} if each["benefitKey"] == "towel" else each
            for each in current["details"]["benefits"]
        ]
        change = {"id": pool.id, "revision": current["revision"], "details": {"benefits": benefits}}
        self.run(self.service.call("updatePool", {"pool": change}))
        self.update_price(pool, price)
        self.agree(pool)

    def update_price(self, pool: Pool, price: int) -> None:
        """Write into the model what a pool was changed to by hand."""
        pool.prices["towel"] = price

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        """Send again what was done before: nothing happens, and the first one is named."""
        wallet, name, request, code, first = data.draw(st.sampled_from(self.sent))
        refused = self.run(wallet.caller.refusal(name, request))
        assert refused.code == code
        assert refused.data["transactionId"] == first
        self.agree(next(pool for pool in self.known if pool.id == wallet.pool_id))

    def done(self, pool: Pool, call: tuple[str, Any, str, str], expected: str, entry: Any) -> Any:
        """Call the service, hold its answer against the model's, and write it into the model."""
        name, request, operation, key = call
        wallet = self.wallets[pool.id]
        self.agreed = False
        response = self.run(wallet.caller.send(name, request))
        made: Entry | None = None
        if response.status_code == httpx.codes.OK:
            assert expected == OK, f"{name} {request} was done, expected {expected}"
            made = entry(response.json()["transactionId"])
            assert made is not None
            self.keep(wallet, name, request, (operation, key), made)
        else:
            refused = Refused(response)
            code = refused.code or "INVALID"
            assert code == expected, f"{name} {request}: {refused}, expected {expected}"
            if code in {"ALREADY_EXECUTED", "BENEFIT_ALREADY_REDEEMED"}:
                assert refused.data.get("transactionId") == pool.keys[operation, key]
        self.agree(pool)
        return multiple() if made is None else made

    def keep(
        self, wallet: Wallet, name: str, request: Any, key: tuple[str, str], made: Entry
    ) -> None:
        """Write an entry into the model, and remember how to ask for it once more."""
        made.pool.entries.append(made)
        if key[1]:
            made.pool.keys[key] = made.id
            again = "BENEFIT_ALREADY_REDEEMED" if key[0] == "REDEEM" else "ALREADY_EXECUTED"
            self.sent.append((wallet, name, request, again, made.id))

    def agree(self, pool: Pool) -> None:
        """I1 to I3, as far as a caller sees them."""
        balance = self.run(self.wallets[pool.id].balance())
        assert balance["amount"] == {"available": amount_text(pool.available), "reserved": "0"}
        assert balance["revision"] == str(pool.balance_revision)
        assert balance.get("lastTransactionId") == (pool.entries[-1].id if pool.entries else None)
        self.agreed = True

    def teardown(self) -> None:
        """The books are those of the model, row by row, and every invariant holds."""
        if not self.agreed:
            return
        rows = {row.id: row for row in self.run(self.service.rows(Transaction))}
        entries = [entry for pool in self.known for entry in pool.entries]
        assert rows.keys() == {entry.id for entry in entries}
        for entry in entries:
            row = rows[entry.id]
            assert row.amount == abs(entry.change)
            assert (row.operation, row.pool_id) == (entry.operation, entry.pool.id)
            assert row.correlation_id == entry.first.id
        self.run(audit(self.service))
        tenant_ids = [self.service.tenant.id]
        assert self.run(verify_store(self.service.store, tenant_ids=tenant_ids)) == []
